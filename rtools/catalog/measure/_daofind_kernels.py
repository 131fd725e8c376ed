"""Compiled part of the DAOFIND statistics."""

import math

import numpy as np

from rtools.compiled import njit

__all__ = ["statistics"]


@njit(cache=True, nogil=True)
def _inside(data, y, x):
    return y >= 0 and x >= 0 and y < data.shape[0] and x < data.shape[1]


@njit(cache=True, nogil=True)
def _at(planes, y, x, centre):
    """Value of a pixel; of a masked one that on the other side of the centre; 0 off the image or if that is masked."""
    data, mask = planes
    if _inside(data, y, x) and mask[y, x]:
        y, x = math.floor(2 * centre[1] - y + 0.5), math.floor(2 * centre[0] - x + 0.5)
        if _inside(data, y, x) and mask[y, x]:
            return 0.0
    return np.float64(data[y, x]) if _inside(data, y, x) else 0.0


@njit(cache=True, nogil=True)
def statistics(planes, centres, kernel, out, first, last):
    """Sharpness and roundness of the sources [first, last).

    Parameters
    ----------
    planes : tuple
        (data float32, mask bool (rows, columns)).
    centres : ndarray float64 (n, 2)
        x and y.
    kernel : ndarray float64 (m, m)
        Exactly 0 outside its round support.
    out : ndarray float64 (n, 2)
    """
    size = kernel.shape[0]
    c = size // 2
    signal = np.empty((size, size))
    rows, columns = planes[0].shape
    for i in range(first, last):
        out[i] = np.nan
        x, y = centres[i]
        if not (abs(x) < 1e7 and abs(y) < 1e7):
            continue
        x0, y0 = math.ceil(x - 0.5), math.ceil(y - 0.5)
        around, support = 0.0, 0
        for j in range(size):
            for k in range(size):
                yy, xx = y0 + j - c, x0 + k - c
                value = _at(planes, yy, xx, centres[i])
                if kernel[j, k] != 0:
                    around += value
                    support += 1
                else:
                    around += 0.0 * value  # NaN anywhere in the square makes the statistic NaN
                total = 0.0
                if yy >= 0 and xx >= 0 and yy < rows and xx < columns:
                    for b in range(size):
                        for a in range(size):
                            if kernel[b, a] != 0:
                                total += kernel[b, a] * _at(planes, yy + b - c, xx + a - c, centres[i])
                signal[j, k] = total
        peak = _at(planes, y0, x0, centres[i])
        if signal[c, c] != 0:
            out[i, 0] = (peak - (around - peak) / (support - 1)) / signal[c, c]
        quarters, size_of = 0.0, 0.0
        for j in range(size):
            for k in range(size):
                if j == c and k == c:
                    continue
                minus = (j <= c and k > c) or (j >= c and k < c)
                quarters += -signal[j, k] if minus else signal[j, k]
                size_of += abs(signal[j, k])
        if size_of != 0:
            out[i, 1] = 2 * quarters / size_of
