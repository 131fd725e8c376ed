"""Columns of the tables of a JWST product, by name and one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace
    from rtools.products.jwst import JwstProduct

__all__ = ["NUMERIC", "TableColumn", "read_columns", "table_columns"]

NUMERIC = re.compile(r"(bool|u?int\d+|float\d+)(\[.*\])?")
"""Types of columns that hold real numbers, alone or many in a cell."""


class TableColumn(NamedTuple):
    """One column.

    Attributes
    ----------
    name : str
        ``EXTRACT1D.FLUX``, ``EXTRACT1D,2.FLUX``; of an ECSV file, which is one table, that of the column alone.
    table, column : str
        The table, as `rtools.products.jwst.JwstProduct.tables` calls it, and the column in it.
    dtype : str
        As numpy names it, ``float64[44]`` for cells of 44 numbers.
    """

    name: str
    table: str
    column: str
    dtype: str

    @property
    def is_numeric(self) -> bool:
        """Whether it holds real numbers."""
        return NUMERIC.fullmatch(self.dtype) is not None


def table_columns(product: ProductFace) -> dict[str, TableColumn]:
    """Columns of all tables of a product.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened; no rows are read.

    Returns
    -------
    dict of str to TableColumn
        By name, in the order of the file; none for a product without tables.
    """
    found = {}
    for table, stored in getattr(product, "tables", {}).items():
        for info in stored.columns:
            name = info.name if product.kind in ("cat", "phot", "whtlt") else f"{table}.{info.name}"
            found[name] = TableColumn(name, table, info.name, info.dtype)
    return found


def read_columns(product: JwstProduct, columns: Iterable[TableColumn]) -> Iterator[tuple[TableColumn, np.ndarray]]:
    """Values of some columns of one table, one after another; no more than one of them is in memory.

    Parameters
    ----------
    product : rtools.products.jwst.JwstProduct
        Opened.
    columns : iterable of TableColumn
        All of the same table.

    Yields
    ------
    (TableColumn, ndarray)
        Rows along the first axis, the numbers of a cell along further ones. It may be a read-only map of the file, in
        the byte order of FITS. What is not known is NaN in floats, masked in others.

    Raises
    ------
    InputError
        The table is damaged.
    """
    columns = list(columns)
    if not columns:
        return
    if product.form == "ecsv":
        from rtools.products.tables.files import read_catalog

        table = read_catalog(product.path)
        yield from ((one, np.ma.asanyarray(table[one.column])) for one in columns)
        return
    from rtools.products.fits.read import open_fits

    with open_fits(product.path) as hdus:
        data = hdus[product.hdu(columns[0].table).number].data
        for one in columns:
            try:
                values = np.asarray(data[one.column])
            except (KeyError, ValueError, TypeError, IndexError, OSError) as error:
                reason = " ".join(str(error).split())
                raise InputError(f"its column {one.name} cannot be read ({reason})", path=product.path) from None
            yield one, values
