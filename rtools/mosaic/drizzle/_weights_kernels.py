"""Compiled weights of a member's pixels."""

import numpy as np

from rtools.compiled import njit

__all__ = ["constant", "inverse"]


@njit(nogil=True, cache=True, error_model="numpy")
def inverse(data, good, noise, weight):
    """1 / (variance + more), float32; 0 where not good, where data are not finite, and where that is not finite."""
    variance, more = noise
    for y in range(data.shape[0]):
        for x in range(data.shape[1]):
            total = variance[y, x] + more
            value = np.float32(1) / total
            usable = good[y, x] & (total > 0) & (value < np.inf) & (abs(data[y, x]) < np.inf)
            weight[y, x] = value if usable else np.float32(0)


@njit(nogil=True, cache=True, error_model="numpy")
def constant(data, good, value, weight):
    """One weight wherever the pixel is good and its data are finite."""
    for y in range(data.shape[0]):
        for x in range(data.shape[1]):
            weight[y, x] = value if good[y, x] & (abs(data[y, x]) < np.inf) else np.float32(0)
