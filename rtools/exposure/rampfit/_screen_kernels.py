"""Compiled screen before the search for jumps: which pixels of a block may hold one, without a branch per pixel.

Most pixels have no jump and need no search. The names are those of docs/algorithms/jumps.md: weight p = M u, residual
z = M (d - a u), variance M_ii, norm u^T M u, and the drop of chi-square z_i^2 / V_ii with V_ii = M_ii - p_i^2 / norm
for one difference, and b^T z for two neighbours.
"""

import numpy as np

from rtools.compiled import njit
from rtools.exposure.rampfit import _work as q
from rtools.exposure.rampfit._jump_kernels import MARGIN

__all__ = ["keep_likely", "screen"]

BLOCK = q.BLOCK

# Quantities that `keep_likely` carries from one difference to the one before it.
WEIGHT = q.CARRIED
RESIDUAL = WEIGHT + BLOCK
VARIANCE = RESIDUAL + BLOCK
SPREAD = VARIANCE + BLOCK
"""norm V_ii: everything is multiplied by the norm, which saves divisions."""

NEXT = SPREAD + BLOCK - WEIGHT
"""From each of these four to its value at the following difference."""

EXCESS = SPREAD + NEXT + BLOCK
"""By how much the limit is passed, in the units of the product with norm; zero where it is not."""

SHARED = EXCESS + BLOCK
"""norm V_i,i+1."""

END = SHARED + BLOCK


@njit(nogil=True, cache=True, error_model="numpy")
def screen(w, limits, candidate):
    """Find pixels that may hold a jump: differences left out can lower chi-square by no more than all of it.

    Parameters
    ----------
    w : ndarray float64
        Work space (`rtools.exposure.rampfit._work`) after a fit of the block.
    limits : rtools.exposure.rampfit._arguments.JumpLimits
        Limits of the search.
    candidate : ndarray bool (BLOCK,)
        Receives whether each pixel may hold a jump.
    """
    least = MARGIN * min(limits.one, limits.two)
    for j in range(BLOCK):
        candidate[j] = (w[q.CHI + j] > least) & (w[q.USABLE + j] >= limits.usable)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def keep_likely(reads, limits, w, candidate):
    """Keep the candidates that have a difference or a pair beyond its limit (as `search_jumps`, without divisions).

    Parameters
    ----------
    reads : ndarray float64 (G,)
        Number of reads of each resultant.
    limits : rtools.exposure.rampfit._arguments.JumpLimits
        Limits of the search.
    w : ndarray float64
        Work space after a fit of the block; the carried quantities are overwritten.
    candidate : ndarray bool (BLOCK,)
        Becomes False where no drop of chi-square comes near its limit.

    Notes
    -----
    One difference: z^2 / V. A pair, with z = (a, b) and V = ((h, c), (c, f)): (a^2 f - 2 a b c + b^2 h) / (h f - c^2).
    V is multiplied by the norm here. Pairs around a single read are left out, as there is nothing between.
    """
    one, two = MARGIN * limits.one, MARGIN * limits.two
    n = np.uint64(reads.size) - q.ONE
    for j in range(END - q.CARRIED):
        w[q.CARRIED + j] = 0.0
    for k in range(n):
        at = q.BASE + (n - q.ONE - k) * q.STRIDE
        lower = at + q.STRIDE + q.LOWER
        for j in range(NEXT):
            w[WEIGHT + NEXT + j] = w[WEIGHT + j]
        for j in range(BLOCK):
            w[WEIGHT + j] = w[at + q.UNIT + j] * w[at + q.INVERSE + j] - w[lower + j] * w[WEIGHT + NEXT + j]
        for j in range(BLOCK):
            left = (w[at + q.VALUE + j] - w[q.RATE + j] * w[at + q.UNIT + j]) * w[at + q.INVERSE + j]
            w[RESIDUAL + j] = left - w[lower + j] * w[RESIDUAL + NEXT + j]
        for j in range(BLOCK):
            w[VARIANCE + j] = w[at + q.INVERSE + j] + w[lower + j] * w[lower + j] * w[VARIANCE + NEXT + j]
        for j in range(BLOCK):
            w[SPREAD + j] = w[q.NORM + j] * w[VARIANCE + j] - w[WEIGHT + j] * w[WEIGHT + j]
        for j in range(BLOCK):
            over = w[RESIDUAL + j] * w[RESIDUAL + j] * w[q.NORM + j] - one * w[SPREAD + j]
            w[EXCESS + j] = over if over > w[EXCESS + j] else w[EXCESS + j]
        if reads[n - k] > 1 and k > 0:
            for j in range(BLOCK):
                product = w[WEIGHT + j] * w[WEIGHT + NEXT + j]
                w[SHARED + j] = -w[q.NORM + j] * w[lower + j] * w[VARIANCE + NEXT + j] - product
            for j in range(BLOCK):
                a, b, c = w[RESIDUAL + j], w[RESIDUAL + NEXT + j], w[SHARED + j]
                here, following = w[SPREAD + j], w[SPREAD + NEXT + j]
                lowered = a * a * following - 2.0 * a * b * c + b * b * here
                over = lowered * w[q.NORM + j] - two * (here * following - c * c)
                w[EXCESS + j] = over if over > w[EXCESS + j] else w[EXCESS + j]
    for j in range(BLOCK):
        candidate[j] &= w[EXCESS + j] > 0.0
