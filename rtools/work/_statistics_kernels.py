"""Compiled parts of image statistics: medians without a copy."""

import numpy as np

from rtools.compiled import njit
from rtools.wfi.dq import PIXEL

__all__ = ["collect", "count_bins"]

DO_NOT_USE = np.uint32(PIXEL["DO_NOT_USE"])
SIGN = np.uint32(1 << 31)
ONE = np.uint32(1)
SIXTEEN = np.uint32(16)


@njit(nogil=True, cache=True, error_model="numpy")
def _keys(image, good, y, centre, row):
    """Bits of a row as numbers in the order of the values, of |value - centre| unless `centre` is NaN; 0 if not good.

    `row` is (float32, uint32) of the same memory, `good` (dq, bits of err, bits of an infinite err).
    """
    values, keys = row
    dq, err, infinite = good
    if np.isnan(centre):
        for x in range(values.size):
            values[x] = image[y, x]
        for x in range(values.size):
            keys[x] = ~keys[x] if keys[x] & SIGN else keys[x] | SIGN
    else:
        for x in range(values.size):
            values[x] = abs(image[y, x] - centre)
        for x in range(values.size):
            keys[x] |= SIGN
    for x in range(values.size):
        positive = (err[y, x] > 0) & (err[y, x] <= infinite)
        usable = positive & ((dq[y, x] & DO_NOT_USE) == 0) & (abs(image[y, x]) < np.inf)
        keys[x] = keys[x] if usable else np.uint32(0)


@njit(nogil=True, cache=True, error_model="numpy")
def count_bins(image, good, centre, row, bins):
    """Count the good values of an image by the upper half of their bits (`_keys`); bin 0 is for the others."""
    keys = row[1]
    for y in range(image.shape[0]):
        _keys(image, good, y, centre, row)
        for x in range(keys.size):
            bins[keys[x] >> SIXTEEN] += ONE


@njit(nogil=True, cache=True, error_model="numpy")
def collect(image, good, centre, row, bounds, out):
    """The keys in bins [first, last] of `count_bins`, in the order of the image; returns how many."""
    keys = row[1]
    first, last = bounds
    count = 0
    for y in range(image.shape[0]):
        _keys(image, good, y, centre, row)
        for x in range(keys.size):
            place = keys[x] >> SIXTEEN
            if (place >= first) & (place <= last):
                out[count] = keys[x]
                count += 1
    return count
