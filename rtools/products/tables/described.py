"""What the columns of a table are, and what is in them, as tables with a row for each column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["described", "measured"]


def described(table: AstropyTable) -> AstropyTable:
    """Columns of a table: name, type, unit, meaning.

    Parameters
    ----------
    table : astropy.table.Table
        Any.

    Returns
    -------
    astropy.table.Table
        A row for each column. ``shape`` is that of a cell; empty for single values.
    """
    from astropy.table import Table

    columns = [table[name] for name in table.colnames]
    rows = {
        "name": list(table.colnames),
        "unit": ["" if column.unit is None else str(column.unit) for column in columns],
        "type": [_type(column) for column in columns],
        "shape": ["×".join(map(str, column.shape[1:])) for column in columns],
        "meaning": [" ".join((column.description or "").split()) for column in columns],
    }
    if not any(rows["shape"]):
        del rows["shape"]
    return Table({name: np.array(texts, dtype=str) for name, texts in rows.items()})


def _type(column):
    kinds = {"U": "text", "O": "list", "b": "bool"}
    return kinds.get(column.dtype.kind, column.dtype.name)


def measured(table: AstropyTable) -> AstropyTable:
    """Statistics of the columns of a table that hold numbers.

    Parameters
    ----------
    table : astropy.table.Table
        Any.

    Returns
    -------
    astropy.table.Table
        A row for each column of numbers or truth values: its unit, how many values are known (finite), the least, the
        16th, 50th and 84th percentile, the largest, mean and standard deviation, float64; NaN where nothing is known.
    """
    from astropy.table import Table

    names = [name for name in table.colnames if table[name].dtype.kind in "biuf"]
    rows = [_statistics(table[name]) for name in names]
    heads = ("known", "least", "p16", "median", "p84", "largest", "mean", "std")
    found = Table({"name": np.array(names, dtype=str)})
    found["unit"] = np.array(["" if table[name].unit is None else str(table[name].unit) for name in names], dtype=str)
    for number, head in enumerate(heads):
        found[head] = np.array([row[number] for row in rows], dtype=np.int64 if number == 0 else np.float64)
    return found


def _statistics(column):
    values = np.ravel(np.ma.compressed(np.ma.asarray(column))).astype(np.float64)
    values = values[np.isfinite(values)]
    if not values.size:
        return (0, *[np.nan] * 7)
    low, middle, high = np.percentile(values, (16, 50, 84))
    return values.size, values.min(), low, middle, high, values.max(), values.mean(), values.std()
