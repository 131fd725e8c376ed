"""Extracted spectra in files of JWST, in all forms that releases have written."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.timeseries.white_light import SeriesOfSpectra

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.products.jwst import JwstProduct

__all__ = ["series_of"]


def series_of(product: JwstProduct) -> list[SeriesOfSpectra]:
    """Spectra of a time series, by order and detector.

    Today's files have a table for each order, whose rows are integrations and whose cells are spectra. Releases before
    1.19 wrote a table for each integration, whose rows are wavelengths.

    Parameters
    ----------
    product : JwstProduct
        ``x1dints``.

    Returns
    -------
    list of SeriesOfSpectra
        In the order of the file.

    Raises
    ------
    InputError
        It has no spectra.
    """
    found: dict[tuple[int | None, str], list[SeriesOfSpectra]] = {}
    for version in product.versions("EXTRACT1D"):
        header = product.hdu("EXTRACT1D", version).values
        table = product.table("EXTRACT1D", version)
        order, detector = header.get("SPORDER"), str(header.get("DETECTOR") or product.value("DETECTOR") or "")
        made = _of_rows(table, order, detector) if table["FLUX"].ndim == 2 else _of_one(table, header, order, detector)
        found.setdefault((order, detector), []).append(made)
    if not found:
        raise InputError("no extension EXTRACT1D", path=product.path)
    return [one[0] if len(one) == 1 else _joined(one) for one in found.values()]


def _of_rows(table: Table, order: int | None, detector: str) -> SeriesOfSpectra:
    wavelength, flux, error = (_cells(table, name) for name in ("WAVELENGTH", "FLUX", "FLUX_ERROR"))
    good = np.isfinite(flux) & ~_unusable(table)
    if "N_ALONGDISP" in table.colnames:  # cells are as long as the longest spectrum
        good &= np.arange(flux.shape[1]) < np.asarray(table["N_ALONGDISP"], int)[:, None]
    mjd, bjd = (_cells(table, name) for name in ("MJD-AVG", "TDB-MID"))
    return SeriesOfSpectra(wavelength, flux, error, good, mjd, bjd, order, detector)


def _of_one(table, header, order, detector):
    """One integration."""
    wavelength, flux, error = (_cells(table, name)[None] for name in ("WAVELENGTH", "FLUX", "FLUX_ERROR"))
    good = np.isfinite(flux) & ~_unusable(table)[None]
    mjd, bjd = (np.array([float(header.get(key, np.nan))]) for key in ("MJD-AVG", "TDB-MID"))
    return SeriesOfSpectra(wavelength, flux, error, good, mjd, bjd, order, detector)


def _joined(parts):
    """Integrations one after the other, spectra as long as the longest."""
    width = max(part.flux.shape[1] for part in parts)

    def stacked(name, fill):
        rows = (getattr(part, name) for part in parts)
        return np.concatenate([_widened(row, width, fill) for row in rows])

    planes = {name: stacked(name, np.nan) for name in ("wavelength", "flux", "error")} | {
        "good": stacked("good", False)
    }
    times = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ("mjd", "bjd")}
    return replace(parts[0], **planes, **times)


def _widened(rows, width, fill):
    return np.pad(rows, ((0, 0), (0, width - rows.shape[1])), constant_values=fill)


def _cells(table, name):
    if name not in table.colnames:
        return np.full(len(table), np.nan)
    return np.ma.filled(np.ma.asarray(table[name], np.float64), np.nan)


def _unusable(table):
    if "DQ" not in table.colnames:
        return np.zeros(table["FLUX"].shape, bool)
    return np.asarray(table["DQ"]).astype(np.uint32) & np.uint32(PIXEL_FLAGS["DO_NOT_USE"]) != 0
