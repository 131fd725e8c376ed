"""Between the pixels of an image and the sky, for lists of positions; scale, area and north at a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.wfi.sphere import distance_and_angle
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["PixelGeometry", "geometry_at", "on_image", "pixels_to_sky", "sky_to_pixels"]

NEAR = 0.5
"""Pixels that a position may be off after the way to the pixels and back; more, and the inverse is void there."""


class PixelGeometry(NamedTuple):
    """How pixels lie on the sky at some places.

    Attributes
    ----------
    scale_x, scale_y : ndarray float64
        Arcsec of a step of one pixel along x, and along y.
    area : ndarray float64
        Of a pixel, arcsec².
    angle_x, angle_y : ndarray float64
        Position angle of the x axis, and of the y axis, degrees from north to east, 0 … 360.
    north : ndarray float64
        Direction of north in the image, degrees from +y toward -x (counterclockwise where x goes right and y up),
        from -180 to 180.
    """

    scale_x: np.ndarray
    scale_y: np.ndarray
    area: np.ndarray
    angle_x: np.ndarray
    angle_y: np.ndarray
    north: np.ndarray


def on_image(shape: tuple[int, int], x: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Whether places are on an image: in one of its pixels, each of which has its lower and left edge.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image.
    x, y : array_like
        Pixels, from 0, whole numbers at their centres; of one shape.

    Returns
    -------
    ndarray bool
        False of NaN.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    with np.errstate(invalid="ignore"):
        return (x >= -0.5) & (x < shape[1] - 0.5) & (y >= -0.5) & (y < shape[0] - 0.5)


def pixels_to_sky(wcs: Any, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Positions of pixels, also of those beyond the edges.

    Parameters
    ----------
    wcs : gwcs.WCS or rtools.products.jwst.sky.ImageSky
        Of the image.
    x, y : array_like
        Pixels, from 0, whole numbers at their centres; of one shape.

    Returns
    -------
    ra, dec : ndarray float64
        Right ascension, 0 … 360, and declination, degrees; NaN where the system gives nothing.
    """
    with np.errstate(all="ignore"):
        ra, dec = wcs(np.asarray(x, np.float64), np.asarray(y, np.float64), with_bounding_box=False)
    return np.asarray(ra, np.float64) % 360, np.asarray(dec, np.float64)


def sky_to_pixels(wcs: Any, ra: ArrayLike, dec: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of positions, also of those beyond the edges as far as the inverse of the system is good.

    What the inverse gives is taken back to the sky, and the difference is taken off once: so pixels are those of the
    forward transform, however rough the polynomials of the inverse are.

    Parameters
    ----------
    wcs : gwcs.WCS or rtools.products.jwst.sky.ImageSky
        Of the image.
    ra, dec : array_like
        Degrees, of one shape.

    Returns
    -------
    x, y : ndarray float64
        Pixels, from 0, whole numbers at their centres; NaN where there is none.
    """
    ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
    x, y = _inverse(wcs, ra, dec)
    with np.errstate(all="ignore"):
        back = pixels_to_sky(wcs, x, y)
        along, across = _steps(wcs, x, y)
        east, north = _offset(back, (ra, dec))
        turned = along[0] * across[1] - along[1] * across[0]
        dx = (east * across[1] - north * across[0]) / turned
        dy = (north * along[0] - east * along[1]) / turned
        # Far from the image a polynomial inverse is void, and a tangent plane takes the other side for its own.
        near = np.hypot(dx, dy) < NEAR
        return np.where(near, x + dx, np.nan), np.where(near, y + dy, np.nan)


def _inverse(wcs, ra, dec):
    """What the system calls the pixels of positions; one after the other where it fails for all together."""
    from gwcs.wcs import NoConvergence

    try:
        with np.errstate(all="ignore"):
            x, y = wcs.invert(ra, dec, with_bounding_box=False)
        return np.asarray(x, np.float64), np.asarray(y, np.float64)
    except (NoConvergence, NotImplementedError, ValueError):
        if ra.ndim == 0:
            return np.array(np.nan), np.array(np.nan)
    each = [_inverse(wcs, np.array(one), np.array(two)) for one, two in zip(ra.ravel(), dec.ravel(), strict=True)]
    x, y = np.array(each, np.float64).reshape(-1, 2).T
    return x.reshape(ra.shape), y.reshape(ra.shape)


def geometry_at(wcs: Any, x: ArrayLike, y: ArrayLike) -> PixelGeometry:
    """Scale, area and directions of pixels.

    Parameters
    ----------
    wcs : gwcs.WCS or rtools.products.jwst.sky.ImageSky
        Of the image.
    x, y : array_like
        Pixels, from 0; of one shape.

    Returns
    -------
    PixelGeometry
        Of steps from half a pixel before each place to half a pixel behind it.
    """
    along, across = _steps(wcs, np.asarray(x, np.float64), np.asarray(y, np.float64))
    angle_x, angle_y = (np.degrees(np.arctan2(east, north)) % 360 for east, north in (along, across))
    turned = along[0] * across[1] - along[1] * across[0]
    # North (0, 1) in pixels is the solution of dx * along + dy * across = (0, 1).
    dx, dy = -across[0] / turned, along[0] / turned
    scales = np.hypot(*along), np.hypot(*across)
    return PixelGeometry(*scales, np.abs(turned), angle_x, angle_y, np.degrees(np.arctan2(-dx, dy)))


def _steps(wcs, x, y):
    """Arcsec east and north of a step of one pixel in x, and in y, around places."""
    ends = ((0.5, 0.0), (0.0, 0.5))
    return tuple(_offset(pixels_to_sky(wcs, x - dx, y - dy), pixels_to_sky(wcs, x + dx, y + dy)) for dx, dy in ends)


def _offset(start, end):
    """Arcsec east and north from one position to another; NaN where there is none."""
    distance, angle = distance_and_angle(start, end)
    distance = np.degrees(distance) * DEGREE_ARCSEC
    return distance * np.sin(angle), distance * np.cos(angle)
