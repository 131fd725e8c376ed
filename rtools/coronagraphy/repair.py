"""Bad pixels of images that are about to be shifted: a shift in the Fourier plane would spread them over all others."""

from __future__ import annotations

import numpy as np

__all__ = ["repaired"]

NEIGHBOURS = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]


def repaired(planes: np.ndarray, bad: np.ndarray, blank: np.ndarray | None = None) -> np.ndarray:
    """Planes whose bad pixels are the median of the good ones in the box of 3 x 3 about each.

    Parameters
    ----------
    planes : ndarray
        (..., y, x).
    bad : ndarray of bool
        Of the same shape. What is not finite is bad in any case.
    blank : ndarray of bool, optional
        Pixels that see no sky, of the same shape: they become 0.

    Returns
    -------
    ndarray of float64
        Finite everywhere; 0 where a box has no good pixel.
    """
    images = np.asarray(planes, np.float64)
    nothing = np.zeros(images.shape, bool) if blank is None else blank
    bad = np.asarray(bad) | ~np.isfinite(images) | nothing
    found = np.where(bad, 0.0, images)
    for place in zip(*np.nonzero(bad & ~nothing), strict=True):
        good = list(_around(images, bad, place))
        if good:
            found[place] = np.median(good)
    return found


def _around(images, bad, place):
    """Good values beside a pixel, as far as the image goes."""
    *plane, row, column = place
    rows, columns = images.shape[-2:]
    for y, x in NEIGHBOURS:
        beside = (*plane, row + y, column + x)
        if 0 <= row + y < rows and 0 <= column + x < columns and not bad[beside]:
            yield images[beside]
