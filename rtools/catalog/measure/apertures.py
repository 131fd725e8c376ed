"""Fluxes in circles and sky values in rings about the sources.

Neighbours are not cut out. A pixel that is masked or not finite is replaced by the one on the other side of the centre
if that is good and not another source's; else it is the sky, 0 or what is taken for it, and is left out where the sky
is asked for (docs/algorithms/measurement.md).
"""

from typing import NamedTuple

import numpy as np

from rtools.catalog.detect.segments import Segments
from rtools.catalog.measure.shapes import planes
from rtools.work import ALONE, Work
from rtools.work.loops import in_chunks

__all__ = ["Apertures", "Ring", "annulus", "circular"]


class Apertures(NamedTuple):
    """Sums in circles, float64 (n, radii).

    Attributes
    ----------
    flux, err : ndarray
        Sum of the data, and its error.
    replaced : ndarray
        Share of the area that was replaced.
    """

    flux: np.ndarray
    err: np.ndarray
    replaced: np.ndarray


class Ring(NamedTuple):
    """Values in rings, float64 (n,).

    Attributes
    ----------
    median, scatter : ndarray
        Clipped median and standard deviation.
    pixels : ndarray
        Number of measured pixels that are left.
    """

    median: np.ndarray
    scatter: np.ndarray
    pixels: np.ndarray

    @property
    def median_err(self) -> np.ndarray:
        """Error of the median: √(π / 2) times that of a mean of as many independent pixels."""
        return np.sqrt(np.pi / (2 * self.pixels)) * self.scatter


def circular(
    data: np.ndarray,
    err: np.ndarray,
    segments: Segments,
    mask: np.ndarray,
    centres: tuple[np.ndarray, np.ndarray],
    *,
    radii: np.ndarray,
    levels: np.ndarray | None = None,
    whole_variance: bool = False,
    work: Work = ALONE,
) -> Apertures:
    """Sums in circles, with exact overlap of the pixels.

    Parameters
    ----------
    data, err : ndarray float32 (rows, columns)
        The image less its background, and its error.
    segments : Segments
        The sources.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.
    centres : tuple of ndarray float64 (n,)
        x and y for each segment; NaN allowed.
    radii : array_like of float (k,) or (n, k)
        Rising, pixels; the same for all, or each segment's own.
    levels : ndarray float64 (n,), optional
        Sky that the data still have about each, and that is taken off every pixel; 0 by default.
    whole_variance : bool
        A pixel of which a circle has the share w adds w of its variance, as in the archive of JWST, not w².
    work : rtools.work.Work
        Its threads share the sources; the result does not depend on how many there are.

    Returns
    -------
    Apertures
        NaN where the circle has no pixel of the image. The part off the image is left out. A replaced pixel and the
        one it was taken from share their noise: the error counts that.
    """
    from rtools.catalog.measure._aperture_kernels import sum_circles

    circles = _about(segments, centres, radii, levels, whole_variance)
    out = np.empty((segments.n, 3, circles.radii.shape[1]))
    in_chunks(work, segments.n, sum_circles, planes(data, err, segments, mask), circles, out)
    flux, variance, replaced = np.moveaxis(out, 1, 0).copy()
    return Apertures(flux, np.sqrt(variance), replaced)


def annulus(
    data: np.ndarray,
    segments: Segments,
    mask: np.ndarray,
    centres: tuple[np.ndarray, np.ndarray],
    *,
    radii: np.ndarray,
    work: Work = ALONE,
) -> Ring:
    """Median and scatter of the pixels in rings, clipped at 3 sigma about the median at most five times.

    Parameters
    ----------
    data, segments, mask, centres, work
        As for `circular`.
    radii : array_like of float (2,) or (n, 2)
        Inner and outer, pixels; a pixel is in if its centre is.

    Returns
    -------
    Ring
        NaN where no pixel of the ring can be used.
    """
    from rtools.catalog.measure._aperture_kernels import measure_rings

    out = np.empty((segments.n, 3))
    rings = _about(segments, centres, radii)
    in_chunks(work, segments.n, measure_rings, planes(data, data, segments, mask), rings, out)
    return Ring(*out.T.copy())


def _about(segments, centres, radii, levels=None, whole_variance=False):
    """Circles or rings about the sources, as the compiled loops take them; every source has its own radii."""
    from rtools.catalog.measure._aperture_kernels import RoundApertures

    radii = np.asarray(radii, np.float64)
    radii = np.ascontiguousarray(np.broadcast_to(radii, (segments.n, radii.shape[-1])))
    places = np.ascontiguousarray(np.stack(centres, axis=1), np.float64)
    levels = np.zeros(segments.n) if levels is None else np.ascontiguousarray(levels, np.float64)
    return RoundApertures(segments.ids, places, radii, levels, whole_variance)
