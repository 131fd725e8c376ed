"""Centroids as they are made on board and sent down: moments of the difference of signal and pedestal.

The background is the median of the outermost ring. The box is 5 × 5 pixels with fractional edges, centred on the
brightest pixel of the image after a 3 × 3 mean, and five times again on its centroid.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.wfi.guide import WORDS_OF_CENTROIDS

__all__ = ["SentCentroids", "WindowMoments", "downlink", "downlink_edges", "downlink_several", "measure_moments"]

GOOD, BAD = WORDS_OF_CENTROIDS
BOX = 5.0
TURNS = 5
SIGNIFICANT = 5.0
"""A flux of less than so many of its errors is no star."""
SEVERAL = 5
"""Centroids of a pair of the acquisition, at most."""


class WindowMoments(NamedTuple):
    """Centroids of stars in windows; every attribute is an ndarray float64 (n,).

    Attributes
    ----------
    x, y : ndarray
        Pixels of the window.
    flux, background : ndarray
        In the box, and of a pixel; in units of the images.
    xx, yy, xy : ndarray
        Second moments of the light in the box, square pixels.
    var_xx, var_yy, var_xy, var_flux : ndarray
        Covariance of x and y, and variance of the flux, by the noise.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    flux: NDArray[np.float64]
    background: NDArray[np.float64]
    xx: NDArray[np.float64]
    yy: NDArray[np.float64]
    xy: NDArray[np.float64]
    var_xx: NDArray[np.float64]
    var_yy: NDArray[np.float64]
    var_xy: NDArray[np.float64]
    var_flux: NDArray[np.float64]


class SentCentroids(NamedTuple):
    """Centroids as files hold them, for n pairs of m.

    Attributes
    ----------
    place : ndarray float32 (n, m, 2)
        x and y of the full frame; NaN where there is none.
    variance : ndarray float32 (n, m, 3)
        XX, YY, XY, square pixels.
    quality : ndarray of str (n, m)
        A word, or nothing.
    """

    place: NDArray[np.float32]
    variance: NDArray[np.float32]
    quality: NDArray[np.str_]


def measure_moments(images: NDArray, variance: float = 0.0, start: NDArray[np.int64] | None = None) -> WindowMoments:
    """Centroids in windows.

    Parameters
    ----------
    images : ndarray (n, rows, columns)
        Electrons.
    variance : float
        Of the reads in a pixel; Poisson noise of the light is added.
    start : ndarray int64 (n, 2), optional
        x and y of the pixel to begin with; by default the brightest.

    Returns
    -------
    WindowMoments
        Of one star in each window.
    """
    images = np.asarray(images, float)
    background = np.median(_ring(images), axis=1)
    light = images - background[:, None, None]
    x, y = _brightest(light) if start is None else np.asarray(start, float).T.copy()
    rows, columns = (np.arange(size, dtype=float) for size in images.shape[1:])
    for _ in range(TURNS):
        weight = _box(y, rows)[:, :, None] * _box(x, columns)[:, None, :]
        flux, sum_x, sum_y = _sums(weight * light, columns, rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            new_x, new_y = sum_x / flux, sum_y / flux
        good = (flux > 0) & (abs(new_x - x) < BOX) & (abs(new_y - y) < BOX)
        x, y = np.where(good, new_x, x), np.where(good, new_y, y)
    weight = _box(y, rows)[:, :, None] * _box(x, columns)[:, None, :]
    dx, dy = columns[None, None, :] - x[:, None, None], rows[None, :, None] - y[:, None, None]
    noise = weight**2 * (variance + np.maximum(light, 0) + np.maximum(background, 0)[:, None, None])
    flux = (weight * light).sum(axis=(1, 2))
    scale = np.where(flux > 0, flux, np.nan)
    products = {"xx": dx * dx, "yy": dy * dy, "xy": dx * dy}
    seconds = {key: (weight * light * part).sum(axis=(1, 2)) / scale for key, part in products.items()}
    errors = {f"var_{key}": (noise * part).sum(axis=(1, 2)) / scale**2 for key, part in products.items()}
    return WindowMoments(x, y, flux, background, var_flux=noise.sum(axis=(1, 2)), **seconds, **errors)


def _ring(images):
    """Outermost pixels of windows, (n, …)."""
    inner = images[:, 1:-1]
    return np.concatenate([images[:, 0], images[:, -1], inner[:, :, 0], inner[:, :, -1]], axis=1)


def _brightest(light):
    """x and y of the brightest pixel after a 3 × 3 mean."""
    from scipy.ndimage import uniform_filter

    smooth = uniform_filter(light, size=(1, 3, 3), mode="constant")
    y, x = np.unravel_index(smooth.reshape(len(light), -1).argmax(axis=1), light.shape[1:])
    return x.astype(float), y.astype(float)


def _box(centre, pixels):
    """Share of each pixel that lies in a box around a centre, (n, len(pixels))."""
    low, high = centre[:, None] - BOX / 2, centre[:, None] + BOX / 2
    return np.clip(np.minimum(high, pixels + 0.5) - np.maximum(low, pixels - 0.5), 0, 1)


def _sums(weighted, columns, rows):
    """Sum, and sums of x and y, of weighted images."""
    return (
        weighted.sum(axis=(1, 2)),
        np.einsum("nyx,x->n", weighted, columns),
        np.einsum("nyx,y->n", weighted, rows),
    )


def downlink(images: NDArray, corners: NDArray[np.int64], variance: float, bad: NDArray[np.bool_]) -> SentCentroids:
    """The centroid of each pair.

    Parameters
    ----------
    images : ndarray (n, rows, columns)
        Electrons.
    corners : ndarray int64 (n, 2)
        First column and row of the windows.
    variance : float
        Of the reads in a pixel.
    bad : ndarray bool (n,)
        Pairs that went wrong.

    Returns
    -------
    SentCentroids
        One each; none where the flux is less than five of its errors.
    """
    return _sent(measure_moments(images, variance), corners, bad)


def _sent(moments, corners, bad):
    """WindowMoments as files hold them."""
    there = moments.flux > SIGNIFICANT * np.sqrt(moments.var_flux)
    place = np.stack([moments.x + corners[:, 0], moments.y + corners[:, 1]], -1)
    variance = np.stack([moments.var_xx, moments.var_yy, moments.var_xy], -1)
    place[~there], variance[~there] = np.nan, np.nan
    quality = np.where(there, np.where(bad, BAD, GOOD), "")
    return SentCentroids(place[:, None].astype(np.float32), variance[:, None].astype(np.float32), quality[:, None])


def downlink_several(
    images: NDArray, corners: NDArray[np.int64], variance: float, bad: NDArray[np.bool_]
) -> SentCentroids:
    """Up to five centroids of each pair, the brightest first, as an acquisition has them.

    Parameters
    ----------
    images, corners, variance, bad
        As for `downlink`.

    Returns
    -------
    SentCentroids
        Five each; what was found is taken out before the next is looked for.
    """
    left = np.array(images, float)
    rows, columns = (np.arange(size, dtype=float) for size in left.shape[1:])
    parts = []
    for _ in range(SEVERAL):
        moments = measure_moments(left, variance)
        parts.append(_sent(moments, corners, bad))
        inside = (_box(moments.y, rows)[:, :, None] > 0) & (_box(moments.x, columns)[:, None, :] > 0)
        left = np.where(inside, moments.background[:, None, None], left)
    return SentCentroids(*(np.concatenate(group, axis=1) for group in zip(*parts, strict=True)))


def downlink_edges(
    images: NDArray, corners: NDArray[np.int64], variance: float, bad: NDArray[np.bool_]
) -> SentCentroids:
    """The middle of a trace and the place of its edge, below which there is no light.

    Parameters
    ----------
    images, corners, variance, bad
        As for `downlink`.

    Returns
    -------
    SentCentroids
        One each. The background is the median of the lower quarter. x is the moment of the sum over rows in five
        columns; the edge is as far below the last row as the light of all rows, in units of that of the upper
        quarter's, says.
    """
    images = np.asarray(images, float)
    count, height, width = images.shape
    part = max(height // 4, 1)
    light = images - np.median(images[:, :part].reshape(count, -1), axis=1)[:, None, None]
    lines = measure_moments(np.repeat(light.sum(axis=1)[:, None, :], 5, axis=1), variance * height, _middle(light))
    across = _box(lines.x, np.arange(width, dtype=float))
    profile = np.einsum("nyx,nx->ny", light, across)
    level = profile[:, -part:].mean(axis=1)
    noise = np.sqrt((variance * BOX + np.maximum(level, 0)) / part)
    there = level > SIGNIFICANT * noise
    safe = np.where(there, level, np.nan)
    y = height - 0.5 - profile.sum(axis=1) / safe
    total = profile.sum(axis=1)
    per_row = (variance * BOX + np.maximum(level, 0)) / safe**2
    var_x = lines.var_xx / 5
    place = np.stack([np.where(there, lines.x, np.nan) + corners[:, 0], y + corners[:, 1]], -1)
    var_y = per_row * height + (total / safe) ** 2 * (noise / safe) ** 2
    errors = np.stack([np.where(there, var_x, np.nan), var_y, np.where(there, 0.0, np.nan)], -1)
    quality = np.where(there, np.where(bad, BAD, GOOD), "")
    return SentCentroids(place[:, None].astype(np.float32), errors[:, None].astype(np.float32), quality[:, None])


def _middle(light):
    """Column of the brightest sum over rows, and the middle of five rows."""
    column = light.sum(axis=1).argmax(axis=1)
    return np.stack([column, np.full(len(column), 2)], -1)
