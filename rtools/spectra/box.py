"""Box extraction: at each wavelength the sum of an aperture, less a background fitted beside it, with its variances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rtools.spectra.aperture import SlitAperture, background_pixels, box_weights

__all__ = ["VARIANCES", "BoxExtraction", "SlitImages", "SlitSums"]

VARIANCES = ("poisson", "rnoise", "flat")
"""Kinds of variance, in the order of arrays that have one axis of them."""

MEDIAN_FACTOR = 1.2
"""By how much the error of a median is larger than that of a mean, about: √(π/2) = 1.25 for many values."""

WORST_CONDITION = 1e10
"""Condition of the equations of a polynomial from which on they have no solution."""


class SlitImages(NamedTuple):
    """Images of a spectrum with wavelength along the last axis.

    Attributes
    ----------
    data : ndarray float (n, across, along)
        One for each integration; NaN where a pixel is bad.
    variances : ndarray float (3, n, across, along)
        By the kinds of `VARIANCES`; 0 where one is not known.
    """

    data: np.ndarray
    variances: np.ndarray


class SlitSums(NamedTuple):
    """Sums of an aperture at each wavelength, in the unit of the image.

    Attributes
    ----------
    flux : ndarray float64 (n, wavelengths)
        Less the background; NaN where no pixel is good.
    variance : ndarray float64 (3, n, wavelengths)
        Of the flux, by the kinds of `VARIANCES`.
    background : ndarray float64 (n, wavelengths)
        Sum of the background under the aperture.
    background_variance : ndarray float64 (3, n, wavelengths)
        Of that sum.
    npixels : ndarray float64 (n, wavelengths)
        Good pixels, those in part as their share.
    covered : ndarray float64 (n, wavelengths)
        Their share of all pixels of the aperture.
    """

    flux: np.ndarray
    variance: np.ndarray
    background: np.ndarray
    background_variance: np.ndarray
    npixels: np.ndarray
    covered: np.ndarray


@dataclass(frozen=True)
class BoxExtraction:
    """An aperture laid on the wavelengths of an image, for any number of integrations.

    Attributes
    ----------
    aperture : SlitAperture
        Where it lies, and how the background is fitted.
    weights : ndarray float64 (across, along)
        What is taken of each pixel.
    background : ndarray bool (across, along) or None
        Where the background is measured.
    wavelength : ndarray float64 (wavelengths,)
        Mean over the pixels, by their weights, of those columns that have a wavelength.
    columns : ndarray bool (along,)
        Which columns those are.
    across : (float, float)
        Lowest and highest pixel across the dispersion.
    along : (int, int)
        First and last pixel along it.
    """

    aperture: SlitAperture
    weights: np.ndarray
    background: np.ndarray | None
    wavelength: np.ndarray
    columns: np.ndarray
    across: tuple[float, float]
    along: tuple[int, int]

    @classmethod
    def laid(cls, aperture: SlitAperture, wavelengths: np.ndarray) -> BoxExtraction:
        """Lay an aperture on an image.

        Parameters
        ----------
        aperture : SlitAperture
            The aperture.
        wavelengths : ndarray float (across, along)
            Of each pixel, micrometres; NaN where there is none.

        Returns
        -------
        BoxExtraction
            Without any column where the aperture meets no pixel that has a wavelength.
        """
        box = box_weights(aperture, wavelengths)
        total = box.weights.sum(axis=0)
        columns = total > 0
        sums = np.where(box.weights > 0, wavelengths, 0).astype(np.float64) * box.weights
        wavelength = sums.sum(axis=0)[columns] / total[columns]
        pixels = background_pixels(aperture, wavelengths)
        return cls(aperture, box.weights, pixels, wavelength, columns, box.across, box.along)

    def extract(self, planes: SlitImages) -> SlitSums:
        """Extract the spectrum of each integration.

        With p the weights, B the background and ω the weight of a background pixel in ΣpB, over good pixels:

            F = Σ p (I − B);  var_c(F) = Σ p² var_c + Σ ω² var_c

        Parameters
        ----------
        planes : SlitImages
            The images.

        Returns
        -------
        SlitSums
        """
        data = np.asarray(planes.data, np.float64)
        good = np.isfinite(data)
        taken = np.where(good, self.weights, 0.0)
        npixels = taken.sum(axis=1)
        flux = np.where(good, data, 0.0)
        flux = (flux * taken).sum(axis=1)
        variances = [np.where(good, one, 0.0).astype(np.float64, copy=False) for one in planes.variances]
        variance = np.stack([(one * taken**2).sum(axis=1) for one in variances])
        background, further = np.zeros_like(flux), np.zeros_like(variance)
        if self.background is not None:
            fitted = _median if self.aperture.fit == "median" else _polynomial
            known = good & np.isfinite(sum(np.asarray(one, np.float64) for one in planes.variances)) & self.background
            background, omega = fitted(self.aperture, _smoothed(data, self.aperture.smoothing), known, taken)
            further = np.stack([(one * omega**2).sum(axis=1) for one in variances])
        none = (npixels <= 0) | ~np.isfinite(background)
        flux = np.where(none, np.nan, flux - background)
        background = np.where(none, 0.0, background)
        npixels = np.where(none, 0.0, npixels)
        whole = self.weights.sum(axis=0)
        covered = np.divide(npixels, whole, out=np.zeros_like(npixels), where=whole > 0)
        sums = (flux, variance + further, background, further, npixels, covered)
        return SlitSums(*(one[..., self.columns] for one in sums))


def _smoothed(data, length):
    """Running mean along the dispersion: the ends go on as they are, bad pixels are left out."""
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


def _polynomial(aperture, data, known, taken):
    """Sum of a fitted polynomial under the aperture, and the weight of each pixel in it.

    y runs from −1 to 1 across the image. With moments M_ij = Σ y^(i+j) and q_i = Σ p y^i the sum is q M⁻¹ Σ y I.
    Where the equations have no solution it is 0.
    """
    known = known & np.isfinite(data)
    powers = np.linspace(-1, 1, data.shape[1]) ** np.arange(2 * aperture.order + 1)[:, None]
    moments = np.einsum("py,nyx->nxp", powers, known.astype(np.float64))
    terms = np.arange(aperture.order + 1)
    matrix = moments[..., terms[:, None] + terms]
    with np.errstate(invalid="ignore"):
        solvable = np.linalg.cond(matrix) < WORST_CONDITION
    inverse = np.zeros_like(matrix)
    inverse[solvable] = np.linalg.inv(matrix[solvable])
    under = np.einsum("py,nyx->nxp", powers[: aperture.order + 1], taken)
    share = np.einsum("nxi,nxij->nxj", under, inverse)
    omega = np.where(known, np.einsum("nxj,jy->nyx", share, powers[: aperture.order + 1]), 0.0)
    return (omega * np.where(known, data, 0.0)).sum(axis=1), omega


def _median(_aperture, data, known, taken):
    """Sum of a median under the aperture, and the weight of each pixel in it, as in a mean but a fifth larger."""
    kept = np.where(known, data, np.nan)
    count = known.sum(axis=1, keepdims=True)
    level = np.full((data.shape[0], data.shape[2]), np.nan)
    some = count[:, 0] > 0
    level[some] = np.nanmedian(np.moveaxis(kept, 1, -1)[some], axis=-1)
    npixels = taken.sum(axis=1, keepdims=True)
    omega = MEDIAN_FACTOR * npixels * known / np.maximum(count, 1)
    return level * npixels[:, 0], omega
