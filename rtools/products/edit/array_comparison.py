"""How two arrays differ: counted, measured and listed, block by block."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from rtools.wfi import dq

__all__ = ["Values", "array_difference"]

BLOCK = 1 << 21
"""Elements that are compared at a time."""

NUMBERS = "fiubc"
"""Kinds of dtype that are numbers."""


class Values(NamedTuple):
    """An array of one of two products.

    Attributes
    ----------
    shape : tuple of int
        Of the whole array.
    dtype : numpy.dtype
        In any byte order.
    unit : str or None
        None where it has none.
    read : callable
        ``read(first, stop)`` gives items in the order of the array: of its leading axis, or of `items` equal parts.
    step : int
        Items that are read at a time.
    items : int or None
        Into how many items `read` cuts the array, if these are not those of its leading axis.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    unit: str | None
    read: Callable[[int, int], np.ndarray]
    step: int
    items: int | None = None

    @classmethod
    def of(cls, array: np.ndarray, unit: str | None = None) -> Values:
        """Those of an array in memory."""
        return cls(array.shape, array.dtype, unit, lambda first, stop: array[first:stop], max(1, len(array)))


def array_difference(
    one: Values, two: Values, bits: Mapping[str, int] | None, tolerance: tuple[float, float], worst: int
) -> dict[str, Any]:
    """How two arrays differ.

    Parameters
    ----------
    one, two : Values
        The arrays; they are read in pieces.
    bits : mapping of str to int, or None
        Of arrays of flags, which are compared exactly.
    tolerance : (float, float)
        Relative and absolute; with both 0 numbers must be equal, and their dtypes too.
    worst : int
        Values to be listed.

    Returns
    -------
    dict
        Empty if they do not. Else ``shape`` or ``dtype`` as pairs where these differ; size, differing, one_nan (values
        of which one is NaN), largest and largest_relative difference (None where there is none), worst (a list of
        index, a, b), and for flags by bit: set in A only, set in B only.
    """
    if one.shape != two.shape:
        return {"shape": [list(one.shape), list(two.shape)]}
    exact = bits is not None or not any(tolerance)
    types = [side.dtype.newbyteorder("=") for side in (one, two)]
    numbers = all(dtype.kind in NUMBERS for dtype in types)
    alike = numbers or (types[0].kind == types[1].kind and (types[0].kind != "V" or types[0] == types[1]))
    found = {"dtype": [_dtype_name(dtype) for dtype in types]} if types[0] != types[1] and (exact or not alike) else {}
    if not alike:
        return found
    tally = _Tally(one.shape, bits, (0.0, 0.0) if exact else tolerance, worst)
    step = max(one.step, two.step, 1)
    count = one.shape[0] if one.items is None else one.items
    size = int(np.prod(one.shape, dtype=np.int64)) // max(1, count)
    for start in range(0, count, step):
        tally.add(start * size, one.read(start, start + step), two.read(start, start + step))
    return found | tally.result() if found or tally.differing else {}


def _dtype_name(dtype):
    return dtype.name if dtype.names is None else str(dtype)


class _Tally:
    """Differences counted block by block, and the worst of them."""

    def __init__(self, shape, bits, tolerance, worst):
        self.shape = shape
        self.bits = bits
        self.tolerance = tolerance
        self.worst = worst
        self.differing = self.one_nan = 0
        self.largest = self.relative = None
        self.found = []
        self.flags = {}

    def add(self, place, one, two):
        """Compare values from `place` on, counted through the array."""
        one, two = one.reshape(-1), two.reshape(-1)
        for first in range(0, one.size, BLOCK):
            self._block(place + first, one[first : first + BLOCK], two[first : first + BLOCK])

    def _block(self, place, one, two):
        where = np.flatnonzero(_unequal(one, two))
        if not where.size:
            return
        one, two = one[where], two[where]
        numbers = one.dtype.kind in NUMBERS and two.dtype.kind in NUMBERS
        gap = _gap(one, two) if numbers else np.zeros(where.size)
        if any(self.tolerance):
            kept = ~_close(gap, two, *self.tolerance) if numbers else slice(None)
            where, one, two, gap = where[kept], one[kept], two[kept], gap[kept]
        self.differing += where.size
        if self.bits is not None and numbers:
            self._count_flags(one, two)
        elif numbers:
            self._measure(one, two, gap)
        self._keep_worst(place + where, one, two, np.zeros_like(gap) if self.bits is not None else gap)

    def _measure(self, one, two, gap):
        self.one_nan += int(np.count_nonzero(np.isnan(one) ^ np.isnan(two)))
        finite = np.isfinite(gap)
        if not finite.any():
            return
        self.largest = max(self.largest or 0.0, float(gap[finite].max()))
        size = np.abs(two[finite].astype(complex if two.dtype.kind == "c" else float))
        if (size > 0).any():
            self.relative = max(self.relative or 0.0, float((gap[finite][size > 0] / size[size > 0]).max()))

    def _count_flags(self, one, two):
        one, two = (side.astype(np.int64) for side in (one, two))
        for column, set_here in enumerate((one & ~two, two & ~one)):
            occurring = int(np.bitwise_or.reduce(set_here))
            for name in dq.names(occurring & 0xFFFFFFFF, self.bits):
                count = int(np.count_nonzero(set_here & dq.value(name, self.bits)))
                self.flags.setdefault(name, [0, 0])[column] += count

    def _keep_worst(self, places, one, two, gap):
        gap = np.where(np.isnan(gap), np.inf, gap)
        if self.found and len(self.found) == self.worst:
            beyond = gap > -self.found[-1][0]
            places, one, two, gap = places[beyond], one[beyond], two[beyond], gap[beyond]
        chosen = np.argsort(-gap, kind="stable")[: self.worst]
        self.found += [(-float(gap[n]), int(places[n]), one[n].item(), two[n].item()) for n in chosen]
        self.found.sort(key=lambda entry: entry[:2])
        del self.found[self.worst :]

    def result(self):
        size = int(np.prod(self.shape, dtype=np.int64))
        worst = [
            {"index": [int(n) for n in np.unravel_index(place, self.shape)], "a": one, "b": two}
            for _gap, place, one, two in self.found
        ]
        found: dict[str, Any] = {"size": size, "differing": self.differing, "one_nan": self.one_nan}
        found |= {"largest": self.largest, "largest_relative": self.relative, "worst": worst}
        return found | ({"flags": self.flags} if self.bits is not None else {})


def _unequal(one, two):
    """Where values are not the same, along the only axis; NaN like NaN."""
    if one.dtype.names:
        parts = [_unequal(one[name], two[name]).reshape(one.size, -1).any(axis=1) for name in one.dtype.names]
        return np.any(parts, axis=0)
    unequal = one != two
    if one.dtype.kind in "fc" and two.dtype.kind in "fc":
        unequal &= (one == one) | (two == two)
    return unequal


def _gap(one, two):
    """Absolute difference in double precision."""
    kind = complex if "c" in one.dtype.kind + two.dtype.kind else float
    with np.errstate(invalid="ignore", over="ignore"):
        return np.abs(one.astype(kind) - two.astype(kind))


def _close(gap, two, rtol, atol):
    with np.errstate(invalid="ignore", over="ignore"):
        return (gap <= atol + rtol * np.abs(two.astype(complex if two.dtype.kind == "c" else float))) & np.isfinite(two)
