"""Which pairs of a guide-window file, or rows of a FACE file, are wanted: by number, exposure, time and stage."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError, UsageError
from rtools.products.guide import Face, Guide, GuideStage
from rtools.wfi.guide import STAGES
from rtools.wfi.moments import mjd, moments_of

__all__ = ["GuideChoice", "choose_pairs", "choose_rows", "parse_pairs", "parse_stages", "parse_times", "runs_of"]

_PAIRS = re.compile(r"\s*(\d*)\s*:\s*(\d*)\s*", re.ASCII)


class Moment(NamedTuple):
    """A time as it was typed.

    Attributes
    ----------
    seconds : float or None
        Since the guiding began.
    mjd : float or None
        Modified Julian Date (UTC), of a time that was typed with its date.
    """

    seconds: float | None = None
    mjd: float | None = None


class GuideChoice(NamedTuple):
    """What is wanted; None and empty tuples want everything.

    Attributes
    ----------
    pairs : (int or None, int or None) or None
        First pair of tracking, and the one behind the last; None for an end that is open.
    exposures : tuple of int
        Exposures of the pairs of tracking; negative ones are the gaps.
    times : (Moment or None, Moment or None) or None
        Begin and end, of pairs of all stages, or of rows; None for an end that is open.
    stages : tuple of str
        Of ``acq``, ``edge`` and ``track``.
    """

    pairs: tuple[int | None, int | None] | None = None
    exposures: tuple[int, ...] = ()
    times: tuple[Moment | None, Moment | None] | None = None
    stages: tuple[str, ...] = ()


def parse_pairs(text: str) -> tuple[int | None, int | None]:
    """Read the pairs that ``--pairs`` wants.

    Parameters
    ----------
    text : str
        ``A:B``, counted from 0, the end exclusive; either may be left out.

    Returns
    -------
    (int or None, int or None)

    Raises
    ------
    UsageError
        It is not so, or there is nothing between.
    """
    ends = _PAIRS.fullmatch(text)
    first, stop = (int(end) if end else None for end in ends.groups()) if ends else (0, 0)
    if stop is not None and (first or 0) >= stop:
        raise UsageError(f"--pairs {text}: not valid", mend="A:B is, from 0, the end exclusive, as 100:200")
    return first, stop


def parse_times(text: str) -> tuple[Moment | None, Moment | None]:
    """Read the span that ``--time`` wants.

    Parameters
    ----------
    text : str
        ``T1,T2``, each in UTC or in seconds since the guiding began; either may be left out.

    Returns
    -------
    (Moment or None, Moment or None)

    Raises
    ------
    UsageError
        It is not so.
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not any(parts):
        raise UsageError(f"--time {text}: not valid", mend="T1,T2 is, in UTC or in seconds since t_start")
    first, stop = (_moment(part) if part else None for part in parts)
    for one, two in ((first and first.seconds, stop and stop.seconds), (first and first.mjd, stop and stop.mjd)):
        if one is not None and two is not None and one >= two:
            raise UsageError(f"--time {text}: the second is not later than the first")
    return first, stop


def _moment(text):
    try:
        seconds = float(text)
    except ValueError:
        seconds = None
    if seconds is not None and np.isfinite(seconds):
        return Moment(seconds=seconds)
    try:
        found = float(mjd(moments_of([text]))[0])
    except InputError as error:
        raise UsageError(f"--time: {error.message}") from None
    if not np.isfinite(found):
        raise UsageError(f"--time: {text!r} is not a valid time")
    return Moment(mjd=found)


def parse_stages(text: str) -> tuple[str, ...]:
    """Read the stages that ``--stage`` wants.

    Parameters
    ----------
    text : str
        Like ``acq,track``.

    Returns
    -------
    tuple of str
        In the order of time.

    Raises
    ------
    UsageError
        There is no such stage.
    """
    wanted = [word.strip() for word in text.split(",")]
    strange = [word for word in wanted if word not in STAGES]
    if strange:
        raise UsageError(f"--stage {text}: no stage is called {strange[0]!r}", mend=f"there are {', '.join(STAGES)}")
    return tuple(name for name in STAGES if name in wanted)


def choose_pairs(guide: Guide, choice: GuideChoice) -> dict[str, NDArray[np.intp]]:
    """Pairs of each stage that are wanted.

    Parameters
    ----------
    guide : Guide
        The file.
    choice : GuideChoice
        What is wanted. Numbers and exposures choose among the pairs of tracking, times among all.

    Returns
    -------
    dict of str to ndarray
        Numbers of the pairs, ascending, of every stage that keeps some.

    Raises
    ------
    InputError
        Nothing is left; or the file does not have what is asked for.
    """
    filled = tuple(stage.name for stage in guide.stages if stage.pairs)
    wanted = choice.stages or filled
    absent = [name for name in wanted if name not in filled]
    if absent:
        raise InputError(
            f"no pairs of stage {absent[0]}", mend=f"there are those of {', '.join(filled) or 'none'}", path=guide.path
        )
    kept = {}
    for stage in guide.stages:
        if stage.name in wanted and stage.pairs:
            keep = _within(stage.t, stage.mjd, choice.times)
            if stage.name == "track":
                keep &= _of_tracking(stage, choice, guide.path)
            kept[stage.name] = np.flatnonzero(keep)
    kept = {name: pairs for name, pairs in kept.items() if pairs.size}
    if not kept or ((choice.pairs or choice.exposures) and "track" not in kept):
        raise InputError("nothing of the file is left", path=guide.path)
    return kept


def choose_rows(face: Face, choice: GuideChoice) -> NDArray[np.intp]:
    """Rows of a FACE file that are wanted.

    Parameters
    ----------
    face : Face
        The file.
    choice : GuideChoice
        What is wanted; only its times count.

    Returns
    -------
    ndarray
        Numbers of the rows, ascending.

    Raises
    ------
    InputError
        Nothing is left.
    """
    rows = np.flatnonzero(_within(face.t, face.mjd, choice.times))
    if not rows.size:
        raise InputError("nothing of the file is left", path=face.path)
    return rows


def _of_tracking(stage: GuideStage, choice: GuideChoice, path) -> NDArray[np.bool_]:
    """Pairs of tracking by number and exposure."""
    keep = np.ones(stage.pairs, bool)
    if choice.pairs is not None:
        first, stop = choice.pairs
        if (first or 0) >= stage.pairs:
            raise InputError(f"pair {first}: tracking has {stage.pairs}", path=path)
        keep &= np.isin(np.arange(stage.pairs), np.arange(first or 0, stage.pairs if stop is None else stop))
    if choice.exposures:
        there = set(stage.exposure.tolist())
        for number in choice.exposures:
            if number not in there:
                known = ", ".join(map(str, sorted(there)))
                raise InputError(f"no pair is of exposure {number}", mend=f"there are {known:.200}", path=path)
        keep &= np.isin(stage.exposure, choice.exposures)
    return keep


def _within(seconds, days, times) -> NDArray[np.bool_]:
    """Which times are in a span, its end exclusive; those that nobody knows are in none."""
    keep = np.ones(len(seconds), bool)
    if times is None:
        return keep
    for moment, later in zip(times, (True, False), strict=True):
        if moment is not None:
            values, limit = (days, moment.mjd) if moment.seconds is None else (seconds, moment.seconds)
            keep &= values >= limit if later else values < limit
    return keep


def runs_of(numbers: Iterable[int]) -> list[list[int]]:
    """Numbers as runs.

    Parameters
    ----------
    numbers : iterable of int
        Ascending.

    Returns
    -------
    list of [int, int]
        First number of each run, and the one behind its last.
    """
    found = np.asarray(list(numbers), int)
    if not found.size:
        return []
    return [[int(run[0]), int(run[-1]) + 1] for run in np.split(found, np.flatnonzero(np.diff(found) != 1) + 1)]
