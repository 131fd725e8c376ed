"""The skymap: the sphere cut into projection regions, each a tangent plane, each plane into square skycells.

4058 regions: a cap about either pole and 51 rings of boxes in right ascension and declination. A region's plane touches
the sphere at the region's centre, north up, +x towards larger right ascension, pixels of 0.055 arcsec. Its cells lie on
a grid of 4800 pixels and have a border of 100 pixels beyond that on each side, so that neighbours overlap. All is in
closed form; no reference file is read. Planes of one ring have the same cells.
"""

import re
from functools import cache
from typing import NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi.skycell_names import pad_skycell
from rtools.wfi.sphere import from_plane, to_plane
from rtools.wfi.units import DEGREE_ARCSEC

__all__ = [
    "CELL_BORDER",
    "CELL_SIZE",
    "PIXEL_SCALE",
    "SPACING",
    "Cell",
    "Regions",
    "cell_at",
    "cell_index",
    "center",
    "corners",
    "exists",
    "in_primary",
    "is_name",
    "name_of",
    "orientation",
    "parse_name",
    "pixel_to_sky",
    "plane_to_sky",
    "prefix",
    "primary",
    "region_of",
    "regions",
    "ring_cells",
    "sky_to_pixel",
    "sky_to_plane",
    "tangent_pixel",
    "wcs_info",
]

PIXEL_SCALE = 0.055 / DEGREE_ARCSEC
"""Degrees at the tangent point."""

CELL_SIZE = 5000
CELL_BORDER = 100
SPACING = CELL_SIZE - 2 * CELL_BORDER
HALF = (CELL_SIZE - 1) / 2
"""Pixels: side of a cell, border on each side, distance of neighbours, a cell's centre in its own pixels."""

REACH = 35
"""Rows and columns are counted from -35 to 35, more than any region needs."""

EQUATOR = 13
RINGS = 4 * EQUATOR - 1
"""Rings between the caps; they are numbered from the north, the caps are 0 and 52."""

_PIXEL = np.deg2rad(PIXEL_SCALE)
_NAME = re.compile(r"(\d{3}[pm]\d{2})x(\d{2})y(\d{2})", re.ASCII)


class Cell(NamedTuple):
    """A skycell: the index of its region, and its place in the grid of the region's plane, from the tangent point."""

    region: int
    row: int
    column: int


class Regions(NamedTuple):
    """The 4058 projection regions, one element each.

    Attributes
    ----------
    ring : ndarray int
    ra_tangent, dec_tangent : ndarray float64
        Where the plane touches the sphere, degrees.
    ra_min, ra_max, dec_min, dec_max : ndarray float64
        The box that is the region's own; ra_min is negative in the first region of a ring.
    start : ndarray int
        Index of its first cell in the table of all cells; one element more than there are regions.
    """

    ring: np.ndarray
    ra_tangent: np.ndarray
    dec_tangent: np.ndarray
    ra_min: np.ndarray
    ra_max: np.ndarray
    dec_min: np.ndarray
    dec_max: np.ndarray
    start: np.ndarray


def _latitude(q):
    """Declination in degrees for an argument from -½ at the south pole to ½ at the north, as HEALPix has its rings."""
    q = np.asarray(q, float)
    polar = np.sign(q) * (1 - (2 - 4 * np.abs(q)) ** 2 / 3)
    return np.rad2deg(np.arcsin(np.where(np.abs(q) <= 0.25, 8 * q / 3, polar)))


@cache
def _boundaries():
    """Declinations between one ring and the next, from the north: 52."""
    return _latitude((2 * EQUATOR - np.arange(RINGS + 1) - 0.5) / (RINGS + 1))


@cache
def _tangents():
    """Declinations of the tangent points of each ring, the caps among them."""
    rings = _latitude((2 * EQUATOR - np.arange(1, RINGS + 1)) / (RINGS + 1))
    return np.concatenate([[90], rings, [-90]])


@cache
def _counts():
    """Regions in each ring, the caps among them."""
    rings = np.arange(1, RINGS + 1)
    return np.concatenate([[1], 8 * np.minimum(np.minimum(rings, EQUATOR), RINGS + 1 - rings), [1]])


@cache
def _first():
    """Index of the first region of each ring."""
    return np.concatenate([[0], np.cumsum(_counts())])


@cache
def regions():
    """The `Regions`."""
    ring = np.repeat(np.arange(RINGS + 2), _counts())
    width = 360 / _counts()[ring]
    ra = (np.arange(len(ring)) - _first()[ring]) * width
    ra[[0, -1]] = 135, 225
    cap = _counts()[ring] == 1
    cells = np.array([len(ring_cells(number)[0]) for number in range(RINGS + 2)])
    return Regions(
        ring,
        ra,
        _tangents()[ring],
        np.where(cap, 0, ra - width / 2),
        np.where(cap, 360, ra + width / 2),
        np.concatenate([_boundaries(), [-90]])[ring],
        np.concatenate([[90], _boundaries()])[ring],
        np.concatenate([[0], np.cumsum(cells[ring])]),
    )


@cache
def _kept():
    """Which cells of a ring's planes exist, [ring, row + 35, column + 35]: those with a core corner in the box."""
    edges = (np.arange(-REACH, REACH + 2) - 0.5) * SPACING
    kept = np.empty((RINGS + 2, 2 * REACH + 1, 2 * REACH + 1), bool)
    for ring, tangent in enumerate(_tangents()):
        ra, dec = plane_to_sky(edges, edges[:, None], 0.0, tangent)
        inside = np.ones(ra.shape, bool)
        if ring > 0:
            inside &= dec < _boundaries()[ring - 1]
        if ring <= RINGS:
            inside &= dec >= _boundaries()[ring]
        if 0 < ring <= RINGS:
            half = 180 / _counts()[ring]
            inside &= (-half <= ra) & (ra < half)
        kept[ring] = inside[1:, 1:] | inside[:-1, 1:] | inside[1:, :-1] | inside[:-1, :-1]
    return kept


@cache
def ring_cells(ring):
    """Rows and columns, two integer arrays, of the cells in each region of a ring, in the order of the table."""
    rows, columns = np.nonzero(_kept()[ring])
    return rows - REACH, columns - REACH


def plane_to_sky(x, y, ra_tangent, dec_tangent):
    """Right ascension (within 180 of the tangent point's) and declination, degrees, of pixels from that point."""
    return from_plane(np.asarray(x) * _PIXEL, np.asarray(y) * _PIXEL, (ra_tangent, dec_tangent), turned=False)


def sky_to_plane(ra, dec, ra_tangent, dec_tangent):
    """Pixels (x, y) from the tangent point, of positions in degrees; NaN on the other half of the sky."""
    return to_plane(ra, dec, (ra_tangent, dec_tangent), unit=_PIXEL)


def region_of(ra, dec):
    """Index of the region whose box holds each position (degrees); InputError for what is not a position."""
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    if not np.all(_on_sky(ra, dec)):
        raise InputError("not a position on the sky", mend="RA is finite, Dec from -90 to 90 degrees")
    ring = RINGS + 1 - np.searchsorted(_boundaries()[::-1], dec, side="right")
    counts = _counts()[ring]
    return _first()[ring] + np.floor(ra * counts / 360 + 0.5).astype(int) % counts


def _on_sky(ra, dec):
    """Whether positions (degrees) are some."""
    return np.isfinite(ra) & (np.abs(dec) <= 90)


def cell_at(ra, dec):
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


def exists(cell):
    """Whether the table has a cell; of a `Cell` of arrays, an array."""
    near = (np.abs(cell.row) <= REACH) & (np.abs(cell.column) <= REACH)
    row, column = (np.clip(place, -REACH, REACH) + REACH for place in (cell.row, cell.column))
    return near & _kept()[regions().ring[cell.region], row, column]


def primary(x, y):
    """Whether pixels of a cell lie in the part that no other cell of the region has: 99.5 < x, y ≤ 4899.5."""
    low, high = CELL_BORDER - 0.5, CELL_SIZE - CELL_BORDER - 0.5
    return (x > low) & (x <= high) & (y > low) & (y <= high)


def in_primary(cell, ra, dec):
    """Whether positions (degrees) lie in a cell's primary area: `primary`, and in the box of its region.

    What is not a position, as that of a source without centroid, lies in none.
    """
    known = _on_sky(ra, dec)
    found = cell_at(np.where(known, ra, 0.0), np.where(known, dec, 0.0))
    return known & (found.region == cell.region) & (found.row == cell.row) & (found.column == cell.column)


def tangent_pixel(cell):
    """(x, y) of the region's tangent point in the cell's own 0-based pixels."""
    return HALF - SPACING * cell.column, HALF - SPACING * cell.row


def sky_to_pixel(cell, ra, dec):
    """Pixels (x, y) of a cell, 0-based, of positions in degrees."""
    table = regions()
    x, y = sky_to_plane(ra, dec, table.ra_tangent[cell.region], table.dec_tangent[cell.region])
    x_tangent, y_tangent = tangent_pixel(cell)
    return x + x_tangent, y + y_tangent


def pixel_to_sky(cell, x, y):
    """Right ascension (0 … 360) and declination, degrees, of pixels of a cell."""
    table = regions()
    x_tangent, y_tangent = tangent_pixel(cell)
    tangent = table.ra_tangent[cell.region], table.dec_tangent[cell.region]
    ra, dec = plane_to_sky(x - x_tangent, y - y_tangent, *tangent)
    return ra % 360, dec


def center(cell):
    """Right ascension (0 … 360) and declination of a cell's centre, degrees."""
    ra, dec = pixel_to_sky(cell, HALF, HALF)
    return float(ra), float(dec)


def corners(cell, *, border=0):
    """Right ascension (0 … 360) and declination of a cell's corners.

    Parameters
    ----------
    cell : Cell
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


def prefix(region):
    """First part of the names of a region's cells: the tangent point in whole degrees."""
    ra, dec = (float(values[region]) for values in (regions().ra_tangent, regions().dec_tangent))
    return f"{round(ra):03d}{'m' if dec < 0 else 'p'}{round(abs(dec)):02d}"


def name_of(cell):
    """Name of a cell: the number after x counts rows (declination), that after y columns (right ascension)."""
    return f"{prefix(cell.region)}x{50 + cell.row:02d}y{50 + cell.column:02d}"


def is_name(text):
    """Whether a text has the form of a cell's name, padded or not."""
    return _NAME.fullmatch(pad_skycell(text)) is not None


def parse_name(name):
    """The `Cell` of a name; numbers that are not padded are taken, too.

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


def cell_index(cell):
    """Place of a cell in the table of all cells of the sky; InputError if it is not there."""
    rows, columns = ring_cells(int(regions().ring[cell.region]))
    place = np.flatnonzero((rows == cell.row) & (columns == cell.column))
    if not len(place):
        raise InputError("no such skycell", path=name_of(cell))
    return int(regions().start[cell.region] + place[0])


def wcs_info(cell):
    """The grid of a cell, as `skycell_wcs_info` of an association has it.

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


def orientation(region, ra_center):
    """Orientation of cells as the table has it, float32 degrees: how far the centre is west of the tangent point."""
    across_zero = (regions().ra_min[region] < 0) & (np.asarray(ra_center) > 270)
    return np.float32(regions().ra_tangent[region] - np.where(across_zero, np.asarray(ra_center) - 360, ra_center))
