"""Compiled evaluation of a pixel map: polynomials of degree 5 in either axis, one pair for each square of pixels."""

import numpy as np

from rtools.compiled import njit

__all__ = ["evaluate", "line", "row"]

ORDER = 6
"""Coefficients in either axis."""


@njit(nogil=True, cache=True, error_model="numpy")
def line(cell, v, out):
    """Coefficients in u of a cell's polynomial on the line v.

    Parameters
    ----------
    cell : float64 (ORDER, ORDER)
        Coefficients of v^a u^b.
    v : float
    out : float64 (ORDER,)
    """
    for b in range(ORDER):
        value = cell[ORDER - 1, b]
        for a in range(ORDER - 2, -1, -1):
            value = value * v + cell[a, b]
        out[b] = value


@njit(nogil=True, cache=True, error_model="numpy")
def row(cell, v, first, step, out, scratch):
    """A cell's polynomial on the line v at u = first, first + step, …

    Parameters
    ----------
    cell : float64 (ORDER, ORDER)
    v, first, step : float
        In units of the cell's side, from its low corner.
    out : float64 (n,)
    scratch : float64 (ORDER,)
    """
    line(cell, v, scratch)
    c0, c1, c2 = scratch[0], scratch[1], scratch[2]
    c3, c4, c5 = scratch[3], scratch[4], scratch[5]
    for i in range(out.size):
        u = first + step * i
        out[i] = ((((c5 * u + c4) * u + c3) * u + c2) * u + c1) * u + c0


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate(cells, step, corner, x, y):
    """Fill x and y with the output position of the input pixels from `corner` on.

    Parameters
    ----------
    cells : float64 (2, rows of cells, columns of cells, ORDER, ORDER)
    step : int
        Side of a cell in pixels.
    corner : (int, int)
        First row and column.
    x, y : float64 (rows, columns)
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
            u = (i_in + 0.5) / step
            row(cells[0, cy, cx], v, u, 1.0 / step, x[j, i:last], scratch)
            row(cells[1, cy, cx], v, u, 1.0 / step, y[j, i:last], scratch)
            i = last
