"""Guide windows and FACE: how they are read, what their words and flags mean, and what is assumed of them.

A guide window is a small part of a detector that is read between blocks of 256 rows of every science read: reset,
pedestal, 256 science rows, signal. The difference of signal and pedestal is an image of the guide star. FACE is the
attitude that the fine guidance makes of the stars of all detectors.

Sources: the mission's MultiAccum tables (Revision D, 2024-04-25), schemas of rad 1.1 and 1.2, Roman technical
information 1.4.0. What no public source says stands under `ASSUMED`, and in docs/guide.md.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

from rtools.wfi.frame import FRAME
from rtools.wfi.readout import WINDOW_ROWS

__all__ = [
    "ASSUMED",
    "BAD_QUALITY",
    "DROPPED_BY_JITTER",
    "DROPPED_BY_PHOTOMETRY",
    "EDGES",
    "FACE_SIGN",
    "GAP",
    "GOOD_QUALITY",
    "GUIDE_TABLES",
    "PHASES",
    "STAGES",
    "WINDOW_ACTIVITIES",
    "WORDS_OF_CENTROIDS",
    "WSM_TRACK_LATE",
    "GuideTable",
    "Use",
    "guide_table",
]

BLOCKS = FRAME // WINDOW_ROWS
"""Guide-window cycles in one science read of the full frame."""

ROW_S = 2.87831 / FRAME
"""Seconds in which a science row is read between windows; with it the cycles of all tables add up to their frame times
(Revision D) within 0.9 ms."""

GAP = 1.5
"""Cycles from a pair to the next above which there is a gap."""

STAGES = ("acq", "edge", "track")
"""Stages of guiding in the order of time. Files hold them in `acq_data`, `edge_acq_data` (spectroscopy only) and
`track_data`."""

PHASES = (
    "NOT_CONFIGURED",
    "STANDBY",
    "WIM_ACQ_VW",
    "WIM_ACQ_NA",
    "WIM_TRK",
    "WIM_TRK_S",
    "WSM_ACQ_HC",
    "WSM_ACQ_VC",
    "WSM_TRK",
    "WIM_DFC",
)
"""Values of `fgs_op_phase` and `fgs_modes_used`."""

GOOD_QUALITY = ("AQ_DOF_3", "AQ_DOF_2", "AQ_DOF_1")
"""Values of `attitude_estimate_quality` of an attitude that can be used."""

BAD_QUALITY = (
    "AQ_DEFAULT_BAD",
    "AQ_TOO_FEW_STARS",
    "AQ_FAILED_IN_PHASE_TRANSITION",
    "AQ_VIRTUAL_WINDOWING_BAD",
)
"""The others."""

WINDOW_ACTIVITIES = ("DET_FIXED", "GUIDE", "NOT_USED", "SKY_FIXED")
"""Values of `expected_gw_acquisitions` and `expected_gw_tracking`."""

WORDS_OF_CENTROIDS = ("GOOD", "BAD")
"""Words of the quality of a downlinked centroid; an empty one says that there is none. Assumed (`ASSUMED`)."""

FACE_SIGN = 1
"""A star at u is displaced by -r x u where the attitude turns by r: +1 for this, -1 for the opposite. Assumed."""

EDGES = {"blue": 1, "red": -1}
"""On which side of an edge of a spectrum there is light: 1 at larger y, -1 at smaller y. Assumed."""

ASSUMED = {
    "FACE sign": "the image of a star moves by -r x u, r = (delta, epsilon, zeta) about (F1, F2, F3)",
    "pixels": "centroids are 0-based, with the centre of a pixel at an integer, in the frame of 4096 pixels",
    "errors of centroids": "the three downlinked numbers are variances (XX, YY, XY) in square pixels",
    "words of quality": "GOOD, BAD or empty",
    "amp33": "an array has the rows of the window, and its columns",
    "tables of readout": "rows are y and columns are x; acquisition with filters reads 2 + 2 times; tracking of the "
    "spectroscopic frame of 5.14116 s has 1 + 8 + 15 + 8 readings",
    "edges of spectra": "wavelengths rise with y, so that light is above a blue edge and below a red one",
    "reset reads": "a reset read belongs to the exposure that it begins",
    "count rate": "predicted_count_rate is in electrons per second",
    "phases": "ACQ_HC is the first acquisition of spectroscopy, ACQ_VC the second; VW and NA are the halves of the "
    "acquisition with filters",
    "simultaneous": "the windows of all detectors are read at the same time",
    "jitter": "8 mas of the mission's tables are rms per axis, and those of the built-in ePSF",
}
"""What no public source says, and what is taken for it."""


class Use(enum.IntFlag):
    """Why a pair of pedestal and signal is not used; 0 where it is."""

    RESET_IMPACTED = 1
    RESET_READ = 2
    SCE = 4
    GW_ERROR = 8
    MIN_BIND = 16
    MAX_BIND = 32
    SATURATED = 64
    NO_FIT = 128
    OUTLIER = 256
    NO_DOWNLINK = 512
    MOVED = 1024
    EDGE = 2048


DROPPED_BY_PHOTOMETRY = (
    Use.RESET_IMPACTED | Use.SCE | Use.GW_ERROR | Use.MAX_BIND | Use.SATURATED | Use.NO_FIT | Use.OUTLIER
)
"""Pairs with one of these are not used for fluxes. With MIN_BIND only pixels at 0 are masked."""

DROPPED_BY_JITTER = DROPPED_BY_PHOTOMETRY | Use.RESET_READ | Use.MOVED | Use.EDGE
"""Nor with one of these for the motion."""


class GuideTable(NamedTuple):
    """How a guide window is read in one cycle.

    Attributes
    ----------
    number : int
        Of the table.
    name : str
        Of the table.
    window_s : float
        Seconds for one reading of the window.
    rows, columns : int
        Size of the window.
    resets, pedestal, skipped, signal : int
        Readings in this order; the science rows are read before the skipped ones.
    """

    number: int
    name: str
    window_s: float
    rows: int
    columns: int
    resets: int
    pedestal: int
    skipped: int
    signal: int

    @property
    def id(self) -> str:
        """Identifier as in the files: GW and four digits."""
        return f"GW{self.number:04d}"

    @property
    def science_s(self) -> float:
        """Seconds for the science rows between pedestal and signal."""
        return WINDOW_ROWS * ROW_S

    @property
    def cycle_s(self) -> float:
        """Seconds from one pair to the next."""
        readings = self.resets + self.pedestal + self.skipped + self.signal
        return readings * self.window_s + self.science_s

    @property
    def frame_s(self) -> float:
        """Seconds for a science read of the full frame."""
        return BLOCKS * self.cycle_s

    @property
    def pedestal_s(self) -> float:
        """Mean time of the pedestal's readings since the reset, seconds."""
        return (self.pedestal + 1) / 2 * self.window_s

    @property
    def signal_s(self) -> float:
        """Mean time of the signal's readings since the reset, seconds."""
        return self.pedestal * self.window_s + self.science_s + (self.skipped + (self.signal + 1) / 2) * self.window_s

    @property
    def exposure_s(self) -> float:
        """Exposure time of the difference of signal and pedestal, seconds."""
        return self.signal_s - self.pedestal_s


GUIDE_TABLES = (
    GuideTable(1, "WIM_ACQ", 0.02392, 64, 64, 1, 2, 1, 2),
    GuideTable(2, "WIM_TRACK", 0.00222, 16, 16, 1, 2, 3, 2),
    GuideTable(3, "WSM_ACQ1", 0.02148, 24, 170, 1, 2, 1, 2),
    GuideTable(4, "WSM_ACQ2", 0.03010, 170, 24, 1, 2, 1, 2),
    GuideTable(5, "WSM_TRACK", 0.00442, 32, 16, 1, 8, 2, 8),
    GuideTable(6, "DEFOCUS_M", 0.02392, 64, 64, 1, 1, 1, 1),
    GuideTable(7, "DEFOCUS_L", 0.05507, 100, 100, 1, 1, 1, 1),
)
"""Tables of windows that are downlinked (Revision D). Those of standby and darks, 8 to 15, have the numbers of 2, 5, 6
and 7. The table of WIM_ACQ says 1 + 1 readings, but only 2 + 2 give its frame time."""

WSM_TRACK_LATE = GUIDE_TABLES[4]._replace(skipped=15)
"""Tracking with today's spectroscopic frame of 5.14116 s: 32 readings instead of 19 (inferred from the frame time)."""

SAME_TABLES = {8: 2, 9: 5, 10: 6, 11: 7, 12: 2, 13: 5, 14: 6, 15: 7}
"""Standby and dark calibration: the table that has the same numbers."""


def guide_table(identifier: str | int) -> GuideTable | None:
    """The readout table of an identifier.

    Parameters
    ----------
    identifier : str or int
        Like ``GW0002``, a number, or the name of the table.

    Returns
    -------
    GuideTable or None
        None for a table whose numbers are not known.
    """
    word = str(identifier).strip().upper()
    digits = word.removeprefix("GW")
    number = int(digits) if digits.isdigit() else None
    number = SAME_TABLES.get(number, number) if number is not None else None
    return next((table for table in GUIDE_TABLES if number == table.number or word == table.name), None)
