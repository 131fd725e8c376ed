"""The PSF of the guide star: one stamp of the reference's ePSF at the star's place, as a cubic spline."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide._psf_kernels import WindowSpline
from rtools.guide.ellipse import covariance_of
from rtools.reference import Psf
from rtools.reference.epsf import JITTER
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC

__all__ = ["GuidePsf", "cropped", "cut_around_middle", "psf_at", "spline_for", "widened"]

MARGIN = 4
"""Samples beyond the farthest pixel that the spline needs, with two to spare."""

WINGS = 8
"""Pixels beyond the window that a cropped PSF keeps, so that what is done to it at its edge is not seen."""

LARGEST_GAIN = 4.0
"""By how much a narrower PSF may amplify a frequency, so that noise of its samples does not grow."""


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


def cropped(psf: GuidePsf, shape: tuple[int, int]) -> GuidePsf:
    """The part of the PSF that stars in a window need.

    Parameters
    ----------
    psf : GuidePsf
        The PSF.
    shape : tuple of int
        Rows and columns of the window.

    Returns
    -------
    GuidePsf
        Of a size that transforms quickly, with the star in its middle as before; `psf` itself where it is not larger.
    """
    from scipy.fft import next_fast_len

    cuts = []
    for samples, pixels in zip(psf.coefficients.shape, shape, strict=True):
        kept = 2 * psf.oversample * (pixels + WINGS)
        kept += (samples - kept) % 2
        while next_fast_len(kept, real=True) > kept:
            kept += 2
        cut = max((samples - kept) // 2, 0)
        cuts.append(slice(cut, samples - cut))
    return psf._replace(coefficients=np.ascontiguousarray(psf.coefficients[tuple(cuts)]))


def widened(psf: GuidePsf, xx: float, yy: float, xy: float) -> GuidePsf:
    """The PSF with more jitter, or with less.

    Parameters
    ----------
    psf : GuidePsf
        The PSF.
    xx, yy, xy : float
        Covariance that is added to its jitter, pixel²; negative to take jitter away.

    Returns
    -------
    GuidePsf
        Its jitter is the sum. What is taken away amplifies no frequency more than fourfold.

    Notes
    -----
    A Gaussian is a factor exp(-2 π² (xx fx² + 2 xy fx fy + yy fy²)) in Fourier space. Coefficients of a spline and its
    samples are multiplied by the same.
    """
    from scipy.fft import irfft2, rfft2

    ny, nx = psf.coefficients.shape
    fy, fx = np.fft.fftfreq(ny, 1 / psf.oversample)[:, None], np.fft.rfftfreq(nx, 1 / psf.oversample)[None, :]
    power = xx * fx**2 + 2 * xy * fx * fy + yy * fy**2
    factor = np.minimum(np.exp(-2 * np.pi**2 * power), LARGEST_GAIN)
    coefficients = irfft2(rfft2(psf.coefficients) * factor, s=(ny, nx))
    jitter = (psf.jitter[0] + xx, psf.jitter[1] + yy, psf.jitter[2] + xy)
    return psf._replace(coefficients=np.ascontiguousarray(coefficients), jitter=jitter)


def spline_for(psf: GuidePsf, shape: tuple[int, int]) -> WindowSpline:
    """Coefficients as the kernels take them, for stars anywhere in a window.

    Parameters
    ----------
    psf : GuidePsf
        The PSF. It is zero beyond its samples.
    shape : tuple of int
        Rows and columns of the window.

    Returns
    -------
    WindowSpline
        For a star that lies in the window, or outside by at most one pixel.
    """
    values, origin_y = cut_around_middle(psf.coefficients, psf.oversample, shape[0])
    turned, origin_x = cut_around_middle(values.T, psf.oversample, shape[1])
    return WindowSpline(np.ascontiguousarray(turned.T), psf.oversample, origin_x, origin_y)


def cut_around_middle(values: NDArray[np.float64], step: int, pixels: int) -> tuple[NDArray[np.float64], float]:
    """Samples that stars in so many pixels need, along the first axis; 0 where there are none.

    Parameters
    ----------
    values : ndarray (n, ...)
        Samples, of which the middle is the star.
    step : int
        Samples per pixel.
    pixels : int
        Pixels along this axis.

    Returns
    -------
    ndarray
        Samples from so far before the middle to so far behind it that any star in the pixels or a pixel beside them
        finds those of all pixels.
    float
        Place of the middle in them.
    """
    n, reach = len(values), step * pixels + MARGIN
    first = (n - 1) // 2 - reach
    before, behind = max(-first, 0), max(first + 2 * reach + 2 - n, 0)
    padded = np.pad(values, [(before, behind), *[(0, 0)] * (values.ndim - 1)])
    return padded[first + before : first + before + 2 * reach + 2], (n - 1) / 2 - first
