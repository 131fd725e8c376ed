"""Places, fluxes and widths of the guide star in every pair: by a fit of the PSF, or by moments."""

from __future__ import annotations

import numpy as np

from rtools.guide.difference import Difference
from rtools.guide.measured import COLUMNS, Centroids, centroids_of
from rtools.guide.psf import GuidePsf, spline_for
from rtools.guide.refit import fit_twice
from rtools.work.loops import in_chunks
from rtools.work.work import ALONE, Work

__all__ = ["fit_psf", "measure_moments"]


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

    A pair whose fit fails or is unusual is fitted again from where the star was before (`rtools.guide.refit`).
    """
    from rtools.guide._centroid_kernels import fit_pairs

    spline = spline_for(psf, difference.variance.shape)
    return centroids_of(fit_twice(fit_pairs, spline, difference, work))


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
