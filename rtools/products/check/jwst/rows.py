"""Columns of FITS tables, some rows at a time: spectra of a time series may be more than memory has room for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from rtools.errors import InputError
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import JwstProduct

__all__ = ["column_of", "columns_of", "row_pieces"]

STORED = {"L": "u1", "X": "u1", "B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8", "C": ">c8",
          "M": ">c16", "A": "S", "P": ">i4", "Q": ">i8"}  # fmt: skip
"""Numpy's type for the letter of TFORM; descriptors of the heap are two numbers."""

BYTES = 1 << 24
"""Bytes of a table that are in memory at a time."""


def row_pieces(product: JwstProduct, hdu: JwstHdu, names: Iterable[str]) -> Iterator[dict[str, np.ndarray]]:
    """Some columns of some rows after another, integers with TZERO added.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    hdu : JwstHdu
        One of its tables.
    names : iterable of str
        Columns; those that the table lacks are left out.

    Yields
    ------
    dict of str to ndarray
        (rows,) or (rows, values of a cell), in native byte order.

    Raises
    ------
    InputError
        The table is not laid out as its header says.
    """
    dtype = _row_type(hdu)
    if dtype.itemsize != hdu.values["NAXIS1"]:
        raise InputError(f"rows of its table {hdu.name} are not as long as its columns", path=product.path)
    wanted = [name for name in names if name in (dtype.names or ())]
    if not hdu.rows or not wanted:
        return
    mapped = np.memmap(product.path, dtype, "r", hdu.data, (hdu.rows,))
    zeros = {hdu.values[f"TTYPE{number}"]: zero for number, zero in _zeros(hdu)}
    step = max(1, BYTES // max(1, dtype.itemsize))
    for start in range(0, hdu.rows, step):
        rows = mapped[start : start + step]
        yield {name: _native(rows[name], zeros.get(name, 0)) for name in wanted}


def _zeros(hdu):
    """(number, TZERO) of columns that have one, which makes other integers of what is stored."""
    for number in range(1, hdu.values["TFIELDS"] + 1):
        if hdu.values.get(f"TZERO{number}"):
            yield number, int(hdu.values[f"TZERO{number}"])


def _native(values, zero):
    native = values.astype(values.dtype.newbyteorder("="))
    return native.astype(np.int64) + zero if zero and native.dtype.kind in "iu" else native


def column_of(product: JwstProduct, hdu: JwstHdu, name: str) -> np.ndarray | None:
    """One column of a small table in memory; None where the table lacks it.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    hdu : JwstHdu
        One of its tables.
    name : str
        Of the column.

    Returns
    -------
    ndarray or None
        As `row_pieces` gives it, of all rows.
    """
    found = columns_of(product, hdu, name)
    return found[0] if found else None


def columns_of(product: JwstProduct, hdu: JwstHdu | None, *names: str) -> list[np.ndarray]:
    """Several columns of a small table in memory; none of them where the table, its rows or any of them is missing.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    hdu : JwstHdu or None
        One of its tables.
    *names : str
        Of the columns.

    Returns
    -------
    list of ndarray
        As `row_pieces` gives them, of all rows.
    """
    pieces = [] if hdu is None else list(row_pieces(product, hdu, names))
    if not pieces or not set(names) <= set(pieces[0]):
        return []
    return [np.concatenate([piece[name] for piece in pieces]) for name in names]


def _row_type(hdu):
    fields = []
    for number in range(1, hdu.values["TFIELDS"] + 1):
        form = re.fullmatch(r"(\d*)([A-Z]).*", str(hdu.values[f"TFORM{number}"]).strip())
        if form is None or form[2] not in STORED:
            raise InputError(f"TFORM{number} of its table {hdu.name} is not of FITS")
        repeat = int(form[1] or 1)
        name = str(hdu.values.get(f"TTYPE{number}", number)).strip()
        fields.append((name, *_field(form[2], repeat)))
    return np.dtype(fields)


def _field(letter, repeat):
    if letter == "A":
        return (f"S{repeat}",)
    if letter == "X":
        return "u1", (-(-repeat // 8),)
    if letter in "PQ":
        return STORED[letter], (2 * repeat,)
    return (STORED[letter],) if repeat == 1 else (STORED[letter], (repeat,))
