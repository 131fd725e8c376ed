"""Groups of pixels as ellipses with the same moments, and the pixels in an ellipse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Ellipse", "box_around", "ellipse_of", "fill_ellipse", "find_ellipses", "holds_any", "reach_around"]

# Pixels on the rim itself are outside, whatever sin^2 + cos^2 rounds to.
ROUNDING = 1e-9

# Neighbours that come later in memory order, of the eight: right, and the three below.
LATER_NEIGHBOURS = ((0, 1), (1, -1), (1, 0), (1, 1))


class Ellipse(NamedTuple):
    """An ellipse about a group of pixels.

    Attributes
    ----------
    x, y : float
        Column and row of the centre, pixels.
    minor, major : float
        Full axes, pixels.
    angle : float
        Of the major axis, in rad, from the row axis towards the column axis: 0 is a blob that is long in y, pi/2 one
        long in x.
    """

    x: float
    y: float
    minor: float
    major: float
    angle: float


def find_ellipses(mask: np.ndarray, least_area: float) -> list[Ellipse]:
    """Ellipses of the 8-connected groups of pixels whose area, holes filled, is at least `least_area`.

    Parameters
    ----------
    mask : ndarray bool (rows, columns)
        The pixels that are grouped.
    least_area : float
        In pixels.

    Returns
    -------
    list of Ellipse
        In memory order of each group's first pixel.
    """
    from scipy.ndimage import binary_fill_holes

    found = []
    for y, x in _blobs(mask, least_area):
        if y.size < least_area:
            stamp = np.zeros((np.ptp(y) + 1, np.ptp(x) + 1), bool)
            stamp[y - y.min(), x - x.min()] = True
            if np.count_nonzero(binary_fill_holes(stamp, np.ones((3, 3)))) < least_area:
                continue
        found.append(ellipse_of(y, x))
    return found


def _blobs(mask, least_area):
    """Rows and columns of each 8-connected group of pixels whose box has so many, from the few pixels that are set."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    y, x = np.nonzero(mask)
    if not y.size:
        return []
    columns = mask.shape[1] + 2  # a column of nothing on either side keeps rows apart
    position = y * columns + x + 1
    pairs = []
    for dy, dx in LATER_NEIGHBOURS:
        wanted = position + dy * columns + dx
        at = np.minimum(np.searchsorted(position, wanted), position.size - 1)
        this = np.flatnonzero(position[at] == wanted)
        pairs.append((this, at[this]))
    one, other = (np.concatenate(side) for side in zip(*pairs, strict=True))
    graph = coo_array((np.ones(one.size, bool), (one, other)), shape=(y.size, y.size))
    _, label = connected_components(graph, directed=False)
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    sizes = (np.maximum.reduceat(one[order], starts) - np.minimum.reduceat(one[order], starts) + 1 for one in (y, x))
    spans = np.stack([starts, np.append(starts[1:], order.size)], axis=1)[np.multiply(*sizes) >= least_area]
    blobs = [order[start:stop] for start, stop in spans]
    blobs.sort(key=lambda members: members[0])
    return [(y[members], x[members]) for members in blobs]


def ellipse_of(y: np.ndarray, x: np.ndarray) -> Ellipse:
    """The ellipse with the second moments of a group of pixels, its axes lessened by one pixel.

    A filled ellipse with semi-axis s has the variance s^2/4 along it, hence full axes of 4 sqrt(eigenvalue).

    Parameters
    ----------
    y, x : ndarray int64 (n,)
        Rows and columns of the pixels, one at least.

    Returns
    -------
    Ellipse
        Its axes are -1 for a single pixel.
    """
    cy, cx = y.mean(), x.mean()
    yy, xx, xy = np.mean((y - cy) ** 2), np.mean((x - cx) ** 2), np.mean((y - cy) * (x - cx))
    middle, radius = (yy + xx) / 2, np.hypot((yy - xx) / 2, xy)
    if yy == xx:
        angle = np.pi / 4 if xy > 0 else -np.pi / 4
    else:
        angle = np.arctan2(2 * xy, yy - xx) / 2
    minor, major = 4 * np.sqrt(max(middle - radius, 0)), 4 * np.sqrt(middle + radius)
    return Ellipse(float(cx), float(cy), float(minor) - 1, float(major) - 1, float(angle))


def fill_ellipse(
    center: tuple[int, int], radii: tuple[int, int], angle: float, shape: Sequence[int]
) -> tuple[tuple[slice, slice], np.ndarray]:
    """Pixels strictly inside an ellipse around a pixel.

    Parameters
    ----------
    center : (int, int)
        Column and row.
    radii : (int, int)
        Minor and major; with a zero nothing is inside.
    angle : float
        As in `Ellipse`, in rad.
    shape : (int, int)
        Rows and columns of the frame.

    Returns
    -------
    box : (slice, slice)
        Rows and columns of the frame around the ellipse.
    inside : ndarray bool
        Which pixels of the box are inside.
    """
    cx, cy = center
    minor, major = radii
    rows, columns = box_around(center, radii, shape)
    y, x = np.ogrid[rows, columns]
    if minor == 0 or major == 0:
        return (rows, columns), np.zeros((y.size, x.size), bool)
    along = (y - cy) * np.cos(angle) + (x - cx) * np.sin(angle)
    across = (y - cy) * np.sin(angle) - (x - cx) * np.cos(angle)
    return (rows, columns), (along / major) ** 2 + (across / minor) ** 2 < 1 - ROUNDING


def reach_around(radii: tuple[int, int]) -> int:
    """Pixels on every side of its centre that the box around an ellipse has.

    Parameters
    ----------
    radii : (int, int)
        Minor and major.
    """
    return max(abs(radii[0]), abs(radii[1])) + 2


def box_around(center: tuple[int, int], radii: tuple[int, int], shape: Sequence[int]) -> tuple[slice, slice]:
    """Rows and columns around an ellipse.

    Parameters
    ----------
    center : (int, int)
        Column and row; it may lie beside the frame.
    radii : (int, int)
        Minor and major.
    shape : (int, int)
        Rows and columns of the frame.

    Returns
    -------
    (slice, slice)
        As far as the frame goes: empty where the ellipse lies beside it.
    """
    reach = reach_around(radii)
    spans = []
    for middle, size in zip(center[::-1], shape, strict=True):
        start = min(max(middle - reach, 0), size)
        spans.append(slice(start, max(min(middle + reach + 1, size), start)))
    return spans[0], spans[1]


def holds_any(ellipse: Ellipse, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether any of some points lies in an ellipse, its rim included.

    Parameters
    ----------
    ellipse : Ellipse
        With its full axes.
    x, y : ndarray float64 (n,)
        Columns and rows of the points, pixels.
    """
    phi = np.pi - ellipse.angle
    dx, dy = x - ellipse.x, y - ellipse.y
    along = dx * np.cos(phi) - dy * np.sin(phi)
    across = dx * np.sin(phi) + dy * np.cos(phi)
    a, b = sorted((ellipse.major / 2, ellipse.minor / 2), reverse=True)
    return bool(np.any((along * b) ** 2 + (across * a) ** 2 <= (a * b) ** 2))
