"""The focal plane of the instrument as it lies on the sky: images of many detectors in one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.polynomial.polynomial import polyval2d

from rtools.errors import InputError, UsageError
from rtools.products.edit.section import origin_of
from rtools.show import plot
from rtools.show.aligned import sample, system_of
from rtools.show.image import ShownPlane
from rtools.show.overlay import compass
from rtools.show.stretch import shrink
from rtools.show.view import load_shown
from rtools.show.wishes import IMAGE, Wishes, meant
from rtools.wfi import (
    CENTRE,
    DETECTORS,
    aperture,
    corners,
    detector,
    ideal_to_v2v3,
    inverse_coefficients,
    pixel_side,
    pixel_to_v2v3,
    v2v3_to_ideal,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.products.io.face import ProductFace

__all__ = ["ShownFocalPlane", "load_focal_plane", "plot_focal_plane"]

DOT = 1.6
"""arcsec of a dot of the picture, which has about 1900 x 1000 of them."""

MARGIN = 40.0
"""arcsec around the detectors."""

FRAME = "WFI_CEN"
"""The aperture whose ideal frame is drawn: its x axis runs along the rows of detectors, to the right on the sky."""

ASKED = ("array", "flags", "limits", "title", "stretch", "cmap", "compass", "resultant", "bare")
"""Settings of rt-view that mean something for the whole focal plane."""


class ShownFocalPlane(NamedTuple):
    """Images of detectors on one grid.

    Attributes
    ----------
    image : rtools.show.image.ShownPlane
        Dots of `DOT` arcsec; NaN where there is no detector, or a bad pixel.
    extent : (float, float, float, float)
        Left, right, lower and upper edge of the grid, arcsec in the ideal frame.
    outlines : dict of str to (ndarray, ndarray)
        x and y of the corners of each detector of the instrument, arcsec.
    there : frozenset of str
        Detectors that have an image.
    compass : (ndarray, ndarray, float) or None
        North and east as unit vectors, and the arcsec of a unit of the axes, which is 1.
    """

    image: ShownPlane
    extent: tuple[float, float, float, float]
    outlines: dict[str, tuple[np.ndarray, np.ndarray]]
    there: frozenset[str]
    compass: tuple[np.ndarray, np.ndarray, float] | None


def load_focal_plane(
    products: Sequence[ProductFace], wishes: Wishes, tell: Callable[[str, str], None]
) -> ShownFocalPlane:
    """Bring the images of detectors to their places in the focal plane, by the nominal distortion.

    Parameters
    ----------
    products : sequence of rtools.products.io.ProductFace
        Opened; one for each detector, of Roman. Their images are read one after the other.
    wishes : rtools.show.wishes.Wishes
        What is asked for.
    tell : callable
        Takes level and text of a message.

    Returns
    -------
    ShownFocalPlane

    Raises
    ------
    UsageError
        A product is not of Roman, or something is asked for that means nothing here.
    InputError
        A product is of no detector, or of the same as another one, or its array has no values.
    """
    frame = aperture(FRAME)
    outlines = {name: v2v3_to_ideal(frame, *corners(name)) for name in DETECTORS}
    x, y = (np.concatenate([both[axis] for both in outlines.values()]) for axis in (0, 1))
    left, low = x.min() - MARGIN, y.min() - MARGIN
    columns, rows = (int(np.ceil((axis.max() + MARGIN - start) / DOT)) for axis, start in ((x, left), (y, low)))
    canvas = np.full((rows, columns), np.nan, np.float32)
    named = _by_detector(products)
    first = None
    for name, product in named.items():
        image = load_shown(product, meant(product, wishes, tuple({*ASKED} & {*IMAGE["roman"]})), tell)
        if image.kind != "image":
            raise InputError(f"the array {image.name} holds {image.kind}, no values", path=product.path)
        first = first or image
        _place(canvas, image, origin_of(product), name, (left, low), outlines[name])
    assert first is not None
    whole = ShownPlane(canvas, frame=canvas.shape, name=first.name, unit=first.unit, title=_title(named, tell))
    extent = (left, left + columns * DOT, low, low + rows * DOT)
    directions = _directions(next(iter(named.items()))) if wishes.compass else None
    return ShownFocalPlane(whole, extent, outlines, frozenset(named), directions)


def _by_detector(products):
    found: dict[str, Any] = {}
    for product in products:
        if product.mission != "roman":
            raise UsageError("--focal-plane is about the detectors of Roman", path=product.path)
        name = str((product.meta.get("instrument") or {}).get("detector")).upper()
        if name not in DETECTORS or "data" not in product.arrays or product.arrays["data"].shape[-1] < 2:
            raise InputError("is not an image of a detector", path=product.path)
        if name in found:
            raise InputError(f"two images of {name}", mend="give one exposure", path=product.path)
        found[name] = product
    return found


def _title(named, tell):
    """What the detectors have in common: the beginning of their names, and the optical element."""
    starts = {str(product.meta.get("filename") or product.path).rpartition("/")[2].lower().partition("_wfi")[0]
              for product in named.values()}  # fmt: skip
    if len(starts) > 1:
        tell("note", f"the images are of {len(starts)} exposures")
    elements = sorted({str((one.meta.get("instrument") or {}).get("optical_element")) for one in named.values()})
    return f"{min(starts)}{' …' * (len(starts) > 1)}  {', '.join(elements)}  {len(named)} of {len(DETECTORS)} detectors"


def _place(canvas, image, origin, name, start, outline):
    """Put one image on the canvas where the middles of dots are in the detector."""
    (left, low), margin = start, 10.0
    x1, y1 = (max(0, int((axis.min() - margin - first) / DOT)) for axis, first in zip(outline, start, strict=True))
    x2, y2 = (int((axis.max() + margin - first) / DOT) + 1 for axis, first in zip(outline, start, strict=True))
    part = canvas[y1:y2, x1:x2]
    rows, columns = np.indices(part.shape)
    x, y = left + (columns + x1 + 0.5) * DOT, low + (rows + y1 + 0.5) * DOT
    facts = detector(name)
    v2, v3 = ideal_to_v2v3(aperture(FRAME), x, y)
    pixels = (polyval2d(v2 - facts["v2_ref"], v3 - facts["v3_ref"], c) + CENTRE for c in inverse_coefficients(name))
    # a canvas pixel is the mean of about so many of the detector's
    factor = max(1, int(DOT / pixel_side(name)))
    px, py = (axis - first - own for axis, first, own in zip(pixels, origin, (image.x, image.y), strict=True))
    inside = (abs(px - (image.data.shape[1] - 1) / 2) <= image.data.shape[1] / 2) & (
        abs(py - (image.data.shape[0] - 1) / 2) <= image.data.shape[0] / 2
    )
    small = shrink(image.data, factor)
    at_x, at_y = (np.clip((axis + 0.5) / factor - 0.5, 0, length - 1)
                  for axis, length in zip((px, py), small.shape[::-1], strict=True))  # fmt: skip
    part[inside] = sample(small, at_x[inside], at_y[inside])


def _directions(one):
    """North and east in the ideal frame, by the world coordinates of one image."""
    name, product = one
    system = system_of(product)
    if system is None:
        raise InputError("has no world coordinates for --compass", path=product.path)
    middle = CENTRE - origin_of(product)[0]
    directions = compass(system, middle, middle)[:2]
    steps = [np.array([CENTRE, CENTRE]), *(CENTRE + 100 * way for way in directions)]
    x, y = v2v3_to_ideal(aperture(FRAME), *pixel_to_v2v3(name, *np.array(steps).T))
    ways = [np.array([x[number] - x[0], y[number] - y[0]]) for number in (1, 2)]
    north, east = (way / np.hypot(*way) for way in ways)
    return north, east, 1.0


def plot_focal_plane(found: ShownFocalPlane, wishes: Wishes) -> Figure:
    """A figure of the focal plane.

    Parameters
    ----------
    found : ShownFocalPlane
        As `load_focal_plane` gives it.
    wishes : rtools.show.wishes.Wishes
        Stretch, limits, colours and title.

    Returns
    -------
    matplotlib.figure.Figure
        Detectors without an image are empty outlines.
    """
    from matplotlib.figure import Figure

    rows, columns = found.image.data.shape
    figure = Figure(figsize=(13, 12 * rows / columns + 0.8), layout="constrained")
    axes = figure.add_subplot()
    for name, (x, y) in found.outlines.items():
        _outline(axes, name, x, y, there=name in found.there)
    settings = (wishes.stretch, wishes.limits, wishes.cmap)
    drawn = plot.show_values(figure, axes, found.image, (1, found.extent), settings, bar=not wishes.bare)
    drawn.set_cmap(drawn.get_cmap().with_extremes(bad=(0, 0, 0, 0)))
    axes.set_xlim(found.extent[:2])
    axes.set_ylim(found.extent[2:])
    if found.compass is not None:
        _draw_directions(axes, found)
    if wishes.bare:
        axes.set_axis_off()
        return figure
    axes.set(xlabel=f"{FRAME} x [arcsec]", ylabel=f"{FRAME} y [arcsec]")
    title = f"{found.image.title}  {found.image.name}"
    axes.set_title(title if wishes.title is None else wishes.title, fontsize=10)
    return figure


def _outline(axes, name, x, y, *, there):
    """A detector's edge and its name; grey below an image, so that bad pixels are grey."""
    from matplotlib.patheffects import withStroke

    if not there:
        axes.fill(x, y, facecolor="none", edgecolor="0.6", linewidth=0.8, linestyle="--")
        axes.text(x.mean(), y.mean(), name, ha="center", va="center", fontsize=9, color="0.5")
        return
    axes.fill(x, y, facecolor=plot.GREY, zorder=-1)
    axes.fill(x, y, facecolor="none", edgecolor="0.3", linewidth=0.8)
    text = axes.text(x.min() + 15, y.max() - 20, name, ha="left", va="top", fontsize=8, color="white")
    text.set_path_effects([withStroke(linewidth=2, foreground="black")])


def _draw_directions(axes, found):
    """Arrows to north and east in the upper middle, where the focal plane has no detector."""
    centre = np.array([0.0, 545.0])
    for way, text in zip(found.compass[:2], ("N", "E"), strict=True):
        axes.annotate("", centre + 120 * way, centre, arrowprops={"arrowstyle": "-|>", "color": "0.1", "lw": 1.5})
        axes.text(*(centre + 155 * way), text, ha="center", va="center", fontsize=11)
