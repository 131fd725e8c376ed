"""What rt-info says of guide-window and FACE files: six lines each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from rtools.products.guide import FaceSummary, GuideSummary
from rtools.products.guide.records import ExposureSummary, StageSummary

__all__ = ["guiding_rows"]

MOST_LISTED = 6
"""Exposures, or phases, that are named one by one."""


def guiding_rows(summary: GuideSummary | FaceSummary) -> list[tuple[str, str]]:
    """The six lines.

    Parameters
    ----------
    summary : GuideSummary or FaceSummary
        Of the file.

    Returns
    -------
    list of (str, str)
        Label and text; an empty text is to be left out.
    """
    return _guide_rows(summary) if isinstance(summary, GuideSummary) else _face_rows(summary)


def _guide_rows(summary):
    edge = f"{summary.edge} edge" if summary.edge else ""
    star = summary.star
    return [
        ("window", _joined([_window(summary.window_id), edge, _modes(summary.modes)])),
        ("guided", _joined([_time(summary), f"FACE {summary.face_file}" if summary.face_file else ""])),
        ("stages", "; ".join(map(_stage, summary.stages))),
        ("exposures", _exposures(summary.exposures)),
        ("star", _joined([
            star.name or "",
            _number("RA {:.6f}", star.ra), _number("Dec {:.6f}", star.dec),
            "" if star.x is None or star.y is None else f"expected at x {star.x:.2f}, y {star.y:.2f}",
            _number("{:.2f} mag", star.magnitude), _number("predicted rate {:.6g}", star.count_rate)])),
        ("pairs", "; ".join(filter(None, [
            _counts("flags", {key.replace("_", " "): count for key, count in summary.flags.items()}),
            _counts("downlinked centroids", {{"none": "without"}.get(word, word): count
                                             for word, count in summary.centroids.items()})]))),
    ]  # fmt: skip


def _face_rows(summary):
    named = " ".join(summary.detectors)
    files = f"{_several(len(summary.detectors), 'guide-window file')} ({named})" if named else ""
    guiding = f"to guide: {' '.join(summary.guiding)}" if summary.guiding else ""
    stars = "" if summary.stars is None else "-".join(map(str, dict.fromkeys(summary.stars))) + " stars"
    rate = "" if not summary.cycle_s else f"one each {summary.cycle_s:.4f} s"
    return [
        ("window", _joined([_window(summary.window_id), summary.element, _modes(summary.modes)])),
        ("guided", _time(summary)),
        ("attitudes", _joined([f"{summary.rows}, of which {summary.good} are good", rate, stars])),
        ("phases", _phases(summary.phases)),
        ("quality", _counts("", summary.quality)),
        ("detectors", _joined([files, guiding])),
    ]


def _window(identifier):
    """Visit and acquisition, where the identifier has them."""
    if len(identifier) == 20 and identifier.isdecimal():
        return f"acquisition {identifier[-1]} of visit {identifier[:-1]}"
    return identifier if identifier not in ("", "?") else ""


def _modes(modes):
    return f"modes {' '.join(modes)}" if modes else ""


def _time(summary):
    return " to ".join(filter(None, (summary.start, summary.stop)))


def _stage(stage: StageSummary) -> str:
    size = "" if stage.columns is None else f" of {stage.columns} x {stage.rows}"
    corner = "" if stage.x_min is None else f" at x {stage.x_min}:{stage.x_max}, y {stage.y_min}:{stage.y_max}"
    more = [stage.table or "", _number("{:.4f} s apart", stage.cycle_s), _number("exposed {:.4f} s", stage.exptime)]
    more += [_several(stage.gaps, "gap"), _several(stage.moves, "move")]
    return f"{stage.name} {_joined([f'{stage.pairs} pairs{size}{corner}', *more])}"


def _exposures(exposures: Iterable[ExposureSummary]) -> str:
    runs = [one for one in exposures if one.number >= 0]
    between = [one for one in exposures if one.number < 0]
    rest = f"{sum(one.pairs for one in between)} pairs in {_several(len(between), 'gap')}" if between else ""
    if not runs:
        return rest
    if len(runs) <= MOST_LISTED:
        listed = ", ".join(f"{one.number} ({one.pairs} pairs{_length(one)})" for one in runs)
    else:
        pairs = [one.pairs for one in runs]
        listed = f"{len(runs)}, from {runs[0].number} to {runs[-1].number}, of {int(np.median(pairs))} pairs (median)"
    return "; ".join(filter(None, (listed, rest)))


def _phases(phases):
    if len(phases) <= MOST_LISTED:
        return ", ".join(f"{one.name or 'without a word'} ({one.rows}{_length(one)})" for one in phases)
    counts: dict[str, int] = {}
    for one in phases:
        counts[one.name] = counts.get(one.name, 0) + one.rows
    return f"{len(phases)} runs: " + ", ".join(f"{name} {count}" for name, count in counts.items())


def _length(run):
    return "" if run.start_s is None else f", {run.start_s:.1f}-{run.stop_s:.1f} s"


def _counts(label: str, counts: Mapping[str, int]) -> str:
    told = ", ".join(f"{count} {name or 'without a word'}" for name, count in counts.items())
    return f"{label}: {told}" if told and label else told


def _several(count, word):
    return f"{count} {word}{'s' * (count > 1)}" if count else ""


def _number(form, value):
    return "" if value is None else form.format(value)


def _joined(parts):
    return ", ".join(part for part in parts if part)
