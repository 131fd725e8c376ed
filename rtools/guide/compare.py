"""One series of motion against another: sign, slope, correlation and lag.

The motion of guide stars that the attitude predicts is compared with their centroids, and the attitude of the product
with one that was made of the same stars. A slope of +1 or -1 confirms frame and scale.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide.attitude import GuideAttitude
from rtools.guide.face import FaceSeries
from rtools.wfi.guide import GAP
from rtools.wfi.units import ARCSEC, MAS

__all__ = ["AttitudeComparison", "Comparison", "TurnComparison", "compare_attitudes", "compare_motion"]

LEAST_CORRELATION = 0.3
"""Correlation below which the sign is not known."""

LAGS = 5
"""Cycles by which the series are shifted to each side."""


class Comparison(NamedTuple):
    """How a measured series follows a predicted one; NaN where there is too little of either.

    Attributes
    ----------
    sign : int
        +1 or -1, the sign of the slope; 0 where the correlation is below 0.3.
    slope, slope_err : float
        Measured over predicted motion, the noise of the prediction taken out, and its error.
    correlation : float
        Of both.
    lag_s : float
        Seconds by which the measured motion is later; NaN where the correlation is highest at more than 4 cycles.
    pairs : int
        Times at which there are both.
    """

    sign: int
    slope: float
    slope_err: float
    correlation: float
    lag_s: float
    pairs: int


class TurnComparison(NamedTuple):
    """A rotation in two attitudes.

    Attributes
    ----------
    rms : float
        Of their difference, about its mean in each exposure.
    expected : float
        What their errors let expect.
    comparison : Comparison
        How that of FACE is followed by the other; the slope is not freed of noise where that is not known.
    """

    rms: float
    expected: float
    comparison: Comparison


class AttitudeComparison(NamedTuple):
    """FACE against an attitude of the same stars.

    Attributes
    ----------
    delta, epsilon : TurnComparison
        In mas.
    zeta : TurnComparison
        In arcsec.
    """

    delta: TurnComparison
    epsilon: TurnComparison
    zeta: TurnComparison


def compare_motion(
    predicted: tuple[NDArray[np.float64], NDArray[np.float64]],
    measured: tuple[NDArray[np.float64], NDArray[np.float64]],
    *,
    cycle_s: float,
    groups: NDArray[np.int_] | None = None,
    noise: float = 0.0,
) -> Comparison:
    """Regress a measured motion on a predicted one.

    Both lose their mean in each group. With d the prediction at the times of the measurement m: the slope is
    Σ m d / (Σ d² - n · noise), the correlation Σ m d / √(Σ d² Σ m²), sums over times and axes. The lag is where a
    parabola through the three highest correlations of shifts by whole cycles has its top.

    Parameters
    ----------
    predicted : tuple of ndarray, (n,) and (n, k)
        Times, s, rising, and the motion along k axes. Rows with a NaN do not count.
    measured : tuple of ndarray, (m,) and (m, k)
        The same of the measurement. It is compared where the prediction has rows on both sides that are not more than
        1.5 cycles apart, interpolated between them.
    cycle_s : float
        Time from one row to the next, s.
    groups : ndarray int, (m,), optional
        A number for each measurement, such as that of its exposure; each has a level of its own.
    noise : float
        Variance of the prediction by noise, mean over the axes, which would make the slope smaller.

    Returns
    -------
    Comparison
        For the sign that the prediction has.
    """
    nothing = Comparison(0, np.nan, np.nan, np.nan, np.nan, 0)
    t, motion = _finite(*predicted)
    times, values = _finite(*measured)
    groups = np.zeros(len(measured[0]), int) if groups is None else groups
    number = np.unique(groups, return_inverse=True)[1][np.all(np.isfinite(measured[1]), axis=1)]
    if len(t) < 2 or len(times) < 3:
        return nothing
    shifts = cycle_s * np.arange(-LAGS, LAGS + 1)
    sums = np.array([_sums((t, motion), (times - shift, values), number, GAP * cycle_s) for shift in shifts])
    count, product, square, power = sums[LAGS].tolist()
    noiseless = square - count * noise
    if count < 3 * values.shape[1] or noiseless <= 0 or power <= 0:
        return nothing
    slope, correlation = product / noiseless, product / np.sqrt(square * power)
    left = max(power - product**2 / square, 0.0) / (count - 1)
    sign = int(np.sign(slope)) if abs(correlation) >= LEAST_CORRELATION else 0
    with np.errstate(invalid="ignore", divide="ignore"):
        lag = cycle_s * _top(np.abs(sums[:, 1]) / np.sqrt(sums[:, 2] * sums[:, 3]))
    error = float(np.sqrt(left * square)) / noiseless
    return Comparison(sign, slope, error, float(correlation), lag, int(count) // values.shape[1])


def compare_attitudes(series: FaceSeries, attitude: GuideAttitude, *, cycle_s: float) -> AttitudeComparison:
    """Compare the attitude of FACE with one that was fitted to the stars.

    Parameters
    ----------
    series : FaceSeries
        That of FACE; its good rows count.
    attitude : GuideAttitude
        That of the stars.
    cycle_s : float
        Time from one row to the next, s.

    Returns
    -------
    AttitudeComparison
        About each axis.
    """
    turns = (series.delta, series.epsilon, series.zeta), (attitude.delta, attitude.epsilon, attitude.zeta)
    variances = (series.delta_var, series.epsilon_var, series.zeta_var)
    units = (MAS, MAS, ARCSEC)
    number = np.unique(attitude.exposure, return_inverse=True)[1]
    found = []
    for axis, (face, ours, unit) in enumerate(zip(*turns, units, strict=True)):
        kept, fitted = series.good & np.isfinite(face), np.isfinite(ours)
        predicted = series.t[kept], face[kept, np.newaxis] / unit
        measured = attitude.t[fitted], ours[fitted, np.newaxis] / unit
        noise = _median(variances[axis][kept]) / unit**2
        error = np.sqrt(noise + _median(attitude.covariance[fitted, axis, axis]) / unit**2)
        groups = attitude.exposure[fitted]
        comparison = compare_motion(
            predicted, measured, cycle_s=cycle_s, groups=groups, noise=noise if np.isfinite(noise) else 0.0
        )
        rms = np.nan
        if comparison.pairs:
            ((d, m),) = _both(predicted, measured, number[fitted], GAP * cycle_s)
            rms = float(np.sqrt(np.mean((d - m) ** 2)))
        found.append(TurnComparison(rms, float(error), comparison))
    return AttitudeComparison(*found)


def _median(values):
    """Median of the values that are numbers and not negative; NaN without one."""
    values = values[np.isfinite(values) & (values >= 0)]
    return float(np.median(values)) if len(values) else np.nan


def _finite(t, values):
    """Rows without a NaN."""
    good = np.all(np.isfinite(values), axis=1)
    return t[good], values[good]


def _sums(predicted, measured, number, reach):
    """Values, and the sums of m d, d², m², about the means of groups."""
    found = np.zeros(4)
    for d, m in _both(predicted, measured, number, reach):
        found += [len(d), m @ d, d @ d, m @ m]
    return found


def _both(predicted, measured, number, reach):
    """Prediction and measurement of each axis at one time, about the means of groups."""
    (t, motion), (times, values) = predicted, measured
    after = np.clip(np.searchsorted(t, times), 1, len(t) - 1)
    inside = (times >= t[0]) & (times <= t[-1]) & (t[after] - t[after - 1] <= reach)
    number, columns = number[inside], [np.interp(times[inside], t, column) for column in motion.T]
    counts = np.maximum(np.bincount(number), 1)
    for pair in zip(columns, values[inside].T, strict=True):
        yield tuple(each - (np.bincount(number, each) / counts)[number] for each in pair)


def _top(correlations):
    """Number of shifts from the middle at which the correlation is highest."""
    best = int(np.argmax(np.nan_to_num(correlations, nan=-1.0)))
    if not 0 < best < len(correlations) - 1:
        return np.nan
    below, here, beyond = correlations[best - 1 : best + 2]
    curvature = below - 2 * here + beyond
    return float(best - LAGS + (0.5 * (below - beyond) / curvature if curvature < 0 else 0.0))
