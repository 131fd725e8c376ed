"""Images of spectra in files of JWST: each slit or source of a file, its pixels, wavelengths and coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.products.jwst import JwstProduct
from rtools.spectra.aperture import ALONG_X, ALONG_Y
from rtools.spectra.box import VARIANCES, SlitImages
from rtools.spectra.columns import RATE, FluxScale

__all__ = ["Slit", "slits_of"]

AT_A_TIME = 1 << 19
"""Pixels of all integrations that are read at a time."""


@dataclass(frozen=True)
class Slit:
    """One image of a spectrum in a file, or one in each integration.

    Attributes
    ----------
    product : JwstProduct
        The file.
    version : int
        EXTVER of its extensions.
    """

    product: JwstProduct
    version: int

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Of SCI: rows and columns, before them integrations of a time series."""
        return self.product.hdu("SCI", self.version).shape

    @property
    def integrations(self) -> int:
        """Their number; 1 where there is one image."""
        return self.shape[0] if len(self.shape) == 3 else 1

    def told(self, keyword: str, path: str = "") -> Any:
        """What the file says of this slit, else of all.

        Parameters
        ----------
        keyword : str
            FITS keyword.
        path : str
            Place below ``meta`` where the data model has it, if the keyword does not lead there.

        Returns
        -------
        object
            None where it says nothing.
        """
        value = self.product.hdu("SCI", self.version).values.get(keyword)
        if value is None and self.version == 1:
            value = self.product.value(path or keyword)
        if value is None:
            value = self.product.hdus[0].values.get(keyword)
        return value.strip() if isinstance(value, str) else value

    @property
    def exposure_type(self) -> str:
        """EXP_TYPE in capitals."""
        return str(self.product.value("EXP_TYPE") or "").upper()

    @property
    def name(self) -> str:
        """Of the slit, else what the reference of apertures calls it: the exposure type."""
        fixed = self.product.value("FXD_SLIT") if self.exposure_type == "NRS_FIXEDSLIT" else None
        return str(self.told("SLTNAME") or fixed or self.exposure_type)

    @property
    def order(self) -> int:
        """Spectral order; 1 where the file does not say it."""
        value = self.told("SPORDER")
        if value is None:
            return 1
        if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
            raise InputError(f"its spectral order is {value!r}, not a whole number", path=self.product.path)
        return int(value)

    def dispersion(self, by_default: int | None = None) -> int:
        """Axis along which the wavelength changes.

        Parameters
        ----------
        by_default : int or None
            Taken where the file does not say it.

        Returns
        -------
        int
            `rtools.spectra.aperture.ALONG_X` or ``ALONG_Y``.

        Raises
        ------
        InputError
            Nobody says it: this is no spectrum.
        """
        value = self.told("DISPAXIS") or by_default
        if value not in (ALONG_X, ALONG_Y):
            raise InputError(
                "does not say along which axis the wavelength changes (DISPAXIS)",
                path=self.product.path,
                mend="--dispaxis 1 or 2 says it, if this is a spectrum",
            )
        return int(value)

    def scale(self) -> FluxScale:
        """Unit of the image, and the solid angle of a pixel.

        Raises
        ------
        InputError
            PIXAR_SR is missing where the flux depends on it, or the unit is no one of a spectrum.
        """
        unit = str(self.told("BUNIT") or "").replace(" ", "")
        if not unit:
            unit = "MJy/sr" if str(self.product.value("S_PHOTOM") or "").upper() == "COMPLETE" else RATE
        if unit not in ("MJy/sr", "MJy", RATE):
            raise InputError(f"its pixels are in {unit}, wanted MJy/sr, MJy or {RATE}", path=self.product.path)
        area = self.told("PIXAR_SR")
        if unit != RATE and not (isinstance(area, int | float) and area > 0):
            raise InputError(
                "does not say the solid angle of a pixel (PIXAR_SR), without which there is no flux",
                path=self.product.path,
                mend="rt-set FILE PIXAR_SR=… sets it",
            )
        return FluxScale(unit, float(area) if area else np.nan)

    def refuse_incomplete(self) -> None:
        """Refuse an image from which no flux and no error follow, before any work.

        Raises
        ------
        InputError
            As `scale` and `order`; or it has nothing of its errors, or one of two variances is missing, so that errors
            would be too small; or flags or errors are of another shape than the image.
        """
        self.scale()
        _ = self.order
        if len(self.shape) not in self._dimensions:
            raise InputError(f"its image has {len(self.shape)} axes", path=self.product.path)
        for name in ("DQ", "ERR", *(f"VAR_{kind.upper()}" for kind in VARIANCES)):
            if self.version in self.product.versions(name):
                shape = self.product.hdu(name, self.version).shape
                if shape not in (self.shape, self.shape[-2:]):
                    raise InputError(f"its {name} has another shape than SCI", path=self.product.path)
        there = [name for name in ("VAR_POISSON", "VAR_RNOISE") if self.version in self.product.versions(name)]
        if len(there) == 1:
            raise InputError(f"has {there[0]}, but not the other variances", path=self.product.path)
        if not there and self.version not in self.product.versions("ERR"):
            raise InputError("says nothing of its errors (ERR, VAR_POISSON, VAR_RNOISE)", path=self.product.path)

    @property
    def _dimensions(self):
        """Numbers of axes that an image of this kind of product may have."""
        return (2, 3) if self.product.kind.endswith("ints") else (2,)

    @cached_property
    def wcs(self) -> Any:
        """The gwcs of this slit: x, y to right ascension, declination and wavelength.

        Raises
        ------
        InputError
            There is none, or only stdatamodels can open it.
        """
        for path in (f"slits.{self.version - 1}.meta.wcs", "meta.wcs"):
            try:
                return self.product.node(path)
            except KeyError:
                continue
        raise self.refusal_without_wcs()

    def refusal_without_wcs(self) -> InputError:
        """What is said of a file without a gwcs."""
        return InputError(
            "has no gwcs: coordinates of spectra need software of the mission",
            path=self.product.path,
            mend="run assign_wcs there once",
        )

    def wavelengths(self) -> np.ndarray:
        """Wavelength of each pixel: the extension WAVELENGTH, else the gwcs.

        Returns
        -------
        ndarray float (rows, columns)
            Micrometres; NaN where there is none.

        Raises
        ------
        InputError
            Neither is there.
        """
        if self.version in self.product.versions("WAVELENGTH"):
            found = self.product.pixels("WAVELENGTH", self.version)
            if found.shape == self.shape[-2:] and (np.isfinite(found) & (found > 0)).any():
                return np.where(found > 0, found, np.nan).astype(found.dtype)
        rows, columns = np.mgrid[: self.shape[-2], : self.shape[-1]].astype(np.float64)
        found = self.wcs(columns, rows)
        if not isinstance(found, tuple | list) or len(found) != 3:
            raise InputError("its gwcs gives no wavelengths", path=self.product.path)
        return np.asarray(found[2], np.float64)

    def place(self, x: float, y: float) -> tuple[float, float] | None:
        """Right ascension and declination of a pixel, degrees; None where the file has no coordinates of it.

        Parameters
        ----------
        x, y : float
            From 0.
        """
        try:
            found = [float(value) for value in self.wcs(x, y)[:2]]
        except InputError:
            return None
        return (found[0], found[1]) if np.isfinite(found).all() else None

    def blocks(self) -> list[slice]:
        """Integrations that are read at a time."""
        height = max(1, AT_A_TIME // max(1, self.shape[-2] * self.shape[-1]))
        return [slice(first, min(first + height, self.integrations)) for first in range(0, self.integrations, height)]

    def planes(self, integrations: slice, dispersion: int) -> SlitImages:
        """Images with wavelength along the last axis; pixels that are bad anywhere are NaN.

        Parameters
        ----------
        integrations : slice
            Which.
        dispersion : int
            Axis along which the wavelength changes.

        Returns
        -------
        SlitImages
            Without any of the three variances, the square of ERR stands for the first.
        """
        data = self._read("SCI", integrations, dispersion)
        good = np.isfinite(data)
        if (flags := self._read("DQ", integrations, dispersion)) is not None:
            good &= flags & np.uint32(PIXEL_FLAGS["DO_NOT_USE"]) == 0
        error = self._read("ERR", integrations, dispersion)
        parts = [self._read(f"VAR_{kind.upper()}", integrations, dispersion) for kind in VARIANCES]
        if error is not None and not any(part is not None for part in parts):
            parts[0] = error.astype(np.float64) ** 2
        for part in (error, *parts):
            if part is not None:
                good &= np.isfinite(part)
        zero = np.zeros(data.shape, np.float32)
        variances = np.stack([zero if part is None else part for part in parts])
        return SlitImages(np.where(good, data, np.nan), variances)

    def _read(self, name, integrations, dispersion):
        """Pixels of an extension, a plane for each integration; None where there is none."""
        if self.version not in self.product.versions(name):
            return None
        hdu = self.product.hdu(name, self.version)
        found = self.product.pixels(name, self.version, (integrations,) if len(hdu.shape) == 3 else ())
        found = np.broadcast_to(found, (integrations.stop - integrations.start, *found.shape[-2:]))
        return found if dispersion == ALONG_X else np.swapaxes(found, -1, -2)


def slits_of(product: JwstProduct) -> list[Slit]:
    """Every image of a spectrum in a file.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Returns
    -------
    list of Slit
        In the order of the file.

    Raises
    ------
    InputError
        It has no image.
    """
    found = [Slit(product, version) for version in product.versions("SCI")]
    if not found:
        raise InputError("the extension SCI is missing", path=product.path)
    return found
