"""The sky of an exposure where others overlap it: one value for each of them, of all pixels of the overlap."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rtools.mosaic.grid.footprint import POINTS
from rtools.mosaic.sky.cells import good_values, pixel_finder
from rtools.mosaic.sky.statistics import DEFAULT, SkyStatistic, sky_value
from rtools.wfi.sphere import from_plane, to_plane

__all__ = ["overlap_values", "points_of"]


def points_of(shape: Sequence[int], stepsize: float | None = None) -> int:
    """Points a side of the outlines (`grid.footprint`) of images.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image.
    stepsize : float, optional
        Pixels that points are apart at most, about.

    Returns
    -------
    int
        At least 1; `grid.footprint.POINTS` without a step.
    """
    if stepsize is None:
        return POINTS
    return max(1, -(-(max(shape) + 1) // int(stepsize)) - 1)


def overlap_values(
    data: np.ndarray,
    good: np.ndarray,
    to_sky: Callable[..., Any],
    outlines: Sequence[Any],
    index: int,
    *,
    statistic: SkyStatistic = DEFAULT,
    sources: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Sky values of one exposure in its overlaps.

    Parameters
    ----------
    data : ndarray float32 (ny, nx)
        The image.
    good : ndarray bool (ny, nx)
        Pixels to be used.
    to_sky : callable
        x, y in pixels to right ascension and declination in degrees.
    outlines : sequence of (ra, dec)
        Of all exposures, degrees: polygons without holes, from `rtools.mosaic.grid.footprint.footprint`.
    index : int
        Which of them is this exposure.
    statistic : rtools.mosaic.sky.statistics.SkyStatistic
        Which statistic of the pixels of an overlap.
    sources : ndarray bool, optional
        Blocks of pixels to leave out, from `rtools.mosaic.sky.cells.source_blocks`.

    Returns
    -------
    (ndarray, ndarray)
        Values (float64), NaN for exposures that do not overlap, or only where no pixel is good, and for itself; and
        pixels (int64) left after clipping. (n,) each.
    """
    values, pixels = np.full(len(outlines), np.nan), np.zeros(len(outlines), np.int64)
    find = pixel_finder(to_sky, data.shape)
    for other, outline in enumerate(outlines):
        if other == index:
            continue
        polygon = _intersection(outlines[index], outline)
        if len(polygon):
            found = _within(data, good, sources, np.stack(find(*polygon.T), axis=1))
            values[other], pixels[other], _ = sky_value(found, statistic)
    return values, pixels


def _within(data, good, sources, polygon):
    """Good values within a polygon of pixel coordinates, (n, 2)."""
    from rtools.mosaic.sky._sky_kernels import BLOCK, fill_polygon

    shift = np.minimum(0, polygon.min(axis=0))
    x, y = (np.rint(polygon - shift) + np.rint(shift)).astype(np.int64).T
    # Whole blocks of rows, as those of the sources.
    first = max(int(y.min()), 0) // BLOCK * BLOCK
    rows = slice(first, max(int(y.max()) + 1, 0))
    inside = np.zeros(good[rows].shape, bool)
    fill_polygon(x, y - first, inside)
    inside &= good[rows]
    blocks = None if sources is None else sources[first // BLOCK :]
    return good_values(data[rows], inside, blocks)


def _intersection(inner, outer):
    """Right ascension and declination of the vertices of the intersection of two outlines, (n, 2); none if empty.

    The first outline is taken as convex; its own pixels set the limit where it is not.
    """
    from scipy.spatial import ConvexHull

    nothing = np.empty((0, 2))
    crval = inner[0][0], inner[1][0]
    clip, polygon = (np.stack(to_plane(ra, dec, crval), axis=1) for ra, dec in (inner, outer))
    if not np.isfinite(polygon).all():
        return nothing
    clip = clip[ConvexHull(clip).vertices]
    for start, stop in zip(clip, np.roll(clip, -1, axis=0), strict=True):
        polygon = _left_of(polygon, start, stop)
        if len(polygon) < 3:
            return nothing
    if _area(polygon) <= 1e-12 * _area(clip):
        return nothing
    return np.stack(from_plane(polygon[:, 0], polygon[:, 1], crval), axis=1)


def _left_of(polygon, start, stop):
    """The part of a polygon on the left of a line (Sutherland and Hodgman)."""
    (dx, dy), offset = stop - start, polygon - start
    side = dx * offset[:, 1] - dy * offset[:, 0]
    kept = []
    for k in range(len(polygon)):
        before = side[k - 1]
        if (before >= 0) != (side[k] >= 0):
            kept.append(polygon[k - 1] + before / (before - side[k]) * (polygon[k] - polygon[k - 1]))
        if side[k] >= 0:
            kept.append(polygon[k])
    return np.array(kept).reshape(-1, 2)


def _area(polygon):
    x, y = polygon.T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
