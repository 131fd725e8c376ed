"""Pixels of an image on the sky, each where it is: size, orientation, positions with errors.

The pixels of a detector differ in area by several per cent, and an image holds surface brightness: what is summed over
pixels is light only with the area that the pixels have there.

A WCS is a gwcs: called with x and y it gives right ascension and declination in degrees, NaN outside its bounding box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.wfi.sphere import signed_turn
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "centre_side",
    "errors",
    "jacobian",
    "local_slopes",
    "mean_side",
    "position_angle",
    "positions",
    "sides",
    "span",
]


def local_slopes(wcs: Any, shape: tuple[int, int], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """`jacobian` at each place; where a place is not finite, that of the image's centre.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the image.
    shape : tuple of int
        (rows, columns) of the image.
    x, y : ndarray float64 (n,)
        Pixels.

    Returns
    -------
    ndarray float64 (2, 2, n)
        [east, north][x, y], arcsec per pixel.
    """
    middle = _middle(shape)
    slopes = jacobian(wcs, *(np.append(places, centre) for places, centre in zip((x, y), middle, strict=True)))
    return np.where(np.isnan(slopes[..., :-1]), slopes[..., -1:], slopes[..., :-1])


def centre_side(wcs: Any, shape: tuple[int, int]) -> float:
    """Root of the area of the pixel at the centre of an image.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the image.
    shape : tuple of int
        (rows, columns) of the image.

    Returns
    -------
    float
        Arcsec.
    """
    return float(sides(jacobian(wcs, *np.reshape(_middle(shape), (2, 1))))[0])


def mean_side(wcs: Any, shape: tuple[int, int], x: np.ndarray, y: np.ndarray) -> float:
    """Mean side of the pixels at some places: what is measured there is per pixel of this size.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the image.
    shape : tuple of int
        (rows, columns) of the image.
    x, y : ndarray float64 (n,)
        Pixels.

    Returns
    -------
    float
        Arcsec.
    """
    return float(np.mean(sides(local_slopes(wcs, shape, x, y))))


def _middle(shape):
    """x and y of the centre of an image."""
    return (shape[1] - 1) / 2, (shape[0] - 1) / 2


def sides(slopes: np.ndarray) -> np.ndarray:
    """Root of the area of a pixel.

    Parameters
    ----------
    slopes : ndarray float64 (2, 2, n)
        From `jacobian`.

    Returns
    -------
    ndarray float64 (n,)
        Arcsec.
    """
    return np.sqrt(np.abs(slopes[0, 0] * slopes[1, 1] - slopes[0, 1] * slopes[1, 0]))


def span(slopes: np.ndarray, dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Length on the sky of steps of so many pixels.

    Parameters
    ----------
    slopes : ndarray float64 (2, 2, n)
        From `jacobian`.
    dx, dy : ndarray float64 (n,)
        Pixels.

    Returns
    -------
    ndarray float64 (n,)
        Arcsec.
    """
    return np.hypot(*(row[0] * dx + row[1] * dy for row in slopes))


def position_angle(slopes: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Angle on the sky of lines on the image.

    Parameters
    ----------
    slopes : ndarray float64 (2, 2, n)
        From `jacobian`.
    theta : ndarray float64 (n,)
        From +x towards +y, degrees.

    Returns
    -------
    ndarray float64 (n,)
        From north towards east, degrees in (-90, 90]: a line has no head.
    """
    cos, sin = np.cos(np.radians(theta)), np.sin(np.radians(theta))
    east, north = (row[0] * cos + row[1] * sin for row in slopes)
    # Rounded to what single precision holds: what is just above -90 would be stored as -90.
    return 90 - np.round(90 - np.degrees(np.arctan2(east, north)), 5) % 180


def positions(wcs: Any, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Right ascension and declination of places of an image.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the image.
    x, y : array_like of float (n,)
        Pixels.

    Returns
    -------
    ra, dec : ndarray float64 (n,)
        Degrees; NaN outside the bounding box of the WCS, or where x or y is not finite.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    ra, dec = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    good = np.isfinite(x) & np.isfinite(y)
    if good.any():
        ra[good], dec[good] = wcs(x[good], y[good])
    return ra, dec


def jacobian(wcs: Any, x: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Derivative of the sky position at each place: differences over one pixel, beyond the bounding box, too.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the image.
    x, y : array_like of float (n,)
        Pixels.

    Returns
    -------
    ndarray float64 (2, 2, n)
        [east, north][x, y], arcsec per pixel; east along the great circle. NaN where x, y is not finite.
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    out = np.full((2, 2, x.size), np.nan)
    good = np.isfinite(x) & np.isfinite(y)
    if not good.any():
        return out
    x, y = x[good], y[good]
    # Five places each in one call; a pixel is far below any change of the distortion.
    steps_x, steps_y = np.array([[0], [0.5], [-0.5], [0], [0]]), np.array([[0], [0], [0], [0.5], [-0.5]])
    ra, dec = wcs((x + steps_x).ravel(), (y + steps_y).ravel(), with_bounding_box=False)
    ra, dec = np.reshape(ra, (5, -1)), np.reshape(dec, (5, -1))
    for axis, (ahead, behind) in enumerate([(1, 2), (3, 4)]):
        turn = signed_turn(ra[ahead] - ra[behind])
        out[0, axis, good] = turn * np.cos(np.radians(dec[0])) * DEGREE_ARCSEC
        out[1, axis, good] = (dec[ahead] - dec[behind]) * DEGREE_ARCSEC
    return out


def errors(
    slopes: np.ndarray, var_x: np.ndarray, var_y: np.ndarray, cov_xy: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors on the sky of places with a covariance in pixels.

    Parameters
    ----------
    slopes : ndarray (2, 2, n)
        From `jacobian`.
    var_x, var_y, cov_xy : ndarray (n,)
        Variances of x and y, and their covariance, pixel².

    Returns
    -------
    east, north : ndarray (n,)
        Arcsec, both along great circles.
    """
    east, north = (np.sqrt(row[0] ** 2 * var_x + 2 * row[0] * row[1] * cov_xy + row[1] ** 2 * var_y) for row in slopes)
    return east, north
