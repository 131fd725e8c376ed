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
from rtools.guide._psf_kernels import add_light, add_light_and_curvature
from rtools.guide._solve_kernels import invert, reduce_normal, solve_three

__all__ = ["fit_pairs"]

STEPS = 20
"""Iterations at most; four are usual."""

LARGEST_STEP = 0.7
"""Pixels that the place may move in one iteration."""

CONVERGED = 1e-6
"""Square of the last step in units of the errors: it is smaller than a thousandth of them."""

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
    """Memory for one pair: pixels, which of them are used, light, B-splines, equations."""

    image: np.ndarray
    used: np.ndarray
    light: np.ndarray
    basis: np.ndarray
    moments: np.ndarray
    ring: np.ndarray
    normal: np.ndarray
    inverse: np.ndarray
    sums: np.ndarray
    state: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def _scratch(rows, columns):
    return _Scratch(
        np.empty((rows, columns)),
        np.empty((rows, columns), np.bool_),
        np.empty((6, rows, columns)),
        np.empty((2, 3, 4)),
        np.empty(MOMENTS),
        np.empty(2 * (rows + columns) + 10),
        np.empty((7, 7)),
        np.empty((FREE, FREE)),
        np.empty(7),
        np.empty(FREE),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _sum_equations(variance, s):
    """Normal matrix and right-hand side of F, B, x, y about the state; of the light that is in the scratch."""
    flux, background = s.state[F], s.state[B]
    ff, fb, fx, fy, bb, bx, by = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    xx, xy, yy, rf, rb, rx, ry = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    rows, columns = s.image.shape
    for j in range(rows):
        for i in range(columns):
            p, px, py = s.light[0, j, i], flux * s.light[1, j, i], flux * s.light[2, j, i]
            model = flux * p + background
            weight = 1 / (variance[j, i] + max(model, 0.0)) if s.used[j, i] else 0.0
            residual = weight * (s.image[j, i] - model)
            wp, wx = weight * p, weight * px
            ff += wp * p
            fb += wp
            fx += wp * px
            fy += wp * py
            bb += weight
            bx += wx
            by += weight * py
            xx += wx * px
            xy += wx * py
            yy += weight * py * py
            rf += residual * p
            rb += residual
            rx += residual * px
            ry += residual * py
    n, r = s.normal, s.sums
    n[F, F], n[F, B], n[F, X], n[F, Y] = ff, fb, fx, fy
    n[B, F], n[B, B], n[B, X], n[B, Y] = fb, bb, bx, by
    n[X, F], n[X, B], n[X, X], n[X, Y] = fx, bx, xx, xy
    n[Y, F], n[Y, B], n[Y, X], n[Y, Y] = fy, by, xy, yy
    r[F], r[B], r[X], r[Y] = rf, rb, rx, ry


@njit(nogil=True, cache=True, error_model="numpy")
def _improve(variance, planes, s):
    """Gauss-Newton from the state in the scratch; whether it ended at a star in the window."""
    rows, columns = s.image.shape
    for _ in range(STEPS):
        add_light(planes, s.state[X], s.state[Y], s.light, s.basis)
        _sum_equations(variance, s)
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
def _mask_hits(k, masked, variance, planes, s):
    """Use what is not masked and lies near the model of the state; pixels by which that differs from before."""
    rows, columns = s.image.shape
    add_light(planes, s.state[X], s.state[Y], s.light, s.basis)
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


@njit(nogil=True, cache=True, error_model="numpy")
def _finish(variance, planes, row, s):
    """Errors, χ², aperture and width at the state."""
    rows, columns = s.image.shape
    flux, background, x, y = s.state
    add_light_and_curvature(planes, x, y, s.light, s.basis)
    s.normal[:], s.sums[:] = 0, 0
    terms = np.empty(7)
    chi2, aperture, used = 0.0, 0.0, 0
    for j in range(rows):
        for i in range(columns):
            light = s.light[:, j, i]
            model = flux * light[0] + background
            share = min(max(APERTURE + 0.5 - np.hypot(i - x, j - y), 0.0), 1.0)
            aperture += share * ((s.image[j, i] if s.used[j, i] else model) - background)
            if not s.used[j, i]:
                continue
            weight = 1 / (variance[j, i] + max(model, 0.0))
            residual = s.image[j, i] - model
            used += 1
            chi2 += weight * residual * residual
            terms[0], terms[1], terms[2], terms[3] = light[0], 1.0, flux * light[1], flux * light[2]
            terms[4], terms[5], terms[6] = flux * light[3] / 2, flux * light[4] / 2, flux * light[5]
            for a in range(7):
                weighted = weight * terms[a]
                s.sums[a] += weighted * residual
                for b in range(a, 7):
                    s.normal[a, b] += weighted * terms[b]
    for a in range(7):
        for b in range(a):
            s.normal[a, b] = s.normal[b, a]
    row[0], row[1], row[5], row[7], row[8] = x, y, flux, background, aperture
    row[9], row[10] = chi2 / max(used - FREE, 1), rows * columns - used
    if not invert(s.normal[:FREE, :FREE], s.inverse):
        return False
    row[2], row[3], row[4], row[6] = s.inverse[X, X], s.inverse[Y, Y], s.inverse[X, Y], np.sqrt(s.inverse[F, F])
    reduce_normal(s.normal, s.sums, s.inverse, row[15:21], row[21:24])
    solve_three(row[15:21], row[21:24], row[12:15])
    return True


@njit(nogil=True, cache=True, error_model="numpy")
def fit_pairs(pairs, planes, starts, table, first, last):
    """Fit pairs [first, last), each into its row of a table (`rtools.guide.measured`).

    Parameters
    ----------
    pairs : tuple
        Images float32 (n, rows, columns), masks bool (n, rows, columns), variance of the reads float32 (rows,
        columns).
    planes : SplinePlanes
        Of the PSF, made for the window.
    starts : float64 (n, 4)
        F, B, x, y to begin from, where hits are masked by it at once. NaN: begin from the moment.
    table : float64 (n, COLUMNS)
        Receives the results; NaN where nothing is found.
    first, last : int
        Pairs.
    """
    images, masked, variance = pairs
    s = _scratch(images.shape[1], images.shape[2])
    for k in range(first, last):
        row = table[k]
        row[:] = np.nan
        _begin(k, images, masked, starts[k], s)
        if np.isnan(s.state[F]):
            box_moments(s.image, s.used, variance, s.ring, s.moments)
            s.state[F], s.state[B], s.state[X], s.state[Y] = s.moments[2], s.moments[3], s.moments[0], s.moments[1]
        else:
            _mask_hits(k, masked, variance, planes, s)
        found = _improve(variance, planes, s)
        for _ in range(ROUNDS):
            if not found or not _mask_hits(k, masked, variance, planes, s):
                break
            found = _improve(variance, planes, s)
        row[11] = found and _finish(variance, planes, row, s)
