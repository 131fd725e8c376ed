"""What is measured of the guide star in each pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["COLUMNS", "Centroids", "centroids_of"]


class Centroids(NamedTuple):
    """Places, fluxes and widths of a star in n pairs; NaN where there is none, or where the method gives none.

    Attributes
    ----------
    x, y : ndarray float64 (n,)
        Place in the window, pixels; the centre of the first pixel is (0, 0).
    xx, yy, xy : ndarray float64 (n,)
        Covariance of the place by noise, pixel².
    flux, flux_err : ndarray float64 (n,)
        Light of the star and its standard error, electrons a pair.
    background : ndarray float64 (n,)
        Electrons a pixel.
    aperture_flux : ndarray float64 (n,)
        Electrons within 3 pixels of the place, less the background. Light that falls farther out is not made up for.
    chi2 : ndarray float64 (n,)
        χ² of the fit by its degrees of freedom.
    masked : ndarray int64 (n,)
        Pixels that were left out: those of the mask, and hits of cosmic rays.
    fitted : ndarray bool (n,)
        Whether a place was found.
    width_xx, width_yy, width_xy : ndarray float64 (n,)
        Second moments of the image, pixel². Of a fitted PSF: relative to the PSF; of other methods: of the image.
    width_normal : ndarray float64 (n, 6)
        Of a fitted PSF: the normal matrix of the three widths, when place, flux and background are fitted with them:
        its elements (xx, xx), (xx, yy), (xx, xy), (yy, yy), (yy, xy), (xy, xy), 1/pixel⁴.
    width_sums : ndarray float64 (n, 3)
        Of a fitted PSF: the right-hand side of the same equations, 1/pixel². The sum over pairs of both gives the
        width of many (`sum_widths`).
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    xx: NDArray[np.float64]
    yy: NDArray[np.float64]
    xy: NDArray[np.float64]
    flux: NDArray[np.float64]
    flux_err: NDArray[np.float64]
    background: NDArray[np.float64]
    aperture_flux: NDArray[np.float64]
    chi2: NDArray[np.float64]
    masked: NDArray[np.int64]
    fitted: NDArray[np.bool_]
    width_xx: NDArray[np.float64]
    width_yy: NDArray[np.float64]
    width_xy: NDArray[np.float64]
    width_normal: NDArray[np.float64]
    width_sums: NDArray[np.float64]


COLUMNS = 24
"""Numbers of a pair as kernels write them, in the order of the fields."""


def centroids_of(table: NDArray[np.float64]) -> Centroids:
    """The fields of what a kernel wrote.

    Parameters
    ----------
    table : ndarray float64, (n, COLUMNS)
        A row a pair.

    Returns
    -------
    Centroids
        Copies, each in one piece of memory.
    """
    columns = [np.ascontiguousarray(column) for column in table.T[:15]]
    columns[10] = np.nan_to_num(columns[10]).astype(np.int64)
    columns[11] = columns[11] == 1
    return Centroids._make([*columns, *(np.ascontiguousarray(part) for part in (table[:, 15:21], table[:, 21:24]))])
