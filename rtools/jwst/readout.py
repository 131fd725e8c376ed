"""How JWST's detectors are read: sub-arrays, read patterns, times of frames and groups."""

from __future__ import annotations

from dataclasses import dataclass

from rtools.errors import UsageError
from rtools.jwst.instrument import detector_facts, instrument_facts

__all__ = [
    "ReadoutPattern",
    "Subarray",
    "frame_time",
    "group_time",
    "integration_time",
    "readout_pattern",
    "readout_patterns",
    "subarray",
    "subarrays",
    "window",
]

PIXELS_A_SECOND = 100_000
"""That one output of a near-infrared detector reads."""

OVERHEAD_PIXELS = 12
"""Pixel times that each row takes besides its pixels."""

FULL = "FULL"
MIRI_FRAME_TIMES_S = {
    (columns, rows, "FASTR1"): seconds for columns, rows, seconds in instrument_facts()["frame_time_s"]["miri_FASTR1"]
} | {(1032, 1024, "FASTR1"): instrument_facts()["frame_time_s"]["miri_full_FASTR1"]}
"""By columns, rows and READPATT; those of sub-arrays to a millisecond, as the observatory's page on them has them."""


@dataclass(frozen=True)
class Subarray:
    """A part of a detector that is read.

    Attributes
    ----------
    name : str
        SUBARRAY: ``FULL``, ``SUB160``; ``GENERIC`` for a window that has no name.
    columns, rows : int
        SUBSIZE1 and SUBSIZE2.
    outputs : int
        NOUTPUTS: amplifiers that read it, 4 or 1.
    x, y : int
        SUBSTRT1 and SUBSTRT2: its first pixel, 1-based, in the frame that files have.
    """

    name: str
    columns: int
    rows: int
    outputs: int
    x: int = 1
    y: int = 1

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of the full frame, for indexing an array."""
        return slice(self.y - 1, self.y - 1 + self.rows), slice(self.x - 1, self.x - 1 + self.columns)


@dataclass(frozen=True)
class ReadoutPattern:
    """How frames become groups.

    Attributes
    ----------
    name : str
        READPATT: ``SHALLOW4``.
    nframes : int
        NFRAMES: frames that are averaged into a group.
    groupgap : int
        GROUPGAP: frames that are dropped after them.
    """

    name: str
    nframes: int
    groupgap: int

    def frames(self, group: int) -> range:
        """Frames of a group, both counted from 0: group g has g (NFRAMES + GROUPGAP) and the NFRAMES - 1 after it.

        Parameters
        ----------
        group : int
            Its number, from 0.

        Returns
        -------
        range
            Numbers of frames since the reset, from 0.
        """
        first = group * (self.nframes + self.groupgap)
        return range(first, first + self.nframes)


def subarrays(detector: str) -> tuple[str, ...]:
    """Names of a detector's sub-arrays, the full frame first.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.

    Returns
    -------
    tuple of str
    """
    return tuple(name for name in _named(detector) if name != "_")


def subarray(detector: str, name: str = FULL, *, x: int = 1, y: int = 1) -> Subarray:
    """The sub-array of a name.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    name : str
        As SUBARRAY has it, in letters of any case.
    x, y : int
        Its first pixel, 1-based. The lower left corner by default, where reference pixels are.

    Returns
    -------
    Subarray

    Raises
    ------
    UsageError
        The detector has no such sub-array, or it does not lie on the detector there.
    """
    known = _named(detector)
    if name.upper() not in subarrays(detector):
        raise UsageError(
            f"detector {detector.upper()} has no sub-array {name.upper()}",
            mend=f"sub-arrays: {' '.join(subarrays(detector))}, or X,Y,NX,NY",
        )
    columns, rows, outputs = known[name.upper()]
    return _on_detector(detector, Subarray(name.upper(), columns, rows, outputs, x, y))


def window(detector: str, x: int, y: int, columns: int, rows: int) -> Subarray:
    """A window anywhere on a detector.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    x, y : int
        Its first pixel, 1-based.
    columns, rows : int
        Its size. A stripe over all columns of NIRCam is read by four outputs, any other by one.

    Returns
    -------
    Subarray
        ``FULL`` for all pixels, else ``GENERIC``.

    Raises
    ------
    UsageError
        It does not lie on the detector.
    """
    facts = detector_facts(detector)
    if (x, y, columns, rows) == (1, 1, facts.columns, facts.rows):
        return subarray(detector)
    stripe = facts.instrument == "nircam" and columns == facts.columns
    return _on_detector(detector, Subarray("GENERIC", columns, rows, 4 if stripe else 1, x, y))


def readout_patterns(detector: str) -> tuple[ReadoutPattern, ...]:
    """Read patterns of the instrument of a detector.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.

    Returns
    -------
    tuple of ReadoutPattern
        The first keeps every frame.
    """
    told = instrument_facts()["read_patterns"][detector_facts(detector).instrument.upper()]
    return tuple(ReadoutPattern(name, nframes, groupgap) for name, (nframes, groupgap) in told.items())


def readout_pattern(detector: str, name: str) -> ReadoutPattern:
    """The read pattern of a name.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    name : str
        As READPATT has it, in letters of any case.

    Returns
    -------
    ReadoutPattern

    Raises
    ------
    UsageError
        The instrument has no such pattern.
    """
    known = {pattern.name: pattern for pattern in readout_patterns(detector)}
    if name.upper() not in known:
        raise UsageError(
            f"detector {detector.upper()} has no read pattern {name.upper()}", mend=f"read patterns: {' '.join(known)}"
        )
    return known[name.upper()]


def frame_time(detector: str, part: Subarray, pattern: str = "") -> float:
    """TFRAME: time to read a sub-array once.

    Of a near-infrared detector 1e-5 s (columns/outputs + 12) (rows + 1 with four outputs, + 2 with one): every row
    takes 12 pixel times besides its pixels, every frame a row or two.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    part : Subarray
        What is read.
    pattern : str, optional
        READPATT, which counts for MIRI.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    UsageError
        Of MIRI, of which the frame times of its own sub-arrays in FASTR1 are known, and no others.
    """
    if detector_facts(detector).instrument == "miri":
        case = (part.columns, part.rows, pattern.upper() or "FASTR1")
        if case not in MIRI_FRAME_TIMES_S:
            raise UsageError(
                f"the frame time of {part.name} {case[2]} is not known", mend="FULL in FASTR1 is, for MIRI"
            )
        return MIRI_FRAME_TIMES_S[case]
    row = part.columns / part.outputs + OVERHEAD_PIXELS
    return row * (part.rows + (1 if part.outputs == 4 else 2)) / PIXELS_A_SECOND


def group_time(frame: float, pattern: ReadoutPattern) -> float:
    """TGROUP: time from one group to the next, (NFRAMES + GROUPGAP) TFRAME.

    Parameters
    ----------
    frame : float
        TFRAME, s.
    pattern : ReadoutPattern
        How frames become groups.

    Returns
    -------
    float
        Seconds.
    """
    return (pattern.nframes + pattern.groupgap) * frame


def integration_time(frame: float, pattern: ReadoutPattern, ngroups: int) -> float:
    """Time from the reset to the last frame of an integration, ((NGROUPS - 1) (NFRAMES + GROUPGAP) + NFRAMES) TFRAME.

    Parameters
    ----------
    frame : float
        TFRAME, s.
    pattern : ReadoutPattern
        How frames become groups.
    ngroups : int
        NGROUPS.

    Returns
    -------
    float
        Seconds.
    """
    return (ngroups - 1) * group_time(frame, pattern) + pattern.nframes * frame


def _named(detector):
    told = instrument_facts().get(f"subarrays_{detector_facts(detector).instrument}", {})
    return {FULL: told[FULL]} | told


def _on_detector(detector, part):
    facts = detector_facts(detector)
    inside = part.x >= 1 and part.y >= 1 and part.columns >= 1 and part.rows >= 1
    if not inside or part.x - 1 + part.columns > facts.columns or part.y - 1 + part.rows > facts.rows:
        raise UsageError(
            f"{part.columns} x {part.rows} pixels from {part.x}, {part.y} do not lie on {facts.name}",
            mend=f"it has {facts.columns} x {facts.rows} pixels, counted from 1",
        )
    return part
