"""A look at a star: place and light of the mean of some pairs, without what has to be compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide.difference import Difference

__all__ = ["Glance", "look_at_star"]

BOX = 2
"""Pixels on both sides of the brightest one that give the place."""

FAINTEST = 5.0
"""Light of a star in units of its error."""


class Glance(NamedTuple):
    """A star as a first look shows it.

    Attributes
    ----------
    x, y : float
        Its place in pixels of the window, 0-based.
    light : float
        Electrons of a pair in the whole window, above the median of its outermost pixels.
    """

    x: float
    y: float
    light: float


def look_at_star(difference: Difference, used: NDArray[np.bool_]) -> Glance | None:
    """Find the star in the mean of some pairs.

    Parameters
    ----------
    difference : Difference
        Images of n pairs.
    used : ndarray bool (n,)
        Pairs that are taken.

    Returns
    -------
    Glance or None
        None without a pair, or where the light is less than 5 of its errors.

    Notes
    -----
    The place is the centre of the light in 5 x 5 pixels about the brightest one. It is good to some hundredths of a
    pixel, because the box is small and stands on whole pixels: `measure_moments` and `fit_psf` are for more.
    """
    if not used.any():
        return None
    images, masked = difference.images[used], difference.masked[used]
    seen = (~masked).sum(axis=0)
    mean = np.where(masked, 0, images).sum(axis=0, dtype=float) / np.maximum(seen, 1)
    known = seen > 0
    outer = np.ones(mean.shape, bool)
    outer[1:-1, 1:-1] = False
    if not (outer & known).any():
        return None
    mean = np.where(known, mean - np.median(mean[outer & known]), 0.0)
    light = float(mean.sum())
    noise = float(np.sqrt(np.sum(difference.variance, dtype=float) / used.sum() + max(light, 0.0) / used.sum()))
    if light < FAINTEST * noise:
        return None
    row, column = divmod(int(np.argmax(mean)), mean.shape[1])
    rows = np.arange(max(row - BOX, 0), min(row + BOX + 1, mean.shape[0]))
    columns = np.arange(max(column - BOX, 0), min(column + BOX + 1, mean.shape[1]))
    box = np.maximum(mean[np.ix_(rows, columns)], 0.0)
    total = box.sum()
    return Glance(float(box.sum(axis=0) @ columns / total), float(box.sum(axis=1) @ rows / total), light)
