"""Statistics of numbers: what rt-stat prints of each plane of an array, and of each column of a table.

Values are sorted once; median, percentiles, extremes and the clipped part are then places in the sorted array.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["PlaneStatistics", "columns", "describe", "describe_good"]

SIMPLE = ("pixels", "count", "mean", "median", "sd", "mad", "min", "max")
CLIPPED = ("clip_count", "clip_mean", "clip_median", "clip_sd")

CLIP_TIMES = 5
"""Rounds of clipping at most, as `astropy.stats.sigma_clipped_stats` does by default."""


class PlaneStatistics(NamedTuple):
    """Statistics of one plane of an array, or of one column of a table.

    Attributes
    ----------
    array : str
        Name of the array, or of the column.
    plane : int or None
        Number of the plane, or of the row of a table whose cells hold several numbers; None for what is described as
        one.
    values : dict of str to int or float
        By the names of `columns`.
    column : str or None
        Name of the column of an array whose last axis holds several things, as x and y.
    place : tuple of int
        Place of the plane along each of the axes that planes are counted along.
    """

    array: str
    plane: int | None
    values: dict[str, int | float]
    column: str | None = None
    place: tuple[int, ...] = ()


def columns(percentiles: Iterable[float]) -> tuple[str, ...]:
    """Names of all statistics in their order; percentile 16 is ``p16``.

    Parameters
    ----------
    percentiles : iterable of float
        From 0 to 100.

    Returns
    -------
    tuple of str
        The names.
    """
    return (*SIMPLE, *(f"p{percent:g}" for percent in percentiles), *CLIPPED)


def describe(values: np.ndarray, wanted: Iterable[str], *, sigma: float = 3.0) -> dict[str, Any]:
    """Statistics of finite numbers.

    Parameters
    ----------
    values : ndarray, one axis
        Sorted in place. Half precision is computed in single precision; sums are in double precision.
    wanted : iterable of str
        Some of `columns`.
    sigma : float
        Values farther from the median than so many standard deviations are clipped, again and again.

    Returns
    -------
    dict of str to int or float
        sd is that of the population; mad is the median of ``|value - median|``; NaN without a value.
    """
    values.sort()
    clipped = _clip(values, sigma) if any(name.startswith("clip_") for name in wanted) else values
    found = {}
    for name in wanted:
        part = clipped if name.startswith("clip_") else values
        found[name] = _statistic(name.removeprefix("clip_"), part)
    return found


def describe_good(values: np.ndarray, good: np.ndarray, wanted: Sequence[str], *, sigma: float = 3.0) -> dict[str, Any]:
    """Statistics of those of some numbers that are good.

    Parameters
    ----------
    values : ndarray
        Numbers of any kind but complex ones.
    good : ndarray of bool
        Of the same shape: those that are described.
    wanted : sequence of str
        Some of `columns`.
    sigma : float
        As in `describe`.

    Returns
    -------
    dict of str to int or float
        In the order of `wanted`; ``pixels`` is the number of all values.
    """
    chosen = values[good]
    if chosen.dtype.kind == "b" or chosen.dtype == np.float16:
        chosen = chosen.astype(np.uint8 if chosen.dtype.kind == "b" else np.float32)
    found = {"pixels": values.size} | describe(chosen, [one for one in wanted if one != "pixels"], sigma=sigma)
    return {one: found[one] for one in wanted}


def _statistic(name, values):
    if name == "count":
        return values.size
    if not values.size:
        return float("nan")
    if name in ("min", "max"):
        return float(values[0 if name == "min" else -1])
    if name == "median":
        return float(_median(values))
    if name == "mean":
        return float(values.mean(dtype=np.float64))
    if name == "sd":
        return float(values.std(dtype=np.float64))
    if name == "mad":
        return float(np.median(np.abs(values - _median(values))))
    return _percentile(values, float(name[1:]))


def _median(values):
    """Median of sorted values, in their precision if they are not integers."""
    return values[(values.size - 1) // 2 : values.size // 2 + 1].mean()


def _percentile(values, percent):
    """Percentile of sorted values, interpolated linearly."""
    place = (values.size - 1) * percent / 100
    below = int(place)
    above = min(below + 1, values.size - 1)
    low, high = float(values[below]), float(values[above])
    return low + (high - low) * (place - below)


def _clip(values, sigma):
    """The part of sorted values that is left when those beyond sigma standard deviations go."""
    for _ in range(CLIP_TIMES):
        if not values.size:
            break
        centre, reach = np.float64(_median(values)), sigma * values.std(dtype=np.float64)
        first, stop = bisect_left(values, centre - reach), bisect_right(values, centre + reach)
        if stop - first == values.size:
            break
        values = values[first:stop]
    return values
