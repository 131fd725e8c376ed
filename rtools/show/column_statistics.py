"""Statistics of the columns of a JWST product's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products.edit.planes import EVERY_PLANE, Choice
from rtools.products.edit.table_columns import TableColumn, read_columns, table_columns
from rtools.show.plane_statistics import bits_of_words
from rtools.show.statistics import PlaneStatistics, describe_good

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace
    from rtools.products.jwst import JwstProduct

__all__ = ["columns_by_default", "measure_columns", "real_columns"]

OF_THE_EXPOSURE = ("INT_TIMES", "GROUP", "HDRTAB", "WCS-TABLE")
"""Tables that go along with images and say something of them; they are described only where they are named."""


def real_columns(product: ProductFace) -> list[str]:
    """Names of a product's columns of real numbers.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.

    Returns
    -------
    list of str
        As `rtools.products.edit.table_columns.table_columns` calls them.
    """
    return [name for name, column in table_columns(product).items() if column.is_numeric]


def columns_by_default(product: ProductFace) -> list[str]:
    """Names of the columns that are described where none is named.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.

    Returns
    -------
    list of str
        Those of real numbers but flags, of all tables that are not of `OF_THE_EXPOSURE`.
    """
    columns = table_columns(product)
    names = [name for name in real_columns(product) if product.flag_bits(name) is None]
    return [name for name in names if columns[name].table.partition(",")[0] not in OF_THE_EXPOSURE]


def measure_columns(
    product: JwstProduct,
    names: Sequence[str],
    *,
    wanted: Sequence[str],
    flags: str | None = None,
    choice: Choice = EVERY_PLANE,
    sigma: float = 3.0,
) -> Iterator[PlaneStatistics]:
    """Statistics of columns; where a cell holds many numbers, of each cell.

    Parameters
    ----------
    product : rtools.products.jwst.JwstProduct
        Opened.
    names : sequence of str
        Of `real_columns`.
    wanted : sequence of str
        Some of `rtools.show.statistics.columns`.
    flags : str, optional
        Flags of the column DQ whose values are left out, DO_NOT_USE by default; ``none`` for all finite values. A set
        FLAG counts as DO_NOT_USE.
    choice : rtools.products.edit.planes.Choice
        `integration` is the row of columns whose cells hold many numbers.
    sigma : float
        As in `rtools.show.statistics.describe`.

    Yields
    ------
    PlaneStatistics
        In the order of `names`; all of a table follow each other.
    """
    columns = [column for name, column in table_columns(product).items() if name in names]
    for _table, together in groupby(columns, key=lambda column: column.table):
        mine = list(together)
        masks = _masks(product, mine[0].table, flags)
        for column, values in read_columns(product, mine):
            yield from _of_column(product, column, values, masks, _How(wanted, choice, sigma))


class _How(NamedTuple):
    """What is said of a column."""

    wanted: Sequence[str]
    choice: Choice
    sigma: float


def _masks(product, table, flags):
    """Where values of a table are left out: an array of the rows or of the cells for each column of flags."""
    if flags == "none":
        return []
    found = []
    columns = table_columns(product).values()
    flagged = [one for one in columns if one.table == table and one.is_numeric and product.flag_bits(one.name)]
    for column, values in read_columns(product, flagged):
        if column.dtype.startswith("bool"):
            if flags is None or "DO_NOT_USE" in flags.upper():
                found.append(np.array(values, bool))
            continue
        value = bits_of_words(flags, product.flag_bits(column.name), product.mission)
        found.append((values & values.dtype.type(value & np.iinfo(values.dtype).max)) != 0)
    return found


def _of_column(product, column: TableColumn, values, masks, how):
    good = ~np.ma.getmaskarray(values)
    values = np.ma.getdata(values)
    good &= np.isfinite(values) if values.dtype.kind == "f" else True
    for mask in masks:
        if mask.ndim <= values.ndim and mask.shape == values.shape[: mask.ndim]:
            good &= ~mask.reshape(mask.shape + (1,) * (values.ndim - mask.ndim))
    native = values.dtype.newbyteorder("=")
    if values.ndim < 2:
        found = describe_good(values.astype(native), good, how.wanted, sigma=how.sigma)
        yield PlaneStatistics(column.name, None, found)
        return
    for row in _rows(product, column, len(values), how.choice.integration):
        found = describe_good(values[row].astype(native), good[row], how.wanted, sigma=how.sigma)
        yield PlaneStatistics(column.name, row, found, None, (row,))


def _rows(product, column, count, wanted):
    if wanted is None:
        return range(count)
    if not -count <= wanted < count:
        raise InputError(f"{column.table} has {count} rows, no number {wanted}", path=product.path)
    return [wanted % count]
