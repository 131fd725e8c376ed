"""The spatial profile of a spectrum: which share of the light of a wavelength each pixel across the slit has.

It is measured on the spectrum itself, in neighbouring wavelengths, and says what bad pixels of an aperture would show.
"""

from __future__ import annotations

from itertools import pairwise
from math import comb
from typing import NamedTuple

import numpy as np

from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["LEAST_LIGHT", "Completion", "SpatialProfile", "completed", "spatial_profile"]

LEAST_LIGHT = 0.5
"""Share of the light that must be measured: what is completed from less is no measurement."""

BIN = 24
"""Wavelengths of which the first estimate, and scatter, are medians."""

REACHES = (12, 48, 192)
"""Wavelengths to either side of which a profile is made, the first that suffices; behind them all of the image."""

SIGNIFICANT = 20.0
"""Signal over noise of the light within reach, below which there is no profile."""

LEAST_COUNT = 6
"""Good pixels that the share of a pixel is measured in."""

LARGEST_GROWTH = 9.5
"""Of the variance of a parabola's value over that of a mean: 9/4 amid what it is fitted to, and 9 at the end."""

CERTAIN = 0.01
"""Error of a share, below which it may lie beyond what the parabola is fitted to."""

OUTLYING = 5.0
"""Errors, or widths of the scatter, beyond which a pixel is left out of a profile."""

TOLERATED = 0.03
"""Share of the light by which a pixel may be off in any case, so that a steep trace is not left out piece by piece."""

ROUNDS = 3


class SpatialProfile(NamedTuple):
    """The light of a spectrum across the slit, float64 (across, along).

    Attributes
    ----------
    share : ndarray
        Of the light of the aperture that a pixel has: Σ p share is 1 at each wavelength, with p the weights.
    spread : ndarray
        Variance of the shares that pixels have, about this one.
    variance : ndarray
        Of a pixel, smoothed along the dispersion, so that weights do not follow noise.
    """

    share: np.ndarray
    spread: np.ndarray
    variance: np.ndarray


class Completion(NamedTuple):
    """What is taken of good pixels so that their sum stands for all of an aperture.

    Attributes
    ----------
    weights : ndarray float64 (n, across, along)
        Of good pixels; those of an aperture without bad ones are what it takes.
    missing : ndarray float64 (n, along)
        Share of the light that bad pixels have; NaN where a profile does not say it.
    spread : ndarray float64 (n, along)
        Variance of that share.
    amplitude : ndarray float64 (n, across, along)
        Weights of which the sum over pixels without background is all light of the aperture.
    """

    weights: np.ndarray
    missing: np.ndarray
    spread: np.ndarray
    amplitude: np.ndarray


def completed(profile: SpatialProfile, weights: np.ndarray, good: np.ndarray) -> Completion:
    """What is taken of good pixels so that their sum stands for all of an aperture.

    With p the weights, P the profile, v its variances and G the good pixels of the aperture, the light is
    f = Σ_G (P/v)(I − B) / Σ_G P²/v, and the weights are p + m (P/v) / Σ_G P²/v with m = Σ p P over the bad pixels.

    Parameters
    ----------
    profile : SpatialProfile
        Of the spectrum.
    weights : ndarray float64 (across, along)
        What the aperture takes of each pixel.
    good : ndarray bool (n, across, along)
        Which pixels can be used.

    Returns
    -------
    Completion
    """
    inside = weights > 0
    lost = np.where(good, 0.0, weights)
    missing = (lost * profile.share).sum(axis=1)
    spread = (lost**2 * profile.spread).sum(axis=1)
    scaled = np.where(good & inside, profile.share / profile.variance, 0.0)
    norm = (scaled * profile.share).sum(axis=1, keepdims=True)
    amplitude = np.divide(scaled, norm, out=np.zeros_like(scaled), where=norm > 0)
    gap = lost.any(axis=1) & (norm[:, 0] <= 0)
    return Completion(
        np.where(good, weights, 0.0) + missing[:, None] * amplitude, np.where(gap, np.nan, missing), spread, amplitude
    )


def spatial_profile(light: np.ndarray, variance: np.ndarray, weights: np.ndarray) -> SpatialProfile:
    """Measure the spatial profile of a spectrum.

    The light S of a wavelength is the weighted sum that fits the profile best; the share of a pixel is that of the
    light of neighbouring wavelengths, on a parabola along the dispersion, so that a trace may be inclined:

        Σ u^k (N − S (a + b u + c u²)) = 0 for k = 0, 1, 2,  P = a,  u: distance along the dispersion

    Both are found in turn, from the median of neighbouring wavelengths on. Pixels that stand out are left out. Where
    the light within reach is too faint, more wavelengths are taken, and where that of the whole image is, all pixels of
    the aperture have the same share.

    Parameters
    ----------
    light : ndarray float64 (across, along)
        The image without background; NaN where a pixel is bad.
    variance : ndarray float64 (across, along)
        Of each pixel.
    weights : ndarray float64 (across, along)
        What an aperture takes of each pixel; others are not looked at.

    Returns
    -------
    SpatialProfile
    """
    rows = weights.any(axis=1)
    shape, kept_rows = weights.shape, weights[rows]
    share, spread = np.zeros(shape), np.zeros(shape)
    even = np.ones(shape)
    if not rows.any():
        return SpatialProfile(share, spread, even)
    light, good = light[rows], np.isfinite(light[rows]) & np.isfinite(variance[rows])
    noise = np.where(good, variance[rows], 0.0)
    smooth = _smooth_variance(noise, good)
    even[rows] = smooth
    share[rows], spread[rows] = _measured(np.where(good, light, 0.0), noise, good, kept_rows, smooth)
    return SpatialProfile(share, spread, even)


def _measured(light, noise, good, weights, smooth):
    """Shares and their spread."""
    share, _ = _normal(_of_bins(np.where(good, light, np.nan), np.nanmedian), weights)
    kept, inside = good, weights > 0
    for _ in range(ROUNDS):
        flux, error = _amplitude(light, share, smooth, kept & inside)
        share, varied, significant = _shares(light, flux, error, kept, smooth)
        share, norm = _normal(np.where(significant, share, np.nan), weights)
        away = np.where(good, np.abs(light - flux * norm * np.nan_to_num(share)), np.nan)
        scatter = MAD_TO_SIGMA * np.nan_to_num(_of_bins(away, np.nanmedian))
        allowed = np.maximum(OUTLYING * np.maximum(scatter, np.sqrt(noise)), TOLERATED * flux * norm)
        kept = good & ~(away > allowed)
    squares = _running(np.where(kept, away, 0.0) ** 2, REACHES[0])
    expected = _running(np.where(kept, noise, 0.0), REACHES[0])
    power = _running(np.where(kept, (flux * norm) ** 2, 0.0), REACHES[0])
    beyond = np.divide(squares - expected, power, out=np.zeros_like(power), where=power > 0)
    spread = np.where(significant, np.maximum(beyond, 0.0) + varied / norm**2, 0.0)
    return _without_gaps(share, spread, weights)


def _amplitude(light, share, smooth, used):
    """Light of each wavelength by its profile, and its variance."""
    scaled = np.where(used, np.nan_to_num(share) / smooth, 0.0)
    norm = (scaled * np.nan_to_num(share)).sum(axis=0)
    some = norm > 0
    return (np.divide((scaled * light).sum(axis=0), norm, out=np.zeros_like(norm), where=some),
            np.divide(1.0, norm, out=np.zeros_like(norm), where=some))  # fmt: skip


def _shares(light, flux, error, kept, smooth):
    """Share of each pixel, its variance, and at which wavelengths there is enough light for it."""
    share, varied = np.full(light.shape, np.nan), np.zeros(light.shape)
    bright = np.zeros(light.shape[1], bool)
    used = kept & (error > 0)
    told, seen = np.where(used, flux, 0.0), np.where(used, light, 0.0)
    for reach in (*REACHES, light.shape[1]):
        enough = _running(flux, reach) > SIGNIFICANT * np.sqrt(_running(error, reach))
        moments = _moments(told, reach, 5)
        with np.errstate(invalid="ignore", divide="ignore"):
            level, growth = _middle_of_parabola(moments, _moments(seen, reach, 3))
            scatter = growth * _running(np.where(used, smooth, 0.0), reach) / moments[0] ** 2
        count = _running(used.astype(np.float64), reach)
        certain = (growth < LARGEST_GROWTH) | ((scatter < CERTAIN**2) & (growth < 10 * LARGEST_GROWTH))
        usable = enough & (count > LEAST_COUNT - 0.5) & (growth > 0) & certain & np.isnan(share)
        share[usable], varied[usable] = level[usable], scatter[usable]
        bright |= enough
    return share, varied, bright


def _moments(values, reach, number):
    """Sums over neighbours of values times powers of u, their distance over the reach."""
    along = (np.arange(values.shape[1]) - values.shape[1] / 2) / reach
    sums = [_running(values * along**power, reach) for power in range(number)]
    return [sum(comb(power, k) * (-along) ** (power - k) * sums[k] for k in range(power + 1))
            for power in range(number)]  # fmt: skip


def _middle_of_parabola(known, sums):
    """Value at u = 0 of the parabola of which the moments are these, and how much it scatters more than a mean."""
    m0, m1, m2, m3, m4 = known
    first, second, third = m2 * m4 - m3**2, m2 * m3 - m1 * m4, m1 * m3 - m2**2
    norm = m0 * first + m1 * second + m2 * third
    return (sums[0] * first + sums[1] * second + sums[2] * third) / norm, m0 * first / norm


def _without_gaps(share, spread, weights):
    """Shares where none could be measured: between their neighbours across; and all alike where there is no light."""
    inside = weights > 0
    number = np.arange(len(share))
    for column in np.flatnonzero((inside & np.isnan(share)).any(axis=0)):
        known = np.isfinite(share[:, column])
        if known.any():
            share[:, column] = np.interp(number, number[known], share[known, column])
            spread[~known, column] = (share[~known, column] / 2) ** 2
        else:
            share[:, column] = 1.0
    return _normal(share, weights)[0], spread


def _normal(share, weights):
    """Shares of which the sum over the aperture is 1, and what it was; all alike where it is not above 0."""
    norm = (np.nan_to_num(share) * weights).sum(axis=0)
    total = weights.sum(axis=0)
    norm = np.where(norm > 0, norm, 1.0)
    return np.where(total > 0, share / norm, 0.0), norm


def _smooth_variance(noise, good):
    """Running mean along the dispersion; of all pixels where none is near."""
    count = _running(good.astype(np.float64), REACHES[0])
    mean = np.divide(_running(noise, REACHES[0]), count, out=np.zeros_like(noise), where=count > 0.5)
    typical = float(noise[good].mean()) if good.any() else 0.0
    return np.where(mean > 1e-12 * typical, mean, typical or 1.0)


def _running(values, reach):
    """Sum over neighbours along the last axis."""
    total = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
    number = np.arange(values.shape[-1])
    high, low = np.minimum(number + reach + 1, len(number)), np.maximum(number - reach, 0)
    return total[..., high] - total[..., low]


def _of_bins(values, statistic):
    """A statistic of runs of wavelengths, linear between their middles; NaN where a row has no value."""
    edges = np.linspace(0, values.shape[1], max(1, values.shape[1] // BIN) + 1).astype(int)
    middle = (edges[1:] + edges[:-1] - 1) / 2
    found = np.full((len(values), len(middle)), np.nan)
    for number, (low, high) in enumerate(pairwise(edges)):
        some = np.isfinite(values[:, low:high]).any(axis=1)
        found[some, number] = statistic(values[some, low:high], axis=1)
    made, along = np.full(values.shape, np.nan), np.arange(values.shape[1])
    for row, one in enumerate(found):
        known = np.isfinite(one)
        if known.any():
            made[row] = np.interp(along, middle[known], one[known])
    return made
