"""Regions of DS9 as lines in the pixels of an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products.tables.regions import Region, read_regions
from rtools.show.overlay import compass
from rtools.wfi.sphere import from_plane
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from rtools.show.image import ShownPlane

__all__ = ["ShownRegion", "draw_regions", "load_regions", "paint_regions"]

ROUND = 73
"""Corners of a circle."""

COLOUR = "#40ff40"

NAMED = {"green": "#00ff00"}
"""Colours that DS9 means otherwise than matplotlib."""


class ShownRegion(NamedTuple):
    """A region on an image.

    Attributes
    ----------
    corners : ndarray float64 (n, 2)
        x and y in pixels of the file, of a line that is drawn; one alone is a place.
    label, colour : str
        What stands beside it, and its colour; empty for none.
    excluded : bool
        Drawn with dashes.
    """

    corners: np.ndarray
    label: str
    colour: str
    excluded: bool


def load_regions(path: str | Path, wcs: Any, messages: list[str]) -> list[ShownRegion]:
    """The regions of a file in pixels of an image.

    Parameters
    ----------
    path : str
        A region file of DS9. Its pixels are those of the image's file, from 1.
    wcs : gwcs.WCS or None
        World coordinates of the image.
    messages : list of str
        Gets lines on what is not drawn.

    Returns
    -------
    list of ShownRegion

    Raises
    ------
    InputError
        It is no such file, or its regions are on the sky and the image has no world coordinates.
    """
    regions = read_regions(path, messages)
    if wcs is None and any(one.sky or (one.angular and one.sizes) for one in regions):
        raise InputError("its regions need a WCS, which the image has not", mend="give --wcs FILE", path=path)
    made = [ShownRegion(_corners(one, wcs), one.text, one.colour, one.excluded) for one in regions]
    known = [one for one in made if np.isfinite(one.corners).all()]
    if len(known) < len(made):
        messages.append(f"{len(made) - len(known)} regions have no place in the image's world coordinates")
    return known


def _corners(region: Region, wcs: Any) -> np.ndarray:
    if not region.sizes:
        places = _to_pixels(region.places, wcs) if region.sky else region.places
        return np.concatenate([places, places[:1]]) if region.shape == "polygon" else places
    outline = _turned(region)
    if region.sky and region.angular:
        (ra, dec), (xi, eta) = region.places[0], np.radians(outline).T
        return _to_pixels(np.stack(from_plane(-xi, eta, (ra, dec)), axis=1), wcs)  # x runs to the west
    middle = _to_pixels(region.places, wcs)[0] if region.sky else region.places[0]
    if region.angular:
        outline = outline * (DEGREE_ARCSEC / compass(wcs, *middle)[2])
    return middle + outline


def _turned(region):
    """Corners around 0, 0, in units of the sizes."""
    if region.shape == "box":
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1], [-1, -1]]) * np.array(region.sizes) / 2
    else:
        turn = np.linspace(0, 2 * np.pi, ROUND)
        corners = np.stack([np.cos(turn), np.sin(turn)], axis=1) * np.array(region.sizes)
    cosine, sine = np.cos(np.radians(region.angle)), np.sin(np.radians(region.angle))
    return corners @ np.array([[cosine, sine], [-sine, cosine]])


def _to_pixels(places, wcs):
    x, y = wcs.invert(*places.T, with_bounding_box=False)
    return np.stack([np.asarray(x, float), np.asarray(y, float)], axis=1)


def draw_regions(axes: Any, regions: Sequence[ShownRegion]) -> None:
    """Draw regions into the axes of an image.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Their limits stay as they are.
    regions : sequence of ShownRegion
        Colours that matplotlib does not know are green.
    """
    from matplotlib.colors import is_color_like

    for one in regions:
        colour = NAMED.get(one.colour, one.colour if is_color_like(one.colour) else COLOUR)
        mark = {"marker": "x", "markersize": 7} if len(one.corners) == 1 else {}
        style = "--" if one.excluded else "-"
        axes.plot(*one.corners.T, style, color=colour, linewidth=1.1, scalex=False, scaley=False, **mark)
        if one.label:
            top = one.corners[np.argmax(one.corners[:, 1])]
            axes.annotate(one.label, top, xytext=(0, 3), textcoords="offset points", color=colour, fontsize=8,
                          ha="center", va="bottom", clip_on=True, annotation_clip=True, parse_math=False)  # fmt: skip


def paint_regions(regions: Sequence[ShownRegion], image: ShownPlane) -> np.ndarray:
    """Pixels of an image that lie on the lines of regions, for text.

    Parameters
    ----------
    regions : sequence of ShownRegion
        What is painted.
    image : rtools.show.image.ShownPlane
        The region of the file that is shown.

    Returns
    -------
    ndarray of bool, like the image
    """
    painted = np.zeros(image.data.shape, bool)
    rows, columns = image.data.shape
    span = np.array([image.x + columns, image.y + rows])
    for one in regions:
        corners = np.clip(one.corners, -span - 10, 2 * span + 10)  # what is far outside has no length
        steps = np.hypot(*np.diff(corners, axis=0).T)
        along = np.concatenate([[0], np.cumsum(steps)])
        places = np.linspace(0, along[-1], int(2 * along[-1]) + 1)
        x, y = (np.round(np.interp(places, along, axis)).astype(int) for axis in corners.T)
        x, y = x - image.x, y - image.y
        inside = (x >= 0) & (y >= 0) & (x < columns) & (y < rows)
        painted[y[inside], x[inside]] = True
    return painted
