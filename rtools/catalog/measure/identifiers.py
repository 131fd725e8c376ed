"""The number that says where in the skymap a source of a mosaic is."""

import re
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rtools.wfi.units import DEGREE_ARCSEC

__all__ = ["Skycell", "flagged_spatial_id"]

VIRTUAL_SCALE = 0.05
"""Arcsec: places in the number are counted in pixels of this size."""

OUTSIDE = 1 << 59


class Skycell(NamedTuple):
    """What the skymap says of the cell that an image covers.

    Attributes
    ----------
    name : str
        Ends in x##y##, the cell's place in its projection region.
    projection : int
        Index of the projection region.
    pixel_scale : float
        Degrees.
    primary : callable
        Right ascensions and declinations (degrees) to whether they lie in the cell's primary area, which no other cell
        has.
    pixels : callable
        Right ascensions and declinations (degrees) to x and y in the cell's own pixels: a part cut out of the cell has
        others.
    """

    name: str
    projection: int
    pixel_scale: float
    primary: Callable[[np.ndarray, np.ndarray], np.ndarray]
    pixels: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def flagged_spatial_id(ra: np.ndarray, dec: np.ndarray, *, cell: Skycell | None) -> np.ndarray:
    """Projection region, cell, pixel, and whether the source is outside the cell's primary area, in one integer.

    Parameters
    ----------
    ra, dec : ndarray float64 (n,)
        Degrees.
    cell : Skycell or None
        None, or a name without place: every number is 0.

    Returns
    -------
    ndarray int64 (n,)
        From the lowest bit: x and y in 16 bits each, the cell's x and y in 7 each, the region in 13, and bit 59 for
        sources outside the primary area. 0 where ra or dec is not finite.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    place = re.search(r"x(\d+)y(\d+)", cell.name) if cell is not None else None
    if cell is None or place is None:
        return np.zeros(ra.shape, np.int64)
    cell_x, cell_y = int(place[1]), int(place[2])
    x, y = cell.pixels(ra, dec)
    good = np.isfinite(x) & np.isfinite(y)
    ratio = cell.pixel_scale * DEGREE_ARCSEC / VIRTUAL_SCALE
    px, py = (np.clip(np.where(good, v * ratio, 0), 0, 0xFFFF).astype(np.int64) for v in (x, y))
    base = (int(cell.projection) << 46) + (cell_y << 39) + (cell_x << 32)
    outside = np.where(cell.primary(ra, dec), 0, OUTSIDE)
    return np.where(good, outside + base + (py << 16) + px, 0)
