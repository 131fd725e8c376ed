"""Compiled matched filter: significance of a small source at every pixel; statistics of the map.

With p the PSF in pixels, d the data and e their errors, the flux that fits best at a pixel is Σ p d / e² / Σ p² / e²,
and its error 1 / √(Σ p² / e²) (Zackay & Ofek 2017, ApJ 836, 187, for one image; docs/algorithms/catalog.md, deep
detection). Significance is the one over the other.
"""

import numpy as np

from rtools.compiled import njit

__all__ = ["add_scatter", "filter_rows", "find_peaks"]


@njit(nogil=True, cache=True, error_model="numpy")
def filter_rows(data, err, mask, stamp, rows, out):
    """Significance, Σ p d / e² / √(Σ p² / e²), for rows of an image.

    Parameters
    ----------
    data, err : float32 (ny, nx)
        The image and its errors.
    mask : bool (ny, nx)
        Pixels without weight.
    stamp : float64 (k, k)
        p, k odd; correlated with the image (not flipped).
    rows : tuple of int
        First and last + 1.
    out : float32 (ny, nx)
        Receives the significance of these rows; 0 where masked, or no pixel under the stamp has weight.
    """
    ny, nx = data.shape
    reach = stamp.shape[0] // 2
    first, last = max(rows[0] - reach, 0), min(rows[1] + reach, ny)
    # Weights and weighted values, with zeros beyond both ends of the rows.
    weight = np.zeros((last - first, nx + 2 * reach), np.float32)
    signal = np.zeros((last - first, nx + 2 * reach), np.float32)
    for j in range(last - first):
        _weigh_row(data[first + j], err[first + j], mask[first + j], weight[j, reach:], signal[j, reach:])
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
def _weigh_row(values, errors, holes, weight, signal):
    """1 / e² and d / e² of one row; 0 where a pixel cannot be used."""
    for x in range(values.size):
        inverse = np.float32(1) / (errors[x] * errors[x])
        good = ~holes[x] & (abs(values[x]) < np.inf) & (inverse < np.inf) & (inverse > 0)
        weight[x] = inverse if good else np.float32(0)
        signal[x] = values[x] * inverse if good else np.float32(0)


@njit(nogil=True, cache=True, error_model="numpy")
def add_scatter(image, mask, limit, columns, rows):
    """Add up |value| below a limit, and how many there are, by column and by row.

    Parameters
    ----------
    image : float32 (ny, nx)
        The map.
    mask : bool (ny, nx)
        Pixels that do not count.
    limit : float
        Values that are this or more are sources, not noise.
    columns : float64 (2, nx)
        Sums and counts; added to.
    rows : float64 (2, ny)
        Receives sums and counts.
    """
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
def find_peaks(image, labels, out):
    """The largest value of each label.

    Parameters
    ----------
    image : float32 (ny, nx)
        The map.
    labels : int32 (ny, nx)
        0 is the sky, and is left out.
    out : float32 (largest label + 1,)
        Raised to the largest values.
    """
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label and image[y, x] > out[label]:
                out[label] = image[y, x]
