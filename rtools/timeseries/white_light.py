"""White light of a series of spectra: the flux in a range of wavelengths, integration by integration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

__all__ = ["SeriesOfSpectra", "WhiteLight", "bins_of", "white_light"]

SHARE = 0.5
"""A wavelength counts where at least so many of all integrations have a good flux there."""


@dataclass(frozen=True)
class SeriesOfSpectra:
    """Spectra of one order on one detector, an integration in each row.

    Attributes
    ----------
    wavelength, flux, error : ndarray of float64
        (integrations, wavelengths); NaN where there is nothing. Wavelengths in micrometres.
    good : ndarray of bool
        Where a flux is known and not flagged DO_NOT_USE.
    mjd, bjd : ndarray of float64
        Middle of each integration: MJD (UTC) and BJD (TDB).
    order : int or None
        The spectral order, where the file says it.
    detector : str
        Its name.
    """

    wavelength: np.ndarray
    flux: np.ndarray
    error: np.ndarray
    good: np.ndarray
    mjd: np.ndarray
    bjd: np.ndarray
    order: int | None = None
    detector: str = ""

    def at_distinct_times(self) -> SeriesOfSpectra:
        """Without integrations whose time is not known, and of two of one time without the second."""
        kept = np.flatnonzero(np.isfinite(self.mjd))
        _times, first = np.unique(self.mjd[kept], return_index=True)
        rows = kept[np.sort(first)]
        parts = ("wavelength", "flux", "error", "good", "mjd", "bjd")
        return replace(self, **{name: getattr(self, name)[rows] for name in parts})


class WhiteLight(NamedTuple):
    """A light curve.

    Attributes
    ----------
    flux, error : ndarray of float64
        One value for each integration, in the unit of the spectra; NaN where an integration has no good flux.
    n_pix : ndarray of int64
        Wavelengths of each integration whose flux was measured.
    """

    flux: np.ndarray
    error: np.ndarray
    n_pix: np.ndarray


def white_light(series: SeriesOfSpectra, low: float, high: float) -> WhiteLight:
    """The flux between two wavelengths.

    The sum goes over the same wavelengths at all times: those at which half of the integrations or more have a good
    flux. Where one of them is missing at a time, the median spectrum of all times stands in for it, scaled to what
    there is at that time; so no gap makes a dip. With :math:`m_j` the median at wavelength j and G the good ones,

    .. math:: F = \\sum_{j \\in G} f_j \\cdot \\frac{\\sum_j m_j}{\\sum_{j \\in G} m_j},
              \\quad \\sigma_F = \\sqrt{\\sum_{j \\in G} \\sigma_j^2} \\cdot \\frac{\\sum_j m_j}{\\sum_{j \\in G} m_j}.

    Where nothing is missing, that is the sum.

    Parameters
    ----------
    series : SeriesOfSpectra
        Spectra at all times.
    low, high : float
        Limits of the wavelengths, both inclusive, micrometres.

    Returns
    -------
    WhiteLight
    """
    inside = (series.wavelength >= low) & (series.wavelength <= high)
    good = series.good & inside & np.isfinite(series.flux)
    counted = good.mean(axis=0) >= SHARE if len(good) else np.zeros(good.shape[1], bool)
    good = good[:, counted]
    flux = np.where(good, series.flux[:, counted], 0.0)
    error = np.where(good, series.error[:, counted], 0.0)
    if not counted.any():
        nothing = np.full(len(series.flux), np.nan)
        return WhiteLight(nothing, nothing.copy(), np.zeros(len(series.flux), np.int64))
    median = np.nanmedian(np.where(good, flux, np.nan), axis=0)
    n_pix = np.count_nonzero(good, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(n_pix == good.shape[1], 1.0, median.sum() / np.where(good, median, 0.0).sum(axis=1))
    scale = np.where((n_pix > 0) & np.isfinite(scale), scale, np.nan)
    return WhiteLight(flux.sum(axis=1) * scale, np.sqrt(np.sum(error**2, axis=1)) * scale, n_pix)


def bins_of(count: int, low: float, high: float) -> np.ndarray:
    """Edges of bins of one width.

    Parameters
    ----------
    count : int
        How many bins.
    low, high : float
        The first edge and the last.

    Returns
    -------
    ndarray of float64
        (count + 1,).
    """
    return np.linspace(low, high, count + 1)
