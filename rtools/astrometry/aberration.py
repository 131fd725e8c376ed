"""Velocity aberration: where a star seems to be from a moving telescope, and the scale that the field gets.

With β the velocity in units of that of light and u the direction, k = √(1 - β²): the scale is (1 + u·β) / k, and the
apparent direction is [k u + β (1 + (1 - k) u·β / β²)] / (1 + u·β).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi.sphere import positions_of, unit_vectors
from rtools.wfi.times import JD_OF_MJD_0
from rtools.wfi.units import AU_KM, DAY_S, L2_FACTOR, LIGHT_KM_S

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["Aberration", "aberration", "apparent", "checked_velocity", "spacecraft_velocity"]

LIMIT_KM_S = 500.0
"""A component beyond this is a fill value or in other units."""

HALO_KM_S = 1.0
"""Most by which the velocity differs from that of the second Lagrange point (the orbit around it: 0.2 km/s)."""


class Aberration(NamedTuple):
    """What velocity aberration does to a point on the sky.

    Attributes
    ----------
    scale : float
        The factor by which angles around the point are seen smaller than they are, larger than 1 ahead.
    ra, dec : float
        Apparent position, degrees.
    """

    scale: float
    ra: float
    dec: float


def apparent(direction: np.ndarray, velocity: ArrayLike) -> tuple[np.ndarray, float]:
    """Direction in which a star is seen from a moving telescope, and the scale there.

    Parameters
    ----------
    direction : ndarray float64 (3,)
        Unit vector to where the star is.
    velocity : array_like of float (3,)
        Of the telescope, km/s, in the axes of the direction.

    Returns
    -------
    seen : ndarray float64 (3,)
        Unit vector to where it seems to be.
    scale : float
        (1 + u·β) / √(1 - β²).
    """
    beta = np.asarray(velocity, float) / LIGHT_KM_S
    square = beta @ beta
    if square == 0:
        return np.array(direction, float), 1.0
    along, root = direction @ beta, np.sqrt(1 - square)
    seen = (root * direction + beta * (1 + (1 - root) * along / square)) / (1 + along)
    return seen, float((1 + along) / root)


def aberration(ra: float, dec: float, velocity: ArrayLike) -> Aberration:
    """Scale factor and apparent position of a point on the sky.

    Parameters
    ----------
    ra, dec : float
        Degrees.
    velocity : array_like of float (3,)
        Barycentric, km/s, ICRS axes.

    Returns
    -------
    Aberration
        Scale 1 and the position itself where the velocity is zero.
    """
    if not np.any(velocity):
        return Aberration(1.0, float(ra), float(dec))
    seen, scale = apparent(unit_vectors(ra, dec), velocity)
    return Aberration(float(scale), *map(float, positions_of(seen)))


def spacecraft_velocity(mjd: float) -> np.ndarray:
    """Barycentric velocity of the second Lagrange point, good to 0.3 km/s.

    That of the Earth (ERFA's epv00) times the point's distance from the Sun in units of the Earth's.

    Parameters
    ----------
    mjd : float
        Modified Julian Date.

    Returns
    -------
    ndarray float64 (3,)
        km/s, ICRS axes.
    """
    import erfa

    return np.array(erfa.epv00(JD_OF_MJD_0, mjd)[1]["v"].tolist()) * AU_KM / DAY_S * L2_FACTOR


def checked_velocity(components: Sequence[Any], mjd: float | None = None) -> tuple[np.ndarray, str | None]:
    """A velocity that can be one, and what is odd about it.

    Parameters
    ----------
    components : sequence of 3
        As `meta.ephemeris` has them, km/s.
    mjd : float, optional
        When; the velocity is compared with that of the second Lagrange point.

    Returns
    -------
    velocity : ndarray float64 (3,)
        km/s.
    doubt : str or None
        A warning: the velocity is zero, or far from that of the second Lagrange point.

    Raises
    ------
    InputError
        It is missing, a fill value, or beyond 500 km/s.
    """
    try:
        velocity = np.array([float(value) for value in components])
    except (TypeError, ValueError):
        raise InputError("meta.ephemeris has no velocity") from None
    said = ", ".join(f"{value:g}" for value in velocity)
    if not np.all(np.abs(velocity) <= LIMIT_KM_S):
        raise InputError(f"velocity ({said}) km/s: none of a spacecraft", mend="is it a fill value, or in m/s?")
    if not np.any(velocity):
        return velocity, "the velocity is zero: no aberration"
    if mjd is not None:
        apart = float(np.linalg.norm(velocity - spacecraft_velocity(mjd)))
        if apart > HALO_KM_S:
            return velocity, f"velocity ({said}) km/s: {apart:.3g} km/s from that of the second Lagrange point then"
    return velocity, None
