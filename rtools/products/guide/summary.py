"""What a guide-window or FACE file holds, in some lines: stages, exposures, flags, the star; phases and quality."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from rtools.products.guide.face import Face
from rtools.products.guide.guide import Guide
from rtools.products.guide.stage import GuideStage
from rtools.products.guide.timing import spacing
from rtools.wfi import metadata
from rtools.wfi.fill import PLACEHOLDERS
from rtools.wfi.guide import GAP

__all__ = [
    "ExpectedStar",
    "ExposureSummary",
    "FaceSummary",
    "GuideSummary",
    "PhaseSummary",
    "StageSummary",
    "summarise_face",
    "summarise_guide",
]

FLAGS = ("reset_read", "reset_impacted", "sce_status", "resultant_err", "min_bind", "max_bind")


@dataclass(frozen=True)
class StageSummary:
    """One stage of a guide-window file.

    Attributes
    ----------
    name : str
        ``acq``, ``edge`` or ``track``.
    pairs : int
        How many.
    rows, columns : int or None
        Size of the windows; None where there are no pixels.
    table : str or None
        Name of the readout table.
    cycle_s, exptime : float or None
        Seconds from a pair to the next, and exposure time of a difference.
    start_s, stop_s : float or None
        Centres of the first and the last pair, seconds since the guiding began.
    gaps : int
        Pairs that come later than they should.
    moves : int
        Pairs whose window is elsewhere than that of the pair before.
    x_min, y_min, x_max, y_max : int or None
        First pixel of all windows, and one past the last.
    """

    name: str
    pairs: int
    rows: int | None
    columns: int | None
    table: str | None
    cycle_s: float | None
    exptime: float | None
    start_s: float | None
    stop_s: float | None
    gaps: int
    moves: int
    x_min: int | None
    y_min: int | None
    x_max: int | None
    y_max: int | None


@dataclass(frozen=True)
class ExposureSummary:
    """The tracked pairs of one exposure, or of one gap between exposures.

    Attributes
    ----------
    number : int
        Of the exposure; negative for gaps, 0 where it is unknown.
    pairs : int
        How many.
    start_s, stop_s : float or None
        Centres of the first and the last, seconds since the guiding began.
    start_mjd, stop_mjd : float or None
        The same as Modified Julian Date (UTC).
    flags : dict of str to int
        Pairs with each flag; those that none has are left out.
    """

    number: int
    pairs: int
    start_s: float | None
    stop_s: float | None
    start_mjd: float | None
    stop_mjd: float | None
    flags: dict[str, int]


@dataclass(frozen=True)
class ExpectedStar:
    """The star, as the metadata have it; None for what they do not know.

    Attributes
    ----------
    name : str or None
        In the Guide Star Catalog.
    ra, dec : float or None
        Degrees.
    x, y : float or None
        Pixel at which it was expected.
    magnitude, count_rate : float or None
        As predicted.
    """

    name: str | None
    ra: float | None
    dec: float | None
    x: float | None
    y: float | None
    magnitude: float | None
    count_rate: float | None


@dataclass(frozen=True)
class GuideSummary:
    """A guide-window file.

    Attributes
    ----------
    window_id, detector, element : str
        Identifier of the window, and where it was.
    edge : str or None
        Edge of the spectrum by which is guided.
    modes : tuple of str
        Modes of fine guidance that were used.
    start, stop : str or None
        When the guiding began and ended (UTC).
    stages : tuple of StageSummary
        In the order of time.
    exposures : tuple of ExposureSummary
        Of tracking, in the order of time, gaps too.
    flags : dict of str to int
        Pairs of all stages with each flag; those that none has are left out.
    centroids : dict of str to int
        Pairs with a downlinked centroid, by its word; ``none`` counts those without.
    star : ExpectedStar
        As the metadata have it.
    face_file : str or None
        Name of the FACE file.
    remarks : tuple of str
        What was read otherwise than the schema has it.
    """

    window_id: str
    detector: str
    element: str
    edge: str | None
    modes: tuple[str, ...]
    start: str | None
    stop: str | None
    stages: tuple[StageSummary, ...]
    exposures: tuple[ExposureSummary, ...]
    flags: dict[str, int]
    centroids: dict[str, int]
    star: ExpectedStar
    face_file: str | None
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class PhaseSummary:
    """One run of a phase of fine guidance.

    Attributes
    ----------
    name : str
        Of the phase.
    rows, good : int
        Attitudes, and those that can be used.
    start_s, stop_s : float or None
        First and last time, seconds since the guiding began.
    """

    name: str
    rows: int
    good: int
    start_s: float | None
    stop_s: float | None


@dataclass(frozen=True)
class FaceSummary:
    """A FACE file.

    Attributes
    ----------
    window_id, element : str
        Identifier of the window, and optical element.
    modes : tuple of str
        Modes of fine guidance that were used.
    start, stop : str or None
        When the guiding began and ended (UTC).
    rows, good : int
        Attitudes, and those that can be used.
    cycle_s : float or None
        Seconds from an attitude to the next.
    phases : tuple of PhaseSummary
        In the order of time.
    quality : dict of str to int
        Attitudes with each word.
    stars : tuple of int or None
        Least and most stars of good attitudes.
    detectors : dict of str to str
        Guide-window file of each detector that has one.
    guiding : tuple of str
        Detectors whose windows were to guide.
    remarks : tuple of str
        What was read otherwise than the schema has it.
    """

    window_id: str
    element: str
    modes: tuple[str, ...]
    start: str | None
    stop: str | None
    rows: int
    good: int
    cycle_s: float | None
    phases: tuple[PhaseSummary, ...]
    quality: dict[str, int]
    stars: tuple[int, int] | None
    detectors: dict[str, str]
    guiding: tuple[str, ...]
    remarks: tuple[str, ...]


def summarise_guide(guide: Guide) -> GuideSummary:
    """Summarise a guide-window file; no pixel is read.

    Parameters
    ----------
    guide : Guide
        The file.

    Returns
    -------
    GuideSummary
    """
    track = guide.stage("track")
    words = [stage.downlinked() for stage in guide.stages]
    seen = Counter(
        str(word) or "no word" if np.isfinite(x) else "none"
        for found in words
        for x, word in zip(found.x, found.quality, strict=True)
    )
    counted = [_flags(stage, np.ones(stage.pairs, bool)) for stage in guide.stages]
    return GuideSummary(
        window_id=guide.window_id,
        detector=guide.detector,
        element=guide.element,
        edge=guide.edge,
        modes=_words(guide.meta.get("fgs_modes_used")),
        start=_text(guide.meta.get("t_start")),
        stop=_text(guide.meta.get("t_stop")),
        stages=tuple(_stage(stage) for stage in guide.stages),
        exposures=() if track is None else tuple(_exposures(track)),
        flags=dict(sum((Counter(found) for found in counted), Counter())),
        centroids=dict(seen),
        star=_star(guide),
        face_file=_text(guide.meta.get("avg_face_filename")),
        remarks=guide.remarks,
    )


def summarise_face(face: Face) -> FaceSummary:
    """Summarise a FACE file.

    Parameters
    ----------
    face : Face
        The file.

    Returns
    -------
    FaceSummary
    """
    cycle = spacing(np.diff(face.t))
    used = face.meta.get("expected_gw_tracking")
    used = used if isinstance(used, dict) else {}
    stars = face.num_stars_used[face.good]
    return FaceSummary(
        window_id=face.window_id,
        element=face.element,
        modes=_words(face.meta.get("fgs_modes_used")),
        start=_text(face.meta.get("t_start")),
        stop=_text(face.meta.get("t_stop")),
        rows=len(face.t),
        good=int(face.good.sum()),
        cycle_s=cycle if np.isfinite(cycle) else None,
        phases=tuple(_phases(face)),
        quality=dict(Counter(face.quality.tolist())),
        stars=(int(stars.min()), int(stars.max())) if stars.size else None,
        detectors={name: str(file) for name, file in face.detector_files.items() if file is not None},
        guiding=tuple(name for name, word in used.items() if word == "GUIDE"),
        remarks=face.remarks,
    )


def _stage(stage: GuideStage) -> StageSummary:
    rows, columns = stage.shape or (None, None)
    steps = np.diff(stage.t)
    moves = 0 if stage.lower is None else int((np.diff(stage.lower, axis=0) != 0).any(axis=1).sum())
    first = None if stage.lower is None or not stage.pairs else stage.lower.min(axis=0)
    last = None if stage.upper is None or not stage.pairs else stage.upper.max(axis=0)
    start, stop = _span(stage.t)
    return StageSummary(
        name=stage.name,
        pairs=stage.pairs,
        rows=rows,
        columns=columns,
        table=None if stage.table is None else stage.table.name,
        cycle_s=float(stage.cycle_s) if np.isfinite(stage.cycle_s) else None,
        exptime=stage.exptime,
        start_s=start,
        stop_s=stop,
        gaps=int((steps > GAP * stage.cycle_s).sum()),
        moves=moves,
        x_min=None if first is None else int(first[0]),
        y_min=None if first is None else int(first[1]),
        x_max=None if last is None else int(last[0]),
        y_max=None if last is None else int(last[1]),
    )


def _exposures(track):
    """Runs of one value of the mapping."""
    for first, last in _runs(track.exposure):
        here = np.zeros(track.pairs, bool)
        here[first:last] = True
        (start_s, stop_s), (start_mjd, stop_mjd) = _span(track.t[here]), _span(track.mjd[here])
        yield ExposureSummary(
            number=int(track.exposure[first]),
            pairs=last - first,
            start_s=start_s,
            stop_s=stop_s,
            start_mjd=start_mjd,
            stop_mjd=stop_mjd,
            flags=_flags(track, here),
        )


def _phases(face):
    for first, last in _runs(face.phase):
        good = int(face.good[first:last].sum())
        yield PhaseSummary(str(face.phase[first]), last - first, good, *_span(face.t[first:last]))


def _runs(values):
    """First and last item (exclusive) of each run of equal values."""
    if not len(values):
        return []
    borders = np.flatnonzero(values[1:] != values[:-1]) + 1
    return list(zip([0, *borders.tolist()], [*borders.tolist(), len(values)], strict=True))


def _flags(stage, here):
    """How many of some pairs have each flag."""
    counts: dict[str, int] = {}
    for name in FLAGS:
        flags = getattr(stage, name)[here]
        count = int((flags.any(axis=1) if flags.ndim == 2 else flags).sum())
        counts |= {name: count} if count else {}
    return counts


def _span(values):
    """The least and the largest finite value."""
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else (None, None)


def _star(guide):
    star = {key: metadata.get(guide.meta, f"guide_star.{key}") for key in (
        "gsc_id", "predicted_ra", "predicted_dec", "predicted_x", "predicted_y", "predicted_fgs_mag",
        "predicted_count_rate")}  # fmt: skip
    name, *numbers = (None if value in PLACEHOLDERS else value for value in star.values())
    return ExpectedStar(_text(name), *(float(one) if isinstance(one, int | float) else None for one in numbers))


def _words(listed):
    return tuple(str(word) for word in listed) if isinstance(listed, list) else ()


def _text(value):
    return None if value is None or value in PLACEHOLDERS else str(value)
