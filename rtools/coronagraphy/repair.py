"""Bad pixels of images that are about to be shifted: a shift in the Fourier plane would spread them over all others."""

from __future__ import annotations

import numpy as np

__all__ = ["repaired"]

AT_ONCE = 1 << 18
"""Bad pixels whose neighbours are gathered at a time."""

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
    places = np.nonzero(bad & ~nothing)
    for start in range(0, len(places[0]), AT_ONCE):
        some = tuple(place[start : start + AT_ONCE] for place in places)
        found[some] = _median_around(images, bad, some)
    return found


def _median_around(images, bad, places):
    """Median of the good values beside each of some pixels, as far as the image goes; 0 where there is none."""
    *plane, row, column = places
    rows, columns = images.shape[-2:]
    values = np.full((len(row), len(NEIGHBOURS)), np.inf)
    for number, (y, x) in enumerate(NEIGHBOURS):
        there = (row + y >= 0) & (row + y < rows) & (column + x >= 0) & (column + x < columns)
        beside = (*plane, np.where(there, row + y, row), np.where(there, column + x, column))
        good = there & ~bad[beside]
        values[good, number] = images[beside][good]
    values.sort(axis=1)
    count = np.isfinite(values).sum(axis=1)
    low, high = (np.take_along_axis(values, half[:, np.newaxis], 1)[:, 0] for half in ((count - 1) // 2, count // 2))
    return np.where(count > 0, (low + high) / 2, 0.0)
