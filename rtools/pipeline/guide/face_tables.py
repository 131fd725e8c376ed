"""Statistics of FACE in phases and exposures as tables; which of its rows count, and where its motion is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.errors import UsageError
from rtools.guide import FaceSeries, face_motion, find_phases, locate_stars, measure_face
from rtools.pipeline.guide.columns import GuideColumn, make_table
from rtools.pipeline.guide.follow import series_of
from rtools.pipeline.guide.intervals import Interval
from rtools.wfi.fgs import FieldPlace, place_in_field
from rtools.wfi.frame import BORDER, CENTRE, FRAME
from rtools.wfi.guide import BAD_QUALITY, FACE_SIGN, GOOD_QUALITY, PHASES
from rtools.wfi.instrument import DETECTORS
from rtools.wfi.units import DAY_S

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.products.guide import Face

__all__ = ["DetectorPlace", "choose_rows", "exposures_table", "parse_place", "parse_words", "phases_table"]

TURNS = (("delta", "mas", "F1"), ("epsilon", "mas", "F2"), ("zeta", "arcsec", "F3"))
"""Rotations, the units of their statistics, and the axes that they are about."""


def _of_turn(name, unit, axis):
    """Columns of one rotation."""
    yield GuideColumn(f"{name}_mean", unit, f"Mean rotation about {axis}")
    yield GuideColumn(f"{name}_rms", unit, f"Scatter of the rotation about {axis}, its noise included")
    yield GuideColumn(f"{name}_rms_line", unit, "The same about a line")
    yield GuideColumn(f"{name}_drift", f"{unit} / s", "Slope of that line")
    yield GuideColumn(f"{name}_drift_err", f"{unit} / s", "Its standard deviation")
    yield GuideColumn(
        f"{name}_sigma", unit, "Noise of one solution as the file has it: median of the roots of the variances"
    )


STATISTICS = (
    GuideColumn("phase", None, "fgs_op_phase", "U16"),
    GuideColumn("exposure", None, "Exposure of the visit; 0 for the time that was asked for", "int32"),
    GuideColumn("start", "d", "Begin, MJD, UTC: of the exposure, or the first solution of the phase"),
    GuideColumn("stop", "d", "End, MJD, UTC: of the exposure, or the last solution of the phase"),
    GuideColumn("t_begin", "s", "Begin since meta.t_start"),
    GuideColumn("t_end", "s", "End since meta.t_start"),
    GuideColumn("rows", None, "Solutions there are", "int32"),
    GuideColumn("good", None, "Solutions that are used", "int32"),
    *(column for turn in TURNS for column in _of_turn(*turn)),
    GuideColumn(
        "zeta_edge_rms", "mas", "Scatter of zeta as motion at the edge of the field, 1337 arcsec from its middle"
    ),
    GuideColumn("dx_rms", "pix", "Motion of a star at the place of --at, noise included"),
    GuideColumn("dy_rms", "pix", "Motion of a star at the place of --at, noise included"),
    GuideColumn("stars", None, "Median of the stars used"),
    GuideColumn("stars_x", "arcsec", "Mean place of the stars along F1, as both solutions of the file imply it"),
    GuideColumn("stars_x_err", "arcsec", "Its standard deviation"),
    GuideColumn("stars_y", "arcsec", "Mean place of the stars along F2, as both solutions of the file imply it"),
    GuideColumn("stars_y_err", "arcsec", "Its standard deviation"),
    GuideColumn("gaps", None, "Gaps longer than 1.5 cycles", "int32"),
    GuideColumn("missing", "s", "Time that is missing in them"),
    GuideColumn("qualities", None, "Words of quality and how many solutions have each, most frequent first", "U200"),
)
"""A row a phase (without `exposure`) or an exposure (without `phase`)."""


class DetectorPlace(NamedTuple):
    """Where on a detector the motion of a star is wanted.

    Attributes
    ----------
    detector : str
        ``WFI01`` …
    x, y : float
        Pixel, 0-based in the frame of 4096.
    """

    detector: str
    x: float
    y: float

    def in_field(self) -> FieldPlace:
        """Its place in the frame of fine guidance.

        Returns
        -------
        rtools.wfi.fgs.FieldPlace
        """
        return place_in_field(self.detector, self.x - BORDER, self.y - BORDER)


def parse_place(word: str | None) -> DetectorPlace | None:
    """A place from a word.

    Parameters
    ----------
    word : str or None
        Like ``WFI07`` (the centre of the detector) or ``WFI07,1024.5,2000``.

    Returns
    -------
    DetectorPlace or None
        None for no word.

    Raises
    ------
    UsageError
        It is not a detector, or no pixel of it.
    """
    if word is None:
        return None
    name, *numbers = [part.strip() for part in word.split(",")]
    detector = f"WFI{name.zfill(2)}" if name.isdigit() else name.upper()
    try:
        x, y = map(float, numbers) if numbers else (CENTRE + BORDER, CENTRE + BORDER)
    except ValueError:
        raise UsageError(f"--at {word}: a detector, or detector, x and y", mend="like WFI07,1024.5,2000") from None
    if detector not in DETECTORS:
        raise UsageError(f"--at {word}: no detector {name}", mend=f"{DETECTORS[0]} … {DETECTORS[-1]} are")
    if not all(-0.5 <= one <= FRAME - 0.5 for one in (x, y)):
        raise UsageError(f"--at {word}: not on the detector", mend=f"pixels are 0 … {FRAME - 1}")
    return DetectorPlace(detector, x, y)


def parse_words(word: str | None) -> tuple[str, ...]:
    """Words of quality or phase.

    Parameters
    ----------
    word : str or None
        Like ``AQ_DOF_3,AQ_DOF_2`` or ``WIM_*``.

    Returns
    -------
    tuple of str
        In capitals; empty for no word.
    """
    return tuple(part.strip().upper() for part in (word or "").split(",") if part.strip())


def choose_rows(
    face: Face, *, qualities: Sequence[str] = (), phases: Sequence[str] = (), interval: Interval | None = None
) -> NDArray[np.bool_]:
    """Rows of FACE that are asked for.

    Parameters
    ----------
    face : rtools.products.guide.Face
        The file.
    qualities, phases : sequence of str
        Words, * and ? standing for letters; none for all.
    interval : Interval, optional
        When.

    Returns
    -------
    ndarray bool (n,)

    Raises
    ------
    UsageError
        A word is neither known nor in the file.
    """
    chosen = np.ones(len(face.t), bool)
    sides = (("quality", face.quality, qualities, (*GOOD_QUALITY, *BAD_QUALITY)), ("phase", face.phase, phases, PHASES))
    for option, column, words, known in sides:
        told, number = np.unique(column, return_inverse=True)
        for word in words:
            if not any(fnmatchcase(one, word) for one in (*known, *map(str.upper, told.tolist()))):
                raise UsageError(f"--{option} {word}: no such word", mend=f"they are {' '.join(known)}")
        if words:
            wanted = [any(fnmatchcase(one.upper(), word) for word in words) for one in told.tolist()]
            chosen &= np.array(wanted, bool)[number]
    if interval is not None:
        chosen &= (face.mjd >= interval.start) & (face.mjd <= interval.stop)
    return chosen


def phases_table(face: Face, chosen: NDArray[np.bool_], place: FieldPlace | None = None) -> Table:
    """Statistics of each phase of guiding.

    Parameters
    ----------
    face : rtools.products.guide.Face
        The file.
    chosen : ndarray bool (n,)
        Which rows count.
    place : rtools.wfi.fgs.FieldPlace, optional
        Where the motion of a star is wanted.

    Returns
    -------
    astropy.table.Table
        A row a phase; one that comes again has a row of its own.
    """
    series, rows = series_of(face, chosen), []
    for run in find_phases(series):
        inside = np.zeros(len(series.t), bool)
        inside[run.first : run.last] = True
        start, stop = (face.t_start_mjd + t / DAY_S for t in (run.start, run.stop))
        head = {"phase": run.phase, "start": start, "stop": stop, "t_begin": run.start, "t_end": run.stop}
        rows.append(head | _statistics(series, inside, place))
    return _table(face, rows, place, "exposure")


def exposures_table(
    face: Face, chosen: NDArray[np.bool_], intervals: Sequence[Interval], place: FieldPlace | None = None
) -> Table:
    """Statistics of each exposure.

    Parameters
    ----------
    face : rtools.products.guide.Face
        The file.
    chosen : ndarray bool (n,)
        Which rows count.
    intervals : sequence of Interval
        When the exposures were.
    place : rtools.wfi.fgs.FieldPlace, optional
        Where the motion of a star is wanted.

    Returns
    -------
    astropy.table.Table
        A row an exposure.
    """
    series, rows = series_of(face, chosen), []
    ends = (series.t[0], series.t[-1]) if len(series.t) else (np.nan, np.nan)
    for one in intervals:
        # An end that was left open is that of the series.
        times = np.array([(end - face.t_start_mjd) * DAY_S for end in (one.start, one.stop)])
        begin, end = np.where(np.isfinite(times), times, ends)
        inside = (series.t >= begin) & (series.t <= end)
        start, stop = (face.t_start_mjd + t / DAY_S for t in (begin, end))
        head = {"exposure": one.exposure, "start": start, "stop": stop, "t_begin": begin, "t_end": end}
        rows.append(head | _statistics(series, inside, place))
    return _table(face, rows, place, "phase")


def _table(face, rows, place, without):
    """Rows as a table without the columns that it does not have."""
    absent = {without} | (set() if place is not None else {"dx_rms", "dy_rms"})
    meta = {"guide_window_id": face.window_id, "optical_element": face.element, "t_start_mjd": face.t_start_mjd}
    return make_table([column for column in STATISTICS if column.name not in absent], rows, meta)


def _statistics(series: FaceSeries, inside: NDArray[np.bool_], place: FieldPlace | None) -> dict[str, Any]:
    """Columns of what is measured of some rows."""
    steps = np.diff(series.t[inside])
    found = measure_face(series, inside, cycle_s=float(np.median(steps)) if len(steps) else np.nan)
    where = locate_stars(series, inside)
    row: dict[str, Any] = {"rows": found.rows, "good": found.used}
    for name, _, _ in TURNS:
        row |= {f"{name}_{key}": value for key, value in getattr(found, name)._asdict().items()}
    row |= {"zeta_edge_rms": found.zeta_edge_rms, "stars": found.stars, "gaps": found.gaps, "missing": found.missing_s}
    row |= {"stars_x": where.x, "stars_x_err": where.x_err, "stars_y": where.y, "stars_y_err": where.y_err}
    row["qualities"] = ", ".join(f"{one.quality or 'empty'} {one.rows}" for one in found.qualities)
    if place is not None:
        moved = face_motion(series, place, sign=FACE_SIGN)
        used = inside & series.good
        row |= {f"{axis}_rms": float(np.std(getattr(moved, axis)[used], ddof=1)) if used.sum() > 1 else np.nan
                for axis in ("dx", "dy")}  # fmt: skip
    return row
