"""Where the telescope points: sky to V2, V3 to pixel, the attitude, the spacecraft's velocity and its aberration.

The world coordinates are those that assign_wcs builds from the same metadata (pixel, distortion reference, velocity
aberration, rotation by V2ref, V3ref, roll, RA, Dec); they are written down here a second time, in the other direction,
because the simulator is one end of that step's test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.wfi.frame import CENTRE
from rtools.wfi.instrument import V3_IDEAL_Y_ANGLE
from rtools.wfi.sphere import angles_to_vectors, unit_vectors
from rtools.wfi.times import JD_OF_MJD_0, TT_MINUS_UTC_DAYS
from rtools.wfi.units import ARCSEC, AU_KM, DAY_S, DEGREE_ARCSEC, L2_FACTOR, LIGHT_KM_S

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Attitude", "Transform", "aberration_scale", "attitude", "ephemeris", "jacobian", "locate"]

Transform = Callable[..., Any]
"""A distortion, ``(x, y) -> (V2, V3)``: pixels of the trimmed frame, 0-based, to arcsec; numbers or arrays."""


class Attitude:
    """The rotation between V2, V3 and the sky, with velocity aberration.

    Parameters
    ----------
    wcsinfo : mapping of str to object
        ra_ref, dec_ref, roll_ref (degrees), v2_ref, v3_ref (arcsec).
    scale : float
        Velocity-aberration scale factor.

    Attributes
    ----------
    reference : ndarray float64 (2,)
        V2ref and V3ref, arcsec.
    matrix : ndarray float64 (3, 3)
        Unit vectors of V2, V3 to those of the sky.
    """

    def __init__(self, wcsinfo: Mapping[str, Any], scale: float = 1.0) -> None:
        self.reference = np.array([wcsinfo["v2_ref"], wcsinfo["v3_ref"]], dtype=float)
        self.scale = scale
        v2, v3 = self.reference * ARCSEC
        ra, dec, roll = (np.deg2rad(wcsinfo[key]) for key in ("ra_ref", "dec_ref", "roll_ref"))
        self.matrix = _rz(-ra) @ _ry(dec) @ _rx(roll) @ _ry(-v3) @ _rz(v2)

    def to_sky(self, v2: ArrayLike, v3: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """RA, Dec (degrees) of V2, V3 (arcsec)."""
        apparent2, apparent3 = (
            self.scale * v + (1 - self.scale) * ref
            for v, ref in zip((np.asarray(v2, float), np.asarray(v3, float)), self.reference, strict=True)
        )
        x, y, z = self.matrix @ angles_to_vectors(apparent2 * ARCSEC, apparent3 * ARCSEC, axis=0)
        return np.rad2deg(np.arctan2(y, x)) % 360, np.rad2deg(np.arcsin(np.clip(z, -1, 1)))

    def to_v23(self, ra: ArrayLike, dec: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """V2, V3 (arcsec) of RA, Dec (degrees)."""
        x, y, z = self.matrix.T @ unit_vectors(ra, dec, axis=0)
        apparent = np.arctan2(y, x) / ARCSEC, np.arcsin(np.clip(z, -1, 1)) / ARCSEC
        v2, v3 = ((v - (1 - self.scale) * ref) / self.scale for v, ref in zip(apparent, self.reference, strict=True))
        return v2, v3

    def boresight(self) -> tuple[float, float, float]:
        """RA, Dec of V1 and position angle of V3 there, degrees."""
        v1, v3 = self.matrix[:, 0], self.matrix[:, 2]
        ra, dec = np.arctan2(v1[1], v1[0]), np.arcsin(np.clip(v1[2], -1, 1))
        east = np.array([-np.sin(ra), np.cos(ra), 0])
        north = np.array([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)])
        angle = np.arctan2(v3 @ east, v3 @ north)
        return float(np.rad2deg(ra % (2 * np.pi))), float(np.rad2deg(dec)), float(np.rad2deg(angle % (2 * np.pi)))


def attitude(meta: Mapping[str, Any]) -> Attitude:
    """The `Attitude` of an exposure's metadata.

    Parameters
    ----------
    meta : mapping of str to object
        With ``wcsinfo`` and ``velocity_aberration``.

    Returns
    -------
    Attitude
        With the scale factor of the velocity aberration that the metadata state.
    """
    return Attitude(meta["wcsinfo"], meta["velocity_aberration"]["scale_factor"])


def locate(ra: np.ndarray, dec: np.ndarray, attitude: Attitude, transform: Transform) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of positions on the sky.

    Parameters
    ----------
    ra, dec : ndarray (n,)
        Degrees.
    attitude : Attitude
        From the sky to V2, V3.
    transform : callable
        Distortion, ``(x, y) -> (V2, V3)``; its ``inverse``, where it has one, is the start of Newton's iteration.

    Returns
    -------
    x, y : ndarray float64, (n,)
        0-based pixels of the trimmed frame, closing on `transform` to 1e-6 pixel near the detector.
    """
    v2, v3 = attitude.to_v23(ra, dec)
    if len(v2) == 0:
        return np.zeros(0), np.zeros(0)
    try:
        x, y = transform.inverse(v2, v3)  # type: ignore[attr-defined]  # a callable may have none
    except (AttributeError, NotImplementedError):
        x, y = np.full(v2.shape, CENTRE), np.full(v2.shape, CENTRE)
    for _ in range(3):
        f2, f3 = transform(x, y)
        # With the step inside one pixel the difference quotient errs by 1e-6 of the scale: Newton still converges.
        a2, a3 = transform(x + 1, y)
        b2, b3 = transform(x, y + 1)
        a, b, c, d = a2 - f2, b2 - f2, a3 - f3, b3 - f3
        determinant = a * d - b * c
        x = x + (d * (v2 - f2) - b * (v3 - f3)) / determinant
        y = y + (a * (v3 - f3) - c * (v2 - f2)) / determinant
    return x, y


def jacobian(ra: np.ndarray, dec: np.ndarray, attitude: Attitude, transform: Transform) -> np.ndarray:
    """Derivative of the pixel by the position on the sky: differences over one arcsecond.

    Parameters
    ----------
    ra, dec : ndarray (n,)
        Degrees.
    attitude : Attitude
        As for `locate`.
    transform : callable
        As for `locate`.

    Returns
    -------
    ndarray float64, (n, 2, 2)
        d(x, y) / d(east, north), pixels per arcsec.
    """
    step = 1 / DEGREE_ARCSEC
    x, y = locate(ra, dec, attitude, transform)
    east = locate(ra + step / np.cos(np.deg2rad(dec)), dec, attitude, transform)
    north = locate(ra, dec + step, attitude, transform)
    return np.stack([np.stack([east[0] - x, north[0] - x], -1), np.stack([east[1] - y, north[1] - y], -1)], -2)


def ephemeris(mjd: float) -> tuple[np.ndarray, np.ndarray]:
    """Barycentric position and velocity of the second Lagrange point.

    Those of the Earth (ERFA's epv00), made longer by the distance of the point from the Sun. The halo orbit around it
    (0.2 km/s) is left out.

    Parameters
    ----------
    mjd : float
        Modified Julian date, UTC.

    Returns
    -------
    position, velocity : ndarray float64, (3,)
        km and km/s, in the axes of the ICRS.
    """
    import erfa

    barycentric = erfa.epv00(JD_OF_MJD_0, mjd + TT_MINUS_UTC_DAYS)[1]
    return barycentric["p"] * AU_KM * L2_FACTOR, barycentric["v"] * AU_KM / DAY_S * L2_FACTOR


def aberration_scale(ra: float, dec: float, velocity: ArrayLike) -> tuple[float, float, float]:
    """Scale factor (1 + u·β) / sqrt(1 - β²) of the velocity aberration, and the apparent position.

    Parameters
    ----------
    ra, dec : float
        Where the telescope points, degrees; u is the unit vector of it.
    velocity : array_like of float (3,)
        Of the spacecraft in the barycentric frame, km/s; β in units of the speed of light.

    Returns
    -------
    scale, ra, dec : float
        The scale factor, and apparent right ascension and declination in degrees.
    """
    beta = np.asarray(velocity, float) / LIGHT_KM_S
    u = unit_vectors(ra, dec, axis=0)
    along, square = u @ beta, beta @ beta
    root = np.sqrt(1 - square)
    scale = (1 + along) / root
    if square:
        u = (root * u + beta * (1 + (1 - root) * along / square)) / (1 + along)
    return float(scale), float(np.rad2deg(np.arctan2(u[1], u[0])) % 360), float(np.rad2deg(np.arcsin(u[2])))


def roll_of(pa_aperture):
    """Position angle of V3 at the reference point (roll_ref) of an aperture's position angle, degrees."""
    return (pa_aperture - V3_IDEAL_Y_ANGLE) % 360


def _rz(a):
    return np.array([[np.cos(a), np.sin(a), 0], [-np.sin(a), np.cos(a), 0], [0, 0, 1]])


def _ry(a):
    return np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])


def _rx(a):
    return np.array([[1, 0, 0], [0, np.cos(a), np.sin(a)], [0, -np.sin(a), np.cos(a)]])
