"""The number that says where in the skymap a source of a mosaic is."""

import re
from typing import NamedTuple

import numpy as np

__all__ = ["Skycell", "flagged_spatial_id"]

VIRTUAL_SCALE = 0.05
"""Arcsec: places in the number are counted in pixels of this size."""

OUTSIDE_CORE = 1 << 59


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
    shape : tuple of int
        (rows, columns) of the cell.
    border : int
        `skycell_border_pixels`: cells overlap by twice this, and half of it is cut off on each side of the core.
    bounds : tuple of float
        (ra_min, ra_max, dec_min, dec_max) of the projection region, degrees; ra_min > ra_max goes through 0.
    """

    name: str
    projection: int
    pixel_scale: float
    shape: tuple[int, int]
    border: int
    bounds: tuple[float, float, float, float]


def _in_core(x, y, ra, dec, cell):
    ra_min, ra_max, dec_min, dec_max = cell.bounds
    after, before = ra % 360 >= ra_min % 360, ra % 360 < (ra_max % 360 or 360)
    around = after & before if ra_min % 360 < (ra_max % 360 or 360) else after | before
    margin = cell.border / 2
    within_x = (x > margin - 0.5) & (x < cell.shape[1] - margin - 0.5)
    within_y = (y > margin - 0.5) & (y < cell.shape[0] - margin - 0.5)
    return around & (dec >= dec_min) & ((dec < dec_max) | (dec_max >= 90)) & within_x & within_y


def flagged_spatial_id(x, y, ra, dec, *, cell):
    """Projection region, cell, pixel, and whether the source is outside the cell's core, in one integer.

    Parameters
    ----------
    x, y : ndarray float64 (n,)
        Pixels of the skycell.
    ra, dec : ndarray float64 (n,)
        Degrees.
    cell : Skycell or None
        None, or a name without place: every number is 0.

    Returns
    -------
    ndarray int64 (n,)
        From the lowest bit: x and y in 16 bits each, the cell's x and y in 7 each, the region in 13, and bit 59 for
        sources outside the core. 0 where x or y is not finite.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    place = re.search(r"x(\d+)y(\d+)", cell.name) if cell is not None else None
    if place is None:
        return np.zeros(x.shape, np.int64)
    cell_x, cell_y = int(place[1]), int(place[2])
    good = np.isfinite(x) & np.isfinite(y)
    ratio = cell.pixel_scale * 3600 / VIRTUAL_SCALE
    px, py = (np.clip(np.where(good, v * ratio, 0), 0, 0xFFFF).astype(np.int64) for v in (x, y))
    base = (int(cell.projection) << 46) + (cell_y << 39) + (cell_x << 32)
    outside = np.where(_in_core(x, y, np.asarray(ra), np.asarray(dec), cell), 0, OUTSIDE_CORE)
    return np.where(good, outside + base + (py << 16) + px, 0)
