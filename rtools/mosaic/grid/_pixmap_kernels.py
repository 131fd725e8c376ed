"""Compiled evaluation of a pixel map: polynomials of degree 5 in either axis, one pair for each square of pixels.

Horner's scheme, first over the powers of v, then over those of u: a row of pixels shares the first of the two.
"""

import numpy as np

from rtools.compiled import njit

__all__ = ["ORDER", "evaluate", "evaluate_row"]

ORDER = 6
"""Coefficients in either axis."""


@njit(nogil=True, cache=True, error_model="numpy")
def _restrict_to_line(cell, v, out):
    """Coefficients in u of a cell's polynomial, ``Σ cell[a, b] v^a u^b``, on a line of constant v."""
    for b in range(ORDER):
        value = cell[ORDER - 1, b]
        for a in range(ORDER - 2, -1, -1):
            value = value * v + cell[a, b]
        out[b] = value


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate_row(cell, v, u, out, scratch):
    """A cell's polynomial at places along a line.

    Parameters
    ----------
    cell : float64 (ORDER, ORDER)
        Coefficients of v^a u^b.
    v : float
        The line, in units of the cell's side from its low corner.
    u : (float, float)
        First place on the line, and the distance from one to the next, in the same units.
    out : float64 (n,)
        Receives the values.
    scratch : float64 (ORDER,)
        Receives what is of no use afterwards.
    """
    _restrict_to_line(cell, v, scratch)
    c0, c1, c2 = scratch[0], scratch[1], scratch[2]
    c3, c4, c5 = scratch[3], scratch[4], scratch[5]
    first, step = u
    for i in range(out.size):
        at = first + step * i
        out[i] = ((((c5 * at + c4) * at + c3) * at + c2) * at + c1) * at + c0


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate(cells, step, corner, x, y):
    """Fill x and y with the output position of the input pixels from `corner` on.

    Parameters
    ----------
    cells : float64 (2, rows of cells, columns of cells, ORDER, ORDER)
        Coefficients, of x and of y.
    step : int
        Side of a cell in pixels.
    corner : (int, int)
        First row and column.
    x, y : float64 (rows, columns)
        Receive the positions, output pixels.
    """
    y0, x0 = corner
    height, width = x.shape
    scratch = np.empty(ORDER)
    for j in range(height):
        cy, j_in = divmod(y0 + j, step)
        v = (j_in + 0.5) / step
        i = 0
        while i < width:
            cx, i_in = divmod(x0 + i, step)
            last = min(i + step - i_in, width)
            u = (i_in + 0.5) / step, 1.0 / step
            evaluate_row(cells[0, cy, cx], v, u, x[j, i:last], scratch)
            evaluate_row(cells[1, cy, cx], v, u, y[j, i:last], scratch)
            i = last
