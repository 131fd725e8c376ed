"""Compiled parts of a fit of flux F, background B and place x, y to the pixels of a window.

The model is F T + B, with a template T that depends on the place. Who fits renders T and its derivatives by x and y
into the scratch, and asks for one step of Gauss-Newton after the other.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.guide._solve_kernels import invert

__all__ = [
    "APART",
    "CONVERGED",
    "FREE",
    "HIT",
    "ROUNDS",
    "STEPS",
    "B",
    "F",
    "PairScratch",
    "X",
    "Y",
    "begin",
    "mask_hits",
    "scratch_for_fit",
    "sum_equations",
    "take_step",
    "weigh",
    "write_fit",
]

STEPS = 20
"""Iterations at most; four are usual."""

LARGEST_STEP = 0.7
"""Pixels that the place may move in one iteration."""

CONVERGED = 1e-4
"""Square of the last step in units of the errors: what is left is smaller than a thousandth of them."""

HIT = 36.0
"""Square of the distance from the model, in sigma, of a hit."""

PSF_ERROR = 0.02
"""Share of the star's light in a pixel by which the PSF may be wrong before that is a hit: bright stars in motion are
wider than their PSF, and would lose their middle."""

ROUNDS = 4
"""Times at most that hits are looked for."""

F, B, X, Y = 0, 1, 2, 3
"""Places of the fitted numbers."""

FREE = 4


APART = -1.0
"""What a step gives that leads nowhere."""


class PairScratch(NamedTuple):
    """Memory for one pair: pixels, which of them are used, what the model has there, equations, F, B, x and y."""

    image: np.ndarray
    used: np.ndarray
    light: np.ndarray
    weight: np.ndarray
    residual: np.ndarray
    normal: np.ndarray
    inverse: np.ndarray
    sums: np.ndarray
    state: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def scratch_for_fit(rows, columns):
    """Memory for windows of such a size."""
    return PairScratch(
        np.empty((rows, columns)),
        np.empty((rows, columns), np.bool_),
        np.empty((6, rows, columns)),
        np.empty((rows, columns)),
        np.empty((rows, columns)),
        np.empty((7, 7)),
        np.empty((FREE, FREE)),
        np.empty(7),
        np.empty(FREE),
    )


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def weigh(variance, s):
    """Weights at the state and weighted residuals; 0 where a pixel is not used."""
    image, weight, residual = s.image.ravel(), s.weight.ravel(), s.residual.ravel()
    used, light, reads = s.used.ravel(), s.light[0].ravel(), variance.ravel()
    flux, background = s.state[F], s.state[B]
    for p in range(image.size):
        model = flux * light[p] + background
        weight[p] = used[p] / (reads[p] + max(model, 0.0))
        residual[p] = weight[p] * (image[p] - model)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def sum_equations(s):
    """Normal matrix and right-hand side of F, B, x, y about the state."""
    weight, residual = s.weight.ravel(), s.residual.ravel()
    light, along_x, along_y = s.light[0].ravel(), s.light[1].ravel(), s.light[2].ravel()
    ff, fb, fx, fy, bb, bx, by = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    xx, xy, yy, rf, rb, rx, ry = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(weight.size):
        w, r, p0, px, py = weight[k], residual[k], light[k], along_x[k], along_y[k]
        wp, wx, wy = w * p0, w * px, w * py
        ff += wp * p0
        fb += wp
        fx += wp * px
        fy += wp * py
        bb += w
        bx += wx
        by += wy
        xx += wx * px
        xy += wx * py
        yy += wy * py
        rf += r * p0
        rb += r
        rx += r * px
        ry += r * py
    n, sums, flux = s.normal, s.sums, s.state[F]
    n[F, F], n[B, F], n[X, F], n[Y, F] = ff, fb, flux * fx, flux * fy
    n[B, B], n[X, B], n[Y, B] = bb, flux * bx, flux * by
    n[X, X], n[Y, X], n[Y, Y] = flux * flux * xx, flux * flux * xy, flux * flux * yy
    sums[F], sums[B], sums[X], sums[Y] = rf, rb, flux * rx, flux * ry


@njit(nogil=True, cache=True, error_model="numpy")
def take_step(variance, s):
    """A step of Gauss-Newton from the state, of whose template there are the derivatives.

    Parameters
    ----------
    variance : float32 (rows, columns)
        Of the reads, electrons².
    s : PairScratch
        Its state is changed.

    Returns
    -------
    float
        The square of the step in units of the errors; `APART` if the equations have no solution or the place is
        a pixel outside of the window.
    """
    rows, columns = s.image.shape
    weigh(variance, s)
    sum_equations(s)
    if not invert(s.normal[:FREE, :FREE], s.inverse):
        return APART
    length = 0.0
    for a in range(FREE):
        step = 0.0
        for b in range(FREE):
            step += s.inverse[a, b] * s.sums[b]
        length += step * s.sums[a]
        s.state[a] += step if a < X else min(max(step, -LARGEST_STEP), LARGEST_STEP)
    inside = -1 < s.state[X] < columns and -1 < s.state[Y] < rows
    return length if inside and np.isfinite(s.state[F]) and np.isfinite(s.state[B]) else APART


@njit(nogil=True, cache=True, error_model="numpy")
def mask_hits(k, masked, variance, s):
    """Use what is not masked and lies near the model.

    Parameters
    ----------
    k : int
        The pair.
    masked : bool (n, rows, columns)
        Pixels that are never used.
    variance : float32 (rows, columns)
        Of the reads, electrons².
    s : PairScratch
        With the template of its state.

    Returns
    -------
    int
        Pixels of which the use has changed.
    """
    rows, columns = s.image.shape
    changed = 0
    for j in range(rows):
        for i in range(columns):
            star = s.state[F] * s.light[0, j, i]
            residual = s.image[j, i] - star - s.state[B]
            expected = variance[j, i] + max(star + s.state[B], 0.0) + (PSF_ERROR * star) ** 2
            near = residual * residual <= HIT * expected
            use = near and not masked[k, j, i]
            changed += use != s.used[j, i]
            s.used[j, i] = use
    return changed


@njit(nogil=True, cache=True, error_model="numpy")
def begin(k, images, masked, start, s):
    """Take the pixels of a pair, and the state to begin from."""
    rows, columns = s.image.shape
    for j in range(rows):
        for i in range(columns):
            s.image[j, i] = images[k, j, i]
            s.used[j, i] = not masked[k, j, i]
    s.state[:] = start


@njit(nogil=True, cache=True, error_model="numpy")
def write_fit(row, s):
    """Place, flux, errors and χ² into a row of a table (`rtools.guide.measured`), if the equations have a solution.

    Parameters
    ----------
    row : float64 (COLUMNS,)
        Receives them.
    s : PairScratch
        With the weights (`weigh`) and equations of its state.

    Returns
    -------
    bool
        Whether they have.
    """
    rows, columns = s.image.shape
    if not invert(s.normal[:FREE, :FREE], s.inverse):
        return False
    chi2, used = 0.0, 0
    for j in range(rows):
        for i in range(columns):
            if s.used[j, i]:
                chi2 += s.residual[j, i] * s.residual[j, i] / s.weight[j, i]
                used += 1
    row[0], row[1], row[5], row[7] = s.state[X], s.state[Y], s.state[F], s.state[B]
    row[2], row[3], row[4], row[6] = s.inverse[X, X], s.inverse[Y, Y], s.inverse[X, Y], np.sqrt(s.inverse[F, F])
    row[9], row[10] = chi2 / max(used - FREE, 1), rows * columns - used
    return True
