"""Compiled fit of the PSF to the star in each pair.

The model of pixel i is m = F P(i - x) + B, with variance s² + max(m, 0): s² of the reads, and the photons' as the model
has them. Gauss-Newton in (F, B, x, y) makes Σ (d - m)² / var least, with variances renewed each time. A pixel that lies
more than 6 sigma from the model is a hit of a cosmic ray: it is masked, and the pair is fitted again.

Jitter beyond that of the PSF adds ½ F H_xx P_xx + ½ F H_yy P_yy + F H_xy P_xy to the model, in first order. The width H
is what these three explain of the residual, when F, B, x and y are free: with the normal matrix in blocks of the
fitted (0) and the three (1), N = N_11 - N_10 N_00⁻¹ N_01 and n = n_1 - N_10 N_00⁻¹ n_0, it solves N H = n.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.guide._moment_kernels import MOMENTS, box_moments
from rtools.guide._psf_kernels import RenderScratch, render, scratch_for
from rtools.guide._solve_kernels import invert, reduce_normal, solve_three

__all__ = ["fit_pairs"]

STEPS = 20
"""Iterations at most; four are usual."""

LARGEST_STEP = 0.7
"""Pixels that the place may move in one iteration."""

CONVERGED = 1e-4
"""Square of the last step in units of the errors: what is left is smaller than a thousandth of them."""

HIT = 36.0
"""Square of the distance from the model, in sigma, of a hit."""

ROUNDS = 4
"""Times at most that hits are looked for."""

APERTURE = 3.0
"""Radius of the aperture, pixels."""

F, B, X, Y = 0, 1, 2, 3
"""Places of the fitted numbers."""

FREE = 4


class _Scratch(NamedTuple):
    """Memory for one pair: pixels, which of them are used, what the model has there, equations."""

    image: np.ndarray
    used: np.ndarray
    light: np.ndarray
    weight: np.ndarray
    residual: np.ndarray
    render: RenderScratch
    moments: np.ndarray
    ring: np.ndarray
    normal: np.ndarray
    inverse: np.ndarray
    sums: np.ndarray
    state: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def _scratch(spline, rows, columns):
    return _Scratch(
        np.empty((rows, columns)),
        np.empty((rows, columns), np.bool_),
        np.empty((6, rows, columns)),
        np.empty((rows, columns)),
        np.empty((rows, columns)),
        scratch_for(spline, columns),
        np.empty(MOMENTS),
        np.empty(2 * (rows + columns) + 10),
        np.empty((7, 7)),
        np.empty((FREE, FREE)),
        np.empty(7),
        np.empty(FREE),
    )


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _weigh(variance, s):
    """Weights at the state and weighted residuals; 0 where a pixel is not used."""
    image, weight, residual = s.image.ravel(), s.weight.ravel(), s.residual.ravel()
    used, light, reads = s.used.ravel(), s.light[0].ravel(), variance.ravel()
    flux, background = s.state[F], s.state[B]
    for p in range(image.size):
        model = flux * light[p] + background
        weight[p] = used[p] / (reads[p] + max(model, 0.0))
        residual[p] = weight[p] * (image[p] - model)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def _sum_equations(s):
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
def _improve(variance, spline, s):
    """Gauss-Newton from the state in the scratch; whether it ended at a star in the window."""
    rows, columns = s.image.shape
    for _ in range(STEPS):
        render(spline, s.state[X], s.state[Y], s.light[:3], s.render)
        _weigh(variance, s)
        _sum_equations(s)
        if not invert(s.normal[:FREE, :FREE], s.inverse):
            return False
        decrement = 0.0
        for a in range(FREE):
            step = 0.0
            for b in range(FREE):
                step += s.inverse[a, b] * s.sums[b]
            decrement += step * s.sums[a]
            s.state[a] += step if a < X else min(max(step, -LARGEST_STEP), LARGEST_STEP)
        inside = -1 < s.state[X] < columns and -1 < s.state[Y] < rows
        if not inside or not np.isfinite(s.state[F]) or not np.isfinite(s.state[B]):
            return False
        if decrement < CONVERGED:
            return True
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def _mask_hits(k, masked, variance, s):
    """Use what is not masked and lies near the model; pixels by which that differs from before."""
    rows, columns = s.image.shape
    changed = 0
    for j in range(rows):
        for i in range(columns):
            model = s.state[F] * s.light[0, j, i] + s.state[B]
            residual = s.image[j, i] - model
            near = residual * residual <= HIT * (variance[j, i] + max(model, 0.0))
            use = near and not masked[k, j, i]
            changed += use != s.used[j, i]
            s.used[j, i] = use
    return changed


@njit(nogil=True, cache=True, error_model="numpy")
def _begin(k, images, masked, start, s):
    """Take the pixels of a pair, and the state to begin from if there is one."""
    rows, columns = s.image.shape
    for j in range(rows):
        for i in range(columns):
            s.image[j, i] = images[k, j, i]
            s.used[j, i] = not masked[k, j, i]
    s.state[:] = start


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract", "reassoc", "nsz"})
def _sum_product(weight, a, b):
    """Σ w a b over all pixels."""
    total = 0.0
    for p in range(weight.size):
        total += weight[p] * a[p] * b[p]
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def _sum_all_equations(s):
    """Normal matrix and right-hand side of F, B, x, y, and of the three widths."""
    flux = s.state[F]
    ones, weight, residual = np.ones(s.weight.size), s.weight.ravel(), s.residual.ravel()
    for a in range(7):
        left = ones if a == B else s.light[a - (a > B)].ravel()
        scale = (1.0 if a < X else flux) * (0.5 if a in (4, 5) else 1.0)
        s.sums[a] = scale * _sum_product(residual, left, ones)
        for b in range(a + 1):
            right = ones if b == B else s.light[b - (b > B)].ravel()
            product = scale * (1.0 if b < X else flux) * (0.5 if b in (4, 5) else 1.0)
            s.normal[a, b] = s.normal[b, a] = product * _sum_product(weight, left, right)


@njit(nogil=True, cache=True, error_model="numpy")
def _aperture(s):
    """Light less background near the place; that of the model where a pixel is not used."""
    rows, columns = s.image.shape
    flux, background, x, y = s.state
    total = 0.0
    for j in range(max(int(y - APERTURE), 0), min(int(y + APERTURE) + 2, rows)):
        for i in range(max(int(x - APERTURE), 0), min(int(x + APERTURE) + 2, columns)):
            share = min(max(APERTURE + 0.5 - np.sqrt((i - x) ** 2 + (j - y) ** 2), 0.0), 1.0)
            total += share * (s.image[j, i] - background if s.used[j, i] else flux * s.light[0, j, i])
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def _finish(variance, row, s):
    """Errors, χ², aperture and width at the state, of whose light there are all derivatives."""
    rows, columns = s.image.shape
    _weigh(variance, s)
    _sum_all_equations(s)
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
    row[8], row[9], row[10] = _aperture(s), chi2 / max(used - FREE, 1), rows * columns - used
    left, right = row[15:21], row[21:24]
    reduce_normal(s.normal, s.sums, s.inverse, left, right)
    _add_noise_of_place(left, row[2:5], right)
    solve_three(left, right, row[12:15])
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def _add_noise_of_place(left, place, right):
    """A fitted place follows the noise, which narrows the image by the covariance of the place: undo it."""
    xx, yy, xy = place
    right[0] += left[0] * xx + left[1] * yy + left[2] * xy
    right[1] += left[1] * xx + left[3] * yy + left[4] * xy
    right[2] += left[2] * xx + left[4] * yy + left[5] * xy


@njit(nogil=True, cache=True, error_model="numpy")
def fit_pairs(pairs, spline, starts, table, first, last):
    """Fit pairs [first, last), each into its row of a table (`rtools.guide.measured`).

    Parameters
    ----------
    pairs : tuple
        Images float32 (n, rows, columns), masks bool (n, rows, columns), variance of the reads float32 (rows,
        columns).
    spline : WindowSpline
        Of the PSF, made for the window.
    starts : float64 (n, 4)
        F, B, x, y to begin from, where hits are masked by it at once. NaN: begin from the moment.
    table : float64 (n, COLUMNS)
        Receives the results; NaN where nothing is found.
    first, last : int
        Pairs.
    """
    images, masked, variance = pairs
    s = _scratch(spline, images.shape[1], images.shape[2])
    for k in range(first, last):
        row = table[k]
        row[:] = np.nan
        _begin(k, images, masked, starts[k], s)
        if np.isnan(s.state[F]):
            box_moments(s.image, s.used, variance, s.ring, s.moments)
            s.state[F], s.state[B], s.state[X], s.state[Y] = s.moments[2], s.moments[3], s.moments[0], s.moments[1]
        else:
            render(spline, s.state[X], s.state[Y], s.light[:3], s.render)
            _mask_hits(k, masked, variance, s)
        found = False
        for _ in range(ROUNDS):
            found = _improve(variance, spline, s)
            if not found:
                break
            render(spline, s.state[X], s.state[Y], s.light, s.render)
            if not _mask_hits(k, masked, variance, s):
                break
        row[11] = found and _finish(variance, row, s)
