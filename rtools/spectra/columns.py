"""Columns of tables of extracted spectra: flux and surface brightness of sums, in the units that the image has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.errors import UsageError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.spectra.box import VARIANCES, SlitSums
from rtools.spectra.cube import CubeSums

__all__ = ["RATE", "FluxScale", "SpectralSums", "columns_of", "corrected", "units_of"]

BRIGHTNESS, POINT, RATE = "MJy/sr", "MJy", "DN/s"
"""Units of images of spectra: surface brightness; of point sources of NIRSpec and SOSS; without calibration of flux."""

JANSKY = 1e6
"""In a MJy."""

FACTOR_COLUMNS = ("FLUX", "FLUX_ERROR", "SURF_BRIGHT", "SB_ERROR")
SQUARED_COLUMNS = tuple(f"{name}_VAR_{kind.upper()}" for name in ("FLUX", "SB") for kind in VARIANCES)


class FluxScale(NamedTuple):
    """How sums of pixels become fluxes.

    Attributes
    ----------
    unit : str
        Of the image; ``MJy/sr``, ``MJy`` or ``DN/s``.
    pixel_area : float
        Solid angle of a pixel, steradian; not looked at for ``DN/s``.
    """

    unit: str
    pixel_area: float = np.nan


class SpectralSums(NamedTuple):
    """Sums of slits and of cubes in one form; any leading axes, the last one wavelength.

    Attributes
    ----------
    flux, npixels, covered : ndarray float64
        Sum less the background; pixels that it stands for; share of the aperture that is good.
    variance : ndarray float64
        By kind along the first axis; or one kind, not told apart.
    level, level_variance : ndarray float64
        Mean background of a pixel, and its variance as `variance`.
    size : ndarray float64 or None
        All pixels of the aperture, where that can be another number than those that the flux stands for.
    filled : ndarray float64 or None
        Share of the flux that is a profile's; None where none was used.
    """

    flux: np.ndarray
    variance: np.ndarray
    level: np.ndarray
    level_variance: np.ndarray
    npixels: np.ndarray
    covered: np.ndarray
    size: np.ndarray | None = None
    filled: np.ndarray | None = None

    @classmethod
    def of_slit(cls, sums: SlitSums) -> SpectralSums:
        """Sums of a slit."""
        some = np.where(sums.npixels > 0, sums.npixels, 1.0)
        return cls(sums.flux, sums.variance, sums.background / some, sums.background_variance / some**2,
                   sums.npixels, sums.covered, sums.size, sums.filled)  # fmt: skip

    @classmethod
    def of_cube(cls, sums: CubeSums) -> SpectralSums:
        """Sums of a cube, whose errors are of one kind."""
        return cls(sums.flux, sums.variance[None], sums.background, sums.background_variance[None],
                   sums.npixels, sums.covered)  # fmt: skip


def columns_of(found: SpectralSums, scale: FluxScale, least: float = 0.0) -> dict[str, np.ndarray]:
    """The columns of a table of type EXTRACT1D, but for wavelength.

    With F the sum, n its pixels and Ω the solid angle of a pixel:

        MJy/sr: FLUX = F Ω 10⁶ Jy, SURF_BRIGHT = F/n;  MJy: FLUX = F 10⁶ Jy, SURF_BRIGHT = 0, BACKGROUND / Ω;
        DN/s: FLUX = F, SURF_BRIGHT = F/n

    Parameters
    ----------
    found : SpectralSums
        The sums.
    scale : FluxScale
        Unit of the image.
    least : float
        Where less than this share of the aperture is good, there is no flux.

    Returns
    -------
    dict of str to ndarray
        FLUX is NaN and DQ is DO_NOT_USE where there is none. Variances are 0 where their kinds are not told apart.
        FILLED is the share of the flux that a profile says of bad pixels, where one was used.

    Raises
    ------
    UsageError
        The unit is another one.
    """
    to_flux, to_brightness, to_level = _factors(scale)
    some = np.where(found.npixels > 0, found.npixels, 1.0)
    none = ~np.isfinite(found.flux) | (found.covered < least)
    columns = _quantity(("FLUX", "FLUX_ERROR", "FLUX"), found.flux, found.variance, to_flux)
    columns |= _quantity(("SURF_BRIGHT", "SB_ERROR", "SB"), found.flux, found.variance, to_brightness / some)
    for column in columns.values():
        column[none] = np.nan
    columns["DQ"] = np.where(none, np.uint32(PIXEL_FLAGS["DO_NOT_USE"]), np.uint32(0))
    columns |= _quantity(("BACKGROUND", "BKGD_ERROR", "BKGD"), found.level, found.level_variance, to_level)
    columns["NPIXELS"] = found.npixels.astype(np.float64)
    return columns if found.filled is None else columns | {"FILLED": np.where(none, np.nan, found.filled)}


def units_of(unit: str) -> dict[str, str]:
    """Units of the columns of spectra of an image.

    Parameters
    ----------
    unit : str
        Of the image.

    Returns
    -------
    dict of str to str
        By column; none of those that the layout of the product says.
    """
    if unit != RATE:
        return {}
    names = ("FLUX", "FLUX_ERROR", "SURF_BRIGHT", "SB_ERROR", "BACKGROUND", "BKGD_ERROR")
    squares = (f"{name}_VAR_{kind.upper()}" for name in ("FLUX", "SB", "BKGD") for kind in VARIANCES)
    return dict.fromkeys(names, RATE) | dict.fromkeys(squares, "DN^2/s^2")


def corrected(columns: dict[str, np.ndarray], factor: np.ndarray) -> dict[str, np.ndarray]:
    """Columns with fluxes corrected for the light outside of the aperture.

    Parameters
    ----------
    columns : dict of str to ndarray
        As `columns_of` gives them.
    factor : ndarray float64
        Of the shape of the columns, or of their last axis.

    Returns
    -------
    dict of str to ndarray
        The background stays as it is.
    """
    powers = dict.fromkeys(FACTOR_COLUMNS, factor) | dict.fromkeys(SQUARED_COLUMNS, factor**2)
    return {name: values * powers[name] if name in powers else values for name, values in columns.items()}


def _factors(scale):
    """By what sums become fluxes, brightnesses, and levels of the background."""
    if scale.unit == RATE:
        return 1.0, 1.0, 1.0
    if scale.unit == BRIGHTNESS:
        return scale.pixel_area * JANSKY, 1.0, 1.0
    if scale.unit == POINT:
        return JANSKY, 0.0, 1 / scale.pixel_area
    raise UsageError(f"the image is in {scale.unit}, wanted {BRIGHTNESS}, {POINT} or {RATE}")


def _quantity(names, values, variance, factor):
    """A quantity, its error, and its variances by kind."""
    value, error, prefix = names
    apart = len(variance) == len(VARIANCES)
    parts = [variance[number] * factor**2 if apart else np.zeros_like(values) for number in range(len(VARIANCES))]
    total = np.sqrt(sum(parts) if apart else variance[0] * factor**2)
    kinds = {f"{prefix}_VAR_{kind.upper()}": part for kind, part in zip(VARIANCES, parts, strict=True)}
    return {value: values * factor, error: total, **kinds}
