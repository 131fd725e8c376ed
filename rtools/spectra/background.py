"""The background of a slit at each wavelength: a polynomial across it, or a median."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["FittedBackground", "fitted_median", "fitted_polynomial", "smoothed"]

MEDIAN_FACTOR = 1.2
"""By how much the error of a median is larger than that of a mean, about: √(π/2) = 1.25 for many values."""

WORST_CONDITION = 1e10
"""Condition of the equations of a polynomial from which on they have no solution."""


class FittedBackground(NamedTuple):
    """A background of images of a spectrum, B = Σ c_j y^j across them.

    Attributes
    ----------
    powers : ndarray float64 (terms, across)
        y^j.
    coefficients : ndarray float64 (n, along, terms)
        c_j; NaN where there is none.
    solver : ndarray float64 (n, along, terms, terms)
        What makes coefficients of Σ y^j I over the pixels that it is measured in.
    known : ndarray bool (n, across, along)
        These pixels.
    factor : float
        By how much errors are larger than those of a least-squares fit.
    """

    powers: np.ndarray
    coefficients: np.ndarray
    solver: np.ndarray
    known: np.ndarray
    factor: float

    def under(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sum of the background by weights, and the weight that each pixel that it is measured in has in that sum.

        Parameters
        ----------
        weights : ndarray float64 (n, across, along)
            Of the pixels of an aperture.

        Returns
        -------
        ndarray float64 (n, along), ndarray float64 (n, across, along)
        """
        moments = np.einsum("jy,nyx->nxj", self.powers, weights)
        share = np.einsum("nxi,nxij->nxj", moments, self.solver)
        omega = np.where(self.known, np.einsum("nxj,jy->nyx", share, self.powers), 0.0)
        return (moments * self.coefficients).sum(axis=-1), self.factor * omega

    def image(self) -> np.ndarray:
        """The background of each pixel, float64 (n, across, along)."""
        return np.einsum("nxj,jy->nyx", self.coefficients, self.powers)


def fitted_polynomial(data: np.ndarray, known: np.ndarray, order: int) -> FittedBackground:
    """A polynomial fitted at each wavelength; y runs from −1 to 1 across the image.

    With moments M_ij = Σ y^(i+j) its coefficients are M⁻¹ Σ y^j I. Where the equations have no solution it is 0.

    Parameters
    ----------
    data : ndarray float64 (n, across, along)
        The images.
    known : ndarray bool (n, across, along)
        Pixels that it is fitted to.
    order : int
        Of the polynomial.

    Returns
    -------
    FittedBackground
    """
    known = known & np.isfinite(data)
    powers = np.linspace(-1, 1, data.shape[1]) ** np.arange(2 * order + 1)[:, None]
    moments = np.einsum("py,nyx->nxp", powers, known.astype(np.float64))
    terms = np.arange(order + 1)
    matrix = moments[..., terms[:, None] + terms]
    with np.errstate(invalid="ignore"):
        solvable = np.linalg.cond(matrix) < WORST_CONDITION
    inverse = np.zeros_like(matrix)
    inverse[solvable] = np.linalg.inv(matrix[solvable])
    sums = np.einsum("jy,nyx->nxj", powers[: order + 1], np.where(known, data, 0.0))
    return FittedBackground(powers[: order + 1], np.einsum("nxij,nxj->nxi", inverse, sums), inverse, known, 1.0)


def fitted_median(data: np.ndarray, known: np.ndarray) -> FittedBackground:
    """A median at each wavelength, whose error is that of a mean, but a fifth larger; NaN where no pixel is good.

    Parameters
    ----------
    data : ndarray float64 (n, across, along)
        The images.
    known : ndarray bool (n, across, along)
        Pixels of which it is.

    Returns
    -------
    FittedBackground
    """
    kept = np.where(known, data, np.nan)
    count = known.sum(axis=1)
    level = np.full(count.shape, np.nan)
    some = count > 0
    level[some] = np.nanmedian(np.moveaxis(kept, 1, -1)[some], axis=-1)
    solver = 1.0 / np.maximum(count, 1)[..., None, None]
    return FittedBackground(np.ones((1, data.shape[1])), level[..., None], solver, known, MEDIAN_FACTOR)


def smoothed(data: np.ndarray, length: int) -> np.ndarray:
    """Running mean along the dispersion: the ends go on as they are, bad pixels are left out.

    Parameters
    ----------
    data : ndarray float64 (n, across, along)
        NaN where a pixel is bad.
    length : int
        Odd; below 3 nothing is done.

    Returns
    -------
    ndarray float64
        NaN where no pixel within reach is good.
    """
    if length < 3:
        return data
    half = length // 2
    ends = [(0, 0)] * (data.ndim - 1) + [(half, half)]
    padded = np.pad(data, ends, mode="edge")
    good = np.isfinite(padded)
    kept = np.where(good, padded, 0.0)
    total, count = (
        sum(one[..., start : start + data.shape[-1]] for start in range(length)) for one in (kept, good.astype(float))
    )
    return np.divide(total, count, out=np.full(data.shape, np.nan), where=count > 0)
