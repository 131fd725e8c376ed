"""Tables for other programs, written only: JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["plain_rows", "write_json"]


def write_json(table: AstropyTable, messages: list[str]) -> bytes:
    """A list of objects, one a row, as pandas and jq read it; null for what is not known.

    Parameters
    ----------
    table : astropy.table.Table
        Any.
    messages : list of str
        Gets a line where units or descriptions are lost.

    Returns
    -------
    bytes
        The whole file.
    """
    if any(column.unit or column.description for column in table.itercols()):
        messages.append("JSON has no place for units and descriptions; ECSV has")
    rows = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in plain_rows(table))
    return ("[" + ",\n".join(rows) + "]\n").encode()


def plain_rows(table: AstropyTable) -> list[dict[str, Any]]:
    """Rows of a table as plain values; None for what is not known.

    Parameters
    ----------
    table : astropy.table.Table
        Any.

    Returns
    -------
    list of dict
        One mapping for each row, name of the column to value.
    """
    columns = [_plain(table[name]) for name in table.colnames]
    return [dict(zip(table.colnames, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(column):
    """Values of a column as JSON has them."""
    values = column.astype(str).tolist() if column.dtype.kind == "c" else column.tolist()
    if column.dtype.kind == "f" and column.ndim == 1:  # float32 with the digits that it has
        return [float(str(one)) if np.isfinite(one) else None for one in np.ma.filled(np.ma.asarray(column), np.nan)]
    return [_finite(one) for one in values]


def _finite(value):
    """A value, or a list of them, with None for what is not known."""
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
