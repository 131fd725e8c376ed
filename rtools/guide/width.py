"""How much wider the star is than the PSF: what moves it faster than a pair lasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide.measured import Centroids
from rtools.guide.psf import GuidePsf, widened
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC

__all__ = ["LARGEST_ERROR", "HighFrequency", "match_psf", "shift_widths", "sum_widths", "width_error"]

LARGEST_ERROR = 10.0
"""mas²: a width that is known worse is not used for a kernel."""

KNOWN_ERROR = 60.0
"""mas²: how well the width of a star is known before it is measured."""

PIXEL_MAS = 1000 * PIXEL_SCALE_ARCSEC

ORDER = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
"""Elements of a symmetric matrix as `Centroids.width_normal` has them."""


class HighFrequency(NamedTuple):
    """Second moments of the star's image relative to those of the PSF.

    Attributes
    ----------
    xx, yy, xy : float
        Pixel²; NaN where there is no pair to tell them.
    covariance : ndarray float64 (3, 3)
        Of (xx, yy, xy) by noise, pixel⁴.
    """

    xx: float
    yy: float
    xy: float
    covariance: NDArray[np.float64]


def sum_widths(centroids: Centroids, used: NDArray[np.bool_]) -> HighFrequency:
    """The width that all used pairs together have.

    Parameters
    ----------
    centroids : Centroids
        By `fit_psf`; other methods give no widths that can be summed.
    used : ndarray bool (n,)
        Pairs that count.

    Returns
    -------
    HighFrequency
        Relative to the PSF, with the jitter that its samples contain. Its error by noise is right. Its zero is that of
        the PSF: one that is 1 % too narrow in F158 gives 58 mas². Differences between exposures do not have this error.

    Notes
    -----
    Each pair has equations N H = n for what the terms ½ F P_xx, ½ F P_yy and F P_xy explain of the residual when F, B,
    x and y are free (`rtools.guide._centroid_kernels`). The sums of N and n over the pairs give H, and N⁻¹ is its
    covariance. A fitted place follows the noise by its covariance C, which makes the image narrower by C; this is
    undone pair by pair.
    """
    counted = np.asarray(used, bool) & np.isfinite(centroids.width_normal).all(axis=1)
    normal = np.zeros((3, 3))
    for (a, b), total in zip(ORDER, centroids.width_normal[counted].sum(axis=0), strict=True):
        normal[a, b] = normal[b, a] = total
    if not np.all(np.linalg.eigvalsh(normal) > 0):
        return HighFrequency(np.nan, np.nan, np.nan, np.full((3, 3), np.nan))
    covariance = np.asarray(np.linalg.inv(normal), np.float64)
    xx, yy, xy = (float(value) for value in covariance @ centroids.width_sums[counted].sum(axis=0))
    return HighFrequency(xx, yy, xy, covariance)


def width_error(width: HighFrequency) -> float:
    """How well a width is known.

    Parameters
    ----------
    width : HighFrequency
        From `sum_widths`.

    Returns
    -------
    float
        The larger error of xx and yy, mas² of 110 mas a pixel; NaN where there is no width.
    """
    return float(np.sqrt(np.diag(width.covariance)[:2].max()) * PIXEL_MAS**2)


def match_psf(psf: GuidePsf, width: HighFrequency) -> GuidePsf:
    """The PSF as wide as the star.

    Parameters
    ----------
    psf : GuidePsf
        Of the reference.
    width : HighFrequency
        Of the star relative to it, from pairs that are like those to be fitted.

    Returns
    -------
    GuidePsf
        With the jitter that is most probable.

    Notes
    -----
    The samples of a PSF contain the jitter R of a whole exposure; a pair has only the part that is faster than itself.
    A PSF that is too wide by this makes places depend on the phase of the pixels (F062: by 0.2 mas), and fluxes too
    large by up to 0.6 %. What is taken for known beforehand is -R / 2, the middle between no motion in a pair and all
    of it, with an error of 60 mas², which is 1 % of the width of a PSF. With the width H and its covariance C, the mean
    of both is -R / 2 + K (C + K)⁻¹ (H + R / 2), K the square of that error times the unit matrix.
    """
    known = -np.asarray(psf.jitter) / 2
    prior = np.eye(3) * (KNOWN_ERROR / PIXEL_MAS**2) ** 2
    found = np.array([width.xx, width.yy, width.xy])
    if np.isfinite(found).all():
        known = known + prior @ np.linalg.solve(width.covariance + prior, found - known)
    return widened(psf, *(float(value) for value in known))


def shift_widths(centroids: Centroids, excess: Sequence[float]) -> Centroids:
    """Widths relative to another PSF than that of the fit.

    Parameters
    ----------
    centroids : Centroids
        By `fit_psf`.
    excess : sequence of float
        xx, yy, xy by which the PSF of the fit is wider than the other, pixel².

    Returns
    -------
    Centroids
        With `width_xx`, `width_yy`, `width_xy` and the equations of the sum relative to the other.
    """
    added = np.asarray(excess, float)
    matrix = centroids.width_normal[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3)
    return centroids._replace(
        width_xx=centroids.width_xx + added[0],
        width_yy=centroids.width_yy + added[1],
        width_xy=centroids.width_xy + added[2],
        width_sums=centroids.width_sums + matrix @ added,
    )
