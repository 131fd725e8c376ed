"""A page that shows whole images in a browser: pans, zooms, stretches, tells values, blinks. Nothing else is needed.

Everything that stands in a file may be anything: names and texts reach the page as JSON in which no tag can begin, or
escaped. The page forbids every script but its own, and all of the network.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools import __version__
from rtools.errors import InputError, UsageError
from rtools.products.edit.section import read_plane
from rtools.products.edit.wcs import load_wcs
from rtools.products.tables.files import read_catalog
from rtools.show import viewer_tiles
from rtools.show.aligned import system_of
from rtools.show.flag_classes import flags_beside
from rtools.show.image import named_array
from rtools.show.pixel import frame_numbers
from rtools.show.stretch import find_limits
from rtools.show.terminal import colour_table
from rtools.show.view import load_overlays, load_shown
from rtools.show.wishes import IMAGE, Wishes, meant
from rtools.wfi.sphere import to_plane
from rtools.wfi.units import RADIAN_ARCSEC

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["viewer_page"]

NODES = 49
"""Places along each axis whose position on the sky stands in the page; between them it is linear."""

COLOURS = ("gray", "inferno", "viridis", "RdBu_r")
"""Maps of colours that can be chosen."""

TOLD = ("label", "source_id", "kron_abmag", "aper_total_abmag", "is_extended", "warning_flags")
"""Columns of a catalog that a source under the pointer tells."""


def viewer_page(
    products: Sequence[ProductFace], wishes: Wishes, tell: Callable[[str, str], None], *, title: str
) -> str:
    """The page.

    Parameters
    ----------
    products : sequence of rtools.products.io.ProductFace
        Opened; images of one shape, whose arrays become layers.
    wishes : rtools.show.wishes.Wishes
        What is asked for; `array` may name several, separated by commas.
    tell : callable
        Takes level and text of a message.
    title : str
        Above the image.

    Returns
    -------
    str
        HTML.

    Raises
    ------
    InputError
        There is no image, or the images are of different shapes.
    """
    layers: list[dict[str, Any]] = []
    flags: list[dict[str, Any]] = []
    first = None
    for product in products:
        numbers: dict[str, int] = {}
        for name in (wishes.array or "").split(","):
            image = _shown(product, replace(wishes, array=name.strip() or None), tell)
            first = first or image
            if image.data.shape != first.data.shape:
                raise InputError("the images of a page are to be of one size", path=product.path)
            beside = _flag_array(product, image)
            if beside and beside not in numbers:
                numbers[beside] = len(flags)
                flags.append(_flags(product, image, beside))
            layers.append(_layer(image, wishes) | {"flags": numbers.get(beside), "at": _numbers(product)})
    assert first is not None
    over = load_overlays(products[0], first, replace(wishes, compass=False, grid=False, segmentation=None), tell)
    described = {
        "x": first.x,
        "y": first.y,
        "rows": first.data.shape[0],
        "columns": first.data.shape[1],
        "tile": viewer_tiles.TILE,
        "stretch": wishes.stretch if wishes.stretch in ("asinh", "linear", "log", "sqrt") else "linear",
        "cmaps": {name: _text_of(colour_table(name)) for name in dict.fromkeys((wishes.cmap, *COLOURS))},
        "layers": layers,
        "flags": flags,
        "sky": _sky(products[0], first, wishes.wcs),
        "sources": _sources(wishes.catalog, over["sources"], first),
    }
    return _filled(title, described)


def _shown(product, wishes, tell):
    known = IMAGE[product.mission]
    image = load_shown(product, replace(meant(product, wishes, known), flags="none"), tell)
    if image.kind != "image":
        mend = "flags are a layer of every page of an image" if image.kind == "flags" else None
        raise UsageError(f"--html shows images; {image.name} holds {image.kind}", mend=mend, path=product.path)
    return image


def _layer(image, wishes):
    codes, levels = viewer_tiles.value_levels(image.data)
    low, high = find_limits(image.data, wishes.limits, wishes.stretch)
    return {
        "name": f"{image.name}  {image.title}", "unit": image.unit, "zero": codes.zero, "knee": codes.knee,
        "steps": codes.steps, "middle": viewer_tiles.MIDDLE, "low": low, "high": high, "levels": levels,
    }  # fmt: skip


def _flag_array(product, image):
    """Name of the array of flags that goes with an image; empty where there is none."""
    name = named_array(product, image.name.partition(",")[0])
    return next((one for one in flags_beside(product, name) if len(product.arrays[one].shape) == 2), "")


def _flags(product, image, name):
    """Flags of the pixels of an image as a layer."""
    rows, columns = image.data.shape
    flags = read_plane(product, name, 0, slice(image.y, image.y + rows), slice(image.x, image.x + columns))
    numbers, levels = viewer_tiles.flag_levels(flags.astype(f"u{flags.dtype.itemsize}"))
    bits = {flag: value for flag, value in (product.flag_bits(name) or {}).items() if value}
    return {"name": name, "bits": bits, "table": numbers, "levels": levels}


def _numbers(product):
    """By how much the numbers of pixels in the frames of the detector are larger than those in the file."""
    found = frame_numbers(product, 0, 0) if product.mission == "roman" else {}
    return {frame.upper(): place for frame, place in found.items() if tuple(place) != (0, 0)}


def _sky(product, image, wcs):
    """Positions of a net of places, as arcsec on the plane that touches the sky in the middle; None without any."""
    system = load_wcs(product, wcs) if wcs else system_of(product)
    if system is None:
        return None
    rows, columns = image.data.shape
    x, y = (first - 0.5 + np.linspace(0, length, NODES) for first, length in ((image.x, columns), (image.y, rows)))
    ra, dec = (np.asarray(part, float) for part in system(*np.meshgrid(x, y), with_bounding_box=False))
    middle = float(ra[NODES // 2, NODES // 2]), float(dec[NODES // 2, NODES // 2])
    if not (np.isfinite(ra).all() and np.isfinite(dec).all()):
        return None
    xi, eta = to_plane(ra, dec, middle)
    return {"middle": middle, "nodes": NODES, "xi": _rounded(xi), "eta": _rounded(eta)}


def _rounded(values):
    return np.round(np.asarray(values) * RADIAN_ARCSEC, 5).reshape(-1).tolist()


def _sources(catalog, places, image):
    """Sources inside of the image: x, y, and what is told of each."""
    if places is None:
        return []
    table = read_catalog(catalog)
    rows, columns = image.data.shape
    x, y = places
    inside = np.flatnonzero((abs(x - image.x - columns / 2) <= columns / 2) & (abs(y - image.y - rows / 2) <= rows / 2))
    names = [name for name in TOLD if name in table.colnames]
    return [[round(float(x[row]), 2), round(float(y[row]), 2),
             "  ".join(f"{name} {_short(table[name][row])}" for name in names)] for row in inside]  # fmt: skip


def _short(value):
    return f"{value:.4f}" if isinstance(value, float | np.floating) else str(value)


def _text_of(colours):
    return base64.b64encode(colours.tobytes()).decode()


def _filled(title, described):
    """The page with its parts in their places."""
    folder = files("rtools.show") / "templates"
    page, style, script = ((folder / f"viewer.{end}").read_text("utf-8") for end in ("html", "css", "js"))
    data = json.dumps(described, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    parts = {
        "TITLE": html.escape(title), "VERSION": html.escape(__version__),
        "STYLE": style, "SCRIPT": script, "STYLE_HASH": _digest(style), "SCRIPT_HASH": _digest(script), "DATA": data,
    }  # fmt: skip
    head, *rest = page.split("{{")
    made = [head]
    for piece in rest:  # one pass: what is put in is not looked at again
        name, _, text = piece.partition("}}")
        made += [parts[name], text]
    return "".join(made)


def _digest(text):
    """How the page's policy names a text."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
