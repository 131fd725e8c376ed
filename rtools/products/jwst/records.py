"""Rows of binary tables as records of numpy, and back, without a bit that changes.

Unsigned columns are those that TZERO makes, logical ones are of the type bool; columns with another scale are as they
are stored. Rows that no record can hold so (names that occur twice, undefined logical values, cells without width, the
text of ASCII tables) are bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from rtools.products.fits import pixel_types

__all__ = ["as_records", "as_rows"]

TYPES = {"L": "S1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "C": ">c8", "M": ">c16"}
"""Letter of TFORM to the type of one element."""

DESCRIPTORS = {"P": ">i4", "Q": ">i8"}
"""Letter of TFORM to the type of the two numbers that say where in the heap a cell is."""


class _Column(NamedTuple):
    """How a column is stored, and as what type it is decoded."""

    name: str
    stored: np.dtype
    decoded: np.dtype


def as_records(rows: np.ndarray, values: Mapping[str, Any]) -> np.ndarray:
    """Rows of a table as records.

    Parameters
    ----------
    rows : ndarray of uint8, (rows, NAXIS1)
        As they are in the file.
    values : mapping
        Keywords of the header.

    Returns
    -------
    ndarray
        Records in native byte order; `rows` where these cannot be all that stands there.
    """
    columns = _columns(values, rows.shape[1])
    if columns is None:
        return rows
    stored = np.ascontiguousarray(rows).reshape(-1).view(_joined(columns, "stored"))
    made = np.empty(len(rows), _joined(columns, "decoded"))
    for column in columns:
        part = stored[column.name]
        if column.decoded.base == np.bool_:
            if not np.isin(part, [b"T", b"F"]).all():
                return rows
            made[column.name] = part == b"T"
        else:
            flipped = column.decoded.base.name in pixel_types.ZEROS
            made[column.name] = pixel_types.decode(part, column.decoded.base, flipped=True) if flipped else part
    return made


def as_rows(records: np.ndarray, values: Mapping[str, Any]) -> np.ndarray | None:
    """Rows of a table as they are in the file; the way back of `as_records`.

    Parameters
    ----------
    records : ndarray
        Records, or bytes of two axes.
    values : mapping
        Keywords of the header.

    Returns
    -------
    ndarray of uint8, (rows, NAXIS1), or None
        None where the records are not those of such a header.
    """
    shape = values["NAXIS2"], values["NAXIS1"]
    if records.dtype == np.uint8 and records.dtype.names is None:
        return records if records.shape == shape else None
    columns = _columns(values, shape[1])
    if columns is None or records.shape != shape[:1]:
        return None
    made = np.empty(shape[0], _joined(columns, "stored"))
    for column in columns:
        part = records[column.name] if column.name in (records.dtype.names or ()) else None
        if part is None or part.dtype.newbyteorder("=") != column.decoded.base.newbyteorder("="):
            return None
        if column.decoded.base == np.bool_:
            made[column.name] = np.where(part, b"T", b"F")
        else:
            flipped = column.decoded.base.name in pixel_types.ZEROS
            plain = np.ascontiguousarray(part)
            made[column.name] = pixel_types.encode(plain, flipped=True) if flipped else plain
    return made.view(np.uint8).reshape(shape)


def _columns(values, width):
    """All columns of a table; None where no record has just these bytes."""
    if values.get("XTENSION") != "BINTABLE":
        return None
    found = [_column(values, number) for number in range(1, values.get("TFIELDS", 0) + 1)]
    known = [column for column in found if column is not None and column.stored.itemsize > 0]
    whole = len(known) == len(found) and sum(column.stored.itemsize for column in known) == width > 0
    return known if whole and len({column.name for column in known}) == len(known) else None


def _column(values, number):
    """One column; None where its form is none of FITS."""
    form = re.fullmatch(r"(\d*)([A-Z])(.*)", str(values.get(f"TFORM{number}", "")).strip())
    name = str(values.get(f"TTYPE{number}") or f"col{number}")
    if form is None:
        return None
    count, letter = int(form[1] or 1), form[2]
    if letter == "A":
        dtype = np.dtype(f"S{count}")
        return _Column(name, dtype, dtype)
    if letter == "X":
        dtype = np.dtype(("u1", (-(-count // 8),)))
        return _Column(name, dtype, dtype)
    if letter in DESCRIPTORS:
        dtype = np.dtype((DESCRIPTORS[letter], (2,)))
        return _Column(name, dtype, dtype.newbyteorder("=")) if count == 1 else None
    if letter not in TYPES:
        return None
    base, cell = np.dtype(TYPES[letter]), _cell(values.get(f"TDIM{number}"), count)
    zero, scale = values.get(f"TZERO{number}", 0), values.get(f"TSCAL{number}", 1)
    unsigned = next((kind for kind, shift in pixel_types.ZEROS.items()
                     if (pixel_types.STORED[kind], shift) == (base.str[1:], zero) and scale == 1), None)  # fmt: skip
    decoded = np.dtype("?") if letter == "L" else np.dtype(unsigned) if unsigned else base.newbyteorder("=")
    return _Column(name, np.dtype((base, cell)), np.dtype((decoded, cell)))


def _cell(told, count):
    """Shape of a cell, slowest axis first; () for one value."""
    axes = tuple(int(axis) for axis in re.findall(r"\d+", str(told or "")))[::-1]
    if axes and int(np.prod(axes)) == count:
        return axes
    return () if count == 1 else (count,)


def _joined(columns, which):
    return np.dtype([(column.name, getattr(column, which)) for column in columns])
