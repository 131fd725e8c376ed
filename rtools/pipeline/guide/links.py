"""Which guide window an exposure belongs to: by identifier and detector, then by number, then by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products import names
from rtools.products.guide import Guide, is_guide_name, open_guide
from rtools.products.io import open_product
from rtools.wfi import metadata
from rtools.wfi.moments import mjd, moments_of

__all__ = [
    "ScienceExposure",
    "ScienceFile",
    "exposure_of",
    "find_guide_file",
    "guide_files_in",
    "number_in",
    "read_science",
    "science_beside",
    "serves",
    "within",
]

SUFFIXES = ("uncal", "cal")
"""Of the science files that are looked for beside a guide-window file."""


class ScienceExposure(NamedTuple):
    """What a science file says of the guide window that served it.

    Attributes
    ----------
    window_id : str
        Without ``_``.
    detector : str
        ``WFI01`` …
    exposure : int
        Number in the visit.
    """

    window_id: str
    detector: str
    exposure: int


def exposure_of(meta: Mapping[str, Any]) -> ScienceExposure:
    """The guide window, the detector and the number of an exposure.

    Parameters
    ----------
    meta : mapping
        Of a science file.

    Returns
    -------
    ScienceExposure

    Raises
    ------
    InputError
        The metadata do not say one of them.
    """
    window = str(metadata.get(meta, "guide_star.guide_window_id") or "").replace("_", "")
    detector = str(metadata.get(meta, "instrument.detector") or "")
    exposure = metadata.get(meta, "observation.exposure")
    if not window or not detector or not isinstance(exposure, int):
        raise InputError("the metadata do not say guide window, detector and exposure")
    return ScienceExposure(window, detector, exposure)


def serves(guide: Guide, science: ScienceExposure) -> bool:
    """Whether a guide-window file has pairs of an exposure.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    science : ScienceExposure
        The exposure.

    Returns
    -------
    bool
    """
    track = guide.stage("track")
    same = guide.window_id == science.window_id and guide.detector == science.detector
    return same and track is not None and bool((track.exposure == science.exposure).any())


def guide_files_in(directory: str | Path) -> list[str]:
    """Guide-window files of a directory.

    Parameters
    ----------
    directory : str or Path
        Where to look; a file is taken for itself.

    Returns
    -------
    list of str
        Sorted.

    Raises
    ------
    InputError
        There is none.
    """
    place = Path(directory)
    found = (
        [str(place)] if place.is_file() else sorted(str(path) for path in place.glob("*.asdf") if is_guide_name(path))
    )
    if not found:
        raise InputError("no guide-window file there", path=directory)
    return found


def find_guide_file(paths: Sequence[str], meta: Mapping[str, Any]) -> str:
    """The guide-window file of an exposure.

    Parameters
    ----------
    paths : sequence of str
        Guide-window files.
    meta : mapping
        Of the science file.

    Returns
    -------
    str
        The first that has the window, the detector and the exposure.

    Raises
    ------
    InputError
        None has.
    """
    science = exposure_of(meta)
    for path in paths:
        with open_guide(path) as guide:
            if serves(guide, science):
                return path
    raise InputError(f"no guide-window file of {science.window_id}, {science.detector}, exposure {science.exposure}")


class ScienceFile(NamedTuple):
    """What a science file says of its exposure, for guide windows.

    Attributes
    ----------
    path : str
        The file.
    exposure : ScienceExposure or None
        None where the metadata do not say all of it.
    window_id : str
        Of its guide window, without ``_``; empty where it is not said.
    start, stop : float
        Modified Julian Dates, UTC; NaN where they are not said.
    """

    path: str
    exposure: ScienceExposure | None
    window_id: str
    start: float
    stop: float


def read_science(path: str) -> ScienceFile:
    """Read the metadata of a science file.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    ScienceFile

    Raises
    ------
    InputError
        It cannot be read.
    """
    with open_product(path) as product:
        meta = product.meta
    try:
        exposure = exposure_of(meta)
    except InputError:
        exposure = None
    times = [metadata.usable(meta, f"exposure.{key}") for key in ("start_time", "end_time")]
    start, stop = mjd(moments_of(times)).tolist()
    window = str(metadata.usable(meta, "guide_star.guide_window_id") or "").replace("_", "")
    return ScienceFile(str(path), exposure, window, start, stop)


def science_beside(path: str, window_id: str, detector: str | None = None) -> list[str]:
    """Raw and calibrated exposures of the same visit in the directory of a file, by their names.

    Parameters
    ----------
    path : str
        A guide-window or FACE file.
    window_id : str
        Its guide window, which begins with the visit.
    detector : str, optional
        Only of this one.

    Returns
    -------
    list of str
        Sorted.
    """
    visit = window_id[:-1]
    if not visit.isdecimal():
        return []
    found = [one for one in Path(path).parent.glob(f"r{visit}_*.asdf") if names.split_suffix(one)[1] in SUFFIXES]
    place = f"_{detector.lower()}_" if detector else "_"
    return sorted(str(one) for one in found if place in one.name.lower())


def number_in(guide: Guide, science: ScienceFile) -> int | None:
    """Which exposure of a guide-window file a science file is.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    science : ScienceFile
        What the science file says.

    Returns
    -------
    int or None
        Its number in the file, 0 where the file does not tell exposures apart but has pairs in its time; None where
        they do not belong together.
    """
    track = guide.stage("track")
    if science.exposure is None or track is None:
        return None
    if serves(guide, science.exposure):
        return science.exposure.exposure
    same = guide.window_id == science.exposure.window_id and guide.detector == science.exposure.detector
    unknown = not track.exposure.any() and track.pairs > 0
    return 0 if same and unknown and within(track.mjd, science).any() else None


def within(dates: np.ndarray, span: ScienceFile) -> np.ndarray:
    """Which dates are in the time of an exposure.

    Parameters
    ----------
    dates : ndarray float64 (n,)
        Modified Julian Dates, UTC.
    span : ScienceFile
        The exposure.

    Returns
    -------
    ndarray bool (n,)
        None where the file does not say its time.
    """
    return (dates >= span.start) & (dates <= span.stop)
