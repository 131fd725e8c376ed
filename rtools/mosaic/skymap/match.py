"""Which skycells a polygon on the sky touches.

Sides of a polygon and of a cell are great circles, which are straight lines in every tangent plane. So the polygon is
projected into the plane of each region near it, and its sides are cut with the squares of the cells; edges of regions,
which are not great circles, play no part.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.mosaic.skymap import projection, skymap
from rtools.mosaic.skymap.projection import CELL_SIZE, PIXEL_SCALE, SPACING
from rtools.mosaic.skymap.skymap import Cell
from rtools.wfi.sphere import unit_vectors

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["cells_touching", "neighbours"]

WIDEST = 40.0
"""Degrees: radius of the largest polygon; all of it and its regions have to fit on half the sky."""

SLACK = 1e-6
"""Pixels by which a cell may miss a polygon and still touch it: rounding."""


def cells_touching(ra: ArrayLike, dec: ArrayLike) -> list[Cell]:
    """The cells that a polygon touches, borders included.

    Parameters
    ----------
    ra, dec : array_like
        Corners in degrees, in order round the polygon, the first not repeated; a single one is a position. Curved sides
        are given by several points (`rtools.mosaic.grid.footprint`).

    Returns
    -------
    list of Cell
        In the order of the table of all cells.

    Raises
    ------
    InputError
        The polygon has no corner, one that is not a position, or is wider than 80 degrees.
    """
    ra, dec = np.atleast_1d(np.asarray(ra, float)), np.atleast_1d(np.asarray(dec, float))
    if not ra.size or not np.all(np.isfinite(ra) & (np.abs(dec) <= 90)):
        raise InputError("a polygon on the sky has finite corners, declinations from -90 to 90")
    found = []
    for region in _regions_near(ra, dec):
        table = projection.regions()
        x, y = projection.sky_to_plane(ra, dec, table.ra_tangent[region], table.dec_tangent[region])
        rows, columns = projection.ring_cells(int(table.ring[region]))
        near = _spans(columns, x) & _spans(rows, y)
        rows, columns = rows[near], columns[near]
        touched = _touched(np.stack([columns, rows], axis=1) * SPACING, np.stack([x, y], axis=1))
        found += [Cell(region, *place) for place in zip(rows[touched].tolist(), columns[touched].tolist(), strict=True)]
    return found


def neighbours(cell: Cell) -> list[Cell]:
    """The other cells that share sky with a cell, those of other regions among them.

    Parameters
    ----------
    cell : rtools.mosaic.skymap.skymap.Cell
        A single cell of the table.

    Returns
    -------
    list of rtools.mosaic.skymap.skymap.Cell
        In the order of the table of all cells.
    """
    corners = skymap.corners(cell)
    return [other for other in cells_touching(corners[:, 0], corners[:, 1]) if other != cell]


@cache
def _reach():
    """Unit vectors of all tangent points, and how far from them cells reach, radians."""
    table, half = projection.regions(), CELL_SIZE / 2
    farthest = []
    for ring in range(projection.RINGS + 2):
        rows, columns = projection.ring_cells(ring)
        farthest.append(np.hypot(SPACING * np.abs(rows) + half, SPACING * np.abs(columns) + half).max())
    angle = np.arctan(np.deg2rad(PIXEL_SCALE) * np.array(farthest))
    return unit_vectors(table.ra_tangent, table.dec_tangent), angle[table.ring]


def _regions_near(ra, dec):
    """Indices of the regions of which cells can be touched: circles about them and about the polygon meet."""
    points = unit_vectors(ra, dec)
    middle = points.sum(axis=0)
    middle /= max(np.linalg.norm(middle), 1e-9)
    radius = np.arccos(np.clip((points @ middle).min(), -1, 1))
    if radius > np.deg2rad(WIDEST):
        raise InputError(f"a polygon on the sky wider than {2 * WIDEST:g} degrees", mend="cut it into parts")
    tangents, reach = _reach()
    distance = np.arccos(np.clip(tangents @ middle, -1, 1))
    return np.flatnonzero(distance <= radius + reach + 1e-7).tolist()


def _spans(places, extent):
    """Whether squares in these rows or columns can reach an extent of pixels."""
    half = CELL_SIZE / 2 + SLACK
    return (places * SPACING + half >= extent.min()) & (places * SPACING - half <= extent.max())


def _touched(centers, corners):
    """Whether squares of a cell's size about these centers, (m, 2), meet a polygon of these corners, (n, 2)."""
    if not len(centers):
        return np.zeros(0, bool)
    start, step = corners[None], (np.roll(corners, -1, axis=0) - corners)[None]
    step = np.where(step == 0, 1e-300, step)  # then a quotient is 0 or beyond every limit
    half = CELL_SIZE / 2 + SLACK
    one, other = ((centers[:, None] + edge - start) / step for edge in (-half, half))
    enter = np.minimum(one, other).max(axis=2)
    leave = np.maximum(one, other).min(axis=2)
    crossed = (np.maximum(enter, 0) <= np.minimum(leave, 1)).any(axis=1)
    return crossed | _inside(centers, corners)


def _inside(points, corners):
    """Whether points, (m, 2), lie in a polygon: a ray from them crosses it an odd number of times."""
    x, y = points[:, :1], points[:, 1:]
    (x1, y1), (x2, y2) = corners.T, np.roll(corners, -1, axis=0).T
    across = (y1 > y) != (y2 > y)
    height = np.where(across, y2 - y1, 1)
    return (across & (x < x1 + (y - y1) * (x2 - x1) / height)).sum(axis=1) % 2 == 1
