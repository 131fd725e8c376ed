"""Rounding to half precision, compiled, with a count of what becomes infinite."""

import numpy as np

from rtools.compiled import njit

__all__ = ["round_to_half"]

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
    lost = np.int64(0)
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
