"""Compiled solution of small positive definite systems by their Cholesky factor, matrix = L L'.

Golub & Van Loan, Matrix Computations (4th edition), sections 3.1 and 4.2. Only lower triangles are read and written.
"""

import math

import numpy as np

from rtools.compiled import njit

__all__ = ["factorise", "invert_diagonal", "solve"]

LEAST_PIVOT = 1e-14
"""A pivot that has lost more than this share of its diagonal element is rounding: the matrix is singular."""


@njit(nogil=True, cache=True, error_model="numpy")
def factorise(matrix, size):
    """Turn the lower triangle of the first `size` rows into L, in place; False unless it is positive definite."""
    for a in range(size):
        for b in range(a + 1):
            total = matrix[a, b]
            for c in range(b):
                total -= matrix[a, c] * matrix[b, c]
            if a == b:
                if not total > LEAST_PIVOT * matrix[a, a]:
                    return False
                matrix[a, a] = math.sqrt(total)
            else:
                matrix[a, b] = total / matrix[b, b]
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def solve(factor, size, right, out):
    """Solve L L' out = right: forwards with L, then backwards with its transpose."""
    for a in range(size):
        total = right[a]
        for b in range(a):
            total -= factor[a, b] * out[b]
        out[a] = total / factor[a, a]
    for a in range(size - 1, -1, -1):
        total = out[a]
        for b in range(a + 1, size):
            total -= factor[b, a] * out[b]
        out[a] = total / factor[a, a]


@njit(nogil=True, cache=True, error_model="numpy")
def invert_diagonal(factor, size, diagonal, cross):
    """Diagonal of the inverse of L L', and its element of the first two of every three parameters.

    Parameters
    ----------
    factor : float64 (size or more, size or more)
        L.
    size : int
        Number of parameters, a multiple of three: x, y and flux of each source.
    diagonal : float64 (size or more,)
        Receives the diagonal.
    cross : float64 (size / 3 or more,)
        Receives the element of x and y of each source.
    """
    # (L L')^-1 = L'^-1 L^-1: its elements are products of columns of L^-1, which are made one by one.
    column, previous = np.empty(size), np.empty(size)
    for c in range(size):
        total = 0.0
        for a in range(c, size):
            value = 1.0 if a == c else 0.0
            for b in range(c, a):
                value -= factor[a, b] * column[b]
            column[a] = value / factor[a, a]
        for a in range(c, size):
            total += column[a] * column[a]
        diagonal[c] = total
        if c % 3 == 1:
            cross[c // 3] = 0.0
            for a in range(c, size):
                cross[c // 3] += column[a] * previous[a]
        column, previous = previous, column
