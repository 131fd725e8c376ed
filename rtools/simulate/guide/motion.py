"""How the telescope moves: sums of cosines with drawn phases, a drift in exposures, settling in gaps.

Along each axis the angle is Σ a_k cos(2π f_k t + φ_k): 200 terms of a power spectrum ∝ 1 / (1 + (f / 0.3 Hz)²) between
0.01 and 40 Hz, and lines of wheels. A pair sees its mean over the exposure time T, where each term is sinc(f T) times
as large, and what is left inside widens the image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtools.simulate.guide import assumed
from rtools.simulate.guide.request import AcquisitionRequest, MotionTable
from rtools.simulate.guide.timeline import Exposed, Timeline
from rtools.simulate.streams import generator
from rtools.wfi.units import RADIAN_ARCSEC

__all__ = ["TelescopeMotion", "Terms", "axes_of", "draw_motion", "oscillation", "terms_of", "turns"]

MAS = 1e-3 / RADIAN_ARCSEC
"""Radians in a milliarcsecond."""

CHUNK = 4000
"""Times that are worked out together: 7 MB for each of cosine and sine."""


class Terms(NamedTuple):
    """Terms of an oscillation.

    Attributes
    ----------
    frequency : ndarray float64 (k,)
        Hz.
    amplitude : ndarray float64 (k,)
        In the unit of the rms that was asked for.
    """

    frequency: NDArray[np.float64]
    amplitude: NDArray[np.float64]


def terms_of(rms: float) -> Terms:
    """The spectrum of a motion of so much rms in total.

    Parameters
    ----------
    rms : float
        mas.

    Returns
    -------
    Terms
        200 of the continuum, then the lines, which have no more than half of the variance.
    """
    lines = np.array(assumed.LINES)
    line_rms = lines[:, 1] * min(1.0, rms / np.sqrt(2 * np.sum(lines[:, 1] ** 2)))
    rest = np.sqrt(max(rms**2 - np.sum(line_rms**2), 0.0))
    low, high, count = (assumed.SPECTRUM[key] for key in ("low", "high", "count"))
    frequency = low * (high / low) ** ((np.arange(count) + 0.5) / count)
    width = frequency * np.log(high / low) / count
    amplitude = np.sqrt(2 * width / (1 + (frequency / assumed.SPECTRUM["knee"]) ** 2))
    amplitude *= rest / np.sqrt(np.sum(amplitude**2) / 2)
    return Terms(np.append(frequency, lines[:, 0]), np.append(amplitude, np.sqrt(2) * line_rms))


def oscillation(
    terms: Terms, phase: NDArray[np.float64], t: NDArray[np.float64], offsets: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Σ a cos(2π f (t + offset) + φ).

    Parameters
    ----------
    terms : Terms
        Frequencies and amplitudes.
    phase : ndarray float64 (k,)
        Radians.
    t : ndarray float64 (n,)
        Seconds.
    offsets : array_like (m,)
        Seconds that are added to each time.

    Returns
    -------
    ndarray float64, (n, m)
        In the unit of the amplitudes.

    Notes
    -----
    cos(α + β) = cos α cos β - sin α sin β: two products of matrices in place of n m k cosines.
    """
    rate = 2 * np.pi * terms.frequency
    beyond = np.outer(rate, np.atleast_1d(offsets))
    cosine, sine = terms.amplitude[:, None] * np.cos(beyond), terms.amplitude[:, None] * np.sin(beyond)
    out = np.empty((len(t), cosine.shape[1]))
    for first in range(0, len(t), CHUNK):
        angle = np.outer(t[first : first + CHUNK], rate) + phase
        out[first : first + CHUNK] = np.cos(angle) @ cosine - np.sin(angle) @ sine
    return out


@dataclass(frozen=True, eq=False)
class TelescopeMotion:
    """The motion of an acquisition, of all detectors alike.

    Attributes
    ----------
    terms : tuple of Terms
        Along the two axes of the jitter, mas, and about the line of sight, arcsec.
    phases : ndarray float64 (3, k)
        Of the terms, radians.
    axes : ndarray float64 (2, 2)
        The axes of the jitter as columns: x and y.
    exposures : tuple of Exposed
        When each exposure is.
    drifts : ndarray float64 (exposures, 2)
        In x and y, mas/s; zero in the middle of an exposure.
    settling : ndarray float64 (gaps, 3)
        When a gap begins, seconds, and where stars are then in x and y, mas.
    table : MotionTable or None
        Takes the place of all that.
    """

    terms: tuple[Terms, Terms, Terms]
    phases: NDArray[np.float64]
    axes: NDArray[np.float64]
    exposures: tuple[Exposed, ...]
    drifts: NDArray[np.float64]
    settling: NDArray[np.float64]
    table: MotionTable | None = None


def axes_of(angle: float) -> NDArray[np.float64]:
    """The two axes of a jitter.

    Parameters
    ----------
    angle : float
        Position angle of the first, degrees from +y toward +x; at 90 the axes are x and y.

    Returns
    -------
    ndarray float64, (2, 2)
        Unit vectors as columns: x and y.
    """
    sine, cosine = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))
    return np.array([[sine, -cosine], [cosine, sine]])


def draw_motion(request: AcquisitionRequest, timeline: Timeline, *stream: object) -> TelescopeMotion:
    """Draw the phases, directions and signs of a motion.

    Parameters
    ----------
    request : AcquisitionRequest
        How large it is.
    timeline : Timeline
        Where exposures and gaps are.
    *stream
        What the random numbers are keyed by: nothing that detectors of one acquisition have of their own.

    Returns
    -------
    TelescopeMotion
        The same for all detectors.
    """
    rng = generator(*stream, "motion")
    first, second, angle = request.jitter or (assumed.JITTER_MAS, assumed.JITTER_MAS, 90.0)
    usual = terms_of(assumed.JITTER_MAS)
    roll = Terms(usual.frequency, usual.amplitude * assumed.ROLL_ARCSEC / assumed.JITTER_MAS)
    terms = (terms_of(first), terms_of(second), roll)
    phases = rng.uniform(0, 2 * np.pi, (3, len(usual.frequency)))
    signs = rng.choice([-1.0, 1.0], (len(timeline.exposures), 2))
    drifts = signs * assumed.DRIFT_MAS_S if request.drift is None else np.ones_like(signs) * request.drift
    gaps = _gap_starts(timeline)
    direction = rng.uniform(0, 2 * np.pi, len(gaps))
    off = assumed.SETTLING["mas"] * np.stack([np.cos(direction), np.sin(direction)], -1)
    settling = np.column_stack([gaps, off]) if len(gaps) else np.zeros((0, 3))
    return TelescopeMotion(terms, phases, axes_of(angle), timeline.exposures, drifts, settling, request.motion)


def _gap_starts(timeline):
    """When each gap begins, seconds."""
    mapping = timeline.track.mapping
    begins = np.flatnonzero((mapping < 0) & (np.diff(mapping, prepend=0) != 0))
    return timeline.track.start[begins]


def turns(motion: TelescopeMotion, t: NDArray[np.float64], offsets: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Rotations of the attitude at times.

    Parameters
    ----------
    motion : TelescopeMotion
        What moves.
    t : ndarray float64 (n,)
        Seconds since the time line begins.
    offsets : array_like (m,)
        Seconds that are added to each of them.

    Returns
    -------
    ndarray float64, (3, n, m)
        delta, epsilon, zeta, radians.

    Notes
    -----
    F1 runs along x and F2 along -y of the detectors, and the image of a star near the line of sight moves by
    (-epsilon, delta) along F1 and F2: epsilon = -dx and delta = -dy.
    """
    offsets = np.atleast_1d(np.asarray(offsets, float))
    if motion.table is not None:
        dx, dy, zeta = _of_table(motion, t[:, None] + offsets)
    else:
        first, second, zeta = (
            oscillation(terms, phase, t, offsets) for terms, phase in zip(motion.terms, motion.phases, strict=True)
        )
        dx, dy = np.tensordot(motion.axes, np.stack([first, second]), axes=1)
        beyond = _drifted(motion, t[:, None] + offsets)
        dx, dy = dx + beyond[0], dy + beyond[1]
    return np.stack([-dy * MAS, -dx * MAS, zeta / RADIAN_ARCSEC])


def _drifted(motion, t):
    """What drift and settling add in x and y, mas; (2, …)."""
    out = np.zeros((2, *t.shape))
    for exposed, drift in zip(motion.exposures, motion.drifts, strict=True):
        inside = (t >= exposed.start) & (t < exposed.stop)
        since = np.where(inside, t - (exposed.start + exposed.stop) / 2, 0.0)
        out += drift[:, None, None] * since
    for begin, *off in motion.settling:
        with np.errstate(over="ignore"):
            left = np.where(t >= begin, np.exp(-np.maximum(t - begin, 0.0) / assumed.SETTLING["time_s"]), 0.0)
        out += np.array(off)[:, None, None] * left
    return out


def _of_table(motion, t):
    """x and y, mas, and zeta, arcsec, of a given motion."""
    since = t - motion.exposures[0].start
    table = motion.table
    return tuple(np.interp(since, table.t, values) for values in (table.dx, table.dy, table.dzeta))
