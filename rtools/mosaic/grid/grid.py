"""The grid of a mosaic: a tangent plane cut into square pixels, or the pixels of any other image.

Pixels are 0-based, whole numbers at pixel centres; positions are degrees, ICRS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.mosaic.grid.freegrid import FreeGrid, shape_of, wcs_of
from rtools.wfi.sphere import from_plane, positions_of, to_plane, unit_vectors

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Grid", "centred_grid", "covering_grid", "grid_like", "rotation", "skycell_grid"]

SMALLEST = 2
"""Pixels along the shorter side."""

AGREES = 1e-6
"""Pixels by which a WCS may differ from a tangent plane and still be called one."""

FAR = 1000.0
"""Pixels over which a slope is taken."""


Matrix = tuple[tuple[float, float], tuple[float, float]]
"""Two rows."""


class Grid(NamedTuple):
    """A tangent plane cut into pixels.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns.
    crpix : (float, float)
        x and y of the tangent point, 0-based.
    crval : (float, float)
        Right ascension and declination of the tangent point.
    scale : float
        Degrees per pixel at the tangent point.
    matrix : tuple
        ((a, b), (c, d)): pixel offsets to offsets east and north, in pixels.
    """

    shape: tuple[int, int]
    crpix: tuple[float, float]
    crval: tuple[float, float]
    scale: float
    matrix: Matrix

    def to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Right ascension (0 … 360) and declination of pixels."""
        (a, b), (c, d) = self.matrix
        u, v = np.asarray(x, float) - self.crpix[0], np.asarray(y, float) - self.crpix[1]
        size = np.deg2rad(self.scale)
        return from_plane((a * u + b * v) * size, (c * u + d * v) * size, self.crval)

    def to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """x and y of positions; NaN on the other half of the sky."""
        (a, b), (c, d) = np.linalg.inv(self.matrix) / np.deg2rad(self.scale)
        xi, eta = to_plane(ra, dec, self.crval)
        return a * xi + b * eta + self.crpix[0], c * xi + d * eta + self.crpix[1]

    def wcs(self) -> Any:
        """The same as a gwcs, with its bounding box and shape."""
        from astropy.modeling.models import Pix2Sky_TAN
        from gwcs import FITSImagingWCSTransform

        transform = FITSImagingWCSTransform(
            Pix2Sky_TAN(), crpix=self.crpix, crval=self.crval, cdelt=(self.scale, self.scale), pc=np.array(self.matrix)
        )
        return wcs_of(transform, self.shape)


def rotation(angle: float, parity: int = -1) -> Matrix:
    """Matrix of a grid.

    Parameters
    ----------
    angle : float
        Position angle of +y, degrees east of north.
    parity : int
        -1: east is left where north is up (detectors); 1: east is right.

    Returns
    -------
    ((float, float), (float, float))
        Rows of the matrix, which takes pixel offsets to offsets east and north.
    """
    sin, cos = np.sin(np.deg2rad(angle)), np.cos(np.deg2rad(angle))
    return (float(parity * cos), float(sin)), (float(-parity * sin), float(cos))


def skycell_grid(info: Mapping[str, Any]) -> Grid:
    """Grid of a skycell.

    Parameters
    ----------
    info : mapping
        `skycell_wcs_info` of an association: `rtools.mosaic.skymap.skymap.wcs_info` makes one.

    Returns
    -------
    Grid
        Its tangent point is that of the projection region.

    Raises
    ------
    InputError
        A key is missing or no number, or the grid cannot be.
    """
    try:
        shape = int(info["ny"]), int(info["nx"])
        crpix = float(info["x0_projection"]), float(info["y0_projection"])
        crval = float(info["ra_projection_center"]), float(info["dec_projection_center"])
        scale, angle = float(info["pixel_scale"]), float(info["orientat_projection_center"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"skycell_wcs_info is not complete: {error}", mend="rt-asn writes it whole") from error
    return _checked(Grid(shape, crpix, crval, scale, rotation(angle, 1)))


def centred_grid(center: Sequence[float], scale: float, shape: Sequence[int], angle: float = 0.0) -> Grid:
    """Grid with its tangent point in the middle, east left.

    Parameters
    ----------
    center : (float, float)
        Right ascension and declination.
    scale : float
        Degrees per pixel.
    shape : (int, int)
        Rows and columns.
    angle : float
        Position angle of +y, degrees.

    Returns
    -------
    Grid
        The tangent point is at ((columns - 1) / 2, (rows - 1) / 2).

    Raises
    ------
    InputError
        The grid cannot be.
    """
    rows, columns = shape
    crpix = (columns - 1) / 2, (rows - 1) / 2
    return _checked(Grid((int(rows), int(columns)), crpix, _pair(center), float(scale), rotation(angle)))


def covering_grid(
    footprints: Sequence[ArrayLike],
    scale: float,
    angle: float,
    *,
    crval: Sequence[float] | None = None,
    crpix: Sequence[float] | None = None,
    shape: Sequence[int] | None = None,
    parity: int = -1,
    nearest: bool = False,
) -> Grid:
    """Grid that covers all footprints.

    Parameters
    ----------
    footprints : list of ndarray (n, 2)
        Right ascension and declination along the edge of every member (at least 4 points a side: edges are curved).
    scale : float
        Degrees per pixel; `rtools.mosaic.grid.scale.native_scale` of the first member times a ratio.
    angle : float
        Position angle of +y, degrees; roll_ref - vparity · v3yangle of the first member.
    crval : (float, float), optional
        Tangent point; by default the middle of the box around the footprints in Cartesian coordinates.
    crpix : (float, float), optional
        Pixel of the tangent point, 0-based; needs `shape`.
    shape : (int, int), optional
        Rows and columns; by default half a pixel or more beyond the footprints on every side.
    parity : int
        -1: east is left where north is up.
    nearest : bool
        Without `shape`: the whole number nearest to the extent of the footprints, as JWST's pipeline has it.

    Returns
    -------
    Grid

    Raises
    ------
    UsageError
        `crpix` is given without `shape`.
    InputError
        The footprints do not fit on one tangent plane, or the grid cannot be.
    """
    if crpix is not None and shape is None:
        raise UsageError("a reference pixel says where the grid is, not how large", mend="give the shape too")
    points = np.concatenate([np.asarray(each, float).reshape(-1, 2) for each in footprints])
    tangent = _middle(points) if crval is None else _pair(crval)
    x, y = Grid((1, 1), (0.0, 0.0), tangent, float(scale), rotation(angle, parity)).to_pixel(*points.T)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("the members do not fit on one tangent plane", mend="mosaic them by skycell")
    if crpix is None:
        crpix = float(-x.min()), float(-y.min())
    if shape is None:
        # the outermost points are the centres of the outermost pixels, or further in
        extents = np.ptp(y), np.ptp(x)
        shape = [int(np.floor(one + 0.5)) if nearest else int(np.ceil(one - AGREES)) + 1 for one in extents]
    rows, columns = shape
    size = int(rows), int(columns)
    return _checked(Grid(size, _pair(crpix), tangent, float(scale), rotation(angle, parity)))


def _pair(values):
    """Two numbers as floats."""
    first, second = values
    return float(first), float(second)


def _middle(points):
    """Middle of the box around positions in Cartesian coordinates, as right ascension and declination."""
    unit = unit_vectors(*points.T)
    return tuple(map(float, positions_of((unit.min(axis=0) + unit.max(axis=0)) / 2)))


def _checked(grid):
    if min(grid.shape) < SMALLEST:
        raise UsageError(f"a grid of {grid.shape[1]} x {grid.shape[0]} pixels is too small")
    numbers = [*grid.crpix, *grid.crval, *np.ravel(grid.matrix), grid.scale]
    if not np.all(np.isfinite(numbers)) or grid.scale <= 0 or np.any(np.abs(grid.crval) > (360, 90)):
        raise UsageError("the numbers of the grid make no tangent plane")
    return grid


def grid_like(wcs: Any, shape: Sequence[int] | None = None) -> Grid | FreeGrid:
    """The pixels of another image as a grid.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the other image.
    shape : (int, int), optional
        By default what the WCS says of itself.

    Returns
    -------
    Grid or FreeGrid
        A Grid where the WCS is a tangent plane, else a grid whose sky positions are inverted numerically.
    """
    rows, columns = shape_of(wcs) if shape is None else shape
    size = int(rows), int(columns)
    return _tangent(wcs, size) or FreeGrid(size, wcs)


def _tangent(wcs, shape):
    """The WCS as a Grid; None if it is not a tangent plane with square pixels."""
    parts = _imaging_parts(wcs) or _plane_parts(wcs)
    if parts is None:
        return None
    grid = Grid(shape, *parts)
    if not np.isfinite(grid.scale) or grid.scale <= 0:
        return None
    x, y = np.meshgrid(np.linspace(0, shape[1] - 1, 5), np.linspace(0, shape[0] - 1, 5))
    found = np.stack(grid.to_pixel(*wcs(x, y, with_bounding_box=False)))
    return grid if np.all(np.abs(found - (x, y)) < AGREES) else None


def _imaging_parts(wcs):
    """crpix, crval, scale and matrix of a WCS whose only transform is FITS's; None if it is another."""
    transform = wcs.forward_transform
    if type(transform).__name__ != "FITSImagingWCSTransform":
        return None
    crpix, crval, cdelt = (
        tuple(map(float, np.ravel(getattr(transform, key).value))) for key in ("crpix", "crval", "cdelt")
    )
    scale = abs(cdelt[0])
    matrix = np.reshape(transform.pc.value, (2, 2)) * np.array(cdelt)[:, None] / scale
    return crpix, crval, scale, tuple(tuple(map(float, line)) for line in matrix)


def _plane_parts(wcs):
    """The same of a WCS that passes through a tangent plane on its way to the sky."""
    from astropy.modeling.models import Sky2Pix_TAN

    leaves = {type(leaf).__name__: leaf for leaf in _leaves(wcs.forward_transform)}
    if not {"Pix2Sky_Gnomonic", "RotateNative2Celestial"} <= set(leaves):
        return None
    rotate = leaves["RotateNative2Celestial"]
    back = rotate.inverse | Sky2Pix_TAN()
    plane = np.stack(back(*wcs(np.array([0.0, FAR, 0.0]), np.array([0.0, 0.0, FAR]), with_bounding_box=False)))
    linear = (plane[:, 1:] - plane[:, :1]) / FAR
    if not np.linalg.det(linear):
        return None
    scale = float(np.sqrt(abs(np.linalg.det(linear))))
    crpix = tuple(map(float, np.linalg.solve(linear, -plane[:, 0])))
    crval = float(rotate.lon.value), float(rotate.lat.value)
    return crpix, crval, scale, tuple(tuple(map(float, line)) for line in linear / scale)


def _leaves(transform):
    if getattr(transform, "n_submodels", 1) == 1:
        yield transform
        return
    yield from _leaves(transform.left)
    yield from _leaves(transform.right)
