"""Tables for other programs, written only: regions for DS9, and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.products.tables.positions import plain_numbers, read_positions

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["plain_rows", "write_json", "write_regions"]

RADIUS = 0.5
"""Arcsec: radius of the circle of a source whose table has no size."""

SIZES = ("fluxfrac_radius_50", "half_light_radius")
"""Columns of sizes, arcsec where they have no unit; a circle has twice that radius, `RADIUS` at least."""

SAFE = {ord("{"): "(", ord("}"): ")", ord("\n"): " "}
"""Characters that would end a label."""

LABELS = ("label", "id", "source_id", "name")


def write_regions(table: AstropyTable, messages: list[str]) -> bytes:
    """A region file of DS9: a circle for each row, ICRS, labelled.

    Parameters
    ----------
    table : astropy.table.Table
        With positions on the sky.
    messages : list of str
        Gets a line where rows have no position.

    Returns
    -------
    bytes
        The whole file.

    Raises
    ------
    InputError
        The table has no positions.
    """
    ra, dec, _columns = read_positions(table)
    known = np.isfinite(ra) & np.isfinite(dec)
    if not known.all():
        messages.append(f"{np.count_nonzero(~known)} rows have no position: left out")
    radii, label = _radii(table), next((name for name in LABELS if name in table.colnames), None)
    lines = ["# Region file format: DS9", "global color=green", "icrs"]
    for row in np.flatnonzero(known):
        text = "" if label is None else f" # text={{{str(table[label][row]).translate(SAFE)}}}"
        lines.append(f'circle({ra[row] % 360:.8f},{dec[row]:.8f},{radii[row]:.3f}"){text}')
    return ("\n".join(lines) + "\n").encode()


def _radii(table):
    """Radii of the circles, arcsec."""
    from astropy import units

    name = next((name for name in SIZES if name in table.colnames), None)
    if name is None:
        return np.full(len(table), RADIUS)
    unit = table[name].unit
    angle = unit is not None and unit.is_equivalent(units.arcsec)
    return np.fmax(2 * plain_numbers(table[name]) * (unit.to(units.arcsec) if angle else 1), RADIUS)


def write_json(table: AstropyTable, messages: list[str]) -> bytes:
    """A list of objects, one a row, as pandas and jq read it; null for what is not known.

    Parameters
    ----------
    table : astropy.table.Table
        Any.
    messages : list of str
        Gets a line where units or descriptions are lost.

    Returns
    -------
    bytes
        The whole file.
    """
    if any(column.unit or column.description for column in table.itercols()):
        messages.append("JSON has no place for units and descriptions; ECSV has")
    rows = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in plain_rows(table))
    return ("[" + ",\n".join(rows) + "]\n").encode()


def plain_rows(table: AstropyTable) -> list[dict[str, Any]]:
    """Rows of a table as plain values; None for what is not known.

    Parameters
    ----------
    table : astropy.table.Table
        Any.

    Returns
    -------
    list of dict
        One mapping for each row, name of the column to value.
    """
    columns = [_plain(table[name]) for name in table.colnames]
    return [dict(zip(table.colnames, row, strict=True)) for row in zip(*columns, strict=True)]


def _plain(column):
    """Values of a column as JSON has them."""
    values = column.astype(str).tolist() if column.dtype.kind == "c" else column.tolist()
    if column.dtype.kind == "f" and column.ndim == 1:  # float32 with the digits that it has
        return [float(str(one)) if np.isfinite(one) else None for one in np.ma.filled(np.ma.asarray(column), np.nan)]
    return [_finite(one) for one in values]


def _finite(value):
    """A value, or a list of them, with None for what is not known."""
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
