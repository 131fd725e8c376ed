"""The fit of fringes to an interferogram, linear least squares with the errors that those of the pixels make."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.interferometry.fringes import FringeModel
from rtools.interferometry.stations import PAIRS

__all__ = ["COEFFICIENTS", "FringeFit", "fit_fringes"]

COEFFICIENTS = 2 + 2 * len(PAIRS)
"""Flux, real and imaginary part of each baseline, constant."""

FAINTEST = 5.0
"""Errors of the flux that a star is above."""


class FringeFit(NamedTuple):
    """What fits an interferogram best.

    Attributes
    ----------
    coefficients : ndarray float64 (44,)
        In units of the first: 1, then real and imaginary part of each of the 21 visibilities, and the constant. NaN
        where a hole is closed.
    covariance : ndarray float64 (42, 42)
        Of the visibilities' parts, by the errors of the pixels.
    image : ndarray float64 (n, n)
        The model.
    residual : ndarray float64 (n, n)
        Image less model; NaN where a pixel was left out.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    image: np.ndarray
    residual: np.ndarray


def fit_fringes(
    image: np.ndarray, error: np.ndarray, out: np.ndarray, model: FringeModel, centre: tuple[float, float]
) -> FringeFit:
    """Fit the model of fringes to an image, all pixels with one weight.

    Parameters
    ----------
    image : ndarray (n, n)
        The interferogram.
    error : ndarray (n, n)
        Standard deviations of its pixels, for the covariance. A pixel without one is taken to have the median.
    out : ndarray of bool (n, n)
        Pixels that are left out.
    model : FringeModel
        Mask, wavelengths and pixels.
    centre : (float, float)
        x, y from the middle of the image, pixels.

    Returns
    -------
    FringeFit
        All NaN where fewer pixels are left than the model has terms, or there is no light above 5 of its errors.
    """
    terms = model.columns(len(image), centre)
    kept = ~(out | ~np.isfinite(image))
    columns = np.ascontiguousarray(terms[:, kept].T)
    if len(columns) <= columns.shape[1]:
        return _nothing(image)
    inverse = np.linalg.inv(columns.T @ columns)
    found = inverse @ (columns.T @ image[kept])
    if not found[0] > 0:
        return _nothing(image)
    fitted = np.tensordot(found, terms, 1)
    known = error[kept][np.isfinite(error[kept])]
    spread = (
        columns * np.where(np.isfinite(error[kept]), error[kept], np.median(known) if len(known) else np.nan)[:, None]
    )
    covariance = inverse @ (spread.T @ spread) @ inverse
    if found[0] < FAINTEST * np.sqrt(covariance[0, 0]):
        return _nothing(image)
    ratio = found / found[0]
    slopes = np.eye(len(found)) / found[0]  # derivatives of x_k/x_0
    slopes[:, 0] -= ratio / found[0]
    inner = (slopes @ covariance @ slopes.T)[1:-1, 1:-1]
    places = np.concatenate([[0], (1 + 2 * model.holes.pairs[:, None] + [0, 1]).ravel(), [COEFFICIENTS - 1]])
    coefficients = np.full(COEFFICIENTS, np.nan)
    coefficients[places] = ratio
    whole = np.full((COEFFICIENTS - 2,) * 2, np.nan)
    whole[np.ix_(places[1:-1] - 1, places[1:-1] - 1)] = inner
    return FringeFit(coefficients, whole, fitted, np.where(kept, image - fitted, np.nan))


def _nothing(image):
    shape = (COEFFICIENTS - 2,) * 2
    return FringeFit(np.full(COEFFICIENTS, np.nan), np.full(shape, np.nan), *2 * (np.full(image.shape, np.nan),))
