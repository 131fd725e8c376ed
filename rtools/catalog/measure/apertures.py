"""Fluxes in circles and sky values in rings about the sources.

Neighbours are not cut out. A pixel that is masked or not finite is replaced by the one on the other side of the centre
if that is good and not another source's, else by 0, the sky.
"""

from typing import NamedTuple

import numpy as np

from rtools.catalog.chunks import over
from rtools.catalog.measure.shapes import planes

__all__ = ["Apertures", "Ring", "annulus", "circular"]


class Apertures(NamedTuple):
    """Flux, its error, and share of the area that was replaced; float64 (n, radii)."""

    flux: np.ndarray
    err: np.ndarray
    replaced: np.ndarray


class Ring(NamedTuple):
    """Clipped median and standard deviation, and number of measured pixels left; float64 (n,)."""

    median: np.ndarray
    scatter: np.ndarray
    count: np.ndarray


def circular(data, err, segments, mask, centres, *, radii, threads=1):
    """Sums in circles, with exact overlap of the pixels.

    Parameters
    ----------
    data, err : ndarray float32 (rows, columns)
        Less the background.
    segments : Segments
    mask : ndarray bool
    centres : tuple of ndarray float64 (n,)
        x and y for each segment; NaN allowed.
    radii : array_like of float (k,) or (n, k)
        Rising, pixels; the same for all, or each segment's own.
    threads : int

    Returns
    -------
    Apertures
        NaN where the circle has no pixel of the image. The part off the image is left out. A replaced pixel and the
        one it was taken from share their noise: the error counts that.
    """
    from rtools.catalog.measure import _aperture_kernels

    radii = _each(radii, segments.n)
    out = np.empty((3, *radii.shape))
    images = planes(data, err, segments, mask)
    over(segments.n, threads, _aperture_kernels.circular, images, segments.ids, _pairs(centres), radii, out)
    return Apertures(out[0], np.sqrt(out[1]), out[2])


def annulus(data, segments, mask, centres, *, radii, threads=1):
    """Median and scatter of the pixels in rings, clipped at 3 sigma about the median at most five times.

    Parameters
    ----------
    data, segments, mask, centres, threads
        As for `circular`.
    radii : array_like of float (2,) or (n, 2)
        Inner and outer, pixels; a pixel is in if its centre is.

    Returns
    -------
    Ring
    """
    from rtools.catalog.measure import _aperture_kernels

    out = np.empty((segments.n, 3))
    radii = _each(radii, segments.n)
    images = planes(data, data, segments, mask)
    over(segments.n, threads, _aperture_kernels.ring, images, segments.ids, _pairs(centres), radii, out)
    return Ring(*out.T.copy())


def _each(radii, n):
    """Radii of every segment, float64 (n, k)."""
    radii = np.asarray(radii, np.float64)
    return np.ascontiguousarray(np.broadcast_to(radii, (n, radii.shape[-1])))


def _pairs(centres):
    return np.ascontiguousarray(np.stack(centres, axis=1), np.float64)
