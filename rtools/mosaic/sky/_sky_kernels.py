"""Compiled parts of the sky: blocks of pixels, sources among them, the pixels within cells of the sky."""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.mosaic.sky._statistics_kernels import evaluate
from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["BLOCK", "SkyPixels", "bin_blocks", "cell_statistics", "fill_polygon", "gather_good", "noise_of_tiles"]

SHIFT = np.uint64(2)
BLOCK = 1 << 2
"""Side of the blocks that are looked at for sources, pixels."""


class SkyPixels(NamedTuple):
    """The pixels of an exposure.

    Attributes
    ----------
    data : ndarray float32 (ny, nx)
    good : ndarray bool (ny, nx)
    sources : ndarray bool
        Pixels that are left out, a block for each `BLOCK` rows and columns begun.
    """

    data: np.ndarray
    good: np.ndarray
    sources: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def bin_blocks(data, good, out):
    """Means of the good values of blocks of `BLOCK`² pixels; NaN where fewer than half of them are good.

    Parameters
    ----------
    data : float32 (ny, nx)
    good : bool (ny, nx)
    out : float32, a block for each `BLOCK` rows and columns begun
    """
    total, count = np.empty(out.shape[1], np.float32), np.empty(out.shape[1], np.int32)
    for row in range(out.shape[0]):
        total[:] = 0
        count[:] = 0
        for y in range(row * BLOCK, min((row + 1) * BLOCK, data.shape[0])):
            for x in range(data.shape[1]):
                if good[y, x] & (abs(data[y, x]) < np.inf):
                    total[x // BLOCK] += data[y, x]
                    count[x // BLOCK] += 1
        for k in range(count.size):
            out[row, k] = total[k] / np.float32(count[k]) if 2 * count[k] >= BLOCK * BLOCK else np.float32(np.nan)


@njit(nogil=True, cache=True, error_model="numpy")
def noise_of_tiles(blocks, side, level, sigma):
    """Median, and standard deviation from the median absolute deviation, of tiles of side x side blocks.

    Parameters
    ----------
    blocks : float32 (ny, nx)
    side : int
    level, sigma : float64, a tile for each `side` rows and columns begun
        Receive the results; NaN for a tile without values.
    """
    values = np.empty(side * side, np.float32)
    for i in range(level.shape[0]):
        for j in range(level.shape[1]):
            n = 0
            for y in range(i * side, min((i + 1) * side, blocks.shape[0])):
                for x in range(j * side, min((j + 1) * side, blocks.shape[1])):
                    if abs(blocks[y, x]) < np.inf:
                        values[n] = blocks[y, x]
                        n += 1
            level[i, j] = np.nan
            sigma[i, j] = np.nan
            if n:
                centre = np.float32(np.median(values[:n]))
                level[i, j] = centre
                sigma[i, j] = MAD_TO_SIGMA * np.median(np.abs(values[:n] - centre))


@njit(nogil=True, cache=True, error_model="numpy")
def _span(corners, y):
    """First pixel of row y within a convex quadrilateral, and the first one behind it."""
    left, right = np.inf, -np.inf
    for k in range(4):
        x0, y0 = corners[k, 0], corners[k, 1]
        x1, y1 = corners[(k + 1) % 4, 0], corners[(k + 1) % 4, 1]
        if (y0 <= y) != (y1 <= y):
            x = x0 + (y - y0) / (y1 - y0) * (x1 - x0)
            left, right = min(left, x), max(right, x)
    if left > right:
        return 0, 0
    return np.int64(np.ceil(left)), np.int64(np.ceil(right))


@njit(nogil=True, cache=True, error_model="numpy")
def _take(pixels, y, columns, values, n):
    """Append the good values without sources of a row, between two columns; returns how many there are now."""
    first, last = columns
    row, usable, hidden = pixels.data[y], pixels.good[y], pixels.sources[y // BLOCK]
    for x in range(np.uint64(first), np.uint64(max(first, last))):
        v = row[x]
        if usable[x] & (abs(v) < np.inf) & ~hidden[x >> SHIFT]:
            values[n] = v
            n += 1
    return n


@njit(nogil=True, cache=True, error_model="numpy")
def gather_good(pixels, values):
    """All good values of `SkyPixels` without sources, in `values`; returns how many."""
    n = 0
    height, width = pixels.data.shape
    for y in range(height):
        n = _take(pixels, y, (0, width), values, n)
    return n


@njit(nogil=True, cache=True, error_model="numpy")
def cell_statistics(pixels, corners, statistic, out):
    """Statistics of the pixels whose centres are within cells.

    Parameters
    ----------
    pixels : SkyPixels
        Of the exposure.
    corners : float64 (n, 4, 2)
        x, y of the corners of convex cells, round them.
    statistic : rtools.mosaic.sky._statistics_kernels.Clipped
        As `evaluate` takes it.
    out : float64 (n, 3)
        Value, number of pixels, standard deviation.
    """
    ny, nx = pixels.data.shape
    values = np.empty(0, np.float32)
    spans = np.empty((ny, 2), np.int64)
    for k in range(len(corners)):
        first = np.int64(max(np.ceil(corners[k, :, 1].min()), 0.0))
        last = np.int64(min(np.ceil(corners[k, :, 1].max()), np.float64(ny)))
        room = 0
        for y in range(first, last):
            start, stop = _span(corners[k], np.float64(y))
            spans[y, 0], spans[y, 1] = max(start, 0), min(stop, nx)
            room += max(spans[y, 1] - spans[y, 0], 0)
        if room > values.size:
            values = np.empty(room, np.float32)
        n = 0
        for y in range(first, last):
            n = _take(pixels, y, (spans[y, 0], spans[y, 1]), values, n)
        out[k, 0], out[k, 1], out[k, 2] = evaluate(values[:n], statistic)


@njit(nogil=True, cache=True, error_model="numpy")
def fill_polygon(x, y, out):
    """Set the pixels within a polygon of whole-numbered vertices, those on its edges included.

    A row is cut by the edges with ymin <= row < ymax, and the last row by those that end there; between pairs of cuts,
    rounded up, pixels are set.

    Parameters
    ----------
    x, y : int64 (n,)
        Vertices, the first not repeated.
    out : bool (ny, nx)
    """
    top = y.max()
    if (top == y.min()) | (x.max() == x.min()):
        return
    cuts = np.empty(x.size)
    for row in range(max(y.min(), 0), min(top, out.shape[0] - 1) + 1):
        at = min(row, top - 1)
        n = 0
        for k in range(x.size):
            j = (k + 1) % x.size
            if (y[k] <= at) != (y[j] <= at):
                cuts[n] = np.ceil(x[k] + (row - y[k]) / (y[j] - y[k]) * (x[j] - x[k]))
                n += 1
        inside = np.sort(cuts[:n])
        for k in range(0, n - 1, 2):
            first, last = max(inside[k], 0.0), min(inside[k + 1], out.shape[1] - 1.0)
            for column in range(np.int64(first), np.int64(last) + 1):
                out[row, column] = True
