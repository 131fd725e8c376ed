"""What is measured about a source in its own shape: moments, segment sums, Kron, half-light radius, windowed centre.

All in pixels, in the units of the image. Images are arrays (rows, columns) less the background; a pixel counts unless
`mask` is true there, the value is not finite, or it belongs to another segment. NaN where nothing can be measured.
"""

from typing import NamedTuple

import numpy as np

from rtools.catalog.chunks import over

__all__ = ["Centre", "Kron", "SegmentSums", "Shapes", "half_light", "kron", "moments", "segment_sums", "windowed"]

KRON_SCALE = 2.5
"""The Kron aperture in Kron radii."""

THINNEST = 1 / 12
"""Variance of a uniform pixel: added to both axes of a source that is thinner than that."""


class Shapes(NamedTuple):
    """Centre and ellipse of each source, float64 (n,).

    Attributes
    ----------
    x, y : ndarray
    a, b : ndarray
        Standard deviations along the axes.
    theta : ndarray
        Angle of the long axis from +x towards +y, degrees in [0, 90] or (270, 360).
    cxx, cxy, cyy : ndarray
        The ellipse is cxx dx² + cxy dx dy + cyy dy² = 1.
    var_x, var_y, cov_xy : ndarray
        Covariance of the centre from the errors of the pixels.
    """

    x: np.ndarray
    y: np.ndarray
    a: np.ndarray
    b: np.ndarray
    theta: np.ndarray
    cxx: np.ndarray
    cxy: np.ndarray
    cyy: np.ndarray
    var_x: np.ndarray
    var_y: np.ndarray
    cov_xy: np.ndarray


class SegmentSums(NamedTuple):
    """Flux, its error, and number of usable pixels of each segment; NaN where there is none."""

    flux: np.ndarray
    err: np.ndarray
    area: np.ndarray


class Kron(NamedTuple):
    """Kron radius in units of the ellipse's axes, flux in the Kron aperture, its error, and its long axis in pixels."""

    k: np.ndarray
    flux: np.ndarray
    err: np.ndarray
    reach: np.ndarray


class Centre(NamedTuple):
    """Centres and their covariance, pixels."""

    x: np.ndarray
    y: np.ndarray
    var_x: np.ndarray
    var_y: np.ndarray
    cov_xy: np.ndarray


def planes(data, err, segments, mask):
    """The images as the compiled loops take them."""
    return (
        np.ascontiguousarray(data, np.float32),
        np.ascontiguousarray(err, np.float32),
        np.ascontiguousarray(mask, bool),
        segments.labels,
    )


def places(segments):
    """The segments as the compiled loops take them: labels, boxes."""
    bounds = np.stack([segments.ymin, segments.ymax, segments.xmin, segments.xmax], axis=1)
    return segments.ids, np.ascontiguousarray(bounds)


def _table(shapes):
    columns = [shapes.x, shapes.y, shapes.a, shapes.b, np.radians(shapes.theta), shapes.cxx, shapes.cxy, shapes.cyy]
    return np.ascontiguousarray(np.stack(columns, axis=1), np.float64)


def moments(image, err, segments, mask, *, threads=1):
    """Centres and ellipses from the moments of an image within the segments.

    Parameters
    ----------
    image : ndarray float32
        Usually the smoothed image. Negative values count as 0.
    err : ndarray
        Errors of the pixels of the unsmoothed image, for the covariance of the centre.
    segments : Segments
    mask : ndarray bool
    threads : int

    Returns
    -------
    Shapes
    """
    from rtools.catalog.detect import _segment_kernels

    out = np.empty((segments.n, 8))
    over(segments.n, threads, _segment_kernels.moments, planes(image, err, segments, mask), *places(segments), out)
    x, y, xx, xy, yy, var_x, var_y, cov_xy = out.T.copy()
    return Shapes(x, y, *_ellipse(xx, xy, yy), var_x, var_y, cov_xy)


def _ellipse(xx, xy, yy):
    """a, b, angle and the three coefficients from second moments; thin sources are made as wide as a pixel."""
    determinant = np.maximum(xx * yy - xy**2, 0)  # weights are not negative: less than 0 is rounding
    while np.any(thin := determinant < THINNEST**2):
        xx, yy = xx + THINNEST * thin, yy + THINNEST * thin
        determinant = np.where(thin, xx * yy - xy**2, determinant)
    largest = (xx + yy) / 2 + np.hypot((xx - yy) / 2, xy)
    a, b = np.sqrt(largest), np.sqrt(determinant / largest)
    theta = np.arctan2(2 * xy, xx - yy) / 2
    cos, sin = np.cos(theta), np.sin(theta)
    cxx = (cos / a) ** 2 + (sin / b) ** 2
    cyy = (sin / a) ** 2 + (cos / b) ** 2
    cxy = 2 * cos * sin * (1 / a**2 - 1 / b**2)
    return a, b, np.degrees(theta) % 360, cxx, cxy, cyy


def segment_sums(data, err, segments, mask, *, threads=1):
    """Sums over the usable pixels of the segments.

    Returns
    -------
    SegmentSums
    """
    from rtools.catalog.detect import _segment_kernels

    out = np.empty((segments.n, 3))
    over(segments.n, threads, _segment_kernels.sums, planes(data, err, segments, mask), *places(segments), out)
    out[out[:, 2] == 0] = np.nan
    return SegmentSums(out[:, 0].copy(), np.sqrt(out[:, 1]), out[:, 2].copy())


def kron(data, err, segments, mask, shapes, *, k=None, threads=1):
    """Kron radius, and the flux in the ellipse of 2.5 Kron radii with exact overlap of the pixels.

    Parameters
    ----------
    data, err : ndarray float32
    segments : Segments
    mask : ndarray bool
    shapes : Shapes
    k : ndarray float64 (n,), optional
        Kron radii measured elsewhere, in units of the axes.
    threads : int

    Returns
    -------
    Kron
        k is at least 1.4, and NaN above 6: that is noise.
    """
    from rtools.catalog.measure import _shape_kernels

    images, boxes, table = planes(data, err, segments, mask), places(segments), _table(shapes)
    if k is None:
        k = np.empty(segments.n)
        over(segments.n, threads, _shape_kernels.kron_radius, images, boxes, table, k)
    else:
        k = np.ascontiguousarray(k, np.float64)
    out = np.empty((segments.n, 2))
    over(segments.n, threads, _shape_kernels.kron_flux, images, boxes, table, KRON_SCALE * k, out)
    return Kron(k, out[:, 0].copy(), np.sqrt(out[:, 1]), KRON_SCALE * k * shapes.a)


def half_light(data, segments, mask, shapes, kron, *, threads=1):
    """Radius of the circle about the centre that holds half of the Kron flux, pixels.

    Parameters
    ----------
    data : ndarray float32
    segments : Segments
    mask : ndarray bool
    shapes : Shapes
    kron : Kron
    threads : int

    Returns
    -------
    ndarray float64 (n,)
    """
    from rtools.catalog.measure import _shape_kernels

    images = planes(data, data, segments, mask)
    out = np.empty(segments.n)
    limits = np.stack([kron.flux, kron.reach], axis=1)
    over(segments.n, threads, _shape_kernels.half_light, images, places(segments), _table(shapes), limits, out)
    return out


def windowed(data, err, segments, mask, shapes, *, radius, threads=1):
    """Centres under a round Gaussian window as wide as the source.

    Parameters
    ----------
    data, err : ndarray float32
    segments : Segments
    mask : ndarray bool
    shapes : Shapes
    radius : ndarray float64 (n,)
        Half-light radii, pixels.
    threads : int

    Returns
    -------
    Centre
        The isophotal centre, with its covariance, where the windowed one leaves the ellipse of the moments, or
        the window is too large.
    """
    from rtools.catalog.measure import _shape_kernels

    out = np.empty((segments.n, 6))
    images, radius = planes(data, err, segments, mask), np.ascontiguousarray(radius, np.float64)
    over(segments.n, threads, _shape_kernels.windowed, images, places(segments), _table(shapes), radius, out)
    isophotal = out[:, 5] == 0
    out[isophotal, 2:5] = np.stack([shapes.var_x, shapes.var_y, shapes.cov_xy], axis=1)[isophotal]
    return Centre(*out[:, :5].T.copy())
