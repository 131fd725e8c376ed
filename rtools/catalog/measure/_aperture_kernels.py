"""Compiled parts of apertures about given places: sums in circles, clipped medians in rings."""

import math

import numpy as np

from rtools.catalog.measure._overlap_kernels import circle
from rtools.compiled import njit

__all__ = ["circular", "ring"]

CLIPS = 5
CLIP_AT = 3.0


@njit(cache=True, nogil=True)
def _bad(planes, y, x):
    return planes[2][y, x] or not np.isfinite(planes[0][y, x])


@njit(cache=True, nogil=True)
def _opposite(planes, label, centre, pixel):
    """The pixel (y, x) on the other side of the centre; (-1, -1) if it is bad, another source's or off the image."""
    x, y = math.floor(2 * centre[0] - pixel[0] + 0.5), math.floor(2 * centre[1] - pixel[1] + 0.5)
    rows, columns = planes[0].shape
    if x < 0 or y < 0 or x >= columns or y >= rows or _bad(planes, y, x):
        return -1, -1
    owner = planes[3][y, x]
    return (y, x) if owner == 0 or owner == label else (-1, -1)


@njit(cache=True, nogil=True)
def circular(planes, ids, centres, radii, out, first, last):
    """Flux, variance and share of replaced pixels in circles about the places [first, last).

    Errors of pixels are independent: a pixel of which the circle has the share w adds w² of its variance.

    Parameters
    ----------
    planes : tuple
        (data float32, err float32, mask bool, labels int32).
    ids : ndarray int32 (n,)
        The label of the source at each place.
    centres : ndarray float64 (n, 2)
        x and y.
    radii : ndarray float64 (n, k)
        Rising, pixels.
    out : ndarray float64 (3, n, k)
        NaN where no pixel of the image is in the circle.
    """
    data, err = planes[0], planes[1]
    rows, columns = data.shape
    count = radii.shape[1]
    for i in range(first, last):
        out[:, i] = 0.0
        x, y = centres[i]
        largest = radii[i, count - 1]
        area = np.zeros(count)
        # Also false for NaN: a place far off has no pixel.
        if abs(x) < 1e7 and abs(y) < 1e7 and largest < 1e7:
            for j in range(max(math.floor(y - largest + 0.5), 0), min(math.floor(y + largest + 0.5), rows - 1) + 1):
                for k in range(
                    max(math.floor(x - largest + 0.5), 0), min(math.floor(x + largest + 0.5), columns - 1) + 1
                ):
                    dx, dy = k - x, j - y
                    near2 = max(abs(dx) - 0.5, 0.0) ** 2 + max(abs(dy) - 0.5, 0.0) ** 2
                    if near2 >= largest * largest:
                        continue
                    far2 = (abs(dx) + 0.5) ** 2 + (abs(dy) + 0.5) ** 2
                    bad = _bad(planes, j, k)
                    jj, kk = _opposite(planes, ids[i], (x, y), (k, j)) if bad else (j, k)
                    value, variance = 0.0, 0.0
                    if jj >= 0:
                        value, variance = np.float64(data[jj, kk]), np.float64(err[jj, kk]) ** 2
                    for r in range(count - 1, -1, -1):
                        radius2 = radii[i, r] * radii[i, r]
                        if near2 >= radius2:
                            break
                        weight = 1.0 if far2 <= radius2 else circle(dx, dy, radii[i, r])
                        area[r] += weight
                        out[0, i, r] += weight * value
                        out[1, i, r] += weight * weight * variance
                        if bad:
                            out[2, i, r] += weight
                            if jj >= 0:  # it stands here and in its own place: (w + w')² of its variance, not w² + w'²
                                own = max(circle(kk - x, jj - y, radii[i, r]), 0.0)
                                out[1, i, r] += 2 * weight * own * variance
        for r in range(count):
            if area[r] > 0:
                out[2, i, r] /= area[r]
            else:
                out[:, i, r] = np.nan


@njit(cache=True, nogil=True)
def _clipped(values):
    """Median, standard deviation and number of sorted values that remain within 3 sigma of the median."""
    first, last = 0, values.size
    median, scatter = np.nan, np.nan
    for turn in range(CLIPS + 1):
        count = last - first
        if count == 0:
            break
        median = 0.5 * (values[first + (count - 1) // 2] + values[first + count // 2])
        mean, squares = 0.0, 0.0
        for i in range(first, last):
            mean += values[i] - median
        mean = median + mean / count
        for i in range(first, last):
            squares += (values[i] - mean) ** 2
        scatter = math.sqrt(squares / count)
        if turn == CLIPS:
            break
        while first < last and values[first] < median - CLIP_AT * scatter:
            first += 1
        while last > first and values[last - 1] > median + CLIP_AT * scatter:
            last -= 1
        if last - first == count:
            break
    return median, scatter, last - first


@njit(cache=True, nogil=True)
def ring(planes, ids, centres, radii, out, first, last):
    """Clipped median, standard deviation and count of the pixels whose centres are in rings.

    `radii` float64 (n, 2): inner and outer; `out` float64 (n, 3).

    The count leaves out the share of the pixels that were replaced; where all were, everything is NaN.
    """
    data = planes[0]
    rows, columns = data.shape
    values = np.empty(0)
    for i in range(first, last):
        out[i] = np.nan
        x, y = centres[i]
        inner, outer = radii[i]
        if not (abs(x) < 1e7 and abs(y) < 1e7 and outer < 1e4):
            continue
        inner2, outer2 = inner * inner, outer * outer
        if values.size < (int(2 * outer) + 3) ** 2:
            values = np.empty((int(2 * outer) + 3) ** 2)
        count, replaced = 0, 0
        for j in range(max(math.ceil(y - outer), 0), min(math.floor(y + outer), rows - 1) + 1):
            dy2 = (j - y) ** 2
            reach, hole = math.sqrt(max(outer2 - dy2, 0.0)), math.sqrt(max(inner2 - dy2, 0.0))
            k = max(math.ceil(x - reach), 0)
            last_k = min(math.floor(x + reach), columns - 1)
            while k <= last_k:
                if abs(k - x) < hole:
                    k = max(k, math.floor(x + hole)) + 1
                    continue
                value = np.float64(data[j, k])
                if _bad(planes, j, k):
                    jj, kk = _opposite(planes, ids[i], (x, y), (k, j))
                    value = np.float64(data[jj, kk]) if jj >= 0 else 0.0
                    replaced += 1
                values[count] = value
                count += 1
                k += 1
        if count == replaced:
            continue
        median, scatter, left = _clipped(np.sort(values[:count]))
        out[i, 0], out[i, 1], out[i, 2] = median, scatter, left * (count - replaced) / count
