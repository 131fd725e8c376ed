"""Compiled parts of what is done to whole images: rounding to half precision, medians without a copy."""

import numpy as np

from rtools.compiled import njit
from rtools.wfi.dq import PIXEL

__all__ = ["collect", "count_bins", "round_to_half"]

DO_NOT_USE = np.uint32(PIXEL["DO_NOT_USE"])
SIGN = np.uint32(1 << 31)
MAGNITUDE = np.uint32(SIGN - np.uint32(1))

# IEEE 754: exponents are biased by 127 and 15; 23 and 10 bits of fraction.
INFINITY = np.uint32(0x7F800000)
HALF_INFINITY = np.uint32(0x7C00)
HALF_QUIET = np.uint32(0x7E00)
LEAST_NORMAL = np.uint32(0x38800000)  # 2^-14
REBIAS = np.uint32((127 - 15) << 23)
BELOW_HALF = np.uint32((1 << 12) - 1)
SUBNORMALS = np.float32(1 << 24)
DROPPED = np.uint32(13)
ONE = np.uint32(1)
SIXTEEN = np.uint32(16)


@njit(nogil=True, cache=True, error_model="numpy")
def round_to_half(image, image_bits, out, first):
    """Round a float32 image to half precision, to nearest, ties to even.

    Parameters
    ----------
    image : float32 (rows, columns)
    image_bits : uint32, same shape
        The same memory.
    out : uint16 (rows, n)
        Receives the bits of float16 from column `first` on.
    first : uint64

    Returns
    -------
    int
        Finite values that became infinite.
    """
    lost = 0
    for y in range(np.uint64(image.shape[0])):
        for x in range(np.uint64(image.shape[1])):
            bits = image_bits[y, x]
            size = bits & MAGNITUDE
            odd = (size >> DROPPED) & ONE
            normal = (size - REBIAS + BELOW_HALF + odd) >> DROPPED
            small = np.uint32(np.rint(abs(image[y, x]) * SUBNORMALS))
            half = small if size < LEAST_NORMAL else normal
            half = half if half < HALF_INFINITY else HALF_INFINITY
            half = half if size <= INFINITY else HALF_QUIET
            out[y, first + x] = np.uint16(half | ((bits & SIGN) >> SIXTEEN))
            lost += np.int64(1) if (half == HALF_INFINITY) & (size < INFINITY) else np.int64(0)
    return lost


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
