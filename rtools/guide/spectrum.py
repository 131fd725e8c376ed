"""Spectra of the motion of a guide star, or of its light: power in each bin of frequency, in bands, in lines.

Power is given for each bin, in the square of the series' unit, so that the sum over all bins is the variance. Noise of
the measurement is white: it is spread evenly over the bins.

A pair is a mean over its exposure time T. So a line at the frequency f comes with sinc(f T) = sin(π f T) / (π f T) of
its amplitude; and one above the Nyquist frequency 1 / (2 C), C the time from one pair to the next, is found folded to
|f - k / C|. Lines are fitted as sinusoids, because a line between two bins shares its power among many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi.guide import GAP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "BANDS_HZ",
    "FrequencyBand",
    "Spectrum",
    "add_spectra",
    "lomb_scargle",
    "measure_bands",
    "take_out_line",
    "welch",
]

BANDS_HZ = (0.0, 0.05, 0.2, 0.5, 1.0, np.inf)
"""Borders of the bands that are reported; the last one ends at the Nyquist frequency."""

SEGMENT = 176
"""Pairs of a segment of Welch's spectrum: 11 reads of the full frame, 35 s where filters are tracked."""

FEWEST = 4
"""Pairs without which there is no spectrum."""


class Spectrum(NamedTuple):
    """Power of a series by frequency.

    Attributes
    ----------
    frequency : ndarray float64, (m,)
        Centres of the bins, Hz; evenly spaced.
    power : ndarray float64, (m,)
        Of each bin, the square of the series' unit. Divided by the spacing of the bins it is a density per Hz.
    floor : ndarray float64, (m,)
        What the noise of the measurement is expected to have in each bin.
    variance : float
        Mean square of the series that was transformed.
    noise : float
        Variance of the noise of the measurement: the sum of `floor`.
    """

    frequency: NDArray[np.float64]
    power: NDArray[np.float64]
    floor: NDArray[np.float64]
    variance: float
    noise: float


class FrequencyBand(NamedTuple):
    """Motion between two frequencies.

    Attributes
    ----------
    low, high : float
        Hz; `high` belongs to the band.
    variance : float
        Power in the band less the noise there. It is negative where there is less than the noise is expected to have.
        Those of all bands and the noise add up to the variance of the series.
    rms : float
        Its root; 0 where it is negative.
    """

    low: float
    high: float
    variance: float
    rms: float


def take_out_line(
    t: NDArray[np.float64], values: NDArray[np.float64], *, groups: NDArray[np.integer] | None = None
) -> NDArray[np.float64]:
    """A series without its level and without its slope.

    Parameters
    ----------
    t : ndarray, (n,)
        Times, s.
    values : ndarray, (n,)
        The series.
    groups : ndarray, (n,), optional
        A number for each value, such as that of its exposure. Each group has a level of its own, because a dither
        moves the star; all have one slope. By default all values are of one group.

    Returns
    -------
    ndarray float64, (n,)
        What is left; its mean in each group is 0.
    """
    number = np.zeros(len(t), int) if groups is None else np.unique(groups, return_inverse=True)[1]
    counts = np.maximum(np.bincount(number), 1)
    t = t - (np.bincount(number, t) / counts)[number]
    left = values - (np.bincount(number, values) / counts)[number]
    square = float(t @ t)
    return left - t * (t @ left / square) if square > 0 else left


def lomb_scargle(
    t: NDArray[np.float64], values: NDArray[np.float64], *, cycle_s: float, noise: float = 0.0
) -> Spectrum:
    """Spectrum of a series that may have gaps.

    The frequencies are k / (N C), k = 1 … N / 2, N the cycles from the first time to the last. The periodogram of Lomb
    (1976, Ap&SS 39, 447) and Scargle (1982, ApJ 263, 835) is (|Σ v cos|² / Σ cos² + |Σ v sin|² / Σ sin²) / 2; a bin's
    power is 2 / N times that, and half of the alternating part in the last bin of an even N. Without gaps this is the
    discrete Fourier transform, and the sum is the variance. With gaps it is not to the last per cent; the powers are
    scaled by what is missing.

    Parameters
    ----------
    t : ndarray, (n,)
        Times, s, rising.
    values : ndarray, (n,)
        The series, of which level and slope were taken out (`take_out_line`).
    cycle_s : float
        Time C from one pair to the next, s.
    noise : float
        Variance of the noise of one value.

    Returns
    -------
    Spectrum
        Up to the Nyquist frequency.

    Raises
    ------
    InputError
        There are fewer than 4 values.
    """
    _check(t)
    cycles = max(round((t[-1] - t[0]) / cycle_s) + 1, len(t))
    frequency = np.arange(1, cycles // 2 + 1) / (cycles * cycle_s)
    power = 2 / cycles * _periodogram(t, values, frequency)
    if cycles % 2 == 0:  # at Nyquist all sines are 0, and the formula says 0 / 0
        signs = np.where(np.rint((t - t[0]) / cycle_s) % 2, -1.0, 1.0)
        power[-1] = (signs @ values) ** 2 / (cycles * len(t))
    variance, total = float(values @ values / len(t)), float(power.sum())
    power *= variance / total if total > 0 else 1.0
    return Spectrum(frequency, power, noise * _widths(cycles), variance, noise)


def _periodogram(t: NDArray[np.float64], values: NDArray[np.float64], frequency: NDArray) -> NDArray[np.float64]:
    """The periodogram of Lomb and Scargle at evenly spaced frequencies; its mean for white noise is the variance."""
    from astropy.timeseries import LombScargle

    series = LombScargle(t, values, fit_mean=False, center_data=False, normalization="psd")
    return series.power(frequency, method="fast", assume_regular_frequency=True)


def _check(t):
    """Refuses too few times."""
    if len(t) < FEWEST:
        raise InputError(f"{len(t)} pairs are too few for a spectrum")


def _widths(cycles):
    """Share of white noise in each bin of a transform of so many values: the bin at Nyquist is half as wide."""
    widths = np.full(cycles // 2, 2.0)
    if cycles % 2 == 0:
        widths[-1] = 1.0
    return widths / widths.sum()


def welch(
    t: NDArray[np.float64], values: NDArray[np.float64], *, cycle_s: float, noise: float = 0.0, segment: int = SEGMENT
) -> Spectrum:
    """Mean spectrum of overlapping segments of the runs without a gap (Welch 1967, IEEE Trans. AU-15, 70).

    Segments overlap by a half and are weighted by Hann's window. Each keeps its level, which is in the bin of frequency
    0: motion slower than a segment. So the sum over all bins is the mean square of the segments as the window weighs
    them.

    Parameters
    ----------
    t : ndarray, (n,)
        Times, s, rising.
    values : ndarray, (n,)
        The series, of which level and slope were taken out (`take_out_line`).
    cycle_s : float
        Time from one pair to the next, s. A spacing beyond 1.5 of them is a gap.
    noise : float
        Variance of the noise of one value.
    segment : int
        Values in a segment.

    Returns
    -------
    Spectrum
        At j / (segment · C), j = 0 … segment / 2. Its variance is that of all values.

    Raises
    ------
    InputError
        No run without a gap is as long as a segment.
    """
    from scipy import signal

    _check(t)
    runs = np.split(values, np.flatnonzero(np.diff(t) > GAP * cycle_s) + 1)
    long_enough = [run for run in runs if len(run) >= segment]
    if not long_enough:
        longest = max(map(len, runs))
        raise InputError(f"no run of {segment} pairs without a gap; the longest has {longest}")
    options = {"nperseg": segment, "detrend": False, "scaling": "density"}
    found = [signal.welch(run, 1 / cycle_s, window="hann", **options) for run in long_enough]
    segments = [(len(run) - segment) // (segment - segment // 2) + 1 for run in long_enough]
    frequency = found[0][0]
    power = np.average([density for _, density in found], axis=0, weights=segments) / (segment * cycle_s)
    widths = np.concatenate([[0.5 * _widths(segment)[0]], _widths(segment)])  # the bin at 0 is half as wide
    return Spectrum(frequency, power, noise * widths / widths.sum(), float(values @ values / len(values)), noise)


def add_spectra(*spectra: Spectrum) -> Spectrum:
    """Spectrum of the radial motion: the sum of those along both axes.

    Parameters
    ----------
    *spectra : Spectrum
        With the same frequencies.

    Returns
    -------
    Spectrum
        Powers, floors, variances and noises added.

    Raises
    ------
    InputError
        Their frequencies differ.
    """
    first = spectra[0]
    if any(not np.array_equal(other.frequency, first.frequency) for other in spectra):
        raise InputError("spectra of different frequencies cannot be added")
    columns = list(zip(*spectra, strict=True))
    power, floor = (np.sum(columns[index], axis=0) for index in (1, 2))
    return Spectrum(first.frequency, power, floor, float(sum(columns[3])), float(sum(columns[4])))


def measure_bands(spectrum: Spectrum, borders: Sequence[float] = BANDS_HZ) -> tuple[FrequencyBand, ...]:
    """Motion in bands of frequency, the noise of the measurement taken out.

    Parameters
    ----------
    spectrum : Spectrum
        Of one axis, or radial.
    borders : sequence of float
        Rising frequencies, Hz. A bin belongs to the band at whose upper border or below it lies.

    Returns
    -------
    tuple of FrequencyBand
        One fewer than borders. The last border is the Nyquist frequency where it lies beyond.
    """
    inner = np.asarray(borders[1:-1], float)
    number = np.searchsorted(inner, spectrum.frequency)
    variance = np.bincount(number, spectrum.power - spectrum.floor, minlength=len(inner) + 1)
    ends = [borders[0], *inner.tolist(), min(borders[-1], float(spectrum.frequency[-1]))]
    return tuple(
        FrequencyBand(low, high, float(value), float(np.sqrt(max(value, 0.0))))
        for low, high, value in zip(ends[:-1], ends[1:], variance, strict=True)
    )
