"""Compiled search for jumps in one ramp: differences whose removal lowers chi-square by more than a limit.

Removing one difference, or a pair of neighbours, is the same as fitting a free step there. Everything follows from one
fit: with M the inverse covariance of the usable differences, weight p = M 1, norm C = 1^T M 1, rate a and residual
z = M (d - a 1), the steps b of a set S solve V b = z_S with V = M_SS - p_S p_S^T / C; chi-square drops by b^T z_S and
the rate becomes a - b^T p_S / C (block inverse of the normal equations; cf. Brandt 2024, PASP 136, 045005).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

__all__ = ["MARGIN", "Limits", "search_jumps"]

# Candidates that are equal but for rounding: the first of them is dropped.
TIE = 1 + 1e-10

MARGIN = 1 - 1e-9
"""Factor on limits in a screen whose sums are taken in another order than here."""

# The search goes on while more differences than this are usable.
LEAST_LEFT = 3


class Limits(NamedTuple):
    """Limits of the search: drop of chi-square for one and for two differences, usable differences to begin with."""

    one: float
    two: float
    usable: int


@njit(nogil=True, cache=True, error_model="numpy")
def search_jumps(x, u, j, timing, limits, noise, scratch):
    """Drop differences of pixel j until no more pass, at the covariance of the first guess.

    Parameters
    ----------
    x, u : float64 (n + 1, pixels)
        Differences and whether they are usable; both become zero where dropped.
    j : int
        Pixel.
    timing : rtools.exposure.timing.Timing
    limits : Limits
    noise : (float, float)
        Scales of Poisson and read noise, rate / gain and the variance of a read.
    scratch : float64 (8, n + 1)
        Its first row tells afterwards which differences were dropped (1) in this search.

    Returns
    -------
    float
        The rate after the last drop, or of the fit where nothing was dropped.
    """
    dropped = scratch[0]
    dropped[:] = 0.0
    left = 0
    for i in range(x.shape[0] - 1):
        left += u[i, j] != 0.0
    norm, rate = _fit_pixel(x, u, j, timing, noise, scratch)
    fitted = rate
    while True:
        worst, count, after = _worst(u, j, timing.reads, limits, norm, fitted, scratch)
        if worst < 0:
            return rate
        for i in range(worst, worst + count):
            x[i, j] = 0.0
            u[i, j] = 0.0
            dropped[i] = 1.0
        rate = after
        left -= count
        if left <= LEAST_LEFT:
            return rate
        norm, fitted = _fit_pixel(x, u, j, timing, noise, scratch)


@njit(nogil=True, cache=True, error_model="numpy")
def _fit_pixel(x, u, j, timing, noise, scratch):
    """Norm and rate of one pixel, its factors left in `scratch`; operation by operation the fit of a row."""
    inverse, lower, unit, value = scratch[1], scratch[2], scratch[3], scratch[4]
    poisson, read = noise
    inverse[0] = 1.0 / (poisson * timing.poisson_diagonal[0] + read * timing.read_diagonal[0])
    unit[0], value[0] = u[0, j], x[0, j]
    norm = unit[0] * unit[0] * inverse[0]
    numerator = value[0] * unit[0] * inverse[0]
    for i in range(1, timing.interval.size):
        coupling = poisson * timing.poisson_coupling[i - 1] + read * timing.read_coupling[i - 1]
        coupling *= u[i - 1, j] * u[i, j]
        lower[i] = coupling * inverse[i - 1]
        diagonal = poisson * timing.poisson_diagonal[i] + read * timing.read_diagonal[i]
        inverse[i] = 1.0 / (diagonal - coupling * lower[i])
        unit[i] = u[i, j] - lower[i] * unit[i - 1]
        value[i] = x[i, j] - lower[i] * value[i - 1]
        norm += unit[i] * unit[i] * inverse[i]
        numerator += value[i] * unit[i] * inverse[i]
    return norm, numerator / norm


@njit(nogil=True, cache=True, error_model="numpy")
def _worst(u, j, reads, limits, norm, rate, scratch):
    """Difference (count 1) or pair (count 2) to drop next and the rate then; -1 where none passes its limit."""
    n = u.shape[0] - 1
    weight, residual, variance = scratch[5], scratch[6], scratch[7]
    _back_substitute(rate, scratch)
    best_one, best_two = 0.0, 0.0
    at_one, at_two = -1, -1
    rate_one, rate_two = rate, rate
    for i in range(n):
        if u[i, j] == 0.0:
            continue
        spread = variance[i] - weight[i] * weight[i] / norm
        step = residual[i] / spread
        gain = step * residual[i]
        if np.isnan(gain):
            return -1, 0, rate
        if gain > best_one * TIE:
            best_one, at_one, rate_one = gain, i, rate - step * weight[i] / norm
        # A jump between the reads of a resultant is shared by two differences; one read has nothing between.
        if i + 1 == n or u[i + 1, j] == 0.0 or reads[i + 1] <= 1:
            continue
        following = variance[i + 1] - weight[i + 1] * weight[i + 1] / norm
        shared = -scratch[2, i + 1] * variance[i + 1] - weight[i] * weight[i + 1] / norm
        determinant = spread * following - shared * shared
        first = (residual[i] * following - residual[i + 1] * shared) / determinant
        second = (residual[i + 1] * spread - residual[i] * shared) / determinant
        gain = first * residual[i] + second * residual[i + 1]
        if np.isnan(gain):
            return -1, 0, rate
        if gain > best_two * TIE:
            best_two, at_two = gain, i
            rate_two = rate - (first * weight[i] + second * weight[i + 1]) / norm
    if best_one - limits.one > best_two - limits.two:
        return (at_one, 1, rate_one) if best_one > limits.one else (-1, 0, rate)
    return (at_two, 2, rate_two) if best_two > limits.two else (-1, 0, rate)


@njit(nogil=True, cache=True, error_model="numpy")
def _back_substitute(rate, scratch):
    """Weight M 1, residual M (x - rate 1) and the diagonal of M, from the factors; element n stays zero."""
    inverse, lower, unit, value = scratch[1], scratch[2], scratch[3], scratch[4]
    weight, residual, variance = scratch[5], scratch[6], scratch[7]
    for i in range(inverse.size - 2, -1, -1):
        weight[i] = unit[i] * inverse[i] - lower[i + 1] * weight[i + 1]
        residual[i] = (value[i] - rate * unit[i]) * inverse[i] - lower[i + 1] * residual[i + 1]
        variance[i] = inverse[i] + lower[i + 1] * lower[i + 1] * variance[i + 1]
