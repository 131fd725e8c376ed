"""Compiled light of one star in a window: the PSF as a cubic spline, and its derivatives by the star's place.

A star of flux F at (x, y) gives F P(i - x, j - y) to pixel (i, j) (Anderson & King 2000, PASP 112, 1360). Between its
samples P is a sum of B-splines times coefficients (Unser 1999, IEEE Signal Processing Magazine 16, 22). A pixel is a
whole number of samples: all pixels of a window lie at the same place between samples, and share the values of the
B-splines. They are multiplied along x first, then along y.
"""

import math
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["SplinePlanes", "add_light", "add_light_and_curvature"]

TAPS = 4
"""B-splines that are not zero at a place, along one axis."""


class SplinePlanes(NamedTuple):
    """Coefficients of a spline, sorted by where in a pixel they lie.

    Attributes
    ----------
    values : ndarray float64 (step, step, rows, columns)
        Element (a, b, j, i) is the coefficient of sample (step j + a, step i + b).
    step : int
        Samples per pixel.
    origin_x, origin_y : float
        Sample on which a star at (0, 0) is centred.
    """

    values: np.ndarray
    step: int
    origin_x: float
    origin_y: float


@njit(nogil=True, cache=True, error_model="numpy")
def _fill_basis(t, basis):
    """B-splines of the samples -1, 0, 1, 2 at a place t in [0, 1) after sample 0; first and second derivatives.

    β³(u) = (2 - |u|)³ / 6 for 1 <= |u| < 2, and 2/3 - u² + |u|³ / 2 within 1.
    """
    s = 1 - t
    basis[0, 0], basis[0, 1] = s * s * s / 6, 2 / 3 - t * t * (2 - t) / 2
    basis[0, 2], basis[0, 3] = 2 / 3 - s * s * (2 - s) / 2, t * t * t / 6
    basis[1, 0], basis[1, 1] = -s * s / 2, t * (1.5 * t - 2)
    basis[1, 2], basis[1, 3] = s * (2 - 1.5 * s), t * t / 2
    basis[2, 0], basis[2, 1], basis[2, 2], basis[2, 3] = s, 3 * t - 2, 3 * s - 2, t


@njit(nogil=True, cache=True, error_model="numpy")
def _place_basis(origin, step, place, basis):
    """The first sample under the first pixel, and the B-splines for a star at a place."""
    start = origin - step * place
    whole = math.floor(start)
    _fill_basis(start - whole, basis)
    # Pixels less the star: a star that moves on moves the argument back.
    for tap in range(TAPS):
        basis[1, tap] *= -step
        basis[2, tap] *= step * step
    return int(whole) - 1


@njit(nogil=True, cache=True, error_model="numpy")
def add_light(planes, x, y, out, basis):
    """P and its derivatives by x and y of the star, for all pixels of a window.

    Parameters
    ----------
    planes : SplinePlanes
        Made for this window (`rtools.guide.psf.planes_of`).
    x, y : float
        Place of the star, in the window or outside by at most one pixel.
    out : float64 (3 or more, rows, columns)
        Receives P, ∂P/∂x, ∂P/∂y.
    basis : float64 (3, 3, 4)
        Memory.
    """
    step = planes.step
    left = _place_basis(planes.origin_x, step, x, basis[0])
    low = _place_basis(planes.origin_y, step, y, basis[1])
    rows, columns = out.shape[1], out.shape[2]
    out[:3] = 0
    bx, by = basis[0], basis[1]
    lines = np.empty((2, columns))
    for j in range(rows):
        for b in range(TAPS):
            lines[:] = 0
            for a in range(TAPS):
                first = (left + a) // step
                line = planes.values[(low + b) % step, (left + a) % step, (low + b) // step + j]
                for i in range(columns):
                    lines[0, i] += bx[0, a] * line[first + i]
                    lines[1, i] += bx[1, a] * line[first + i]
            for i in range(columns):
                out[0, j, i] += by[0, b] * lines[0, i]
                out[1, j, i] += by[0, b] * lines[1, i]
                out[2, j, i] += by[1, b] * lines[0, i]


@njit(nogil=True, cache=True, error_model="numpy")
def add_light_and_curvature(planes, x, y, out, basis):
    """As `add_light`, with the second derivatives.

    Parameters
    ----------
    planes : SplinePlanes
        Made for this window.
    x, y : float
        Place of the star.
    out : float64 (6, rows, columns)
        Receives P, ∂P/∂x, ∂P/∂y, ∂²P/∂x², ∂²P/∂y², ∂²P/∂x∂y.
    basis : float64 (3, 3, 4)
        Memory.
    """
    step = planes.step
    left = _place_basis(planes.origin_x, step, x, basis[0])
    low = _place_basis(planes.origin_y, step, y, basis[1])
    rows, columns = out.shape[1], out.shape[2]
    out[:] = 0
    bx, by = basis[0], basis[1]
    lines = np.empty((3, columns))
    for j in range(rows):
        for b in range(TAPS):
            lines[:] = 0
            for a in range(TAPS):
                first = (left + a) // step
                line = planes.values[(low + b) % step, (left + a) % step, (low + b) // step + j]
                for i in range(columns):
                    lines[0, i] += bx[0, a] * line[first + i]
                    lines[1, i] += bx[1, a] * line[first + i]
                    lines[2, i] += bx[2, a] * line[first + i]
            for i in range(columns):
                out[0, j, i] += by[0, b] * lines[0, i]
                out[1, j, i] += by[0, b] * lines[1, i]
                out[2, j, i] += by[1, b] * lines[0, i]
                out[3, j, i] += by[0, b] * lines[2, i]
                out[4, j, i] += by[2, b] * lines[0, i]
                out[5, j, i] += by[1, b] * lines[1, i]
