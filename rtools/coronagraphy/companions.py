"""A companion that is put into images, to learn how much of its light a subtraction leaves."""

from __future__ import annotations

import numpy as np

__all__ = ["companion_image", "throughput_of"]


def companion_image(
    shape: tuple[int, int], place: tuple[float, float], flux: float, stamp: np.ndarray, oversample: int
) -> np.ndarray:
    """A point source on pixels.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    place : tuple of float
        Column and row of its middle, 0-based.
    flux : float
        Sum of its pixels, of a stamp that has all its light.
    stamp : ndarray
        Point-spread function, as `rtools.jwst.pupil.psf` gives it: samples are of whole pixels, the star in the middle.
    oversample : int
        Samples in a pixel.

    Returns
    -------
    ndarray of float64
        Samples between those of the stamp by cubic splines; 0 beyond it.
    """
    from scipy.ndimage import map_coordinates

    y, x = np.indices(shape, float)
    middle = [(size - 1) / 2 for size in stamp.shape]
    samples = [middle[0] + (y - place[1]) * oversample, middle[1] + (x - place[0]) * oversample]
    return flux * map_coordinates(stamp, samples, order=3, mode="constant")


def throughput_of(companion: np.ndarray, left: np.ndarray) -> float:
    """How much of a companion a subtraction leaves, as a fit of its own image finds.

    .. math:: T = \\frac{\\sum c \\, l}{\\sum c^2}

    Parameters
    ----------
    companion : ndarray
        c, the image that was put in.
    left : ndarray
        l, what the subtraction makes of it alone; NaN pixels count in neither sum.

    Returns
    -------
    float
        NaN where nothing of it lies on good pixels.
    """
    good = np.isfinite(left)
    whole = np.sum(companion[good] ** 2)
    return float(np.sum(companion[good] * left[good]) / whole) if whole > 0 else float("nan")
