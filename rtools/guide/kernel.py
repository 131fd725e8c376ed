"""The jitter kernel of an exposure: what smears the images of all its stars.

Kernels are covariances xx, yy, xy in square pixels. Metadata of jitter hold them as an ellipse in mas, with the nominal
0.11 arcsec for a pixel in both directions, because those who read them go back to pixels by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtools.errors import InputError, UsageError
from rtools.guide.ellipse import JitterEllipse, covariance_of, ellipse
from rtools.guide.width import LARGEST_ERROR, HighFrequency, width_error
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC

__all__ = ["KERNELS", "JitterKernel", "exposure_kernel", "turn_covariance"]

KERNELS = ("none", "window")
"""Where the part that is faster than a pair comes from; a number of mas is the third way."""

PIXEL_MAS = 1000 * PIXEL_SCALE_ARCSEC


class JitterKernel(NamedTuple):
    """A jitter kernel.

    Attributes
    ----------
    xx, yy, xy : float
        Covariance, pixel².
    ellipse : JitterEllipse
        The same as metadata have it: mas and degrees.
    kind : str
        What was done for the part that is faster than a pair: ``none``, ``window``, or the number of mas.
    """

    xx: float
    yy: float
    xy: float
    ellipse: JitterEllipse
    kind: str


def exposure_kernel(
    slow: Sequence[float],
    *,
    high_frequency: str | float = "none",
    width: HighFrequency | None = None,
    reference: Sequence[float] = (0.0, 0.0, 0.0),
) -> JitterKernel:
    """The kernel of an exposure.

    Parameters
    ----------
    slow : sequence of float
        Covariance xx, yy, xy of the motion of the centroids, pixel².
    high_frequency : str or float
        What is added: ``none``: nothing; ``window``: the jitter of the PSF and what the star is wider than it; a number
        of mas, or its text: so much along both axes, in quadrature.
    width : HighFrequency, optional
        Of the star; for ``window``.
    reference : sequence of float
        Covariance xx, yy, xy of the jitter in the PSF, pixel² (`GuidePsf.jitter`); for ``window``.

    Returns
    -------
    JitterKernel
        A negative eigenvalue is 0.

    Raises
    ------
    InputError
        The width is not known to 10 mas² along an axis.
    UsageError
        `high_frequency` is none of these.
    """
    total = np.asarray(slow, float)
    if high_frequency == "window":
        total = total + _from_window(width) + np.asarray(reference, float)
    elif high_frequency != "none":
        added = (_number(high_frequency) / PIXEL_MAS) ** 2
        total = np.add(total, (added, added, 0.0))
    shape = ellipse(*total)
    xx, yy, xy = (float(value) for value in covariance_of(*shape))
    scaled = JitterEllipse(PIXEL_MAS * shape.major, PIXEL_MAS * shape.minor, shape.angle)
    return JitterKernel(xx, yy, xy, scaled, str(high_frequency))


def _number(text):
    """A number of mas."""
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not 0 <= value < np.inf:
        raise UsageError(f"--high-frequency {text}: it is none, window or a number of mas")
    return value


def _from_window(width):
    """The width of the star, if it is known well enough."""
    error = np.nan if width is None else width_error(width)
    if not error <= LARGEST_ERROR:
        known = "unknown" if np.isnan(error) else f"known to {error:.3g} mas² only"
        raise InputError(
            f"the width of the guide star is {known}, and {LARGEST_ERROR:g} mas² are needed for the motion faster than "
            "a pair",
            mend="use --high-frequency none or a number of mas",
        )
    return np.array([width.xx, width.yy, width.xy])


def turn_covariance(covariance: ArrayLike, matrix: ArrayLike) -> NDArray[np.float64]:
    """A covariance in other axes.

    Parameters
    ----------
    covariance : array_like (..., 3)
        xx, yy, xy.
    matrix : array_like (..., 2, 2)
        From displacements in the old axes to those in the new.

    Returns
    -------
    ndarray float64 (..., 3)
        M C Mᵀ, as xx, yy, xy.
    """
    xx, yy, xy = np.moveaxis(np.asarray(covariance, float), -1, 0)
    old = np.stack([np.stack([xx, xy], axis=-1), np.stack([xy, yy], axis=-1)], axis=-2)
    matrix = np.asarray(matrix, float)
    new = matrix @ old @ np.swapaxes(matrix, -1, -2)
    return np.stack([new[..., 0, 0], new[..., 1, 1], new[..., 0, 1]], axis=-1)
