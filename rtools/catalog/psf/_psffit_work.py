"""What the parts of PSF photometry share: the region that is fitted, the flags, and bundles of arrays for the kernels.

Sources of a chunk are numbered 0 … n - 1, and the pixels of a source's region 0 … 24 row by row. k is the number of
stamps of the PSF.
"""

from typing import NamedTuple

import numpy as np

__all__ = [
    "FLAGS",
    "PAD",
    "PIXELS",
    "SIDE",
    "FitScratch",
    "FittedStars",
    "LightReach",
    "LightScratch",
    "NormalEquations",
    "Pieces",
    "PsfModel",
    "RegionNoise",
    "RegionPixels",
    "RegionScratch",
    "RestOfGroup",
]

SIDE = 5
"""Pixels on a side of the region that is fitted."""

PIXELS = SIDE * SIDE

PAD = 2
"""Mirrored coefficients around the stamps, for the spline's taps beyond the edge."""

FLAGS = {
    "few_pixels": 1,
    "outside": 2,
    "not_positive": 4,
    "not_converged": 8,
    "no_covariance": 16,
    "no_overlap": 64,
    "all_masked": 128,
    "too_few_pixels": 256,
    "no_position": 512,
    "no_flux": 1024,
    "shared": 8192,
}
"""Bits of psf_flags. 32 and 2048 mean bounds and local backgrounds in other programs; this fit has neither."""


class PsfModel(NamedTuple):
    """The PSF at the places of the sources.

    Attributes
    ----------
    splines : ndarray float64 (k, ny + 2 PAD, nx + 2 PAD)
        Coefficients of the B-splines of the stamps.
    oversample : int
        Samples of a stamp per pixel.
    corners : ndarray int64 (n, 2)
        x and y of the first pixel of each source's region.
    weights : ndarray float64 (n, k)
        Of the stamps, for each source.
    """

    splines: np.ndarray
    oversample: int
    corners: np.ndarray
    weights: np.ndarray


class RegionPixels(NamedTuple):
    """Pixels of the regions, float64 (n, 25).

    Attributes
    ----------
    data : ndarray
        The image less its background.
    others : ndarray
        Light of sources that are not fitted together with the region's own.
    variance : ndarray
        inf where a pixel is not used.
    """

    data: np.ndarray
    others: np.ndarray
    variance: np.ndarray


class RegionNoise(NamedTuple):
    """Where the variance of the pixels comes from, float64 (n, 25).

    Attributes
    ----------
    dark : ndarray
        Variance that is not of the light; inf where a pixel is not used.
    background : ndarray
        Light that was subtracted from the data.
    per_light : ndarray
        Variance that one unit of light adds.
    """

    dark: np.ndarray
    background: np.ndarray
    per_light: np.ndarray


class Pieces(NamedTuple):
    """Sources that are fitted together: piece g is ``order[starts[g] : starts[g + 1]]``; both int64."""

    order: np.ndarray
    starts: np.ndarray


class FittedStars(NamedTuple):
    """What the fit makes of the sources.

    Attributes
    ----------
    values : ndarray float64 (n, 3)
        x, y and flux: where the fit starts, then what it found.
    errors : ndarray float64 (n, 4)
        Of x, y and flux, and the covariance of x and y.
    gof : ndarray float64 (n,)
        Reduced chi-square.
    flags : ndarray int32 (n,)
        Sum of `FLAGS`.
    """

    values: np.ndarray
    errors: np.ndarray
    gof: np.ndarray
    flags: np.ndarray


class RestOfGroup(NamedTuple):
    """One piece of a large group, and the group around it.

    Attributes
    ----------
    piece : ndarray int64
        Sources of the piece.
    piece_of : ndarray int64 (n,)
        Number of the piece that each source is in.
    by_x : ndarray int64
        All sources of the group in the order of their regions' x.
    """

    piece: np.ndarray
    piece_of: np.ndarray
    by_x: np.ndarray


class LightReach(NamedTuple):
    """Which sources of the rest of a group are looked at.

    Attributes
    ----------
    envelope : ndarray float64
        Largest light of the PSF at each distance (`rtools.reference.epsf.Psf.envelope`).
    first, last : int
        Only sources at distances first <= d < last pixels from the region's middle pixel, along x or y.
    """

    envelope: np.ndarray
    first: int
    last: int


class LightScratch(NamedTuple):
    """Memory of `render_star`, float64.

    Attributes
    ----------
    taps : ndarray (20, 20)
        Coefficients under the region, those of the stamps mixed: four along y and x for each pixel.
    lines : ndarray (2, 20, 5)
        Sums along x of the taps with β³, and with its derivative.
    across, across_slope, along, along_slope : ndarray (4,)
        β³ and its derivative at the four taps along x, and along y.
    """

    taps: np.ndarray
    lines: np.ndarray
    across: np.ndarray
    across_slope: np.ndarray
    along: np.ndarray
    along_slope: np.ndarray


class NormalEquations(NamedTuple):
    """Of a piece of n sources, at some values of its parameters; float64, memory for the largest piece.

    Attributes
    ----------
    normal : ndarray (3n, 3n)
        JᵀWJ, its lower triangle.
    gradient : ndarray (3n,)
        JᵀWr.
    """

    normal: np.ndarray
    gradient: np.ndarray


class RegionScratch(NamedTuple):
    """Memory for the regions of a piece of n sources, float64.

    Attributes
    ----------
    inverse : ndarray (n, 25)
        w, the weights of the pixels.
    row : ndarray (3n,)
        One pixel's row of J.
    light : ndarray (n, 3, 25)
        ψ and its derivatives, of each source, in one region.
    spline : LightScratch
        Memory of the splines.
    """

    inverse: np.ndarray
    row: np.ndarray
    light: np.ndarray
    spline: LightScratch


class FitScratch(NamedTuple):
    """Memory for the fit of a piece of n sources, float64.

    Kernels that run once a step are given the parts that they need: to pass all of them on takes as long as the work.

    Attributes
    ----------
    current, trial : NormalEquations
        At the best values so far, and at those that are tried.
    factor : ndarray (3n, 3n)
        Cholesky factor of the damped matrix.
    step : ndarray (3n,)
        δ.
    squares : ndarray (3n,)
        Squared errors of the parameters.
    cross : ndarray (n,)
        Covariance of x and y.
    region : RegionScratch
        Memory for the regions.
    """

    current: NormalEquations
    trial: NormalEquations
    factor: np.ndarray
    step: np.ndarray
    squares: np.ndarray
    cross: np.ndarray
    region: RegionScratch
