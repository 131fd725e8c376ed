"""The sphere of the sky: unit vectors, angles between positions, and the plane that touches the sphere at a point.

Positions are right ascension and declination in degrees, ICRS. The gnomonic projection and its inverse are those of
Calabretta and Greisen (2002, A&A 395, 1077, section 5.1.3). Where two formulas give the same angle, each serves what it
is exact for: `separation` for angles of any size, `distance_and_angle` where the direction is wanted with the distance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "angles_to_vectors",
    "distance_and_angle",
    "from_plane",
    "positions_of",
    "s_region",
    "separation",
    "signed_turn",
    "to_plane",
    "unit_vectors",
]


def unit_vectors(ra: ArrayLike, dec: ArrayLike, *, axis: int = -1) -> np.ndarray:
    """Unit vectors of positions.

    Parameters
    ----------
    ra, dec : array_like
        Right ascension and declination, degrees, of one shape.
    axis : int
        Where the axis of the three components is put: last by default, 0 for three arrays to be unpacked.

    Returns
    -------
    ndarray float64
        Of the shape of `ra` with an axis of length 3 more: (cos δ cos α, cos δ sin α, sin δ).
    """
    return angles_to_vectors(np.deg2rad(ra), np.deg2rad(dec), axis=axis)


def angles_to_vectors(longitude: ArrayLike, latitude: ArrayLike, *, axis: int = -1) -> np.ndarray:
    """Unit vectors of longitude and latitude, of any axes.

    Parameters
    ----------
    longitude, latitude : array_like
        Radians, of one shape.
    axis : int
        As in `unit_vectors`.

    Returns
    -------
    ndarray float64
        As `unit_vectors` gives them.
    """
    cosine = np.cos(latitude)
    return np.stack([cosine * np.cos(longitude), cosine * np.sin(longitude), np.sin(latitude)], axis=axis)


def positions_of(vectors: ArrayLike, *, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Positions in the directions of vectors.

    Parameters
    ----------
    vectors : array_like float64
        Of any length but 0, in any number; equatorial axes.
    axis : int
        The axis of the three components.

    Returns
    -------
    ra, dec : ndarray float64
        Right ascension, 0 … 360, and declination, degrees.
    """
    x, y, z = np.moveaxis(np.asarray(vectors), axis, 0)
    return np.rad2deg(np.arctan2(y, x)) % 360, np.rad2deg(np.arctan2(z, np.hypot(x, y)))


def signed_turn(angle: Any) -> Any:
    """An angle as the shorter turn. Of the difference of two right ascensions it is the way from one to the other.

    Parameters
    ----------
    angle : float or ndarray
        Degrees, any number of turns.

    Returns
    -------
    float or ndarray
        Degrees, from -180 up to but not including 180.
    """
    return (angle + 180) % 360 - 180


def s_region(corners: ArrayLike) -> str | None:
    """Corners as text for `meta.wcsinfo.s_region`.

    Parameters
    ----------
    corners : array_like (n, 2)
        Right ascension and declination, degrees, around the region.

    Returns
    -------
    str or None
        An STC-S polygon with nine decimals; None where a corner is not finite.
    """
    if not np.all(np.isfinite(corners)):
        return None
    return "POLYGON ICRS  " + " ".join(f"{value:.9f}" for value in np.ravel(corners))


def separation(ra: ArrayLike, dec: ArrayLike, other_ra: ArrayLike, other_dec: ArrayLike) -> np.ndarray:
    """Angles between positions, by the haversine formula, which is exact for small angles too.

    Parameters
    ----------
    ra, dec, other_ra, other_dec : array_like
        Degrees; shapes that go with each other.

    Returns
    -------
    ndarray float64
        Degrees, 0 … 180.
    """
    given = (ra, dec, other_ra, other_dec)
    ra_one, dec_one, ra_two, dec_two = (np.deg2rad(np.asarray(each, float)) for each in given)
    square = np.sin((dec_one - dec_two) / 2) ** 2
    square = square + np.cos(dec_one) * np.cos(dec_two) * np.sin((ra_one - ra_two) / 2) ** 2
    return np.rad2deg(2 * np.arcsin(np.sqrt(np.clip(square, 0, 1))))


def distance_and_angle(start: tuple[Any, Any], end: tuple[Any, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Angular distance from one position to others, and the position angle in which they lie.

    Parameters
    ----------
    start, end : (array_like, array_like)
        Right ascension and declination, degrees; shapes that go with each other.

    Returns
    -------
    distance, angle : ndarray float64
        Radians; the angle is that at `start`, from north to east.
    """
    (ra, dec), (to_ra, to_dec) = np.deg2rad(start), np.deg2rad(end)
    east = np.cos(to_dec) * np.sin(to_ra - ra)
    north = np.cos(dec) * np.sin(to_dec) - np.sin(dec) * np.cos(to_dec) * np.cos(to_ra - ra)
    along = np.sin(dec) * np.sin(to_dec) + np.cos(dec) * np.cos(to_dec) * np.cos(to_ra - ra)
    return np.arctan2(np.hypot(east, north), along), np.arctan2(east, north)


def to_plane(
    ra: ArrayLike, dec: ArrayLike, tangent: tuple[Any, Any], *, unit: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Gnomonic projection of positions.

    Parameters
    ----------
    ra, dec : array_like
        Degrees.
    tangent : (array_like, array_like)
        Position of the tangent point, degrees; one, or one for each position.
    unit : float
        Of the offsets, radians: the size of a pixel gives offsets in pixels.

    Returns
    -------
    xi, eta : ndarray float64
        Offsets east and north; NaN on the other half of the sky.
    """
    ra, dec = np.deg2rad(np.asarray(ra, float) - tangent[0]), np.deg2rad(np.asarray(dec, float))
    sin, cos = np.sin(np.deg2rad(tangent[1])), np.cos(np.deg2rad(tangent[1]))
    depth = np.sin(dec) * sin + np.cos(dec) * cos * np.cos(ra)
    depth = np.where(depth > 0, depth, np.nan) * unit
    return np.cos(dec) * np.sin(ra) / depth, (np.sin(dec) * cos - np.cos(dec) * sin * np.cos(ra)) / depth


def from_plane(xi: Any, eta: Any, tangent: tuple[Any, Any], *, turned: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Positions of offsets in the tangent plane.

    Parameters
    ----------
    xi, eta : array_like
        Offsets east and north, radians.
    tangent : (array_like, array_like)
        Position of the tangent point, degrees.
    turned : bool
        Whether right ascensions are turned to 0 … 360; otherwise they are within 180 of that of the tangent point.

    Returns
    -------
    ra, dec : ndarray float64
        Degrees.
    """
    sin, cos = np.sin(np.deg2rad(tangent[1])), np.cos(np.deg2rad(tangent[1]))
    across = cos - eta * sin
    ra = tangent[0] + np.rad2deg(np.arctan2(xi, across))
    return ra % 360 if turned else ra, np.rad2deg(np.arctan2(sin + eta * cos, np.hypot(xi, across)))
