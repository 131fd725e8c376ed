"""The columns of a table that names and globs choose, and tables of several files as one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.expressions import missing_column

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["choose_columns", "stacked"]


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


FILE = "file"
"""Column that says which file a row of a stacked table is from."""


def stacked(tables: Mapping[str, AstropyTable]) -> AstropyTable:
    """Tables of several files as one, with a column that says which file a row is from.

    Parameters
    ----------
    tables : mapping of str to astropy.table.Table
        By name of the file; not changed. Columns of the same name are converted to the first unit that one has;
        one without a unit is taken to be in it.

    Returns
    -------
    astropy.table.Table
        All rows, in the order of the tables. Where a table lacks a column its rows have no value (NaN, masked). Of the
        metadata none is kept: they are those of single files.

    Raises
    ------
    InputError
        Columns of one name have units or types that do not go together.
    """
    from astropy.table import Column, vstack

    units: dict[str, object] = {}
    parts = []
    name_of_file = FILE if not any(FILE in table.colnames for table in tables.values()) else "input_file"
    for path, table in tables.items():
        part = table.copy()
        part.meta = {}
        for name in part.colnames:
            units[name] = units.get(name) or part[name].unit
            if part[name].unit not in (None, units[name]):
                part[name] = _converted(part[name], units[name], path)
        part.add_column(Column([path] * len(part), dtype=f"U{max(map(len, tables))}"), index=0, name=name_of_file)
        parts.append(part)
    _keep_whole(parts)
    try:
        whole = vstack(parts, join_type="outer", metadata_conflicts="silent")
    except Exception as error:  # vstack has an exception of its own for columns that do not go together
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"the tables cannot be one ({reason})", mend="choose --columns that they share") from None
    for name in whole.colnames:
        if whole[name].dtype.kind == "f" and np.ma.isMaskedArray(whole[name]):
            whole[name] = Column(np.ma.filled(whole[name], np.nan), unit=whole[name].unit,
                                 description=whole[name].description)  # fmt: skip
    return whole


def _converted(column, unit, path):
    """A column in another unit."""
    from astropy.table import Column, MaskedColumn
    from astropy.units import Unit, UnitConversionError

    masked = np.ma.isMaskedArray(column)
    try:
        values = np.asarray(np.ma.getdata(column)) * Unit(column.unit or "").to(Unit(unit or ""))
    except (UnitConversionError, TypeError, ValueError):
        raise InputError(f"{column.name} has the unit {column.unit}, elsewhere {unit}", path=path) from None
    described = {"unit": unit, "name": column.name, "description": column.description}
    return MaskedColumn(values, mask=np.ma.getmaskarray(column), **described) if masked else Column(values, **described)


def _keep_whole(parts):
    """Give columns of whole numbers one type that holds them all: numpy's common one of int64 and uint64 rounds."""
    for name in dict.fromkeys(name for part in parts for name in part.colnames):
        having = [part for part in parts if name in part.colnames]
        kinds = {part[name].dtype.kind for part in having}
        if kinds == {"i", "u"} and np.result_type(*(part[name].dtype for part in having)).kind == "f":
            numbers = [np.ma.masked_array(part[name]).compressed() for part in having]
            signed = any((each < 0).any() for each in numbers)
            if signed and any((each >= 2**63).any() for each in numbers):
                raise InputError(f"the tables cannot be one: no type holds all whole numbers of {name}")
            for part in having:
                part[name] = part[name].astype(np.int64 if signed else np.uint64)
        elif "f" in kinds and kinds & {"i", "u"}:
            numbers = [np.ma.masked_array(part[name]).compressed() for part in having if part[name].dtype.kind != "f"]
            if any(((each > 2**53) | (each < -(2**53))).any() for each in numbers):
                mend = "leave it out with --columns"
                raise InputError(f"the tables cannot be one: {name} is large whole numbers and others", mend=mend)
