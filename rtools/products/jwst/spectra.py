"""Spectra of JWST products cut to a range of wavelengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.products.jwst.changes import HduChange
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import JwstProduct

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import NDArray

__all__ = ["wave_changes"]

SPECTRA = ("EXTRACT1D", "COMBINE1D")
WAVELENGTH, COUNT = "WAVELENGTH", "N_ALONGDISP"


def wave_changes(product: JwstProduct, span: tuple[float, float], integrations: slice | None = None) -> list[HduChange]:
    """Changes of the tables of spectra that keep a range of wavelengths.

    Parameters
    ----------
    product : JwstProduct
        Opened; a table of spectra.
    span : (float, float)
        Shortest and longest wavelength that is kept, micrometres.
    integrations : slice, optional
        Rows of spectra that are kept, where a row is an integration.

    Returns
    -------
    list of HduChange
        Of a table with a row for each wavelength, rows byte by byte. Of one with vectors, shorter vectors: those of a
        row begin with its first element in range, and NaN (0 of integers) fills them up to the longest.

    Raises
    ------
    InputError
        There are no spectra, or none has a wavelength in range.
    """
    tables = [hdu for hdu in product.hdus if hdu.is_table and hdu.name in SPECTRA]
    if not tables:
        raise InputError(f"this {product.kind} has no spectra whose wavelengths could be chosen", path=product.path)
    changes, found = [], 0
    for hdu in tables:
        table = product.table(hdu.name, hdu.version)
        if WAVELENGTH not in table.colnames:
            raise InputError(f"its table {hdu.name} has no column {WAVELENGTH}", path=product.path)
        rows = integrations if integrations is not None else slice(None)
        chosen = _in_range(table, span)[rows]
        found += int(np.count_nonzero(chosen))
        changes.append(_change(hdu, table[rows], chosen))
    if not found:
        low, high = span
        raise InputError(f"no wavelength from {low:g} to {high:g} µm", path=product.path)
    return changes


def _in_range(table: Table, span: tuple[float, float]) -> NDArray[np.bool_]:
    """Which elements of the wavelengths are in range and no filling."""
    from astropy import units

    column, scale = table[WAVELENGTH], 1.0
    if isinstance(column.unit, units.UnitBase) and column.unit.is_equivalent(units.um):
        scale = column.unit.to(units.um)
    values = np.asarray(column, np.float64) * scale
    chosen = (values >= span[0]) & (values <= span[1])
    if values.ndim > 1 and COUNT in table.colnames:
        told = np.asarray(table[COUNT])
        chosen &= (told <= 0)[:, None] | (np.arange(values.shape[1]) < told[:, None])
    return chosen


def _change(hdu: JwstHdu, table: Table, chosen: NDArray[np.bool_]) -> HduChange:
    if chosen.ndim == 1:
        return HduChange(hdu.name, hdu.version, rows=chosen)
    counts = np.count_nonzero(chosen, axis=1)
    width = max(1, int(counts.max(initial=0)))
    order = np.argsort(~chosen, axis=1, kind="stable")[:, :width]
    kept = np.arange(width) < counts[:, None]
    made = table.copy()
    for name in table.colnames:
        column = table[name]
        if column.shape[1:] == chosen.shape[1:]:
            values: Any = np.take_along_axis(np.asarray(column), order, axis=1)
            filling = np.nan if values.dtype.kind == "f" else np.zeros((), values.dtype)
            made.replace_column(
                name, column.__class__(np.where(kept, values, filling).astype(values.dtype), unit=column.unit)
            )
        elif name == COUNT:
            made[name] = counts.astype(column.dtype)
    made.meta.clear()
    return HduChange(hdu.name, hdu.version, table=made)
