"""The nominal distortion: pixel to V2, V3 by the SIAF polynomial of a detector, with a fitted inverse.

The planar form of the transform is the definition of the nominal set; the spherical one differs by up to 15 mas in the
detectors' corners. One transform serves all optical elements.

Areas of pixels are those in the plane of V2 and V3. On the sphere they are smaller by the cosine of V3, at most 2e-5.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rtools.wfi import instrument
from rtools.wfi.frame import CENTRE
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from astropy.modeling import Model
    from numpy.typing import ArrayLike

__all__ = [
    "area_coefficients",
    "distortion",
    "inverse_coefficients",
    "pixel_area_sr",
    "pixel_side",
    "relative_area",
    "v2v3_coefficients",
]

DEGREE = 5


def distortion(detector: str) -> Model:
    """The transform of a detector as an astropy model with an inverse.

    Parameters
    ----------
    detector : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    astropy.modeling.Model
        0-based pixel (x, y) of the trimmed 4088 frame to V2, V3 in arcsec. Its inverse is a polynomial of degree 5
        fitted over the detector; it closes to 0.002 pixel on all of them (SIAF's own to 0.005).
    """
    from astropy.modeling.models import Mapping, Shift

    facts = instrument.detector(detector)
    both = Mapping((0, 1, 0, 1))
    v2, v3 = (_polynomial(coefficients) for coefficients in v2v3_coefficients(detector))
    forward = (Shift(-CENTRE) & Shift(-CENTRE)) | both | (v2 & v3)
    x, y = (_polynomial(coefficients) for coefficients in inverse_coefficients(detector))
    away = Shift(-facts["v2_ref"]) & Shift(-facts["v3_ref"])
    forward.inverse = away | both.copy() | (x & y) | (Shift(CENTRE) & Shift(CENTRE))
    forward.name = f"nominal distortion of {detector}"
    return forward


@cache
def v2v3_coefficients(detector: str) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients c[i, j] of X^i Y^j (X, Y pixels from the centre) for V2 and V3 in arcsec.

    With ξ, η the SIAF's ideal coordinates and A = -60°: V2 = V2ref - ξ cos A + η sin A,
    V3 = V3ref + ξ sin A + η cos A.

    Parameters
    ----------
    detector : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    tuple of two ndarray float64, (6, 6)
        Of V2 and of V3. They are kept for later calls, and must not be changed.
    """
    facts = instrument.detector(detector)
    xi, eta = _square(facts["sci2idl_x"]), _square(facts["sci2idl_y"])
    angle = np.deg2rad(instrument.V3_IDEAL_Y_ANGLE)
    v2 = -xi * np.cos(angle) + eta * np.sin(angle)
    v3 = xi * np.sin(angle) + eta * np.cos(angle)
    v2[0, 0] += facts["v2_ref"]
    v3[0, 0] += facts["v3_ref"]
    return v2, v3


@cache
def inverse_coefficients(detector: str) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients of (V2 - V2ref)^i (V3 - V3ref)^j, arcsec, for X and Y in pixels from the centre.

    Least squares on Chebyshev nodes over the detector and 8 pixels beyond, in units that keep the fit well conditioned.

    Parameters
    ----------
    detector : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    tuple of two ndarray float64, (6, 6)
        Of X and of Y. They are kept for later calls, and must not be changed.
    """
    facts = instrument.detector(detector)
    nodes = (CENTRE + 8) * np.cos((np.arange(60) + 0.5) * np.pi / 60)
    x, y = (grid.ravel() for grid in np.meshgrid(nodes, nodes))
    v2, v3 = (np.polynomial.polynomial.polyval2d(x, y, c) for c in v2v3_coefficients(detector))
    unit = 300.0
    u, v = (v2 - facts["v2_ref"]) / unit, (v3 - facts["v3_ref"]) / unit
    powers = [(i, j) for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]
    basis = np.stack([u**i * v**j for i, j in powers], axis=1)
    solution = np.linalg.lstsq(basis, np.stack([x, y], axis=1), rcond=None)[0]
    result = np.zeros((2, DEGREE + 1, DEGREE + 1))
    for (i, j), values in zip(powers, solution, strict=True):
        result[:, i, j] = values / unit ** (i + j)
    return result[0], result[1]


@cache
def area_coefficients(detector: str) -> np.ndarray:
    """Coefficients c[i, j] of X^i Y^j (X, Y pixels from the centre) for the area of a pixel, square arcsec.

    The determinant of the derivatives of V2 and V3.

    Parameters
    ----------
    detector : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    ndarray float64, (10, 10)
        The area is positive. They are kept for later calls, and must not be changed.
    """
    derivatives = [
        [np.polynomial.polynomial.polyder(c, axis=axis) for axis in (0, 1)] for c in v2v3_coefficients(detector)
    ]
    (v2_x, v2_y), (v3_x, v3_y) = derivatives
    area = _product(v2_x, v3_y) - _product(v2_y, v3_x)
    return area * np.sign(area[0, 0])


def pixel_area_sr(detector: str) -> float:
    """Area of the pixel at the centre of a detector, sr: 2.64e-13 to 2.81e-13, where 0.11 arcsec square is 2.84e-13.

    Parameters
    ----------
    detector : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    float
        Steradian, by `area_coefficients`.
    """
    return float(area_coefficients(detector)[0, 0]) * np.deg2rad(1 / DEGREE_ARCSEC) ** 2


def pixel_side(detector: str) -> float:
    """Root of the area of the pixel at the centre of a detector.

    Parameters
    ----------
    detector : str
        ``WFI01`` … ``WFI18``.

    Returns
    -------
    float
        arcsec.
    """
    return float(np.sqrt(area_coefficients(detector)[0, 0]))


def relative_area(detector: str, x: ArrayLike, y: ArrayLike) -> np.ndarray:
    """Area of pixels in units of that at the centre.

    Parameters
    ----------
    detector : str
        ``WFI01`` … ``WFI18``.
    x, y : ndarray float64 (columns,), (rows,)
        0-based pixels of the trimmed frame.

    Returns
    -------
    ndarray float64 (rows, columns)
    """
    area = area_coefficients(detector)
    across, along = (np.vander(np.asarray(each) - CENTRE, len(area), increasing=True) for each in (x, y))
    return along @ (area / area[0, 0]).T @ across.T


def _product(one, other):
    """Coefficients of the product of two polynomials of X and Y."""
    result = np.zeros(np.add(one.shape, other.shape) - 1)
    for (i, j), value in np.ndenumerate(one):
        result[i : i + other.shape[0], j : j + other.shape[1]] += value * other
    return result


def _square(listed):
    """The SIAF's list (coefficient of X^(i-j) Y^j, i = 0 … 5, j = 0 … i) as a matrix of powers of X and Y."""
    matrix = np.zeros((DEGREE + 1, DEGREE + 1))
    values = iter(listed)
    for i in range(DEGREE + 1):
        for j in range(i + 1):
            matrix[i - j, j] = next(values)
    return matrix


def _polynomial(matrix):
    from astropy.modeling.models import Polynomial2D

    named = {f"c{i}_{j}": matrix[i, j] for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)}
    return Polynomial2D(DEGREE, **named)
