"""Reddening by the dust of the Milky Way, from the maps of Schlegel, Finkbeiner & Davis 1998 (ApJ 500, 525)."""

import numpy as np

__all__ = ["reddening"]


def reddening(north, south):
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
        from scipy.ndimage import map_coordinates

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
                values[side] = map_coordinates(image, [y, x], order=3, mode="nearest")
        out[good] = values
        return out

    return dust
