"""The PSF of the guide star: one stamp of the reference's ePSF at the star's place, as a cubic spline."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide._psf_kernels import SplinePlanes
from rtools.guide.ellipse import covariance_of
from rtools.reference import Psf
from rtools.reference.epsf import JITTER
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC

__all__ = ["GuidePsf", "planes_of", "psf_at"]

MARGIN = 4
"""Samples beyond the farthest pixel that the spline needs, with two to spare."""


class GuidePsf(NamedTuple):
    """The share of a star's light in a pixel, as a function of the pixel's place less the star's.

    Attributes
    ----------
    coefficients : ndarray float64 (ny, nx)
        Cubic B-spline coefficients of the samples. The star is at ((nx - 1) / 2, (ny - 1) / 2).
    oversample : int
        Samples per pixel.
    jitter : tuple of float
        Covariance xx, yy, xy of the jitter that the samples contain, pixel².
    """

    coefficients: NDArray[np.float64]
    oversample: int
    jitter: tuple[float, float, float]


def psf_at(psf: Psf, x: float, y: float, *, jitter: tuple[float, float, float] = JITTER) -> GuidePsf:
    """The PSF at a place of the detector.

    Parameters
    ----------
    psf : rtools.reference.Psf
        Of the element, as `rtools.reference.from_reference` or `jittered` gives it. Between its stamps it is
        interpolated linearly.
    x, y : float
        Place of the star, 0-based pixels of the trimmed frame.
    jitter : tuple of float
        Jitter that the stamps contain: major, minor (mas rms) and position angle of the major axis (degrees).

    Returns
    -------
    GuidePsf
        Jitter is turned into pixels by the nominal scale of 0.11 arcsec, as by every consumer of an ePSF.
    """
    coefficients = np.tensordot(psf.weights([x], [y])[0], psf.splines, 1)
    scale = 1000 * PIXEL_SCALE_ARCSEC
    xx, yy, xy = (float(value) for value in covariance_of(jitter[0] / scale, jitter[1] / scale, jitter[2]))
    return GuidePsf(np.ascontiguousarray(coefficients), psf.oversample, (xx, yy, xy))


def planes_of(psf: GuidePsf, shape: tuple[int, int]) -> SplinePlanes:
    """Coefficients as the kernels take them, for stars anywhere in a window.

    One pixel is a whole number of samples. So all pixels of a window take their coefficients from one plane for each
    tap of the spline, side by side.

    Parameters
    ----------
    psf : GuidePsf
        The PSF. It is zero beyond its samples.
    shape : tuple of int
        Rows and columns of the window.

    Returns
    -------
    SplinePlanes
        For a star that lies in the window, or outside by at most one pixel.
    """
    step = psf.oversample
    cut, origins = psf.coefficients, []
    for axis, pixels in enumerate(shape):
        n = cut.shape[axis]
        reach = step * pixels + MARGIN
        first = (n - 1) // 2 - reach
        size = -(-(2 * reach + 2) // step) * step
        index = np.arange(first, first + size)
        inside = (index >= 0) & (index < n)
        shaped = inside.reshape((-1, 1) if axis == 0 else (1, -1))
        cut = np.where(shaped, np.take(cut, np.clip(index, 0, n - 1), axis=axis), 0.0)
        origins.append((n - 1) / 2 - first)
    rows, columns = cut.shape[0] // step, cut.shape[1] // step
    planes = cut.reshape(rows, step, columns, step).transpose(1, 3, 0, 2)
    return SplinePlanes(np.ascontiguousarray(planes), step, origins[1], origins[0])
