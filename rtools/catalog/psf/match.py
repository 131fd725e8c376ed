"""One band's image at the PSF of another: the kernel between two PSFs, images convolved with it, their noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.reference.epsf import Psf

__all__ = ["convolve", "matching_kernel", "noise_factor"]

DAMPING = 1e-5
"""Of the largest power of the PSF: frequencies that it has less of are not blown up."""

TILE = 1024
"""Pixels on a side of the pieces that are convolved: 60 MB of work for each thread."""


def matching_kernel(psf: Psf, target: Psf) -> np.ndarray:
    """The kernel that takes images with one PSF to another, in pixels of the image.

    Parameters
    ----------
    psf, target : rtools.reference.epsf.Psf
        PSFs per pixel of mosaics on the same grid (`rtools.catalog.psf.mosaic.mosaic_psf`).

    Returns
    -------
    ndarray float64 (k, k)
        k odd; some values are slightly negative. The sum is the light within the target's stamp over that within the
        PSF's, so that a matched star has the light of the target's within every radius.

    Raises
    ------
    InputError
        The PSFs are sampled differently.

    Notes
    -----
    The quotient of the transforms, damped where the PSF has little power. Both PSFs are those of whole pixels, so that
    the samples of the kernel at the distances between pixels are what the pixels are convolved with. Averaged over a
    pixel they would blur once more: a matched star would lose 3 % of its light within 0.1 arcsec.
    """
    if psf.oversample != target.oversample:
        sampled = f"{psf.oversample} and {target.oversample} samples a pixel"
        raise InputError(f"the PSFs of two bands are sampled differently ({sampled})")
    from scipy.fft import fft2, fftshift, ifft2, ifftshift

    size = min(psf.stamps.shape[-1], target.stamps.shape[-1])
    one, other = (fft2(ifftshift(_middle(each.stamps[0], size))) for each in (psf, target))
    power = np.abs(one) ** 2
    fine = fftshift(ifft2(other * one.conj() / (power + DAMPING * power.max())).real)
    half = (size // 2) // psf.oversample
    steps = size // 2 + psf.oversample * np.arange(-half, half + 1)
    kernel = fine[np.ix_(steps, steps)]
    return kernel * (fine.sum() / kernel.sum())


def _middle(stamp, size):
    first = (len(stamp) - size) // 2
    return stamp[first : first + size, first : first + size]


def convolve(data: np.ndarray, mask: np.ndarray, kernel: np.ndarray, *, work: Work = ALONE) -> np.ndarray:
    """An image convolved with a kernel of any shape.

    Parameters
    ----------
    data : ndarray float32 (ny, nx)
        The image.
    mask : ndarray bool, same shape
        Pixels that are interpolated: the others under the kernel share their weight. So are values that are not finite.
    kernel : ndarray float64 (k, k)
        k odd.
    work : rtools.work.Work
        The result does not depend on its threads. Memory: the image that is returned, and 60 MB a thread.

    Returns
    -------
    ndarray float32 (ny, nx)
        NaN where the mask is true. Outside the image is zero.
    """
    out = np.empty(data.shape, np.float32)
    corners = [(y, x) for y in range(0, data.shape[0], TILE) for x in range(0, data.shape[1], TILE)]
    work.map(lambda corner: _convolve_tile(data, mask, kernel, corner, out), corners)
    return out


def _convolve_tile(data, mask, kernel, corner, out):
    """Convolve one piece with what lies around it."""
    from scipy.fft import irfft2, next_fast_len, rfft2

    half = len(kernel) // 2
    ends = [min(first + TILE, side) for first, side in zip(corner, data.shape, strict=True)]
    around = [
        (max(first - half, 0), min(last + half, side))
        for first, last, side in zip(corner, ends, data.shape, strict=True)
    ]
    part = tuple(slice(*both) for both in around)
    size = [next_fast_len(last - first + 2 * half, real=True) for first, last in around]
    place = tuple(
        slice(first - start + half, last - start + half)
        for first, last, (start, _end) in zip(corner, ends, around, strict=True)
    )
    transform = rfft2(kernel, size)
    bad = mask[part] | ~np.isfinite(data[part])

    def convolved(image):
        return irfft2(rfft2(image, size) * transform, size)[place]

    values = convolved(np.where(bad, 0.0, data[part]))
    if bad.any():
        values /= np.maximum(1 - convolved(bad.astype(float)) / kernel.sum(), 1e-6)
    inner = tuple(slice(first, last) for first, last in zip(corner, ends, strict=True))
    values[mask[inner]] = np.nan
    out[inner] = values


def noise_factor(kernel: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Noise of sums over circles of a convolved image, in units of what it was before.

    Parameters
    ----------
    kernel : ndarray float64 (k, k)
        What the image was convolved with.
    radii : ndarray float64
        Pixels, in any order; 0 is a single pixel. NaN gives NaN.

    Returns
    -------
    ndarray float64
        Of the shape of `radii`: from the root of Σ kernel² to its sum, for circles much larger than the kernel. White
        noise of equal strength everywhere is assumed before the convolution.
    """
    from scipy.fft import next_fast_len, rfft2

    radii = np.asarray(radii, float)
    largest = 2.0 * len(kernel)
    sampled = np.concatenate([np.arange(0, 8, 0.25), np.geomspace(8, largest, 12)])
    side = next_fast_len(int(2 * largest) + 2 * len(kernel), real=True)
    power = np.abs(rfft2(kernel, (side, side))) ** 2
    offset = np.arange(side) - side // 2
    distance = np.hypot(offset[:, None], offset[None, :])
    factors = []
    for radius in sampled:
        circle = np.clip(radius + 0.5 - distance, 0, 1)
        circle[side // 2, side // 2] = max(circle[side // 2, side // 2], 1e-3)
        spectrum = np.abs(rfft2(circle)) ** 2
        spectrum[:, 1 : (side + 1) // 2] *= 2  # frequencies that the real transform leaves out
        factors.append(np.sqrt((spectrum * power).sum() / spectrum.sum()))
    return np.where(np.isnan(radii), np.nan, np.interp(radii, sampled, factors))
