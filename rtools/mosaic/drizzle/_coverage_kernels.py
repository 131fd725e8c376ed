"""Compiled part of the exposure time of a mosaic."""

import numpy as np

from rtools.compiled import njit

__all__ = ["sum_times"]


@njit(nogil=True, cache=True)
def sum_times(context, times):
    """Largest exposure time of a pixel, sum over pixels, and number of pixels with any.

    Parameters
    ----------
    context : uint32 (planes, rows, columns)
    times : float64 (32 · planes,)
        Of the member of each bit.
    """
    most, total, count = 0.0, 0.0, 0
    words = np.zeros(context.shape[0], np.uint32)
    known = 0.0  # the sum for `words`: neighbours mostly have the same members
    for y in range(context.shape[1]):
        for x in range(context.shape[2]):
            same = True
            for plane in range(words.size):
                same = same and context[plane, y, x] == words[plane]
            if not same:
                known = 0.0
                for plane in range(words.size):
                    words[plane] = context[plane, y, x]
                    for bit in range(32):
                        if words[plane] >> np.uint32(bit) & np.uint32(1):
                            known += times[32 * plane + bit]
            most = max(most, known)
            total += known
            count += known > 0
    return most, total, count
