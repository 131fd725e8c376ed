"""When each pixel is read within a frame.

Channels are read in parallel, one pixel per clock, row after row, with pauses for the guide window. The times follow
from the clock and the frame time alone; they serve the dark decay and the transient of WFI18. One plane of a channel
pair is 8 MiB and holds all distinct times of a detector.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtools.wfi.frame import CHANNEL, FRAME
from rtools.wfi.instrument import detector_number
from rtools.wfi.readout import CLOCK_S, ROW_CLOCKS, WINDOW_FACTOR, WINDOW_ROWS

__all__ = ["channel_pair", "mean_decay", "tile_columns"]


def channel_pair(frame_time: float, detector: str, rows: int = FRAME) -> np.ndarray:
    """Times of the pixels of two neighbouring channels since the start of a frame.

    Parameters
    ----------
    frame_time : float
        Seconds per read.
    detector : str
        ``WFI01``.
    rows : int
        Rows of the frame; a smaller frame than 4096 is the first rows of the real one.

    Returns
    -------
    ndarray float64, (rows, 256)
        Seconds. Channels 2k and 2k + 1 are mirror images, read away from their common outer edges, and all pairs are
        alike, so column x of the frame has the times of column x mod 256.

    Notes
    -----
    Clock = column + 142 row, and (frame time / clock length - 581617) × 1.5 / 16 more for every 256 rows passed; the
    clocks are scaled so that the frame time is their whole. Detectors whose number is divisible by three are read from
    row 0 upwards, the others from the last row downwards. The model is defined for 4096 rows.
    """
    row = np.arange(FRAME, dtype=np.float64)
    last = (CHANNEL - 1) + ROW_CLOCKS * (FRAME - 1)
    pause = (frame_time / CLOCK_S - last) / (FRAME // WINDOW_ROWS) * WINDOW_FACTOR
    clock = np.arange(CHANNEL) + (ROW_CLOCKS * row + pause * (row // WINDOW_ROWS))[:, None]
    times = frame_time * clock / (clock.max() + pause)
    if detector_number(detector) % 3:
        times = times[::-1]
    return np.concatenate([times, times[:, ::-1]], axis=1)[:rows]


def tile_columns(pair: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Columns of a frame that repeats one plane side by side.

    Parameters
    ----------
    pair : ndarray (rows, 256)
        What is repeated; of `channel_pair`, or made of it.
    start, stop : int
        First column in the frame, and the one behind the last.

    Returns
    -------
    ndarray (rows, stop - start)
        A view where the columns lie within one repetition.
    """
    width = pair.shape[1]
    offset = start % width
    if offset + stop - start <= width:
        return pair[:, offset : offset + stop - start]
    return np.take(pair, np.arange(start, stop) % width, axis=1)


def mean_decay(reads: Sequence[int], frame_time: float, time_constant: float) -> float:
    """Mean over reads of exp(-t / time constant), t from mid-frame of read 1: what a resultant has of a decay.

    Parameters
    ----------
    reads : sequence of int
        1-based.
    frame_time, time_constant : float
        Seconds.

    Returns
    -------
    float
        In units of the decay at t = 0.
    """
    times = (np.asarray(reads, dtype=np.float64) - 1.5) * frame_time
    return float(np.mean(np.exp(-times / time_constant)))
