"""Linear transformations between two lists of matched positions: weighted least squares with clipping.

Reference = M (image - c) + s + c, c the mean image position. Geometries: shift; rshift (shift and rotation); rscale
(with scale); general (six parameters).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi.sphere import signed_turn

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["GEOMETRIES", "MINIMUM", "Fit", "derived", "fit", "geometry_for", "turn"]

GEOMETRIES = ("shift", "rshift", "rscale", "general")
MINIMUM = {"shift": 1, "rshift": 2, "rscale": 2, "general": 3}
"""Matches without which a geometry cannot be fitted."""


def turn(angle: float) -> np.ndarray:
    """Matrix of a rotation from x to y.

    Parameters
    ----------
    angle : float
        Radians.

    Returns
    -------
    ndarray float64 (2, 2)
        [[cos, -sin], [sin, cos]].
    """
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


class Fit(NamedTuple):
    """Result of `fit`; lengths in the unit of the positions.

    Attributes
    ----------
    geometry : str
        One of `GEOMETRIES`.
    matrix : ndarray (2, 2)
        Rotation, scale and skew, as far as the geometry has them.
    shift : ndarray (2,)
        Refers to the origin: reference = matrix · image + shift.
    center : ndarray (2,)
        Mean image position.
    kept : ndarray of bool
        Pairs that were not clipped.
    residuals : ndarray (n, 2)
        Reference minus transformed image, of all pairs.
    rmse, mae : float
        Root mean square and mean length of the residuals of kept pairs, unweighted.
    covariance : ndarray (6, 6)
        Of (a, b, c, d, u, v), the matrix row by row and the displacement at `center`, scaled up where residuals are
        larger than their errors say.
    """

    geometry: str
    matrix: np.ndarray
    shift: np.ndarray
    center: np.ndarray
    kept: np.ndarray
    residuals: np.ndarray
    rmse: float
    mae: float
    covariance: np.ndarray

    def apply(self, xy: np.ndarray) -> np.ndarray:
        """Positions in the image (n, 2), transformed."""
        return xy @ self.matrix.T + self.shift

    def error_at(self, xy: ArrayLike) -> np.ndarray:
        """Standard deviation of the transformation at positions (n, 2): root of the sum over both axes."""
        x, y = (np.asarray(xy, float) - self.center).T
        zero, one = np.zeros_like(x), np.ones_like(x)
        along = np.stack([x, y, zero, zero, one, zero], axis=-1)
        up = np.stack([zero, zero, x, y, zero, one], axis=-1)
        along_x, along_y = (np.einsum("ni,ij,nj->n", rows, self.covariance, rows) for rows in (along, up))
        return np.sqrt(along_x + along_y)


def geometry_for(count: int) -> str:
    """The geometry that a number of matches supports.

    Parameters
    ----------
    count : int
        Number of matches.

    Returns
    -------
    str
        rshift below 6, rscale for 6 to 9, general from 10 on.
    """
    return "general" if count >= 10 else "rscale" if count >= 6 else "rshift"


def fit(
    image: np.ndarray,
    reference: np.ndarray,
    sigma: np.ndarray,
    geometry: str = "general",
    *,
    nclip: int = 3,
    clip: float = 3.0,
) -> Fit:
    """Fit a transformation of image positions to reference positions.

    Parameters
    ----------
    image, reference : ndarray (n, 2)
        Positions of the pairs, in one plane and unit.
    sigma : ndarray (n, 2)
        Error of the difference on each axis, in the unit of the positions.
    geometry : str
        One of `GEOMETRIES`.
    nclip : int
        Passes of clipping at most.
    clip : float
        Pairs go whose residual, in units of its error, is above this times the root mean square of all; with equal
        errors that is clip · RMSE. No pass leaves fewer pairs than the geometry's minimum.

    Returns
    -------
    Fit
        The transformation, its errors, and which pairs it was made of.

    Raises
    ------
    InputError
        Too few pairs for the geometry, or pairs that do not determine it (all at one place or on one line).
    """
    count = len(image)
    if count < MINIMUM[geometry]:
        raise InputError(f"{count} matches are too few for the geometry {geometry}")
    kept = np.ones(count, bool)
    solution = _solve(image, reference, sigma, geometry, kept)
    for _ in range(nclip):
        normal = np.sqrt(np.sum((solution.residuals / sigma) ** 2, axis=1))
        stay = kept & (normal < clip * np.sqrt(np.mean(normal[kept] ** 2)))
        if stay.sum() == kept.sum() or stay.sum() < MINIMUM[geometry]:
            break
        kept = stay
        solution = _solve(image, reference, sigma, geometry, kept)
    return solution


def _solve(image, reference, sigma, geometry, kept):
    """One weighted least-squares fit, as displacement of the centred positions: small numbers, no loss of digits."""
    center = image[kept].mean(axis=0)
    x, y = (image[kept] - center).T
    target = reference[kept] - image[kept]
    weight = 1 / sigma[kept]
    # parameters p = (a-1, b, c, d-1, u, v) = basis · q with the geometry's own few parameters q
    angle = 0.0
    for _ in range(5 if geometry == "rshift" else 1):
        offset, basis = _basis(geometry, angle)
        zero, one = np.zeros_like(x), np.ones_like(x)
        along = np.stack([x, y, zero, zero, one, zero], axis=-1)
        up = np.stack([zero, zero, x, y, zero, one], axis=-1)
        design = np.concatenate([along * weight[:, :1], up * weight[:, 1:]])
        wanted = np.concatenate([target[:, 0] * weight[:, 0], target[:, 1] * weight[:, 1]]) - design @ offset
        q, inverse = _least_squares(design @ basis, wanted, geometry)
        if geometry != "rshift":
            break
        angle += q[0]
    parameters = offset + basis @ q
    if geometry == "rshift":  # an exact rotation, not its tangent
        parameters = np.concatenate([_basis(geometry, angle)[0][:4], parameters[4:]])
    a, b, c, d, u, v = parameters
    matrix = np.array([[1 + a, b], [c, 1 + d]])
    shift = np.array([u, v]) + center - matrix @ center
    residuals = reference - (image @ matrix.T + shift)
    lengths = np.hypot(*residuals[kept].T)
    freedom = 2 * len(x) - basis.shape[1]
    chi = float(np.sum((residuals[kept] * weight) ** 2))
    covariance = basis @ inverse @ basis.T * max(1.0, chi / freedom if freedom > 0 else 1.0)
    rmse, mae = float(np.sqrt(np.mean(lengths**2))), float(np.mean(lengths))
    return Fit(geometry, matrix, shift, center, kept, residuals, rmse, mae, covariance)


def _basis(geometry, angle):
    """Start and directions of the six parameters."""
    offset = np.zeros(6)
    if geometry == "general":
        return offset, np.eye(6)
    if geometry == "shift":
        return offset, np.eye(6)[:, 4:]
    if geometry == "rscale":
        basis = np.zeros((6, 4))
        basis[[0, 3], 0] = 1
        basis[1, 1], basis[2, 1] = -1, 1
        basis[4, 2] = basis[5, 3] = 1
        return offset, basis
    cosine, sine = np.cos(angle), np.sin(angle)
    offset[:4] = -2 * np.sin(angle / 2) ** 2, -sine, sine, -2 * np.sin(angle / 2) ** 2
    basis = np.zeros((6, 3))
    basis[:4, 0] = -sine, -cosine, cosine, -sine
    basis[4, 1] = basis[5, 2] = 1
    return offset, basis


def _least_squares(design, wanted, geometry):
    """Solution and inverse normal matrix, columns scaled to one."""
    size = np.sqrt(np.sum(design**2, axis=0))
    if not np.all(size > 0):
        raise InputError(f"the matches do not determine the geometry {geometry}")
    left, values, right = np.linalg.svd(design / size, full_matrices=False)
    if not values[-1] > 1e-7 * values[0]:
        raise InputError(f"the matches do not determine the geometry {geometry}")
    solution = right.T @ ((left.T @ wanted) / values) / size
    inverse = (right.T / values**2) @ right / np.outer(size, size)
    return solution, inverse


def derived(matrix: ArrayLike) -> dict[str, Any]:
    """Angles and scales of a linear transformation, under the names of `meta.wcs_fit_results`.

    Parameters
    ----------
    matrix : array_like of float (2, 2)
        [[a, b], [c, d]].

    Returns
    -------
    dict of str to object
        ``rot``, the angles of both axes, ``<rot>``, their mean, ``proper_rot``, that of the nearest rotation, and
        ``skew`` in degrees; ``scale`` of both axes, ``<scale>``, the root of the determinant; ``proper``, whether it
        is not a reflection.
    """
    (a, b), (c, d) = np.asarray(matrix, float)
    sx, sy = np.hypot(a, c), np.hypot(b, d)
    determinant = a * d - b * c
    sign = 1.0 if determinant >= 0 else -1.0
    rot_x = np.rad2deg(np.arctan2(0.0 - c / sx, a / sx))
    rot_y = np.rad2deg(np.arctan2(b / sy, d / sy))
    skew = signed_turn(rot_y - rot_x)
    proper = np.rad2deg(np.arctan2(b / sy - sign * c / sx, a / sx + sign * d / sy))
    return {
        "proper_rot": float(proper),
        "proper": bool(determinant >= 0),
        "rot": [float(rot_x), float(rot_y)],
        "<rot>": float((rot_x + rot_y) / 2),
        "scale": [float(sx), float(sy)],
        "<scale>": float(np.sqrt(abs(determinant))),
        "skew": float(skew),
    }
