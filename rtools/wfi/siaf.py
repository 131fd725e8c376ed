"""Apertures of the focal plane: names, reference points, angles, and their frames (pixel, ideal, V2 V3).

Numbers are those of the SIAF in pysiaf 0.29, which `instrument.json` has for the detectors. V2, V3 are taken as a
plane, as in `rtools.wfi.distortion`.
"""

import re
from typing import NamedTuple

import numpy as np

from rtools.errors import UsageError
from rtools.wfi import instrument
from rtools.wfi.distortion import v2v3_coefficients
from rtools.wfi.frame import CENTRE

__all__ = [
    "PARITY",
    "Aperture",
    "aperture",
    "corners",
    "detector_of",
    "pixel_to_v2v3",
    "v2v3_to_ideal",
]

POINTS = {
    "WFI_CEN": (*instrument.WFI_CEN, instrument.V3_IDEAL_Y_ANGLE),
    "BORESIGHT": (0.0, 0.0, instrument.V3_IDEAL_Y_ANGLE),
    "CGI_CEN": (-1247.076581449592, -720.0, 240.0),
}
"""V2, V3 (arcsec) and angle (degrees) of apertures that are no detector."""

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


def detector_of(name):
    """Detector of an aperture like WFI01_FULL (or WFI_01_FULL), None for one that is a point."""
    found = DETECTOR_APERTURE.fullmatch(str(name).upper())
    detector = f"WFI{found[1]}" if found else None
    return detector if detector in instrument.DETECTORS else None


def aperture(name):
    """An aperture by its name.

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


def pixel_to_v2v3(detector, x, y):
    """V2, V3 (arcsec) of pixels of a detector, 0-based in the trimmed frame, by the nominal distortion."""
    offset = np.asarray(x, float) - CENTRE, np.asarray(y, float) - CENTRE
    return tuple(np.polynomial.polynomial.polyval2d(*offset, matrix) for matrix in v2v3_coefficients(detector))


def v2v3_to_ideal(aperture, v2, v3):
    """Ideal coordinates (arcsec) of V2, V3 (arcsec)."""
    cosine, sine = _turn(aperture)
    v2, v3 = np.asarray(v2, float) - aperture.v2_ref, np.asarray(v3, float) - aperture.v3_ref
    return aperture.parity * (v2 * cosine - v3 * sine), v2 * sine + v3 * cosine


def _turn(aperture):
    angle = np.deg2rad(aperture.v3_ideal_y_angle)
    return np.cos(angle), np.sin(angle)


def corners(detector):
    """V2, V3 (arcsec) of the outer corners of a detector, in the order of `meta.wcsinfo.s_region`."""
    low, high = -0.5, 2 * CENTRE + 0.5
    return pixel_to_v2v3(detector, np.array([low, low, high, high]), np.array([low, high, high, low]))
