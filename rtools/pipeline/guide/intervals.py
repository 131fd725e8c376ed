"""When exposures were, for what lies in time beside them: by guide windows, by science files, as typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.products.guide import open_guide
from rtools.products.io import open_product
from rtools.wfi import metadata
from rtools.wfi.moments import mjd, moments_of
from rtools.wfi.units import DAY_S

if TYPE_CHECKING:
    from rtools.products.guide import Face, GuideStage

__all__ = ["Interval", "TimeSpan", "guide_files_of", "intervals_of", "parse_span"]


class Interval(NamedTuple):
    """When an exposure was.

    Attributes
    ----------
    exposure : int
        Its number; 0 where there is none.
    start, stop : float
        Modified Julian Dates, UTC.
    """

    exposure: int
    start: float
    stop: float


class TimeSpan(NamedTuple):
    """Two times as they were typed; None for an open end.

    Attributes
    ----------
    first, last : float or None
        Seconds since the guiding began where `dates` is False, else Modified Julian Dates.
    dates : tuple of bool
        Whether each is a date.
    """

    first: float | None
    last: float | None
    dates: tuple[bool, bool]

    def interval(self, t_start_mjd: float) -> Interval:
        """Both times of one file.

        Parameters
        ----------
        t_start_mjd : float
            When its guiding began.

        Returns
        -------
        Interval
            Open ends are infinite.
        """
        ends = [
            infinite if one is None else one if date else t_start_mjd + one / DAY_S
            for one, date, infinite in zip((self.first, self.last), self.dates, (-np.inf, np.inf), strict=True)
        ]
        return Interval(0, *ends)


def parse_span(word: str | None) -> TimeSpan | None:
    """Two times from a word.

    Parameters
    ----------
    word : str or None
        Like ``10,250.5`` (seconds since the guiding began) or ``2027-06-01T12:00:00,`` (UTC; the end is open).

    Returns
    -------
    TimeSpan or None
        None for no word.

    Raises
    ------
    UsageError
        It is not two times, or the second is not later.
    """
    if word is None:
        return None
    parts = [part.strip() for part in word.split(",")]
    if len(parts) != 2 or not any(parts):
        raise UsageError(f"--time {word}: two times with a comma between them", mend="like 10,250.5")
    found = [_time(part, word) for part in parts]
    (first, begins), (last, ends) = found
    if first is not None and last is not None and begins == ends and not first < last:
        raise UsageError(f"--time {word}: the second time is not later")
    return TimeSpan(first, last, (begins, ends))


def _time(part, word):
    """A time, and whether it is a date."""
    if not part:
        return None, False
    try:
        seconds = float(part)
    except ValueError:
        pass
    else:
        if np.isfinite(seconds):
            return seconds, False
    try:
        return float(mjd(moments_of([part]))[0]), True
    except InputError:
        raise UsageError(f"--time {word}: {part} is neither seconds nor a time like 2027-06-01T12:00:00") from None


def guide_files_of(face: Face) -> list[str]:
    """Guide-window files that a FACE file names and that are beside it.

    Parameters
    ----------
    face : rtools.products.guide.Face
        The file.

    Returns
    -------
    list of str
        In the order of the detectors.
    """
    names = [str(name) for name in face.detector_files.values() if name]
    beside = [Path(face.path).with_name(Path(name).name) for name in dict.fromkeys(names)]
    return [str(path) for path in beside if path.is_file()]


def intervals_of(face: Face, guides: Iterable[str], science: Sequence[str]) -> list[Interval]:
    """Exposures in the time of an attitude.

    Parameters
    ----------
    face : rtools.products.guide.Face
        The attitude.
    guides : iterable of str
        Guide-window files; those of another acquisition do not count. They are opened until one has exposures.
    science : sequence of str
        Science files; those of another acquisition do not count. They count before guide windows.

    Returns
    -------
    list of Interval
        By number.

    Raises
    ------
    InputError
        A file cannot be read, or does not say when its exposure was.
    """
    found = {one.exposure: one for one in reversed([one for path in science for one in _of_science(face, path)])}
    if not science:
        for path in guides:
            with open_guide(path) as guide:
                track = guide.stage("track")
                if guide.window_id == face.window_id and track is not None:
                    found = {one.exposure: one for one in _of_stage(track)}
            if found:
                break
    return [found[number] for number in sorted(found)]


def _of_stage(stage: GuideStage) -> list[Interval]:
    """Exposures of a stage: from half a cycle before the centre of the first pair to half a cycle after the last."""
    half, found = stage.cycle_s / 2 / DAY_S, []
    for number in np.unique(stage.exposure[stage.exposure > 0]).tolist():
        dates = stage.mjd[stage.exposure == number]
        if np.isfinite(dates).any():
            found.append(Interval(number, float(np.nanmin(dates) - half), float(np.nanmax(dates) + half)))
    return found


def _of_science(face: Face, path: str) -> list[Interval]:
    """The exposure of a science file; none where it was guided by another acquisition."""
    with open_product(path) as product:
        meta = product.meta
    window = str(metadata.usable(meta, "guide_star.guide_window_id") or "").replace("_", "")
    if window and face.window_id and window != face.window_id:
        return []
    number = metadata.get(meta, "observation.exposure")
    times = [metadata.usable(meta, f"exposure.{key}") for key in ("start_time", "end_time")]
    if any(time is None for time in times):
        raise InputError("the metadata do not say when the exposure was", path=path)
    start, stop = mjd(moments_of(times)).tolist()
    return [Interval(number if isinstance(number, int) else 0, start, stop)]
