"""Compiled search for jumps in one ramp: differences whose removal lowers chi-square by more than a limit.

Removing one difference, or a pair of neighbours, is the same as fitting a free step there. Everything follows from one
fit: with M the inverse covariance of the usable differences, weight p = M 1, norm C = 1^T M 1, rate a and residual
z = M (d - a 1), the steps b of a set S solve V b = z_S with V = M_SS - p_S p_S^T / C; chi-square drops by b^T z_S and
the rate becomes a - b^T p_S / C (block inverse of the normal equations; cf. Brandt 2024, PASP 136, 045005).
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.exposure.rampfit import _work as q

__all__ = ["MARGIN", "JumpLimits", "search_jumps"]

# Candidates that are equal but for rounding: the first of them is dropped.
TIE = 1 + 1e-10

MARGIN = 1 - 1e-9
"""Factor on limits in a screen whose sums are taken in another order than here."""

# The search goes on while more differences than this are usable.
LEAST_LEFT = 3


class JumpLimits(NamedTuple):
    """Limits of the search: drop of chi-square for one and for two differences, usable differences to begin with."""

    one: float
    two: float
    usable: int


@njit(nogil=True, cache=True, error_model="numpy")
def search_jumps(w, j, timing, limits, scratch):
    """Drop differences of pixel j until no more pass, at the covariance of the first guess.

    Parameters
    ----------
    w : float64
        Work space (`rtools.exposure.rampfit._work`), as the fit of the block leaves it. For pixel j, `X` and `U`
        become zero where dropped, and the rate is that after the last drop.
    j : int
        Pixel of the block.
    timing : rtools.exposure.rampfit.timing.Timing
    limits : JumpLimits
    scratch : float64 (8, n + 1)
        Last column zero. The first row tells afterwards which differences were dropped (1) in this search.
    """
    n = np.uint64(timing.interval.size)
    for i in range(n):
        at = q.BASE + i * q.STRIDE + j
        scratch[0, i] = 0.0
        scratch[1, i], scratch[2, i] = w[at + q.INVERSE], w[at + q.LOWER]
        scratch[3, i], scratch[4, i] = w[at + q.UNIT], w[at + q.VALUE]
    left = w[q.USABLE + j]
    norm, fitted = w[q.NORM + j], w[q.RATE + j]
    while True:
        worst, count, after = _worst(w, j, timing.reads, limits, norm, fitted, scratch)
        if worst < 0:
            return
        for i in range(np.uint64(worst), np.uint64(worst + count)):
            at = q.BASE + i * q.STRIDE + j
            w[at + q.X] = 0.0
            w[at + q.U] = 0.0
            scratch[0, i] = 1.0
        w[q.RATE + j] = after
        left -= count
        if left <= LEAST_LEFT:
            return
        norm, fitted = _fit_pixel(w, j, timing, scratch)


@njit(nogil=True, cache=True, error_model="numpy")
def _fit_pixel(w, j, timing, scratch):
    """Norm and rate of one pixel, its factors left in `scratch`: the fit of a block, of this pixel alone."""
    poisson, read = w[q.POISSON + j], w[q.READ + j]
    inverse, lower, unit, value = scratch[1], scratch[2], scratch[3], scratch[4]
    first = q.BASE + j
    inverse[0] = 1.0 / (poisson * timing.poisson_diagonal[0] + read * timing.read_diagonal[0])
    unit[0], value[0] = w[first + q.U], w[first + q.X]
    norm = unit[0] * unit[0] * inverse[0]
    numerator = value[0] * unit[0] * inverse[0]
    for i in range(1, timing.interval.size):
        at = first + np.uint64(i) * q.STRIDE
        coupling = poisson * timing.poisson_coupling[i - 1] + read * timing.read_coupling[i - 1]
        coupling *= w[at - q.STRIDE + q.U] * w[at + q.U]
        lower[i] = coupling * inverse[i - 1]
        diagonal = poisson * timing.poisson_diagonal[i] + read * timing.read_diagonal[i]
        inverse[i] = 1.0 / (diagonal - coupling * lower[i])
        unit[i] = w[at + q.U] - lower[i] * unit[i - 1]
        value[i] = w[at + q.X] - lower[i] * value[i - 1]
        norm += unit[i] * unit[i] * inverse[i]
        numerator += value[i] * unit[i] * inverse[i]
    return norm, numerator / norm


@njit(nogil=True, cache=True, error_model="numpy")
def _worst(w, j, reads, limits, norm, rate, scratch):
    """Difference (count 1) or pair (count 2) to drop next and the rate then; -1 where none passes its limit."""
    n = reads.size - 1
    u = q.BASE + q.U + j
    weight, residual, variance = scratch[5], scratch[6], scratch[7]
    _back_substitute(rate, scratch)
    scale = 1.0 / norm
    best_one, best_two = 0.0, 0.0
    at_one, at_two = -1, -1
    for i in range(n):
        if w[u + np.uint64(i) * q.STRIDE] == 0.0:
            continue
        spread = variance[i] - weight[i] * weight[i] * scale
        lowered = residual[i] * residual[i] / spread
        if np.isnan(lowered):
            return -1, 0, rate
        if lowered > best_one * TIE:
            best_one, at_one = lowered, i
        # A jump between the reads of a resultant is shared by two differences; one read has nothing between.
        if i + 1 == n or w[u + np.uint64(i + 1) * q.STRIDE] == 0.0 or reads[i + 1] <= 1:
            continue
        first, second = _pair(i, scale, scratch)
        lowered = first * residual[i] + second * residual[i + 1]
        if np.isnan(lowered):
            return -1, 0, rate
        if lowered > best_two * TIE:
            best_two, at_two = lowered, i
    if best_one - limits.one > best_two - limits.two:
        if best_one <= limits.one:
            return -1, 0, rate
        step = residual[at_one] / (variance[at_one] - weight[at_one] * weight[at_one] * scale)
        return at_one, 1, rate - step * weight[at_one] * scale
    if best_two <= limits.two:
        return -1, 0, rate
    first, second = _pair(at_two, scale, scratch)
    return at_two, 2, rate - (first * weight[at_two] + second * weight[at_two + 1]) * scale


@njit(nogil=True, cache=True, error_model="numpy")
def _pair(i, scale, scratch):
    """Steps in the differences i and i + 1, fitted together."""
    lower, weight, residual, variance = scratch[2], scratch[5], scratch[6], scratch[7]
    spread = variance[i] - weight[i] * weight[i] * scale
    following = variance[i + 1] - weight[i + 1] * weight[i + 1] * scale
    shared = -lower[i + 1] * variance[i + 1] - weight[i] * weight[i + 1] * scale
    inverse = 1.0 / (spread * following - shared * shared)
    return (
        (residual[i] * following - residual[i + 1] * shared) * inverse,
        (residual[i + 1] * spread - residual[i] * shared) * inverse,
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _back_substitute(rate, scratch):
    """Weight M 1, residual M (x - rate 1) and the diagonal of M, from the factors; element n stays zero."""
    inverse, lower, unit, value = scratch[1], scratch[2], scratch[3], scratch[4]
    weight, residual, variance = scratch[5], scratch[6], scratch[7]
    for i in range(inverse.size - 2, -1, -1):
        weight[i] = unit[i] * inverse[i] - lower[i + 1] * weight[i + 1]
        residual[i] = (value[i] - rate * unit[i]) * inverse[i] - lower[i + 1] * residual[i + 1]
        variance[i] = inverse[i] + lower[i + 1] * lower[i + 1] * variance[i + 1]
