"""Box extraction: at each wavelength the sum of an aperture, less a background fitted beside it, with its variances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rtools.spectra.aperture import SlitAperture, background_pixels, box_weights
from rtools.spectra.background import FittedBackground, fitted_median, fitted_polynomial, smoothed
from rtools.spectra.profile import LEAST_LIGHT, SpatialProfile, completed

__all__ = ["VARIANCES", "BoxExtraction", "SlitImages", "SlitSums"]

VARIANCES = ("poisson", "rnoise", "flat")
"""Kinds of variance, in the order of arrays that have one axis of them."""


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
        Pixels that the flux stands for, those in part as their share: good ones, with a profile all of the aperture.
    covered : ndarray float64 (n, wavelengths)
        Share of the aperture's pixels that are good.
    size : ndarray float64 (n, wavelengths)
        All pixels of the aperture.
    filled : ndarray float64 (n, wavelengths) or None
        Share of the flux that a profile says of bad pixels; None without one.
    """

    flux: np.ndarray
    variance: np.ndarray
    background: np.ndarray
    background_variance: np.ndarray
    npixels: np.ndarray
    covered: np.ndarray
    size: np.ndarray
    filled: np.ndarray | None = None


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

    def light(self, planes: SlitImages) -> tuple[np.ndarray, np.ndarray]:
        """Images without their background, of which a profile is made.

        Parameters
        ----------
        planes : SlitImages
            The images.

        Returns
        -------
        ndarray float64 (n, across, along), ndarray float64 (n, across, along)
            Light, NaN where a pixel is bad or the background is not known; and its variance.
        """
        data, variances = np.asarray(planes.data, np.float64), np.asarray(planes.variances, np.float64)
        fitted = self._fitted(data, variances)
        return data if fitted is None else data - fitted.image(), variances.sum(axis=0)

    def extract(self, planes: SlitImages, profile: SpatialProfile | None = None) -> SlitSums:
        """Extract the spectrum of each integration.

        With w the weights, B the background and ω the weight of a background pixel in ΣwB, over good pixels:

            F = Σ w (I − B);  var_c(F) = Σ w² var_c + Σ ω² var_c

        w is what the aperture takes of a pixel, or with a profile what makes the sum stand for bad pixels, too. Then
        the variance also has that of the light of these about the profile, shared by all kinds.

        Parameters
        ----------
        planes : SlitImages
            The images.
        profile : SpatialProfile, optional
            Of the spectrum; without it bad pixels are left out.

        Returns
        -------
        SlitSums
        """
        data = np.asarray(planes.data, np.float64)
        good = np.isfinite(data)
        used = taken = np.where(good, self.weights, 0.0)
        whole = np.broadcast_to(self.weights.sum(axis=0), taken.sum(axis=1).shape)
        covered = np.divide(taken.sum(axis=1), whole, out=np.zeros(whole.shape), where=whole > 0)
        none, amplitude, filled, spread = covered <= 0, None, None, 0.0
        if profile is not None:
            used, missing, spread, amplitude = completed(profile, self.weights, good)
            taken = np.broadcast_to(self.weights, data.shape)
            none |= ~(missing < LEAST_LIGHT)
            filled = np.where(none, np.nan, np.maximum(missing, 0.0))[..., self.columns]
        kept = np.where(good, data, 0.0)
        variances = np.stack([np.where(good, one, 0.0).astype(np.float64, copy=False) for one in planes.variances])
        flux, variance = (kept * used).sum(axis=1), (variances * used**2).sum(axis=2)
        background, further = np.zeros_like(flux), np.zeros_like(variance)
        fitted = self._fitted(data, np.asarray(planes.variances, np.float64))
        if fitted is not None:
            below, omega = fitted.under(used)
            flux, variance = flux - below, variance + (variances * omega**2).sum(axis=2)
            background, omega = fitted.under(taken)
            further = (variances * omega**2).sum(axis=2)
        if amplitude is not None:
            light = (kept * amplitude).sum(axis=1) - (0.0 if fitted is None else fitted.under(amplitude)[0])
            total = variance.sum(axis=0)
            variance = variance * (1 + np.divide(spread * light**2, total, out=np.zeros_like(total), where=total > 0))
        none |= ~np.isfinite(background)
        flux, background = np.where(none, np.nan, flux), np.where(none, 0.0, background)
        npixels = np.where(none, 0.0, taken.sum(axis=1))
        sums = (flux, variance, background, further, npixels, covered, whole)
        return SlitSums(*(one[..., self.columns] for one in sums), filled)

    def _fitted(self, data: np.ndarray, variances: np.ndarray) -> FittedBackground | None:
        """The background at each wavelength; None where none is measured."""
        if self.background is None:
            return None
        known = np.isfinite(data) & np.isfinite(variances.sum(axis=0)) & self.background
        even = smoothed(data, self.aperture.smoothing)
        if self.aperture.fit == "median":
            return fitted_median(even, known)
        return fitted_polynomial(even, known, self.aperture.order)
