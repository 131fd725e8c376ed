"""From the attitude that the spacecraft measures to where the apertures are on the sky.

Frames: ECI (ICRS axes), body (the spacecraft; V1 V2 V3 when aberration is left out), FGS (ideal axes of WFI_CEN with z
along the line of sight), GS (FGS turned so that z points at the guide star). A matrix `e2b` takes components in ECI to
components in body. The spacecraft keeps the guide star where it appears, so velocity aberration is taken out there.
"""

from typing import NamedTuple

import numpy as np

from rtools.astrometry.aberration import apparent
from rtools.errors import InputError, UsageError
from rtools.wfi import siaf, sphere
from rtools.wfi.sphere import angles_to_vectors, positions_of, s_region
from rtools.wfi.units import ARCSEC

__all__ = [
    "BODY_TO_FGS",
    "Solution",
    "V3Pointing",
    "eci_to_v",
    "guide_star_position",
    "keywords",
    "matrix",
    "mean_quaternion",
    "place_of",
    "region",
    "separation",
    "solve",
    "unit_quaternion",
    "v1_of",
]

BODY_TO_FGS = (-0.18596734175399293, 0.6837984564491885, -0.1800546332580956, 0.6822141509826322)
"""Quaternion from body to FGS before launch."""

NOT_A_UNIT = 0.01
"""A quaternion whose norm differs by more from 1 is none."""


class V3Pointing(NamedTuple):
    """Right ascension, declination and position angle of V3, degrees."""

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
    reference : V3Pointing
        Of the aperture's reference point.
    region : str
        Footprint of the exposure's detector.
    """

    quaternion: tuple
    e2v: np.ndarray
    v1: V3Pointing
    aperture: siaf.Aperture
    reference: V3Pointing
    region: str


def solve(quaternion, aperture, detector, *, guide_star=None, body_to_fgs=None, velocity=None):
    """Where an exposure points.

    Parameters
    ----------
    quaternion : sequence of 4
        ECI to body, the scalar last.
    aperture : str
        ``WFI_CEN``, ``WFI01_FULL`` …: of `meta.wcsinfo.aperture_name`.
    detector : str
        Of the exposure; its footprint becomes the region.
    guide_star : sequence of 2, optional
        H, V as `guide_star_position` has them.
    body_to_fgs : sequence of 4, optional
        Quaternion; that before launch by default.
    velocity : ndarray of 3, optional
        km/s; None and zero: aberration is not taken out.

    Returns
    -------
    Solution

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


def guide_star_position(aperture, detector, guide_star=None):
    """FGS coordinates of a guide star, arcsec.

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
    """
    if guide_star is None:
        v2, v3 = aperture.v2_ref, aperture.v3_ref
    else:
        h, v = guide_star
        v2, v3 = siaf.pixel_to_v2v3(aperture.detector or detector, siaf.CENTRE + h, siaf.CENTRE - v)
    x, y = siaf.v2v3_to_ideal(siaf.aperture("WFI_CEN"), v2, v3)
    return float(x), -float(y)


def unit_quaternion(quaternion):
    """A quaternion made one of norm 1, as a tuple.

    Raises
    ------
    UsageError
        Its norm is not near 1.
    """
    values = np.asarray(quaternion, float)
    norm = np.linalg.norm(values)
    if values.shape != (4,) or not abs(norm - 1) < NOT_A_UNIT:
        said = " ".join(f"{value:g}" for value in values)
        raise UsageError(f"({said}) is not an attitude: the norm of a quaternion is 1, this one's is {norm:.6g}")
    return tuple(float(value) for value in values / norm)


def mean_quaternion(samples):
    """The mean of quaternions that differ little, of norm 1; q and -q are the same rotation.

    Parameters
    ----------
    samples : ndarray (n, 4)
        The scalars last.

    Raises
    ------
    InputError
        One is no quaternion, or they are not of one attitude.
    """
    samples = np.asarray(samples, float)
    try:
        samples = np.array([unit_quaternion(sample) for sample in samples])
    except UsageError as error:
        raise InputError(error.message) from None
    along = samples @ samples[0]
    mean = (np.where(along < 0, -1, 1)[:, None] * samples).mean(axis=0)
    if np.linalg.norm(mean) < 1 - NOT_A_UNIT:
        raise InputError("the attitudes differ too much to have a mean")
    return tuple(float(value) for value in mean / np.linalg.norm(mean))


def matrix(quaternion):
    """Matrix of a rotation of frames by a quaternion, the scalar last."""
    a, b, c, d = quaternion
    return np.array(
        [
            [1 - 2 * b * b - 2 * c * c, 2 * (a * b + c * d), 2 * (c * a - b * d)],
            [2 * (a * b - c * d), 1 - 2 * c * c - 2 * a * a, 2 * (b * c + a * d)],
            [2 * (c * a + b * d), 2 * (b * c - a * d), 1 - 2 * a * a - 2 * b * b],
        ]
    )


def eci_to_v(quaternion, guide_star, *, body_to_fgs=None, velocity=None):
    """ECI to V1 V2 V3.

    Parameters
    ----------
    quaternion : sequence of 4
        ECI to body.
    guide_star : (float, float)
        FGS coordinates, arcsec.
    body_to_fgs : sequence of 4, optional
        Quaternion; that before launch by default.
    velocity : ndarray of 3, optional
        Barycentric velocity of the spacecraft, km/s.

    Returns
    -------
    ndarray (3, 3)
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


def v1_of(e2v):
    """The `V3Pointing` of V1."""
    return _place(e2v, e2v[0])


def place_of(e2v, v2, v3):
    """The `V3Pointing` of a point of the focal plane (arcsec)."""
    return _place(e2v, e2v.T @ _v_vector(v2, v3))


def _place(e2v, direction):
    ra, dec = map(float, positions_of(direction))
    east = np.array([-np.sin(np.deg2rad(ra)), np.cos(np.deg2rad(ra)), 0])
    north = np.cross(direction, east)
    return V3Pointing(ra, dec, float(np.rad2deg(np.arctan2(e2v[2] @ east, e2v[2] @ north)) % 360))


def _v_vector(v2, v3):
    return angles_to_vectors(v2 * ARCSEC, v3 * ARCSEC)


def region(e2v, detector):
    """Footprint of a detector as text for `meta.wcsinfo.s_region`."""
    v2, v3 = siaf.corners(detector)
    return s_region(np.array([place_of(e2v, *corner)[:2] for corner in zip(v2, v3, strict=True)]))


def separation(one, other):
    """Angle between two positions (degrees), in degrees; None where one is not known."""
    if any(value is None or abs(value) > 360 for value in (*one, *other)):
        return None
    return float(sphere.separation(*one, *other))


def keywords(solution, *, source, target=None, guide_star=None):
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
