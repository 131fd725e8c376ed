"""Spectra out of dispersed images of Roman, grism and prism: a box where the trace is said to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.pipeline.stage3.apertures import numbers_of, told_by_options
from rtools.spectra.aperture import ALONG_X, ALONG_Y, SlitAperture
from rtools.spectra.box import VARIANCES, BoxExtraction, SlitImages
from rtools.spectra.columns import RATE, FluxScale, SpectralSums, columns_of
from rtools.spectra.cropping import moved, part_of
from rtools.spectra.profile import spatial_profile
from rtools.wfi import metadata
from rtools.wfi.dq import PIXEL
from rtools.wfi.instrument import SPECTRAL_ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from astropy.table import Table

    from rtools.products.io import Product

__all__ = ["KINDS", "spectrum_of_dispersed"]

KINDS = ("l2_image",)
"""Products that a spectrum is extracted of."""

BRIGHTNESS = "MJy/sr"

NAMES = {"FLUX": "flux", "FLUX_ERROR": "flux_err", "FLUX_VAR_POISSON": "flux_var_poisson",
         "FLUX_VAR_RNOISE": "flux_var_rnoise", "FLUX_VAR_FLAT": "flux_var_flat", "BACKGROUND": "background",
         "BKGD_ERROR": "background_err", "NPIXELS": "npixels", "FILLED": "filled"}  # fmt: skip
"""Columns of spectra of JWST, and what tables of Roman call them."""

MEANINGS = {
    "pixel": "Along the dispersion, from 0 on the image",
    "wavelength": "By --wavelength-coeffs; NaN without it",
    "flux": "Light of the aperture without background",
    "background": "Mean of a pixel under the aperture",
    "npixels": "Pixels of the aperture that the flux stands for",
    "filled": "Share of the flux that the spatial profile says of bad pixels",
    "dq": "All flags of pixels that were used; DO_NOT_USE where there is no flux",
}
LIMITS = ("xstart", "xstop", "ystart", "ystop", "extract_width", "src_coeff")


def spectrum_of_dispersed(
    product: Product, options: Mapping[str, Any], coefficients: str | None, log: Callable[[str, str], None]
) -> Table:
    """The spectrum in a dispersed image of Roman, or a cutout of one.

    Parameters
    ----------
    product : rtools.products.io.Product
        A calibrated image of the grism or the prism.
    options : mapping of str to object
        Of rt-x1d.
    coefficients : str or None
        Of the wavelength, micrometres, a polynomial of the pixel along the dispersion, as typed.
    log : callable
        ``log(level, text)`` takes messages.

    Returns
    -------
    astropy.table.Table
        A row for each pixel along the dispersion.

    Raises
    ------
    InputError
        It is no dispersed image, or lacks its errors.
    UsageError
        Nothing says where the trace is, or a value cannot be.
    """
    _refuse_others(product, options)
    axis = int(options["dispaxis"] or ALONG_Y)
    rows, columns = product.arrays["data"].shape
    size, length = (rows, columns) if axis == ALONG_X else (columns, rows)
    wavelength = _wavelengths(coefficients, length)
    aperture = SlitAperture.from_parameters(told_by_options(options, axis), axis)
    if aperture.variable == "wavelength" and coefficients is None:
        raise UsageError("--independent-var wavelength goes with --wavelength-coeffs")
    aperture = _with_offset(aperture, options)
    across, along = part_of(aperture, wavelength, size)
    read = _reader(product, across, along, axis)
    images, flags = _images(product, read)
    grid = wavelength if coefficients is not None else np.arange(length, dtype=np.float64)
    waves = np.broadcast_to(grid[along], images.data.shape[1:])
    laid = BoxExtraction.laid(moved(aperture, across.start, along.start, size), waves)
    if not len(laid.wavelength):
        raise UsageError("the aperture is not on the image")
    light, noise = laid.light(images)
    profile = spatial_profile(light[0], noise[0], laid.weights) if options["fill"] == "profile" else None
    found = SpectralSums.of_slit(laid.extract(images, profile))
    scale, flux, level = _units(product, log)
    values = columns_of(found, scale, options["min_coverage"])
    used = (laid.weights > 0) & np.isfinite(images.data[0])
    dq = np.bitwise_or.reduce(np.where(used, flags, np.uint32(0)), axis=0)[laid.columns]
    made: dict[str, Any] = {"pixel": np.flatnonzero(laid.columns) + along.start}
    made["wavelength"] = wavelength[made["pixel"]]
    made |= {ours: values[name][0] for name, ours in NAMES.items() if name in values}
    made["dq"] = np.where(values["DQ"][0] != 0, dq | np.uint32(PIXEL["DO_NOT_USE"]), dq).astype(np.uint32)
    return _table(made, flux, level)


def _refuse_others(product, options):
    """Refuse what holds no spectrum, and apertures that nobody places."""
    element = str(metadata.get(product.meta, "instrument.optical_element") or "").upper()
    if element not in SPECTRAL_ELEMENTS:
        raise InputError(f"is an image of {element or 'no element'}: spectra are in those of "
                         f"{' and '.join(SPECTRAL_ELEMENTS)}", path=product.path)  # fmt: skip
    for name in ("data", "dq", "var_poisson", "var_rnoise"):
        if not product.has(name):
            raise InputError(f"has no {name}", path=product.path)
    if all(options[name] is None for name in LIMITS) and not metadata.get(product.meta, "rtools.cutout"):
        raise UsageError("nothing says where the trace is", mend="--xstart and --xstop, --src-coeff or --extract-width "
                         "say it; a cutout (rt-cut) is taken whole")  # fmt: skip


def _with_offset(aperture, options):
    from dataclasses import replace

    return replace(aperture, offset=float(options["position_offset"]))


def _wavelengths(coefficients, length):
    if coefficients is None:
        return np.full(length, np.nan)
    told = numbers_of("wavelength-coeffs", coefficients)
    return np.polynomial.polynomial.polyval(np.arange(length, dtype=np.float64), told)


def _reader(product, across, along, axis):
    """What reads the part of an array that is needed, wavelength along the last axis."""
    rows, columns = (across, along) if axis == ALONG_X else (along, across)

    def read(name):
        part = np.asarray(product.section(name, rows, columns))
        return part if axis == ALONG_X else part.T

    return read


def _images(product, read):
    """The image, and its flags."""
    flags = read("dq").astype(np.uint32)
    data = read("data").astype(np.float64)
    parts = [read(f"var_{kind}").astype(np.float64) if product.has(f"var_{kind}") else None for kind in VARIANCES]
    variances = np.stack([np.zeros(data.shape) if part is None else part for part in parts])
    good = np.isfinite(data) & np.isfinite(variances.sum(axis=0)) & (flags & np.uint32(PIXEL["DO_NOT_USE"]) == 0)
    return SlitImages(np.where(good, data, np.nan)[None], variances[:, None]), flags


def _units(product, log):
    """The scale of the image, and units of fluxes and of the background."""
    told = str(product.arrays["data"].unit or "").replace(" ", "").replace(".sr**-1", "/sr")
    calibrated = metadata.get(product.meta, "cal_step.flux") == "COMPLETE"
    unit = told or (BRIGHTNESS if calibrated else RATE)
    area = metadata.get(product.meta, "photometry.pixel_area")
    if unit == BRIGHTNESS and isinstance(area, int | float) and area > 0:
        return FluxScale(BRIGHTNESS, float(area)), "Jy", BRIGHTNESS
    if unit == BRIGHTNESS:
        log("warning", "photometry.pixel_area is not known: fluxes are sums of MJy/sr")
    return FluxScale(RATE), unit, unit


def _table(made, flux, level):
    from astropy import units
    from astropy.table import Column, Table

    def unit_of(name):
        if name.startswith("flux"):
            return units.Unit(flux) ** (2 if "_var_" in name else 1)
        return level if name.startswith("background") else {"wavelength": "um", "pixel": "pix"}.get(name)

    return Table([Column(value, name=name, unit=unit_of(name), description=MEANINGS.get(name))
                  for name, value in made.items()])  # fmt: skip
