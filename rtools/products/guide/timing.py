"""When the pairs of a stage were read, and how long they were exposed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.products.guide.problems import Notes
from rtools.products.guide.time_lists import times
from rtools.products.guide.values import number_at
from rtools.wfi import metadata
from rtools.wfi.guide import GAP, GUIDE_TABLES, WSM_TRACK_LATE, GuideTable, guide_table
from rtools.wfi.moments import Moments, elapsed, mjd
from rtools.wfi.units import DAY_S

__all__ = ["StageTiming", "spacing", "time_stage"]


TIMES = ("pedestal_times", "signal_times", "centroid_times")

NO_GAP = (0.5, GAP)
"""Steps from a pair to the next that are not a gap, in median ones."""


class StageTiming(NamedTuple):
    """The fields of a `GuideStage` that have to do with time; they are described there."""

    pedestal_t: NDArray[np.float64]
    signal_t: NDArray[np.float64]
    t: NDArray[np.float64]
    mjd: NDArray[np.float64]
    centroid_t: NDArray[np.float64]
    table: GuideTable | None
    cycles_per_read: int | None
    pedestal_exptime: float | None
    signal_exptime: float | None
    exptime: float | None
    cycle_s: float


def time_stage(
    notes: Notes,
    places: Mapping[str, str],
    stage: tuple[int, str],
    meta: Mapping[str, Any],
    *,
    since: Moments,
    exposure: NDArray[np.integer],
) -> StageTiming:
    """Times of a stage from its lists, its metadata, and the table that these name.

    Parameters
    ----------
    notes : Notes
        The file; remarks and problems go into it.
    places : mapping of str to str
        Arrays that the stage has, and their paths.
    stage : (int, str)
        Number of its pairs, and how the names of its metadata begin.
    meta : mapping
        Metadata of the file.
    since : Moments
        When times begin.
    exposure : ndarray, (n)
        Exposure of each pair.

    Returns
    -------
    StageTiming
        The centre of a pair is the mean of those of the readings of its two resultants. Their lists have the ends, and
        the mean of p readings of a window is (p - 1)/2 window times earlier; without a table the ends are taken.
    """
    pairs, prefix = stage
    lists = {name: times(notes, places[name]) for name in TIMES if name in places}
    ends = {name: _elapsed(lists.get(name), since, pairs) for name in TIMES}
    table = guide_table(metadata.get(meta, f"{prefix}_ma_table_id") or "")
    cadence = _cadence(ends["pedestal_times"], ends["signal_times"], exposure)
    table = _as_read(table, cadence)
    exptimes = _exposure_times(notes, meta, prefix, table)
    centre = _centre(ends["pedestal_times"], ends["signal_times"], table, exptimes[2])
    cycles = number_at(meta, f"{prefix}_gw_cycles_per_sci_read")
    dates = next((lists[name] for name in TIMES[:2] if lists.get(name) is not None), None)
    return StageTiming(
        pedestal_t=ends["pedestal_times"],
        signal_t=ends["signal_times"],
        t=centre,
        mjd=_dates(centre, dates, since),
        centroid_t=ends["centroid_times"],
        table=table,
        cycles_per_read=None if cycles is None else int(cycles),
        pedestal_exptime=exptimes[0],
        signal_exptime=exptimes[1],
        exptime=exptimes[2],
        cycle_s=cadence if np.isfinite(cadence) or table is None else table.cycle_s,
    )


def _elapsed(moments, since, pairs):
    return np.full(pairs, np.nan) if moments is None else elapsed(moments, since)


def _cadence(pedestal, signal, exposure):
    """Seconds from a pair to the next of the same exposure; NaN where there are none."""
    ends = pedestal if np.isfinite(pedestal).sum() > 1 else signal
    return spacing(np.diff(ends)[np.diff(exposure) == 0])


def spacing(steps: NDArray[np.float64]) -> float:
    """Cadence of a series.

    Times are often rounded to milliseconds. The median finds the gaps, and the mean of the other steps is that of whole
    runs, so that roundings cancel.

    Parameters
    ----------
    steps : ndarray float64
        From each time to the next, seconds; NaN for none.

    Returns
    -------
    float
        Seconds; NaN where nothing tells.
    """
    steps = steps[steps > 0]  # neither NaN
    if not steps.size:
        return np.nan
    median = np.median(steps)
    return float(steps[(steps > NO_GAP[0] * median) & (steps < NO_GAP[1] * median)].mean())


def _as_read(table, cadence):
    """The table, or the later one of the same identifier that has the cadence of the times."""
    if table is not None and table == GUIDE_TABLES[WSM_TRACK_LATE.number - 1] and np.isfinite(cadence):
        return min(table, WSM_TRACK_LATE, key=lambda one: abs(one.cycle_s - cadence))
    return table


def _exposure_times(notes, meta, prefix, table):
    """Effective times of pedestal and signal since the reset, and their difference, seconds."""
    pedestal = number_at(meta, f"{prefix}_pedestal_resultant_exp_time")
    signal = number_at(meta, f"{prefix}_signal_resultant_exp_time")
    if (pedestal is None or signal is None or signal <= pedestal) and table is not None:
        if pedestal is not None and signal is not None:
            notes.remark(f"meta.{prefix}_signal_resultant_exp_time: not after the pedestal, the table's is taken")
        pedestal, signal = table.pedestal_s, table.signal_s
    if pedestal is None or signal is None or signal <= pedestal:
        return pedestal, signal, None
    return pedestal, signal, signal - pedestal


def _centre(pedestal, signal, table, exptime):
    """Centres of the pairs, seconds; where one resultant has no time, half an exposure from the other's."""
    if table is not None:
        pedestal = pedestal - (table.pedestal - 1) / 2 * table.window_s
        signal = signal - (table.signal - 1) / 2 * table.window_s
    half = (exptime or 0.0) / 2
    centre = np.where(np.isnan(pedestal), signal - half, pedestal + half)
    both = np.isfinite(pedestal) & np.isfinite(signal)
    return np.where(both, (pedestal + signal) / 2, centre)


def _dates(centre, moments, since):
    """Modified Julian Dates of the centres (UTC): each as far from its own time in the file as it is in seconds."""
    if moments is None:
        return mjd(since)[0] + centre / DAY_S
    return mjd(moments) + (centre - elapsed(moments, since)) / DAY_S
