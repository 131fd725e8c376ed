"""Regions of the sky with corners: as S_REGION says them, their distance from a position, and their healpix cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rtools.wfi.sphere import from_plane, separation, to_plane, unit_vectors

__all__ = ["healpix_cover", "parse_region", "region_distances"]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)

SAMPLES = 4.0
"""Samples along the side of a healpix cell."""


def parse_region(text: str) -> tuple[np.ndarray, np.ndarray] | None:
    """Corners of a polygon.

    Parameters
    ----------
    text : str
        An STC-S polygon: ``POLYGON ICRS  ra dec ra dec …``.

    Returns
    -------
    (ndarray float64, ndarray float64) or None
        Right ascensions and declinations, degrees; None for what is no polygon.
    """
    if not text.strip().upper().startswith("POLYGON"):
        return None
    numbers = np.array([float(word) for word in _NUMBER.findall(text)])
    if len(numbers) < 6 or len(numbers) % 2:
        return None
    return numbers[::2], numbers[1::2]


def region_distances(regions: Sequence[tuple[Any, Any] | None], ra: float, dec: float) -> np.ndarray:
    """Distances of a position from polygons, of all with as many corners together.

    Parameters
    ----------
    regions : sequence of (array_like, array_like) or None
        Right ascensions and declinations of corners, degrees; of polygons smaller than half of the sky.
    ra, dec : float
        The position, degrees.

    Returns
    -------
    ndarray float64
        Degrees, one for each polygon; 0 inside of it, NaN where there is none.
    """
    distances = np.full(len(regions), np.nan)
    sizes = np.array([0 if corners is None else len(corners[0]) for corners in regions])
    for size in set(sizes.tolist()) - {0}:
        same = np.flatnonzero(sizes == size)
        corners = np.moveaxis(np.array([regions[number] for number in same.tolist()], np.float64), 1, 0)
        distances[same] = _distances(corners, ra, dec)
    return distances


def _distances(corners, ra, dec):
    """Distances of a position from polygons with as many corners: (2, polygons, corners)."""
    corner_ra, corner_dec = corners
    start = unit_vectors(corner_ra, corner_dec)
    end, point = np.roll(start, -1, axis=1), unit_vectors(ra, dec)
    normals = np.cross(start, end)
    lengths = np.linalg.norm(normals, axis=2, keepdims=True)
    normals = np.divide(normals, lengths, out=np.zeros_like(normals), where=lengths > 0)
    # Beside an arc the nearest point is on it: the foot lies between its ends.
    beside = (np.cross(normals, start) @ point > 0) & (np.cross(end, normals) @ point > 0)
    across = np.degrees(np.abs(np.arcsin(np.clip(normals @ point, -1, 1))))
    nearest = np.minimum(separation(corner_ra, corner_dec, ra, dec), np.where(beside, across, np.inf)).min(axis=1)
    return np.where(_inside(corners, ra, dec), 0.0, nearest)


def _inside(corners, ra, dec):
    """Whether a position is in each polygon, in the plane that touches the sphere at the position."""
    x, y = to_plane(corners[0], corners[1], (ra, dec))
    zero = np.zeros(len(x))
    with np.errstate(invalid="ignore"):
        return np.isfinite(x).all(axis=1) & _odd(zero, zero, x.T, y.T)


def _odd(x, y, corner_x, corner_y):
    """Whether rays from points cross the sides of a polygon an odd number of times; or of a polygon for each point."""
    inside = np.zeros(np.shape(x), bool)
    ends = np.roll(corner_x, -1, axis=0), np.roll(corner_y, -1, axis=0)
    for x1, y1, x2, y2 in zip(corner_x, corner_y, *ends, strict=True):
        slope = np.divide(x2 - x1, y2 - y1, out=np.zeros_like(y2), where=y1 != y2)
        inside ^= ((y1 > y) != (y2 > y)) & (x < slope * (y - y1) + x1)
    return inside


def healpix_cover(polygons: Iterable[tuple[np.ndarray, np.ndarray]], order: int) -> dict[int, np.ndarray]:
    """Healpix cells that polygons cover, those that fill a larger one as that.

    Polygons are sampled densely inside and along their sides, so that a cell that is touched by less than a quarter of
    its side may be missed.

    Parameters
    ----------
    polygons : iterable of (ndarray, ndarray)
        Right ascensions and declinations of corners, degrees; each smaller than half of the sky.
    order : int
        Of the smallest cells.

    Returns
    -------
    dict of int to ndarray int64
        Order to the numbers of its cells, nested, ascending; no cell lies in another.
    """
    from astropy import units
    from astropy_healpix import HEALPix

    grid = HEALPix(nside=1 << order, order="nested")
    step = np.sqrt(4 * np.pi / 12) / (1 << order) / SAMPLES
    found = [np.zeros(0, np.int64)]
    for corners in polygons:
        ra, dec = _samples(corners, step)
        found.append(np.unique(grid.lonlat_to_healpix(ra * units.deg, dec * units.deg)))
    return _merged(np.unique(np.concatenate(found)).astype(np.int64), order)


def _samples(corners, step):
    """Positions all over a polygon, no further from each other than a step, radians."""
    ra, dec = (np.asarray(one, np.float64) for one in corners)
    middle = unit_vectors(ra, dec).mean(axis=0)
    tangent = np.degrees(np.arctan2(middle[1], middle[0])), np.degrees(np.arcsin(middle[2] / np.linalg.norm(middle)))
    x, y = to_plane(ra, dec, tangent)
    across, up = np.meshgrid(np.arange(x.min(), x.max() + step, step), np.arange(y.min(), y.max() + step, step))
    inside = _odd(across, up, x, y)
    sides_x, sides_y = [across[inside]], [up[inside]]
    for x1, y1, x2, y2 in zip(x, y, np.roll(x, -1), np.roll(y, -1), strict=True):
        along = np.linspace(0, 1, 2 + int(np.hypot(x2 - x1, y2 - y1) / step))
        sides_x.append(x1 + along * (x2 - x1))
        sides_y.append(y1 + along * (y2 - y1))
    return from_plane(np.concatenate(sides_x), np.concatenate(sides_y), tangent)


def _merged(cells, order):
    """Four cells that fill one of the next order become that one, order by order."""
    found = {}
    while order > 0 and len(cells):
        parents, counts = np.unique(cells >> 2, return_counts=True)
        full = parents[counts == 4]
        rest = cells[~np.isin(cells >> 2, full)]
        if len(rest):
            found[order] = rest
        cells, order = full, order - 1
    if len(cells):
        found[order] = cells
    return dict(sorted(found.items()))
