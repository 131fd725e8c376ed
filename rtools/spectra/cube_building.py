"""A cube of sky and wavelength from pixels of slices: its grid, and what falls into each voxel.

Pixels are volumes: a quadrilateral on the sky with a depth in wavelength. A voxel gets the mean of those that it shares
a volume with, weighted by that volume (Smith et al. 2007, PASP 119, 1133; Law et al. 2023, AJ 166, 45). With the method
``emsm`` pixels are points, whose weight falls off exponentially with the squared distance from the voxel.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi.sphere import from_plane, positions_of, to_plane, unit_vectors
from rtools.work import ALONE, Work

__all__ = ["Cube", "CubeGrid", "PixelCloud", "PixelSides", "PointReach", "build_cube", "choose_grid", "pixel_sides"]

MOST_VOXELS = 2_000_000_000
"""A grid of more voxels is refused: an outlying position made it."""

PLANES = 16
"""Planes that are summed at a time."""

ARCSEC = np.deg2rad(1 / 3600)

NOTHING = 513
"""DO_NOT_USE and NON_SCIENCE: a voxel in which nothing falls."""


@dataclass(frozen=True)
class PixelCloud:
    """Pixels with their places on the sky and in wavelength; those that cannot be used left out.

    Attributes
    ----------
    ra, dec : ndarray of float64
        (pixels,) centres, degrees.
    wavelength : ndarray of float64
        (pixels,) micrometres.
    corner_ra, corner_dec : ndarray of float64
        (pixels, 4) in order around the pixel, degrees.
    depth : ndarray of float64
        (pixels,) extent in wavelength, micrometres.
    flux, error : ndarray of float64
        (pixels,).
    """

    ra: np.ndarray
    dec: np.ndarray
    wavelength: np.ndarray
    corner_ra: np.ndarray
    corner_dec: np.ndarray
    depth: np.ndarray
    flux: np.ndarray
    error: np.ndarray


@dataclass(frozen=True)
class CubeGrid:
    """Where the voxels of a cube are: a tangent plane, and planes of one step in wavelength.

    Attributes
    ----------
    ra, dec : float
        The tangent point, degrees.
    x, y : float
        Pixel of the tangent point, from 0.
    spaxel : float
        Side of a spaxel, arcsec.
    angle : float
        Position angle of the rows' direction upward (north through east), degrees.
    wavelength, step : float
        Of the first plane, and from plane to plane, micrometres.
    shape : (int, int, int)
        Planes, rows, columns.
    """

    ra: float
    dec: float
    x: float
    y: float
    spaxel: float
    angle: float
    wavelength: float
    step: float
    shape: tuple[int, int, int]

    @property
    def matrix(self) -> np.ndarray:
        """From pixels to offsets east and north in units of a spaxel; columns grow to the west where up is north."""
        sin, cos = np.sin(np.deg2rad(self.angle)), np.cos(np.deg2rad(self.angle))
        return np.array([[-cos, sin], [sin, cos]])

    def pixels(self, ra: np.ndarray, dec: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns and rows of positions, from 0.

        Parameters
        ----------
        ra, dec : ndarray
            Degrees, of any shape.
        """
        xi, eta = to_plane(ra, dec, (self.ra, self.dec), unit=self.spaxel * ARCSEC)
        inverse = np.linalg.inv(self.matrix)
        return self.x + inverse[0, 0] * xi + inverse[0, 1] * eta, self.y + inverse[1, 0] * xi + inverse[1, 1] * eta

    def positions(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Right ascensions and declinations of pixels, degrees.

        Parameters
        ----------
        x, y : ndarray
            From 0.
        """
        dx, dy = (np.asarray(x) - self.x) * self.spaxel * ARCSEC, (np.asarray(y) - self.y) * self.spaxel * ARCSEC
        turn = self.matrix
        return from_plane(turn[0, 0] * dx + turn[0, 1] * dy, turn[1, 0] * dx + turn[1, 1] * dy, (self.ra, self.dec))

    def planes(self, wavelength: np.ndarray) -> np.ndarray:
        """Numbers of planes of wavelengths, from 0.

        Parameters
        ----------
        wavelength : ndarray
            Micrometres.
        """
        return (wavelength - self.wavelength) / self.step

    @property
    def wavelengths(self) -> np.ndarray:
        """Wavelength of each plane, micrometres."""
        return self.wavelength + self.step * np.arange(self.shape[0])


class PointReach(NamedTuple):
    """How far a point reaches with the method ``emsm``.

    Attributes
    ----------
    radius : float
        On the sky, arcsec.
    depth : float
        In wavelength to either side, micrometres.
    scale : float
        Of the weight, arcsec: the weight is exp(-d² spaxel / scale), with d in voxels.
    """

    radius: float
    depth: float
    scale: float


class PixelSides(NamedTuple):
    """How large pixels are.

    Attributes
    ----------
    spaxel : float
        The shorter side on the sky, arcsec.
    step : float
        Extent in wavelength, micrometres.
    """

    spaxel: float
    step: float


class Cube(NamedTuple):
    """Planes of a cube.

    Attributes
    ----------
    data, err : ndarray of float32
        (planes, rows, columns); NaN where nothing falls.
    dq : ndarray of uint32
        `NOTHING` there, else 0.
    wmap : ndarray of float32
        Pixels that each voxel is made of.
    """

    data: np.ndarray
    err: np.ndarray
    dq: np.ndarray
    wmap: np.ndarray


def pixel_sides(cloud: PixelCloud) -> PixelSides:
    """The size of the pixels, to two digits: that of voxels of which nothing else is said.

    Parameters
    ----------
    cloud : PixelCloud
        Pixels of all files.

    Returns
    -------
    PixelSides
        Medians; 0 where there are no pixels.
    """
    if not len(cloud.ra):
        return PixelSides(0.0, 0.0)
    corners = unit_vectors(cloud.corner_ra, cloud.corner_dec)
    sides = [np.median(np.linalg.norm(corners[:, 1] - corners[:, other], axis=-1)) for other in (0, 2)]
    return PixelSides(*(float(f"{value:.2g}") for value in (min(sides) / ARCSEC, np.median(cloud.depth))))


def choose_grid(cloud: PixelCloud, spaxel: float, step: float, angle: float = 0.0) -> CubeGrid:
    """The smallest grid that holds all pixels, about the mean of their directions.

    Parameters
    ----------
    cloud : PixelCloud
        Pixels of all files.
    spaxel : float
        Side of a spaxel, arcsec.
    step : float
        From plane to plane, micrometres.
    angle : float
        Position angle of upward, degrees; 0 is north up.

    Returns
    -------
    CubeGrid

    Raises
    ------
    InputError
        There are no pixels, or they lie so far from each other that the cube would have more than two billion voxels.
    """
    if not len(cloud.ra):
        raise InputError("no pixel has a position, a wavelength and a value that can be used")
    middle = unit_vectors(cloud.ra, cloud.dec).mean(axis=0)
    ra, dec = (float(value) for value in positions_of(middle / np.linalg.norm(middle)))
    free = CubeGrid(ra, dec, 0.0, 0.0, spaxel, angle, 0.0, step, (1, 1, 1))
    x, y = free.pixels(cloud.corner_ra, cloud.corner_dec)
    sides = [(np.nanmin(values), np.nanmax(values)) for values in (x, y)]
    (left, columns), (bottom, rows) = (_side(*side) for side in sides)
    low = float((cloud.wavelength - cloud.depth / 2).min())
    high = float((cloud.wavelength + cloud.depth / 2).max())
    planes = max(int(np.ceil((high - low) / step - 1e-9)), 1)
    if columns * rows * planes > MOST_VOXELS:
        raise InputError(f"the cube would have {columns} × {rows} × {planes} voxels: pixels lie far from each other")
    return CubeGrid(ra, dec, left, bottom, spaxel, angle, low + step / 2, step, (planes, rows, columns))


def _side(low, high):
    """Pixel of the tangent point, and number of pixels, of an axis on which pixels reach from low to high."""
    before, behind = int(np.ceil(-low - 0.5 - 1e-9)), int(np.ceil(high - 0.5 - 1e-9))
    return float(before), before + behind + 1


def build_cube(cloud: PixelCloud, grid: CubeGrid, reach: PointReach | None = None, work: Work = ALONE) -> Cube:
    """Put pixels into the voxels of a cube.

    With weights w, the volumes that pixels share with the voxel or those of `reach`: data = Σwf/Σw, err = √Σ(wσ)²/Σw.

    Parameters
    ----------
    cloud : PixelCloud
        Pixels of all files.
    grid : CubeGrid
        Where the voxels are.
    reach : PointReach, optional
        Pixels are points that reach so far; without it they are volumes.
    work : rtools.work.Work
        Threads; bits do not depend on them.

    Returns
    -------
    Cube
    """
    from rtools.spectra._cube_kernels import COUNT, FLUX, VARIANCE, WEIGHT, add_boxes, add_points

    planes = grid.planes(cloud.wavelength)
    half = cloud.depth / grid.step / 2 if reach is None else np.full(len(planes), reach.depth / grid.step)
    order = np.argsort(planes, kind="stable")
    ends = np.stack([planes - half, planes + half], axis=1)[order]
    values = np.stack([cloud.flux, cloud.error], axis=1).astype(np.float64)[order]
    if reach is None:
        corners = np.stack(grid.pixels(cloud.corner_ra, cloud.corner_dec), axis=-1)[order]
    else:
        centres = np.stack([*grid.pixels(cloud.ra, cloud.dec), planes], axis=1)[order]
        scales = reach.radius / grid.spaxel, reach.depth / grid.step, reach.scale / grid.spaxel
    made = Cube(*(np.empty(grid.shape, kind) for kind in ("f4", "f4", "u4", "f4")))

    def fill(first: int) -> None:
        last = min(first + PLANES, grid.shape[0])
        near = (ends[:, 1] >= first - 0.5) & (ends[:, 0] <= last - 0.5)
        sums = np.zeros((4, last - first, *grid.shape[1:]))
        if reach is None:
            add_boxes(sums, first, corners[near], ends[near], values[near])
        else:
            add_points(sums, first, centres[near], scales, values[near])
        weight = np.where(sums[WEIGHT] > 0, sums[WEIGHT], np.nan)
        made.data[first:last] = sums[FLUX] / weight
        made.err[first:last] = np.sqrt(sums[VARIANCE]) / weight
        made.dq[first:last] = np.where(sums[COUNT] > 0, 0, NOTHING)
        made.wmap[first:last] = sums[COUNT]

    work.map(fill, range(0, grid.shape[0], PLANES))
    return made
