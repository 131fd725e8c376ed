"""Compiled part of the DAOFIND statistics.

The convolution H of the image with the kernel is the height of the best-fitting Gaussian at each pixel (Stetson 1987,
PASP 99, 191, section on the star-finding algorithm). Sharpness is his: the central pixel less the mean of those around
it, over H. Roundness is the one by symmetry of IRAF's daofind (SROUND): H in two opposite quarters of the kernel's
square less H in the other two, twice, over the sum of |H|.
"""

import math
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["MaskedImage", "measure_statistics"]

FAR = 1e7
"""Pixels: a place beyond this is on no image, and must not become an index."""


class MaskedImage(NamedTuple):
    """An image and the pixels of it that cannot be used, (rows, columns).

    Attributes
    ----------
    data : ndarray float32
        The image less its background.
    mask : ndarray bool
        Pixels for which those on the other side of the source's centre stand in.
    """

    data: np.ndarray
    mask: np.ndarray


@njit(cache=True, nogil=True)
def measure_statistics(image, centres, kernel, out, first, last):
    """Sharpness and roundness of the sources [first, last).

    Parameters
    ----------
    image : MaskedImage
        The image.
    centres : ndarray float64 (n, 2)
        x and y, pixels.
    kernel : ndarray float64 (m, m)
        Its sum is 0, and it is exactly 0 outside its round support; m is odd.
    out : ndarray float64 (n, 2)
        Receives both; NaN where there is no centre.
    first, last : int
        Which sources.
    """
    size = kernel.shape[0]
    values, heights = np.empty((2 * size - 1, 2 * size - 1)), np.empty((size, size))
    for i in range(first, last):
        out[i] = np.nan
        x, y = centres[i]
        # Also false for NaN.
        if not (abs(x) < FAR and abs(y) < FAR):
            continue
        # The kernel reaches as far again around the square that the statistics look at.
        corner = math.ceil(y - 0.5) - size + 1, math.ceil(x - 0.5) - size + 1
        _cut_out(image, (x, y), corner, values)
        _convolve(values, image.data.shape, corner, kernel, heights)
        out[i, 0] = _measure_sharpness(values, kernel, heights)
        out[i, 1] = _measure_roundness(heights)


@njit(cache=True, nogil=True)
def _is_on(shape, y, x):
    """Whether a pixel is on an image of a shape."""
    return y >= 0 and x >= 0 and y < shape[0] and x < shape[1]


@njit(cache=True, nogil=True)
def _cut_out(image, centre, corner, values):
    """Values of a square that begins at `corner` (y, x); 0 off the image.

    A masked pixel has the value on the other side of the centre, or 0 if that is masked or off the image.
    """
    data, mask = image.data, image.mask
    for j in range(values.shape[0]):
        for k in range(values.shape[1]):
            y, x = corner[0] + j, corner[1] + k
            if _is_on(data.shape, y, x) and mask[y, x]:
                y, x = math.floor(2 * centre[1] - y + 0.5), math.floor(2 * centre[0] - x + 0.5)
                if _is_on(data.shape, y, x) and mask[y, x]:
                    values[j, k] = 0.0
                    continue
            values[j, k] = np.float64(data[y, x]) if _is_on(data.shape, y, x) else 0.0


@njit(cache=True, nogil=True)
def _convolve(values, shape, corner, kernel, heights):
    """H in the middle of the values; 0 for pixels off the image."""
    size = kernel.shape[0]
    for j in range(size):
        for k in range(size):
            total = 0.0
            if _is_on(shape, corner[0] + size // 2 + j, corner[1] + size // 2 + k):
                for b in range(size):
                    for a in range(size):
                        if kernel[b, a] != 0:
                            total += kernel[b, a] * values[j + b, k + a]
            heights[j, k] = total


@njit(cache=True, nogil=True)
def _measure_sharpness(values, kernel, heights):
    """Central pixel less the mean of the others on the kernel's support, over H there; NaN where H is 0."""
    size = kernel.shape[0]
    c = size // 2
    around, support = 0.0, 0
    for j in range(size):
        for k in range(size):
            if kernel[j, k] != 0:
                around += values[c + j, c + k]
                support += 1
            else:
                around += 0.0 * values[c + j, c + k]  # NaN anywhere in the square makes the statistic NaN
    if heights[c, c] == 0:
        return np.nan
    peak = values[2 * c, 2 * c]
    return (peak - (around - peak) / (support - 1)) / heights[c, c]


@njit(cache=True, nogil=True)
def _measure_roundness(heights):
    """Two-fold asymmetry of H about the middle of its square; NaN where H is 0 all around."""
    size = heights.shape[0]
    c = size // 2
    quarters, size_of = 0.0, 0.0
    for j in range(size):
        for k in range(size):
            if j == c and k == c:
                continue
            minus = (j <= c and k > c) or (j >= c and k < c)
            quarters += -heights[j, k] if minus else heights[j, k]
            size_of += abs(heights[j, k])
    return 2 * quarters / size_of if size_of != 0 else np.nan
