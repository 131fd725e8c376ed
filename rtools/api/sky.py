"""Pixels and the sky: grids of mosaics, skycells, FITS headers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rtools.errors import UsageError
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from astropy.io.fits import Header
    from numpy.typing import ArrayLike

    from rtools.mosaic.grid.grid import Grid

__all__ = ["find_skycells", "make_covering_grid", "make_grid", "make_sky_header", "make_skycell_grid"]


def make_grid(center: tuple[float, float], scale: float, shape: tuple[int, int], *, angle: float = 0.0) -> Grid:
    """Make a grid of square pixels in a tangent plane, its tangent point in the middle.

    Parameters
    ----------
    center : (float, float)
        Right ascension and declination of the tangent point, degrees.
    scale : float
        Arcsec a pixel.
    shape : (int, int)
        Rows and columns.
    angle : float
        Position angle of +y, degrees east of north.

    Returns
    -------
    rtools.mosaic.grid.grid.Grid
        ``grid.to_sky(x, y)`` and ``grid.to_pixel(ra, dec)`` take arrays, ``grid.wcs()`` is a gwcs.

    Raises
    ------
    UsageError
        The numbers make no tangent plane.

    Examples
    --------
    >>> import rtools
    >>> grid = rtools.make_grid((270.0, 66.0), 0.11, (501, 301))
    >>> ra, dec = grid.to_sky(150, 250)
    >>> print(f"{ra:.6f} {dec:.6f}")
    270.000000 66.000000
    """
    from rtools.mosaic.grid.grid import centred_grid

    return centred_grid(center, scale / DEGREE_ARCSEC, shape, angle)


def make_covering_grid(
    systems: Sequence[Callable],
    shapes: Sequence[tuple[int, int]] | None = None,
    *,
    scale: float | None = None,
    angle: float = 0.0,
) -> Grid:
    """Make a grid that covers images.

    Parameters
    ----------
    systems : sequence of gwcs.WCS
        World coordinate systems of the images.
    shapes : sequence of (int, int), optional
        Rows and columns of each image; by default what the bounding boxes say.
    scale : float, optional
        Arcsec a pixel; by default the pixel scale in the middle of the first image.
    angle : float
        Position angle of +y, degrees east of north.

    Returns
    -------
    rtools.mosaic.grid.grid.Grid

    Raises
    ------
    InputError
        The images do not fit on one tangent plane.

    Examples
    --------
    >>> import rtools
    >>> with rtools.open_product("r0000101001001001001_0001_wfi01_f158_cal.asdf") as product:
    ...     wcs, shape = rtools.load_wcs(product), product.arrays["data"].shape
    >>> grid = rtools.make_covering_grid([wcs], [shape], scale=0.055)
    >>> x, y = grid.to_pixel(*wcs(100, 100))
    >>> bool(0 < x < grid.shape[1] and 0 < y < grid.shape[0])
    True
    """
    import numpy as np

    from rtools.mosaic.grid.footprint import footprint
    from rtools.mosaic.grid.grid import covering_grid
    from rtools.mosaic.grid.scale import native_scale

    if not systems:
        raise UsageError("no image to cover")
    sizes = [None] * len(systems) if shapes is None else list(shapes)
    around = [np.stack(footprint(wcs, shape), axis=1) for wcs, shape in zip(systems, sizes, strict=True)]
    side = native_scale(systems[0]) if scale is None else scale / DEGREE_ARCSEC
    return covering_grid(around, side, angle)


def make_skycell_grid(name: str) -> Grid:
    """Make the grid of a skycell.

    Parameters
    ----------
    name : str
        Of the cell, as `find_skycells` gives it.

    Returns
    -------
    rtools.mosaic.grid.grid.Grid
        5000 by 5000 pixels of 0.055 arcsec.

    Raises
    ------
    InputError
        The skymap has no such cell.

    Examples
    --------
    >>> import rtools
    >>> rtools.make_skycell_grid(rtools.find_skycells(270.0, 66.0)[0]).shape
    (5000, 5000)
    """
    from rtools.mosaic.grid.grid import skycell_grid
    from rtools.mosaic.skymap import skymap

    return skycell_grid(skymap.wcs_info(skymap.parse_name(name)))


def find_skycells(ra: ArrayLike, dec: ArrayLike) -> list[str]:
    """Find the skycells that a polygon on the sky touches, or those in which one position lies.

    Parameters
    ----------
    ra, dec : array_like
        Corners of the polygon in order, degrees; or one position.

    Returns
    -------
    list of str
        Names. Neighbouring cells overlap, so that one position may lie in several.

    Raises
    ------
    InputError
        A corner is not a position, or the polygon is wider than 80 degrees.

    Examples
    --------
    >>> import rtools
    >>> rtools.find_skycells(10.68, 41.27)[0]
    '010p42x43y53'
    """
    from rtools.mosaic.skymap import match, skymap

    return [skymap.name_of(cell) for cell in match.cells_touching(ra, dec)]


def make_sky_header(wcs: Callable, shape: tuple[int, int], *, limit: float | None = 0.01) -> Header:
    """Make a FITS header that stands for a WCS: TAN where it is one, else TAN with SIP polynomials.

    Parameters
    ----------
    wcs : gwcs.WCS
        Pixels, 0-based, to right ascension and declination.
    shape : (int, int)
        Rows and columns of the image.
    limit : float or None
        Largest error, pixels; None takes any.

    Returns
    -------
    astropy.io.fits.Header

    Raises
    ------
    QualityError
        No header is as good as `limit` says.

    Examples
    --------
    >>> import rtools
    >>> grid = rtools.make_grid((270.0, 66.0), 0.11, (500, 300))
    >>> rtools.make_sky_header(grid.wcs(), grid.shape)["CTYPE1"]
    'RA---TAN'
    """
    from astropy.io.fits import Header

    from rtools.astrometry.sip import sky_header

    return Header(sky_header(wcs, shape, limit=limit).cards)
