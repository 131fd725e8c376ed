"""Pixels side by side: work space of kernels that do the same to several pixels of a row at a time.

The work space is flat, and quantity `X` of pixel j is ``work[X + j]``: so a compiler sees what does not overlap, and
makes vector instructions of loops over pixels, which have always the same number. Places are unsigned, because numba
lets signed ones count from the end. In the last piece of a row some pixels are none; what is computed of them is not
looked at.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["LANES", "ONE", "LaneSpan", "order_lanes"]

ONE = np.uint64(1)
LANES = np.uint64(64)
"""Pixels at a time: what many integrations of so many have stays in the caches."""

ZERO = np.float32(0)
"""Added to a number that may go back where it was: else it would be stored under a mask, which takes longer."""


class LaneSpan(NamedTuple):
    """A piece of a row of a block.

    Attributes
    ----------
    row, start : int
        Its row and first column.
    width : int
        Its columns, `LANES` at most.
    """

    row: int | np.uint64
    start: int | np.uint64
    width: int | np.uint64


@njit(nogil=True, cache=True, error_model="numpy")
def order_lanes(work, base, network):
    """Put numbers of each pixel in order as far as a sorting network does; number k stands at ``base + k * LANES``."""
    for k in range(network.shape[0]):
        a, b = base + np.uint64(network[k, 0]) * LANES, base + np.uint64(network[k, 1]) * LANES
        for j in range(LANES):
            low, high = work[a + j], work[b + j]
            work[a + j] = min(low, high) + ZERO
            work[b + j] = max(high, low)
