"""Statistics of a product's arrays, plane by plane: what rt-stat prints.

Values are sorted once; median, percentiles, extremes and the clipped part are then places in the sorted array.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.products.edit.section import read_plane, select
from rtools.products.io.reading import run_all
from rtools.products.schema import layout
from rtools.wfi import dq
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["PlaneStatistics", "choose_arrays", "columns", "describe", "measure_planes"]

SIMPLE = ("pixels", "count", "mean", "median", "sd", "mad", "min", "max")
CLIPPED = ("clip_count", "clip_mean", "clip_median", "clip_sd")

CLIP_TIMES = 5
"""Rounds of clipping at most, as `astropy.stats.sigma_clipped_stats` does by default."""


class PlaneStatistics(NamedTuple):
    """Statistics of one plane of an array.

    Attributes
    ----------
    array : str
        Name of the array.
    plane : int or None
        Number of the plane; None for an array that is not a cube.
    values : dict of str to int or float
        By the names of `columns`.
    column : str or None
        Name of the column of an array whose last axis holds several things, as x and y.
    """

    array: str
    plane: int | None
    values: dict[str, int | float]
    column: str | None = None


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


def choose_arrays(product: Product, patterns: Sequence[str] = ()) -> list[str]:
    """Names of arrays to be described.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.
    patterns : iterable of str
        Names or globs; by default the planes and cubes of the image's frame that hold no flags, of a file without
        such all arrays of real numbers but flags.

    Returns
    -------
    list of str
        Dotted paths, each once.

    Raises
    ------
    InputError
        A pattern fits no array of real numbers.
    """
    real = {name: info.shape for name, info in product.arrays.items() if info.dtype.kind in "fiub"}
    chosen = []
    for pattern in patterns:
        fitting = [name for name in real if fnmatchcase(name, pattern)]
        if not fitting:
            mend = f"there are {' '.join(real)}" if real else None
            raise InputError(f"has no array of real numbers {pattern}", mend=mend, path=product.path)
        chosen += fitting
    if patterns:
        return list(dict.fromkeys(chosen))
    planes = {name: shape for name, shape in real.items() if len(shape) > 1 and dq.bits_of(name) is None}
    if not planes:
        return [name for name in real if dq.bits_of(name) is None]
    frame = max((planes["data"],) if "data" in planes else planes.values(), key=lambda shape: np.prod(shape[-2:]))[-2:]
    return [name for name, shape in planes.items() if shape[-2:] == frame]


def measure_planes(
    product: Product,
    names: Iterable[str],
    *,
    wanted: Sequence[str],
    section: str | None = None,
    frame: str | None = None,
    flags: str | None = None,
    resultant: int | None = None,
    sigma: float = 3.0,
    work: Work = ALONE,
) -> Iterator[PlaneStatistics]:
    """Statistics of each plane of some arrays.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.
    names : iterable of str
        Dotted paths of the arrays.
    wanted : iterable of str
        Some of `columns`.
    section, frame : str, optional
        As `rtools.products.edit.section.parse_section`.
    flags : str, optional
        Flags whose pixels are left out; by default DO_NOT_USE, and of ``data`` also what has no positive err, as in
        `meta.statistics`; ``none`` to leave out nothing but what is not finite.
    resultant : int, optional
        Only this plane of cubes, from the end if negative.
    sigma : float
        As in `describe`.
    work : rtools.work.Work
        Its threads take a plane each, held whole.

    Yields
    ------
    PlaneStatistics
        One for each plane, in the order of the arrays.
    """
    jobs: list[_Job] = []
    for name in names:
        rows, cols = select(product, name, section, frame)
        masks = _masks(product, name, flags)
        strict = flags is None and name == "data" and _same_shape(product, "err", product.arrays[name].shape)
        masks += [("err", None)] if strict else []
        parts = _columns(product, name) if section is None and resultant is None else ()
        jobs += [_Job(name, None, rows, cols, [], column) for column in parts]
        jobs += [_Job(name, number, rows, cols, masks) for number in _numbers(product, name, resultant) if not parts]
    if section is None and resultant is None:
        read = {one for job in jobs for one in (job.array, *(mask for mask, _value in job.masks))}
        run_all(product.checks(read), work)
    measured = partial(_of_plane, product, wanted=wanted, sigma=sigma)
    yield from map(measured, jobs) if work.threads == 1 or len(jobs) < 2 else work.each(measured, jobs)


class _Job(NamedTuple):
    """A plane, or a column, that is to be described: which part of it, and what masks it."""

    array: str
    plane: int | None
    rows: slice
    columns: slice
    masks: list
    column: str | None = None


def _of_plane(product, job, *, wanted, sigma):
    """Statistics of one plane, or of one column."""
    name, number, rows, cols, masks, column = job
    if column is not None:
        plane = np.array(product.array(name)[..., _columns(product, name).index(column)])
    else:
        plane = read_plane(product, name, number or 0, rows, cols)
    good = np.isfinite(plane) if plane.dtype.kind == "f" else np.ones(plane.shape, bool)
    for mask, value in masks:
        other = read_plane(product, mask, number or 0, rows, cols)
        good &= other > 0 if value is None else (other & value) == 0
    values = plane[good]
    if values.dtype.kind == "b" or values.dtype == np.float16:
        values = values.astype(np.uint8 if values.dtype.kind == "b" else np.float32)
    found = {"pixels": plane.size} | describe(values, [one for one in wanted if one != "pixels"], sigma=sigma)
    return PlaneStatistics(name, number, {one: found[one] for one in wanted}, column)


def _columns(product, name):
    """Names of what stands beside each other along the last axis of an array, where that is no axis of the image."""
    if not layout.is_product(product.kind) or product.kind == "reference":
        return ()
    described = layout.arrays(product.kind, product.profile)
    found = described.get(name) or described.get(name.replace("centroids.", "centroid.", 1))
    shape = product.arrays[name].shape
    return found.columns if found is not None and len(shape) > 1 and shape[-1] == len(found.columns) else ()


def _same_shape(product, name, shape):
    return name in product.arrays and product.arrays[name].shape == shape


def _numbers(product, name, resultant):
    """Planes of an array that are wanted; None for an array that is not a cube."""
    shape = product.arrays[name].shape
    if len(shape) < 3:
        return [None]
    if resultant is None:
        return range(shape[0])
    if not -shape[0] <= resultant < shape[0]:
        raise InputError(f"{name} has {shape[0]} planes, no number {resultant}", path=product.path)
    return [resultant % shape[0]]


def _masks(product, name, flags):
    """Arrays of flags that speak of an array's pixels, and the bits of each that are looked at."""
    if flags == "none":
        return []
    shape = product.arrays[name].shape
    own = f"dq_{name}"
    near = [own] if own in product.arrays else ["dq", "pixeldq", "groupdq", "resultantdq"]
    near = [one for one in near if one in product.arrays and _fits(product.arrays[one].shape, shape)]
    words = ["DO_NOT_USE"] if flags is None else flags.replace("|", ",").replace("+", ",").split(",")
    bits = [(one, _value(words, dq.bits_of(one))) for one in near]
    return [(one, product.arrays[one].dtype.type(value)) for one, value in bits if value]


def _fits(flags, shape):
    """Whether flags of one shape are for the pixels of another."""
    return len(shape) > 1 and flags[-2:] == shape[-2:] and (len(flags) == 2 or flags == shape)


def _value(words, bits):
    """Value of those words that the table knows; what no table knows is refused."""
    total = 0
    for word in words:
        try:
            total |= dq.value(word, bits)
        except UsageError:
            dq.value(word, dq.PIXEL | dq.GROUP)
    return total & (0xFF if bits is dq.GROUP else 0xFFFFFFFF)
