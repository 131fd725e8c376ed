"""The frame of fine guidance in the focal plane: angles of pixels in it, their size, and how rotations move stars.

F1 is the ideal x of WFI_CEN, F2 its ideal -y and F3 its line of sight (frame FGS of the pointing chain). In pixels of
all detectors F1 runs along +x and F2 along -y. An attitude that turns by r = (delta, epsilon, zeta) about (F1, F2, F3)
moves the image of a star in the direction u, a unit vector along (X, Y, 1), by -r x u (`guide.FACE_SIGN`). With X and Y
in radians: dX = -(epsilon - zeta Y) / |(X, Y, 1)|, dY = -(zeta X - delta) / |(X, Y, 1)|.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rtools.wfi import siaf
from rtools.wfi.distortion import v2v3_coefficients
from rtools.wfi.frame import CENTRE
from rtools.wfi.guide import FACE_SIGN
from rtools.wfi.units import RADIAN_ARCSEC

__all__ = ["FIELD_EDGE_ARCSEC", "FieldPlace", "displacement", "place_in_field", "turns_to_angles"]

FIELD_EDGE_ARCSEC = 1337.0
"""Distance of the centres of the outermost detectors, WFI09 and WFI18, from the line of sight."""


class FieldPlace(NamedTuple):
    """A place in the field, and the size and direction of its pixels.

    Attributes
    ----------
    x, y : float
        Angles along F1 and F2 from the line of sight, arcsec.
    jacobian : ndarray float64, (2, 2)
        Derivatives of these angles by the pixel's x and y, arcsec per pixel.
    """

    x: float
    y: float
    jacobian: NDArray[np.float64]


def place_in_field(detector: str, x: float, y: float) -> FieldPlace:
    """Where a pixel is in the frame of fine guidance, by the nominal distortion.

    Parameters
    ----------
    detector : str
        ``WFI01`` … ``WFI18``.
    x, y : float
        Pixel, 0-based in the trimmed frame.

    Returns
    -------
    FieldPlace
        Its angles and the derivatives by the pixel.
    """
    centre = siaf.aperture("WFI_CEN")
    ideal_x, ideal_y = siaf.v2v3_to_ideal(centre, *siaf.pixel_to_v2v3(detector, x, y))
    slopes = np.array([_slopes(matrix, x - CENTRE, y - CENTRE) for matrix in v2v3_coefficients(detector)])
    no_offset = centre._replace(v2_ref=0.0, v3_ref=0.0)
    along_x, along_y = siaf.v2v3_to_ideal(no_offset, slopes[0], slopes[1])
    return FieldPlace(float(ideal_x), -float(ideal_y), np.array([along_x, -along_y]))


def _slopes(coefficients, x, y):
    """Derivatives of a polynomial in two variables by each of them."""
    polynomial = np.polynomial.polynomial
    return [polynomial.polyval2d(x, y, polynomial.polyder(coefficients, axis=axis)) for axis in (0, 1)]


def displacement(
    place: FieldPlace, delta: ArrayLike, epsilon: ArrayLike, zeta: ArrayLike, *, sign: int = FACE_SIGN
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far rotations of the attitude move the image of a star.

    Parameters
    ----------
    place : FieldPlace
        Of the star.
    delta, epsilon, zeta : array_like
        Rotations about F1, F2, F3, radians.
    sign : int
        +1 for -r x u, -1 for the opposite.

    Returns
    -------
    dx, dy : ndarray float64
        Pixels.
    """
    turns = np.stack(np.broadcast_arrays(delta, epsilon, zeta)).astype(float)
    moved = np.linalg.inv(place.jacobian) @ turns_to_angles(place) * RADIAN_ARCSEC * (sign * FACE_SIGN)
    dx, dy = np.tensordot(moved, turns, axes=1)
    return dx, dy


def turns_to_angles(place: FieldPlace) -> NDArray[np.float64]:
    """The matrix from rotations to the angles by which a star's image moves.

    Parameters
    ----------
    place : FieldPlace
        Of the star.

    Returns
    -------
    ndarray float64, (2, 3)
        From (delta, epsilon, zeta) to displacements along F1 and F2, all in one unit of angle, for `FACE_SIGN`.
    """
    x, y = place.x / RADIAN_ARCSEC, place.y / RADIAN_ARCSEC
    return FACE_SIGN * np.array([[0.0, -1.0, y], [1.0, 0.0, -x]]) / np.sqrt(1 + x * x + y * y)
