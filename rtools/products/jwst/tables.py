"""Tables of JWST files in memory."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.products.jwst.hdus import JwstHdu

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["read_ecsv_table", "read_hdu_rows", "read_hdu_table"]


def read_ecsv_table(path: str | Path) -> Table:
    """The table of an ECSV file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    astropy.table.Table
        A column of positions is two, ``.ra`` and ``.dec``, as the file has it.

    Raises
    ------
    InputError
        It is damaged.
    """
    return _with_angles(_read_rows(path, {"format": "ascii.ecsv"}, path))


def _with_angles(table: Table) -> Table:
    """The table with the two angles of each position in columns of their own."""
    from astropy.coordinates import SkyCoord
    from astropy.table import Column, Table

    columns: dict[str, Any] = {}
    for name in table.colnames:
        column = table[name]
        if isinstance(column, SkyCoord):
            columns[f"{name}.ra"] = Column(column.icrs.ra.deg, unit="deg")
            columns[f"{name}.dec"] = Column(column.icrs.dec.deg, unit="deg")
        else:
            columns[name] = column
    return Table(columns, meta=table.meta, copy=False)


def read_hdu_table(path: str | Path, hdu: JwstHdu) -> Table:
    """The table of an HDU.

    Parameters
    ----------
    path : str or Path
        The file.
    hdu : JwstHdu
        One of its HDUs.

    Returns
    -------
    astropy.table.Table
        Columns with their units, vector cells as further dimensions.

    Raises
    ------
    InputError
        It is no table, or damaged.
    """
    with _opened(path, hdu) as table:
        return _read_rows(path, {"mask_invalid": False, "unit_parse_strict": "silent"}, table)


def read_hdu_rows(path: str | Path, hdu: JwstHdu) -> np.ndarray:
    """The rows of an HDU without units; astropy.table, which takes long to import, is not needed.

    Parameters
    ----------
    path : str or Path
        The file.
    hdu : JwstHdu
        One of its HDUs.

    Returns
    -------
    structured ndarray
        In memory and in native byte order; text as str.

    Raises
    ------
    InputError
        It is no table, or damaged.
    """
    with _opened(path, hdu) as table, _damage_told(path):
        data = table.data
        columns = {name: np.asarray(data[name]) for name in data.names}
    rows = np.empty(len(data), [(name, one.dtype.newbyteorder("="), one.shape[1:]) for name, one in columns.items()])
    for name, column in columns.items():
        rows[name] = column
    return rows


@contextmanager
def _opened(path, hdu):
    """The HDU of a table, as astropy has it."""
    from rtools.products.fits.read import open_fits  # with what a look at headers does not need

    if not hdu.is_table:
        raise InputError(f"its extension {hdu.name} is not a table", path=path)
    with open_fits(path) as hdus:
        yield hdus[hdu.number]


@contextmanager
def _damage_told(path):
    """What goes wrong inside is damage of the table."""
    try:
        yield
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise InputError(f"its table cannot be read ({' '.join(str(error).split())})", path=path) from None


def _read_rows(path: str | Path, options: dict[str, Any], source: Any) -> Table:
    from astropy.table import Table

    with _damage_told(path):
        return Table.read(source, **options).copy()
