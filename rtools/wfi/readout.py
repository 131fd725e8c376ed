"""The clock that reads a detector: all channels at once, one pixel each per clock, row after row.

Sources: Roman technical information, and the times that the mission's corrections of the dark decay and of the
transient of WFI18 take for the pixels (`docs/algorithms/`).
"""

from rtools.wfi.frame import CHANNEL

__all__ = ["CLOCK_S", "PAUSE_SAMPLES", "ROW_CLOCKS", "ROW_SAMPLES", "WINDOW_FACTOR", "WINDOW_ROWS"]

CLOCK_S = 4.915263e-6
"""Seconds per clock, in which a pixel is read."""

ROW_CLOCKS = CHANNEL + 14
"""Clocks from the start of one row to that of the next: its pixels and the overhead."""

PAUSE_SAMPLES = 12
"""Samples that a channel's time series has between two rows: the reference-pixel correction counts fewer than the 14
clocks of overhead, as the mission defines its coefficients."""

ROW_SAMPLES = CHANNEL + PAUSE_SAMPLES
"""Samples of a row in such a time series."""

WINDOW_ROWS = 256
"""Rows between two readings of the guide window."""

WINDOW_FACTOR = 1.5
"""Share of a pause for the guide window that passes before the next row; chosen by the mission to fit the transient of
WFI18."""
