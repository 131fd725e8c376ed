"""Catalogs as text: panels of columns on a terminal, tab-separated lines in a pipe, plain values for JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from rtools.show.table import TextColumn, print_columns

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["print_catalog"]

ROWS = 20
"""Rows that a terminal gets unless more are asked for."""

LONGEST = 4
"""Elements of a vector that a terminal gets; of a longer one the first, the last and their number."""

QUICK = tuple(map(np.dtype, ("f8", "i2", "u2", "i4", "u4", "i8", "u8", "?")))
"""Types whose values numpy and Python write alike."""


def print_catalog(
    table: AstropyTable, title: str, *, whole: bool = False, note: Callable[[str], None] | None = None
) -> None:
    """Print a catalog on standard output.

    Parameters
    ----------
    table : astropy.table.Table
        The rows that are shown, at most.
    title : str
        Line above it on a terminal.
    whole : bool
        All rows on a terminal, too; otherwise it gets some.
    note : callable, optional
        Takes a text if there are more rows than are shown.
    """
    if not sys.stdout.isatty():
        sys.stdout.write("\t".join(table.colnames) + "\n")
        columns = [_texts(table[name]) for name in table.colnames]
        sys.stdout.writelines("\t".join(row) + "\n" for row in zip(*columns, strict=True))
        return
    shown = table if whole else table[:ROWS]
    print(f"{title}: {len(table)} rows, {len(table.colnames)} columns")
    print_columns([_column(shown, name) for name in table.colnames])
    if len(shown) < len(table) and note is not None:
        note(f"the first {len(shown)} of {len(table)} rows; --head says how many")


def _column(table, name):
    """A column with its name and its unit above it."""
    column = table[name]
    texts = [_short(value, column.unit) for value in column]
    return TextColumn(texts, (name, "" if column.unit is None else str(column.unit)), column.dtype.kind in "iuf")


def _short(value, unit):
    if isinstance(value, np.floating | float):
        return f"{value:.6f}" if str(unit) == "deg" else f"{value:.5g}"
    if isinstance(value, np.ndarray) and value.size > LONGEST:
        first, last = (_short(end, unit) for end in (value.flat[0], value.flat[value.size - 1]))
        return f"{first} … {last} ({value.size})"
    return _exact(value)


def _texts(column):
    """Values of a column so that they read back as they are; plain numbers all at once."""
    if column.ndim == 1 and column.dtype in QUICK and not isinstance(column, np.ma.MaskedArray):
        return list(map(str, column.tolist()))
    return [_exact(value) for value in column]


def _exact(value):
    """A value so that it reads back as it is."""
    if value is np.ma.masked:
        return ""
    if isinstance(value, np.ndarray):
        return " ".join(map(str, value.ravel().tolist()))
    return str(value).replace("\t", " ").replace("\n", " ")
