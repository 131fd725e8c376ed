"""What differs between two catalogs: metadata by key, what is said of columns, and values, source by source."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from rtools.products.edit import comparison
from rtools.products.edit.array_comparison import Values
from rtools.products.tables import flat as flatmeta
from rtools.products.tables.files import read_catalog

__all__ = ["LEFT_OUT", "compare_catalogs"]

LEFT_OUT = (
    *comparison.LEFT_OUT,
    "source_catalog.date",
    "source_catalog.versions",
    "date",
    "filename",
    "version",
    "versions",
    flatmeta.HISTORY,
    "rtools.*",
)
"""Metadata that differ between two catalogs of the same content."""

LABELS = ("label", "source_id")
"""Columns that say which source a row is, the first that both have."""

LISTED = 10
"""Sources that are named where only one catalog has them."""


def compare_catalogs(
    first: str | Path,
    second: str | Path,
    *,
    rtol: float = 0.0,
    atol: float = 0.0,
    ignore: Iterable[str] = (),
    everything: bool = False,
    worst: int = 5,
    within: float = 0.0,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Compare two catalogs, of any formats.

    Rows belong together by their label, where both have labels that occur once, else by their place. The order of
    columns, and of rows that have labels, is not a difference.

    Parameters
    ----------
    first, second : str or Path
        The catalogs, in any of the forms that `rt-table` reads.
    rtol, atol, ignore, everything, worst, within
        As `rtools.products.edit.comparison.compare_products`; `ignore` is for columns, too.

    Returns
    -------
    (list of dict, list of dict)
        Metadata: key, a, b; ``COLUMN unit`` and ``COLUMN description`` are keys, and ``rows``. Columns: array (its
        name), and what `compare_products` says of arrays; ``worst`` has label or row.
    """
    patterns = [*ignore, *(() if everything else LEFT_OUT)]
    sides = [_Side(path) for path in (first, second)]
    walk = comparison.Walk(sides, patterns, rtol=rtol, atol=atol, worst=worst, within=within)
    walk.nodes("", sides[0].tree, sides[1].tree)
    tables = [side.table for side in sides]
    key, rows = _matched(tables[0], tables[1], walk)
    names = [*tables[0].colnames, *(name for name in tables[1].colnames if name not in tables[0].colnames)]
    for name in names:
        if not walk.ignored(name):
            _compare_column(walk, name, [table[name] if name in table.colnames else None for table in tables], rows)
    for found in walk.arrays:
        for entry in found.get("worst", ()):
            place = rows[0][entry["index"][0]]
            entry[key or "row"] = int(place) if key is None else tables[0][key][place].item()
    return walk.metadata, walk.arrays


class _Side:
    """One catalog: its table, and its metadata as a typed tree."""

    arrays: ClassVar[dict] = {}
    """No array stands in the tree."""

    def __init__(self, path):
        self.table = read_catalog(path)
        tree = _bare(flatmeta.to_tree(self.table.meta))
        twice = tree.get("source_catalog") or ()  # astropy's description of a table repeats what stands there
        self.tree = {key: value for key, value in tree.items() if key.lower() not in twice}


def _bare(node):
    """Plain containers; whatever else astropy reads, as text."""
    if isinstance(node, dict):
        return {str(key): _bare(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_bare(value) for value in node]
    return node if node is None or isinstance(node, bool | int | float | str) else str(node)


def _matched(one, two, walk):
    """(name of the column of labels or None, rows of both that belong together); says which have no partner."""
    name = next((name for name in LABELS if all(_labelled(table, name) for table in (one, two))), None)
    if name is None:
        walk.values("rows", len(one), len(two))
        return None, [np.arange(min(len(one), len(two)))] * 2
    first, second = (np.asarray(table[name]) for table in (one, two))
    _shared, *rows = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    for side, only in zip("ab", (np.setdiff1d(first, second), np.setdiff1d(second, first)), strict=True):
        if only.size and not walk.ignored("rows"):
            few = only[:LISTED].tolist()
            walk.metadata.append({"key": f"rows {name}", "only_in": side, side: few, "count": int(only.size)})
    order = np.argsort(rows[0])
    return name, [found[order] for found in rows]


def _labelled(table, name):
    """Whether a column of whole numbers or texts names each row."""
    if name not in table.colnames or np.ma.isMaskedArray(table[name]):
        return False
    column = np.asarray(table[name])
    return column.ndim == 1 and column.dtype.kind in "iuUS" and np.unique(column).size == column.size


def _compare_column(walk, name, columns, rows):
    missing = [column is None for column in columns]
    if any(missing):
        side = "ba"[missing.index(False) == 0]
        column = columns[missing.index(False)]
        what = f"column {_dtype(column)} {column.unit or ''}".strip()
        walk.arrays.append({"array": name, "only_in": side, side: what})
        return
    for about in ("unit", "description"):
        one, two = (getattr(column, about) for column in columns)
        walk.values(f"{name} {about}", None if one is None else str(one), None if two is None else str(two))
    one, two = (column[chosen] for column, chosen in zip(columns, rows, strict=True))
    if one.shape == two.shape:
        one, two = _known(walk, name, one, two)
    walk.compare_arrays(name, Values.of(_plain(one)), Values.of(_plain(two)))


def _known(walk, name, one, two):
    """Values of both, zero where one has none; says where only one has a value."""
    masks = [np.ma.getmaskarray(np.ma.asarray(side)) for side in (one, two)]
    if (masks[0] != masks[1]).any():
        known = [int(np.count_nonzero(other & ~own)) for own, other in (masks, masks[::-1])]
        walk.differ(f"{name} known in one only", *known)
    sides = [_plain(side).copy() for side in (one, two)]
    for side in sides:
        side[masks[0] | masks[1]] = np.zeros((), side.dtype)
    texts = all(side.dtype.kind == "U" for side in sides)
    return [side.astype(np.result_type(*sides)) for side in sides] if texts else sides


def _plain(column):
    """Values without mask and unit; texts as such."""
    values = np.asarray(np.ma.getdata(column))
    return np.array([str(value) for value in values], dtype=str) if values.dtype.kind == "O" else values


def _dtype(column):
    return "string" if column.dtype.kind in "UO" else column.dtype.name
