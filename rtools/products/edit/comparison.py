"""What differs between two products: metadata by key, arrays by value, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.products.edit.time_comparison import compare_times, same_time
from rtools.products.guide.time_lists import are_times, is_time, moments_in
from rtools.products.io import arrays
from rtools.products.schema import nodes
from rtools.wfi import dq

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["LEFT_OUT", "Values", "Walk", "compare_products"]

LEFT_OUT = ("meta.filename", "meta.file_date", "meta.calibration_software_*", "meta.cal_logs")
"""Metadata that differ between two files of the same content."""

BLOCK = 1 << 21
"""Elements that are compared at a time."""

RANDOM_ACCESS = ("", "lz4")
"""Compressions of which rows can be read without all that is before them."""


LONG = 100
"""Words of a list above which it is compared as an array is; FACE files have a phase for each attitude."""

NUMBERS = "fiubc"
"""Kinds of dtype that are numbers."""


class Values(NamedTuple):
    """An array of one of the products: what it is, and ``read(first, stop)`` of its leading axis."""

    shape: tuple[int, ...]
    dtype: np.dtype
    unit: str | None
    read: Callable[[int, int], np.ndarray]
    step: int

    @classmethod
    def of(cls, array: np.ndarray, unit: str | None = None) -> Values:
        """Those of an array in memory."""
        return cls(array.shape, array.dtype, unit, lambda first, stop: array[first:stop], max(1, len(array)))


def compare_products(
    first: Product,
    second: Product,
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    ignore: Iterable[str] = (),
    everything: bool = False,
    worst: int = 5,
    within: float = 0.0,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Compare two opened products.

    Parameters
    ----------
    first, second : rtools.products.io.product.Product
        Opened; their arrays are read in pieces.
    rtol, atol : float
        Numbers are the same if ``|a - b| <= atol + rtol |b|``. With both 0 they must be equal, and their dtypes too.
        Flags are always compared exactly; NaN equals NaN.
    ignore : iterable of str
        Globs of dotted keys below ``roman``, with or without ``meta.``; what is below such a key is ignored, too.
    everything : bool
        Compare `LEFT_OUT`, ``asdf_library`` and ``history`` as well.
    worst : int
        Pixels to be listed for each array.
    within : float
        Times are the same if they are so many seconds from each other, or less, however they are written.

    Returns
    -------
    (list of dict, list of dict)
        Metadata: key, a, b. Arrays: array, and what `_array_difference` says; lists of times: array, and what
        `rtools.products.edit.time_comparison.compare_times` says. Of what only one has: only_in ("a" or
        "b") and its description under that letter.
    """
    patterns = [*ignore, *(() if everything else LEFT_OUT)]
    walk = Walk((first, second), patterns, rtol=rtol, atol=atol, worst=worst, within=within)
    walk.values("tag", first.tag, second.tag)
    walk.nodes("", first.content, second.content)
    if everything:
        walk.nodes("", first.about, second.about)
    return walk.metadata, walk.arrays


class Walk:
    """Two trees on the way down, and what was found to differ."""

    def __init__(
        self,
        products: Sequence[Any],
        patterns: Sequence[str],
        *,
        rtol: float,
        atol: float,
        worst: int,
        within: float = 0.0,
    ) -> None:
        self.products = products
        self.patterns = patterns
        self.tolerance = rtol, atol
        self.worst = worst
        self.within = within
        self.metadata: list[dict[str, Any]] = []
        self.arrays: list[dict[str, Any]] = []

    def nodes(self, path: str, one: Any, two: Any) -> None:
        """Compare two parts of the trees."""
        if path and self.ignored(path):
            return
        found = [arrays.unwrap(node)[0] is not None for node in (one, two)]
        if all(found):
            self.compare_arrays(path, self._values(0, path, one), self._values(1, path, two))
        elif any(found):
            self.differ(path, one, two)
        elif are_times(one) and are_times(two):
            self._compare_times(path, one, two)
        else:
            self.values(f"{path} tag", _foreign_tag(one), _foreign_tag(two))
            self._contents(path, one, two)

    def _contents(self, path, one, two):
        if isinstance(one, dict) and isinstance(two, dict):
            for key in [*one, *(key for key in two if key not in one)]:
                self._entry(f"{path}.{key}" if path else str(key), key, one, two)
        elif _is_long(one) and _is_long(two):
            self.compare_arrays(path, *(Values.of(np.array(side, np.str_)) for side in (one, two)))
        elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
            for place, pair in enumerate(zip(one, two, strict=True)):
                self.nodes(f"{path}.{place}", *pair)
        else:
            self.values(path, one, two)

    def values(self, path: str, one: Any, two: Any) -> None:
        """Compare two plain values."""
        if self.ignored(path) or _same(one, two, *self.tolerance):
            return
        if not (is_time(one) and is_time(two) and same_time(one, two, within=self.within)):
            self.differ(path, one, two)

    def _compare_times(self, path, one, two):
        first, second = (moments_in(side, node) for side, node in zip(self.products, (one, two), strict=True))
        assert first is not None and second is not None  # are_times said so
        found = compare_times(first, second, within=self.within, worst=self.worst)
        if found:
            self.arrays.append({"array": path} | found)

    def _entry(self, path, key, one, two):
        if key in one and key in two:
            self.nodes(path, one[key], two[key])
        elif not self.ignored(path):
            there, side = (one, "a") if key in one else (two, "b")
            found = {"only_in": side, side: _shown(there[key])}
            if arrays.unwrap(there[key])[0] is None:
                self.metadata.append({"key": path} | found)
            else:
                self.arrays.append({"array": path} | found)

    def differ(self, path: str, one: Any, two: Any) -> None:
        """Note that two values are not the same."""
        self.metadata.append({"key": path, "a": _shown(one), "b": _shown(two)})

    def ignored(self, path: str) -> bool:
        """Whether a key is left out."""
        names = (path, path.removeprefix("meta."))
        return any(fnmatchcase(name, pattern) for name in names for pattern in self.patterns)

    def _values(self, side, path, node):
        product = self.products[side]
        info = product.arrays.get(path)
        inner: Any
        inner, unit = arrays.unwrap(node)
        if info is None or not info.shape:
            array = np.atleast_1d(inner.load())
            return Values.of(array, unit)
        for check in product.checks([path]):
            check()
        step = max(1, BLOCK * info.shape[0] // max(1, int(np.prod(info.shape))))
        step = step if info.compression in RANDOM_ACCESS else info.shape[0]
        return Values(info.shape, info.dtype, unit, partial(product.rows, path), max(1, step))

    def compare_arrays(self, path: str, one: Values, two: Values) -> None:
        """Compare two `Values`."""
        self.values(f"{path} unit", one.unit, two.unit)
        found = _array_difference(path, one, two, self.tolerance, self.worst)
        if found:
            self.arrays.append({"array": path} | found)


def _is_long(node):
    """Whether a node is a list of so many words that it is told as an array."""
    return isinstance(node, list) and len(node) > LONG and all(type(one) is str for one in node)


def _foreign_tag(node):
    return node.tag if nodes.is_foreign(node) and not nodes.is_array(node) else None


def _same(one, two, rtol, atol):
    """Whether two values of the tree are equal; numbers within the tolerance, NaN like NaN."""
    if isinstance(one, bool) != isinstance(two, bool):
        return False
    if one == two:
        return True
    if not all(isinstance(value, int | float) for value in (one, two)):
        return False
    if one != one or two != two:
        return one != one and two != two
    return abs(one - two) <= atol + rtol * abs(two) and abs(two) != float("inf")


def _shown(node):
    """A value as it is told: plain, an array by its dtype and shape."""
    inner, _unit = arrays.unwrap(node)
    if inner is not None:
        datatype = inner.get("datatype", "inline")
        datatype = datatype if isinstance(datatype, str) else "structured"
        return f"array {datatype} {tuple(inner.get('shape', ()))}"
    if isinstance(node, dict):
        return {str(key): _shown(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_shown(value) for value in node]
    return str(node) if isinstance(node, str) else node


def _array_difference(name, one, two, tolerance, worst):
    """How two arrays differ.

    Returns
    -------
    dict
        Empty if they do not. Else ``shape`` or ``dtype`` as pairs where these differ; size, differing, one_nan (values
        of which one is NaN), largest and largest_relative difference (None where there is none), worst (a list of
        index, a, b), and for flags by bit: set in A only, set in B only.
    """
    if one.shape != two.shape:
        return {"shape": [list(one.shape), list(two.shape)]}
    bits = dq.bits_of(name)
    exact = bits is not None or not any(tolerance)
    types = [side.dtype.newbyteorder("=") for side in (one, two)]
    numbers = all(dtype.kind in NUMBERS for dtype in types)
    alike = numbers or (types[0].kind == types[1].kind and (types[0].kind != "V" or types[0] == types[1]))
    found = {"dtype": [_dtype_name(dtype) for dtype in types]} if types[0] != types[1] and (exact or not alike) else {}
    if not alike:
        return found
    tally = _Tally(one.shape, bits, (0.0, 0.0) if exact else tolerance, worst)
    step = max(one.step, two.step, 1)
    for start in range(0, one.shape[0], step):
        tally.add(start, one.read(start, start + step), two.read(start, start + step))
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

    def add(self, start, one, two):
        """Compare items from `start` of the leading axis on."""
        place = start * int(np.prod(self.shape[1:]))
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
