"""What is measured about a source in its own shape: moments, segment sums, Kron, half-light radius, windowed centre.

All in pixels, in the units of the image. Images are arrays (rows, columns) less the background; a pixel counts unless
`mask` is true there, the value is not finite, or it belongs to another segment. NaN where nothing can be measured.
Equations and papers are in docs/algorithms/measurement.md; each compiled module cites its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.catalog.detect.segments import Segments
from rtools.work import ALONE, Work
from rtools.work.loops import in_chunks

if TYPE_CHECKING:
    from rtools.catalog.measure._pixel_kernels import SourcePixels

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
        Centre, pixels.
    a, b : ndarray
        Standard deviations along the axes, pixels.
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
    """Sums over each segment, float64 (n,); NaN where no pixel of a segment can be used.

    Attributes
    ----------
    flux, err : ndarray
        Sum of the data, and its error.
    area : ndarray
        Number of pixels that can be used.
    """

    flux: np.ndarray
    err: np.ndarray
    area: np.ndarray


class Kron(NamedTuple):
    """Kron apertures, float64 (n,).

    Attributes
    ----------
    k : ndarray
        Kron radius, in units of the ellipse's axes.
    flux, err : ndarray
        Sum in the aperture, and its error.
    reach : ndarray
        Long half axis of the aperture, pixels.
    """

    k: np.ndarray
    flux: np.ndarray
    err: np.ndarray
    reach: np.ndarray


class Centre(NamedTuple):
    """Centres and their covariance, float64 (n,).

    Attributes
    ----------
    x, y : ndarray
        Pixels.
    var_x, var_y, cov_xy : ndarray
        Pixels².
    """

    x: np.ndarray
    y: np.ndarray
    var_x: np.ndarray
    var_y: np.ndarray
    cov_xy: np.ndarray


def planes(data: np.ndarray, err: np.ndarray, segments: Segments, mask: np.ndarray) -> SourcePixels:
    """The images as the compiled loops take them.

    Parameters
    ----------
    data, err : ndarray (rows, columns)
        What is measured, and its error.
    segments : Segments
        Gives the labels of the pixels.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.

    Returns
    -------
    rtools.catalog.measure._pixel_kernels.SourcePixels
        Contiguous planes, float32 and bool, and the labels of the segments.
    """
    from rtools.catalog.measure._pixel_kernels import SourcePixels

    return SourcePixels(
        np.ascontiguousarray(data, np.float32),
        np.ascontiguousarray(err, np.float32),
        np.ascontiguousarray(mask, bool),
        segments.labels,
    )


def _ellipses(shapes, scale=1.0):
    """The shapes as the compiled loops take them, their axes times a factor."""
    from rtools.catalog.measure._shape_kernels import Ellipses

    axes = scale * shapes.a, scale * shapes.b, np.radians(shapes.theta)
    columns = shapes.x, shapes.y, *axes, shapes.cxx, shapes.cxy, shapes.cyy
    return Ellipses(*(np.ascontiguousarray(column, np.float64) for column in columns))


def moments(image: np.ndarray, err: np.ndarray, segments: Segments, mask: np.ndarray, *, work: Work = ALONE) -> Shapes:
    """Centres and ellipses from the moments of an image within the segments.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
        Usually the smoothed image. Negative values count as 0.
    err : ndarray (rows, columns)
        Errors of the pixels of the unsmoothed image, for the covariance of the centre.
    segments : Segments
        The sources.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.
    work : rtools.work.Work
        Its threads share the sources; the result does not depend on how many there are.

    Returns
    -------
    Shapes
        NaN where no pixel of a segment is positive and can be used.
    """
    from rtools.catalog.measure._moment_kernels import measure_moments

    out = np.empty((segments.n, 8))
    in_chunks(work, segments.n, measure_moments, planes(image, err, segments, mask), segments, out)
    x, y, xx, xy, yy, var_x, var_y, cov_xy = out.T.copy()
    a, b, theta, cxx, cxy, cyy = _ellipse(xx, xy, yy)
    return Shapes(x, y, a, b, theta, cxx, cxy, cyy, var_x, var_y, cov_xy)


def _ellipse(xx, xy, yy):
    """a, b, angle and the three coefficients from second moments; thin sources are made as wide as a pixel.

    a² and b² are the eigenvalues of the matrix of the moments (Bertin & Arnouts 1996, A&AS 117, 393).
    """
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


def segment_sums(
    data: np.ndarray, err: np.ndarray, segments: Segments, mask: np.ndarray, *, work: Work = ALONE
) -> SegmentSums:
    """Sums over the usable pixels of the segments.

    Parameters
    ----------
    data, err : ndarray float32 (rows, columns)
        The image less its background, and its error.
    segments : Segments
        The sources.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.
    work : rtools.work.Work
        Its threads share the sources; the result does not depend on how many there are.

    Returns
    -------
    SegmentSums
        NaN where no pixel of a segment can be used.
    """
    from rtools.catalog.measure._moment_kernels import sum_segments

    out = np.empty((segments.n, 3))
    in_chunks(work, segments.n, sum_segments, planes(data, err, segments, mask), segments, out)
    out[out[:, 2] == 0] = np.nan
    return SegmentSums(out[:, 0].copy(), np.sqrt(out[:, 1]), out[:, 2].copy())


def kron(
    data: np.ndarray,
    err: np.ndarray,
    segments: Segments,
    mask: np.ndarray,
    shapes: Shapes,
    *,
    k: np.ndarray | None = None,
    work: Work = ALONE,
) -> Kron:
    """Kron radius, and the flux in the ellipse of 2.5 Kron radii with exact overlap of the pixels.

    Parameters
    ----------
    data, err : ndarray float32 (rows, columns)
        The image less its background, and its error.
    segments : Segments
        The sources.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.
    shapes : Shapes
        Their ellipses.
    k : ndarray float64 (n,), optional
        Kron radii measured elsewhere, in units of the axes.
    work : rtools.work.Work
        Its threads share the sources; the result does not depend on how many there are.

    Returns
    -------
    Kron
        k is at least 1.4, and NaN above 6: that is noise.
    """
    from rtools.catalog.measure._shape_kernels import measure_kron_radii, sum_ellipses

    images = planes(data, err, segments, mask)
    if k is None:
        k = np.empty(segments.n)
        in_chunks(work, segments.n, measure_kron_radii, images, segments, _ellipses(shapes), k)
    else:
        k = np.ascontiguousarray(k, np.float64)
    out = np.empty((segments.n, 2))
    in_chunks(work, segments.n, sum_ellipses, images, segments, _ellipses(shapes, KRON_SCALE * k), out)
    return Kron(k, out[:, 0].copy(), np.sqrt(out[:, 1]), KRON_SCALE * k * shapes.a)


def half_light(
    data: np.ndarray, segments: Segments, mask: np.ndarray, shapes: Shapes, kron: Kron, *, work: Work = ALONE
) -> np.ndarray:
    """Radius of the circle about the centre that holds half of the Kron flux.

    Parameters
    ----------
    data : ndarray float32 (rows, columns)
        The image less its background.
    segments : Segments
        The sources.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.
    shapes : Shapes
        Their centres.
    kron : Kron
        Their fluxes; no radius is larger than the aperture's long half axis.
    work : rtools.work.Work
        Its threads share the sources; the result does not depend on how many there are.

    Returns
    -------
    ndarray float64 (n,)
        Pixels.
    """
    from rtools.catalog.measure._halflight_kernels import find_half_light

    images = planes(data, data, segments, mask)
    out = np.empty(segments.n)
    in_chunks(work, segments.n, find_half_light, images, segments.ids, _ellipses(shapes), kron, out)
    return out


def windowed(
    data: np.ndarray,
    err: np.ndarray,
    segments: Segments,
    mask: np.ndarray,
    shapes: Shapes,
    *,
    radius: np.ndarray,
    work: Work = ALONE,
) -> Centre:
    """Centres under a round Gaussian window as wide as the source.

    Parameters
    ----------
    data, err : ndarray float32 (rows, columns)
        The image less its background, and its error.
    segments : Segments
        The sources.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.
    shapes : Shapes
        Their isophotal centres and ellipses.
    radius : ndarray float64 (n,)
        Their half-light radii, pixels.
    work : rtools.work.Work
        Its threads share the sources; the result does not depend on how many there are.

    Returns
    -------
    Centre
        The isophotal centre, with its covariance, where the windowed one leaves the ellipse of the moments, or
        the window is too large.
    """
    from rtools.catalog.measure._window_kernels import find_windowed_centres

    out = np.empty((segments.n, 6))
    images, radius = planes(data, err, segments, mask), np.ascontiguousarray(radius, np.float64)
    in_chunks(work, segments.n, find_windowed_centres, images, segments.ids, _ellipses(shapes), radius, out)
    isophotal = out[:, 5] == 0
    out[isophotal, 2:5] = np.stack([shapes.var_x, shapes.var_y, shapes.cov_xy], axis=1)[isophotal]
    return Centre(*out[:, :5].T.copy())
