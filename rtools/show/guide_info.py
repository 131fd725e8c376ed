"""What rt-gw info says on a terminal: lines about a file, and tables of its stages, windows, exposures and phases."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rtools.pipeline.guide.overview import GuideOverview
from rtools.show.info_guide import guiding_rows
from rtools.show.table import aligned
from rtools.wfi.moments import moments_of_mjd, texts_of

if TYPE_CHECKING:
    from rtools.pipeline.guide.overview import ExposureUse, FaceOverview

__all__ = ["overview_lines"]

LABEL = 15
"""Columns of a label and of what stands before it."""

MOST_PLACES = 20
"""Places of the window that are listed."""

MOST_NAMES = 12
"""Science files that are named."""


def overview_lines(name: str, overview: GuideOverview | FaceOverview, *, gaps: bool, width: int) -> list[str]:
    """Everything about one file.

    Parameters
    ----------
    name : str
        As it was typed.
    overview : GuideOverview or FaceOverview
        What was found.
    gaps : bool
        Whether the time between exposures has lines, too.
    width : int
        Columns of the terminal.

    Returns
    -------
    list of str
    """
    rows = dict(guiding_rows(overview.summary))
    if isinstance(overview, GuideOverview):
        uses = [one for one in overview.exposures if one.number >= 0 or gaps]
        told = [("window", rows["window"]), ("guided", rows["guided"]), ("star", rows["star"]),
                ("", _seen(overview)), ("pairs", rows["pairs"])]  # fmt: skip
        tables = [_stages(overview), _places(overview), _exposures(uses)]
    else:
        uses = list(overview.phases)
        told = [(label, text) for label, text in rows.items() if label != "phases"]
        tables = [_phases(overview)]
    told += [("science", _science(uses)), ("remarks", "; ".join(overview.summary.remarks))]
    lines = [name]
    for label, text in told:
        if text:
            lines += textwrap.wrap(text, max(width, 40), initial_indent=f"  {label:{LABEL - 2}s}",
                                   subsequent_indent=" " * LABEL, break_on_hyphens=False)  # fmt: skip
    for head, cells in tables:
        if cells:
            lines += ["", *(f"  {line}".rstrip() for line in aligned(head, cells, labels=1, width=width - 2))]
    return lines


def _seen(overview):
    """The star as it was seen, against what was expected."""
    seen, star = overview.star, overview.summary.star
    if seen is None:
        return ""
    text = f"{seen.how} at x {seen.x:.2f}, y {seen.y:.2f}"
    if star.x is not None and star.y is not None:
        text += f" ({seen.x - star.x:+.2f}, {seen.y - star.y:+.2f} from there)"
    if seen.rate is not None:
        text += f", {seen.rate:.6g} electron/s in the window"
        text += f" ({seen.rate / star.count_rate:.3f} of it)" if star.count_rate else ""
    return text + f", in {seen.pairs} pairs of exposure {seen.exposure}"


def _stages(overview):
    head = ("stage", "pairs", "size", "table", "cycle [s]", "exposed [s]", "from [s]", "to [s]", "gaps", "moves")
    return head, [
        (one.name, str(one.pairs), f"{one.columns}x{one.rows}" if one.rows else "-", one.table or "-",
         _number(one.cycle_s, 6), _number(one.exptime, 6), _number(one.start_s, 2), _number(one.stop_s, 2),
         str(one.gaps), str(one.moves))
        for one in overview.summary.stages
    ]  # fmt: skip


def _places(overview):
    head = ("window of", "x", "y", "from pair", "pairs", "from [s]", "to [s]")
    cells = [
        (one.stage, str(one.x), str(one.y), str(one.first), str(one.pairs), _number(one.start_s, 2),
         _number(one.stop_s, 2))
        for one in overview.places[:MOST_PLACES]
    ]  # fmt: skip
    more = len(overview.places) - MOST_PLACES
    return head, [*cells, (f"and {more} more", *[""] * 6)] if more > 0 else cells


def _exposures(uses: Sequence[ExposureUse]):
    causes = list(dict.fromkeys(cause for one in uses for cause in one.dropped))
    head = ("exposure", "from", "to", "pairs", "used", *causes)
    return head, [
        (str(one.number), *_times(one), str(one.pairs), str(one.used),
         *(str(one.dropped.get(cause, 0)) for cause in causes))
        for one in uses
    ]  # fmt: skip


def _phases(overview):
    head = ("phase", "from", "to", "attitudes", "good")
    return head, [(one.phase or "-", *_times(one), str(one.pairs), str(one.used)) for one in overview.phases]


def _times(use):
    """Begin and end in UTC; of the end only the time."""
    days = np.array([np.nan if one is None else one for one in (use.start, use.stop)])
    start, stop = texts_of(moments_of_mjd(days))
    return start or "-", (stop or "-").rpartition("T")[2]


def _science(uses: Iterable[ExposureUse]):
    """Names of science files."""
    names = list(dict.fromkeys(name for one in uses for name in one.science))
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return " ".join(names[:MOST_NAMES]) + more


def _number(value, places):
    return "-" if value is None or not np.isfinite(value) else f"{value:.{places}f}"
