"""What a guide-window or FACE file is about: where windows were, which pairs count, the star, the science files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import MissingReferenceError
from rtools.guide import count_causes, flag_pairs, look_at_star, runs_of
from rtools.pipeline.guide.columns import INFO, SAID, make_table
from rtools.pipeline.guide.instrument import instrument_of
from rtools.pipeline.guide.links import ScienceFile, number_in, within
from rtools.pipeline.guide.pieces import Piece, difference_of, flags_of
from rtools.products.guide import Guide, summarise_face, summarise_guide
from rtools.wfi.guide import DROPPED_BY_JITTER

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.pipeline.guide.request import GuideRequest
    from rtools.products.guide import Face, FaceSummary, GuideStage, GuideSummary

__all__ = [
    "ExposureUse",
    "FaceOverview",
    "GuideOverview",
    "SeenStar",
    "WindowPlace",
    "look_at_face",
    "look_at_guide",
    "overview_table",
]

SAMPLE = 120
"""Pairs of one exposure of which the star is looked at."""


class WindowPlace(NamedTuple):
    """Where the window of a stage was until it moved.

    Attributes
    ----------
    stage : str
        ``acq``, ``edge`` or ``track``.
    first, pairs : int
        Number of the first pair there in its stage, and how many they are.
    x, y : int
        First pixel of the window.
    start_s, stop_s : float
        Centres of the first and the last pair, seconds since the guiding began.
    """

    stage: str
    first: int
    pairs: int
    x: int
    y: int
    start_s: float
    stop_s: float


class ExposureUse(NamedTuple):
    """What counts of an exposure, of a gap, or of a phase of FACE.

    Attributes
    ----------
    phase : str
        ``track``, or the phase.
    number : int
        Of the exposure; 0 where it is unknown.
    pairs, used : int
        How many, and how many nothing in the file keeps out.
    dropped : dict of str to int
        Flags of `rtools.wfi.guide.Use` that a file says itself, and pairs with each.
    start, stop : float or None
        Modified Julian Dates, UTC.
    science : tuple of str
        Names of the science files that belong to it.
    """

    phase: str
    number: int
    pairs: int
    used: int
    dropped: dict[str, int]
    start: float | None
    stop: float | None
    science: tuple[str, ...]


class SeenStar(NamedTuple):
    """The star in one exposure.

    Attributes
    ----------
    how : str
        ``measured``, or ``downlinked`` where the references are missing.
    exposure, pairs : int
        Of which exposure, and of how many pairs.
    x, y : float
        Its place, 0-based in the frame of 4096.
    rate : float or None
        Electrons per second in the whole window, where it is measured.
    """

    how: str
    exposure: int
    pairs: int
    x: float
    y: float
    rate: float | None


class GuideOverview(NamedTuple):
    """A guide-window file.

    Attributes
    ----------
    summary : rtools.products.guide.GuideSummary
        What it says of itself.
    places : tuple of WindowPlace
        In the order of time.
    exposures : tuple of ExposureUse
        Of tracking, in the order of time.
    star : SeenStar or None
        None where there is none.
    """

    summary: GuideSummary
    places: tuple[WindowPlace, ...]
    exposures: tuple[ExposureUse, ...]
    star: SeenStar | None


class FaceOverview(NamedTuple):
    """A FACE file.

    Attributes
    ----------
    summary : rtools.products.guide.FaceSummary
        What it says of itself.
    phases : tuple of ExposureUse
        In the order of time.
    """

    summary: FaceSummary
    phases: tuple[ExposureUse, ...]


def look_at_guide(
    guide: Guide, request: GuideRequest, science: Sequence[ScienceFile], log: Callable[[str, str], None]
) -> GuideOverview:
    """Look at a guide-window file; of its pixels only some pairs are read.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    request : rtools.pipeline.guide.request.GuideRequest
        Where references are looked for; which flags keep a pair out.
    science : sequence of ScienceFile
        Files that may belong to it.
    log : callable
        ``log(level, text)``; a note where the star cannot be measured because references are missing.

    Returns
    -------
    GuideOverview
    """
    track = guide.stage("track")
    summary = summarise_guide(guide)
    places = tuple(place for stage in guide.stages for place in _places(stage))
    if track is None:
        return GuideOverview(summary, places, (), None)
    use = flag_pairs(flags_of(track, np.arange(track.pairs)))
    kept = (use & request.dropped(DROPPED_BY_JITTER)) == 0
    served: dict[int, list[str]] = {}
    for one in science:
        number = number_in(guide, one)
        if number is not None:
            served.setdefault(number, []).append(Path(one.path).name)
    exposures: list[ExposureUse] = []
    for run in summary.exposures:
        first = sum(one.pairs for one in exposures)
        mine = slice(first, first + run.pairs)
        dropped = {flag.name.lower(): count for flag, count in count_causes(use[mine]).items() if flag.name and count}
        exposures.append(ExposureUse("track", run.number, run.pairs, int(kept[mine].sum()), dropped,
                                     run.start_mjd, run.stop_mjd, tuple(served.get(run.number, ()))))  # fmt: skip
    return GuideOverview(summary, places, tuple(exposures), _star(guide, track, kept, request, log))


def _places(stage: GuideStage):
    """Where the windows of a stage were, one after another."""
    if stage.lower is None or not stage.pairs:
        return
    for run in runs_of(np.zeros(stage.pairs, np.int32), stage.lower):
        (x, y), times = stage.lower[run[0]].tolist(), stage.t[run]
        yield WindowPlace(stage.name, int(run[0]), len(run), x, y, float(times[0]), float(times[-1]))


def _star(guide, track, kept, request, log):
    """The star in the first exposure that has pairs which count: as measured, else as downlinked."""
    good = np.flatnonzero(kept & (track.exposure >= 0))
    good = good if good.size else np.flatnonzero(kept)
    if not good.size or track.lower is None:
        return None
    number = int(track.exposure[good[0]])
    pairs = np.arange(good[0], min(good[0] + SAMPLE, track.pairs))
    pairs = pairs[(track.exposure[pairs] == number) & (track.lower[pairs] == track.lower[pairs[0]]).all(axis=1)]
    pairs = np.arange(pairs[0], pairs[0] + np.argmin(np.append(np.diff(pairs) == 1, False)) + 1)
    try:
        return _measured_star(guide, track, pairs, kept[pairs], request, log)
    except MissingReferenceError:
        log("note", "without references the star is not measured (--builtin, --refdir, --ref); the places that came "
                    "down are given")  # fmt: skip
    down = track.downlinked()
    known = pairs[kept[pairs] & np.isfinite(down.x[pairs])]
    if not known.size:
        return None
    x, y = (float(np.median(one[known])) for one in (down.x, down.y))
    return SeenStar("downlinked", number, len(known), x, y, None)


def _measured_star(guide, track, pairs, used, request, log):
    """The star in the mean of some pairs; None where there is none, or no pixels."""
    if track.shape is None:
        return None
    instrument = instrument_of(guide, request, log)
    corner = (int(track.lower[pairs[0]][0]), int(track.lower[pairs[0]][1]))
    found = look_at_star(difference_of(track, Piece(pairs, corner), instrument, request), used)
    if found is None:
        return None
    rate = None if track.exptime is None else found.light / track.exptime
    place = found.x + corner[0], found.y + corner[1]
    return SeenStar("measured", int(track.exposure[pairs[0]]), int(used.sum()), *place, rate)


def look_at_face(face: Face, science: Sequence[ScienceFile]) -> FaceOverview:
    """Look at a FACE file.

    Parameters
    ----------
    face : rtools.products.guide.Face
        The file.
    science : sequence of ScienceFile
        Files that may belong to it: those of the same guide window whose time has attitudes.

    Returns
    -------
    FaceOverview
    """
    summary = summarise_face(face)
    mine = [one for one in science if one.window_id and one.window_id == face.window_id]
    phases, first = [], 0
    for run in summary.phases:
        dates = face.mjd[first : first + run.rows]
        first += run.rows
        known = dates[np.isfinite(dates)]
        names = tuple(Path(one.path).name for one in mine if within(known, one).any())
        start, stop = (float(known.min()), float(known.max())) if known.size else (None, None)
        phases.append(ExposureUse(run.name, 0, run.rows, run.good, {}, start, stop, names))
    return FaceOverview(summary, tuple(phases))


def overview_table(overview: GuideOverview | FaceOverview, *, gaps: bool = False) -> Table:
    """A row for every exposure of a guide-window file, or for every phase of a FACE file.

    Parameters
    ----------
    overview : GuideOverview or FaceOverview
        What was found.
    gaps : bool
        Whether what lies between exposures gets rows, too.

    Returns
    -------
    astropy.table.Table
        Columns as `columns.INFO`.
    """
    if isinstance(overview, GuideOverview):
        uses, detector = [one for one in overview.exposures if one.number >= 0 or gaps], overview.summary.detector
    else:
        uses, detector = list(overview.phases), ""
    about = {"guide_window_id": overview.summary.window_id, "detector": detector, "element": overview.summary.element}
    rows = [
        about | {"phase": one.phase, "exposure": one.number, "start": one.start, "stop": one.stop, "pairs": one.pairs,
                 "used": one.used, "science": " ".join(one.science)}
        | {f"dropped_{name}": one.dropped.get(name, 0) for name in SAID}
        for one in uses
    ]  # fmt: skip
    return make_table(INFO, rows, about)
