"""Spectra of one source combined: a common grid of wavelengths, weighted means, values that stand out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rtools.errors import UsageError

__all__ = ["CombinedSpectrum", "SourceSpectrum", "combine", "first_grid", "logarithmic_grid", "merged_grid"]

CLUMP = 0.8
"""A run of wavelengths is a clump where its scatter is below this share of the mean of its neighbours'."""

NO_CLUMP = 9999.0
"""Scatter of a run that goes beyond the ends."""


class SourceSpectrum(NamedTuple):
    """One spectrum that is combined, all float64 (n,) but for the flags.

    Attributes
    ----------
    wavelength : ndarray
        Micrometres, rising or falling.
    values, errors : ndarray float64 (k, n)
        Quantities and their errors; the first one, flux, decides what is good and what stands out.
    flags : ndarray uint32 (n,)
        DQ.
    good : ndarray bool (n,)
        Which points count.
    weight : float
        Of all of them.
    """

    wavelength: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    flags: np.ndarray
    good: np.ndarray
    weight: float


class CombinedSpectrum(NamedTuple):
    """A combined spectrum; points to which nothing came are left out.

    Attributes
    ----------
    wavelength : ndarray float64 (m,)
        Micrometres, rising.
    values, errors : ndarray float64 (k, m)
        Weighted means and their errors.
    flags : ndarray uint32 (m,)
        All flags of what was combined.
    weight : ndarray float64 (m,)
        Sum of the weights.
    count : ndarray int64 (m,)
        Spectra that were combined.
    clipped : int
        Values that stood out.
    """

    wavelength: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    flags: np.ndarray
    weight: np.ndarray
    count: np.ndarray
    clipped: int


def merged_grid(wavelengths: Sequence[np.ndarray]) -> np.ndarray:
    """A grid with a point for each clump of wavelengths, one of each spectrum.

    All wavelengths are sorted; n of a wavelength is the number of spectra that cover it, their ends widened by half a
    pixel. A run of n of them whose standard deviation is below 0.8 times the mean of that of the runs before and behind
    it is a clump, and its mean a point. Where there are none, n wavelengths at a time are averaged.

    Parameters
    ----------
    wavelengths : sequence of ndarray float64
        Of each spectrum; those of fewer than two points are left out.

    Returns
    -------
    ndarray float64
        Rising.

    Raises
    ------
    UsageError
        No spectrum has two points.
    """
    usable = [np.sort(one[np.isfinite(one)]) for one in wavelengths]
    usable = [one for one in usable if len(one) > 1]
    if not usable:
        raise UsageError("no spectrum has two wavelengths")
    merged = np.sort(np.concatenate(usable))
    covering = np.zeros(len(merged), np.int64)
    for one in usable:
        low, high = one[0] - (one[1] - one[0]) / 2, one[-1] + (one[-1] - one[-2]) / 2
        covering += (merged >= low) & (merged < high)
    covering = np.maximum(covering, 1)
    points = _clumps(merged, covering)
    _fill_gaps(points, merged, covering)
    return np.unique(points[np.isfinite(points)])


def _clumps(merged, covering):
    """The mean of each clump at the place of its middle; NaN elsewhere."""
    scatter, mean = np.full(len(merged), NO_CLUMP), np.full(len(merged), np.nan)
    for number in np.unique(covering):
        at = np.flatnonzero(covering == number)
        first = at + number // 2 + 1 - number
        inside = (first >= 0) & (first + number <= len(merged))
        runs = sliding_window_view(merged, number)[first[inside]] if number <= len(merged) else merged[:0, None]
        scatter[at[inside]], mean[at[inside]] = runs.std(axis=1), runs.mean(axis=1)
    around = np.empty(len(merged))
    around[1:-1] = (scatter[:-2] + scatter[2:]) / 2
    around[0], around[-1] = scatter[1], scatter[-2]
    return np.where((scatter == 0) | (scatter < CLUMP * around), mean, np.nan)


def _fill_gaps(points, merged, covering):
    """Means of as many wavelengths as spectra cover them, where no clump is near."""
    start, total = 0, len(merged)
    while start < total:
        number = covering[start]
        if start + number // 2 < total:
            number = covering[start + number // 2]
            near = points[max(start - 1, 0) : min(start + number + 1, total - 1)]
            if start + number < total and not np.isfinite(near).any():
                points[start] = merged[start : start + number].mean()
        start += number


def first_grid(wavelengths: Sequence[np.ndarray]) -> np.ndarray:
    """The wavelengths of the first spectrum.

    Parameters
    ----------
    wavelengths : sequence of ndarray float64
        Of each spectrum.

    Returns
    -------
    ndarray float64
        Rising.
    """
    return np.unique(wavelengths[0][np.isfinite(wavelengths[0])])


def logarithmic_grid(wavelengths: Sequence[np.ndarray]) -> np.ndarray:
    """Wavelengths in equal ratios, from the shortest to the longest of all, as fine as the spectra in the middle.

    Parameters
    ----------
    wavelengths : sequence of ndarray float64
        Of each spectrum.

    Returns
    -------
    ndarray float64
        Rising.
    """
    usable = [np.log(np.sort(one[np.isfinite(one)])) for one in wavelengths]
    usable = [one for one in usable if len(one) > 1]
    if not usable:
        raise UsageError("no spectrum has two wavelengths")
    step = np.median(np.concatenate([np.diff(one) for one in usable]))
    low, high = min(one[0] for one in usable), max(one[-1] for one in usable)
    return np.exp(low + step * np.arange(round((high - low) / step) + 1))


def combine(
    spectra: Sequence[SourceSpectrum], grid: np.ndarray, *, overlap: bool = False, clip: float = 0.0
) -> CombinedSpectrum:
    """Combine spectra on a grid.

    F = Σwf/Σw, σ = √Σ(wσ)²/Σw over spectra. What of one spectrum comes to one point is averaged before: all points that
    are nearest to it alike; or, with `overlap`, by the share of the point's bin that they have in common, by which the
    weight of the spectrum shrinks.

    Parameters
    ----------
    spectra : sequence of SourceSpectrum
        What is combined.
    grid : ndarray float64 (m,)
        Wavelengths of the points, rising.
    overlap : bool
        Whether points are bins, and so are those of the spectra; else each goes to the nearest.
    clip : float
        A flux is left out where it differs from the median of its point by more than this many times the median
        absolute deviation there, or its own error, if that is larger: of few values the deviation is often too small.
        0 for never.

    Returns
    -------
    CombinedSpectrum
    """
    share_of = _overlap if overlap else _nearest
    kinds = len(spectra[0].values)
    values, errors = (np.full((len(spectra), kinds, len(grid)), np.nan) for _ in range(2))
    weights, flags = np.zeros((len(spectra), len(grid))), np.zeros((len(spectra), len(grid)), np.uint32)
    for number, one in enumerate(spectra):
        point, pixel, share = share_of(one, grid)
        total = np.bincount(point, share, len(grid))
        some = total > 0
        for kind in range(kinds):
            sums = np.bincount(point, share * one.values[kind, pixel], len(grid))
            squares = np.bincount(point, (share * one.errors[kind, pixel]) ** 2, len(grid))
            values[number, kind, some] = sums[some] / total[some]
            errors[number, kind, some] = np.sqrt(squares[some]) / total[some]
        weights[number] = one.weight * (np.minimum(total, 1.0) if overlap else some)
        np.bitwise_or.at(flags[number], point, one.flags[pixel])
    outside = _standing_out(values[:, 0], errors[:, 0], clip)
    weights[outside] = 0
    return _mean(grid, values, errors, weights, flags, int(outside.sum()))


def _mean(grid, values, errors, weights, flags, clipped):
    """Weighted means of what has a weight."""
    used = weights > 0
    total = weights.sum(axis=0)
    some = total > 0
    held = np.where(used[:, None], values, 0.0), np.where(used[:, None], errors, 0.0)
    mean = (held[0] * weights[:, None]).sum(axis=0)[:, some] / total[some]
    error = np.sqrt(((held[1] * weights[:, None]) ** 2).sum(axis=0))[:, some] / total[some]
    kept = np.bitwise_or.reduce(np.where(used, flags, np.uint32(0)), axis=0)
    return CombinedSpectrum(grid[some], mean, error, kept[some], total[some], used.sum(axis=0)[some], clipped)


def _standing_out(flux, error, clip):
    """Fluxes far from the median of their point."""
    if clip <= 0:
        return np.zeros(flux.shape, bool)
    some = np.isfinite(flux).any(axis=0)
    median, scatter = np.full(flux.shape[1], np.nan), np.full(flux.shape[1], np.nan)
    median[some] = np.nanmedian(flux[:, some], axis=0)
    away = np.abs(flux - median)
    scatter[some] = np.nanmedian(away[:, some], axis=0)
    with np.errstate(invalid="ignore"):
        return away > clip * np.maximum(scatter, np.nan_to_num(error))


def _edges(points):
    """Edges of bins about points: half-way between them, the first and the last as wide as their neighbours."""
    between = (points[1:] + points[:-1]) / 2
    return np.concatenate([[1.5 * points[0] - 0.5 * points[1]], between, [1.5 * points[-1] - 0.5 * points[-2]]])


def _nearest(one, grid):
    """To which point each good pixel goes, and that it goes there whole."""
    edges = _edges(grid) if len(grid) > 1 else np.array([-np.inf, np.inf])
    pixel = np.flatnonzero(one.good & np.isfinite(one.wavelength))
    place = one.wavelength[pixel]
    inside = (place >= edges[0]) & (place <= edges[-1])
    pixel, place = pixel[inside], place[inside]
    point = np.searchsorted(edges[1:-1], place, side="left")
    return point, pixel, np.ones(len(pixel))


def _overlap(one, grid):
    """Which bins of the grid each good pixel reaches, and which share of the bin it covers."""
    known = np.flatnonzero(np.isfinite(one.wavelength))
    order = known[np.argsort(one.wavelength[known])]
    if len(order) < 2 or len(grid) < 2:
        return _nearest(one, grid)
    own, bins = _edges(one.wavelength[order]), _edges(grid)
    low, high = own[:-1], own[1:]
    first = np.clip(np.searchsorted(bins, low, side="right") - 1, 0, len(grid) - 1)
    last = np.clip(np.searchsorted(bins, high, side="left") - 1, 0, len(grid) - 1)
    number = np.where(one.good[order], last - first + 1, 0)
    which = np.repeat(np.arange(len(order)), number)
    point = first[which] + np.arange(len(which)) - np.repeat(np.cumsum(number) - number, number)
    common = np.minimum(high[which], bins[point + 1]) - np.maximum(low[which], bins[point])
    share = common / (bins[point + 1] - bins[point])
    kept = share > 0
    return point[kept], order[which[kept]], share[kept]
