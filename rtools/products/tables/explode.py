"""Tables whose cells are vectors, with a row for each element."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["NUMBER", "exploded"]

NUMBER = "element"
"""Column that says which element a row is, from 0."""

COUNT = "N_ALONGDISP"
"""Column of JWST spectra: how many elements of its row are data; what follows them fills up the vectors."""


def exploded(table: AstropyTable) -> tuple[AstropyTable, list[str]]:
    """A table with a row for each element of its vectors; axes of one element do not count.

    Parameters
    ----------
    table : astropy.table.Table
        Not changed.

    Returns
    -------
    (astropy.table.Table, list of str)
        The table, with `NUMBER` as its first column, and the names of columns that are still vectors, because their
        length is not that of most: of two lengths as common the greater counts. Columns of single values are repeated.
        Elements that only fill up a row, by `COUNT`, are left out. A table without vectors stays as it is.
    """
    from astropy.table import Column, Table

    cells = {name: table[name].shape[1:] for name in table.colnames}
    vectors = {name: max(shape) for name, shape in cells.items() if shape and max(shape) == math.prod(shape)}
    if not vectors:
        return table, []
    times = Counter(vectors.values())
    length = max(times, key=lambda one: (times[one], one))
    kept = _is_data(table, length)
    rows, elements = np.nonzero(kept)
    made = Table(meta=dict(table.meta))
    made[NUMBER] = elements
    for name in table.colnames:
        column = table[name]
        part = column.reshape(len(table), length)[kept] if vectors.get(name) == length else column[rows]
        made[name] = Column(part, unit=column.unit, description=column.description) if _is_plain(part) else part
    return made, [name for name in table.colnames if made[name].ndim > 1]


def _is_plain(values):
    return not np.ma.isMaskedArray(values)


def _is_data(table, length):
    """(rows, length): which elements are no filling."""
    numbers = np.arange(length)
    counts = np.full(len(table), length)
    if COUNT in table.colnames and table[COUNT].ndim == 1:
        told = np.asarray(table[COUNT])
        counts = np.where((told > 0) & (told <= length), told, length)
    return numbers < counts[:, None]
