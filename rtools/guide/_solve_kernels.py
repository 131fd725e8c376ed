"""Compiled algebra of the few unknowns of a fit."""

import numpy as np

from rtools.compiled import njit

__all__ = ["invert", "reduce_normal", "solve_three"]


@njit(nogil=True, cache=True, error_model="numpy")
def invert(matrix, inverse):
    """Invert a symmetric positive matrix by its Cholesky factor.

    Parameters
    ----------
    matrix : float64 (n, n)
        Not changed.
    inverse : float64 (n, n)
        Receives the inverse.

    Returns
    -------
    bool
        Whether there is one.
    """
    n = matrix.shape[0]
    factor = np.zeros((n, n))
    for a in range(n):
        for b in range(a + 1):
            total = matrix[a, b]
            for c in range(b):
                total -= factor[a, c] * factor[b, c]
            if a > b:
                factor[a, b] = total / factor[b, b]
            elif total > 1e-14 * matrix[a, a] and np.isfinite(total):
                factor[a, a] = np.sqrt(total)
            else:
                return False
    _invert_factor(factor, inverse)
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def _invert_factor(factor, inverse):
    """(L Lᵀ)⁻¹ = L⁻ᵀ L⁻¹."""
    n = factor.shape[0]
    for column in range(n):  # L⁻¹ takes the place of L
        factor[column, column] = 1 / factor[column, column]
        for a in range(column + 1, n):
            total = 0.0
            for c in range(column, a):
                total -= factor[a, c] * factor[c, column]
            factor[a, column] = total / factor[a, a]
    for a in range(n):
        for b in range(a + 1):
            total = 0.0
            for c in range(a, n):
                total += factor[c, a] * factor[c, b]
            inverse[a, b] = inverse[b, a] = total


@njit(nogil=True, cache=True, error_model="numpy")
def reduce_normal(normal, sums, inverse, left, right):
    """Equations of the last three unknowns when the first are free: N_11 - N_10 N_00⁻¹ N_01, n_1 - N_10 N_00⁻¹ n_0.

    Parameters
    ----------
    normal : float64 (f + 3, f + 3)
        Normal matrix of all.
    sums : float64 (f + 3,)
        Right-hand side.
    inverse : float64 (f, f)
        N_00⁻¹.
    left : float64 (6,)
        Receives the upper triangle of the matrix.
    right : float64 (3,)
        Receives the right-hand side.
    """
    free = inverse.shape[0]
    taken = np.empty(free)
    place = 0
    for a in range(3):
        for c in range(free):
            taken[c] = 0.0
            for d in range(free):
                taken[c] += normal[free + a, d] * inverse[d, c]
        right[a] = sums[free + a]
        for c in range(free):
            right[a] -= taken[c] * sums[c]
        for b in range(a, 3):
            total = normal[free + a, free + b]
            for c in range(free):
                total -= taken[c] * normal[c, free + b]
            left[place] = total
            place += 1


@njit(nogil=True, cache=True, error_model="numpy")
def solve_three(left, right, found):
    """Solve the equations of `reduce_normal`; NaN where they have no solution.

    Parameters
    ----------
    left : float64 (6,)
        Upper triangle of the matrix.
    right : float64 (3,)
        Right-hand side.
    found : float64 (3,)
        Receives the three unknowns.
    """
    matrix, inverse = np.empty((3, 3)), np.empty((3, 3))
    place = 0
    for a in range(3):
        for b in range(a, 3):
            matrix[a, b] = matrix[b, a] = left[place]
            place += 1
    found[:] = np.nan
    if invert(matrix, inverse):
        for a in range(3):
            found[a] = inverse[a, 0] * right[0] + inverse[a, 1] * right[1] + inverse[a, 2] * right[2]
