"""How times of two products differ: in seconds, however they are written."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.wfi.moments import Moments, elapsed, moments_of, texts_of

__all__ = ["compare_times", "same_time"]


def compare_times(one: Moments, two: Moments, *, within: float, worst: int) -> dict[str, Any]:
    """How two lists of times differ.

    Parameters
    ----------
    one, two : Moments
        The lists.
    within : float
        Times are the same if they are so many seconds from each other, or less.
    worst : int
        Times to be listed.

    Returns
    -------
    dict
        Empty if they do not; ``shape`` where their lengths differ; else size, differing, one_nan (times that only one
        has), largest (seconds; None where there is none), largest_relative (None), unit, and worst: a list of index, a,
        b and seconds, by which b is later.
    """
    if one.day.shape != two.day.shape:
        return {"shape": [list(one.day.shape), list(two.day.shape)]}
    later = elapsed(two, one)
    lonely = np.isnan(one.second) ^ np.isnan(two.second)
    differing = lonely | (np.abs(later) > within)
    if not differing.any():
        return {}
    gap = np.where(lonely, np.inf, np.abs(later))
    places = np.flatnonzero(differing)
    chosen = places[np.argsort(-gap[places], kind="stable")][:worst]
    texts = [texts_of(Moments(side.day[chosen], side.second[chosen])) for side in (one, two)]
    listed = [
        {"index": [int(place)], "a": first, "b": second, "seconds": None if lonely[place] else float(later[place])}
        for place, first, second in zip(chosen, *texts, strict=True)
    ]
    both = gap[differing & ~lonely]
    largest = float(both.max()) if both.size else None
    found = {"size": int(later.size), "differing": int(places.size), "one_nan": int(lonely.sum()), "unit": "s"}
    return found | {"largest": largest, "largest_relative": None, "worst": listed}


def same_time(one: str, two: str, *, within: float) -> bool:
    """Whether two texts are the same time.

    Parameters
    ----------
    one, two : str
        In any of the forms of a time.
    within : float
        Times are the same if they are so many seconds from each other, or less.

    Returns
    -------
    bool
        False where one of them is no time.
    """
    try:
        return not compare_times(moments_of([one]), moments_of([two]), within=within, worst=0)
    except InputError:
        return False
