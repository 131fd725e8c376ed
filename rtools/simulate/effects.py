"""When each pixel is read, and what depends on it: dark decay and the first-read transient of WFI18.

Read times are those of the chain's dark_decay and wfi18_transient steps. As in `pointing`, the simulator has its own
account of them, numbers of the clock included, because it is the other end of those steps' tests: a mistake in
`rtools.wfi.readout` or in the steps would not show if both ends shared it. Arrays of one readout channel, (rows, 128).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtools.simulate import assumed
from rtools.simulate.streams import generator
from rtools.wfi.frame import CHANNEL, FRAME

__all__ = ["decay_factors", "decay_plane", "read_times", "transient_plane"]

CLOCK_S = 4.915263e-6
ROW_CLOCKS = 142
"""Clocks per row: 128 pixels and 14 of overhead."""
WINDOW_ROWS = 256
WINDOW_FACTOR = 1.5
"""The guide window is read after every 256 rows; empirical factor on the time that takes."""


def read_times(frame_time: float, sca: int, channel: int, rows: int = FRAME) -> np.ndarray:
    """Time of each pixel of a channel since the frame began, seconds.

    Parameters
    ----------
    frame_time : float
        Seconds per read.
    sca : int
        Detector, 1 … 18. Every third is read from row 0 upwards, the others from the last row down.
    channel : int
        Number of the channel, from 0. Odd channels are read from their last column.
    rows : int
        A smaller frame is the corner of the full one.

    Returns
    -------
    ndarray float64, (rows, 128)
        Of the pixels in rows and columns of the frame, not in the order of reading.
    """
    row, column = np.arange(FRAME)[:, None], np.arange(CHANNEL)[None, :]
    clock = (column + ROW_CLOCKS * row).astype(float)
    last = clock[-1, -1]
    excursion = (frame_time / CLOCK_S - last) / (FRAME // WINDOW_ROWS) * WINDOW_FACTOR
    clock += excursion * (row // WINDOW_ROWS)
    time = frame_time * clock / (clock[-1, -1] + excursion)
    if channel % 2:
        time = time[:, ::-1]
    if sca % 3:
        time = time[::-1]
    return time[:rows]


def decay_plane(times: np.ndarray, time_constant: float) -> np.ndarray:
    """exp(-t / τ) of read times within the frame.

    Parameters
    ----------
    times : ndarray (rows, 128)
        From `read_times`, seconds.
    time_constant : float
        τ of the dark decay, seconds.

    Returns
    -------
    ndarray float32, (rows, 128)
        The share of the decay that depends on the pixel; `decay_factors` has that of the resultant.
    """
    return np.exp(-times / time_constant).astype(np.float32)


def decay_factors(
    read_pattern: Sequence[Sequence[int]], frame_time: float, amplitude: float, time_constant: float
) -> np.ndarray:
    """Mean over each resultant's reads of A exp(-(r - 1.5) T / τ): times `decay_plane`, the decaying signal.

    Parameters
    ----------
    read_pattern : sequence of sequence of int
        Numbers r of the reads of each of G resultants, from 1.
    frame_time : float
        T, seconds per read.
    amplitude : float
        A, DN.
    time_constant : float
        τ, seconds.

    Returns
    -------
    ndarray float64, (G,)
        DN.
    """
    return np.array(
        [amplitude * np.mean(np.exp(-(np.asarray(reads) - 1.5) * frame_time / time_constant)) for reads in read_pattern]
    )


def transient_plane(times: np.ndarray, *stream: object) -> np.ndarray:
    """First-read transient of WFI18; both amplitudes scatter together with the exposure's stream.

    Parameters
    ----------
    times : ndarray (rows, 128)
        From `read_times`, seconds.
    *stream
        What the random numbers are keyed by (`rtools.simulate.streams.generator`).

    Returns
    -------
    ndarray float32, (rows, 128)
        Addition to the first read, DN: a sum of two exponentials in the time (`rtools.simulate.assumed.TRANSIENT`).
    """
    strength = 1 + assumed.TRANSIENT["scatter"] * float(generator(*stream, "transient").standard_normal())
    pairs = zip(assumed.TRANSIENT["amplitude_dn"], assumed.TRANSIENT["time_s"], strict=True)
    return sum(strength * amplitude * np.exp(-times / time) for amplitude, time in pairs).astype(np.float32)
