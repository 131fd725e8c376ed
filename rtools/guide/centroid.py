"""Places, fluxes and widths of the guide star in every pair: by a fit of the PSF, or by moments."""

from __future__ import annotations

import numpy as np

from rtools.guide.difference import Difference
from rtools.guide.measured import COLUMNS, Centroids, centroids_of
from rtools.guide.psf import GuidePsf, spline_for
from rtools.work.loops import in_chunks
from rtools.work.work import ALONE, Work

__all__ = ["FAINTEST", "RUN", "fit_psf", "measure_moments"]

RUN = 25
"""Pairs of a running median."""

FAINTEST = 5.0
"""Flux in units of its error below which there is no star."""

UNUSUAL = 6.0
"""Sigma of χ² by which a fit is worse than others, so that it is tried again."""

START = (5, 7, 0, 1)
"""Columns of a table of results that a fit begins from: F, B, x, y."""

FLUX, FLUX_ERR, CHI2, MASKED, FITTED = 5, 6, 9, 10, 11


def fit_psf(difference: Difference, psf: GuidePsf, *, work: Work = ALONE) -> Centroids:
    """Fit flux, background and place of the PSF to the star in each pair.

    Parameters
    ----------
    difference : Difference
        Images of n pairs.
    psf : GuidePsf
        The PSF at the star's place.
    work : Work
        Its threads share the pairs. The results do not depend on them.

    Returns
    -------
    Centroids
        Errors are those of the inverse normal matrix, with the reads' variance and the photons' of the model.

    Notes
    -----
    The model is F P(i - x) + B. Weights are 1 / (s² + max(F P + B, 0)) and renewed in every step of the Gauss-Newton
    iteration, which begins at the moment of the brightest place. Pixels more than 6 sigma from the model are masked as
    hits of cosmic rays, and the pair is fitted again; that is repeated until the mask stays. In this sigma the PSF
    counts as known to 2 %, so that a bright star that is wider than its PSF keeps its middle.

    A pair is fitted again if its fit fails, finds no star (F < 5 errors), or has lost more than others: χ² and 36 for
    each masked pixel together exceed the median of all pairs by 6 √(2 n), n the pixels. A hit on the star can make a
    star of the hit. This fit begins at the median of the last 25 good pairs, with the hits masked that it shows. The
    one of the two that lost less stands.
    """
    from rtools.guide._centroid_kernels import fit_pairs

    images = np.ascontiguousarray(difference.images, np.float32)
    masked, variance = np.ascontiguousarray(difference.masked), np.ascontiguousarray(difference.variance, np.float32)
    spline = spline_for(psf, variance.shape)
    table = np.empty((len(images), COLUMNS))
    begin = np.full((len(images), 4), np.nan)
    in_chunks(work, len(images), fit_pairs, (images, masked, variance), spline, begin, table)
    lost = _lost(table, variance.size)
    again, starts = _second_starts(table, lost, variance.size)
    if len(again):
        second = np.empty((len(again), COLUMNS))
        in_chunks(work, len(again), fit_pairs, (images[again], masked[again], variance), spline, starts, second)
        better = _lost(second, variance.size) < lost[again]
        table[again[better]] = second[better]
    return centroids_of(table)


def _lost(table, pixels):
    """χ² and what masked pixels count; infinite where a fit failed."""
    from rtools.guide._fit_kernels import HIT

    lost = table[:, CHI2] * (pixels - table[:, MASKED] - 4) + HIT * table[:, MASKED]
    return np.where(table[:, FITTED] == 1, lost, np.inf)


def _second_starts(table, lost, pixels):
    """Pairs that are to be fitted again, and the F, B, x, y to begin from: medians of the last good pairs before them.

    Those before the first 25 good pairs begin from the median of these.
    """
    fitted = np.isfinite(lost)
    with np.errstate(invalid="ignore"):
        bright = table[:, FLUX] > FAINTEST * table[:, FLUX_ERR]
    usual = np.median(lost[fitted]) if fitted.any() else 0.0
    good = bright & (lost <= usual + UNUSUAL * np.sqrt(2 * pixels))
    again, places = np.flatnonzero(~good), np.flatnonzero(good)
    if not len(again) or not len(places):
        return again[:0], np.empty((0, 4))
    values = table[good][:, START]
    last = np.maximum(np.searchsorted(places, again), min(RUN, len(places)))
    ends, which = np.unique(last, return_inverse=True)
    medians = np.array([np.median(values[max(end - RUN, 0) : end], axis=0) for end in ends])
    return again, np.ascontiguousarray(medians[which])


def measure_moments(difference: Difference, *, work: Work = ALONE) -> Centroids:
    """Centre of the light in a box of 5 × 5 pixels about the brightest place.

    Parameters
    ----------
    difference : Difference
        Images of n pairs.
    work : Work
        Its threads share the pairs.

    Returns
    -------
    Centroids
        `flux` and `aperture_flux` are the light in the box. The widths are the second moments of the image in the box.
        There is no χ².

    Notes
    -----
    The background is the median of the outermost pixels. The box begins at the brightest place of the image smoothed
    over 3 × 3 pixels, is centred five times, and takes pixels on its edge by their share. The place depends on the
    phase of the pixels, by 1 to 2 mas rms in the bluest filters, because the box is small and pixels are coarse.
    """
    from rtools.guide._moment_kernels import measure_pairs

    images = np.ascontiguousarray(difference.images, np.float32)
    table = np.empty((len(images), COLUMNS))
    variance = np.ascontiguousarray(difference.variance, np.float32)
    in_chunks(work, len(images), measure_pairs, images, np.ascontiguousarray(difference.masked), variance, table)
    table[:, 8] = table[:, 5]
    return centroids_of(table)
