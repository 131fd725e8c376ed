"""Light of a target in each image of a series: sums in a circle, background of a ring about it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from rtools.work.overlap import circle_on_pixels

__all__ = ["SeriesLight", "TargetApertures", "filled_sums", "light_of_all", "light_of_series"]

STATISTICS = ("mean", "median", "clip")
"""What the background can be of the ring."""

CLIP = 3.0
"""Standard deviations beyond which a pixel of the ring is left out, with ``clip``."""


class TargetApertures(NamedTuple):
    """Circle and ring, pixels, and what is taken of the ring: one of `STATISTICS`."""

    radius: float = 3.0
    inner: float = 4.0
    outer: float = 5.0
    statistic: str = "mean"


@dataclass(frozen=True)
class SeriesLight:
    """Light of a target; each attribute has a value for each image.

    Attributes
    ----------
    aperture_sum, aperture_err : ndarray of float64
        Sum of the circle over pixels that can be used, and its error; NaN where there is none of them.
    aperture_area : ndarray of float64
        Pixels of that sum.
    annulus_sum, annulus_sum_err, annulus_area : ndarray of float64
        Likewise of the ring.
    annulus_mean, annulus_mean_err : ndarray of float64
        The background of a pixel.
    n_bad : ndarray of int64
        Pixels that the circle touches and that cannot be used, or are beyond the edge.
    """

    aperture_sum: np.ndarray
    aperture_err: np.ndarray
    aperture_area: np.ndarray
    annulus_sum: np.ndarray
    annulus_sum_err: np.ndarray
    annulus_area: np.ndarray
    annulus_mean: np.ndarray
    annulus_mean_err: np.ndarray
    n_bad: np.ndarray

    @property
    def background(self) -> np.ndarray:
        """Of the circle."""
        return self.annulus_mean * self.aperture_area

    @property
    def background_err(self) -> np.ndarray:
        """Its error."""
        return self.annulus_mean_err * self.aperture_area

    @property
    def net(self) -> np.ndarray:
        """The circle without its background."""
        return self.aperture_sum - self.background

    @property
    def net_err(self) -> np.ndarray:
        """Its error."""
        return np.hypot(self.aperture_err, self.background_err)

    @classmethod
    def joined(cls, parts: list[SeriesLight]) -> SeriesLight:
        """Several series, one after the other.

        Parameters
        ----------
        parts : list of SeriesLight
            At least one.
        """
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


def light_of_series(
    data: np.ndarray, err: np.ndarray, usable: np.ndarray, x: np.ndarray, y: np.ndarray, apertures: TargetApertures
) -> SeriesLight:
    """Light in a circle, and the background of a ring about it, in each of several images.

    With the area a that a pixel has in common with the circle, and b with the ring, over pixels that can be used,

    .. math:: S = \\sum a I, \\quad \\sigma_S^2 = \\sum a\\,\\sigma^2, \\quad A = \\sum a, \\quad
              \\mu = \\frac{\\sum b I}{\\sum b}, \\quad \\sigma_\\mu = \\frac{\\sqrt{\\sum b\\,\\sigma^2}}{\\sum b}.

    Parameters
    ----------
    data, err : ndarray of float64 (images, rows, columns)
        Values and their errors.
    usable : ndarray of bool (images, rows, columns)
        Pixels that count.
    x, y : ndarray of float64 (images,)
        Middle of the circle in each, pixels from 0.
    apertures : TargetApertures
        Circle and ring.

    Returns
    -------
    SeriesLight
    """
    number, (rows, columns) = len(data), data.shape[1:]
    found = np.full((len(fields(SeriesLight)), number), np.nan)
    place, circle, ring = None, np.zeros(0), np.zeros(0)
    for n in range(number):
        if (x[n], y[n]) != place:
            place = (float(x[n]), float(y[n]))
            circle = circle_on_pixels(rows, columns, place, apertures.radius)
            ring = circle_on_pixels(rows, columns, place, apertures.outer)
            ring -= circle_on_pixels(rows, columns, place, apertures.inner)
            touched = np.count_nonzero(_whole_circle(place, apertures.radius))
        values, variances, good = data[n], err[n] ** 2, usable[n]
        sums = [*_sums(values, variances, circle * good), *_sums(values, variances, ring * good)]
        mean, mean_err = _background(values, variances, good, ring, apertures.statistic)
        found[:, n] = *sums, mean, mean_err, touched - np.count_nonzero((circle > 0) & good)
    return SeriesLight(*found[:-1], n_bad=found[-1].astype(np.int64))


def _whole_circle(place, radius):
    """The circle on pixels enough for all of it."""
    reach = int(np.ceil(radius)) + 1
    middle = tuple(reach + one - np.floor(one) for one in place)
    return circle_on_pixels(2 * reach + 2, 2 * reach + 2, middle, radius)


def _sums(values, variances, weight):
    used = weight > 0
    weight = weight[used]
    if not weight.size:
        return np.nan, np.nan, 0.0
    return weight @ values[used], np.sqrt(weight @ variances[used]), weight.sum()


def _background(values, variances, good, ring, statistic):
    """Background of a pixel and its error: of all pixels by their shares, or of those that are mostly in the ring."""
    if statistic == "mean":
        total, error, area = _sums(values, variances, ring * good)
        return (total / area, error / area) if area > 0 else (np.nan, np.nan)
    used = good & (ring >= 0.5)
    values, variances = values[used], variances[used]
    if statistic == "median":
        error = np.sqrt(np.pi / 2 * variances.sum()) / max(1, len(values))
        return (float(np.median(values)), error) if len(values) else (np.nan, np.nan)
    kept = np.ones(len(values), bool)
    while kept.any():
        middle, scatter = np.median(values[kept]), values[kept].std()
        again = np.abs(values - middle) <= CLIP * scatter
        if (again == kept).all():
            return values[kept].mean(), np.sqrt(variances[kept].sum()) / np.count_nonzero(kept)
        kept = again
    return np.nan, np.nan


def filled_sums(
    data: np.ndarray,
    usable: np.ndarray,
    light: SeriesLight,
    x: np.ndarray,
    y: np.ndarray,
    radius: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Light of the circle without background, where pixels that cannot be used have what the target shows else.

    With the median m of a pixel over all images, without background, and the good pixels G of the circle,

    .. math:: F = \\sum_G a\\,(I - \\mu) \\cdot \\frac{\\sum a\\,m}{\\sum_G a\\,m}.

    Where nothing is missing, that is the sum. So one bad pixel in the middle of a star makes no dip.

    Parameters
    ----------
    data, usable : ndarray (images, rows, columns)
        Values, and pixels that count; the same pixels in all images.
    light : SeriesLight
        Of the same images.
    x, y : ndarray of float64 (images,)
        Middle of the circle in each, pixels of `data` from 0.
    radius : float
        Of the circle, pixels.

    Returns
    -------
    ndarray of float64, ndarray of float64
        Sum and error of each image; NaN where less than half of the light would be measured.
    """
    rest = np.where(usable, data - light.annulus_mean[:, None, None], np.nan)
    seen = usable.any(axis=0)
    typical = np.zeros(data.shape[1:])
    typical[seen] = np.nanmedian(rest[:, seen], axis=0)
    net, error = light.net.copy(), light.net_err.copy()
    for n in np.flatnonzero(light.n_bad > 0):
        circle = circle_on_pixels(*data.shape[1:], (float(x[n]), float(y[n])), radius)
        whole, part = float((circle * typical).sum()), float((circle * typical)[usable[n]].sum())
        scale = whole / part if part > 0.5 * whole > 0 else np.nan
        net[n], error[n] = net[n] * scale, error[n] * scale
    return net, error


def light_of_all(data: np.ndarray, err: np.ndarray, usable: np.ndarray) -> SeriesLight:
    """Light of all pixels of each image, without any background.

    Parameters
    ----------
    data, err : ndarray of float64 (images, rows, columns)
        Values and their errors.
    usable : ndarray of bool (images, rows, columns)
        Pixels that count.

    Returns
    -------
    SeriesLight
        The background is 0; sums are NaN where no pixel can be used.
    """
    area = np.count_nonzero(usable, axis=(1, 2))
    total = np.where(area > 0, np.where(usable, data, 0.0).sum(axis=(1, 2)), np.nan)
    error = np.where(area > 0, np.sqrt(np.where(usable, err**2, 0.0).sum(axis=(1, 2))), np.nan)
    nothing = np.zeros(len(data))
    bad = usable[0].size - area if len(data) else area
    return SeriesLight(total, error, area.astype(float), *(nothing.copy() for _ in range(5)), n_bad=bad)
