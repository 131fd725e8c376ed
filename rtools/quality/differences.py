"""How two measurements of the same differ: offset, scatter, and how much of it the errors allow for.

All numbers are of B - A. Scatter is 1.4826 times the median of the absolute deviations from the median, which is the
standard deviation of a Gaussian and does not mind outliers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rtools.work.statistics import MAD_TO_SIGMA

__all__ = [
    "BEYOND",
    "ColumnDifference",
    "DifferenceStatistics",
    "column_difference",
    "differences_by_flag",
    "differences_by_region",
    "measure_difference",
    "within_one_step",
]

BEYOND = (1, 3, 5)
"""Multiples of the error beyond which pixels are counted."""


class DifferenceStatistics(NamedTuple):
    """Statistics of B - A.

    Attributes
    ----------
    pixels : int
        How many pixels are finite in both images and usable.
    median, scatter : float
        Of their differences, in the unit of the images; NaN without a pixel.
    with_error : int
        How many of the pixels have a positive error.
    beyond : tuple of float
        Share of these, 0 … 1, whose difference is larger than each of `BEYOND` times the error; empty where no pixel
        has a positive error.
    """

    pixels: int
    median: float
    scatter: float
    with_error: int = 0
    beyond: tuple[float, ...] = ()


class ColumnDifference(NamedTuple):
    """Statistics of B - A of a column, over the rows that have a value in both.

    Attributes
    ----------
    rows, differing : int
        Rows, and those of them whose values are not equal.
    median, scatter : float
        Of the differences, in the unit of the column; NaN without a row.
    pull_median, pull_scatter : float or None
        Of the differences in units of both errors added in quadrature; None for a column without errors.
    """

    rows: int
    differing: int
    median: float
    scatter: float
    pull_median: float | None = None
    pull_scatter: float | None = None


def measure_difference(
    one: np.ndarray, two: np.ndarray, *, err: np.ndarray | None = None, usable: np.ndarray | None = None
) -> DifferenceStatistics:
    """Statistics of the difference of two images.

    Parameters
    ----------
    one, two : ndarray
        The images A and B, of one shape and unit.
    err : ndarray, optional
        Standard error of a pixel, of the same shape and unit.
    usable : ndarray of bool, optional
        Pixels that count; all by default.

    Returns
    -------
    DifferenceStatistics
        Of the pixels that are finite in both images.
    """
    gap = _gap(one, two)
    good = np.isfinite(gap) if usable is None else np.isfinite(gap) & usable
    median, scatter = _median_and_scatter(gap[good])
    if err is None:
        return DifferenceStatistics(int(np.count_nonzero(good)), median, scatter)
    error = err.astype(np.float32)
    known = good & np.isfinite(error) & (error > 0)
    pull = np.abs(gap[known]) / error[known]
    beyond = tuple(float(np.count_nonzero(pull > times) / pull.size) for times in BEYOND if pull.size)
    return DifferenceStatistics(int(np.count_nonzero(good)), median, scatter, pull.size, beyond)


def differences_by_flag(
    one: np.ndarray, two: np.ndarray, flags: np.ndarray, table: Mapping[str, int], *, err: np.ndarray | None = None
) -> Iterator[tuple[str, DifferenceStatistics]]:
    """Statistics of the difference of two images in each class of flagged pixels.

    Parameters
    ----------
    one, two : ndarray
        The images A and B.
    flags : ndarray of unsigned int
        Flags of the pixels, of the same shape, or of the last axes of it.
    table : mapping of str to int
        Names of the bits.
    err : ndarray, optional
        As `measure_difference` takes it.

    Yields
    ------
    (str, DifferenceStatistics)
        ``GOOD`` for pixels without a flag, then each flag that occurs, in the order of its bit. A pixel with several
        flags is in several classes.
    """
    flags = np.broadcast_to(flags, one.shape)
    occurring = int(np.bitwise_or.reduce(flags, axis=None)) if flags.size else 0
    classes = [("GOOD", flags == 0)] if flags.size else []
    for name, bit in sorted(table.items(), key=lambda item: item[1]):
        if bit and occurring & bit:
            classes.append((name, (flags & flags.dtype.type(bit)) != 0))
    for name, members in classes:
        if members.any():
            part = None if err is None else err[members]
            yield name, measure_difference(one[members], two[members], err=part)


def differences_by_region(
    one: np.ndarray,
    two: np.ndarray,
    *,
    regions: int = 4,
    err: np.ndarray | None = None,
    usable: np.ndarray | None = None,
) -> Iterator[tuple[slice, slice, DifferenceStatistics]]:
    """Statistics of the difference of two images in parts of the frame.

    Parameters
    ----------
    one, two : ndarray (..., rows, columns)
        The images A and B.
    regions : int
        Parts along each of the last two axes, no more than these have pixels.
    err, usable : ndarray, optional
        As `measure_difference` takes them.

    Yields
    ------
    (slice, slice, DifferenceStatistics)
        Rows and columns of a part, and what is measured there, from the first row and column on.
    """
    edges = [np.unique(np.linspace(0, length, regions + 1).round().astype(int)).tolist() for length in one.shape[-2:]]
    for rows in _between(edges[0]):
        for columns in _between(edges[1]):
            part = (..., rows, columns)
            error, good = (None if mask is None else mask[part] for mask in (err, usable))
            yield rows, columns, measure_difference(one[part], two[part], err=error, usable=good)


def _between(edges):
    return [slice(first, stop) for first, stop in pairwise(edges)]


def within_one_step(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether two arrays are no farther apart than neighbouring numbers of their floating-point type are.

    Parameters
    ----------
    one, two : ndarray
        Of one shape.

    Returns
    -------
    bool
        Also False for types that are not the same, or not floats of two or four bytes. Values that are not finite in
        both are passed over.
    """
    types = {side.dtype.newbyteorder("=") for side in (one, two)}
    if len(types) > 1 or not types <= {np.dtype("f2"), np.dtype("f4")}:
        return False
    one, two = one.reshape(-1), two.reshape(-1)
    # where arrays differ by more, some thousand values say so
    return all(_most_steps(one[part], two[part]) <= 1 for part in (slice(None, None, 997), slice(None)))


def _most_steps(one, two):
    finite = np.isfinite(one) & np.isfinite(two)
    places = [_place_of(side[finite]) for side in (one, two)]
    return int(np.abs(places[1] - places[0]).max(initial=0))


def _place_of(values):
    """The number of a float among all of its type in their order: bits after the sign count up from zero."""
    size = values.dtype.itemsize
    bits = values.astype(values.dtype.newbyteorder("=")).view(f"i{size}").astype(np.int64)
    sign = np.int64(1) << (8 * size - 1)
    return np.where(bits < 0, -(bits & (sign - 1)), bits)


def column_difference(
    one: np.ndarray, two: np.ndarray, errors: tuple[np.ndarray, np.ndarray] | None = None
) -> ColumnDifference:
    """Statistics of the difference of two columns, row by row.

    Parameters
    ----------
    one, two : ndarray float64 (rows,)
        The columns of A and B, NaN where a row has no value.
    errors : (ndarray, ndarray), optional
        Standard errors of both, in the unit of the column.

    Returns
    -------
    ColumnDifference
        Errors of two reductions of the same data are not independent: then the scatter of the pulls is below 1.
    """
    gap = _gap(one, two)
    known = np.isfinite(gap)
    median, scatter = _median_and_scatter(gap[known])
    found = ColumnDifference(int(known.sum()), int(np.count_nonzero(gap[known])), median, scatter)
    if errors is None:
        return found
    with np.errstate(invalid="ignore"):
        error = np.hypot(*errors)
        known &= np.isfinite(error) & (error > 0)
    pull_median, pull_scatter = _median_and_scatter(gap[known] / error[known])
    return found._replace(pull_median=pull_median, pull_scatter=pull_scatter)


def _gap(one, two):
    """B - A, in single precision for images and in double precision for columns of doubles and whole numbers."""
    kind = np.float32 if one.dtype.kind == "f" and one.dtype.itemsize <= 4 else np.float64
    with np.errstate(invalid="ignore", over="ignore"):
        return np.subtract(two, one, dtype=kind)


def _median_and_scatter(values):
    """Median, and scatter about it, of finite numbers, which are worked on in place."""
    if not values.size:
        return float("nan"), float("nan")
    median = np.median(values, overwrite_input=True)
    values -= median
    return float(median), float(MAD_TO_SIGMA * np.median(np.abs(values, out=values), overwrite_input=True))
