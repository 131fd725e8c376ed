"""Apertures of the focal plane: names, reference points, angles, and their frames (pixel, ideal, V2 V3).

Numbers are those of the SIAF in pysiaf 0.29, which `instrument.json` has for the detectors. V2, V3 are taken as a
plane, as in `rtools.wfi.distortion`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import UsageError
from rtools.wfi import instrument
from rtools.wfi.distortion import v2v3_coefficients
from rtools.wfi.frame import CENTRE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike
__all__ = [
    "PARITY",
    "Aperture",
    "aperture",
    "corners",
    "detector_of",
    "ideal_to_v2v3",
    "pixel_to_v2v3",
    "v2v3_to_ideal",
]

POINTS = {
    "WFI_CEN": (*instrument.WFI_CEN, instrument.V3_IDEAL_Y_ANGLE),
    "BORESIGHT": (0.0, 0.0, instrument.V3_IDEAL_Y_ANGLE),
    "CGI_CEN": (-1247.076581449592, -720.0, 240.0),
}
"""V2, V3 (arcsec) and angle (degrees) of apertures that are not detectors."""

PARITY = -1
"""Of the ideal x axis towards V2 (VIdlParity), for every aperture of the instrument."""

DETECTOR_APERTURE = re.compile(r"WFI_?(\d\d)_FULL")


class Aperture(NamedTuple):
    """A reference point and the axes there.

    Attributes
    ----------
    name : str
        As the SIAF has it.
    v2_ref, v3_ref : float
        arcsec.
    v3_ideal_y_angle : float
        From V3 to the ideal y axis, degrees.
    parity : int
        Of the ideal x axis towards V2.
    detector : str or None
        Whose pixels the aperture has.
    """

    name: str
    v2_ref: float
    v3_ref: float
    v3_ideal_y_angle: float
    parity: int
    detector: str | None


def detector_of(name: str | None) -> str | None:
    """Detector of an aperture.

    Parameters
    ----------
    name : str or None
        Name of an aperture, in any letter case.

    Returns
    -------
    str or None
        ``WFI01`` for WFI01_FULL or WFI_01_FULL; None for an aperture that is a point, and for any other word.
    """
    found = DETECTOR_APERTURE.fullmatch(str(name).upper())
    detector = f"WFI{found[1]}" if found else None
    return detector if detector in instrument.DETECTORS else None


def aperture(name: str | None) -> Aperture:
    """An aperture by its name.

    Parameters
    ----------
    name : str or None
        WFI01_FULL … WFI18_FULL (also WFI_01_FULL), WFI_CEN, BORESIGHT or CGI_CEN, in any letter case.

    Returns
    -------
    Aperture
        Its name as the SIAF writes it.

    Raises
    ------
    UsageError
        There is none of this name.
    """
    detector = detector_of(name)
    if detector:
        facts = instrument.detector(detector)
        place = facts["v2_ref"], facts["v3_ref"], instrument.V3_IDEAL_Y_ANGLE
        return Aperture(f"{detector}_FULL", *place, PARITY, detector)
    if str(name).upper() in POINTS:
        return Aperture(str(name).upper(), *POINTS[str(name).upper()], PARITY, None)
    raise UsageError(f"no aperture is called {name!r}", mend=f"WFI01_FULL … WFI18_FULL, {', '.join(POINTS)}")


def pixel_to_v2v3(detector: str, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """V2 and V3 of pixels of a detector, by the nominal distortion.

    Parameters
    ----------
    detector : str
        ``WFI01`` … ``WFI18``.
    x, y : array_like
        Pixels, 0-based in the trimmed frame, of one shape.

    Returns
    -------
    v2, v3 : ndarray float64
        arcsec, of the shape of `x`.
    """
    offset = np.asarray(x, float) - CENTRE, np.asarray(y, float) - CENTRE
    v2, v3 = (np.polynomial.polynomial.polyval2d(*offset, matrix) for matrix in v2v3_coefficients(detector))
    return v2, v3


def v2v3_to_ideal(aperture: Aperture, v2: ArrayLike, v3: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Ideal coordinates of V2, V3, which are taken as a plane.

    With A the angle from V3 to the ideal y axis and p the parity: x = p (ΔV2 cos A - ΔV3 sin A),
    y = ΔV2 sin A + ΔV3 cos A.

    Parameters
    ----------
    aperture : Aperture
        Its reference point is 0, 0 of the ideal frame; its angle and parity turn the axes.
    v2, v3 : array_like
        arcsec, of one shape.

    Returns
    -------
    x, y : ndarray float64
        arcsec, of the shape of `v2`.
    """
    cosine, sine = _turn(aperture)
    v2, v3 = np.asarray(v2, float) - aperture.v2_ref, np.asarray(v3, float) - aperture.v3_ref
    return aperture.parity * (v2 * cosine - v3 * sine), v2 * sine + v3 * cosine


def ideal_to_v2v3(aperture: Aperture, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """V2, V3 of ideal coordinates: the inverse of `v2v3_to_ideal`.

    Parameters
    ----------
    aperture : Aperture
        Its reference point is 0, 0 of the ideal frame; its angle and parity turn the axes.
    x, y : array_like
        arcsec, of one shape.

    Returns
    -------
    v2, v3 : ndarray float64
        arcsec, of the shape of `x`.
    """
    cosine, sine = _turn(aperture)
    x, y = aperture.parity * np.asarray(x, float), np.asarray(y, float)
    return aperture.v2_ref + x * cosine + y * sine, aperture.v3_ref - x * sine + y * cosine


def _turn(aperture):
    angle = np.deg2rad(aperture.v3_ideal_y_angle)
    return np.cos(angle), np.sin(angle)


def corners(detector: str) -> tuple[np.ndarray, np.ndarray]:
    """V2 and V3 of the outer corners of a detector, in the order of `meta.wcsinfo.s_region`.

    Parameters
    ----------
    detector : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    v2, v3 : ndarray float64 (4,)
        arcsec; the corners are those of the pixels' edges, half a pixel beyond the centres of the outer ones.
    """
    low, high = -0.5, 2 * CENTRE + 0.5
    return pixel_to_v2v3(detector, np.array([low, low, high, high]), np.array([low, high, high, low]))
