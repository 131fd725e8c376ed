"""From rates to raw resultants: one readout channel of a detector, as the electronics deliver it.

Works strip by strip (128 columns), each with random streams of its own, so that the result does not depend on the
number of threads. Memory per strip: about 80 bytes per pixel and 10 per pixel and resultant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtools.reference import nominal
from rtools.simulate import assumed, noise
from rtools.simulate.reads import schedule
from rtools.simulate.streams import generator, state
from rtools.wfi.frame import BORDER, CHANNEL

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Detector", "common_series", "encode", "inverse_inl", "read_out", "read_out_amp33"]

LARGEST = 65535
AMP33 = 32
"""The reference output's place in the order of channels."""


@dataclass
class Detector:
    """One channel of the detector; arrays (rows, 128) float32.

    Attributes
    ----------
    gain : ndarray
        electron/DN; not 0.
    noise : ndarray
        White noise of one read, DN.
    full : ndarray
        DN at which the pixel stops rising.
    coeffs : ndarray (n, rows, 128)
        Linearity polynomial, ascending.
    inl : ndarray (65536,)
        From `inverse_inl`.
    decay : ndarray
        exp(-t / τ) of the read time, or 0.
    decay_factors : ndarray (G,) or None
        Of each resultant, DN (`rtools.simulate.effects.decay_factors`); None without dark decay.
    transient : ndarray or None
        DN in the first read.
    """

    gain: np.ndarray
    noise: np.ndarray
    full: np.ndarray
    coeffs: np.ndarray
    inl: np.ndarray
    decay: np.ndarray | None = None
    decay_factors: np.ndarray | None = None
    transient: np.ndarray | None = None


def inverse_inl(value: ArrayLike | None, correction: ArrayLike | None) -> np.ndarray:
    """Solution of v + inl(v) = w as an addition to w, at w = 0 … 65535.

    Parameters
    ----------
    value, correction : array_like or None
        Abscissae and correction of a channel, DN; None for none.

    Returns
    -------
    ndarray float32, (65536,)
        v - w, DN; zero without a correction.
    """
    grid = np.arange(LARGEST + 1, dtype=float)
    if value is None or correction is None:
        return np.zeros(grid.size, np.float32)
    addition = np.zeros(grid.size)
    for _ in range(4):  # each iteration gains the slope of the correction, about 1e-3
        addition = -np.interp(grid + addition, np.asarray(value, float), np.asarray(correction, float))
    return addition.astype(np.float32)


def common_series(stream: tuple, read_pattern: Sequence[Sequence[int]], rows: int) -> np.ndarray:
    """1/f noise common to all channels and amp33.

    Parameters
    ----------
    stream : tuple
        What the random numbers are keyed by (`SimulationRequest.stream`).
    read_pattern : sequence of sequence of int
        Reads of each of G resultants; their number says how much noise is left in the mean.
    rows : int
        Rows of the frame.

    Returns
    -------
    ndarray float32, (G, 140 rows)
        DN, in the order of time.
    """
    return np.stack(
        [
            noise.pink_series(generator(*stream, "common noise", g), rows, noise.channel_rms(len(reads))[2])
            for g, reads in enumerate(read_pattern)
        ]
    )


def read_out(
    electrons: np.ndarray,
    detector: Detector,
    stream: tuple,
    *,
    channel: int,
    channels: int,
    read_pattern: Sequence[Sequence[int]],
    common: np.ndarray,
    pink: float | None = None,
    hits: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None = None,
    reference: bool = False,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Simulate one channel.

    Parameters
    ----------
    electrons : ndarray float32 (rows, 128)
        Electrons per read.
    detector : Detector
        What the pixels of the channel are.
    stream : tuple
        What the random numbers are keyed by: (seed, root name).
    channel, channels : int
        Which channel, of how many.
    read_pattern : sequence of sequence of int
        Numbers of the reads of each of G resultants, from 1.
    common : ndarray float32 (G, 140 rows)
        From `common_series`; one more row at the end with a reference read.
    pink : float, optional
        1/f noise of the channel, electrons rms per frame, instead of the assumed one.
    hits : tuple of ndarray, optional
        Cosmic rays of this channel: (row, column within it, read, electrons).
    reference : bool
        Also give a read before the exposure.

    Returns
    -------
    resultants : ndarray float32 (G, rows, 128)
        Integers, not clipped.
    reference_read : ndarray float32 (rows, 128) or None
        The read before the exposure, where it is asked for.

    Raises
    ------
    ZeroDivisionError
        A gain is 0.
    """
    from rtools.simulate._ramp_kernels import TRANSIENT, accumulate

    rows = electrons.shape[0]
    pixels = _pixels(electrons, detector, stream, channel, channels, len(read_pattern[0]))
    out = _channel_noise(stream, channel, read_pattern, rows, pink)
    out = out + noise.image_of(common[: len(read_pattern)], channel)
    exposure = schedule(read_pattern, detector.decay_factors)
    accumulate(out, state(*stream, "ramp", channel), pixels, exposure, _by_row(hits, rows))
    if not reference:
        return out, None
    before = _channel_noise((*stream, "reference"), channel, [[0]], rows, pink) + noise.image_of(common[-1:], channel)
    pixels.planes[TRANSIENT] = 0
    accumulate(before, state(*stream, "reference ramp", channel), pixels, schedule([[0]]), _by_row(None, rows))
    return out, before[0]


def _pixels(electrons, detector, stream, channel, channels, first_reads):
    """A channel as the compiled loops take it."""
    from rtools.simulate import _ramp_kernels as k

    rows = electrons.shape[0]
    active = _light_sensitive(rows, channel, channels)
    planes = np.zeros((k.PLANES, rows, CHANNEL), np.float32)
    planes[k.RATE] = np.where(active, np.maximum(electrons, 0), 0)
    planes[k.GAIN] = detector.gain
    planes[k.NOISE] = np.where(active, detector.noise, detector.noise * nominal.REFERENCE_PIXEL_NOISE)
    planes[k.FULL] = detector.full
    if detector.decay is not None:
        planes[k.DECAY] = detector.decay
    if detector.transient is not None:
        planes[k.TRANSIENT] = detector.transient / first_reads  # only the first of the reads has it
    planes[k.PEDESTAL] = _pedestal(stream, channel, rows)
    planes[k.ACTIVE] = active
    return k.Channel(planes, np.ascontiguousarray(detector.coeffs, np.float32), detector.inl)


def read_out_amp33(
    typical: tuple[float, float],
    stream: tuple,
    *,
    rows: int,
    read_pattern: Sequence[Sequence[int]],
    common: np.ndarray,
    pink: float | None = None,
    reference: bool = False,
) -> tuple[np.ndarray, np.ndarray | None]:
    """The reference output, a channel of its own without light; as `read_out`.

    Parameters
    ----------
    typical : tuple of float
        Gain (electron/DN) and noise (DN per read) of the light-sensitive pixels.
    stream : tuple
        What the random numbers are keyed by, as for `read_out`.
    rows : int
        Rows of the frame.
    read_pattern, common, pink, reference
        As for `read_out`.

    Returns
    -------
    resultants : ndarray float32 (G, rows, 128)
        Integers, not clipped.
    reference_read : ndarray float32 (rows, 128) or None
        The read before the exposure, where it is asked for.
    """
    gain, sigma = typical
    shape = (rows, CHANNEL)
    rng = generator(*stream, "amp33")
    pedestal = _pedestal(stream, AMP33, rows) / np.float32(gain)
    sigma *= nominal.REFERENCE_PIXEL_NOISE
    patterns = [*read_pattern, [0]] if reference else read_pattern
    out = _channel_noise(stream, AMP33, patterns, rows, pink) + noise.image_of(common[: len(patterns)], AMP33)
    for g, reads in enumerate(patterns):
        n = len(reads)
        total = n * (pedestal + out[g]) + rng.standard_normal(shape) * sigma * np.sqrt(n)
        out[g] = np.floor(np.floor(total - 0.5 * n + 0.5) / n)
    return (out[:-1], out[-1]) if reference else (out, None)


def encode(resultants: np.ndarray, reference_read: np.ndarray | None, offset: int) -> np.ndarray:
    """What is sent down: resultants less the reference read plus the offset, clipped to uint16.

    Parameters
    ----------
    resultants : ndarray float32 (…, rows, columns)
        DN.
    reference_read : ndarray float32 (rows, columns) or None
        Is clipped to uint16 itself before it is subtracted; None where there is none.
    offset : int
        DN.

    Returns
    -------
    ndarray uint16
        Of the shape of `resultants`.
    """
    if reference_read is not None:
        resultants = resultants - np.clip(reference_read, 0, LARGEST)
    return np.clip(resultants + np.float32(offset), 0, LARGEST).astype(np.uint16)


def _light_sensitive(rows, channel, channels):
    active = np.zeros((rows, CHANNEL), bool)
    first = BORDER if channel == 0 else 0
    last = CHANNEL - BORDER if channel == channels - 1 else CHANNEL
    active[BORDER : rows - BORDER, first:last] = True
    return active


def _pedestal(stream, channel, rows):
    draw = generator(*stream, "pedestal", channel).standard_normal((rows, CHANNEL), dtype=np.float32)
    draw *= np.float32(assumed.PEDESTAL_SCATTER_E)
    draw += np.float32(assumed.PEDESTAL_E)
    return draw


def _channel_noise(stream, channel, read_pattern, rows, pink):
    """1/f and alternating-column noise of a channel, DN; float32 (G, rows, 128)."""
    out = np.empty((len(read_pattern), rows, CHANNEL), np.float32)
    for g, reads in enumerate(read_pattern):
        own, alternating, _common = noise.channel_rms(len(reads), pink)
        series = noise.pink_series(generator(*stream, "pink noise", channel, g), rows, own, alternating)
        out[g] = noise.image_of(series, channel)
    return out


def _by_row(hits, rows):
    """Hits sorted by row, with the place of each row's first; what the compiled loops take."""
    from rtools.simulate._ramp_kernels import Hits

    row, column, read, electrons = hits if hits is not None else np.zeros((4, 0))
    order = np.argsort(row, kind="stable")
    first = np.searchsorted(np.asarray(row)[order], np.arange(rows + 1)).astype(np.int64)
    return Hits(
        first,
        np.asarray(column)[order].astype(np.int64),
        np.asarray(read)[order].astype(np.int64),
        np.asarray(electrons)[order].astype(np.float64),
    )
