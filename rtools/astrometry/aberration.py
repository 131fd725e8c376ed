"""Velocity aberration: where a star seems to be from a moving telescope, and the scale that the field gets.

With β the velocity in units of that of light and u the direction, k = √(1 - β²): the scale is (1 + u·β) / k, and the
apparent direction is [k u + β (1 + (1 - k) u·β / β²)] / (1 + u·β).
"""

from typing import NamedTuple

import numpy as np

from rtools.errors import InputError

__all__ = ["LIGHT_KM_S", "PLAUSIBLE_KM_S", "Aberration", "aberration", "apparent", "checked_velocity", "unit_vector"]

LIGHT_KM_S = 299792.458

PLAUSIBLE_KM_S = (25.0, 35.0)
"""Speeds of a telescope near the second Lagrange point: the Earth's 29.3 … 30.3 km/s, 1 % more, and the halo orbit."""

LIMIT_KM_S = 500.0
"""A component beyond this is a fill value or in other units."""


class Aberration(NamedTuple):
    """The scale factor, and the apparent position in degrees."""

    scale: float
    ra: float
    dec: float


def unit_vector(ra, dec):
    """Unit vector of a position in degrees."""
    ra, dec = np.deg2rad(ra), np.deg2rad(dec)
    return np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def apparent(direction, velocity):
    """Direction in which a star at `direction` (unit vector) is seen at a velocity in km/s, and the scale there."""
    beta = np.asarray(velocity, float) / LIGHT_KM_S
    square = beta @ beta
    if square == 0:
        return np.array(direction, float), 1.0
    along, root = direction @ beta, np.sqrt(1 - square)
    seen = (root * direction + beta * (1 + (1 - root) * along / square)) / (1 + along)
    return seen, (1 + along) / root


def aberration(ra, dec, velocity):
    """Scale factor and apparent position of a point on the sky.

    Parameters
    ----------
    ra, dec : float
        Degrees.
    velocity : sequence of 3
        Barycentric, km/s, ICRS axes.

    Returns
    -------
    Aberration
    """
    seen, scale = apparent(unit_vector(ra, dec), velocity)
    if scale == 1 and not np.any(velocity):
        return Aberration(1.0, float(ra), float(dec))
    return Aberration(float(scale), *angles(seen))


def angles(vector):
    """Right ascension (0 … 360) and declination of a vector, degrees."""
    ra, dec = np.arctan2(vector[1], vector[0]), np.arctan2(vector[2], np.hypot(vector[0], vector[1]))
    return float(np.rad2deg(ra) % 360), float(np.rad2deg(dec))


def checked_velocity(components):
    """A velocity that can be one, and what is odd about it.

    Parameters
    ----------
    components : sequence of 3
        As `meta.ephemeris` has them, km/s.

    Returns
    -------
    (ndarray of 3, str or None)
        The velocity and a warning.

    Raises
    ------
    InputError
        It is missing, a fill value, or beyond 500 km/s.
    """
    try:
        velocity = np.array([float(value) for value in components])
    except (TypeError, ValueError):
        raise InputError(f"no velocity: {tuple(components)}") from None
    if not np.all(np.isfinite(velocity)) or np.any(np.abs(velocity) > LIMIT_KM_S):
        said = ", ".join(f"{value:g}" for value in velocity)
        raise InputError(f"({said}) km/s is no velocity of a spacecraft", mend="is it in m/s, or a fill value?")
    speed = float(np.linalg.norm(velocity))
    if speed == 0:
        return velocity, "the velocity is zero: scale 1, no aberration"
    if not PLAUSIBLE_KM_S[0] <= speed <= PLAUSIBLE_KM_S[1]:
        low, high = PLAUSIBLE_KM_S
        return velocity, f"a speed of {speed:.6g} km/s: near the second Lagrange point it is {low:g} to {high:g}"
    return velocity, None
