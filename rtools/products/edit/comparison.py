"""What differs between two products: metadata by key, arrays by value, block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.products.edit.array_comparison import Values, array_difference
from rtools.products.edit.time_comparison import compare_times, same_time
from rtools.products.guide.time_lists import are_times, is_time, moments_in
from rtools.products.io import arrays
from rtools.products.schema import nodes
from rtools.wfi import dq

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["LEFT_OUT", "Walk", "compare_products"]

LEFT_OUT = (
    "meta.filename",
    "meta.file_date",
    "meta.calibration_software_*",
    "meta.cal_logs",
    "meta.rtools",
    "roman.meta.rtools",
    "rtools",
)
"""Metadata that differ between two files of the same content."""

BLOCK = 1 << 21
"""Elements that are read at a time."""

RANDOM_ACCESS = ("", "lz4")
"""Compressions of which rows can be read without all that is before them."""


LONG = 100
"""Words of a list above which it is compared as an array is; FACE files have a phase for each attitude."""


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
        Metadata: key, a, b. Arrays: array, and what
        `rtools.products.edit.array_comparison.array_difference` says; lists of times: array, and what
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
        bits_of: Callable[[str], dict[str, int] | None] = dq.bits_of,
    ) -> None:
        self.products = products
        self.bits_of = bits_of
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
        found = array_difference(one, two, self.bits_of(path), self.tolerance, self.worst)
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
