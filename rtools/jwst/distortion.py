"""The nominal geometry of JWST's detectors: pixels to ideal coordinates and to V2, V3, and the areas of pixels.

Polynomials are the SIAF's (`rtools.jwst.instrument`). The ideal plane is turned to V2, V3 as a plane, as the mission's
distortion references have it: V2 = V2Ref + p x cos A + y sin A, V3 = V3Ref - p x sin A + y cos A, with A the angle from
V3 to the ideal y axis and p the parity. Pixels are 0-based in the frame that files have.

The SIAF's own inverse polynomials close to 0.14 pixel only. Those that are fitted here close to 0.001 (MIRI: 0.03).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial.polynomial import polyder, polyval2d

from rtools.jwst.instrument import detector_facts

if TYPE_CHECKING:
    from astropy.modeling import Model
    from numpy.typing import ArrayLike

__all__ = [
    "distortion_model",
    "ideal_to_pixel",
    "ideal_to_v2v3",
    "pixel_area_sr",
    "pixel_to_ideal",
    "pixel_to_v2v3",
    "relative_area",
    "v2v3_to_ideal",
    "v2v3_to_pixel",
]

ARCSEC = np.deg2rad(1 / 3600)
"""Radians in an arcsec."""

STEPS = 3
"""Newton steps of the inverse: each squares an error that is small to begin with."""

DEGREE = 5
"""Of the fitted inverse."""


def pixel_to_ideal(detector: str, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Ideal coordinates of pixels (Sci2Idl).

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    x, y : array_like
        Pixels of the full frame, 0-based.

    Returns
    -------
    x, y : ndarray float64
        arcsec from the reference point, in the tangent plane there.
    """
    across, along = _from_reference(detector, x, y)
    ideal_x, ideal_y = (polyval2d(across, along, matrix) for matrix in _forward(detector))
    return ideal_x, ideal_y


def ideal_to_pixel(detector: str, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of ideal coordinates: the inverse of `pixel_to_ideal`.

    Newton steps from the fitted inverse.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    x, y : array_like
        arcsec.

    Returns
    -------
    x, y : ndarray float64
        Pixels of the full frame, 0-based; good to 1e-9 on the detector.
    """
    facts = detector_facts(detector)
    target = np.asarray(x, float), np.asarray(y, float)
    u, v = (polyval2d(*target, matrix) for matrix in _inverse(detector))
    for _ in range(STEPS):
        miss = [polyval2d(u, v, matrix) - goal for matrix, goal in zip(_forward(detector), target, strict=True)]
        (a, b), (c, d) = ([polyval2d(u, v, slope) for slope in row] for row in _slopes(detector))
        unit = a * d - b * c
        u, v = u - (d * miss[0] - b * miss[1]) / unit, v - (a * miss[1] - c * miss[0]) / unit
    return u + facts.x_reference - 1, v + facts.y_reference - 1


def ideal_to_v2v3(detector: str, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """V2, V3 of ideal coordinates.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    x, y : array_like
        arcsec.

    Returns
    -------
    v2, v3 : ndarray float64
        arcsec.
    """
    facts = detector_facts(detector)
    cosine, sine = _turn(facts)
    x, y = facts.parity * np.asarray(x, float), np.asarray(y, float)
    return facts.v2_ref + x * cosine + y * sine, facts.v3_ref - x * sine + y * cosine


def v2v3_to_ideal(detector: str, v2: ArrayLike, v3: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Ideal coordinates of V2, V3: the inverse of `ideal_to_v2v3`.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    v2, v3 : array_like
        arcsec.

    Returns
    -------
    x, y : ndarray float64
        arcsec.
    """
    facts = detector_facts(detector)
    cosine, sine = _turn(facts)
    v2, v3 = np.asarray(v2, float) - facts.v2_ref, np.asarray(v3, float) - facts.v3_ref
    return facts.parity * (v2 * cosine - v3 * sine), v2 * sine + v3 * cosine


def pixel_to_v2v3(detector: str, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """V2, V3 of pixels.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    x, y : array_like
        Pixels of the full frame, 0-based.

    Returns
    -------
    v2, v3 : ndarray float64
        arcsec.
    """
    return ideal_to_v2v3(detector, *pixel_to_ideal(detector, x, y))


def v2v3_to_pixel(detector: str, v2: ArrayLike, v3: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of V2, V3: the inverse of `pixel_to_v2v3`.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    v2, v3 : array_like
        arcsec.

    Returns
    -------
    x, y : ndarray float64
        Pixels of the full frame, 0-based.
    """
    return ideal_to_pixel(detector, *v2v3_to_ideal(detector, v2, v3))


def pixel_area_sr(detector: str) -> float:
    """Solid angle of the pixel at the reference point of a detector.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.

    Returns
    -------
    float
        Steradian: 2.3e-14 for NIRCam's short channel.
    """
    return float(_area(detector)[0, 0] * ARCSEC**2)


def relative_area(detector: str, x: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Areas of the pixels of a grid, in units of that of the pixel at the reference point.

    The determinant of the derivatives of the ideal coordinates.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.
    x, y : array_like (columns,), (rows,)
        Columns and rows of the full frame, 0-based.

    Returns
    -------
    ndarray float64 (rows, columns)
    """
    area = _area(detector)
    across, along = (np.vander(each, len(area), increasing=True) for each in _from_reference(detector, x, y))
    return along @ (area / area[0, 0]).T @ across.T


def distortion_model(detector: str) -> Model:
    """The transform of a detector as an astropy model with an inverse, as a distortion reference holds it.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.

    Returns
    -------
    astropy.modeling.Model
        Pixel (x, y) of the full frame, 0-based, to V2, V3 in arcsec. Its inverse is a polynomial of degree 5 fitted
        over the detector; it closes to 0.001 pixel (MIRI: 0.03).
    """
    from astropy.modeling.models import AffineTransformation2D, Mapping, Shift

    facts = detector_facts(detector)
    both = Mapping((0, 1, 0, 1))
    away = Shift(1 - facts.x_reference) & Shift(1 - facts.y_reference)
    back = Shift(facts.x_reference - 1) & Shift(facts.y_reference - 1)
    cosine, sine = _turn(facts)
    parity = facts.parity
    matrix = np.array([[parity * cosine, sine], [-parity * sine, cosine]])
    place = np.array([facts.v2_ref, facts.v3_ref])
    turn = AffineTransformation2D(matrix, place)
    unturn = Shift(-facts.v2_ref) & Shift(-facts.v3_ref) | AffineTransformation2D(np.linalg.inv(matrix), np.zeros(2))
    ideal_x, ideal_y = (_polynomial(coefficients) for coefficients in _forward(detector))
    x, y = (_polynomial(coefficients) for coefficients in _inverse(detector))
    forward = away | both | (ideal_x & ideal_y) | turn
    forward.inverse = unturn | both.copy() | (x & y) | back
    forward.name = f"nominal distortion of {facts.name}"
    return forward


@cache
def _forward(detector):
    """Matrices c[i, j] of X^i Y^j for the ideal x and y, arcsec; X, Y pixels from the reference point."""
    facts = detector_facts(detector)
    return _square(facts.sci2idl_x, facts.degree), _square(facts.sci2idl_y, facts.degree)


@cache
def _inverse(detector):
    """Matrices c[i, j] of x^i y^j (ideal, arcsec) for X and Y, pixels from the reference point.

    Least squares on Chebyshev nodes over the detector and 8 pixels beyond, in units that keep the fit well conditioned.
    """
    facts = detector_facts(detector)
    nodes = np.cos((np.arange(60) + 0.5) * np.pi / 60)
    half = facts.columns / 2 + 8, facts.rows / 2 + 8
    x, y = (grid.ravel() for grid in np.meshgrid(nodes * half[0], nodes * half[1]))
    ideal = [polyval2d(x, y, matrix) for matrix in _forward(detector)]
    unit = max(np.abs(values).max() for values in ideal)
    u, v = (values / unit for values in ideal)
    powers = [(i, j) for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]
    basis = np.stack([u**i * v**j for i, j in powers], axis=1)
    solution = np.linalg.lstsq(basis, np.stack([x, y], axis=1), rcond=None)[0]
    result = np.zeros((2, DEGREE + 1, DEGREE + 1))
    for (i, j), values in zip(powers, solution, strict=True):
        result[:, i, j] = values / unit ** (i + j)
    return result[0], result[1]


@cache
def _slopes(detector):
    """Derivatives of ideal x and y (outer) by X and Y (inner), as matrices of coefficients."""
    return tuple(tuple(polyder(matrix, axis=axis) for axis in (0, 1)) for matrix in _forward(detector))


def _square(listed, degree):
    """The SIAF's list (coefficient of X^(i-j) Y^j, i = 0 …, j = 0 … i) as a matrix of powers of X and Y."""
    matrix = np.zeros((degree + 1, degree + 1))
    values = iter(listed)
    for i in range(degree + 1):
        for j in range(i + 1):
            matrix[i - j, j] = next(values)
    return matrix


@cache
def _area(detector):
    """Matrix c[i, j] of X^i Y^j for the area of a pixel, square arcsec: the determinant of the slopes."""
    (a, b), (c, d) = _slopes(detector)
    area = _product(a, d) - _product(b, c)
    return area * np.sign(area[0, 0])


def _product(one, other):
    """Coefficients of the product of two polynomials of X and Y."""
    result = np.zeros((2 * max(*one.shape, *other.shape),) * 2)
    for (i, j), value in np.ndenumerate(one):
        result[i : i + other.shape[0], j : j + other.shape[1]] += value * other
    return result


def _polynomial(matrix):
    from astropy.modeling.models import Polynomial2D

    degree = len(matrix) - 1
    named = {f"c{i}_{j}": matrix[i, j] for i in range(degree + 1) for j in range(degree + 1 - i)}
    return Polynomial2D(degree, **named)


def _from_reference(detector, x, y):
    facts = detector_facts(detector)
    return np.asarray(x, float) - (facts.x_reference - 1), np.asarray(y, float) - (facts.y_reference - 1)


def _turn(facts):
    angle = np.deg2rad(facts.v3_ideal_y_angle)
    return np.cos(angle), np.sin(angle)
