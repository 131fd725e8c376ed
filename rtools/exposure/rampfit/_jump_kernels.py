"""Compiled search for jumps in one ramp: differences whose removal lowers chi-square by more than a limit.

Removing one difference, or a pair of neighbours, is the same as fitting a free step there (Brandt 2024, PASP 136,
045005, sections 3.1 and 3.2). Everything follows from one fit, by the block inverse of the normal equations. The names
are those of docs/algorithms/jumps.md: with M the inverse covariance of the usable differences, weight p = M u, norm
u^T M u, rate a and residual z = M (d - a u), the steps b of a set S solve V b = z_S with V = M_SS - p_S p_S^T / norm;
chi-square drops by b^T z_S, and the rate becomes a - b^T p_S / norm.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.exposure.rampfit import _work as q

__all__ = ["DROPPED", "MARGIN", "ROWS", "search_jumps"]

# Candidates that are equal but for rounding: the first of them is dropped.
TIE = 1 + 1e-10

MARGIN = 1 - 1e-9
"""Factor on limits in a screen whose sums are taken in another order than here."""

# The search goes on while more differences than this are usable.
LEAST_LEFT = 3


# A search works on one array float64 (9, n + 1), whose last column stays zero. One array is quicker to hand on than a
# named tuple of nine. Its rows hold of each difference
DROPPED = 0  # 1 where it was dropped in this search, else 0
USABLE = 1  # 1 where it is left in the fit, else 0
INVERSE = 2  # the factors of the covariance and what they make of u and d, as in `_work`
LOWER = 3
UNIT = 4
VALUE = 5
WEIGHT = 6  # p
RESIDUAL = 7  # z
VARIANCE = 8  # the diagonal of M
ROWS = 9


class _Drop(NamedTuple):
    """What to drop next: first difference (-1 for nothing), how many, and the rate of the ramp without them."""

    first: int
    length: int
    rate: float


@njit(nogil=True, cache=True, error_model="numpy")
def search_jumps(w, j, timing, limits, search):
    """Drop differences of pixel j until no more pass, at the covariance of the first guess.

    Parameters
    ----------
    w : ndarray float64
        Work space (`rtools.exposure.rampfit._work`), as the fit of the block leaves it. For pixel j, `X` and `U`
        become zero where dropped, and the rate is that after the last drop.
    j : int
        Pixel of the block.
    timing : rtools.exposure.rampfit.timing.Timing
        Covariance terms of the differences, and reads of the resultants.
    limits : rtools.exposure.rampfit._arguments.JumpLimits
        Limits of the search.
    search : ndarray float64 (ROWS, n + 1)
        Overwritten but for the last column, which must be zero. Row `DROPPED` tells afterwards which differences were
        dropped.
    """
    _load_fit(w, j, search)
    left = w[q.USABLE + j]
    norm, rate = w[q.NORM + j], w[q.RATE + j]
    while True:
        _substitute_back(rate, search)
        drop = _find_worst(timing.reads, limits, norm, rate, search)
        if drop.first < 0:
            return
        for i in range(np.uint64(drop.first), np.uint64(drop.first + drop.length)):
            at = q.BASE + i * q.STRIDE + j
            w[at + q.X] = 0.0
            w[at + q.U] = 0.0
            search[USABLE, i] = 0.0
            search[DROPPED, i] = 1.0
        w[q.RATE + j] = drop.rate
        left -= drop.length
        if left <= LEAST_LEFT:
            return
        norm, rate = _fit_pixel(w, j, timing, search)


@njit(nogil=True, cache=True, error_model="numpy")
def _load_fit(w, j, search):
    """Load what the fit of the block left for pixel j; nothing is dropped yet."""
    for i in range(np.uint64(search.shape[1] - 1)):
        at = q.BASE + i * q.STRIDE + j
        search[DROPPED, i] = 0.0
        search[USABLE, i] = w[at + q.U]
        search[INVERSE, i], search[LOWER, i] = w[at + q.INVERSE], w[at + q.LOWER]
        search[UNIT, i], search[VALUE, i] = w[at + q.UNIT], w[at + q.VALUE]


@njit(nogil=True, cache=True, error_model="numpy")
def _fit_pixel(w, j, timing, search):
    """Fit one pixel as its block was fitted; return norm and rate, and leave the factors in `search`."""
    poisson, read = w[q.POISSON + j], w[q.READ + j]
    usable, inverse, lower = search[USABLE], search[INVERSE], search[LOWER]
    unit, value = search[UNIT], search[VALUE]
    first = q.BASE + j
    inverse[0] = 1.0 / (poisson * timing.poisson_diagonal[0] + read * timing.read_diagonal[0])
    unit[0], value[0] = usable[0], w[first + q.X]
    norm = unit[0] * unit[0] * inverse[0]
    numerator = value[0] * unit[0] * inverse[0]
    for i in range(1, timing.interval.size):
        at = first + np.uint64(i) * q.STRIDE
        coupling = poisson * timing.poisson_coupling[i - 1] + read * timing.read_coupling[i - 1]
        coupling *= usable[i - 1] * usable[i]
        lower[i] = coupling * inverse[i - 1]
        diagonal = poisson * timing.poisson_diagonal[i] + read * timing.read_diagonal[i]
        inverse[i] = 1.0 / (diagonal - coupling * lower[i])
        unit[i] = usable[i] - lower[i] * unit[i - 1]
        value[i] = w[at + q.X] - lower[i] * value[i - 1]
        norm += unit[i] * unit[i] * inverse[i]
        numerator += value[i] * unit[i] * inverse[i]
    return norm, numerator / norm


@njit(nogil=True, cache=True, error_model="numpy")
def _find_worst(reads, limits, norm, rate, search):
    """Find the difference or the pair whose drop of chi-square exceeds its limit most."""
    weight, residual, variance = search[WEIGHT], search[RESIDUAL], search[VARIANCE]
    n = reads.size - 1
    scale = 1.0 / norm
    best_one, best_two = 0.0, 0.0
    at_one, at_two = -1, -1
    for i in range(n):
        if search[USABLE, i] == 0.0:
            continue
        spread = variance[i] - weight[i] * weight[i] * scale
        lowered = residual[i] * residual[i] / spread
        if np.isnan(lowered):
            return _Drop(-1, 0, rate)
        if lowered > best_one * TIE:
            best_one, at_one = lowered, i
        # A jump between the reads of a resultant is shared by two differences; one read has nothing between.
        if i + 1 == n or search[USABLE, i + 1] == 0.0 or reads[i + 1] <= 1:
            continue
        first, second = _find_steps(i, scale, search)
        lowered = first * residual[i] + second * residual[i + 1]
        if np.isnan(lowered):
            return _Drop(-1, 0, rate)
        if lowered > best_two * TIE:
            best_two, at_two = lowered, i
    if best_one - limits.one > best_two - limits.two:
        if best_one <= limits.one:
            return _Drop(-1, 0, rate)
        step = residual[at_one] / (variance[at_one] - weight[at_one] * weight[at_one] * scale)
        return _Drop(at_one, 1, rate - step * weight[at_one] * scale)
    if best_two <= limits.two:
        return _Drop(-1, 0, rate)
    first, second = _find_steps(at_two, scale, search)
    return _Drop(at_two, 2, rate - (first * weight[at_two] + second * weight[at_two + 1]) * scale)


@njit(nogil=True, cache=True, error_model="numpy")
def _find_steps(i, scale, search):
    """Find the steps b in the differences i and i + 1, fitted together; `scale` is 1 / norm."""
    here, after = search[WEIGHT, i], search[WEIGHT, i + 1]
    z_here, z_after = search[RESIDUAL, i], search[RESIDUAL, i + 1]
    spread = search[VARIANCE, i] - here * here * scale
    following = search[VARIANCE, i + 1] - after * after * scale
    shared = -search[LOWER, i + 1] * search[VARIANCE, i + 1] - here * after * scale
    inverse = 1.0 / (spread * following - shared * shared)
    return (
        (z_here * following - z_after * shared) * inverse,
        (z_after * spread - z_here * shared) * inverse,
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _substitute_back(rate, search):
    """Compute weight p, residual z and the diagonal of M from the factors; element n stays zero."""
    inverse, lower, unit, value = search[INVERSE], search[LOWER], search[UNIT], search[VALUE]
    weight, residual, variance = search[WEIGHT], search[RESIDUAL], search[VARIANCE]
    for i in range(inverse.size - 2, -1, -1):
        weight[i] = unit[i] * inverse[i] - lower[i + 1] * weight[i + 1]
        residual[i] = (value[i] - rate * unit[i]) * inverse[i] - lower[i + 1] * residual[i + 1]
        variance[i] = inverse[i] + lower[i + 1] * lower[i + 1] * variance[i + 1]
