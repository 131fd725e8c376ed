"""The centroid that was downlinked for a pair, where a file has up to five."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Downlinked", "choose"]


class Downlinked(NamedTuple):
    """One downlinked centroid a pair.

    Attributes
    ----------
    x, y : ndarray float64, (n)
        Pixel, 0-based in the frame of 4096; NaN where there is none.
    xx, yy, xy : ndarray float64, (n)
        What the file has for its error, in square pixels; NaN where there is none.
    quality : ndarray of str, (n)
        Its word; empty where there is none.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    xx: NDArray[np.float64]
    yy: NDArray[np.float64]
    xy: NDArray[np.float64]
    quality: NDArray[np.str_]


def choose(
    centroids: NDArray[np.floating],
    errors: NDArray[np.floating] | None,
    quality: NDArray[np.str_] | None,
    *,
    origin: NDArray[np.integer],
    start: tuple[float, float],
) -> Downlinked:
    """One centroid a pair: of several, that which is nearest to the one before.

    Parameters
    ----------
    centroids : ndarray, (n, m, 2)
        x, y in pixels; NaN for none.
    errors : ndarray, (n, m, 3), or None
        XX, YY, XY in square pixels.
    quality : ndarray of str, (n, m), or None
        Words.
    origin : ndarray, (n, 2)
        x, y of the first pixel of each window: near is what is near in the window, which may move.
    start : tuple of float
        x, y in the window near which the first one is expected.

    Returns
    -------
    Downlinked
    """
    places = np.asarray(centroids, np.float64)
    chosen = _chosen(places - origin[:, None, :], np.array(start, float))
    pairs = np.arange(len(places))
    x, y = places[pairs, chosen].T
    nothing = np.full((len(places), 3), np.nan)
    xx, yy, xy = (nothing if errors is None else np.asarray(errors, np.float64)[pairs, chosen]).T
    words = np.full(len(places), "") if quality is None else quality[pairs, chosen]
    return Downlinked(x, y, xx, yy, xy, words)


def _chosen(places, last):
    """Number of the centroid of each pair; 0 where there is none."""
    finite = np.isfinite(places).all(axis=2)
    chosen = finite.argmax(axis=1)
    several = finite.sum(axis=1) > 1
    if not several.any():
        return chosen
    for pair in np.flatnonzero(finite.any(axis=1)):
        if several[pair]:
            distance = np.square(places[pair] - last).sum(axis=1)
            chosen[pair] = np.nanargmin(distance)
        last = places[pair, chosen[pair]]
    return chosen
