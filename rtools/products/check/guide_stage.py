"""What can be wrong with the pairs of one stage of a guide-window file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from rtools.findings import Finding, error, info, warning
from rtools.products.guide import Guide, GuideStage, Problem
from rtools.products.guide.sections import CENTROIDS
from rtools.products.guide.stage import PREFIXES, SECTIONS
from rtools.products.guide.values import node_at
from rtools.wfi.frame import FRAME
from rtools.wfi.guide import GAP, WORDS_OF_CENTROIDS
from rtools.wfi.instrument import FRAME_TIMES_S

__all__ = ["check_stage", "counted", "tell"]

CHECK = "guide"

CADENCE = 0.01
"""Relative difference of a cadence from that of the frame above which it is told."""

SPOILED = 2
"""Pairs that one reset read can spoil: a window may lie across a border of two blocks."""

SINGLE = ("sce_status_flag", "gw_resultant_err_flag", "min_bind_flag", "max_bind_flag", "pixel_offsets")
"""Arrays for which a file may have one number."""


def check_stage(guide: Guide, stage: GuideStage) -> Iterator[Finding]:
    """Whether the pairs of a stage can be.

    Parameters
    ----------
    guide : Guide
        The file.
    stage : GuideStage
        One of its stages.

    Yields
    ------
    Finding
        The worst of each place first.
    """
    yield from _check_corners(stage)
    yield from _check_times(stage)
    yield from _check_cadence(guide, stage)
    yield from _check_exposures(stage)
    yield from _check_resets(stage)
    yield from _check_centroids(guide, stage)
    for name in SINGLE:
        if isinstance(node_at(guide.product, f"{SECTIONS[stage.name]}.{name}"), int):
            yield info(CHECK, f"{SECTIONS[stage.name]}.{name}", "one number for all pairs")


def tell(problems: Iterable[Problem], remarks: Iterable[str]) -> Iterator[Finding]:
    """What the reader of a file says of it.

    Parameters
    ----------
    problems : iterable of Problem
        What cannot be read.
    remarks : iterable of str
        What was read otherwise than the schema has it: ``place: message``.

    Yields
    ------
    Finding
        Errors, then remarks.
    """
    for where, message in problems:
        yield error(CHECK, where, message)
    for remark in remarks:
        where, _, message = remark.partition(": ")
        yield info(CHECK, where, message)


def counted(bad: NDArray[np.bool_], what: str, *, rows: str = "pairs") -> str:
    """How often something is so, and where first.

    Parameters
    ----------
    bad : ndarray bool, (n)
        Where it is.
    what : str
        What it is.
    rows : str
        What is counted.

    Returns
    -------
    str
        Like ``3 of 112 pairs: …, first at 17``.
    """
    return f"{int(bad.sum())} of {len(bad)} {rows}: {what}, first at {int(bad.argmax())}"


def _check_corners(stage):
    if stage.lower is None or stage.upper is None:
        return
    where = f"{SECTIONS[stage.name]}.upper_right_corners"
    outside = ((stage.lower < 0) | (stage.upper > FRAME)).any(axis=1)
    if outside.any():
        yield error(CHECK, where, counted(outside, f"a window outside of the frame of {FRAME}"))
    turned = (stage.lower >= stage.upper).any(axis=1)
    if turned.any():
        yield error(CHECK, where, counted(turned, "not above the lower left corner"))


def _check_times(stage):
    section = SECTIONS[stage.name]
    early = stage.signal_t <= stage.pedestal_t  # false where one is NaN
    if early.any():
        yield error(CHECK, f"{section}.signal_times", counted(early, "not after the pedestal"))
    for name, times in (("pedestal_times", stage.pedestal_t), ("signal_times", stage.signal_t)):
        there = np.flatnonzero(np.isfinite(times))
        back = np.diff(times[there]) <= 0
        if back.any():
            pair = there[1:][back][0]
            yield error(
                CHECK, f"{section}.{name}", f"{int(back.sum())} times not after the one before, first at {pair}"
            )


def _check_cadence(guide, stage):
    """The spacing of pairs against the frame of the table, or of the science exposure."""
    frame = FRAME_TIMES_S["spectroscopy" if guide.spectroscopic else "imaging"] if stage.name == "track" else None
    frame = frame if stage.table is None else stage.table.frame_s
    ends = stage.pedestal_t if np.isfinite(stage.pedestal_t).any() else stage.signal_t
    steps = np.diff(ends)
    if frame is None or stage.cycles_per_read is None or not (steps > 0).any():
        return
    expected = frame / stage.cycles_per_read
    where = f"{SECTIONS[stage.name]}.pedestal_times"
    if abs(stage.cycle_s - expected) > CADENCE * expected:
        message = f"a pair each {stage.cycle_s:.5f} s, {stage.cycles_per_read} in {frame:.5f} s are {expected:.5f} s"
        yield warning(CHECK, where, message)
    inside = np.diff(stage.exposure) == 0
    gaps = np.append(False, inside & (steps > GAP * stage.cycle_s))
    if gaps.any():
        yield info(CHECK, where, counted(gaps, "after a gap"))


def _check_exposures(stage):
    where = f"{SECTIONS[stage.name]}.exposure_mapping"
    if "exposure_mapping" not in stage.has or not stage.pairs:
        return
    zero = stage.exposure == 0
    if zero.any():
        yield error(CHECK, where, counted(zero, "exposure 0"))
        return
    runs = stage.exposure[np.append(True, np.diff(stage.exposure) != 0)]
    order = np.abs(runs) * 2 - (runs < 0)  # -1, 1, -2, 2, … become 1, 2, 3, 4, …
    back = np.diff(order) <= 0
    if back.any():
        before, after = runs[back.argmax()], runs[back.argmax() + 1]
        yield warning(CHECK, where, f"{after} after {before}: not in the order -1, 1, -2, 2, …")


def _check_resets(stage):
    where = f"{SECTIONS[stage.name]}.reset_impacted_pairs"
    alone = stage.reset_impacted & ~stage.reset_read
    if alone.any() and "reset_read_flag" in stage.has:
        yield warning(CHECK, where, counted(alone, "spoiled by a reset read, but not read during one"))
    if not stage.reset_read.any():
        return
    number = np.cumsum(np.diff(stage.reset_read, prepend=False) & stage.reset_read)
    spoiled = np.bincount(number[stage.reset_impacted & stage.reset_read], minlength=number[-1] + 1)
    reads = np.bincount(number[stage.reset_read], minlength=number[-1] + 1) / (stage.cycles_per_read or np.inf)
    many = spoiled > SPOILED * np.maximum(1, np.ceil(reads))
    if many.any():
        yield warning(CHECK, where, f"{spoiled[many][0]} pairs of reset read {many.argmax()}, it can spoil {SPOILED}")


def _check_centroids(guide, stage):
    if stage.centroids is None or not stage.pairs:
        return
    group = next((one for one in CENTROIDS if isinstance(node_at(guide.product, one), dict)), CENTROIDS[0])
    path = f"{group}.{PREFIXES[stage.name]}_centroid"
    finite = np.isfinite(stage.centroids).all(axis=2)
    if stage.lower is not None and stage.upper is not None:
        low, high = stage.lower[:, None] - 0.5, stage.upper[:, None] - 0.5
        outside = (finite & ((stage.centroids < low) | (stage.centroids > high)).any(axis=2)).any(axis=1)
        if outside.any():
            yield warning(CHECK, f"{path}s", counted(outside, "a centroid outside of its window"))
    if stage.centroid_errs is not None:
        negative = (stage.centroid_errs[..., :2] < 0).any(axis=(1, 2))
        if negative.any():
            yield warning(CHECK, f"{path}_errs", counted(negative, "a negative variance"))
    if stage.centroid_quality is not None:
        yield from _check_words(f"{path}_quality", stage.centroid_quality, finite)


def _check_words(where, words, finite):
    """Words of quality: known ones, and there where a centroid is."""
    unknown = sorted(set(words[~np.isin(words, ("", *WORDS_OF_CENTROIDS))].tolist()))
    if unknown:
        yield warning(CHECK, where, f"words that are not known: {', '.join(unknown[:5])}")
    silent = (finite & (words == "")).any(axis=1)
    if silent.any():
        yield warning(CHECK, where, counted(silent, "empty, although there is a centroid"))
    spoken = (~finite & (words != "")).any(axis=1)
    if spoken.any():
        yield warning(CHECK, where, counted(spoken, "a word without a centroid"))
