"""Catalogs as parquet, with columns of every type that Arrow knows; see `rtools.products.tables.files`."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import RtoolsError
from rtools.products.tables import flat as flatmeta
from rtools.products.tables.metadata import NOT_OURS, TABLE_KEY
from rtools.products.tables.parquet_files import parquet_source

if TYPE_CHECKING:
    from astropy.table import Column
    from astropy.table import Table as AstropyTable
    from pyarrow import Array as ArrowArray
    from pyarrow import ChunkedArray

__all__ = ["from_arrow", "read_parquet", "to_arrow", "write_parquet"]

VALUE = 8
"""Bytes that a value takes in memory, about: runs of equal values take next to nothing in a file."""


def read_parquet(path: str | Path, wanted: Callable[[str], bool] | None = None) -> AstropyTable:
    """The table of a parquet file.

    astropy's own reader wants pandas, and knows neither units of fields nor the archive's metadata.

    Parameters
    ----------
    path : str or Path
        The file.
    wanted : callable, optional
        Whether a column of this name is read; all are by default. Descriptions of some are not looked for where each
        says its unit itself.

    Returns
    -------
    astropy.table.Table
        With units, descriptions and metadata, the archive's under flat keys.

    Raises
    ------
    ValueError
        It states more rows than memory could hold.
    """
    from astropy import units
    from astropy.table import Table
    from pyarrow import parquet

    with parquet.ParquetFile(parquet_source(path)) as file:
        _check_room(file.metadata)
        arrow = file.read(None if wanted is None else list(filter(wanted, file.schema_arrow.names)))
    texts = {key.decode(): value.decode("utf-8", "replace") for key, value in (arrow.schema.metadata or {}).items()}
    complete = wanted is not None and all(b"unit" in (field.metadata or {}) for field in arrow.schema)
    header = {} if complete else _yaml_header(texts.get(TABLE_KEY))
    described = {entry["name"]: entry for entry in header.get("datatype", ())}
    meta = {key: value for key, value in (header.get("meta") or {}).items() if not key.startswith("__")}
    meta |= {key: value for key, value in texts.items() if key not in NOT_OURS}
    table = Table(meta=meta)
    for field, column in zip(arrow.schema, arrow.columns, strict=True):
        entry = described.get(field.name, {})
        unit = (field.metadata or {}).get(b"unit", b"").decode()
        unit = entry.get("unit") if unit in ("", "None") else unit
        table[field.name] = from_arrow(column)
        table[field.name].unit = None if unit is None else units.Unit(unit, parse_strict="silent")
        table[field.name].description = entry.get("description")
    return table


def _check_room(about):
    """Refuse rows that the memory of this machine could not hold."""
    needed = about.num_rows * about.num_columns * VALUE
    room = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > room:
        raise ValueError(f"it states {about.num_rows} rows, which take {needed / 2**30:.0f} GiB of memory")


def _yaml_header(text):
    from astropy.table.meta import YamlParseError, get_header_from_yaml

    try:
        return get_header_from_yaml(text.splitlines()) if text else {}
    except YamlParseError:
        return {}


def from_arrow(column: ChunkedArray) -> Column:
    """A column of a table from one of Arrow.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        As pyarrow reads it.

    Returns
    -------
    astropy.table.Column
        Numbers, truth values or text, masked where it has nulls (floats: NaN). Categories, times and bytes become what
        they stand for, decimals floats; lists of one length are rows of an array, other lists and structures objects.
    """
    import pyarrow
    from astropy.table import Column, MaskedColumn
    from pyarrow import types

    if types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if types.is_null(kind):
        return Column(np.full(len(column), np.nan))
    if types.is_decimal(kind):
        column = column.cast(pyarrow.float64())
    if types.is_duration(kind):
        column = column.cast(pyarrow.int64())
    if types.is_floating(column.type):
        return Column(column.to_numpy())
    missing = column.is_null().to_numpy()
    if types.is_integer(column.type):
        values = np.asarray((column.fill_null(0) if missing.any() else column).to_numpy())
    elif types.is_boolean(kind):
        values = np.asarray((column.fill_null(False) if missing.any() else column).to_numpy())
    elif types.is_nested(kind):
        return _nested(column.to_pylist(), missing)
    else:
        values = np.array(["" if value is None else _text(value) for value in _scalars(column)], dtype=str)
    return MaskedColumn(values, mask=missing) if missing.any() else Column(values)


def _scalars(column):
    """Values of a column that is neither of numbers nor nested; times as text, which keeps all of their digits."""
    import pyarrow

    if pyarrow.types.is_temporal(column.type):
        column = column.cast(pyarrow.string())
    return column.to_pylist()


def _text(value):
    """Text as it is, bytes as the text that they are, else as hexadecimal digits."""
    if not isinstance(value, bytes):
        return str(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.hex()


def _nested(rows, missing):
    """Lists of one length as an array, others as objects; structures, and lists of lists, as JSON."""
    from astropy.table import Column, MaskedColumn

    if not missing.any():
        with suppress(ValueError):  # of several lengths
            values = np.array(rows)
            if values.ndim > 1 and values.size and values.dtype.kind in "biufU":
                return Column(values)
    lists = all(row is None or (isinstance(row, list) and all(map(_is_single, row))) for row in rows)
    if lists:
        values = np.empty(len(rows), object)
        values[:] = rows
    else:
        values = np.array(["" if row is None else json.dumps(row, default=str) for row in rows], dtype=str)
    return MaskedColumn(values, mask=missing) if missing.any() else Column(values)


def _is_single(value):
    return value is None or isinstance(value, bool | int | float | str)


def write_parquet(table: AstropyTable, _messages: list[str]) -> bytes:
    """Bytes of a parquet file, as the archive's: metadata under flat keys, units in those of the fields.

    Parameters
    ----------
    table : astropy.table.Table
        With units, descriptions and metadata; not changed.
    _messages : list of str
        Not used: parquet has a place for all.

    Returns
    -------
    bytes
        The whole file, not compressed.

    Raises
    ------
    RtoolsError
        A column holds complex numbers.
    """
    import pyarrow
    from astropy.table import Table
    from astropy.table.meta import get_yaml_from_table
    from pyarrow import parquet

    flat = flatmeta.flatten(flatmeta.ours(table.meta))
    rest = {key: value for key, value in table.meta.items() if key not in flatmeta.ours(table.meta)}
    described = Table(table.columns, copy=False)
    described.meta = rest
    flat[TABLE_KEY] = "\n".join(get_yaml_from_table(described))
    arrays = [to_arrow(table[name]) for name in table.colnames]
    fields = [
        pyarrow.field(name, array.type, metadata={"unit": str(table[name].unit or "None")})
        for name, array in zip(table.colnames, arrays, strict=True)
    ]
    out = io.BytesIO()
    schema = pyarrow.schema(fields, metadata=flat)
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), out, compression="none")
    return out.getvalue()


def to_arrow(column: Column) -> ArrowArray:
    """A column as an array of Arrow, with nulls where it is masked.

    Parameters
    ----------
    column : astropy.table.Column
        Of a table; of any number of axes.

    Returns
    -------
    pyarrow.Array
        Of as many values as the column has rows.

    Raises
    ------
    RtoolsError
        The column holds complex numbers.
    """
    import pyarrow

    mask = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else None
    values = np.asarray(column)
    if values.dtype.kind == "c":
        raise RtoolsError(f"the column {column.name} holds complex numbers, which parquet has no type for")
    if values.dtype.kind in "UO" or values.ndim > 1:
        return pyarrow.array(values.tolist() if mask is None else column.tolist())
    return pyarrow.array(values, mask=mask)
