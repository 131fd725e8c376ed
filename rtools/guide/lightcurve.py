"""The light of a guide star against time: rates with errors, bins of seconds, scatter found and expected.

A flux comes with the error that its photons and the noise of the readings give it. That error rises with the flux it
was made of: a pair that is faint by chance has a smaller error, and a mean weighted by errors comes out low, by as
much as one electron. So the part of the variance that follows the flux of the single pair is taken out of the weights.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide.spectrum import Spectrum, lomb_scargle, take_out_line
from rtools.wfi.guide import DROPPED_BY_PHOTOMETRY, GAP

__all__ = [
    "LightBins",
    "LightCurve",
    "LightScatter",
    "bin_light",
    "light_spectrum",
    "make_light_curve",
    "measure_scatter",
]

PPM = 1e6
"""Parts per million of one."""

UNUSUAL = 0.5
"""Variances that differ from their median by more than this share of it have another cause than photons."""

ROUNDING = 1e-6
"""Share of a bin by which times may be rounded."""


class LightCurve(NamedTuple):
    """Rates of a star, pair by pair.

    Attributes
    ----------
    t : ndarray float64, (n,)
        Middle of each pair, s.
    flux, flux_err : ndarray float64, (n,)
        Electrons per second.
    exposure : ndarray int, (n,)
        Number of the exposure; negative or 0 outside of exposures.
    use : ndarray uint16, (n,)
        `rtools.wfi.guide.Use`: why a pair is not used.
    used : ndarray bool, (n,)
        Pairs that count.
    """

    t: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    exposure: NDArray[np.integer]
    use: NDArray[np.uint16]
    used: NDArray[np.bool_]


class LightBins(NamedTuple):
    """Rates of a star in bins of time.

    Attributes
    ----------
    t : ndarray float64, (m,)
        Weighted mean of the times of a bin's pairs, s.
    flux, flux_err : ndarray float64, (m,)
        Weighted mean and its expected error, electrons per second.
    pairs : ndarray int, (m,)
        Used pairs in the bin.
    exposure : ndarray int, (m,)
        Exposure of the bin.
    start, stop : ndarray float64, (m,)
        First and last time of its used pairs, s.
    """

    t: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    pairs: NDArray[np.integer]
    exposure: NDArray[np.integer]
    start: NDArray[np.float64]
    stop: NDArray[np.float64]


class LightScatter(NamedTuple):
    """How much rates scatter, against what is expected of their errors. NaN where there are fewer than two.

    Attributes
    ----------
    pairs : int
        Rates that were looked at.
    flux : float
        Their mean, electrons per second.
    found_ppm : float
        Standard deviation over the mean.
    neighbours_ppm : float
        That of the differences of neighbours, over √2: without what varies slowly.
    expected_ppm : float
        Root of the mean square of the errors, over the mean.
    """

    pairs: int
    flux: float
    found_ppm: float
    neighbours_ppm: float
    expected_ppm: float


def make_light_curve(
    t: NDArray[np.float64],
    electrons: NDArray[np.float64],
    electrons_err: NDArray[np.float64],
    *,
    exptime_s: float,
    exposure: NDArray[np.integer],
    use: NDArray[np.uint16],
    dropped: int = DROPPED_BY_PHOTOMETRY,
) -> LightCurve:
    """Rates of what was measured in each pair.

    Parameters
    ----------
    t : ndarray, (n,)
        Middle of each pair, s, rising.
    electrons, electrons_err : ndarray, (n,)
        Flux of the star in the pair and its error, electrons.
    exptime_s : float
        Exposure time of a pair, s.
    exposure : ndarray int, (n,)
        Number of the exposure of each pair.
    use : ndarray uint16, (n,)
        `rtools.wfi.guide.Use` of each pair.
    dropped : int
        Bits of `use` with which a pair does not count.

    Returns
    -------
    LightCurve
        With all pairs. A pair whose flux or error is not a number, or whose error is not positive, is not used.
    """
    flux, flux_err = np.asarray(electrons, float) / exptime_s, np.asarray(electrons_err, float) / exptime_s
    used = ((use & int(dropped)) == 0) & np.isfinite(flux) & np.isfinite(flux_err) & (flux_err > 0)
    return LightCurve(np.asarray(t, float), flux, flux_err, exposure, use, used)


def bin_light(curve: LightCurve, seconds: float, *, cycle_s: float) -> LightBins:
    """Weighted means in bins of time, none of which reaches over a gap or the border of an exposure.

    The first bin of a run begins with its first pair, and each begins `seconds` after the one before. A run ends where
    the next pair is more than 1.5 cycles away or of another exposure. Pairs that are not used make no gap; a bin in
    which no pair is used is left out.

    Parameters
    ----------
    curve : LightCurve
        All pairs.
    seconds : float
        Length of a bin.
    cycle_s : float
        Time from one pair to the next, s.

    Returns
    -------
    LightBins
        In the order of time.
    """
    number = _bin_numbers(curve, seconds, cycle_s)[curve.used]
    t, flux, flux_err = (column[curve.used] for column in (curve.t, curve.flux, curve.flux_err))
    exposure = curve.exposure[curve.used]
    first = np.flatnonzero(np.diff(number, prepend=-1))
    if not len(first):
        return LightBins(t, flux, flux_err, first, exposure, t, t)
    weight = _weights(flux, flux_err, exposure)
    total, by_time, by_flux, square = (
        np.add.reduceat(values, first) for values in (weight, weight * t, weight * flux, (weight * flux_err) ** 2)
    )
    pairs = np.diff(first, append=len(number))
    start, stop = t[first], t[first + pairs - 1]
    return LightBins(by_time / total, by_flux / total, np.sqrt(square) / total, pairs, exposure[first], start, stop)


def _bin_numbers(curve, seconds, cycle_s):
    """Number of the bin of each pair, rising by one or more from bin to bin."""
    t, length = curve.t, len(curve.t)
    begins = np.ones(length, bool)
    begins[1:] = (np.diff(t) > GAP * cycle_s) | (np.diff(curve.exposure) != 0)
    run = np.cumsum(begins) - 1
    inside = np.floor((t - t[begins][run]) / seconds + ROUNDING).astype(np.int64)
    new = begins.copy()
    new[1:] |= np.diff(inside) != 0
    return np.cumsum(new) - 1


def _weights(flux, flux_err, exposure):
    """Inverse variances without what follows the noise of the flux itself: a straight line in the flux, by exposure.

    The line is fitted to usual variances only; pairs with masked pixels have larger ones.
    """
    variance = flux_err**2
    usual = np.abs(variance / np.median(variance) - 1) < UNUSUAL
    number = np.unique(exposure, return_inverse=True)[1]
    counts = np.maximum(np.bincount(number, usual), 1)
    offset = flux - (np.bincount(number, usual * flux) / counts)[number]
    square = np.bincount(number, usual * offset**2)
    product = np.bincount(number, usual * offset * variance)
    slope = np.divide(product, square, out=np.zeros(len(square)), where=square > 0)
    flat = variance - slope[number] * offset
    return 1 / np.where(flat > 0.25 * variance, flat, variance)


def measure_scatter(flux: NDArray[np.float64], flux_err: NDArray[np.float64]) -> LightScatter:
    """Scatter of rates, of pairs or of bins.

    Parameters
    ----------
    flux, flux_err : ndarray, (n,)
        Rates that count and their errors, in one unit, in the order of time.

    Returns
    -------
    LightScatter
        In parts per million of the mean.
    """
    count = len(flux)
    if count < 2:
        return LightScatter(count, float(np.mean(flux)) if count else np.nan, np.nan, np.nan, np.nan)
    mean = float(np.mean(flux))
    found = float(np.std(flux, ddof=1))
    neighbours = float(np.sqrt(np.mean(np.diff(flux) ** 2) / 2))
    expected = float(np.sqrt(np.mean(np.square(flux_err))))
    return LightScatter(count, mean, *(PPM * value / mean for value in (found, neighbours, expected)))


def light_spectrum(curve: LightCurve, *, cycle_s: float) -> Spectrum:
    """Periodogram of the relative flux, the level of each exposure and a common slope taken out.

    Parameters
    ----------
    curve : LightCurve
        Pairs that are not used are gaps.
    cycle_s : float
        Time from one pair to the next, s.

    Returns
    -------
    Spectrum
        Power of each bin in ppm²; `noise` is the expected variance of a pair. Lines in it are found by `find_lines`.

    Raises
    ------
    InputError
        Fewer than 4 pairs are used.
    """
    flux, exposure = curve.flux[curve.used], curve.exposure[curve.used]
    mean = float(np.mean(flux)) if len(flux) else np.nan
    t = curve.t[curve.used]
    relative = take_out_line(t, PPM * flux / mean, groups=exposure)
    noise = float(np.mean((PPM * curve.flux_err[curve.used] / mean) ** 2)) if len(flux) else np.nan
    return lomb_scargle(t, relative, cycle_s=cycle_s, noise=noise)
