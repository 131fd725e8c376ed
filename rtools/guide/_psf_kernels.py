"""Compiled light of one star in a window: the PSF as a cubic spline, and its derivatives by the star's place.

A star of flux F at (x, y) gives F P(i - x, j - y) to pixel (i, j) (Anderson & King 2000, PASP 112, 1360). Between its
samples P is a sum of B-splines times coefficients (Unser 1999, IEEE Signal Processing Magazine 16, 22). A pixel is a
whole number of samples: all pixels of a window lie at the same place between samples, and share the values of the
B-splines. Coefficients are summed along y first, for all samples of a row of pixels at once, then along x.
"""

import math
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["RenderScratch", "WindowSpline", "place_basis", "render", "scratch_for"]

TAPS = 4
"""B-splines that are not zero at a place, along one axis."""


ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)


class WindowSpline(NamedTuple):
    """Coefficients of a spline, as many as stars in a window need.

    Attributes
    ----------
    values : ndarray float64 (ny, nx)
        Coefficient of each sample.
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
def place_basis(origin, step, place, basis):
    """The B-splines for a star at a place, along one axis.

    Parameters
    ----------
    origin : float
        Sample on which a star at 0 is centred.
    step : int
        Samples per pixel.
    place : float
        Of the star, pixels.
    basis : float64 (3, 4)
        Receives the values, and their first and second derivatives by the place.

    Returns
    -------
    int
        The first of the four samples of pixel 0; those of pixel i are `step` i farther on.
    """
    start = origin - step * place
    whole = math.floor(start)
    _fill_basis(start - whole, basis)
    # Pixels less the star: a star that moves on moves the argument back.
    for tap in range(TAPS):
        basis[1, tap] *= -step
        basis[2, tap] *= step * step
    return int(whole) - 1


class RenderScratch(NamedTuple):
    """Memory of `render`: B-splines along x and y with their derivatives, and a row of samples."""

    basis: np.ndarray
    line: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def scratch_for(spline, columns):
    """Memory for windows of so many columns."""
    return RenderScratch(np.empty((2, 3, TAPS)), np.empty(spline.step * columns + TAPS))


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _mix_rows(values, low, left, weights, line):
    """Sum four rows of coefficients from (low, left) on, with their weights."""
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    end = left + line.size
    c0, c1, c2, c3 = (
        values[low, left:end],
        values[low + 1, left:end],
        values[low + 2, left:end],
        values[low + 3, left:end],
    )
    for k in range(line.size):
        line[k] = w0 * c0[k] + w1 * c1[k] + w2 * c2[k] + w3 * c3[k]


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _mix_samples(line, step, weights, out):
    """Sum the four samples of each pixel, with their weights."""
    w0, w1, w2, w3 = weights[0], weights[1], weights[2], weights[3]
    for i in range(out.size):
        k = step * np.uint64(i)  # an index without a sign is not looked at for being negative
        out[i] = w0 * line[k] + w1 * line[k + ONE] + w2 * line[k + TWO] + w3 * line[k + THREE]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def render(spline, x, y, out, scratch):
    """P and its derivatives by x and y of the star, for all pixels of a window.

    Parameters
    ----------
    spline : WindowSpline
        Made for this window (`rtools.guide.psf.spline_for`).
    x, y : float
        Place of the star, in the window or outside by at most one pixel.
    out : float64 (3 or 6, rows, columns)
        Receives P, ∂P/∂x, ∂P/∂y; with room for them, ∂²P/∂x², ∂²P/∂y², ∂²P/∂x∂y.
    scratch : RenderScratch
        Memory.
    """
    step, basis, pitch = spline.step, scratch.basis, np.uint64(spline.step)
    left = place_basis(spline.origin_x, step, x, basis[0])
    low = place_basis(spline.origin_y, step, y, basis[1])
    across, up = basis[0], basis[1]
    line = scratch.line[: step * (out.shape[2] - 1) + TAPS]
    for j in range(out.shape[1]):
        row = low + step * j
        _mix_rows(spline.values, row, left, up[0], line)
        _mix_samples(line, pitch, across[0], out[0, j])
        _mix_samples(line, pitch, across[1], out[1, j])
        if out.shape[0] > 3:
            _mix_samples(line, pitch, across[2], out[3, j])
        _mix_rows(spline.values, row, left, up[1], line)
        _mix_samples(line, pitch, across[0], out[2, j])
        if out.shape[0] > 3:
            _mix_samples(line, pitch, across[1], out[5, j])
            _mix_rows(spline.values, row, left, up[2], line)
            _mix_samples(line, pitch, across[0], out[4, j])
