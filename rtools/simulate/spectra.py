"""Spectra of drawn sources: magnitudes in other bands, and electron rates along a dispersed trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.simulate import assumed
from rtools.wfi import instrument
from rtools.wfi.units import AB_ZERO_JY, HC_OVER_K_UM_K

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from rtools.simulate.scene import Sources

__all__ = ["dispersion", "in_band", "in_passband", "relative_flux", "trace_rate"]

PLANCK_J_S = 6.62607015e-34

CENTRE_UM = {"GRISM": 1.42, "PRISM": 1.26}
"""Wavelength that falls on a source's own position."""

DISPERSION_NM = {
    "GRISM": ((1.0, 1.9), (1.08, 1.08)),
    "PRISM": ((0.76, 0.94, 1.12, 1.31, 1.49, 1.67), (2.2, 3.9, 5.9, 7.6, 8.7, 9.3)),
}
"""nm per pixel at wavelengths in micron (Roman technical information)."""


def relative_flux(sources: Sources, wavelength: np.ndarray) -> np.ndarray:
    """f_ν of each source in units of its mean over the band of drawn magnitudes.

    Parameters
    ----------
    sources : rtools.simulate.scene.Sources
        n drawn sources, whose temperature or slope is known.
    wavelength : ndarray (k,)
        Micron.

    Returns
    -------
    ndarray float64, (n, k)
        The mean is the one over photons, weighted with the effective area over wavelength.
    """
    return _shape(sources, wavelength) / _band_mean(sources, assumed.REFERENCE_BAND)[:, None]


def in_band(sources: Sources, element: str) -> np.ndarray:
    """AB magnitudes of drawn sources in an element, f_ν averaged with its effective area over photons.

    Parameters
    ----------
    sources : rtools.simulate.scene.Sources
        n drawn sources; their magnitudes are those in `assumed.REFERENCE_BAND`.
    element : str
        Optical element.

    Returns
    -------
    ndarray float64, (n,)
        mag(AB).
    """
    return in_passband(sources, *instrument.effective_area(element))


def in_passband(sources: Sources, wavelength: ArrayLike, area: ArrayLike) -> np.ndarray:
    """AB magnitudes of drawn sources in any passband, f_ν averaged with its effective area over photons.

    Parameters
    ----------
    sources : rtools.simulate.scene.Sources
        n drawn sources; their magnitudes are those in `assumed.REFERENCE_BAND`.
    wavelength : array_like (k,)
        Micron, in equal steps.
    area : array_like (k,)
        Effective area at these wavelengths, in any unit.

    Returns
    -------
    ndarray float64, (n,)
        mag(AB).
    """
    reference = _mean(sources, *instrument.effective_area(assumed.REFERENCE_BAND))
    return sources.magnitude - 2.5 * np.log10(_mean(sources, wavelength, area) / reference)


def dispersion(element: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wavelengths (micron) of the pixels of a trace and their offsets along +y from the source.

    Parameters
    ----------
    element : str
        ``GRISM`` or ``PRISM``.

    Returns
    -------
    offset : ndarray int64 (k,)
        Rows from the source; 0 is at `CENTRE_UM`.
    wavelength : ndarray float64 (k,)
        Pixel centres.
    width : ndarray float64 (k,)
        Micron per pixel.
    """
    table, scale = (np.array(part) for part in DISPERSION_NM[element])
    wavelengths, area = (np.array(part) for part in instrument.effective_area(element))
    covered = wavelengths[area > 0]
    fine = np.linspace(covered[0], covered[-1], 4001)
    per_pixel = np.interp(fine, table, scale) / 1000
    position = np.concatenate([[0], np.cumsum(np.diff(fine) * 2 / (per_pixel[1:] + per_pixel[:-1]))])
    position -= np.interp(CENTRE_UM[element], fine, position)
    offset = np.arange(int(np.ceil(position[0])), int(position[-1]) + 1)
    wavelength = np.interp(offset, position, fine)
    return offset, wavelength, np.interp(wavelength, table, scale) / 1000


def trace_rate(flux: np.ndarray, element: str, wavelength: np.ndarray, width: np.ndarray) -> np.ndarray:
    """Electrons per second and pixel of a trace: f_ν / h · A_eff(λ) Δλ / λ.

    Parameters
    ----------
    flux : ndarray (n, k)
        f_ν in units of the AB zero point, 3631 Jy.
    element : str
        The disperser, whose effective area counts.
    wavelength, width : ndarray (k,)
        Micron.

    Returns
    -------
    ndarray (n, k)
        electron/s in each pixel of each trace.
    """
    area = np.interp(wavelength, *instrument.effective_area(element))
    return flux * (AB_ZERO_JY * 1e-26) / PLANCK_J_S * area * width / wavelength


def _shape(sources, wavelength):
    """f_ν in arbitrary units, (n, k)."""
    wavelength = np.asarray(wavelength, float)[None, :]
    temperature = sources.temperature[:, None]
    with np.errstate(invalid="ignore", over="ignore"):
        thermal = wavelength**-3 / np.expm1(HC_OVER_K_UM_K / (wavelength * temperature))
    power = wavelength ** sources.slope[:, None]
    return np.where(np.isfinite(temperature), thermal, power)


def _band_mean(sources, element):
    return _mean(sources, *instrument.effective_area(element))


def _mean(sources, wavelength, area):
    wavelength, area = np.array(wavelength), np.array(area)
    weight = area / wavelength
    inside = weight > 0
    return _shape(sources, wavelength[inside]) @ (weight[inside] / weight[inside].sum())
