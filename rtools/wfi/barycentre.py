"""Times as they would be read at the barycentre of the solar system.

Light of a star in the direction n reaches a telescope at r from the barycentre before or after it reaches the
barycentre itself: t_barycentre = t + r · n / c, for a plane wave. Left out are the delay by the Sun's mass (below
0.13 ms) and the curvature of the wave (1.2 ms at 1 pc, less as 1 / distance).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.wfi.sphere import unit_vectors
from rtools.wfi.units import DAY_S, LIGHT_KM_S

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Ephemeris", "barycentric_mjd", "light_delay"]


class Ephemeris(NamedTuple):
    """Where a telescope is, as `meta.ephemeris` says.

    Attributes
    ----------
    mjd : float
        When, UTC.
    position : tuple of float
        From the barycentre of the solar system, ICRS axes, km.
    velocity : tuple of float
        km/s. With it the place half an hour away is right to 10 km, which light passes in 32 µs. Without it the error
        grows by up to 0.1 ms in each second.
    """

    mjd: float
    position: tuple[float, float, float]
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def at(self, mjd: ArrayLike) -> NDArray[np.float64]:
        """Positions at times near that of the ephemeris, along a straight line.

        Parameters
        ----------
        mjd : array_like
            UTC.

        Returns
        -------
        ndarray float64, (…, 3)
            km.
        """
        seconds = (np.asarray(mjd, float) - self.mjd) * DAY_S
        return np.asarray(self.position, float) + seconds[..., np.newaxis] * np.asarray(self.velocity, float)


def light_delay(position: ArrayLike, ra: float, dec: float) -> NDArray[np.float64]:
    """Seconds after which a wave front that passes the telescope passes the barycentre.

    Parameters
    ----------
    position : array_like, (…, 3)
        Of the telescope from the barycentre, ICRS axes, km.
    ra, dec : float
        Direction of the star, degrees.

    Returns
    -------
    ndarray float64, (…)
        r · n / c; negative where the barycentre is passed first.
    """
    return np.asarray(position, float) @ unit_vectors(ra, dec) / LIGHT_KM_S


def barycentric_mjd(mjd: ArrayLike, ra: float, dec: float, ephemeris: Ephemeris) -> NDArray[np.float64]:
    """Times at the barycentre.

    Parameters
    ----------
    mjd : array_like, (n,)
        Times at the telescope, Modified Julian Dates, UTC.
    ra, dec : float
        Direction of the star, degrees.
    ephemeris : Ephemeris
        Of the telescope.

    Returns
    -------
    ndarray float64, (n,)
        Modified Julian Dates, TDB.
    """
    from astropy.time import Time

    scaled = Time(np.asarray(mjd, float), format="mjd", scale="utc").tdb.mjd
    return scaled + light_delay(ephemeris.at(mjd), ra, dec) / DAY_S
