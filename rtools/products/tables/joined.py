"""Rows of several tables side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import UsageError

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["joined"]


def joined(
    tables: Sequence[AstropyTable],
    rows: Sequence[np.ndarray],
    suffixes: Sequence[str],
    more: Mapping[str, tuple[np.ndarray, str | None, str]],
) -> AstropyTable:
    """Rows of tables side by side.

    Parameters
    ----------
    tables : sequence of astropy.table.Table
        Not changed.
    rows : sequence of ndarray of int
        For each table its row in each row of the result; -1 where it has none.
    suffixes : sequence of str
        For each table what is put behind the names that more than one table has, or that `more` has.
    more : mapping of str to (ndarray, str or None, str)
        Other columns: values, unit and description.

    Returns
    -------
    astropy.table.Table
        With units and descriptions. Where a table has no row its columns have no value (NaN, masked).

    Raises
    ------
    UsageError
        An empty suffix would make two columns of one name.
    """
    from astropy.table import Column, Table

    names = _names([table.colnames for table in tables], suffixes, more)
    result = Table()
    for table, chosen, called in zip(tables, rows, names, strict=True):
        for name in table.colnames:
            result[called[name]] = _taken(table[name], chosen)
    for name, (values, unit, description) in more.items():
        result[name] = Column(values, unit=unit, description=description)
    return result


def _names(columns, suffixes, more):
    """For each table what its columns are called in the result, each name once.

    What only one table has keeps its name. What several have gets the suffix of its table, and once more where the name
    is that of another column.
    """
    counts = Counter(name for names in (*columns, more) for name in names)
    taken = {name for name, count in counts.items() if count == 1} | set(more)
    found = []
    for names, suffix in zip(columns, suffixes, strict=True):
        called = {name: name for name in names}
        for name in (name for name in names if counts[name] > 1):
            wanted = f"{name}{suffix}"
            while wanted in taken:
                if not suffix:
                    raise UsageError(f"two columns would be called {wanted}", mend="--suffixes without an empty one")
                wanted += suffix
            taken.add(wanted)
            called[name] = wanted
        found.append(called)
    return found


def _taken(column, rows):
    """Rows of a column; without a value where the row is -1."""
    from astropy.table import Column, MaskedColumn

    gone = rows < 0
    described = {"unit": column.unit, "description": column.description}
    if len(column) == 0:
        data = np.ma.masked_all((len(rows), *column.shape[1:]), column.dtype)
    else:
        data = column[np.where(gone, 0, rows)]
    if not gone.any():
        kind = MaskedColumn if np.ma.isMaskedArray(data) else Column
        return kind(data, **described)
    if column.dtype.kind == "f":
        values = np.array(np.ma.filled(np.ma.asarray(data), np.nan))
        values[gone] = np.nan
        return Column(values, **described)
    found = MaskedColumn(data, **described)
    found[gone] = np.ma.masked
    return found
