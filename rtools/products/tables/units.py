"""Catalogs in other units of flux."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from rtools.wfi.units import NJY_MAGNITUDE

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["convert_flux"]


ERRORS = {"FLUX_ERROR": "FLUX", "ERROR": "FLUX", "SB_ERROR": "SURF_BRIGHT", "BKGD_ERROR": "BACKGROUND"}
"""Columns of JWST spectra that are errors, and of what; errors of other tables end in _err."""


def convert_flux(table: AstropyTable, unit: str) -> None:
    """Express flux densities, their errors and surface brightnesses in another unit.

    Parameters
    ----------
    table : astropy.table.Table
        Changed in place.
    unit : str
        One of `rtools.wfi.units.FLUX_UNITS`. For ABmag, m = 31.4 - 2.5 log10(f / nJy) and its error
        2.5 log10(1 + err / f), both NaN for f ≤ 0; ``_flux`` in a name becomes ``_abmag``, FLUX of a spectrum ABMAG,
        and a magnitude that the table has already stays.
    """
    from astropy import units

    columns = {name: area for name in table.colnames if (area := _flux_area(table[name].unit)) is not None}
    if unit != "ABmag":
        for name, area in columns.items():
            if table[name].dtype.kind in "iu":
                table[name] = table[name].astype(float)
            _scale(table[name], units.Unit(unit) / area)
        return
    values = {name: _in_nanojansky(table[name], area) for name, area in columns.items()}
    for name, area in columns.items():
        partner = ERRORS.get(name, name.removesuffix("_err"))
        if partner != name and partner not in values:
            continue  # an error of nothing
        if partner == name:
            found = NJY_MAGNITUDE - 2.5 * np.log10(_positive(values[name]))
        else:
            found = 2.5 * np.log10(_positive(1 + values[name] / _positive(values[partner])))
        _replace(table, name, found, units.ABmag if area == 1 else units.mag(units.AB / units.arcsec**2))


def _flux_area(unit):
    """1 for a unit of flux density, arcsec² for one per area, None for any other."""
    from astropy import units

    if not isinstance(unit, units.UnitBase):
        return None
    for area in (units.dimensionless_unscaled, units.arcsec**2):
        if unit.is_equivalent(units.Jy / area):
            return area
    return None


def _scale(column, unit):
    column[:] = np.asarray(column, float) * column.unit.to(unit)
    column.unit = unit


def _in_nanojansky(column, area):
    from astropy import units

    return np.asarray(column, float) * column.unit.to(units.nJy / area)


def _positive(values):
    return np.where(values > 0, values, np.nan)


def _replace(table, name, values, unit):
    """Put magnitudes in the place of a flux."""
    from astropy.table import Column

    old = table[name]
    new = re.sub(r"(^|_)flux(?=_err$|$)", r"\1abmag", name)
    new = re.sub(r"^FLUX(?=_ERROR$|$)", "ABMAG", new)
    if new != name and new in table.colnames:
        table.remove_column(name)
        return
    description = f"{old.description} (AB magnitude)" if old.description else None
    dtype = old.dtype if old.dtype.kind == "f" else float
    table[name] = Column(values.astype(dtype), unit=unit, description=description)
    table.rename_column(name, new)
