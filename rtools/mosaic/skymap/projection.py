"""The planes of the skymap: the sphere cut into projection regions, each a tangent plane with cells on a grid.

4058 regions: a cap about either pole and 51 rings of boxes in right ascension and declination. A region's plane touches
the sphere at the region's centre, north up, +x towards larger right ascension, pixels of 0.055 arcsec. Its cells lie on
a grid of 4800 pixels and have a border of 100 pixels beyond that on each side, so that neighbours overlap. All is in
closed form; no reference file is read. Planes of one ring have the same cells.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi.sphere import from_plane, to_plane
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "CELL_BORDER",
    "CELL_SIZE",
    "HALF",
    "PIXEL_SCALE",
    "REACH",
    "RINGS",
    "SPACING",
    "Regions",
    "kept_cells",
    "on_sky",
    "orientation",
    "plane_to_sky",
    "prefix",
    "region_of",
    "regions",
    "ring_cells",
    "sky_to_plane",
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
def regions() -> Regions:
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
def kept_cells() -> np.ndarray:
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
def ring_cells(ring: int) -> tuple[np.ndarray, np.ndarray]:
    """Cells of each region of a ring.

    Parameters
    ----------
    ring : int
        From 0 (the cap about the north pole) to 52.

    Returns
    -------
    (ndarray int, ndarray int)
        Rows and columns in the grid of the plane, in the order of the table.
    """
    rows, columns = np.nonzero(kept_cells()[ring])
    return rows - REACH, columns - REACH


def plane_to_sky(
    x: ArrayLike, y: ArrayLike, ra_tangent: ArrayLike, dec_tangent: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Positions of places in a tangent plane.

    Parameters
    ----------
    x, y : array_like
        Pixels from the tangent point.
    ra_tangent, dec_tangent : float or ndarray
        The tangent point, degrees.

    Returns
    -------
    (ndarray, ndarray)
        Right ascension, within 180 of the tangent point's, and declination; degrees.
    """
    return from_plane(np.asarray(x) * _PIXEL, np.asarray(y) * _PIXEL, (ra_tangent, dec_tangent), turned=False)


def sky_to_plane(
    ra: ArrayLike, dec: ArrayLike, ra_tangent: ArrayLike, dec_tangent: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Places of positions in a tangent plane.

    Parameters
    ----------
    ra, dec : array_like
        Degrees.
    ra_tangent, dec_tangent : float or ndarray
        The tangent point, degrees.

    Returns
    -------
    (ndarray, ndarray)
        x and y in pixels from the tangent point; NaN on the other half of the sky.
    """
    return to_plane(ra, dec, (ra_tangent, dec_tangent), unit=_PIXEL)


def region_of(ra: ArrayLike, dec: ArrayLike) -> np.ndarray:
    """The regions whose boxes hold positions.

    Parameters
    ----------
    ra, dec : array_like
        Degrees.

    Returns
    -------
    ndarray int
        Index of each region; of the shape of the positions.

    Raises
    ------
    InputError
        One is not a position.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    if not np.all(on_sky(ra, dec)):
        raise InputError("not a position on the sky", mend="RA is finite, Dec from -90 to 90 degrees")
    ring = RINGS + 1 - np.searchsorted(_boundaries()[::-1], dec, side="right")
    counts = _counts()[ring]
    return _first()[ring] + np.floor(ra * counts / 360 + 0.5).astype(int) % counts


def on_sky(ra: Any, dec: Any) -> Any:
    """Whether positions are on the sky: right ascension finite, declination from -90 to 90.

    Parameters
    ----------
    ra, dec : float or ndarray
        Degrees.

    Returns
    -------
    bool or ndarray bool
        Of the shape of the positions.
    """
    return np.isfinite(ra) & (np.abs(dec) <= 90)


def prefix(region: int) -> str:
    """First part of the names of a region's cells: the tangent point in whole degrees.

    Parameters
    ----------
    region : int
        Index of the region.

    Returns
    -------
    str
        Such as ``135p90``.
    """
    ra, dec = (float(values[region]) for values in (regions().ra_tangent, regions().dec_tangent))
    return f"{round(ra):03d}{'m' if dec < 0 else 'p'}{round(abs(dec)):02d}"


def orientation(region: int, ra_center: ArrayLike) -> Any:
    """Orientation of cells as the table has it: how far the centre is west of the tangent point.

    Parameters
    ----------
    region : int
        Index of the region.
    ra_center : float or ndarray
        Right ascension of the centres, degrees.

    Returns
    -------
    numpy.float32 or ndarray float32
        Right ascension of the tangent point minus that of the centre, float32 degrees.
    """
    across_zero = (regions().ra_min[region] < 0) & (np.asarray(ra_center) > 270)
    return np.float32(regions().ra_tangent[region] - np.where(across_zero, np.asarray(ra_center) - 360, ra_center))
