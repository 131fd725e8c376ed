"""Compiled parts of PSF photometry at given places: the fluxes of all sources of a piece together.

With the places fixed the model is linear in the fluxes F: χ² = Σ w (d - o - Σ_k F_k ψ_k)² (`_psffit_kernels`) is least
where (ΨᵀWΨ) F = ΨᵀW (d - o), and the covariance of the fluxes is (ΨᵀWΨ)⁻¹. Nothing is iterated.
"""

import math

import numpy as np

from rtools.catalog.psf._cholesky_kernels import factorise, invert_diagonal, solve
from rtools.catalog.psf._psf_light_kernels import render_star, scratch_for_light
from rtools.catalog.psf._psffit_kernels import NO_COVARIANCE, measure_fit, weigh_pixels
from rtools.catalog.psf._psffit_work import PIXELS, NormalEquations, RegionScratch
from rtools.compiled import njit

__all__ = ["fit_fluxes"]


@njit(nogil=True, cache=True, error_model="numpy")
def fit_fluxes(pieces, regions, model, stars, once):
    """Fit the fluxes of pieces one by one; places stay as they are, and their errors become 0.

    Parameters
    ----------
    pieces : Pieces
        Which sources are fitted together.
    regions : RegionPixels
        What is fitted.
    model : PsfModel
        The PSF.
    stars : FittedStars
        Holds the places, and receives all results; fluxes are NaN where the pixels do not tell them apart.
    once : bool
        Pixels in several regions of a piece count once, not once for each.
    """
    largest = 0
    for g in range(pieces.starts.size - 1):
        largest = max(largest, pieces.starts[g + 1] - pieces.starts[g])
    equations = NormalEquations(np.empty((largest, largest)), np.empty(largest))
    light = np.empty((largest, 3, PIXELS))
    scratch = RegionScratch(np.empty((largest, PIXELS)), np.empty(largest), light, scratch_for_light())
    fluxes, squares, cross = np.empty(largest), np.empty(largest), np.empty(largest)
    for g in range(pieces.starts.size - 1):
        piece = pieces.order[pieces.starts[g] : pieces.starts[g + 1]]
        weigh_pixels(piece, regions.variance, model.corners, once, scratch.inverse)
        values = np.empty((piece.size, 3))
        for s in range(piece.size):
            for a in range(3):
                values[s, a] = stars.values[piece[s], a]
        _build_flux_equations(piece, regions, model, equations, scratch, values)
        known = factorise(equations.normal, piece.size)
        if known:
            solve(equations.normal, piece.size, equations.gradient, fluxes)
            invert_diagonal(equations.normal, piece.size, squares, cross)  # places, of which cross tells, are fixed
        for s in range(piece.size):
            star = piece[s]
            values[s, 2] = fluxes[s] if known else math.nan
            stars.values[star, 2] = values[s, 2]
            stars.errors[star] = 0
            stars.errors[star, 2] = math.sqrt(squares[s]) if known else math.nan
            stars.flags[star] &= ~NO_COVARIANCE
            if not known:
                stars.flags[star] |= NO_COVARIANCE
        for s in range(piece.size):
            stars.gof[piece[s]] = measure_fit(piece, s, regions, model, values, scratch, 1)


@njit(nogil=True, cache=True, error_model="numpy")
def _build_flux_equations(piece, regions, model, equations, scratch, values):
    """Fill ΨᵀWΨ, its lower triangle, and ΨᵀW (d - o) of a piece."""
    n = piece.size
    normal, right, light = equations.normal, equations.gradient, scratch.light
    normal[:n, :n] = 0
    right[:n] = 0
    for s in range(n):
        region = piece[s]
        for k in range(n):
            render_star(model, piece[k], values[k], model.corners[region], light[k], scratch.spline)
        for p in range(PIXELS):
            weight = scratch.inverse[s, p]
            if weight == 0:
                continue
            seen = regions.data[region, p] - regions.others[region, p]
            for a in range(n):
                right[a] += weight * light[a, 0, p] * seen
                for b in range(a + 1):
                    normal[a, b] += weight * light[a, 0, p] * light[b, 0, p]
