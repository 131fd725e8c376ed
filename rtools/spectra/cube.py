"""Spectra out of cubes: in each plane the sum in a circle less the sky of a ring, or the sum of the whole plane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.work.overlap import circle_on_pixels

__all__ = ["CubeSums", "Rings", "extract_circles", "extract_whole", "torn_planes"]

ROUNDS = 5
"""Times that values of a plane are clipped, at most."""

LEAST_OF_USUAL = 0.9
"""Planes with less than this share of the usual area of an aperture are torn."""


class Rings(NamedTuple):
    """A circle and a ring for each plane, in pixels.

    Attributes
    ----------
    centre : (float, float)
        x and y, from 0.
    radius : ndarray float64 (planes,)
        Of the circles.
    inner, outer : ndarray float64 (planes,) or None
        Edges of the rings; None where no sky is subtracted.
    """

    centre: tuple[float, float]
    radius: np.ndarray
    inner: np.ndarray | None = None
    outer: np.ndarray | None = None


class CubeSums(NamedTuple):
    """Sums at each wavelength, float64 (planes,), in the unit of the cube.

    Attributes
    ----------
    flux : ndarray
        Less the sky; NaN where nothing is good.
    variance : ndarray
        Of the flux.
    background : ndarray
        Mean sky of a pixel.
    background_variance : ndarray
        Of that mean.
    npixels : ndarray
        Area of good pixels in the aperture.
    covered : ndarray
        Its share of the aperture.
    """

    flux: np.ndarray
    variance: np.ndarray
    background: np.ndarray
    background_variance: np.ndarray
    npixels: np.ndarray
    covered: np.ndarray


def extract_circles(data: np.ndarray, err: np.ndarray, rings: Rings, clip: float) -> CubeSums:
    """Extract a point source.

    With a the area of a pixel in the circle and r that in the ring, over good pixels, and μ = Σrf/Σr over those that
    are not clipped:

        F = Σaf − μΣa;  var(F) = Σa²σ² + (Σa)² Σr²σ²/(Σr)²

    Parameters
    ----------
    data, err : ndarray float (planes, rows, columns)
        The cube and its errors; NaN where a pixel is bad.
    rings : Rings
        Apertures.
    clip : float
        Values of the ring that are further from the mean of their plane, in standard deviations, are left out; 0 for
        none.

    Returns
    -------
    CubeSums
    """
    rows = np.zeros((len(data), 6))
    for number, (plane, sigma) in enumerate(zip(data, err, strict=True)):
        circle = circle_on_pixels(*plane.shape, rings.centre, rings.radius[number])
        good = np.isfinite(plane)
        flux, variance, area = _sums(plane, sigma, circle, good)
        level = level_variance = 0.0
        if rings.inner is not None and rings.outer is not None:
            sky, sky_variance, of_ring = _sky(plane, sigma, rings, number, good & _within(plane, good, clip))
            level, level_variance = (sky / of_ring, sky_variance / of_ring**2) if of_ring > 0 else (np.nan, np.nan)
        whole = np.pi * rings.radius[number] ** 2
        rows[number] = (flux - level * area, variance + level_variance * area**2, level, level_variance, area,
                        area / whole)  # fmt: skip
    return _finished(rows)


def extract_whole(data: np.ndarray, err: np.ndarray, clip: float) -> CubeSums:
    """Extract an extended source: the sum of each plane. The clipped mean is told as background, and not subtracted.

    Parameters
    ----------
    data, err : ndarray float (planes, rows, columns)
        The cube and its errors; NaN where a pixel is bad.
    clip : float
        As `extract_circles` takes it.

    Returns
    -------
    CubeSums
    """
    rows = np.zeros((len(data), 6))
    one = np.ones(data.shape[1:])
    for number, (plane, sigma) in enumerate(zip(data, err, strict=True)):
        good = np.isfinite(plane)
        flux, variance, area = _sums(plane, sigma, one, good)
        sky, sky_variance, kept = _sums(plane, sigma, one, good & _within(plane, good, clip))
        kept = max(kept, 1.0)
        rows[number] = flux, variance, sky / kept, sky_variance / kept**2, area, area / one.size
    return _finished(rows)


def torn_planes(area: np.ndarray) -> np.ndarray:
    """Planes that hold part of the aperture only, where others hold more: ends of the range, where slices end apart.

    Parameters
    ----------
    area : ndarray float64 (planes,)
        Of good pixels in the aperture, as `CubeSums.npixels`.

    Returns
    -------
    ndarray bool (planes,)
        Where there is less than nine tenths of the median area, but some.
    """
    some = area > 0
    return some & (area < LEAST_OF_USUAL * np.median(area[some])) if some.any() else some


def _sky(plane, sigma, rings, number, kept):
    outer, inner = (circle_on_pixels(*plane.shape, rings.centre, edge[number]) for edge in (rings.outer, rings.inner))
    return _sums(plane, sigma, outer - inner, kept)


def _sums(plane, sigma, area, good):
    """Sum, its variance, and the area, over good pixels."""
    part = area[good]
    return part @ plane[good].astype(np.float64), part**2 @ sigma[good].astype(np.float64) ** 2, part.sum()


def _within(plane, good, clip):
    """Values near the mean of what is left of a plane when it is clipped about its median until none is cut."""
    if clip <= 0 or not good.any():
        return good
    values = plane[good].astype(np.float64)
    for _ in range(ROUNDS):
        kept = values[np.abs(values - np.median(values)) <= clip * values.std()]
        if len(kept) == len(values):
            break
        values = kept
    return np.abs(plane - values.mean()) <= clip * values.std()


def _finished(rows):
    """Columns; where nothing is good, or there is no sky, there is no flux."""
    flux, variance, level, level_variance, area, covered = rows.T.copy()
    none = (area <= 0) | ~np.isfinite(level)
    flux[none] = np.nan
    for column in (variance, level, level_variance, area, covered):
        column[none] = 0
    return CubeSums(flux, variance, level, level_variance, area, covered)
