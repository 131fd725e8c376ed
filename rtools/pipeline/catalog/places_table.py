"""The table of light at given places: a row for each source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.pipeline.catalog.places import MeasuredImage

__all__ = ["light_table"]

UNITS = {"ra": "deg", "dec": "deg", "mjd": "d", "exposure_time": "s", "x": "pix", "y": "pix"}
DEGREES = ("ra_psf", "dec_psf")


def light_table(
    image: MeasuredImage, ids: np.ndarray, sky: Sequence[np.ndarray] | None, *, name: str, filename: str
) -> Table:
    """Rows of one image, one for each source.

    Parameters
    ----------
    image : rtools.pipeline.catalog.places.MeasuredImage
        What was measured.
    ids : ndarray (n,)
        Of the sources; masked ones stay so.
    sky : (ndarray, ndarray) or None
        Right ascensions and declinations that were asked for, degrees; None where pixels were.
    name : str
        What the column of the ids is called.
    filename : str
        What the image is called.

    Returns
    -------
    astropy.table.Table
        With units and descriptions.
    """
    from astropy.table import Column, MaskedColumn, Table

    ra, dec = (image.ra, image.dec) if sky is None else sky
    columns = {name: ids, "filename": np.full(len(ids), filename)}
    columns |= {key: np.full(len(ids), value) for key, value in image.about.items()}
    values = dict(image.values)
    columns |= {"status": values.pop("status"), "ra": ra, "dec": dec} | values
    stored = {key: _stored(key, np.asanyarray(value)) for key, value in columns.items()}
    return Table([(MaskedColumn if np.ma.isMaskedArray(value) else Column)(
                      value, name=key, unit=_unit(key), description=_description(key))
                  for key, value in stored.items()])  # fmt: skip


def _stored(name, values):
    """Fluxes in single precision, as the catalog has them; places and times in double."""
    if values.dtype.kind == "f" and name not in (*UNITS, *DEGREES):
        return values.astype(np.float32)
    return values


def _unit(name):
    if name in UNITS:
        return UNITS[name]
    plain = name.removesuffix("_err")
    if name in DEGREES:
        return "deg"
    if plain in DEGREES:
        return "arcsec"
    if plain == "aper_bkg_flux":
        return "nJy / arcsec2"
    ends = {"_flux": "nJy", "_abmag": "mag(AB)", "_psf": "pix"}
    return next((unit for end, unit in ends.items() if plain.endswith(end)), None)


MEANINGS = {
    "filename": "The image",
    "detector": "Detector of the image",
    "element": "Optical element, or filter, of the image",
    "integration": "Number of the integration within its exposure, from 1",
    "mjd": "Middle of the exposure, or of the integration, as Modified Julian Date, UTC",
    "exposure_time": "Exposure time of the image",
    "status": "measured, or why not all could be: replaced, edge, no sky, unusable, outside",
    "ra": "Right ascension of the place",
    "dec": "Declination of the place",
    "x": "Column of the place in the image, from 0",
    "y": "Row of the place in the image, from 0",
    "aper_bkg_flux": "Clipped median of the ring about the place",
    "replaced": "Largest share of an aperture that is replaced pixels",
    "psf_flux": "Flux of the fitted PSF",
    "psf_abmag": "AB magnitude of the fitted PSF",
    "psf_flags": "Flags of the PSF fit, as in catalogs",
    "psf_gof": "Reduced chi-square of the PSF fit",
    "limit_flux": "Flux that is as many times its error as was asked for",
    "limit_abmag": "AB magnitude of limit_flux",
    "dq": "All flags of the 5 x 5 pixels about the place",
    "x_psf": "Column of the fitted PSF",
    "y_psf": "Row of the fitted PSF",
    "ra_psf": "Right ascension of the fitted PSF",
    "dec_psf": "Declination of the fitted PSF",
}


def _description(name):
    plain = name.removesuffix("_err")
    meaning = MEANINGS.get(plain)
    if meaning is None and plain.startswith("aper") and plain.endswith("_flux"):
        tenths = plain.removeprefix("aper").removesuffix("_flux").replace("p", ".")
        meaning = f"Flux within {float(tenths) / 10:g} arcsec of the place"
    return None if meaning is None else f"Error of: {meaning}" if plain != name else meaning
