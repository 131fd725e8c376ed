"""The attitude that the fine guidance made: how much it turned, in phases and exposures, and what moved where.

Rotations are delta, epsilon, zeta about F1, F2, F3 (`rtools.wfi.fgs`). Delta and epsilon move all stars alike and are
given in mas. Zeta turns the field about the line of sight; it is given in arcsec, and as the motion that it makes at
the edge of the field.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.guide.jitter import find_drift
from rtools.wfi.fgs import FIELD_EDGE_ARCSEC, FieldPlace, displacement
from rtools.wfi.guide import FACE_SIGN, GAP
from rtools.wfi.units import MAS, RADIAN_ARCSEC

__all__ = [
    "FaceSeries",
    "FaceStatistics",
    "MeanPlace",
    "PhaseRun",
    "PlaceMotion",
    "QualityCount",
    "TurnStatistics",
    "face_motion",
    "find_phases",
    "locate_stars",
    "measure_face",
]


class FaceSeries(NamedTuple):
    """Columns of a FACE file, with its names; angles in radians, variances in radians².

    Attributes
    ----------
    t : ndarray float64, (n,)
        Times, s, rising.
    phase, quality : ndarray of str, (n,)
        Phase of guiding, and quality of the attitude.
    delta, epsilon, zeta : ndarray float64, (n,)
        Rotations of the fit with three parameters.
    delta2, epsilon2 : ndarray float64, (n,)
        Rotations of the fit with two.
    delta_var, epsilon_var, zeta_var : ndarray float64, (n,)
        Variances of the first three.
    num_stars_used : ndarray int, (n,)
        Stars of each attitude.
    good : ndarray bool, (n,)
        Whether an attitude can be used.
    """

    t: NDArray[np.float64]
    phase: NDArray[np.str_]
    quality: NDArray[np.str_]
    delta: NDArray[np.float64]
    epsilon: NDArray[np.float64]
    zeta: NDArray[np.float64]
    delta2: NDArray[np.float64]
    epsilon2: NDArray[np.float64]
    delta_var: NDArray[np.float64]
    epsilon_var: NDArray[np.float64]
    zeta_var: NDArray[np.float64]
    num_stars_used: NDArray[np.int64]
    good: NDArray[np.bool_]


class PhaseRun(NamedTuple):
    """Rows of one phase without another between them.

    Attributes
    ----------
    phase : str
        Its name.
    first, last : int
        Rows first … last - 1.
    start, stop : float
        Times of the first and of the last row, s.
    """

    phase: str
    first: int
    last: int
    start: float
    stop: float


class TurnStatistics(NamedTuple):
    """How a rotation changed; NaN where there are too few values.

    Attributes
    ----------
    mean : float
        Its mean.
    rms : float
        Standard deviation, the noise of the attitude included.
    rms_line : float
        That about a straight line.
    drift, drift_err : float
        Slope of the line and its error, per second (`rtools.guide.jitter.find_drift`).
    sigma : float
        Median of the root of the variances: the noise of one attitude, as the file has it.
    """

    mean: float
    rms: float
    rms_line: float
    drift: float
    drift_err: float
    sigma: float


class QualityCount(NamedTuple):
    """A word of quality, and the rows that have it."""

    quality: str
    rows: int


class FaceStatistics(NamedTuple):
    """The attitude in a phase or in an interval of time.

    Attributes
    ----------
    rows, used : int
        Attitudes there are, and those of them that can be used.
    start, stop : float
        Times of the first and of the last row, s; NaN without rows.
    delta, epsilon : TurnStatistics
        In mas.
    zeta : TurnStatistics
        In arcsec.
    zeta_edge_rms : float
        Standard deviation of zeta as motion at the edge of the field, mas.
    stars : float
        Median of the stars used.
    qualities : tuple of QualityCount
        Most frequent first.
    gaps : int
        Places where a row is more than 1.5 cycles after the one before.
    missing_s : float
        Time that is missing there, s.
    """

    rows: int
    used: int
    start: float
    stop: float
    delta: TurnStatistics
    epsilon: TurnStatistics
    zeta: TurnStatistics
    zeta_edge_rms: float
    stars: float
    qualities: tuple[QualityCount, ...]
    gaps: int
    missing_s: float


class PlaceMotion(NamedTuple):
    """How an image at one place moves by an attitude.

    Attributes
    ----------
    dx, dy : ndarray float64, (n,)
        Displacement, pixels; NaN where the attitude cannot be used.
    xx, yy, xy : ndarray float64, (n,)
        Covariance of the displacement, pixel², by the noise of the rotations.
    """

    dx: NDArray[np.float64]
    dy: NDArray[np.float64]
    xx: NDArray[np.float64]
    yy: NDArray[np.float64]
    xy: NDArray[np.float64]


class MeanPlace(NamedTuple):
    """Mean place of the stars of an attitude, as its two solutions imply it.

    Attributes
    ----------
    x, x_err, y, y_err : float
        FGS angles and their errors, arcsec; NaN where zeta does not change or there is no second solution.
    residual : float
        Root mean square of what a mean place does not explain in delta2 and epsilon2, mas.
    """

    x: float
    x_err: float
    y: float
    y_err: float
    residual: float


def find_phases(series: FaceSeries) -> tuple[PhaseRun, ...]:
    """Phases of guiding in the order of time.

    Parameters
    ----------
    series : FaceSeries
        The attitude.

    Returns
    -------
    tuple of PhaseRun
        A phase that comes again is a run of its own.
    """
    if not len(series.t):
        return ()
    first = np.flatnonzero(np.append(True, series.phase[1:] != series.phase[:-1]))
    last = np.append(first[1:], len(series.t))
    return tuple(
        PhaseRun(str(series.phase[low]), int(low), int(high), float(series.t[low]), float(series.t[high - 1]))
        for low, high in zip(first, last, strict=True)
    )


def measure_face(series: FaceSeries, inside: NDArray[np.bool_], *, cycle_s: float) -> FaceStatistics:
    """Statistics of the attitude in a phase or in an interval of time.

    Parameters
    ----------
    series : FaceSeries
        The attitude.
    inside : ndarray bool, (n,)
        Rows that are looked at, such as those of a phase, or those between the begin and the end of an exposure.
    cycle_s : float
        Time from one row to the next, s.

    Returns
    -------
    FaceStatistics
        Rotations of the rows that can be used.
    """
    t, used = series.t[inside], inside & series.good
    delta, epsilon = (
        _statistics(series.t[used], turn[used] / MAS, variance[used] / MAS**2)
        for turn, variance in ((series.delta, series.delta_var), (series.epsilon, series.epsilon_var))
    )
    zeta = _statistics(series.t[used], series.zeta[used] * RADIAN_ARCSEC, series.zeta_var[used] * RADIAN_ARCSEC**2)
    words, rows = np.unique(series.quality[inside], return_counts=True)
    counts = [QualityCount(str(words[index]), int(rows[index])) for index in np.argsort(-rows, kind="stable")]
    spacing = np.diff(t)
    wide = spacing[spacing > GAP * cycle_s]
    return FaceStatistics(
        len(t),
        int(used.sum()),
        *((float(t[0]), float(t[-1])) if len(t) else (np.nan, np.nan)),
        delta,
        epsilon,
        zeta,
        zeta_edge_rms=zeta.rms / RADIAN_ARCSEC * FIELD_EDGE_ARCSEC * 1000,
        stars=float(np.median(series.num_stars_used[used])) if used.any() else np.nan,
        qualities=tuple(counts),
        gaps=len(wide),
        missing_s=float(np.sum(wide - cycle_s)),
    )


def _statistics(t, values, variance):
    """Of one rotation."""
    finite = np.isfinite(values)
    t, values, variance = t[finite], values[finite], variance[finite]
    known = variance[np.isfinite(variance) & (variance >= 0)]
    sigma = float(np.median(np.sqrt(known))) if len(known) else np.nan
    if len(values) < 3:
        mean = float(values.mean()) if len(values) else np.nan
        return TurnStatistics(mean, np.nan, np.nan, np.nan, np.nan, sigma)
    line = find_drift(t, values)
    rms = float(np.std(values, ddof=1))
    return TurnStatistics(float(values.mean()), rms, float(np.sqrt(line.variance)), line.rate, line.rate_err, sigma)


def face_motion(series: FaceSeries, place: FieldPlace, *, sign: int = FACE_SIGN) -> PlaceMotion:
    """How the attitude moves the image of a star.

    Parameters
    ----------
    series : FaceSeries
        The attitude. Where zeta is no number, the solution with two parameters is taken.
    place : FieldPlace
        Of the star (`rtools.wfi.fgs.place_in_field`).
    sign : int
        +1 or -1, as for `rtools.wfi.fgs.displacement`.

    Returns
    -------
    PlaceMotion
        For each row.
    """
    three = np.isfinite(series.zeta)
    delta, epsilon = np.where(three, series.delta, series.delta2), np.where(three, series.epsilon, series.epsilon2)
    zeta = np.where(three, series.zeta, 0.0)
    dx, dy = displacement(place, *(np.where(series.good, turn, np.nan) for turn in (delta, epsilon, zeta)), sign=sign)
    slopes = np.stack(displacement(place, *np.eye(3)))
    variances = np.stack([series.delta_var, series.epsilon_var, np.where(three, series.zeta_var, 0.0)])
    xx, yy, xy = np.stack([*slopes**2, slopes[0] * slopes[1]]) @ variances
    return PlaceMotion(dx, dy, xx, yy, xy)


def locate_stars(series: FaceSeries, inside: NDArray[np.bool_]) -> MeanPlace:
    """Mean place of the stars that were used: a check of their signs and of the frame.

    A fit without zeta puts the mean of what zeta does into the other rotations: delta - delta2 = zeta X and
    epsilon - epsilon2 = zeta Y, X and Y the mean angles of the stars. Both are fitted as slopes.

    Parameters
    ----------
    series : FaceSeries
        The attitude.
    inside : ndarray bool, (n,)
        Rows that are looked at; the stars should not change in them.

    Returns
    -------
    MeanPlace
        To be compared with the mean of the places of the guide stars.
    """
    differences = [series.delta - series.delta2, series.epsilon - series.epsilon2]
    used = inside & series.good & np.isfinite(series.zeta) & np.isfinite(differences[0]) & np.isfinite(differences[1])
    zeta = series.zeta[used] - np.mean(series.zeta[used]) if used.any() else np.zeros(0)
    square = float(zeta @ zeta)
    if len(zeta) < 3 or square == 0:
        return MeanPlace(np.nan, np.nan, np.nan, np.nan, np.nan)
    both = np.stack([each[used] - np.mean(each[used]) for each in differences])
    slopes = both @ zeta / square
    squares = np.sum((both - np.outer(slopes, zeta)) ** 2, axis=1)
    (x, y), (x_err, y_err) = slopes * RADIAN_ARCSEC, np.sqrt(squares / (len(zeta) - 2) / square) * RADIAN_ARCSEC
    residual = np.sqrt(squares.sum() / len(zeta) / 2) / MAS
    return MeanPlace(*(float(value) for value in (x, x_err, y, y_err, residual)))
