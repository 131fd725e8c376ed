"""What differs between two catalogs: metadata by key, what is said of columns, and values, source by source."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from rtools.errors import InputError, about
from rtools.products.edit import comparison
from rtools.products.edit.array_comparison import Values
from rtools.products.edit.catalog_matches import RADIUS
from rtools.products.tables import flat as flatmeta
from rtools.products.tables.files import read_catalog
from rtools.products.tables.positions import read_positions
from rtools.wfi.sphere_pairs import mutual_pairs
from rtools.work.keys import match_keys

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["LEFT_OUT", "CatalogDifferences", "compare_catalogs"]

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

NUMBERING = (*LABELS, "nn_label")
"""Columns that count sources, which is no difference where these are matched by their position."""

LISTED = 10
"""Sources that are named where only one catalog has them."""


class CatalogDifferences(NamedTuple):
    """What differs between two catalogs.

    Attributes
    ----------
    metadata : list of dict
        Entries of key, a, b; ``COLUMN unit`` and ``COLUMN description`` are keys, and ``rows``.
    columns : list of dict
        Entries of array (the column's name), and what `compare_products` says of arrays; ``worst`` has label or row.
    tables : (astropy.table.Table, astropy.table.Table)
        Both catalogs.
    rows : (ndarray int, ndarray int)
        Rows of both that belong together.
    """

    metadata: list[dict[str, Any]]
    columns: list[dict[str, Any]]
    tables: tuple["Table", "Table"]
    rows: tuple[np.ndarray, np.ndarray]


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
    match: str | None = None,
    radius: float = RADIUS,
) -> CatalogDifferences:
    """Compare two catalogs, of any formats.

    The order of columns is not a difference, nor is that of rows that are matched by label or position.

    Parameters
    ----------
    first, second : str or Path
        The catalogs, in any of the forms that `rt-table` reads.
    rtol, atol, ignore, everything, worst, within
        As `rtools.products.edit.comparison.compare_products`; `ignore` is for columns, too.

    match : {"sky", "label", "row"}, optional
        How rows belong together: by being each other's nearest on the sky, by their label, or by their place. By
        default by label, where both have labels that occur once, else by place. With ``sky``, labels are not compared.
    radius : float
        Arcsec between two rows that are matched on the sky, at most.

    Returns
    -------
    CatalogDifferences

    Raises
    ------
    InputError
        A catalog has no labels or positions by which it is to be matched.
    """
    patterns = [*ignore, *(() if everything else LEFT_OUT)]
    sides = [_Side(path) for path in (first, second)]
    walk = comparison.Walk(sides, patterns, rtol=rtol, atol=atol, worst=worst, within=within)
    walk.nodes("", sides[0].tree, sides[1].tree)
    one, two = (side.table for side in sides)
    for path, table in zip((first, second), (one, two), strict=True):
        _refuse_unmatchable(path, table, match)
    rows = _matched(one, two, walk, match, radius)
    skipped = NUMBERING if match == "sky" else ()
    for name in [*one.colnames, *(name for name in two.colnames if name not in one.colnames)]:
        if name not in skipped and not walk.ignored(name):
            _compare_column(walk, name, [table[name] if name in table.colnames else None for table in (one, two)], rows)
    key = None if match == "row" else _shared_label(one, two)
    for found in walk.arrays:
        for entry in found.get("worst", ()):
            place = rows[0][entry["index"][0]]
            entry[key or "row"] = int(place) if key is None else one[key][place].item()
    return CatalogDifferences(walk.metadata, walk.arrays, (one, two), rows)


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


def _refuse_unmatchable(path, table, match):
    """Refuse a catalog that has not what its rows are to be matched by."""
    if match == "label" and not any(_labelled(table, name) for name in LABELS):
        mend = f"--match row compares by place; columns that can label rows are {', '.join(LABELS)}"
        raise InputError("has no column of labels that occur once", mend=mend, path=path)
    if match == "sky":
        with about(path):
            read_positions(table)


def _shared_label(one, two):
    """The column that labels the rows of both catalogs; None where there is none."""
    return next((name for name in LABELS if all(_labelled(table, name) for table in (one, two))), None)


def _matched(one, two, walk, match, radius):
    """Rows of both that belong together; says which have no partner."""
    name = None if match == "row" else _shared_label(one, two)
    if match == "sky":
        first, second, _separation = mutual_pairs(*_positions(one), *_positions(two), radius=radius)
        for side, table, rows in zip("ab", (one, two), (first, second), strict=True):
            lonely = np.setdiff1d(np.arange(len(table)), rows)
            _tell_lonely(walk, name or "numbers", side, np.asarray(table[name])[lonely] if name else lonely)
        return first, second
    if name is None:
        walk.values("rows", len(one), len(two))
        both = np.arange(min(len(one), len(two)))
        return both, both
    mine, other = (np.asarray(table[name]) for table in (one, two))
    if (mine.dtype.kind in "US") != (other.dtype.kind in "US"):
        mine, other = mine.astype(str), other.astype(str)
    first, second = match_keys(mine, other)
    for side, keys, rows in zip("ab", (mine, other), (first, second), strict=True):
        _tell_lonely(walk, name, side, np.sort(np.delete(keys, rows)))
    return first, second


def _positions(table):
    """Right ascension and declination, NaN where a row has none."""
    return read_positions(table)[:2]


def _tell_lonely(walk, name, side, only):
    """Say which rows only one catalog has."""
    if only.size and not walk.ignored("rows"):
        few = only[:LISTED].tolist()
        walk.metadata.append({"key": f"rows {name}", "only_in": side, side: few, "count": int(only.size)})


def _labelled(table, name):
    """Whether a column of whole numbers or texts names each row."""
    if name not in table.colnames or np.ma.isMaskedArray(table[name]):
        return False
    column = np.asarray(table[name])
    if column.ndim != 1 or column.dtype.kind not in "iuUS":
        return False
    if column.dtype.kind in "US":
        column = np.char.rstrip(column)
        if not np.char.str_len(column).all():
            return False
    return np.unique(column).size == column.size


def _compare_column(walk, name, columns, rows):
    missing = [column is None for column in columns]
    if any(missing):
        side = "ba"[missing.index(False) == 0]
        column = columns[missing.index(False)]
        what = f"column {_dtype(column)} {column.unit or ''}".strip()
        walk.arrays.append({"array": name, "only_in": side, side: what})
        return
    for said in ("unit", "description"):
        one, two = (getattr(column, said) for column in columns)
        walk.values(f"{name} {said}", None if one is None else str(one), None if two is None else str(two))
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
