"""Compiled rendering of guide windows: a star at the places that it takes in a pair."""

import math

import numpy as np

from rtools.compiled import njit

__all__ = ["add_moving", "add_moving_edge"]


@njit(nogil=True, cache=True, inline="always")
def _basis(t, weights):
    """Cubic B-spline weights of the samples -1, 0, 1, 2 for a position t in [0, 1) after sample 0 (Unser 1999)."""
    weights[0] = (1 - t) ** 3 / 6
    weights[1] = (3 * t**3 - 6 * t**2 + 4) / 6
    weights[2] = (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6
    weights[3] = t**3 / 6


@njit(nogil=True, cache=True)
def add_moving(out, x, y, rate, spline):
    """Add the mean of a star over its places to windows, in place.

    Parameters
    ----------
    out : ndarray float32 (n, rows, columns)
        Added to.
    x, y : ndarray float64 (n, m)
        Pixels of the window.
    rate : float
        Of all its light.
    spline : (ndarray float64 (ny, nx), int)
        B-spline coefficients of the ePSF, and its samples per pixel.
    """
    coefficients, oversample = spline
    count, rows, columns = out.shape
    ny, nx = coefficients.shape
    across, along = np.empty(4), np.empty(4)
    places = x.shape[1]
    for n in range(count):
        for p in range(places):
            # A step of one pixel is a whole number of samples: the place between samples is the same for all pixels.
            start_x, start_y = (nx - 1) / 2 - oversample * x[n, p], (ny - 1) / 2 - oversample * y[n, p]
            first_x, first_y = math.floor(start_x), math.floor(start_y)
            _basis(start_x - first_x, across)
            _basis(start_y - first_y, along)
            for j in range(rows):
                row = first_y + oversample * j
                if row < 1 or row > ny - 3:
                    continue
                for i in range(columns):
                    column = first_x + oversample * i
                    if column < 1 or column > nx - 3:
                        continue
                    total = 0.0
                    for b in range(4):
                        line = 0.0
                        for a in range(4):
                            line += across[a] * coefficients[row - 1 + b, column - 1 + a]
                        total += along[b] * line
                    out[n, j, i] += np.float32(rate / places * total)


@njit(nogil=True, cache=True)
def add_moving_edge(out, x, y, rate, shape):
    """Add the mean over its places of the edge of a spectrum, below which there is no light, in place.

    Parameters
    ----------
    out : ndarray float32 (n, rows, columns)
        Added to.
    x, y : ndarray float64 (n, m)
        Middle of the trace and place of the edge, pixels of the window.
    rate : float
        In a row far above the edge.
    shape : (ndarray float64 (k,), int, float)
        Samples of the cross-section, its samples per pixel, and the Gaussian width of the edge in pixels.
    """
    section, oversample, sigma = shape
    count, rows, columns = out.shape
    middle = (section.size - 1) / 2
    places = x.shape[1]
    across = np.empty(columns)
    for n in range(count):
        for p in range(places):
            for i in range(columns):
                place = middle + oversample * (i - x[n, p])
                first = math.floor(place)
                across[i] = 0.0
                if 0 <= first < section.size - 1:
                    part = place - first
                    across[i] = section[first] * (1 - part) + section[first + 1] * part
            for j in range(rows):
                passed = 0.5 * (1 + math.erf((j - y[n, p]) / (math.sqrt(2.0) * sigma)))
                for i in range(columns):
                    out[n, j, i] += np.float32(rate / places * passed * across[i])
