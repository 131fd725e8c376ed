"""Columns of tables as numbers to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import NDArray

__all__ = ["column_values"]


def column_values(table: Table, name: str) -> NDArray[np.float64]:
    """A column as float64, NaN where it has no value.

    Parameters
    ----------
    table : astropy.table.Table
        With or without masked columns.
    name : str
        Of the column.

    Returns
    -------
    ndarray float64
    """
    return np.ma.filled(np.ma.asarray(table[name], float), np.nan)
