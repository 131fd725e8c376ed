"""Catalogs in other units, and under the names of JWST catalogs."""

import re

import numpy as np

from rtools.errors import UsageError
from rtools.products.tables.where import missing_column
from rtools.wfi.units import DEGREE_ARCSEC, NJY_MAGNITUDE, RADIAN_ARCSEC

__all__ = ["choose_columns", "convert_flux", "jwst_names", "sort_rows"]

JWST = {
    "x_centroid": "xcentroid",
    "y_centroid": "ycentroid",
    "ra_centroid": "sky_centroid.ra",
    "dec_centroid": "sky_centroid.dec",
    "segment_flux": "isophotal_flux",
    "segment_flux_err": "isophotal_flux_err",
    "segment_abmag": "isophotal_abmag",
    "segment_abmag_err": "isophotal_abmag_err",
    "segment_area": "isophotal_area",
    "semimajor": "semimajor_sigma",
    "semiminor": "semiminor_sigma",
    "orientation_pix": "orientation",
    "orientation_sky": "sky_orientation",
    "nn_distance": "nn_dist",
    "roundness1": "roundness",
}
"""Roman to JWST name."""

SAME = r"label|nn_label|ellipticity|is_extended|sharpness|aper_bkg_(flux|abmag)(_err)?|aper\d+_(flux|abmag)(_err)?"
"""Columns that keep their names; apertures are named for radii here and for energies there."""

BAND = re.compile(r"_(f\d{3}m?)(?=_|$)")
"""The filter in a name of a multiband catalog; m where the PSF was matched to another's."""


def convert_flux(table, unit):
    """Express flux densities, their errors and surface brightnesses in another unit.

    Parameters
    ----------
    table : astropy.table.Table
        Changed in place.
    unit : str
        One of `FLUX_UNITS`. For ABmag, m = 31.4 - 2.5 log10(f / nJy) and its error 2.5 log10(1 + err / f), both NaN for
        f ≤ 0; ``_flux`` in a name becomes ``_abmag``, and a magnitude that the table has already stays.
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
        partner = name.removesuffix("_err")
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
    if new != name and new in table.colnames:
        table.remove_column(name)
        return
    said = f"{old.description} (AB magnitude)" if old.description else None
    dtype = old.dtype if old.dtype.kind == "f" else float
    table[name] = Column(values.astype(dtype), unit=unit, description=said)
    table.rename_column(name, new)


def jwst_names(table, unit=None):
    """The columns that a JWST source catalog has, too, under their names there.

    Parameters
    ----------
    table : astropy.table.Table
        Not changed.
    unit : str, optional
        Of fluxes, one of `FLUX_UNITS`; Jy, with isophotal magnitudes beside, by default.

    Returns
    -------
    (astropy.table.Table, list of str)
        The table; messages. Areas and axes are in pixels where the pixel area is known.
    """
    table, messages = table.copy(), []
    bands = sorted({found[1] for found in map(BAND.search, table.colnames) if found})
    if len(bands) > 1:
        messages.append(f"a JWST catalog is of one band: names of {', '.join(bands)} say theirs")
    magnitudes = table[[name for name in table.colnames if re.fullmatch("segment_flux(_err)?", BAND.sub("", name))]]
    convert_flux(table, unit or "Jy")
    if unit is None:
        convert_flux(magnitudes, "ABmag")
        for name in magnitudes.colnames:
            table[name] = magnitudes[name]
    scale = _pixel_scale(table.meta)
    if scale is None:
        messages.append("the metadata have no pixel area: areas and axes stay in arcsec")
    else:
        _to_pixels(table, scale)
    names = {name: _jwst_name(name, keep_band=len(bands) > 1) for name in table.colnames}
    renamed = table[[name for name, new in names.items() if new]]
    for name in renamed.colnames:
        renamed.rename_column(name, names[name])
    return renamed, messages


def _jwst_name(name, *, keep_band):
    """Name of a column in a JWST catalog, None if it has no such column; a band stands where Roman's has it."""
    band, base = BAND.search(name), BAND.sub("", name)
    new = JWST.get(base) or (base if re.fullmatch(SAME, base) else None)
    if new is None or band is None or not keep_band:
        return new
    return re.sub(r"(?=_(?:flux|abmag)(?:_err)?$)|$", band[0], new, count=1)


def _pixel_scale(meta):
    """Arcsec per pixel, from the metadata of an exposure or a mosaic; None if they do not say it."""
    for key, convert in (
        ("roman.meta.photometry.pixel_area", lambda area: np.sqrt(area * RADIAN_ARCSEC**2)),
        ("roman.meta.wcsinfo.pixel_scale", lambda scale: scale * DEGREE_ARCSEC),
    ):
        try:
            value = float(meta[key])
        except (KeyError, TypeError, ValueError):
            continue
        if value > 0:
            return float(convert(value))
    return None


def _to_pixels(table, scale):
    from astropy import units

    for name, power in (("segment_area", 2), ("semimajor", 1), ("semiminor", 1), ("nn_distance", 1)):
        if name in table.colnames and table[name].unit == units.arcsec**power:
            table[name][:] = np.asarray(table[name]) / scale**power
            table[name].unit = units.pix**power


def choose_columns(table, patterns):
    """A table of the columns that names or globs (``aper*_flux``) say, in their order.

    Raises
    ------
    InputError
        There is no such column.
    """
    from fnmatch import fnmatchcase

    chosen = []
    for pattern in patterns:
        found = [name for name in table.colnames if name == pattern or fnmatchcase(name, pattern)]
        if not found:
            raise missing_column(pattern, table.colnames)
        chosen += [name for name in found if name not in chosen]
    return table[chosen]


def sort_rows(table, keys):
    """A table in the order of columns, the first the most important; ``-COL`` descends. What is not known comes last.

    Raises
    ------
    InputError
        There is no such column.
    UsageError
        It holds lists.
    """
    order = np.arange(len(table))
    for key in reversed(keys):
        name = key.removeprefix("-")
        if name not in table.colnames:
            raise missing_column(name, table.colnames)
        column = table[name][order]
        if column.ndim != 1 or column.dtype.kind == "O":
            raise UsageError(f"the column {name} has no single value a row to sort by")
        unknown = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else np.zeros(len(column), bool)
        values = np.asarray(column)
        if values.dtype.kind == "f":
            unknown = unknown | np.isnan(values)
        ranks = np.unique(values, return_inverse=True)[1].reshape(len(values))
        ranks = np.where(unknown, len(values), -ranks if key != name else ranks)
        order = order[np.argsort(ranks, kind="stable")]
    return table[order]
