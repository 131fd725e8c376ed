"""Reddening by the dust of the Milky Way, from the maps of Schlegel, Finkbeiner & Davis 1998 (ApJ 500, 525)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["reddening"]

AROUND = 24
"""Pixels around the places that a spline's coefficients are made of: farther ones count for less than 1e-12."""


def reddening(
    north: tuple[np.ndarray, Any], south: tuple[np.ndarray, Any]
) -> Callable[[ArrayLike, ArrayLike], np.ndarray]:
    """E(B-V) as a function of the sky position.

    Parameters
    ----------
    north, south : tuple of (ndarray (rows, columns), astropy.wcs.WCS)
        The maps of the galactic hemispheres; their WCS has galactic longitude and latitude.

    Returns
    -------
    callable
        ``dust(ra, dec)``, degrees (ICRS) to magnitudes; NaN where a position is not finite.
    """

    def dust(ra, dec):
        from astropy.coordinates import SkyCoord

        ra, dec = np.asarray(ra, float), np.asarray(dec, float)
        out = np.full(ra.shape, np.nan)
        good = np.isfinite(ra) & np.isfinite(dec)
        if not good.any():
            return out
        galactic = SkyCoord(ra[good], dec[good], unit="deg").galactic
        longitude, latitude = galactic.l.deg, galactic.b.deg
        values = np.empty(longitude.shape)
        for side, (image, wcs) in ((latitude >= 0, north), (latitude < 0, south)):
            if side.any():
                x, y = wcs.all_world2pix(longitude[side], latitude[side], 0)
                values[side] = _interpolated(image, y, x)
        out[good] = values
        return out

    return dust


def _interpolated(image, y, x):
    """Cubic interpolation of the part of an image around some places."""
    from scipy.ndimage import map_coordinates

    window, corner = [], []
    for places, size in ((y, image.shape[0]), (x, image.shape[1])):
        first, last = np.clip([places.min() - AROUND, places.max() + AROUND], 0, size - 1).astype(int)
        window.append(slice(first, last + 1))
        corner.append(first)
    part = np.asarray(image[tuple(window)], float)
    return map_coordinates(part, [y - corner[0], x - corner[1]], order=3, mode="nearest")
