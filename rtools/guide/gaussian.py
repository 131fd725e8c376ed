"""Places of stars whose PSF is not known or out of focus: by a Gaussian of free widths."""

from __future__ import annotations

from rtools.guide.difference import Difference
from rtools.guide.measured import Centroids, centroids_of
from rtools.guide.refit import fit_twice
from rtools.work.work import ALONE, Work

__all__ = ["fit_gaussians"]

MODEL_ERROR = 0.2
"""Share of the brightest pixel by which a Gaussian may be wrong in any pixel."""


def fit_gaussians(difference: Difference, *, work: Work = ALONE) -> Centroids:
    """Fit flux, background, place and two widths of a Gaussian to the star in each pair.

    Parameters
    ----------
    difference : Difference
        Images of n pairs.
    work : Work
        Its threads share the pairs.

    Returns
    -------
    Centroids
        The widths are the variances of the Gaussian along x and y, pixels not included; its axes are those of the
        window, so that width_xy is 0. Errors hold as far as the star is a Gaussian. There is no flux in an aperture.

    Notes
    -----
    The Gaussian is integrated over the pixels. Weights are 1 / (s² + max(F T + B, 0)). Steps are damped (Levenberg
    1944, Quarterly of Applied Mathematics 2, 164; Marquardt 1963, SIAM Journal 11, 431). The fit begins at the centre
    of the pixels with at least 0.4 of the largest light of the image smoothed over 3 × 3 pixels, and with the width
    that sum and peak of the light have. Hits of cosmic rays are masked as in `fit_psf`, but the model may be wrong by
    20 % of its brightest pixel: only hits brighter than the star are found. A star in focus is no Gaussian: its place
    depends on the phase of the pixels, by up to 0.04 pixel.
    """
    from rtools.guide._gaussian_kernels import fit_gaussians as fit

    return centroids_of(fit_twice(fit, MODEL_ERROR, difference, work))
