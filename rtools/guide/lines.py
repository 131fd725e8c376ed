"""Lines in the motion of a guide star: sinusoids that stand out of the spectrum, and the frequencies they can have.

Reaction wheels turn faster than the Nyquist frequency of guide windows. Their lines are found folded, and weak: the
mean over a pair takes most of them away. So each line is given with all frequencies that are folded to where it is
found, and with the motion that it would be at each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.guide.spectrum import lomb_scargle, take_out_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Line", "Partner", "find_lines", "find_partners"]

ABOVE = 12.0
"""Times the local median that the power of a line has. The power of noise has an exponential distribution, so that one
bin in 4000 is above 12 times its median."""

NEIGHBOURS = 25
"""Bins on each side that the local median looks at."""

HIGHEST_HZ = 50.0
"""Up to which partners are named."""

MOST = 20
"""Lines that are looked for, the strongest first."""

FINE = 40
"""Steps of the search for a frequency between two bins."""


class Partner(NamedTuple):
    """A frequency that a line can have.

    Attributes
    ----------
    frequency : float
        Hz.
    amplitude : float
        |sinc(f T)|: the share of the amplitude that is left in the mean over a pair.
    rms : float
        Of the motion that the line would be at this frequency, in the unit of the series.
    """

    frequency: float
    amplitude: float
    rms: float


class Line(NamedTuple):
    """A sinusoid in a series.

    Attributes
    ----------
    frequency, frequency_err : float
        Where it is found, below the Nyquist frequency, Hz.
    rms, rms_err : float
        As it is found, in the unit of the series: amplitude / √2, the spectrum around it taken out.
    above : float
        Its power in the spectrum over the local median.
    partners : tuple of Partner
        Frequencies that it can have, rising; the first is where it is found.
    """

    frequency: float
    frequency_err: float
    rms: float
    rms_err: float
    above: float
    partners: tuple[Partner, ...]


def find_partners(
    frequency: float, rms: float, *, cycle_s: float, exptime_s: float, highest: float = HIGHEST_HZ
) -> tuple[Partner, ...]:
    """Frequencies |k / C ± f| that are folded to f.

    Parameters
    ----------
    frequency : float
        f, Hz.
    rms : float
        Of the line as it is found.
    cycle_s : float
        Time C from one pair to the next, s.
    exptime_s : float
        Exposure time T of a pair, s.
    highest : float
        Up to which they are listed, Hz.

    Returns
    -------
    tuple of Partner
        Rising; f itself is the first. The rms is that of the line over |sinc(f T)|, infinite where that is 0.
    """
    orders = np.arange(int((highest + frequency) * cycle_s) + 1) / cycle_s
    found = np.unique(np.abs(np.concatenate([orders + frequency, orders - frequency])))
    found = found[found <= max(highest, frequency)]
    left = np.abs(np.sinc(found * exptime_s))
    with np.errstate(divide="ignore"):
        true = rms / left
    return tuple(Partner(*map(float, row)) for row in zip(found, left, true, strict=True))


def find_lines(
    t: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    cycle_s: float,
    exptime_s: float,
    above: float = ABOVE,
    most: int = MOST,
) -> tuple[Line, ...]:
    """Lines that stand out of the spectrum of a series.

    The bin that is highest above the median of its 51 neighbours is looked at. The frequency near it at which a
    sinusoid takes most out of the series is that of the line. The sinusoid is taken out, and the next line is looked
    for in what is left, so that the side lobes of a strong line are not lines.

    The power of a line is a² / 2, a the amplitude of the sinusoid, less the mean power of the bins around it, which is
    their median over ln 2. The errors are those of a sinusoid in white noise of that power P (Montgomery and O'Donoghue
    1999, DSSN 13, 28): of the rms √(P / 2), of the frequency √6 / (π τ) · √(P / 4) / rms, τ the length of the series.

    Parameters
    ----------
    t : ndarray, (n,)
        Times, s, rising.
    values : ndarray, (n,)
        The series, of which level and slope were taken out (`spectrum.take_out_line`).
    cycle_s : float
        Time from one pair to the next, s.
    exptime_s : float
        Exposure time of a pair, s, for the partners.
    above : float
        Times the local median that a line has.
    most : int
        Lines that are looked for.

    Returns
    -------
    tuple of Line
        The one that is highest above its neighbours first; empty where there is none.

    Raises
    ------
    InputError
        There are fewer than 4 values.
    """
    left = values
    lines: list[Line] = []
    while len(lines) < most:
        spectrum = lomb_scargle(t, left, cycle_s=cycle_s)
        median = _running_median(spectrum.power)
        ratio = np.divide(spectrum.power, median, out=np.zeros_like(median), where=median > 0)
        best = int(np.argmax(ratio))
        if not ratio[best] > above:
            break
        frequency = _refined(t, left, spectrum.frequency[best], spectrum.frequency[0])
        sinusoid, square = _fit_sinusoid(t, left, frequency)
        left = take_out_line(t, left - sinusoid)  # the first level and slope were those of the line, too
        around = median[best] / np.log(2) * (2 * len(spectrum.power) / len(t))  # noise of the fit: 2 sigma² / n
        rms, error = np.sqrt(max(square - around, 0.0)), np.sqrt(around / 2)
        turns = np.sqrt(6) / np.pi / (t[-1] - t[0]) * error / np.sqrt(2 * square)
        partners = find_partners(frequency, rms, cycle_s=cycle_s, exptime_s=exptime_s)
        lines.append(Line(frequency, float(turns), float(rms), float(error), float(ratio[best]), partners))
    return tuple(lines)


def _running_median(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of each bin and its neighbours; beyond the ends the spectrum is continued by its mirror image."""
    from scipy import ndimage

    return ndimage.median_filter(power, min(2 * NEIGHBOURS + 1, len(power)), mode="mirror")


def _refined(t, values, frequency, spacing):
    """The frequency within a bin of another at which a sinusoid takes most out of a series."""
    step = 2 * spacing / FINE
    nearby = np.clip(frequency + step * np.arange(-FINE // 2, FINE // 2 + 1), 0.25 * spacing, None)
    power = [_fit_sinusoid(t, values, each)[1] for each in nearby]
    best = min(max(int(np.argmax(power)), 1), FINE - 1)
    below, here, beyond = power[best - 1 : best + 2]
    curvature = below - 2 * here + beyond
    return float(nearby[best] + (step * 0.5 * (below - beyond) / curvature if curvature < 0 else 0.0))


def _fit_sinusoid(t, values, frequency):
    """The sinusoid of a frequency that is nearest to a series, and half the square of its amplitude."""
    phase = 2 * np.pi * frequency * (t - t[0])
    waves = np.stack([np.cos(phase), np.sin(phase)])
    amplitudes = np.linalg.lstsq(waves @ waves.T, waves @ values, rcond=None)[0]
    return amplitudes @ waves, float(amplitudes @ amplitudes) / 2
