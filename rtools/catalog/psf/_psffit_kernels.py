"""Compiled parts of PSF photometry: least-squares fits of x, y and flux of all sources of a piece together.

What is minimised is χ² = Σ w (d - o - Σ_k F_k ψ_k)² over the pixels of the regions of a piece, with d the data, o the
light of others, w = 1 / variance, and F_k ψ_k the light of source k (`_psf_light_kernels`). With the parameters p, the
residuals r and J = ∂model/∂p, the normal equations of a step δ are (JᵀWJ) δ = JᵀWr. Levenberg (1944, Quarterly of
Applied Mathematics 2, 164) and Marquardt (1963, Journal of SIAM 11, 431) damp them: the diagonal of JᵀWJ is multiplied
by 1 + λ, λ being lowered after a step that helps and raised after one that does not.
"""

import math

import numpy as np

from rtools.catalog.psf._cholesky_kernels import factorise, invert_diagonal, solve
from rtools.catalog.psf._psf_light_kernels import render_star, scratch_for_light
from rtools.catalog.psf._psffit_work import FLAGS, PIXELS, SIDE, FitScratch, NormalEquations, RegionScratch
from rtools.compiled import njit

__all__ = ["NO_COVARIANCE", "fit_pieces", "measure_fit", "weigh_pixels"]

STEPS = 200
CONVERGED = 1e-10
"""A step is the last one when 1 + chi-square falls by less than this share."""

LARGEST_MOVE = 1.0
"""Pixels a source may go in one step: farther, its light is nothing like its linear approximation."""

FIRST_DAMPING, LEAST_RAISED, MOST_DAMPING = 1e-3, 1e-6, 1e12
"""λ at the start; what it is raised to at least; where the fit is given up."""

DAMPING_STEP = 10
"""What λ is multiplied by, or divided."""

NO_INFORMATION = 1e-300
"""Stands for a diagonal element of 0, which a parameter has that no pixel tells of."""

NOT_CONVERGED = np.int32(FLAGS["not_converged"])
NO_COVARIANCE = np.int32(FLAGS["no_covariance"])


@njit(nogil=True, cache=True, error_model="numpy")
def fit_pieces(pieces, regions, model, stars, once):
    """Fit pieces one by one.

    Parameters
    ----------
    pieces : Pieces
        Which sources are fitted together.
    regions : RegionPixels
        What is fitted.
    model : PsfModel
        The PSF.
    stars : FittedStars
        Holds the start values, and receives all results.
    once : bool
        Pixels in several regions of a piece count once, not once for each.
    """
    largest = 0
    for g in range(pieces.starts.size - 1):
        largest = max(largest, pieces.starts[g + 1] - pieces.starts[g])
    scratch = _scratch_for_fit(largest)
    for g in range(pieces.starts.size - 1):
        piece = pieces.order[pieces.starts[g] : pieces.starts[g + 1]]
        weigh_pixels(piece, regions.variance, model.corners, once, scratch.region.inverse)
        values = np.empty((piece.size, 3))
        for s in range(piece.size):
            for a in range(3):
                values[s, a] = stars.values[piece[s], a]
        converged = _minimise(piece, regions, model, values, scratch)
        known = factorise(scratch.current.normal, 3 * piece.size)
        if known:
            invert_diagonal(scratch.current.normal, 3 * piece.size, scratch.squares, scratch.cross)
        _flag_and_measure_errors(piece, known, converged, scratch, stars)
        for s in range(piece.size):
            for a in range(3):
                stars.values[piece[s], a] = values[s, a]
            stars.gof[piece[s]] = measure_fit(piece, s, regions, model, values, scratch.region, 3)


@njit(nogil=True, cache=True, error_model="numpy")
def _scratch_for_fit(n):
    """Memory for pieces of up to n sources."""
    size = 3 * n
    return FitScratch(
        NormalEquations(np.empty((size, size)), np.empty(size)),
        NormalEquations(np.empty((size, size)), np.empty(size)),
        np.empty((size, size)),
        np.empty(size),
        np.empty(size),
        np.empty(n),
        RegionScratch(np.empty((n, PIXELS)), np.empty(size), np.empty((n, 3, PIXELS)), scratch_for_light()),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def weigh_pixels(piece, variance, corners, once, inverse):
    """Weight of each pixel of the regions of a piece, shared among the regions that hold it where it counts once."""
    for s in range(piece.size):
        for p in range(PIXELS):
            inverse[s, p] = 1 / variance[piece[s], p]
            if once and piece.size > 1 and inverse[s, p] > 0:
                inverse[s, p] /= _count_regions(piece, corners, s, p)


@njit(nogil=True, cache=True, error_model="numpy")
def _count_regions(piece, corners, s, p):
    """How many regions of a piece have pixel p of the region of its source s."""
    x = corners[piece[s], 0] + p % SIDE
    y = corners[piece[s], 1] + p // SIDE
    count = 0
    for k in range(piece.size):
        corner = corners[piece[k]]
        count += 0 <= x - corner[0] < SIDE and 0 <= y - corner[1] < SIDE
    return count


@njit(nogil=True, cache=True, error_model="numpy")
def _minimise(piece, regions, model, values, scratch):
    """Lead `values` (n, 3) to the least χ², `scratch.current` to their equations. Returns whether the fit converged."""
    current, trial, factor, step, region = scratch.current, scratch.trial, scratch.factor, scratch.step, scratch.region
    total = _build_equations(piece, regions, model, values, current, region)
    tried = values.copy()
    damping = FIRST_DAMPING
    for _ in range(STEPS):
        while damping < MOST_DAMPING and not _solve_damped(current, values.size, damping, factor, step):
            damping = max(DAMPING_STEP * damping, LEAST_RAISED)
        if damping >= MOST_DAMPING:
            return False
        expected = _take_step(values, step, current.gradient, tried)
        # A strongly damped step is short because of the damping: that it promises little does not mean the end.
        last = expected < CONVERGED * (1 + total) and damping < 1
        tried_total = _build_equations(piece, regions, model, tried, trial, region)
        if tried_total <= total:
            total = tried_total
            _accept(tried, trial, values, current)
            damping *= 1 / DAMPING_STEP
        else:
            damping = max(DAMPING_STEP * damping, LEAST_RAISED)
        if last:
            return True
    return False


@njit(nogil=True, cache=True, error_model="numpy")
def _build_equations(piece, regions, model, values, equations, scratch):
    """Fill the normal equations of a piece at some values of its parameters; returns χ²."""
    n = piece.size
    normal, gradient, data, others = equations.normal, equations.gradient, regions.data, regions.others
    inverse, row, light, spline = scratch.inverse, scratch.row, scratch.light, scratch.spline
    normal[: 3 * n, : 3 * n] = 0
    gradient[: 3 * n] = 0
    total = 0.0
    for s in range(n):
        region = piece[s]
        for k in range(n):
            render_star(model, piece[k], values[k], model.corners[region], light[k], spline)
        chi = 0.0
        for p in range(PIXELS):
            weight = inverse[s, p]
            if weight == 0:
                continue
            residual = data[region, p] - others[region, p]
            for k in range(n):
                flux = values[k, 2]
                residual -= flux * light[k, 0, p]
                row[3 * k] = flux * light[k, 1, p]
                row[3 * k + 1] = flux * light[k, 2, p]
                row[3 * k + 2] = light[k, 0, p]
            chi += weight * residual * residual
            for a in range(3 * n):
                scaled = weight * row[a]
                gradient[a] += scaled * residual
                for b in range(a + 1):
                    normal[a, b] += scaled * row[b]
        total += chi
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def _solve_damped(equations, size, damping, factor, step):
    """Solve the damped equations for the step; True if all sources may go that far."""
    normal = equations.normal
    for a in range(size):
        for b in range(a):
            factor[a, b] = normal[a, b]
        factor[a, a] = max(normal[a, a] * (1 + damping), NO_INFORMATION)
    if not factorise(factor, size):
        return False
    solve(factor, size, equations.gradient, step)
    longest = 0.0
    for a in range(0, size, 3):
        longest = max(longest, abs(step[a]), abs(step[a + 1]))
    return longest < LARGEST_MOVE


@njit(nogil=True, cache=True, error_model="numpy")
def _take_step(values, step, gradient, tried):
    """Values after the step; returns δᵀJᵀWr, by which χ² should fall at least."""
    expected = 0.0
    for a in range(values.size):
        expected += step[a] * gradient[a]
        tried[a // 3, a % 3] = values[a // 3, a % 3] + step[a]
    return expected


@njit(nogil=True, cache=True, error_model="numpy")
def _accept(tried, trial, values, current):
    """Values that were tried, and their equations, become the best so far."""
    for a in range(values.size):
        values[a // 3, a % 3] = tried[a // 3, a % 3]
        current.gradient[a] = trial.gradient[a]
        for b in range(a + 1):
            current.normal[a, b] = trial.normal[a, b]


@njit(nogil=True, cache=True, error_model="numpy")
def _flag_and_measure_errors(piece, known, converged, scratch, stars):
    """Errors from the covariance (JᵀWJ)⁻¹ of the parameters, and the flags of the fit."""
    for s in range(piece.size):
        star = piece[s]
        stars.flags[star] &= ~(NOT_CONVERGED | NO_COVARIANCE)
        if not converged:
            stars.flags[star] |= NOT_CONVERGED
        if not known:
            stars.flags[star] |= NO_COVARIANCE
        for a in range(3):
            stars.errors[star, a] = math.sqrt(scratch.squares[3 * s + a]) if known else math.nan
        stars.errors[star, 3] = scratch.cross[s] if known else math.nan


@njit(nogil=True, cache=True, error_model="numpy")
def measure_fit(piece, s, regions, model, values, scratch, parameters):
    """Reduced χ² of a source's own region, every pixel counted once; NaN with no more pixels than parameters of it."""
    region = piece[s]
    data, others, variance, light = regions.data, regions.others, regions.variance, scratch.light
    for k in range(piece.size):
        render_star(model, piece[k], values[k], model.corners[region], light[k], scratch.spline)
    chi, count = 0.0, 0
    for p in range(PIXELS):
        if variance[region, p] < math.inf:
            residual = data[region, p] - others[region, p]
            for k in range(piece.size):
                residual -= values[k, 2] * light[k, 0, p]
            chi += residual * residual / variance[region, p]
            count += 1
    return chi / (count - parameters) if count > parameters else math.nan
