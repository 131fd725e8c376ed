"""From the attitude that the spacecraft measures to where the apertures are on the sky.

Frames: ECI (ICRS axes), body (the spacecraft; V1 V2 V3 when aberration is left out), FGS (ideal axes of WFI_CEN with z
along the line of sight), GS (FGS turned so that z points at the guide star). A matrix `e2b` takes components in ECI to
components in body. The spacecraft keeps the guide star where it appears, so velocity aberration is taken out there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.astrometry.aberration import apparent
from rtools.astrometry.quaternions import Quaternion, matrix, unit_quaternion
from rtools.wfi import siaf, sphere
from rtools.wfi.sphere import angles_to_vectors, positions_of, s_region
from rtools.wfi.units import ARCSEC

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "BODY_TO_FGS",
    "Solution",
    "V3Pointing",
    "eci_to_v",
    "guide_star_position",
    "keywords",
    "place_of",
    "region",
    "separation",
    "solve",
    "v1_of",
]

BODY_TO_FGS = (-0.18596734175399293, 0.6837984564491885, -0.1800546332580956, 0.6822141509826322)
"""Quaternion from body to FGS before launch."""


class V3Pointing(NamedTuple):
    """Where a point of the focal plane is on the sky, and how the telescope is turned there.

    Attributes
    ----------
    ra, dec : float
        Degrees, ICRS.
    roll : float
        Position angle of V3 at the point, degrees east of north.
    """

    ra: float
    dec: float
    roll: float


class Solution(NamedTuple):
    """The attitude of an exposure.

    Attributes
    ----------
    quaternion : tuple of float
        ECI to body, of norm 1.
    e2v : ndarray (3, 3)
        ECI to V1 V2 V3; rows are V1, V2, V3.
    v1 : V3Pointing
        Of V1.
    aperture : rtools.wfi.siaf.Aperture
        The one that the exposure refers to.
    reference : V3Pointing
        Of the aperture's reference point.
    region : str or None
        Footprint of the exposure's detector, as `meta.wcsinfo.s_region`.
    """

    quaternion: Quaternion
    e2v: np.ndarray
    v1: V3Pointing
    aperture: siaf.Aperture
    reference: V3Pointing
    region: str | None


def solve(
    quaternion: ArrayLike,
    aperture: str,
    detector: str,
    *,
    guide_star: Sequence[float] | None = None,
    body_to_fgs: ArrayLike | None = None,
    velocity: ArrayLike | None = None,
) -> Solution:
    """Where an exposure points.

    Parameters
    ----------
    quaternion : array_like of float (4,)
        ECI to body, the scalar last.
    aperture : str
        ``WFI_CEN``, ``WFI01_FULL`` …: of `meta.wcsinfo.aperture_name`.
    detector : str
        Of the exposure; its footprint becomes the region.
    guide_star : sequence of 2, optional
        H, V as `guide_star_position` has them.
    body_to_fgs : array_like of float (4,), optional
        Quaternion; that before launch by default.
    velocity : array_like of float (3,), optional
        km/s; None and zero: aberration is not taken out.

    Returns
    -------
    Solution
        The attitude, and where V1 and the aperture's reference point are.

    Raises
    ------
    UsageError
        A quaternion is none, or there is no such aperture.
    """
    there = siaf.aperture(aperture)
    quaternion = unit_quaternion(quaternion)
    position = guide_star_position(there, detector, guide_star)
    e2v = eci_to_v(quaternion, position, body_to_fgs=body_to_fgs, velocity=velocity)
    reference = place_of(e2v, there.v2_ref, there.v3_ref)
    return Solution(quaternion, e2v, v1_of(e2v), there, reference, region(e2v, detector))


def guide_star_position(
    aperture: siaf.Aperture, detector: str, guide_star: Sequence[float] | None = None
) -> tuple[float, float]:
    """FGS coordinates of a guide star.

    Parameters
    ----------
    aperture : rtools.wfi.siaf.Aperture
        Its own pixels count if it is a detector.
    detector : str
        Whose pixels count otherwise.
    guide_star : sequence of 2, optional
        H and V: pixels from the detector's reference pixel, H along x, V against y. None is the reference point of
        the aperture.

    Returns
    -------
    (float, float)
        x and y, arcsec.
    """
    v2: ArrayLike
    v3: ArrayLike
    if guide_star is None:
        v2, v3 = aperture.v2_ref, aperture.v3_ref
    else:
        h, v = guide_star
        v2, v3 = siaf.pixel_to_v2v3(aperture.detector or detector, siaf.CENTRE + h, siaf.CENTRE - v)
    x, y = siaf.v2v3_to_ideal(siaf.aperture("WFI_CEN"), v2, v3)
    return float(x), -float(y)


def eci_to_v(
    quaternion: Sequence[float],
    guide_star: tuple[float, float],
    *,
    body_to_fgs: ArrayLike | None = None,
    velocity: ArrayLike | None = None,
) -> np.ndarray:
    """ECI to V1 V2 V3.

    Parameters
    ----------
    quaternion : sequence of 4
        ECI to body, of norm 1.
    guide_star : (float, float)
        FGS coordinates, arcsec.
    body_to_fgs : array_like of float (4,), optional
        Quaternion; that before launch by default.
    velocity : array_like of float (3,), optional
        Barycentric velocity of the spacecraft, km/s.

    Returns
    -------
    ndarray float64 (3, 3)
        The rows are V1, V2, V3 in ICRS axes.

    Raises
    ------
    UsageError
        `body_to_fgs` is not a quaternion.
    """
    b2f = matrix(unit_quaternion(BODY_TO_FGS if body_to_fgs is None else body_to_fgs))
    f2g = _fgs_to_gs(*guide_star)
    e2g = f2g @ b2f @ matrix(quaternion)
    return b2f.T @ f2g.T @ _aberration(e2g, velocity) @ e2g


def _fgs_to_gs(x, y):
    """Turns the z axis of FGS to the guide star."""
    x, y = x * ARCSEC, y * ARCSEC
    about_x = np.array([[np.cos(x), 0, -np.sin(x)], [0, 1, 0], [np.sin(x), 0, np.cos(x)]])
    about_y = np.array([[1, 0, 0], [0, np.cos(y), np.sin(y)], [0, -np.sin(y), np.cos(y)]])
    return (about_y @ about_x).T


def _aberration(e2g, velocity):
    """Turns the guide star from where it appears to where it is."""
    if velocity is None or not np.any(velocity):
        return np.eye(3)
    true = e2g @ apparent(e2g[2], -np.asarray(velocity, float))[0]
    axis = np.cross([0.0, 0.0, 1.0], true)
    sine = np.linalg.norm(axis)
    if sine == 0:
        return np.eye(3)
    a, b, c = axis / sine
    cross = np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]])
    return np.eye(3) - cross * sine + 2 * cross @ cross * np.sin(np.arcsin(sine) / 2) ** 2


# -- from the attitude to the sky -------------------------------------------------------------------------------------


def v1_of(e2v: np.ndarray) -> V3Pointing:
    """Where V1 points.

    Parameters
    ----------
    e2v : ndarray (3, 3)
        ECI to V1 V2 V3, from `eci_to_v`.

    Returns
    -------
    V3Pointing
        Of the V1 axis.
    """
    return _place(e2v, e2v[0])


def place_of(e2v: np.ndarray, v2: float, v3: float) -> V3Pointing:
    """Where a point of the focal plane is on the sky.

    Parameters
    ----------
    e2v : ndarray (3, 3)
        ECI to V1 V2 V3, from `eci_to_v`.
    v2, v3 : float
        The point, arcsec.

    Returns
    -------
    V3Pointing
        With the position angle of V3 there.
    """
    return _place(e2v, e2v.T @ _v_vector(v2, v3))


def _place(e2v, direction):
    ra, dec = map(float, positions_of(direction))
    east = np.array([-np.sin(np.deg2rad(ra)), np.cos(np.deg2rad(ra)), 0])
    north = np.cross(direction, east)
    return V3Pointing(ra, dec, float(np.rad2deg(np.arctan2(e2v[2] @ east, e2v[2] @ north)) % 360))


def _v_vector(v2, v3):
    return angles_to_vectors(v2 * ARCSEC, v3 * ARCSEC)


def region(e2v: np.ndarray, detector: str) -> str | None:
    """Footprint of a detector as text for `meta.wcsinfo.s_region`.

    Parameters
    ----------
    e2v : ndarray (3, 3)
        ECI to V1 V2 V3, from `eci_to_v`.
    detector : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    str or None
        As `rtools.wfi.sphere.s_region` gives it.
    """
    v2, v3 = siaf.corners(detector)
    return s_region(np.array([place_of(e2v, *corner)[:2] for corner in zip(v2, v3, strict=True)]))


def separation(one: tuple[float | None, float | None], other: tuple[float | None, float | None]) -> float | None:
    """Angle between two positions.

    Parameters
    ----------
    one, other : (float or None, float or None)
        Right ascension and declination, degrees; fill values are beyond 360.

    Returns
    -------
    float or None
        Degrees; None where a position is not known.
    """
    known = [value for value in (*one, *other) if value is not None and not abs(value) > 360]
    return float(sphere.separation(*known)) if len(known) == 4 else None


def keywords(
    solution: Solution, *, source: str, target: str | None = None, guide_star: Sequence[float] | None = None
) -> dict[str, Any]:
    """What the metadata say of a pointing.

    Parameters
    ----------
    solution : Solution
        The attitude.
    source : str
        CALCULATED (from telemetry) or PLANNED.
    target : str, optional
        `meta.pointing.target_aperture`; where it is known, its position is said, too.
    guide_star : sequence of 2, optional
        H, V.

    Returns
    -------
    dict
        Values by dotted key below ``meta``.
    """
    there, reference = solution.aperture, solution.reference
    said = {
        "wcsinfo.ra_ref": reference.ra,
        "wcsinfo.dec_ref": reference.dec,
        "wcsinfo.roll_ref": reference.roll,
        "wcsinfo.v2_ref": there.v2_ref,
        "wcsinfo.v3_ref": there.v3_ref,
        "wcsinfo.v3yangle": there.v3_ideal_y_angle,
        "wcsinfo.vparity": there.parity,
        "wcsinfo.s_region": solution.region,
        "pointing.ra_v1": solution.v1.ra,
        "pointing.dec_v1": solution.v1.dec,
        "pointing.pa_v3": solution.v1.roll,
        "pointing.pa_aperture": (reference.roll + there.v3_ideal_y_angle) % 360,
        "pointing.quaternion": list(solution.quaternion),
        "pointing.pointing_engineering_source": source,
    }
    if target is not None:
        aimed = siaf.aperture(target)
        place = place_of(solution.e2v, aimed.v2_ref, aimed.v3_ref)
        said |= {"pointing.target_ra": place.ra, "pointing.target_dec": place.dec}
    if guide_star is not None:
        said["guide_star.hv_position"] = [float(value) for value in guide_star]
    return said
