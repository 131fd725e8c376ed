"""Extracted spectra of files of JWST as they are combined: a table for each spectrum, or a row for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.spectra.combine import SourceSpectrum

if TYPE_CHECKING:
    from rtools.products.jwst import JwstProduct

__all__ = ["ExtractedSpectrum", "spectra_of"]

QUANTITIES = {"FLUX": "FLUX_ERROR", "SURF_BRIGHT": "SB_ERROR"}
"""Columns of what is combined, and of their errors."""


@dataclass(frozen=True)
class ExtractedSpectrum:
    """One spectrum of a file.

    Attributes
    ----------
    product : JwstProduct
        The file.
    header : mapping of str to object
        Keywords of its table.
    source, slit, order : object
        What its source, its slit and its spectral order are called; None where the file does not say it.
    units : mapping of str to str or None
        Of flux and surface brightness.
    spectrum : SourceSpectrum
        Its values, with weight 1.
    """

    product: JwstProduct
    header: Mapping[str, Any]
    source: Any
    slit: Any
    order: Any
    units: Mapping[str, str | None]
    spectrum: SourceSpectrum

    @property
    def target(self) -> tuple[Any, ...]:
        """What spectra of one source and order agree in: where no source is told, those of one slit are of one."""
        return (self.source, None if self.source is not None else self.slit, self.order)


def spectra_of(product: JwstProduct) -> list[ExtractedSpectrum]:
    """Every spectrum of a file.

    Tables have a row for each wavelength; those of slitless spectroscopy have one for each source, whose cells are
    spectra, from release 1.19 on.

    Parameters
    ----------
    product : JwstProduct
        An ``x1d``.

    Returns
    -------
    list of ExtractedSpectrum
        In the order of the file.

    Raises
    ------
    InputError
        It has none.
    """
    found: list[ExtractedSpectrum] = []
    for version in product.versions("EXTRACT1D"):
        header, table = product.hdu("EXTRACT1D", version).values, product.table("EXTRACT1D", version)
        units, slit = {name: _unit(table, name) for name in QUANTITIES}, header.get("SLTNAME")
        if table["FLUX"].ndim == 1:
            values = _values({name: table[name] for name in table.colnames})
            found.append(
                ExtractedSpectrum(product, header, header.get("SOURCEID"), slit, header.get("SPORDER"), units, values)
            )
            continue
        for row in table:
            length = int(row["N_ALONGDISP"]) if "N_ALONGDISP" in table.colnames else len(row["FLUX"])
            cells = {name: row[name][:length] for name in table.colnames if np.ndim(row[name]) == 1}
            source = row["SOURCE_ID"] if "SOURCE_ID" in table.colnames else None
            order = row["SPECTRAL_ORDER"] if "SPECTRAL_ORDER" in table.colnames else header.get("SPORDER")
            told = dict(header) | {"SOURCEID": None if source is None else int(source)}
            found.append(ExtractedSpectrum(product, told, told["SOURCEID"], slit, order, units, _values(cells)))
    if not found:
        raise InputError("no extension EXTRACT1D", path=product.path)
    return found


def _values(cells):
    def numbers(name):
        if name not in cells:
            return np.full(len(cells["FLUX"]), np.nan)
        return np.ma.filled(np.ma.asarray(cells[name], np.float64), np.nan)

    values, errors = (np.stack([numbers(name) for name in names]) for names in (QUANTITIES, QUANTITIES.values()))
    flags = np.zeros(values.shape[1], np.uint32) if "DQ" not in cells else np.asarray(cells["DQ"]).astype(np.uint32)
    good = np.isfinite(values[0]) & (flags & np.uint32(PIXEL_FLAGS["DO_NOT_USE"]) == 0)
    return SourceSpectrum(numbers("WAVELENGTH"), values, errors, flags, good, 1.0)


def _unit(table, name):
    unit = table[name].unit if name in table.colnames else None
    return None if unit is None else str(unit).replace(" ", "")
