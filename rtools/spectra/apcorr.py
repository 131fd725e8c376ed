"""Correction for the light of a point source that falls beside its aperture."""

from __future__ import annotations

import numpy as np

__all__ = ["aperture_correction", "radial_correction"]


def aperture_correction(
    table: tuple[np.ndarray, np.ndarray, np.ndarray], wavelength: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """Factor by which fluxes grow, linear in wavelength and in the size of the aperture.

    Parameters
    ----------
    table : tuple of ndarray
        Wavelengths (w,) in micrometres, sizes of apertures (s,) in pixels, factors (w, s).
    wavelength : ndarray float64
        Of each flux, micrometres.
    size : ndarray float64
        Pixels in the aperture of each flux.

    Returns
    -------
    ndarray float64
        Beyond the table it is that of its edge; NaN where a wavelength is.
    """
    waves, sizes, factors = (np.asarray(one, np.float64) for one in table)
    order, upwards = np.argsort(waves), np.argsort(sizes)
    waves, sizes, factors = waves[order], sizes[upwards], factors[order][:, upwards]
    row, rising = _place(waves, wavelength)
    column, growing = _place(sizes, size)
    below = factors[row, column] * (1 - growing) + factors[row, _next(sizes, column)] * growing
    after = _next(waves, row)
    above = factors[after, column] * (1 - growing) + factors[after, _next(sizes, column)] * growing
    return np.where(np.isfinite(wavelength), below * (1 - rising) + above * rising, np.nan)


def radial_correction(
    table: tuple[np.ndarray, np.ndarray, np.ndarray], wavelength: np.ndarray, radius: np.ndarray
) -> np.ndarray:
    """Factor by which fluxes within circles grow, linear in wavelength and, at each wavelength, in radius.

    Parameters
    ----------
    table : tuple of ndarray
        Wavelengths (w,) in micrometres; radii (r, w), which may change with wavelength; factors (r, w).
    wavelength, radius : ndarray float64
        Of each flux; radii are in the unit of the table.

    Returns
    -------
    ndarray float64
        Beyond the table it is that of its edge; NaN where a wavelength or a radius is.
    """
    waves, radii, factors = (np.asarray(one, np.float64) for one in table)
    order = np.argsort(waves)
    sizes, values = (np.array([np.interp(wavelength, waves[order], row[order]) for row in one])
                     for one in (radii, factors))  # fmt: skip
    upwards = np.argsort(sizes, axis=0)
    sizes, values = (np.take_along_axis(one, upwards, axis=0) for one in (sizes, values))
    found = [np.interp(*each) for each in zip(radius, sizes.T, values.T, strict=True)]
    return np.where(np.isfinite(wavelength) & np.isfinite(radius), np.reshape(found, np.shape(wavelength)), np.nan)


def _place(grid, values):
    """The point of a grid below each value, and how far the value is on the way to the next."""
    at = np.interp(values, grid, np.arange(len(grid)))
    whole = np.where(np.isfinite(at), np.floor(at), 0).astype(int)
    return whole, np.where(np.isfinite(at), at - whole, 0.0)


def _next(grid, number):
    return np.minimum(number + 1, len(grid) - 1)
