"""Sources of a JWST catalog as a map, by their magnitudes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.products.tables.files import read_catalog
from rtools.show.chart import Chart, Panel, Series
from rtools.show.columns import column_values
from rtools.show.names import shown_name

if TYPE_CHECKING:
    from rtools.products.jwst import JwstProduct

__all__ = ["chart_sources"]

MAGNITUDES = ("aper_total_abmag", "isophotal_abmag", "aper70_abmag", "aper50_abmag", "aper30_abmag")
"""Columns of magnitudes; the first that is known counts."""

CLASSES = 5
"""Of brightness, with equally many sources each."""


def chart_sources(product: JwstProduct, *, array: str | None = None) -> Chart:
    """Positions of the sources in pixels of their image, in classes of magnitude.

    Parameters
    ----------
    product : JwstProduct
        A cat, opened.
    array : str, optional
        The column that makes the classes; by default the first of `MAGNITUDES` that is known.

    Returns
    -------
    rtools.show.chart.Chart
        A map, the brightest last.

    Raises
    ------
    InputError
        There is no such column, or no position.
    """
    table = read_catalog(product.path)
    for name in ("xcentroid", "ycentroid", *([array] if array else [])):
        if name not in table.colnames or table[name].dtype.kind not in "iuf":
            raise InputError(f"the column {name} is missing", path=product.path)
    x, y = column_values(table, "xcentroid"), column_values(table, "ycentroid")
    known = [name for name in MAGNITUDES if name in table.colnames and np.isfinite(column_values(table, name)).any()]
    column = array or (known[0] if known else None)
    values = np.full(len(table), np.nan) if column is None else column_values(table, column)
    series = _classes(x, y, values, faint_first=column is not None and "mag" in column)
    unit = table[column].unit if column else None
    note = f"{len(table)} sources by {column}" + f" [{unit}]" * bool(unit) if column else f"{len(table)} sources"
    title = f"{shown_name(product)}  {note}"
    return Chart(title, "x [pixel]", (Panel("y [pixel]", tuple(series)),), is_map=True)


def _classes(x, y, values, *, faint_first):
    """A series for each class, those without a value before them."""
    good = np.isfinite(values)
    found = [Series("unknown", x[~good], y[~good])] if not good.all() else []
    order = np.flatnonzero(good)[np.argsort(values[good], kind="stable")]
    parts = [part for part in np.array_split(order, CLASSES) if part.size]
    for part in parts[::-1] if faint_first else parts:
        low, high = values[part].min(), values[part].max()
        found.append(Series(f"{low:.4g} to {high:.4g}", x[part], y[part]))
    return found
