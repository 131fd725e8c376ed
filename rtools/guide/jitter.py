"""The motion of the guide star in an exposure: its covariance with the noise taken out, its drift, its excursions.

A measured place is motion and noise: the covariance of the places is V = J + N, with N the mean covariance of the fits.
J is the motion that is slower than a pair: a component at a frequency f has sinc²(f T) of its variance in it, for pairs
of T seconds. What is faster is in the width of the star (`rtools.guide.width`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.wfi.guide import GAP

__all__ = ["FEWEST", "Drift", "Motion", "find_drift", "measure_motion", "neighbour_noise"]

FEWEST = 30
"""Pairs without which there is no covariance to speak of."""

LAG = 8
"""The share of a series over which residuals count as correlated is one by this number."""


UNKNOWN = (np.nan, np.nan, np.nan)


class Drift(NamedTuple):
    """A straight line in time.

    Attributes
    ----------
    rate, rate_err : float
        Per second, and its standard error where what is left is motion that lasts.
    variance : float
        Of what is left.
    """

    rate: float
    rate_err: float
    variance: float


class Motion(NamedTuple):
    """Motion of a star in an exposure, in mas along the axes of x and y; NaN where there are fewer than 30 pairs.

    Attributes
    ----------
    pairs, used : int
        Pairs of the exposure, and those that count.
    gaps : int
        Gaps of more than 1.5 cycles between pairs, used or not.
    x, y : float
        Mean place.
    xx, yy, xy : float
        Covariance J of the motion, mas²: that of the places less that of the noise.
    measured : tuple of float
        Covariance V of the places: xx, yy, xy, mas².
    noise : tuple of float
        Covariance N of the noise, likewise.
    rms_x, rms_y, rms_radial : float
        √J_xx, √J_yy, √(J_xx + J_yy).
    corr : float
        J_xy / √(J_xx J_yy); NaN where one of them is 0.
    noise_x, noise_y : float
        √N_xx, √N_yy.
    drift_x, drift_y, drift_x_err, drift_y_err : float
        Slope of a line in time, mas/s, and its error.
    rms_line_x, rms_line_y : float
        As rms_x and rms_y, after the line is taken out.
    excursion_max, excursion_95 : float
        Largest distance of a place from the mean place, and the one that 95 % do not exceed; noise is in them.
    bounded : bool
        Whether the noise exceeds the scatter along an axis, so that an eigenvalue of J was set to 0.
    """

    pairs: int
    used: int
    gaps: int
    x: float = np.nan
    y: float = np.nan
    xx: float = np.nan
    yy: float = np.nan
    xy: float = np.nan
    measured: tuple[float, float, float] = UNKNOWN
    noise: tuple[float, float, float] = UNKNOWN
    rms_x: float = np.nan
    rms_y: float = np.nan
    rms_radial: float = np.nan
    corr: float = np.nan
    noise_x: float = np.nan
    noise_y: float = np.nan
    drift_x: float = np.nan
    drift_y: float = np.nan
    drift_x_err: float = np.nan
    drift_y_err: float = np.nan
    rms_line_x: float = np.nan
    rms_line_y: float = np.nan
    excursion_max: float = np.nan
    excursion_95: float = np.nan
    bounded: bool = False


def measure_motion(
    t: NDArray[np.float64],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    covariance: NDArray[np.float64] | None,
    used: NDArray[np.bool_],
    *,
    cycle_s: float,
) -> Motion:
    """Motion of the star in the pairs of one exposure.

    Parameters
    ----------
    t : ndarray (n,)
        Times of the pairs, s, rising.
    x, y : ndarray (n,)
        Places, mas.
    covariance : ndarray (n, 3) or None
        Covariance xx, yy, xy of each place by noise, mas². None: it is told from neighbours (`neighbour_noise`), as for
        downlinked places.
    used : ndarray bool (n,)
        Pairs that count.
    cycle_s : float
        Time from one pair to the next, s.

    Returns
    -------
    Motion
        The error of a rms by itself is 1 / √(2 n) of it, with n the pairs that are independent of each other: far fewer
        than there are, where motion is slow.

    Notes
    -----
    V is the sample covariance (n - 1). J = V - N; a negative eigenvalue is set to 0.
    """
    used = np.asarray(used, bool) & np.isfinite(x) & np.isfinite(y)
    gaps = int(np.count_nonzero(np.diff(t) > GAP * cycle_s))
    count = int(used.sum())
    if count < FEWEST:
        return Motion(len(t), count, gaps)
    places = np.stack([x[used], y[used]])
    if covariance is None:
        noise = neighbour_noise(t, x, y, used, cycle_s=cycle_s)
    else:
        noise = np.mean(covariance[used], axis=0)
    measured = _covariance(places)
    (xx, yy, xy), bounded = _bounded(measured - noise)
    lines = [find_drift(t[used], place) for place in places]
    off = np.hypot(*(places - places.mean(axis=1, keepdims=True)))
    return Motion(
        len(t),
        count,
        gaps,
        x=float(places[0].mean()),
        y=float(places[1].mean()),
        xx=float(xx),
        yy=float(yy),
        xy=float(xy),
        measured=_floats(measured),
        noise=_floats(noise),
        rms_x=_root(xx),
        rms_y=_root(yy),
        rms_radial=_root(xx + yy),
        corr=float(xy / np.sqrt(xx * yy)) if xx * yy > 0 else np.nan,
        noise_x=_root(noise[0]),
        noise_y=_root(noise[1]),
        drift_x=lines[0].rate,
        drift_y=lines[1].rate,
        drift_x_err=lines[0].rate_err,
        drift_y_err=lines[1].rate_err,
        rms_line_x=_root(lines[0].variance - noise[0]),
        rms_line_y=_root(lines[1].variance - noise[1]),
        excursion_max=float(off.max()),
        excursion_95=float(np.quantile(off, 0.95)),
        bounded=bounded,
    )


def _covariance(places):
    """Sample covariance xx, yy, xy."""
    return np.cov(places)[[0, 1, 0], [0, 1, 1]]


def _floats(values):
    """Values as plain numbers."""
    return tuple(float(value) for value in values)


def _root(variance):
    """Standard deviation; 0 where the noise exceeds the scatter."""
    return float(np.sqrt(max(variance, 0.0)))


def _bounded(covariance):
    """A covariance xx, yy, xy without negative eigenvalues, and whether there were some."""
    xx, yy, xy = covariance
    values, vectors = np.linalg.eigh([[xx, xy], [xy, yy]])
    if values[0] >= 0:
        return np.asarray(covariance, float), False
    matrix = vectors @ np.diag(np.maximum(values, 0.0)) @ vectors.T
    return matrix[[0, 1, 0], [0, 1, 1]], True


def neighbour_noise(
    t: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64], used: NDArray[np.bool_], *, cycle_s: float
) -> NDArray[np.float64]:
    """Noise of places as their neighbours tell it.

    Parameters
    ----------
    t : ndarray (n,)
        Times of the pairs, s, rising.
    x, y : ndarray (n,)
        Places.
    used : ndarray bool (n,)
        Pairs that count.
    cycle_s : float
        Time from one pair to the next, s.

    Returns
    -------
    ndarray float64 (3,)
        Half the mean of the products of differences of neighbours, xx, yy, xy; at most the covariance of the places.
        Motion between neighbours is in it, so that fast motion counts as noise.
    """
    t, places = t[used], np.stack([x[used], y[used]])
    beside = np.diff(t) < GAP * cycle_s
    steps = np.diff(places, axis=1)[:, beside]
    if steps.shape[1] < 2:
        return np.zeros(3)
    noise = (steps @ steps.T / (2 * steps.shape[1]))[[0, 1, 0], [0, 1, 1]]
    measured = _covariance(places)
    return measured - _bounded(measured - noise)[0]


def find_drift(t: NDArray[np.float64], values: NDArray[np.float64]) -> Drift:
    """The line through a series in time.

    Parameters
    ----------
    t : ndarray (n,)
        Times, s.
    values : ndarray (n,)
        The series, 3 values at least.

    Returns
    -------
    Drift
        All values weigh alike: where motion exceeds the noise, it decides. The error takes what is left as correlated
        over an eighth of the series, as Newey & West (1987, Econometrica 55, 703) do: slow motion looks like a drift.
    """
    arm = t - t.mean()
    square = float(arm @ arm)
    rate = float(arm @ values) / square
    left = values - values.mean() - rate * arm
    products = arm * left
    total = float(products @ products)
    longest = len(t) // LAG
    for lag in range(1, longest + 1):
        total += 2 * (1 - lag / (longest + 1)) * float(products[lag:] @ products[:-lag])
    return Drift(rate, float(np.sqrt(max(total, 0.0))) / square, float(left @ left) / max(len(t) - 2, 1))
