"""Sharpness (DAOFIND, Stetson 1987, PASP 99, 191) and roundness (IRAF's daofind) of sources.

Equations stand with the kernels, in `_daofind_kernels`.
"""

import math

import numpy as np

from rtools.work import ALONE, Work
from rtools.work.loops import in_chunks

__all__ = ["statistics"]


def _kernel(fwhm):
    """A round Gaussian on its support, scaled so that the convolution with it is the height of the best fit."""
    sigma = fwhm / (2 * math.sqrt(2 * math.log(2)))
    reach = max(2.0, 1.5 * sigma)
    offsets = np.arange(-int(reach), int(reach) + 1)
    radius2 = offsets**2 + offsets[:, None] ** 2
    support = radius2 <= reach**2
    gaussian = np.exp(-radius2 / (2 * sigma**2)) * support
    count = support.sum()
    variance = (gaussian**2).sum() - gaussian.sum() ** 2 / count
    return (gaussian - gaussian.sum() / count) / variance * support


def statistics(
    data: np.ndarray,
    centres: tuple[np.ndarray, np.ndarray],
    fwhm: float,
    *,
    mask: np.ndarray | None = None,
    work: Work = ALONE,
) -> tuple[np.ndarray, np.ndarray]:
    """Sharpness and roundness of sources.

    Parameters
    ----------
    data : ndarray float32 (rows, columns)
        Less the background. NaN near a source that is not masked makes its statistics NaN.
    centres : tuple of ndarray float64 (n,)
        x and y; NaN allowed.
    fwhm : float
        Of the Gaussian, pixels.
    mask : ndarray bool (rows, columns), optional
        Pixels for which those on the other side of the source's centre stand in, as under apertures.
    work : rtools.work.Work
        Its threads share the sources; the result does not depend on how many there are.

    Returns
    -------
    sharpness : ndarray float64 (n,)
        Height of the central pixel over its surroundings, in heights of the best-fitting Gaussian.
    roundness : ndarray float64 (n,)
        Two-fold asymmetry of the convolved image; 0 for a round source.
    """
    from rtools.catalog.measure._daofind_kernels import MaskedImage, measure_statistics

    pairs = np.ascontiguousarray(np.stack(centres, axis=1), np.float64)
    out = np.empty((len(pairs), 2))
    data = np.ascontiguousarray(data, np.float32)
    mask = np.zeros(data.shape, bool) if mask is None else np.ascontiguousarray(mask, bool)
    in_chunks(work, len(pairs), measure_statistics, MaskedImage(data, mask), pairs, _kernel(fwhm), out)
    return out[:, 0].copy(), out[:, 1].copy()
