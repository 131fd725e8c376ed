"""Compiled parts of the rendering: stars from splines, transforms of galaxies, stamps and traces onto the image."""

import math
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["Galaxies", "Stars", "add_stamps", "add_stars", "add_traces", "galaxy_transforms"]


class Stars(NamedTuple):
    """Stars on an image.

    Attributes
    ----------
    x, y : ndarray float64 (n,)
        Pixels.
    flux : ndarray float64 (n,)
        In units of the image.
    half : ndarray int64 (n,)
        Half width of the box that is filled, pixels.
    weights : ndarray float64 (n, k)
        Of the PSF's stamps.
    """

    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray
    half: np.ndarray
    weights: np.ndarray


class Galaxies(NamedTuple):
    """Galaxies of which transforms are made.

    Attributes
    ----------
    shapes : ndarray float64 (n, 3)
        C of the argument s² = kᵀ C k of the profile's transform: Cxx, Cxy, Cyy, pixels².
    shifts : ndarray float64 (n, 2)
        x and y of the centre in the stamp, pixels.
    flux : ndarray float64 (n,)
    profile : ndarray int64 (n,)
        Row of the table of transforms.
    weights : ndarray float64 (n, k)
        Of the PSF's stamps.
    """

    shapes: np.ndarray
    shifts: np.ndarray
    flux: np.ndarray
    profile: np.ndarray
    weights: np.ndarray


@njit(nogil=True, cache=True)
def _basis(t):
    """Cubic B-spline weights of the samples -1, 0, 1, 2 for a position t in [0, 1) after sample 0.

    Unser (1999, IEEE Signal Processing Magazine 16, 22), the spline β³ at t + 1, t, t - 1, t - 2.
    """
    weights = np.empty(4)
    weights[0] = (1 - t) ** 3 / 6
    weights[1] = (3 * t**3 - 6 * t**2 + 4) / 6
    weights[2] = (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6
    weights[3] = t**3 / 6
    return weights


@njit(nogil=True, cache=True)
def _mirror(i, n):
    """Index of sample i of a row of n that is mirrored about its first and last sample."""
    i = abs(i)
    return 2 * (n - 1) - i if i >= n else i


@njit(nogil=True, cache=True)
def add_stars(image, stars, splines, oversample):
    """Add stars to an image in place.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
        Added to.
    stars : Stars
        Where they are, how bright, and how they look.
    splines : ndarray float64 (k, ny, nx)
        B-spline coefficients of the PSF's stamps.
    oversample : int
        Their samples per pixel.
    """
    x, y, flux, half, weights = stars.x, stars.y, stars.flux, stars.half, stars.weights
    rows, columns = image.shape
    ny, nx = splines.shape[1], splines.shape[2]
    for s in range(x.size):
        x0, y0 = math.floor(x[s] + 0.5), math.floor(y[s] + 0.5)
        # A step of one pixel is a whole number of samples: the place between samples is the same for all pixels.
        start_x = oversample * (x0 - x[s]) + (nx - 1) / 2
        start_y = oversample * (y0 - y[s]) + (ny - 1) / 2
        ix, iy = math.floor(start_x), math.floor(start_y)
        across, along, own = _basis(start_x - ix), _basis(start_y - iy), weights[s]
        for dy in range(max(-half[s], -y0), min(half[s], rows - 1 - y0) + 1):
            j = iy + oversample * dy
            if j < 0 or j >= ny - 1:
                continue
            for dx in range(max(-half[s], -x0), min(half[s], columns - 1 - x0) + 1):
                i = ix + oversample * dx
                if i < 0 or i >= nx - 1:
                    continue
                total = _sum_splines(own, splines, (j, i), across, along)
                image[y0 + dy, x0 + dx] += flux[s] * total


@njit(nogil=True, cache=True, inline="always")
def _sum_splines(weights, splines, place, across, along):
    """Weighted sum of the stamps between samples: the spline at a place, by its weights across and along."""
    j, i = place
    total = 0.0
    for k in range(splines.shape[0]):
        if weights[k] == 0.0:
            continue
        part = 0.0
        for b in range(4):
            line = 0.0
            jj = _mirror(j - 1 + b, splines.shape[1])
            for a in range(4):
                line += across[a] * splines[k, jj, _mirror(i - 1 + a, splines.shape[2])]
            part += along[b] * line
        total += weights[k] * part
    return total


@njit(nogil=True, cache=True)
def galaxy_transforms(out, galaxies, table, psf, frequencies):
    """Transforms of galaxies convolved with the PSF.

    Parameters
    ----------
    out : ndarray complex64 (n, len(fy), len(fx))
        Receives the transforms.
    galaxies : Galaxies
        What they are.
    table : ndarray float64 (profiles, m)
        Transform of the profile at s / (1 + s) = j / (m - 1); linear between.
    psf : ndarray complex128 (k, len(fy), len(fx))
        Transforms of the PSF's stamps.
    frequencies : tuple of ndarray float64
        fy and fx, cycles per pixel.
    """
    fy, fx = frequencies
    shapes, shifts, flux = galaxies.shapes, galaxies.shifts, galaxies.flux
    profile, weights = galaxies.profile, galaxies.weights
    last = table.shape[1] - 1
    phase_x = np.empty(fx.size, np.complex128)
    for s in range(out.shape[0]):
        for i in range(fx.size):
            angle = -2 * math.pi * fx[i] * shifts[s, 0]
            phase_x[i] = complex(math.cos(angle), math.sin(angle)) * flux[s]
        for j in range(fy.size):
            angle = -2 * math.pi * fy[j] * shifts[s, 1]
            phase_y = complex(math.cos(angle), math.sin(angle))
            cross, along = 2 * shapes[s, 1] * fy[j], shapes[s, 2] * fy[j] ** 2
            for i in range(fx.size):
                argument = math.sqrt(max((shapes[s, 0] * fx[i] + cross) * fx[i] + along, 0.0))
                place = argument / (1 + argument) * last
                index = min(int(place), last - 1)
                low = table[profile[s], index]
                value = low + (place - index) * (table[profile[s], index + 1] - low)
                blur = complex(0.0, 0.0)
                for k in range(psf.shape[0]):
                    if weights[s, k] != 0.0:
                        blur += weights[s, k] * psf[k, j, i]
                out[s, j, i] = value * blur * phase_y * phase_x[i]


@njit(nogil=True, cache=True)
def add_stamps(image, stamps, x, y):
    """Add stamps to an image in place.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
        Added to.
    stamps : ndarray float32 (n, m, m)
        What falls beside the image is left out.
    x, y : ndarray int64 (n,)
        Where their pixel (m/2, m/2) is in the image.
    """
    rows, columns = image.shape
    size = stamps.shape[1]
    for s in range(stamps.shape[0]):
        left, low = x[s] - size // 2, y[s] - size // 2
        for j in range(max(0, -low), min(size, rows - low)):
            for i in range(max(0, -left), min(size, columns - left)):
                image[low + j, left + i] += stamps[s, j, i]


@njit(nogil=True, cache=True)
def add_traces(image, sections, rates, place, offset):
    """Add dispersed sources to an image in place: rates along +y times a cross-section along x.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
    sections : ndarray float64 (n, m)
        Share of each column; column m/2 falls on integer x.
    rates : ndarray float64 (n, k)
        Of each row of the trace.
    place : tuple of ndarray int64 (n,)
        x and y of the sources.
    offset : ndarray int64 (k,)
        Rows of the trace from y.
    """
    x, y = place
    rows, columns = image.shape
    size = sections.shape[1]
    for s in range(x.size):
        left = x[s] - size // 2
        first, last = max(0, -left), min(size, columns - left)
        for k in range(offset.size):
            row = y[s] + offset[k]
            if row < 0 or row >= rows:
                continue
            for i in range(first, last):
                image[row, left + i] += rates[s, k] * sections[s, i]
