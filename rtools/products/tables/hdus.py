"""Tables of FITS files by their names: which there are, which is the main one, and one of them with its metadata."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rtools.errors import InputError
from rtools.products.fits.read import open_fits

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.table import Table as AstropyTable

__all__ = ["main_table", "read_hdu", "table_names"]

TREE = "ASDF"
"""EXTNAME of the table of one cell that is an ASDF file, which is no table for anybody."""

MAIN = ("EXTRACT1D", "COMBINE1D", "OI_VIS2", "SOLNS", "INT_TIMES")
"""Names of the table that a JWST product is made for, the first that there is."""

TABLES = ("BINTABLE", "TABLE")


def table_names(path: str | Path) -> tuple[str, ...]:
    """Names of the tables of a FITS file.

    Parameters
    ----------
    path : str or Path
        The file; its headers are read.

    Returns
    -------
    tuple of str
        EXTNAME, with EXTVER behind a comma where it is not 1 (``EXTRACT1D,2``), in the order of the file; empty for a
        table without a name.

    Raises
    ------
    InputError
        The file is damaged.
    """
    with open_fits(path) as hdus:
        return tuple(_named(hdus))


def main_table(names: Sequence[str]) -> str:
    """The table that is read where none is named.

    Parameters
    ----------
    names : sequence of str
        As `table_names` gives them, one at least.

    Returns
    -------
    str
        The first of them that is in `MAIN`, in the order of that; else the first.
    """
    return next((name for name in MAIN if name in names), names[0])


def read_hdu(path: str | Path, name: str | None = None) -> AstropyTable:
    """One table of a FITS file.

    Parameters
    ----------
    path : str or Path
        The file.
    name : str, optional
        ``EXTNAME`` or ``EXTNAME,EXTVER``, in any letter case; by default the main table, which a file of rt-fits, an
        image, does not have.

    Returns
    -------
    astropy.table.Table
        With units, descriptions (TCOMMn) and, as metadata, the keywords of its header.

    Raises
    ------
    InputError
        There is no such table; the message says which there are.
    """
    from astropy.table import Table

    with open_fits(path) as hdus:
        found = _named(hdus)
        if name is None and TREE in hdus and str(hdus[0].header.get("TELESCOP", "")).strip() != "JWST":
            raise InputError("an image of rt-fits, which makes ASDF of it", path=path)
        if not found:
            raise InputError("has no table", path=path)
        wanted = main_table(list(found)) if name is None else re.sub(",1$", "", name.strip().upper())
        if wanted not in found:
            raise InputError(f"has no table {name}", mend=f"there are {' '.join(found)}", path=path)
        hdu = found[wanted]
        table = Table.read(hdu, mask_invalid=False, unit_parse_strict="silent")
        for number, column in enumerate(hdu.columns.names, 1):
            if f"TCOMM{number}" in hdu.header and column in table.colnames:
                table[column].description = str(hdu.header[f"TCOMM{number}"])
    return table


def _named(hdus: fits.HDUList) -> dict[str, fits.BinTableHDU]:
    """Name to table, the first of a name."""
    found: dict[str, fits.BinTableHDU] = {}
    for hdu in hdus:
        if hdu.header.get("XTENSION") in TABLES and hdu.name != TREE:
            found.setdefault(hdu.name if hdu.ver == 1 else f"{hdu.name},{hdu.ver}", hdu)
    return found
