"""Compiled matched filter: significance of a small source at every pixel; statistics of the map."""

import numpy as np

from rtools.compiled import njit

__all__ = ["filter_rows", "highest", "moments_of_noise"]


@njit(nogil=True, cache=True, error_model="numpy")
def filter_rows(data, err, mask, stamp, rows, out):
    """Amplitude of a stamp over its error, Σ p d / e² / √(Σ p² / e²), for rows of an image; 0 where masked.

    Parameters
    ----------
    data, err : float32 (ny, nx)
    mask : bool (ny, nx)
        Pixels without weight.
    stamp : float64 (k, k)
        k odd; correlated with the image (not flipped).
    rows : tuple of int
        First and last + 1.
    out : float32 (ny, nx)
    """
    ny, nx = data.shape
    reach = stamp.shape[0] // 2
    first, last = max(rows[0] - reach, 0), min(rows[1] + reach, ny)
    # Weights and weighted values, with zeros beyond both ends of the rows.
    weight = np.zeros((last - first, nx + 2 * reach), np.float32)
    signal = np.zeros((last - first, nx + 2 * reach), np.float32)
    for j in range(last - first):
        values, errors, holes = data[first + j], err[first + j], mask[first + j]
        for x in range(nx):
            inverse = np.float32(1) / (errors[x] * errors[x])
            good = ~holes[x] & (abs(values[x]) < np.inf) & (inverse < np.inf) & (inverse > 0)
            weight[j, reach + x] = inverse if good else np.float32(0)
            signal[j, reach + x] = values[x] * inverse if good else np.float32(0)
    above, below = np.empty(nx), np.empty(nx)
    for y in range(rows[0], rows[1]):
        above[:] = 0.0
        below[:] = 0.0
        for j in range(max(0, reach - y), min(stamp.shape[0], ny + reach - y)):
            source, weights = signal[y + j - reach - first], weight[y + j - reach - first]
            for i in range(stamp.shape[1]):
                tap, square = stamp[j, i], stamp[j, i] ** 2
                for x in range(nx):
                    above[x] += tap * source[x + i]
                    below[x] += square * weights[x + i]
        target, holes = out[y], mask[y]
        for x in range(nx):
            target[x] = 0.0 if holes[x] or not below[x] > 0 else above[x] / np.sqrt(below[x])


@njit(nogil=True, cache=True, error_model="numpy")
def moments_of_noise(image, mask, limit, columns, rows):
    """Add up |value| below a limit, and how many there are, by column and by row; both are float64 (2, n)."""
    for y in range(image.shape[0]):
        total, count = 0.0, 0.0
        for x in range(image.shape[1]):
            size = abs(image[y, x])
            use = ~mask[y, x] & (size < limit)
            value, one = (np.float64(size), 1.0) if use else (0.0, 0.0)
            columns[0, x] += value
            columns[1, x] += one
            total += value
            count += one
        rows[0, y], rows[1, y] = total, count


@njit(nogil=True, cache=True, error_model="numpy")
def highest(image, labels, out):
    """The largest value of each label."""
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label and image[y, x] > out[label]:
                out[label] = image[y, x]
