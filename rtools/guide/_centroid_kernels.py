"""Compiled fit of the PSF to the star in each pair.

The model of pixel i is m = F P(i - x) + B, with variance s² + max(m, 0): s² of the reads, and the photons' as the model
has them. Gauss-Newton in (F, B, x, y) makes Σ (d - m)² / var least, with variances renewed each time. A pixel that lies
more than 6 sigma from the model is a hit of a cosmic ray: it is masked, and the pair is fitted again. In this sigma the
PSF counts as known to 2 %.

Jitter beyond that of the PSF adds ½ F H_xx P_xx + ½ F H_yy P_yy + F H_xy P_xy to the model, in first order. The width H
is what these three explain of the residual, when F, B, x and y are free: with the normal matrix in blocks of the
fitted (0) and the three (1), N = N_11 - N_10 N_00⁻¹ N_01 and n = n_1 - N_10 N_00⁻¹ n_0, it solves N H = n.
"""

import numpy as np

from rtools.compiled import njit
from rtools.guide._fit_kernels import (
    APART,
    CONVERGED,
    ROUNDS,
    STEPS,
    B,
    F,
    X,
    Y,
    begin,
    mask_hits,
    scratch_for_fit,
    take_step,
    weigh,
    write_fit,
)
from rtools.guide._moment_kernels import MOMENTS, SUMS, box_moments
from rtools.guide._psf_kernels import render, scratch_for
from rtools.guide._solve_kernels import reduce_normal, solve_three

__all__ = ["fit_pairs"]

APERTURE = 3.0
"""Radius of the aperture, pixels."""


@njit(nogil=True, cache=True, error_model="numpy")
def _improve(variance, spline, s, samples):
    """Gauss-Newton from the state in the scratch; whether it ended at a star in the window."""
    for _ in range(STEPS):
        render(spline, s.state[X], s.state[Y], s.light[:3], samples)
        length = take_step(variance, s)
        if length == APART:
            return False
        if length < CONVERGED:
            return True
    return False


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
    weigh(variance, s)
    _sum_all_equations(s)
    if not write_fit(row, s):
        return False
    row[8] = _aperture(s)
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
    rows, columns = variance.shape
    s, samples = scratch_for_fit(rows, columns), scratch_for(spline, columns)
    ring, moments = np.empty(2 * (rows + columns) + SUMS), np.empty(MOMENTS)
    for k in range(first, last):
        row = table[k]
        row[:] = np.nan
        begin(k, images, masked, starts[k], s)
        if np.isnan(s.state[F]):
            box_moments(s.image, s.used, variance, ring, moments)
            s.state[F], s.state[B], s.state[X], s.state[Y] = moments[2], moments[3], moments[0], moments[1]
        else:
            render(spline, s.state[X], s.state[Y], s.light[:3], samples)
            mask_hits(k, masked, variance, s)
        found = False
        for _ in range(ROUNDS):
            found = _improve(variance, spline, s, samples)
            if not found:
                break
            render(spline, s.state[X], s.state[Y], s.light, samples)
            if not mask_hits(k, masked, variance, s):
                break
        row[11] = found and _finish(variance, row, s)
