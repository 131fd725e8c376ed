"""Pixels of an image on the sky: scale, direction of north, positions with errors.

A WCS is a gwcs: called with x and y it gives right ascension and declination in degrees, NaN outside its bounding box.
"""

from typing import NamedTuple

import numpy as np

__all__ = ["Grid", "errors", "grid", "jacobian", "positions"]

ARCSEC = 3600
RADIAN = np.degrees(1) * ARCSEC


class Grid(NamedTuple):
    """How large the pixels of an image are, one number each.

    Attributes
    ----------
    scale : float
        Arcsec per pixel along the meridian through the image centre: for apertures, rings, distances.
    north : float
        Angle from +x to north, degrees.
    side : float
        Root of the pixel area, arcsec: for shapes and areas.
    """

    scale: float
    north: float
    side: float


def grid(wcs, shape, pixel_area=None):
    """Size and direction of the pixels at the centre of an image.

    Parameters
    ----------
    wcs : gwcs.WCS
    shape : tuple of int
        (rows, columns).
    pixel_area : float, optional
        Steradian; if not given or not positive, the square of the scale.

    Returns
    -------
    Grid
    """
    centre = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    # A second of arc along the meridian, in pixels, with the slopes half way there.
    step = np.zeros(2)
    for _ in range(2):
        step = np.linalg.solve(jacobian(wcs, *(centre + step / 2)[:, None])[:, :, 0], [0.0, 1.0])
    dx, dy = step
    scale = 1 / np.hypot(dx, dy)
    known = pixel_area is not None and pixel_area > 0
    side = np.sqrt(pixel_area) * RADIAN if known else scale
    return Grid(float(scale), float(np.degrees(np.arctan2(dy, dx))), float(side))


def positions(wcs, x, y):
    """Right ascension and declination in degrees, float64; NaN outside the bounding box or where x, y is not finite."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    ra, dec = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    good = np.isfinite(x) & np.isfinite(y)
    if good.any():
        ra[good], dec[good] = wcs(x[good], y[good])
    return ra, dec


def jacobian(wcs, x, y):
    """Derivative of the sky position at each place, arcsec per pixel.

    Returns
    -------
    ndarray float64 (2, 2, n)
        [east, north][x, y]; east along the great circle. NaN where x, y is not finite.
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
        turn = (ra[ahead] - ra[behind] + 180) % 360 - 180
        out[0, axis, good] = turn * np.cos(np.radians(dec[0])) * ARCSEC
        out[1, axis, good] = (dec[ahead] - dec[behind]) * ARCSEC
    return out


def errors(slopes, var_x, var_y, cov_xy=0.0):
    """Standard errors on the sky of places with a covariance in pixels.

    Parameters
    ----------
    slopes : ndarray (2, 2, n)
        From `jacobian`.
    var_x, var_y, cov_xy : ndarray (n,)
        Pixel².

    Returns
    -------
    east, north : ndarray (n,)
        Arcsec, both along great circles.
    """
    return tuple(np.sqrt(row[0] ** 2 * var_x + 2 * row[0] * row[1] * cov_xy + row[1] ** 2 * var_y) for row in slopes)
