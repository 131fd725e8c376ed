"""Skycells: which there are, where they are on the sky, how they are called.

The planes that they lie in, and all that is the same for the cells of a region, are those of
`rtools.mosaic.skymap.projection`.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.mosaic.skymap.projection import (
    CELL_BORDER,
    CELL_SIZE,
    HALF,
    PIXEL_SCALE,
    REACH,
    SPACING,
    kept_cells,
    on_sky,
    orientation,
    plane_to_sky,
    prefix,
    region_of,
    regions,
    ring_cells,
    sky_to_plane,
)
from rtools.wfi.skycell_names import pad_skycell

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "Cell",
    "cell_at",
    "cell_index",
    "center",
    "corners",
    "exists",
    "in_primary",
    "is_name",
    "name_of",
    "parse_name",
    "pixel_to_sky",
    "primary",
    "sky_to_pixel",
    "tangent_pixel",
    "wcs_info",
]


_NAME = re.compile(r"(\d{3}[pm]\d{2})x(\d{2})y(\d{2})", re.ASCII)


class Cell(NamedTuple):
    """A skycell: the index of its region, and its place in the grid of the region's plane, from the tangent point.

    Attributes
    ----------
    region : int or ndarray int
        Index of the region; arrays stand for several cells.
    row, column : int or ndarray int
        Places from the tangent point, northward and towards larger right ascension.
    """

    region: Any
    row: Any
    column: Any


def cell_at(ra: ArrayLike, dec: ArrayLike) -> Cell:
    """The cells in whose primary area positions lie.

    Parameters
    ----------
    ra, dec : float or ndarray
        Degrees.

    Returns
    -------
    Cell
        Of integers, or of arrays of them. At the corner of a region near a pole such a cell may be missing from the
        table (`exists`): then no cell's primary area holds the position.

    Raises
    ------
    InputError
        A right ascension is not finite, or a declination is not from -90 to 90.
    """
    index = region_of(ra, dec)
    table = regions()
    x, y = sky_to_plane(ra, dec, table.ra_tangent[index], table.dec_tangent[index])
    row, column = (np.ceil(value / SPACING - 0.5).astype(int) for value in (y, x))
    return Cell(index, row, column) if np.ndim(index) else Cell(int(index), int(row), int(column))


def exists(cell: Cell) -> np.ndarray:
    """Whether the table has a cell, or each of several.

    Parameters
    ----------
    cell : Cell
        Of integers, or of arrays of them.

    Returns
    -------
    ndarray bool
        Of one element, without axes, for a single cell.
    """
    near = (np.abs(cell.row) <= REACH) & (np.abs(cell.column) <= REACH)
    row, column = (np.clip(place, -REACH, REACH) + REACH for place in (cell.row, cell.column))
    return near & kept_cells()[regions().ring[cell.region], row, column]


def primary(x: Any, y: Any) -> Any:
    """Whether pixels of a cell lie in the part that no other cell of the region has: 99.5 < x, y ≤ 4899.5.

    Parameters
    ----------
    x, y : float or ndarray
        Pixels of the cell, 0-based.

    Returns
    -------
    bool or ndarray bool
        Of the shape of x and y.
    """
    low, high = CELL_BORDER - 0.5, CELL_SIZE - CELL_BORDER - 0.5
    return (x > low) & (x <= high) & (y > low) & (y <= high)


def in_primary(cell: Cell, ra: ArrayLike, dec: ArrayLike) -> np.ndarray:
    """Whether positions lie in a cell's primary area: `primary`, and in the box of its region.

    What is not a position, as that of a source without centroid, lies in none.

    Parameters
    ----------
    cell : Cell
        A single cell.
    ra, dec : array_like
        Degrees.

    Returns
    -------
    ndarray bool
        Of the shape of the positions.
    """
    known = on_sky(ra, dec)
    found = cell_at(np.where(known, ra, 0.0), np.where(known, dec, 0.0))
    return known & (found.region == cell.region) & (found.row == cell.row) & (found.column == cell.column)


def tangent_pixel(cell: Cell) -> tuple[Any, Any]:
    """The tangent point of a cell's region in the cell's own 0-based pixels.

    Parameters
    ----------
    cell : Cell
        Of integers, or of arrays of them.

    Returns
    -------
    (float, float)
        x and y.
    """
    return HALF - SPACING * cell.column, HALF - SPACING * cell.row


def sky_to_pixel(cell: Cell, ra: ArrayLike, dec: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of a cell, of positions on the sky.

    Parameters
    ----------
    cell : Cell
        Of integers, or of arrays of them.
    ra, dec : array_like
        Degrees.

    Returns
    -------
    (ndarray, ndarray)
        x and y, 0-based.
    """
    table = regions()
    x, y = sky_to_plane(ra, dec, table.ra_tangent[cell.region], table.dec_tangent[cell.region])
    x_tangent, y_tangent = tangent_pixel(cell)
    return x + x_tangent, y + y_tangent


def pixel_to_sky(cell: Cell, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Positions of pixels of a cell.

    Parameters
    ----------
    cell : Cell
        Of integers, or of arrays of them.
    x, y : float or ndarray
        Pixels of the cell, 0-based.

    Returns
    -------
    (ndarray, ndarray)
        Right ascension (0 … 360) and declination, degrees.
    """
    table = regions()
    x_tangent, y_tangent = tangent_pixel(cell)
    tangent = table.ra_tangent[cell.region], table.dec_tangent[cell.region]
    ra, dec = plane_to_sky(x - x_tangent, y - y_tangent, *tangent)
    return ra % 360, dec


def center(cell: Cell) -> tuple[float, float]:
    """Position of a cell's centre.

    Parameters
    ----------
    cell : Cell
        A single cell.

    Returns
    -------
    (float, float)
        Right ascension (0 … 360) and declination, degrees.
    """
    ra, dec = pixel_to_sky(cell, HALF, HALF)
    return float(ra), float(dec)


def corners(cell: Cell, *, border: int = 0) -> np.ndarray:
    """Right ascension (0 … 360) and declination of a cell's corners.

    Parameters
    ----------
    cell : Cell
        A single cell.
    border : int
        Pixels left out on each side: with `CELL_BORDER` the corners are those of the cell's primary area, as far as its
        region goes.

    Returns
    -------
    ndarray float64, (4, 2)
        At (low x, low y), (high, low), (high, high), (low, high), the outer corners of the corner pixels.
    """
    low, high = border - 0.5, CELL_SIZE - border - 0.5
    return np.stack(pixel_to_sky(cell, np.array([low, high, high, low]), np.array([low, low, high, high])), axis=1)


@cache
def _prefixes():
    """Index of each region by the first part of its cells' names."""
    return {prefix(index): index for index in range(len(regions().ring))}


def name_of(cell: Cell) -> str:
    """Name of a cell: the number after x counts rows (declination), that after y columns (right ascension).

    Parameters
    ----------
    cell : Cell
        A single cell.

    Returns
    -------
    str
        Such as ``135p90x50y50``.
    """
    return f"{prefix(cell.region)}x{50 + cell.row:02d}y{50 + cell.column:02d}"


def is_name(text: str) -> bool:
    """Whether a text has the form of a cell's name, padded or not.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    bool
        True, too, for names of cells that do not exist.
    """
    return _NAME.fullmatch(pad_skycell(text)) is not None


def parse_name(name: str) -> Cell:
    """The `Cell` of a name; numbers that are not padded are taken, too.

    Parameters
    ----------
    name : str
        Name of a cell; numbers that are not padded are taken, too.

    Returns
    -------
    Cell
        A single cell of the table.

    Raises
    ------
    InputError
        It is no name of a cell, or there is no such cell.
    """
    parts = _NAME.fullmatch(pad_skycell(name))
    if parts is None:
        raise InputError("not a name of a skycell", mend="one is 135p90x25y50", path=name)
    region = _prefixes().get(parts[1])
    if region is None:
        raise InputError("no such skycell", mend=f"no projection region is called {parts[1]}", path=name)
    cell = Cell(region, int(parts[2]) - 50, int(parts[3]) - 50)
    if not exists(cell):
        raise InputError("no such skycell", mend=f"region {parts[1]} does not reach there", path=name)
    return cell


def cell_index(cell: Cell) -> int:
    """Place of a cell in the table of all cells of the sky.

    Parameters
    ----------
    cell : Cell
        A single cell.

    Returns
    -------
    int
        From 0.

    Raises
    ------
    InputError
        There is no such cell.
    """
    rows, columns = ring_cells(int(regions().ring[cell.region]))
    place = np.flatnonzero((rows == cell.row) & (columns == cell.column))
    if not len(place):
        raise InputError("no such skycell", path=name_of(cell))
    return int(regions().start[cell.region] + place[0])


def wcs_info(cell: Cell) -> dict[str, Any]:
    """The grid of a cell, as `skycell_wcs_info` of an association has it.

    Parameters
    ----------
    cell : Cell
        A single cell.

    Returns
    -------
    dict
        name, pixel_scale [deg], ra_projection_center, dec_projection_center [deg], x0_projection, y0_projection
        [0-based pixels], ra_center, dec_center [deg], nx, ny, orientat, orientat_projection_center [deg].
    """
    ra, dec = center(cell)
    x_tangent, y_tangent = tangent_pixel(cell)
    return {
        "name": name_of(cell),
        "pixel_scale": PIXEL_SCALE,
        "ra_projection_center": float(regions().ra_tangent[cell.region]),
        "dec_projection_center": float(regions().dec_tangent[cell.region]),
        "x0_projection": float(x_tangent),
        "y0_projection": float(y_tangent),
        "ra_center": ra,
        "dec_center": dec,
        "nx": CELL_SIZE,
        "ny": CELL_SIZE,
        "orientat": float(orientation(cell.region, ra)),
        "orientat_projection_center": 0.0,
    }
