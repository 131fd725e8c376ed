"""North, east and the scale of an image, drawn in those corners where they hide least."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.work.statistics import MAD_TO_SIGMA

if TYPE_CHECKING:
    from rtools.show.image import ShownPlane

__all__ = ["draw_compass", "emptiest_corners"]

LOUD = 4.0
"""A pixel so many times the noise above the median belongs to a source."""

CORNERS = ("lower left", "lower right", "upper right", "upper left")
"""In the order in which they are taken where they are alike."""

COMPASS = 0.24
"""Side of the square of the arrows, in units of the shorter side of the image."""

BAR = (0.36, 0.12)
"""Width and height of the field of the scale, at most, in the same units."""


def emptiest_corners(image: ShownPlane, sources: np.ndarray | None = None) -> tuple[str, str]:
    """Where arrows and scale hide least.

    Parameters
    ----------
    image : rtools.show.image.ShownPlane
        What they are drawn on.
    sources : ndarray (2, n), optional
        x and y of sources that are marked, in pixels of the file.

    Returns
    -------
    (str, str)
        Two of `CORNERS`, for the arrows and for the scale. Of corners that hide alike the arrows take the lower left
        one and the scale the lower right one.
    """
    data = image.data
    known = data[np.isfinite(data)]
    if not known.size or image.kind != "image":
        return CORNERS[:2]
    median = np.median(known)
    loud = data > median + LOUD * MAD_TO_SIGMA * np.median(np.abs(known - median))
    side = min(data.shape)
    hidden = {}
    for name, (width, height) in (("arrows", (COMPASS, COMPASS)), ("scale", BAR)):
        size = max(1, int(height * side)), max(1, int(width * side))
        hidden[name] = [_hides(loud, image, sources, corner, size) for corner in CORNERS]
    arrows = int(np.argmin(hidden["arrows"]))
    order = [1, 0, 2, 3]
    scale = min((number for number in order if number != arrows), key=lambda number: hidden["scale"][number])
    return CORNERS[arrows], CORNERS[scale]


def _hides(loud, image, sources, corner, size):
    """How much of sources lies in a corner: their pixels, and many more for each that is marked."""
    rows = slice(0, size[0]) if "lower" in corner else slice(loud.shape[0] - size[0], None)
    columns = slice(0, size[1]) if "left" in corner else slice(loud.shape[1] - size[1], None)
    count = int(np.count_nonzero(loud[rows, columns]))
    if sources is None:
        return count
    x, y = sources[0] - image.x, sources[1] - image.y
    first = [part.indices(length)[0] for part, length in zip((rows, columns), loud.shape, strict=True)]
    inside = (abs(x - first[1] - size[1] / 2) <= size[1] / 2) & (abs(y - first[0] - size[0] / 2) <= size[0] / 2)
    return count + 100 * int(np.count_nonzero(inside))


def draw_compass(
    axes: Any, compass: tuple[np.ndarray, np.ndarray, float], image: ShownPlane, sources: np.ndarray | None = None
) -> None:
    """Draw arrows to north and east, and a bar of a round number of arcseconds.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Of the image.
    compass : tuple
        As `rtools.show.overlay.compass` gives it.
    image : rtools.show.image.ShownPlane
        What they are drawn on.
    sources : ndarray (2, n), optional
        As `emptiest_corners` takes them.
    """
    north, east, scale = compass
    for_arrows, for_scale = emptiest_corners(image, sources)
    _draw_arrows(axes, image, (north, east), for_arrows)
    _draw_scale(axes, image, scale, for_scale)


WRITE: dict[str, Any] = {"color": "white", "ha": "center", "va": "center", "fontsize": 11, "zorder": 6}


def _draw_arrows(axes, image, directions, corner):
    side = min(image.data.shape)
    length = 0.085 * side
    field = 0.22 * side
    left, low = _corner_of(image, corner, (field, field))
    _shade(axes, (left, low), field, field)
    centre = np.array([left, low]) + field / 2 - 0.4 * length * sum(directions)
    for name, direction in zip("NE", directions, strict=True):
        arrow = {"arrowstyle": "-|>", "color": "white", "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", centre + length * direction, centre, arrowprops=arrow, zorder=6)
        axes.text(*(centre + 1.3 * length * direction), name, fontweight="bold", **WRITE)


def _draw_scale(axes, image, scale, corner):
    rows, columns = image.data.shape
    side = min(rows, columns)
    arcsec = _round_number(min(0.2 * columns, (BAR[0] - 0.1) * side) * scale)
    width, height = arcsec / scale + 0.06 * side, 0.09 * side
    left, low = _corner_of(image, corner, (width, height))
    _shade(axes, (left, low), width, height)
    ends, level = [left + 0.03 * side, left + width - 0.03 * side], low + 0.03 * side
    axes.plot(ends, [level, level], color="white", lw=2.5, solid_capstyle="butt", zorder=6)
    text = f"{arcsec / 60:g}′" if arcsec >= 60 else f"{arcsec:g}″"
    axes.text(left + width / 2, level + 0.03 * side, text, **WRITE)


def _corner_of(image, corner, size):
    """Left and lower edge of a field of some size in a corner."""
    rows, columns = image.data.shape
    away = 0.02 * min(rows, columns)
    left = image.x + (away if "left" in corner else columns - away - size[0])
    low = image.y + (away if "lower" in corner else rows - away - size[1])
    return left, low


def _shade(axes, corner, width, height):
    """A dark ground for what is to be read."""
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(corner, width, height, facecolor="black", edgecolor="none", alpha=0.55, zorder=5))


def _round_number(value):
    """The largest of 1, 2, 5, 10 … (15, 30, 60 … beyond ten) that is no larger."""
    known = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600]
    return max((number for number in known if number <= value), default=value)
