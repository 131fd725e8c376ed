"""What a guide-window or FACE file holds, in some lines: stages, exposures, flags, the star; phases and quality."""

from __future__ import annotations

from collections import Counter

import numpy as np

from rtools.products.guide.face import Face
from rtools.products.guide.guide import Guide
from rtools.products.guide.records import (
    ExpectedStar,
    ExposureSummary,
    FaceSummary,
    GuideSummary,
    PhaseSummary,
    StageSummary,
)
from rtools.products.guide.stage import GuideStage
from rtools.products.guide.timing import spacing
from rtools.wfi import metadata
from rtools.wfi.fill import PLACEHOLDERS
from rtools.wfi.guide import GAP

__all__ = ["summarise_face", "summarise_guide"]

FLAGS = ("reset_read", "reset_impacted", "sce_status", "resultant_err", "min_bind", "max_bind")


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
