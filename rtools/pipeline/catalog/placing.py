"""Where an image lies in the frame of its detector: whole, or cut out of it by rt-cut or another service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.declare import Reference
from rtools.errors import InputError, RtoolsError
from rtools.products.edit.section import cutout_of, origin_of
from rtools.products.schema import history
from rtools.reference import find
from rtools.reference.part import Part
from rtools.wfi.frame import BORDER, FRAME, TRIMMED

if TYPE_CHECKING:
    from rtools.products.io.product import Product
__all__ = ["Place", "cut_to", "place_of", "record"]

WHOLE = (TRIMMED, TRIMMED)
"""Rows and columns of a whole image."""

TOLERANCE = 0.02
"""Pixels by which a place that a WCS tells may miss whole numbers: polynomials are evaluated, nothing is fitted."""

NEAR_WHOLE = 3.0
"""Pixels by which the distortion of another epoch may differ over a whole image."""


@dataclass(frozen=True)
class Place:
    """Place of an image in the frame without border.

    Attributes
    ----------
    x, y : int or None
        Column and row of its first pixel; None where nothing tells them.
    frame : (int, int)
        Rows and columns of the whole frame with its border, for which built-in references are made.
    told : bool
        The WCS told, not the file's own record.
    """

    x: int | None
    y: int | None
    frame: tuple[int, int]
    told: bool = False

    @property
    def known(self) -> bool:
        """Whether it is known."""
        return self.x is not None

    @property
    def origin(self) -> tuple[int, int]:
        """(x, y); the corner of the frame where nothing is known."""
        return (0, 0) if self.x is None or self.y is None else (self.x, self.y)


def place_of(product: Product, shape: tuple[int, int], config: find.Config) -> Place:
    """The place of an image.

    An image that is whole by its size is at the corner. Any other says its place in ``meta.rtools.cutout``, or its WCS
    tells it: the focal plane at its pixels, compared with the distortion of the whole frame. Small frames, as rt-sim
    makes them, are whole images at the corner.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        A ramp, which is always whole, or an image.
    shape : (int, int)
        Rows and columns of the full frame, were the image a whole one.
    config : rtools.reference.find.Config
        Where the distortion reference is looked for.

    Returns
    -------
    Place
        With `x` and `y` None where nothing tells it.
    """
    if product.kind != "l2_image":
        return Place(0, 0, shape)
    cutout, image = cutout_of(product), (shape[0] - 2 * BORDER, shape[1] - 2 * BORDER)
    if cutout:
        rows, columns = (int(size) + 2 * BORDER for size in cutout.get("shape") or WHOLE)
        x, y = origin_of(product)
        if min(x, y) < 0 or x + image[1] > columns - 2 * BORDER or y + image[0] > rows - 2 * BORDER:
            return Place(None, None, (rows, columns))  # filled beyond the edge
        return Place(x, y, (rows, columns))
    if image == WHOLE:
        return Place(0, 0, shape)
    corners = _corners(product, image, config)
    if corners is None:
        return Place(None, None, shape)
    x, y = (int(value) for value in np.round(corners[0]))
    if np.abs(corners - (x, y)).max() > TOLERANCE:
        near_whole = np.abs(corners).max() < NEAR_WHOLE
        return Place(0, 0, shape) if near_whole else Place(None, None, shape)
    return Place(0, 0, shape) if (x, y) == (0, 0) else Place(x, y, (FRAME, FRAME), told=True)


def _corners(product, image, config):
    """What is to be added to the pixels at the image's corners to have those of the frame, (4, 2); None: not known."""
    if product.meta.get("wcs") is None:
        return None
    simulated = history.is_simulated(product.history)
    use = Reference("distortion", nodes=("coordinate_distortion_transform",))
    try:
        source = find.survey(product.meta, [use], config, simulated=simulated)[0].source
        wcs = product.node("meta.wcs")
        first = wcs.available_frames[0]
        to_focal_plane = wcs.get_transform(first, "v2v3") if "v2v3" in wcs.available_frames else None
    except (RtoolsError, KeyError, AttributeError):
        return None
    if source is None or to_focal_plane is None:
        return None
    rows, columns = image
    x, y = np.array([0.0, columns - 1, 0, columns - 1]), np.array([0.0, 0, rows - 1, rows - 1])
    try:
        found = _pixels(source.node("coordinate_distortion_transform"), np.array(to_focal_plane(x, y)))
    except (RtoolsError, TypeError, ValueError):  # of another world, or with units
        return None
    return (found - (x, y)).T if np.isfinite(found).all() else None


def _pixels(distortion, wanted):
    """Pixels (2, n) that a distortion takes to places in the focal plane (2, n), by Newton's method."""
    pixels = np.full(wanted.shape, WHOLE[0] / 2.0)
    for _ in range(8):
        here = np.array(distortion(*pixels))
        along_x = np.array(distortion(pixels[0] + 1, pixels[1])) - here
        along_y = np.array(distortion(pixels[0], pixels[1] + 1)) - here
        slopes = np.stack([along_x, along_y], axis=-1).transpose(1, 0, 2)
        try:
            pixels = pixels + np.linalg.solve(slopes, (wanted - here).T[..., None])[..., 0].T
        except np.linalg.LinAlgError:
            return np.full(wanted.shape, np.nan)
    return pixels


def record(meta: dict[str, Any], place: Place, image: tuple[int, int]) -> None:
    """Metadata that say where the image lies, where its WCS told; as rt-cut writes them.

    Parameters
    ----------
    meta : dict
        Gets ``rtools.cutout``.
    place : Place
        Where it lies; nothing is written where the file itself said it.
    image : (int, int)
        Rows and columns of the image.
    """
    if place.told:
        x, y = place.origin
        spans = {"columns": [x, x + image[1]], "rows": [y, y + image[0]]}
        meta["rtools"] = {**(meta.get("rtools") or {}), "cutout": spans | {"shape": list(WHOLE)}}


def cut_to(source: Any, use: Reference, place: Place, shape: tuple[int, int]) -> Any:
    """A reference of the whole frame as the image sees it.

    Parameters
    ----------
    source : rtools.reference.files.FileSource or rtools.reference.builtin.Builtin
        The reference.
    use : rtools.declare.Reference
        Which of its arrays are read, with border or without.
    place : Place
        Where the image lies.
    shape : (int, int)
        Rows and columns of the image, and twice the border.

    Returns
    -------
    rtools.reference.part.Part, or the reference
        `source` itself where its arrays are of this size already, or have no part that would fit.

    Raises
    ------
    InputError
        The image is smaller than the reference, and its place is not known.
    """
    inner = shape[0] - 2 * BORDER, shape[1] - 2 * BORDER
    sizes = dict.fromkeys(use.planes, shape) | dict.fromkeys(use.trimmed, inner)
    found = {name: tuple(source.shape(name)[-2:]) for name in sizes}
    if not sizes or (found == sizes and place.origin == (0, 0)):
        return source
    larger = all(have[0] >= size[0] and have[1] >= size[1] for have, size in _pairs(found, sizes))
    if larger and not place.known:
        mend = "rt-cut says it in meta.rtools.cutout; other services, in a WCS made with this distortion reference"
        raise InputError(f"not known where in the frame this image of {inner[1]} x {inner[0]} pixels lies, for the "
                         f"{use.type} reference", mend=mend)  # fmt: skip
    x, y = place.origin
    fits = all(have[0] >= y + size[0] and have[1] >= x + size[1] for have, size in _pairs(found, sizes))
    if not fits or min(x, y) < 0:
        return source
    return Part(source, (x, y), sizes)


def _pairs(found, sizes):
    return [(found[name], sizes[name]) for name in sizes]
