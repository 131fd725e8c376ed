"""Compiled light of stars in the regions of sources: the PSF as a spline, and what fitted stars give to pixels.

The effective PSF ψ is the share of a star's light that a pixel receives, as a function of the pixel's place less the
star's (Anderson & King 2000, PASP 112, 1360, section 2): a star of flux F at (x, y) gives F ψ(i - x, j - y) to pixel
(i, j). Between the samples of a stamp ψ is a cubic spline, a sum of B-splines β³ times coefficients (Unser 1999, IEEE
Signal Processing Magazine 16, 22). Of several stamps ψ is the weighted mean.
"""

import math

import numpy as np

from rtools.catalog.psf._psffit_work import PAD, PIXELS, SIDE, LightScratch
from rtools.compiled import njit

__all__ = ["add_others", "model_variance", "render_star", "scratch_for_light"]

TAPS = 4
"""B-splines that are not zero at a place, along one axis."""

WIDTH = TAPS * SIDE

LEAST_VARIANCE = 1e-4
"""The model may claim no less than this share of the measured variance: pixels that it lacks would count too much."""

FAINT = 1e-3
"""Light below this share of the noise of the region's best pixel is left out."""


@njit(nogil=True, cache=True, error_model="numpy")
def scratch_for_light():
    """Memory for `render_star`."""
    return LightScratch(
        np.empty((WIDTH, WIDTH)),
        np.empty((2, WIDTH, SIDE)),
        np.empty(TAPS),
        np.empty(TAPS),
        np.empty(TAPS),
        np.empty(TAPS),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _fill_basis(t, value, slope):
    """B-splines of the samples -1, 0, 1, 2 at a place t in [0, 1) after sample 0, and their derivatives.

    β³(u) = (2 - |u|)³ / 6 for 1 <= |u| < 2, and (4 - 6 u² + 3 |u|³) / 6 within 1. The four sum to 1, and the
    derivatives to 0.
    """
    s = 1 - t
    value[0], value[3] = s * s * s / 6, t * t * t / 6
    value[1] = (3 * t * t * t - 6 * t * t + 4) / 6
    value[2] = 1 - value[0] - value[1] - value[3]
    slope[0], slope[3] = -s * s / 2, t * t / 2
    slope[1] = (3 * t * t - 4 * t) / 2
    slope[2] = -slope[0] - slope[1] - slope[3]


@njit(nogil=True, cache=True, error_model="numpy")
def _pixels_on_stamp(start, step, n):
    """Which of the five pixels, at samples start + step · j, lie on the stamp [0, n - 1]: first, one after the last."""
    first = 0
    while first < SIDE and start + step * first < 0:
        first += 1
    last = SIDE
    while last > first and start + step * (last - 1) > n - 1:
        last -= 1
    return first, last


@njit(nogil=True, cache=True, error_model="numpy")
def render_star(model, star, place, corner, out, scratch):
    """Light of a star of flux 1 in a region, and its derivatives by x and y of the star.

    Parameters
    ----------
    model : PsfModel
        The PSF.
    star : int
        The source whose weights of the stamps are taken.
    place : float64 (2 or more,)
        x, y of the star.
    corner : int64 (2,)
        x, y of the region's first pixel.
    out : float64 (3, 25)
        Receives ψ, ∂ψ/∂x and ∂ψ/∂y; 0 for pixels that are not on the stamp.
    scratch : LightScratch
        Memory.
    """
    oversample = model.oversample
    ny, nx = model.splines.shape[1] - 2 * PAD, model.splines.shape[2] - 2 * PAD
    # The middle of a stamp is the star. One pixel is a whole number of samples: all pixels of the region lie at the
    # same place between samples, so one set of B-splines serves them all.
    start_x = oversample * (corner[0] - place[0]) + 0.5 * (nx - 1)
    start_y = oversample * (corner[1] - place[1]) + 0.5 * (ny - 1)
    out[:] = 0
    columns = _pixels_on_stamp(start_x, oversample, nx)
    rows = _pixels_on_stamp(start_y, oversample, ny)
    if columns[0] == columns[1] or rows[0] == rows[1]:
        return
    ix, iy = math.floor(start_x), math.floor(start_y)
    _fill_basis(start_x - ix, scratch.across, scratch.across_slope)
    _fill_basis(start_y - iy, scratch.along, scratch.along_slope)
    _mix_taps(model, star, (ix, iy), columns, rows, scratch.taps)
    _sum_along_x(scratch, columns, rows)
    lines, along, along_slope = scratch.lines, scratch.along, scratch.along_slope
    for j in range(rows[0], rows[1]):
        for i in range(columns[0], columns[1]):
            for b in range(TAPS):
                value = lines[0, TAPS * j + b, i]
                out[0, SIDE * j + i] += along[b] * value
                # A star that moves to the right moves its light's argument to the left.
                out[1, SIDE * j + i] -= oversample * along[b] * lines[1, TAPS * j + b, i]
                out[2, SIDE * j + i] -= oversample * along_slope[b] * value


@njit(nogil=True, cache=True, error_model="numpy")
def _mix_taps(model, star, sample, columns, rows, taps):
    """Sum the coefficients of the stamps, with the star's weights, at the taps of every pixel of the region."""
    ix, iy = sample
    oversample = model.oversample
    taps[:] = 0
    for k in range(model.weights.shape[1]):
        weight = model.weights[star, k]
        if weight == 0:
            continue
        for j in range(rows[0], rows[1]):
            for b in range(TAPS):
                line = model.splines[k, iy + oversample * j + b + PAD - 1]
                for i in range(columns[0], columns[1]):
                    for a in range(TAPS):
                        taps[TAPS * j + b, TAPS * i + a] += weight * line[ix + oversample * i + a + PAD - 1]


@njit(nogil=True, cache=True, error_model="numpy")
def _sum_along_x(scratch, columns, rows):
    """Sums of the taps along x, with the B-splines and with their derivatives, for each row of taps and pixel."""
    taps, lines, across, across_slope = scratch.taps, scratch.lines, scratch.across, scratch.across_slope
    for row in range(TAPS * rows[0], TAPS * rows[1]):
        for i in range(columns[0], columns[1]):
            value, slope = 0.0, 0.0
            for a in range(TAPS):
                value += across[a] * taps[row, TAPS * i + a]
                slope += across_slope[a] * taps[row, TAPS * i + a]
            lines[0, row, i], lines[1, row, i] = value, slope


@njit(nogil=True, cache=True, error_model="numpy")
def model_variance(pieces, regions, model, values, noise, out):
    """Variance of every pixel as the fitted stars have it: dark + per_light · max(background + light, 0).

    Parameters
    ----------
    pieces : Pieces
        Which sources; those of a piece shine into each other's regions.
    regions : RegionPixels
        `others` is light, too; `variance` bounds the result from below.
    model : PsfModel
        The PSF.
    values : float64 (n, 3)
        x, y, flux of the sources.
    noise : RegionNoise
        Where the variance comes from.
    out : float64 (n, 25)
        Receives the variance; rows of other sources stay.
    """
    light = np.empty((3, PIXELS))
    scratch = scratch_for_light()
    for g in range(pieces.starts.size - 1):
        piece = pieces.order[pieces.starts[g] : pieces.starts[g + 1]]
        for region in piece:
            for p in range(PIXELS):
                out[region, p] = noise.background[region, p] + regions.others[region, p]
            for star in piece:
                render_star(model, star, values[star], model.corners[region], light, scratch)
                for p in range(PIXELS):
                    out[region, p] += values[star, 2] * light[0, p]
            for p in range(PIXELS):
                modelled = noise.dark[region, p] + noise.per_light[region, p] * max(out[region, p], 0.0)
                out[region, p] = max(modelled, LEAST_VARIANCE * regions.variance[region, p])


@njit(nogil=True, cache=True, error_model="numpy")
def add_others(rest, reach, model, values, variance, out):
    """Light, in the regions of a piece, of the sources of its group that are not in it.

    Parameters
    ----------
    rest : RestOfGroup
        The piece and its group.
    reach : LightReach
        Distances of the sources that are looked at.
    model : PsfModel
        The PSF.
    values : float64 (n, 3)
        x, y, flux of the sources.
    variance : float64 (n, 25)
        Of the pixels: light far below their noise is left out.
    out : float64 (n, 25)
        Receives the light; rows of sources that are not in the piece stay.
    """
    light = np.empty((3, PIXELS))
    scratch = scratch_for_light()
    for region in rest.piece:
        corner = model.corners[region]
        out[region] = 0
        faint = FAINT * math.sqrt(variance[region].min())
        for j in range(_first_beyond(rest.by_x, model.corners, corner[0] - reach.last), rest.by_x.size):
            star = rest.by_x[j]
            if model.corners[star, 0] >= corner[0] + reach.last:
                break
            # By where the regions are, not the fits: a source is either near or far for all sweeps.
            away = max(abs(model.corners[star, 0] - corner[0]), abs(model.corners[star, 1] - corner[1]))
            if away < reach.first or away >= reach.last or rest.piece_of[star] == rest.piece_of[region]:
                continue
            ring = min(max(away - SIDE, 0), reach.envelope.size - 1)
            if abs(values[star, 2]) * reach.envelope[ring] < faint:
                continue
            render_star(model, star, values[star], corner, light, scratch)
            for p in range(PIXELS):
                out[region, p] += values[star, 2] * light[0, p]


@njit(nogil=True, cache=True, error_model="numpy")
def _first_beyond(by_x, corners, x):
    """Place in `by_x` of the first source whose region begins right of x, by bisection."""
    low, high = 0, by_x.size
    while low < high:
        middle = (low + high) // 2
        if corners[by_x[middle], 0] <= x:
            low = middle + 1
        else:
            high = middle
    return low
