"""Places, fluxes and widths of the guide star in every pair: by a fit of the PSF, or by moments."""

from __future__ import annotations

import numpy as np

from rtools.guide.difference import Difference
from rtools.guide.measured import COLUMNS, Centroids, centroids_of
from rtools.guide.psf import GuidePsf, spline_for
from rtools.work.loops import in_chunks
from rtools.work.work import ALONE, Work

__all__ = ["FAINTEST", "POOR", "RUN", "fit_psf", "measure_moments"]

RUN = 25
"""Pairs of a running median."""

POOR = 5.0
"""χ² by degrees of freedom of a fit that is not believed."""

FAINTEST = 5.0
"""Flux in units of its error below which there is no star."""

START = (5, 7, 0, 1)
"""Columns of a table of results that a fit begins from: F, B, x, y."""

CHI2, MASKED, FITTED = 9, 10, 11


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
    hits of cosmic rays, and the pair is fitted again; that is repeated until the mask stays.

    A pair whose fit fails, finds no star (F < 5 errors), or is poor (χ²/ν > 5) is fitted again from the median of
    the last 25 good pairs, with the hits masked that this shows. The better of the two stands.
    """
    from rtools.guide._centroid_kernels import fit_pairs

    images = np.ascontiguousarray(difference.images, np.float32)
    pairs = (images, np.ascontiguousarray(difference.masked), np.ascontiguousarray(difference.variance, np.float32))
    spline = spline_for(psf, images.shape[1:])
    table = np.empty((len(images), COLUMNS))
    in_chunks(work, len(images), fit_pairs, pairs, spline, np.full((len(images), 4), np.nan), table)
    doubtful = _doubtful(table)
    again = np.flatnonzero(doubtful)
    starts = _running_start(table, ~doubtful, again)
    again, starts = again[np.isfinite(starts[:, 0])], starts[np.isfinite(starts[:, 0])]
    if len(again):
        second = np.empty((len(again), COLUMNS))
        chosen = (images[again], pairs[1][again], pairs[2])
        in_chunks(work, len(again), fit_pairs, chosen, spline, starts, second)
        better = _is_better(second, table[again])
        table[again[better]] = second[better]
    return centroids_of(table)


def _doubtful(table):
    """Fits that are to be tried from another start."""
    believed = (table[:, FITTED] == 1) & (table[:, CHI2] < POOR) & (table[:, 5] > FAINTEST * table[:, 6])
    return ~believed


def _running_start(table, good, wanted):
    """F, B, x, y to begin from: medians of the last 25 good pairs before each, of the first 25 where there are none."""
    values, places = table[good][:, START], np.flatnonzero(good)
    starts = np.full((len(wanted), 4), np.nan)
    if not len(places):
        return starts
    last = np.maximum(np.searchsorted(places, wanted), min(RUN, len(places)))
    ends, which = np.unique(last, return_inverse=True)
    medians = [np.median(values[max(end - RUN, 0) : end], axis=0) for end in ends]
    return np.array(medians)[which].reshape(len(wanted), 4) if len(wanted) else starts


def _is_better(second, first):
    """Whether a second fit is to be taken: it succeeded, and the first failed or is worse with no fewer pixels."""
    with np.errstate(invalid="ignore"):
        closer = (second[:, CHI2] < first[:, CHI2]) & (second[:, 5] > 0)
    return (second[:, FITTED] == 1) & ((first[:, FITTED] != 1) | closer)


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
