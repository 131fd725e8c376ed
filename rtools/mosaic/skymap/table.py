"""The skymap as the two tables of a SKYCELLS reference file, and a comparison with the tables of another."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from rtools.mosaic.skymap import projection
from rtools.mosaic.skymap.projection import CELL_BORDER, CELL_SIZE, HALF, PIXEL_SCALE, SPACING
from rtools.wfi.sphere import signed_turn
from rtools.wfi.units import DEGREE_ARCSEC

__all__ = ["CELL_ROW", "REGION_ROW", "SIZES", "compare", "compare_sizes", "region_rows", "region_table"]

REGION_ROW = np.dtype(
    [("index", "<i4")]
    + [(name, "<f8") for name in ("ra_tangent", "dec_tangent", "ra_min", "ra_max", "dec_min", "dec_max")]
    + [("orientat", "<f4"), ("x_tangent", "<f8"), ("y_tangent", "<f8")]
    + [(name, "<i4") for name in ("nx", "ny", "skycell_start", "skycell_end")]
)

CELL_ROW = np.dtype(
    [("name", "<U16"), ("ra_center", "<f8"), ("dec_center", "<f8"), ("orientat", "<f4")]
    + [("x_tangent", "<f8"), ("y_tangent", "<f8")]
    + [(f"{axis}_corn{number}", "<f8") for number in (1, 2, 3, 4) for axis in ("ra", "dec")]
)

SIZES = {
    "nxy_skycell": CELL_SIZE,
    "skycell_border_pixels": CELL_BORDER,
    "pixel_scale": round(PIXEL_SCALE * DEGREE_ARCSEC, 9),
}
"""What the metadata of the reference file say of every cell; the scale in arcsec."""

TOLERANCE = 1e-5
"""Pixels: tables that agree better than this are equal."""


def region_table() -> np.ndarray:
    """The projection regions.

    Returns
    -------
    ndarray of REGION_ROW (4058,)
    """
    found = projection.regions()
    table = np.zeros(len(found.ring), REGION_ROW)
    table["index"] = np.arange(len(table))
    for name in ("ra_tangent", "dec_tangent", "dec_min", "dec_max"):
        table[name] = getattr(found, name)
    table["ra_min"] = found.ra_min % 360
    table["ra_max"] = found.ra_max
    height = (found.dec_max - found.dec_min) / PIXEL_SCALE
    nearest = np.minimum(np.abs(found.dec_min), np.abs(found.dec_max))
    width = (found.ra_max - found.ra_min) * np.cos(np.deg2rad(nearest)) / PIXEL_SCALE
    height[[0, -1]] *= 2
    width[[0, -1]] = height[[0, -1]]
    for axis, size in (("x", width), ("y", height)):
        table[f"n{axis}"] = 2 * np.floor(size / 2)
        table[f"{axis}_tangent"] = (table[f"n{axis}"] - 1) / 2
    table["skycell_start"], table["skycell_end"] = found.start[:-1], found.start[1:]
    return table


def region_rows(region: int) -> np.ndarray:
    """The cells of one region.

    Parameters
    ----------
    region : int
        Index of the region.

    Returns
    -------
    ndarray of CELL_ROW
        In the order of the table of all cells.
    """
    found = projection.regions()
    tangent = found.ra_tangent[region], found.dec_tangent[region]
    rows, columns = projection.ring_cells(int(found.ring[region]))
    x, y = SPACING * columns, SPACING * rows
    table = np.zeros(len(rows), CELL_ROW)
    first = projection.prefix(region)
    table["name"] = [f"{first}x{50 + r:02d}y{50 + c:02d}" for r, c in zip(rows.tolist(), columns.tolist(), strict=True)]
    ra, dec = projection.plane_to_sky(x, y, *tangent)
    table["ra_center"], table["dec_center"] = ra % 360, dec
    table["orientat"] = projection.orientation(region, ra % 360)
    table["x_tangent"], table["y_tangent"] = HALF - x, HALF - y
    half = CELL_SIZE / 2
    for number, (right, up) in enumerate(((-half, -half), (half, -half), (half, half), (-half, half)), 1):
        ra, dec = projection.plane_to_sky(x + right, y + up, *tangent)
        table[f"ra_corn{number}"], table[f"dec_corn{number}"] = ra % 360, dec
    return table


def compare(regions: np.ndarray, cells: np.ndarray) -> dict[str, Any]:
    """Differences of other tables from these.

    Parameters
    ----------
    regions, cells : ndarray, structured
        Tables of a SKYCELLS file; a part of the sky is compared as far as it goes. A map of the file will do: rows are
        read region by region.

    Returns
    -------
    dict
        ``regions`` and ``cells``: rows compared; ``missing``: projection regions that the tables lack; ``lines``: what
        differs, a list of str, empty where the tables say the same within 1e-5 pixel; ``largest``: of centres and
        corners, in pixels.
    """
    own = region_table()
    lines, largest, count = [], 0.0, 0
    known = regions[(regions["index"] >= 0) & (regions["index"] < len(own))]
    if len(known) < len(regions):
        lines.append(f"{len(regions) - len(known)} projection regions of other numbers")
    lines += _columns(own[known["index"]], known, "projection_regions")
    first = int(known["skycell_start"].min()) if len(known) and known["skycell_end"].max() > len(cells) else 0
    if len(known) == len(own) and len(cells) != own["skycell_end"][-1]:
        lines.append(f"{len(cells)} cells, not {own['skycell_end'][-1]}")
    for row in known:
        mine = region_rows(int(row["index"]))
        theirs = cells[int(row["skycell_start"]) - first : int(row["skycell_end"]) - first]
        text, worst = _cells(mine, theirs)
        lines += [f"region {row['index']}: {line}" for line in text]
        largest = max(largest, worst)
        count += len(theirs)
    return {
        "regions": len(known),
        "cells": count,
        "missing": len(own) - len(known),
        "largest": largest,
        "lines": lines,
    }


def compare_sizes(meta: Mapping[str, Any]) -> list[str]:
    """Differences of the metadata of another reference file from `SIZES`; what it does not say is not a difference.

    Parameters
    ----------
    meta : mapping
        Below ``meta`` of the other file.

    Returns
    -------
    list of str
        One line for each key that differs.
    """
    return [
        f"meta.{key} is {meta[key]}, not {value}"
        for key, value in SIZES.items()
        if meta.get(key) is not None and not abs(meta[key] - value) <= 1e-9
    ]


def _columns(mine, theirs, what):
    """Columns in which tables of regions differ."""
    lines = []
    for name in set(mine.dtype.names) & set(theirs.dtype.names):
        off = np.abs(np.asarray(mine[name], float) - theirs[name])
        if name.startswith("ra_"):
            off = np.minimum(off % 360, 360 - off % 360)
        limit = TOLERANCE * (PIXEL_SCALE if name.startswith(("ra_", "dec_")) else 1)
        wrong = ~(off <= limit)
        if wrong.any():
            lines.append(f"{what}: {name} differs in {wrong.sum()} rows, by up to {off[wrong].max():.3g}")
    return sorted(lines)


def _cells(mine, theirs):
    """What differs between the cells of a region, and the largest distance of a centre or corner in pixels."""
    if len(mine) != len(theirs):  # the rest would be compared with other cells
        return [f"{len(theirs)} cells, not {len(mine)}"], 0.0
    lines, worst, where = [], 0.0, []
    wrong = np.flatnonzero(mine["name"] != theirs["name"])
    if len(wrong):
        lines.append(f"{len(wrong)} names differ, as {theirs['name'][wrong[0]]} for {mine['name'][wrong[0]]}")
    for place in ("center", *(f"corn{number}" for number in (1, 2, 3, 4))):
        ra, dec = (mine[f"{axis}_{place}"] - theirs[f"{axis}_{place}"] for axis in ("ra", "dec"))
        ra = signed_turn(ra) * np.cos(np.deg2rad(mine[f"dec_{place}"]))
        off = np.hypot(ra, dec).max() / PIXEL_SCALE
        where += [place] * (not off <= TOLERANCE)
        worst = np.maximum(worst, off)
    for name in ("x_tangent", "y_tangent"):
        off = np.abs(mine[name] - theirs[name]).max()
        where += [name] * (not off <= TOLERANCE)
        worst = np.maximum(worst, off)
    if where:
        lines.append(f"places ({' '.join(where)}) differ by up to {worst:.3g} pixels")
    turn = signed_turn(mine["orientat"].astype(float) - theirs["orientat"])
    if np.abs(turn).max() > 1e-4:
        lines.append("orientat differs")
    return lines, float(worst)
