"""Smoothing of an image before detection."""

import numpy as np

from rtools.work import ALONE, Work

__all__ = ["gaussian_kernel", "sampled_kernel", "smooth"]

FWHM_TO_SIGMA = 1 / (2 * np.sqrt(2 * np.log(2)))

SUBPIXELS = 10
"""Points into which a pixel of the kernel is divided, each way."""

ROWS = 128


def gaussian_kernel(fwhm: float) -> np.ndarray:
    """A circular Gaussian averaged over pixels, sum 1.

    Parameters
    ----------
    fwhm : float
        Pixels.

    Returns
    -------
    ndarray float64 (k, k)
        k = 3 fwhm rounded up to an odd number.
    """
    size = int(np.ceil(3 * fwhm)) | 1
    points = (np.arange(size * SUBPIXELS) + 0.5) / SUBPIXELS - size / 2
    profile = np.exp(-0.5 * (points / (fwhm * FWHM_TO_SIGMA)) ** 2).reshape(size, SUBPIXELS).mean(axis=1)
    profile /= profile.sum()
    return np.outer(profile, profile)


def sampled_kernel(fwhm: float) -> np.ndarray:
    """A circular Gaussian as it is in the middle of each pixel, sum 1, as the archive of JWST smooths with it.

    It is narrower than `gaussian_kernel` by a twelfth of a pixel in the square.

    Parameters
    ----------
    fwhm : float
        Pixels.

    Returns
    -------
    ndarray float64 (k, k)
        k = 8 standard deviations rounded up to an odd number.
    """
    sigma = fwhm * FWHM_TO_SIGMA
    size = int(np.ceil(8 * sigma)) | 1
    profile = np.exp(-0.5 * ((np.arange(size) - size // 2) / sigma) ** 2)
    profile /= profile.sum()
    return np.outer(profile, profile)


def smooth(data: np.ndarray, mask: np.ndarray, kernel: np.ndarray, *, work: Work = ALONE) -> np.ndarray:
    """An image convolved with a kernel.

    Masked pixels and values that are not finite are interpolated: the other pixels under the kernel share their weight.
    Outside the image is zero, which dims the edges.

    Parameters
    ----------
    data : ndarray float32 (ny, nx)
        The image.
    mask : ndarray bool, same shape
        Pixels that are interpolated.
    kernel : ndarray float64 (k, k)
        Symmetric, sum 1, the product of its profiles along the axes, such as `gaussian_kernel`'s.
    work : rtools.work.Work
        The result does not depend on its threads.

    Returns
    -------
    ndarray float32 (ny, nx)
        NaN where there is no unmasked pixel under the kernel.

    Raises
    ------
    ValueError
        The kernel is not the product of its profiles.
    """
    from rtools.catalog.detect._smooth_kernels import smooth_rows

    taps = kernel.sum(axis=1), kernel.sum(axis=0)
    if not np.allclose(np.outer(*taps), kernel, rtol=0, atol=1e-12):
        raise ValueError("the kernel is not a product of a column and a row")
    data = np.ascontiguousarray(data, np.float32)
    mask = np.ascontiguousarray(mask, bool)
    out = np.empty_like(data)
    starts = range(0, len(data), ROWS)
    work.map(lambda first: smooth_rows(data, mask, taps, (first, min(first + ROWS, len(data))), out), starts)
    return out
