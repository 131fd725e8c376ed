"""Compiled widening of half precision: numpy goes number by number."""

import numpy as np

from rtools.compiled import njit

__all__ = ["widen"]

# IEEE 754: exponents are biased by 15 and 127; 10 and 23 bits of fraction.
SIGN, EXPONENT, FRACTION = np.uint32(0x8000), np.uint32(0x7C00), np.uint32(0x3FF)
REBIAS = np.uint32((127 - 15) << 23)
ADDED, MOVED = np.uint32(13), np.uint32(16)
SUBNORMAL = np.float32(2.0**-24)


@njit(nogil=True, cache=True, error_model="numpy")
def widen(half, out_bits, out):
    """float16 (its bits, uint16) as float32; `out_bits` (uint32) is the memory of `out`; all (rows, columns)."""
    for y in range(half.shape[0]):
        for x in range(half.shape[1]):
            bits = np.uint32(half[y, x])
            size = ((bits & (EXPONENT | FRACTION)) << ADDED) + REBIAS
            size += REBIAS if (bits & EXPONENT) == EXPONENT else np.uint32(0)
            out_bits[y, x] = size | ((bits & SIGN) << MOVED)
        for x in range(half.shape[1]):
            bits = np.uint32(half[y, x])
            small = np.float32(np.int32(bits & FRACTION)) * SUBNORMAL
            small = -small if bits & SIGN else small
            out[y, x] = small if (bits & EXPONENT) == np.uint32(0) else out[y, x]
