"""The columns of a table that names and globs choose, and its rows in an order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import UsageError
from rtools.products.tables.missing import missing_column

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["choose_columns", "sort_rows"]


def choose_columns(table: AstropyTable, patterns: Iterable[str]) -> AstropyTable:
    """A table of the columns that names or globs (``aper*_flux``) say, in their order.

    Parameters
    ----------
    table : astropy.table.Table
        Not changed.
    patterns : iterable of str
        Names or globs.

    Returns
    -------
    astropy.table.Table
        A copy, each column once.

    Raises
    ------
    InputError
        There is no such column.
    """
    from fnmatch import fnmatchcase

    chosen = []
    for pattern in patterns:
        found = [name for name in table.colnames if name == pattern or fnmatchcase(name, pattern)]
        if not found:
            raise missing_column(pattern, table.colnames)
        chosen += [name for name in found if name not in chosen]
    return table[chosen]


def sort_rows(table: AstropyTable, keys: Sequence[str]) -> AstropyTable:
    """A table in the order of columns, the first the most important; ``-COL`` descends. What is not known comes last.

    Parameters
    ----------
    table : astropy.table.Table
        Not changed.
    keys : sequence of str
        Names of columns, each perhaps after a ``-``.

    Returns
    -------
    astropy.table.Table
        A copy; rows that are alike keep their order.

    Raises
    ------
    InputError
        There is no such column.
    UsageError
        It holds lists.
    """
    order = np.arange(len(table))
    for key in reversed(keys):
        name = key.removeprefix("-")
        if name not in table.colnames:
            raise missing_column(name, table.colnames)
        column = table[name][order]
        if column.ndim != 1 or column.dtype.kind == "O":
            raise UsageError(f"the column {name} has no single value a row to sort by")
        unknown = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else np.zeros(len(column), bool)
        values = np.asarray(column)
        if values.dtype.kind == "f":
            unknown = unknown | np.isnan(values)
        ranks = np.unique(values, return_inverse=True)[1].reshape(len(values))
        ranks = np.where(unknown, len(values), -ranks if key != name else ranks)
        order = order[np.argsort(ranks, kind="stable")]
    return table[order]
