"""When guide windows are read: cycles of a stage, reads that reset the detector, exposures and the gaps between.

A cycle is reset, pedestal, 256 science rows, skipped readings, signal; sixteen cycles are a science read. An exposure
is one read that resets the detector and then its reads; `start` of an exposure is the end of the former. The time line
begins with the acquisition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.simulate.guide import assumed
from rtools.wfi.guide import BLOCKS, GUIDE_TABLES, WSM_TRACK_LATE, GuideTable
from rtools.wfi.readout import WINDOW_ROWS

__all__ = ["Cycles", "Exposed", "Timeline", "draw_timeline", "impacted_cycles"]

WIM_ACQ, WIM_TRACK, WSM_ACQ1, WSM_ACQ2 = GUIDE_TABLES[:4]


class Exposed(NamedTuple):
    """A science exposure on the time line.

    Attributes
    ----------
    number : int
        Of the exposure in its visit.
    start, stop : float
        Its first read begins, its last ends: seconds since the time line begins.
    """

    number: int
    start: float
    stop: float


@dataclass(frozen=True, eq=False)
class Cycles:
    """The pairs of one stage, in the order of time.

    Attributes
    ----------
    name : str
        ``acq``, ``edge`` or ``track``.
    table : rtools.wfi.guide.GuideTable
        How the window is read.
    start : ndarray float64 (n,)
        Their cycles begin, seconds since the time line begins.
    cycle : ndarray int64 (n,)
        Number of the cycle in its science read, 0 … 15.
    mapping : ndarray int16 (n,)
        Number of the exposure; negative in the gap before it; 0 in acquisitions.
    resetting : ndarray bool (n,)
        The science read is one that resets the detector.
    """

    name: str
    table: GuideTable
    start: NDArray[np.float64]
    cycle: NDArray[np.int64]
    mapping: NDArray[np.int16]
    resetting: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.start)

    def take(self, which: NDArray) -> Cycles:
        """Some of its pairs.

        Parameters
        ----------
        which : ndarray
            Mask or index.

        Returns
        -------
        Cycles
            With these alone.
        """
        arrays = (self.start, self.cycle, self.mapping, self.resetting)
        return Cycles(self.name, self.table, *(array[which] for array in arrays))

    @property
    def pedestal_end(self) -> NDArray[np.float64]:
        """The last reading of the pedestal ends, seconds."""
        return self.start + (self.table.resets + self.table.pedestal) * self.table.window_s

    @property
    def signal_end(self) -> NDArray[np.float64]:
        """The last reading of the signal ends, seconds."""
        return self.start + self.table.cycle_s

    @property
    def centre(self) -> NDArray[np.float64]:
        """Mean of the times of pedestal and signal, which are the means over their readings, seconds."""
        back = (self.table.pedestal - 1) / 2 + (self.table.signal - 1) / 2
        return (self.pedestal_end + self.signal_end - back * self.table.window_s) / 2


class Timeline(NamedTuple):
    """All pairs of an acquisition.

    Attributes
    ----------
    stages : tuple of Cycles
        In the order of time.
    exposures : tuple of Exposed
        What was tracked.
    duration : float
        Seconds from the first cycle to the end of the last.
    """

    stages: tuple[Cycles, ...]
    exposures: tuple[Exposed, ...]
    duration: float

    @property
    def track(self) -> Cycles:
        """The stage of tracking."""
        return self.stages[-1]


def draw_timeline(*, spectroscopic: bool, first: int, exposures: int, reads: int, gap: int) -> Timeline:
    """The time line of one acquisition.

    Parameters
    ----------
    spectroscopic : bool
        Two acquisitions and long cycles, as with a disperser.
    first : int
        Number of the first exposure.
    exposures : int
        How many.
    reads : int
        Science reads of each, without the one that resets.
    gap : int
        Science reads before, between and after exposures.

    Returns
    -------
    Timeline
        Acquisition, gap, exposure, gap … gap.
    """
    tables = (WSM_ACQ1, WSM_ACQ2, WSM_TRACK_LATE) if spectroscopic else (WIM_ACQ, WIM_TRACK)
    names = ("acq", "edge") if spectroscopic else ("acq",)
    begin, stages = 0.0, []
    for name, table in zip(names, tables[:-1], strict=True):
        stages.append(_cycles(name, table, begin, [0] * assumed.ACQUISITION_READS, []))
        begin += assumed.ACQUISITION_READS * table.frame_s
    mapping: list[int] = []
    resets: list[int] = []
    exposed = []
    frame = tables[-1].frame_s
    for number in range(first, first + exposures):
        mapping += [-number] * gap
        resets.append(len(mapping))
        mapping += [number] * (reads + 1)
        exposed.append(
            Exposed(number, begin + (len(mapping) - reads) * frame, begin + len(mapping) * frame),
        )
    mapping += [-(first + exposures)] * gap
    stages.append(_cycles("track", tables[-1], begin, mapping, resets))
    return Timeline(tuple(stages), tuple(exposed), begin + len(mapping) * frame)


def _cycles(name, table, begin, mapping, resets):
    """A stage of so many science reads as there are numbers of exposures."""
    reads = len(mapping)
    is_reset = np.zeros(reads, bool)
    is_reset[resets] = True
    index = np.arange(reads * BLOCKS)
    return Cycles(
        name,
        table,
        begin + index * table.cycle_s,
        index % BLOCKS,
        np.repeat(np.asarray(mapping, np.int16), BLOCKS),
        np.repeat(is_reset, BLOCKS),
    )


def impacted_cycles(low: int, high: int, *, size: int, upwards: bool) -> tuple[int, ...]:
    """The cycles of a read in which the rows of a window are reset with the whole detector.

    Parameters
    ----------
    low, high : int
        First row of the window, and the one after its last, in the full frame.
    size : int
        Rows of the frame.
    upwards : bool
        Whether the detector is read from row 0 on; otherwise from the last row down.

    Returns
    -------
    tuple of int
        One, or two where a border of 256 rows runs through the window.
    """
    first, last = (low, high - 1) if upwards else (size - high, size - 1 - low)
    return tuple(range(first // WINDOW_ROWS, last // WINDOW_ROWS + 1))
