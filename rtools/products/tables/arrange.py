"""The columns of a table that names and globs choose, and its rows in an order."""

import numpy as np

from rtools.errors import UsageError
from rtools.products.tables.where import missing_column

__all__ = ["choose_columns", "sort_rows"]


def choose_columns(table, patterns):
    """A table of the columns that names or globs (``aper*_flux``) say, in their order.

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


def sort_rows(table, keys):
    """A table in the order of columns, the first the most important; ``-COL`` descends. What is not known comes last.

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
