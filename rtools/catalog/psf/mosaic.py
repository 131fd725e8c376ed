"""The PSF of a mosaic: a detector's PSF, spread by the resampling and averaged over all orientations."""

import numpy as np

from rtools.reference.epsf import Psf, samples
from rtools.wfi.frame import FRAME
from rtools.wfi.instrument import PIXEL_SCALE_ARCSEC

__all__ = ["mosaic_psf"]

HALF = 10
"""The stamp reaches so many detector pixels from its centre."""

CENTRE = FRAME / 2 - 4
"""x and y on the detector where its PSF is taken."""


def mosaic_psf(psf: Psf, pixel_scale: float, pixfrac: float = 1.0, *, native: float = PIXEL_SCALE_ARCSEC) -> Psf:
    """The PSF per pixel of a mosaic.

    Parameters
    ----------
    psf : rtools.reference.epsf.Psf
        Of one detector, with the jitter of the image.
    pixel_scale : float
        Of the mosaic, arcsec.
    pixfrac : float
        Side of the drops with which it was drizzled, in sides of the detector's pixels.
    native : float
        Side of the detector's pixels, arcsec: what makes the PSF, which is in pixels, one on the sky.

    Returns
    -------
    rtools.reference.epsf.Psf
        One round stamp, `psf.oversample` samples per mosaic pixel; its sum is oversample² times the light within ±10
        detector pixels, so that fluxes refer to the whole PSF.
    """
    from scipy.ndimage import convolve1d

    ratio = pixel_scale / native
    stamp = samples(psf, 2 * HALF * psf.oversample + 1, psf.oversample, CENTRE, CENTRE)
    for width in (pixfrac * psf.oversample, ratio * psf.oversample):
        for axis in (0, 1):
            stamp = convolve1d(stamp, _box(width), axis=axis, mode="constant")
    return Psf(_round(stamp, ratio)[None], psf.oversample, np.zeros(1), np.zeros(1))


def _box(width):
    """Taps of a box of any width (samples), sum 1: the share of each sample that it covers."""
    half = int(np.ceil((width - 1) / 2))
    taps = np.clip(width / 2 - np.abs(np.arange(-half, half + 1)) + 0.5, 0, 1)
    return taps / taps.sum()


def _round(stamp, ratio):
    """Azimuthal average of a square stamp, resampled to samples `ratio` times as wide; the sum is kept.

    The average is taken in Fourier space, on circles of constant frequency: a PSF that has nothing beyond a frequency
    keeps that.
    """
    from scipy.fft import fft2, fftfreq, fftshift, ifft2, ifftshift
    from scipy.ndimage import map_coordinates

    n = len(stamp)
    transform = fftshift(fft2(ifftshift(stamp)))
    radius = np.linspace(0, (n // 2) * np.sqrt(2), 2 * n)
    angle = np.linspace(0, 2 * np.pi, 8 * n, endpoint=False)
    places = n // 2 + radius[:, None] * np.stack([np.sin(angle), np.cos(angle)])[:, None, :]
    inside = ((places >= 0) & (places <= n - 1)).all(axis=0)
    values = map_coordinates(transform.real, places, order=3, mode="nearest")
    count = inside.sum(axis=1)
    average = np.where(inside, values, 0).sum(axis=1)[count > 0] / count[count > 0]
    size = 2 * (int(np.ceil(n / ratio)) // 2) + 1
    frequency = fftfreq(size, ratio)
    grid = np.hypot(frequency[:, None], frequency[None, :])
    return fftshift(ifft2(np.interp(grid, radius[count > 0] / n, average, right=0)).real)
