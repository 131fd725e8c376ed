"""One column of a table in a JWST file, read by its place; astropy is not needed, nor are the other columns."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from rtools.errors import InputError
from rtools.products.io.mapping import map_array
from rtools.products.jwst.hdus import JwstHdu

__all__ = ["read_column"]

FORM = re.compile(r"(\d*)([LXBIJKAEDCMPQ])")
WIDTHS = {"L": 1, "B": 1, "I": 2, "J": 4, "K": 8, "A": 1, "E": 4, "D": 8, "C": 8, "M": 16, "P": 8, "Q": 16}
"""Bytes of one value by the letter of TFORM; bits (X) are eight to a byte."""

NUMBERS = {"B": "u1", "I": ">i2", "J": ">i4", "K": ">i8", "E": ">f4", "D": ">f8"}


def read_column(path: str | Path, hdu: JwstHdu, name: str, rows: slice = slice(None)) -> np.ndarray | None:
    """Numbers of a column.

    Parameters
    ----------
    path : str or Path
        The file.
    hdu : JwstHdu
        A binary table in it.
    name : str
        Of the column, in any letter case.
    rows : slice
        Which rows; all by default.

    Returns
    -------
    ndarray or None
        As they are stored, without TSCAL and TZERO, in native byte order; one axis, or two where a cell is a vector.
        None where the table has no column of this name, or one without numbers.

    Raises
    ------
    InputError
        The file is no longer what it was, or its columns do not fill its rows.
    """
    place = 0
    found: tuple[str, int, int] | None = None
    for number in range(1, hdu.values.get("TFIELDS", 0) + 1):
        told = FORM.match(str(hdu.values.get(f"TFORM{number}", "")).strip())
        if told is None:
            raise InputError(f"a bad header: TFORM{number} of {hdu.name}", path=path)
        count = int(told[1] or 1)
        if str(hdu.values.get(f"TTYPE{number}", "")).upper() == name.upper():
            found = NUMBERS.get(told[2], ""), count, place
        place += -(-count // 8) if told[2] == "X" else count * WIDTHS[told[2]]
    if place != hdu.values["NAXIS1"]:
        raise InputError(f"a bad header: the columns of {hdu.name} do not fill its rows", path=path)
    if found is None or not found[0] or not hdu.rows:
        return None
    code, count, offset = found
    shape = (count,) if count > 1 else ()
    form = np.dtype({"names": ["x"], "formats": [(code, shape)], "offsets": [offset], "itemsize": place})
    try:
        values = map_array(path, form, hdu.data, (hdu.rows,))["x"][rows]
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({' '.join(str(error).split())})", path=path) from None
    return np.array(values, values.dtype.newbyteorder("="))
