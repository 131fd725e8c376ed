"""Covariances as ellipses: two axes and an angle, as the metadata of jitter have them.

major² and minor² are the larger and the smaller eigenvalue of the covariance: s ± d with s = (xx + yy) / 2 and
d = √(((xx - yy) / 2)² + xy²). The angle of the major axis is ½ atan2(2 xy, yy - xx), from +y toward +x, in 0 … 180
degrees (schema guidestar).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["JitterEllipse", "covariance_of", "ellipse"]


class JitterEllipse(NamedTuple):
    """Axes of a covariance.

    Attributes
    ----------
    major, minor : float
        Standard deviations along the axes, in the unit whose square that of the covariance is.
    angle : float
        Of the major axis from +y toward +x, degrees, at least 0 and below 180.
    """

    major: float
    minor: float
    angle: float


def ellipse(xx: float, yy: float, xy: float) -> JitterEllipse:
    """Axes and angle of a covariance.

    Parameters
    ----------
    xx, yy, xy : float
        Variances along x and y, and their covariance. A negative eigenvalue counts as 0.

    Returns
    -------
    JitterEllipse
        The angle of a circle is 0.
    """
    mean, half = (xx + yy) / 2, (yy - xx) / 2
    split = np.hypot(half, xy)
    angle = np.rad2deg(np.arctan2(xy, half)) / 2 % 180 if split > 0 else 0.0
    return JitterEllipse(float(np.sqrt(max(mean + split, 0.0))), float(np.sqrt(max(mean - split, 0.0))), float(angle))


def covariance_of(
    major: ArrayLike, minor: ArrayLike, angle: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """The covariance of an ellipse: the inverse of `ellipse`.

    Parameters
    ----------
    major, minor : array_like
        Standard deviations along the axes.
    angle : array_like
        Of the major axis from +y toward +x, degrees.

    Returns
    -------
    xx, yy, xy : ndarray float64
        In the square of the unit of the axes.
    """
    larger, smaller = np.square(np.asarray(major, float)), np.square(np.asarray(minor, float))
    sine, cosine = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))
    xx = larger * sine**2 + smaller * cosine**2
    yy = larger * cosine**2 + smaller * sine**2
    return xx, yy, (larger - smaller) * sine * cosine
