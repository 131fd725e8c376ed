"""How much wider the star is than the PSF: what moves it faster than a pair lasts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide.measured import Centroids

__all__ = ["HighFrequency", "sum_widths"]

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
