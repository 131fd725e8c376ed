"""Columns of a source catalog under the names of JWST catalogs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import UsageError
from rtools.products.tables.units import convert_flux
from rtools.wfi.units import DEGREE_ARCSEC, RADIAN_ARCSEC

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["jwst_names"]

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


def jwst_names(table: AstropyTable, unit: str | None = None) -> tuple[AstropyTable, list[str]]:
    """The columns that a JWST source catalog has, too, under their names there.

    Parameters
    ----------
    table : astropy.table.Table
        Not changed.
    unit : str, optional
        Of fluxes, one of `rtools.wfi.units.FLUX_UNITS`; Jy, with isophotal magnitudes beside, by default.

    Returns
    -------
    (astropy.table.Table, list of str)
        The table; messages. Areas and axes are in pixels where the pixel area is known.
    """
    if "xcentroid" in table.colnames or not any(_jwst_name(name, keep_band=False) for name in table.colnames):
        raise UsageError("--jwst-columns: not a Roman catalog, whose columns could be renamed")
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
