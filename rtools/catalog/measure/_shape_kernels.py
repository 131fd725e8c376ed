"""Compiled Kron apertures: the first moment of the elliptical radius, and the light in ellipses.

Kron (1980, ApJS 43, 305) takes r₁ = Σ r D / Σ D as the scale of an aperture; r is in units of the source's own ellipse,
r² = cxx dx² + cxy dx dy + cyy dy², as in SExtractor (Bertin & Arnouts 1996, A&AS 117, 393).
"""

import math
from typing import NamedTuple

import numpy as np

from rtools.catalog.measure._pixel_kernels import TOO_MANY, PixelBox, box_around, is_dark, is_usable
from rtools.compiled import njit
from rtools.work.overlap import overlap_ellipse

__all__ = ["Ellipses", "measure_kron_radii", "sum_ellipses"]

KRON_REACH = 6.0
"""The Kron radius is measured within so many ellipses, and is noise beyond."""

LEAST_KRON = 1.4
"""Of faint sources the sums are noise; and point sources have no more."""


class Ellipses(NamedTuple):
    """Centres and ellipses of sources, float64 (n,), pixels.

    Attributes
    ----------
    x, y : ndarray
        Centre.
    a, b : ndarray
        Half axes.
    angle : ndarray
        Of the long axis from +x towards +y, radians.
    cxx, cxy, cyy : ndarray
        The ellipse is cxx dx² + cxy dx dy + cyy dy² = 1.
    """

    x: np.ndarray
    y: np.ndarray
    a: np.ndarray
    b: np.ndarray
    angle: np.ndarray
    cxx: np.ndarray
    cxy: np.ndarray
    cyy: np.ndarray


@njit(cache=True, nogil=True)
def measure_kron_radii(pixels, segments, ellipses, out, first, last):
    """First moment of the elliptical radius for the sources [first, last).

    Parameters
    ----------
    pixels : SourcePixels
        The images.
    segments : rtools.catalog.detect.segments.Segments
        Labels and boxes.
    ellipses : Ellipses
        Shapes of the sources.
    out : ndarray float64 (n,)
        Receives the moment: not less than 1.4; NaN where it is more than 6 or there is nothing to measure.
    first, last : int
        Which sources.
    """
    for i in range(first, last):
        out[i] = np.nan
        if not _is_finite(ellipses, i) or is_dark(pixels, segments, i):
            continue
        box = _box_of_ellipse(ellipses, i, KRON_REACH, pixels.data.shape)
        if not box.sane or box.y0 > box.y1 or box.x0 > box.x1:
            continue
        total, moment = _sum_radii(pixels, segments.ids[i], ellipses, i, box)
        if moment <= 0 or total <= 0:
            out[i] = LEAST_KRON
        elif moment / total <= KRON_REACH:
            out[i] = max(moment / total, LEAST_KRON)


@njit(cache=True, nogil=True)
def _is_finite(ellipses, i):
    """Whether a source has a centre and an ellipse."""
    return np.isfinite(ellipses.x[i] + ellipses.y[i] + ellipses.a[i] + ellipses.b[i] + ellipses.angle[i])


@njit(cache=True, nogil=True)
def _box_of_ellipse(ellipses, i, scale, shape):
    """The `PixelBox` around an ellipse that is enlarged by a factor."""
    a, b, angle = scale * ellipses.a[i], scale * ellipses.b[i], ellipses.angle[i]
    cos, sin = math.cos(angle), math.sin(angle)
    width, height = math.hypot(a * cos, b * sin), math.hypot(a * sin, b * cos)
    if not (width < TOO_MANY and height < TOO_MANY):  # it must not become an index
        return PixelBox(0, -1, 0, -1, False)
    return box_around(ellipses.x[i], ellipses.y[i], width, height, shape)


@njit(cache=True, nogil=True)
def _sum_radii(pixels, label, ellipses, i, box):
    """Σ D and Σ r D over the usable pixels of a box with r within `KRON_REACH`."""
    data, mask, labels = pixels.data, pixels.mask, pixels.labels
    x, y = ellipses.x[i], ellipses.y[i]
    cxx, cxy, cyy = ellipses.cxx[i], ellipses.cxy[i], ellipses.cyy[i]
    total, moment = 0.0, 0.0
    for j in range(box.y0, box.y1 + 1):
        dy = j - y
        for k in range(box.x0, box.x1 + 1):
            dx = k - x
            radius2 = cxx * dx * dx + cxy * dx * dy + cyy * dy * dy
            if math.sqrt(max(radius2, 0.0)) <= KRON_REACH and is_usable(data[j, k], mask[j, k], labels[j, k], label):
                total += data[j, k]
                moment += data[j, k] * math.sqrt(max(radius2, 0.0))
    return total, moment


@njit(cache=True, nogil=True)
def sum_ellipses(pixels, segments, ellipses, out, first, last):
    """Flux and variance in the ellipses of the sources [first, last), with exact overlap of the pixels.

    Parameters
    ----------
    pixels : SourcePixels
        The images.
    segments : rtools.catalog.detect.segments.Segments
        Labels and boxes.
    ellipses : Ellipses
        The apertures.
    out : ndarray float64 (n, 2)
        Receives both; NaN where no pixel can be used.
    first, last : int
        Which sources.
    """
    for i in range(first, last):
        out[i] = np.nan
        if not _is_finite(ellipses, i) or not ellipses.b[i] > 0 or is_dark(pixels, segments, i):
            continue
        box = _box_of_ellipse(ellipses, i, 1.0, pixels.data.shape)
        if box.sane:
            out[i, 0], out[i, 1] = _sum_ellipse(pixels, segments.ids[i], ellipses, i, box)


@njit(cache=True, nogil=True)
def _sum_ellipse(pixels, label, ellipses, i, box):
    """Flux and variance in one ellipse; NaN without a usable pixel.

    Errors of pixels are independent: a pixel of which the ellipse has the share w adds w² of its variance.
    """
    data, err, mask, labels = pixels.data, pixels.err, pixels.mask, pixels.labels
    x, y, a, b = ellipses.x[i], ellipses.y[i], ellipses.a[i], ellipses.b[i]
    turn = math.cos(ellipses.angle[i]), math.sin(ellipses.angle[i])
    flux, variance, any_pixel = 0.0, 0.0, False
    for j in range(box.y0, box.y1 + 1):
        for k in range(box.x0, box.x1 + 1):
            weight = overlap_ellipse(k - x, j - y, a, b, turn)
            if weight > 0 and is_usable(data[j, k], mask[j, k], labels[j, k], label):
                flux += weight * data[j, k]
                variance += (weight * np.float64(err[j, k])) ** 2
                any_pixel = True
    return (flux, variance) if any_pixel else (np.nan, np.nan)
