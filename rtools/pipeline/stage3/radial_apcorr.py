"""Correction of spectra of cubes for light beside the circle, by a reference with radii for each wavelength."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.products.jwst import JwstProduct
from rtools.spectra.apcorr import radial_correction
from rtools.spectra.columns import corrected

__all__ = ["corrected_circles"]

SETTING = {"channel": "CHANNEL", "band": "BAND", "grating": "GRATING", "filter": "FILTER"}
"""What a table says it is for, and the keywords of the cube that say it of it."""

OF_SEVERAL = ("ANY", "N/A", "MULTIPLE")


def corrected_circles(
    product: JwstProduct, reference: Any, columns: dict[str, np.ndarray], circles: tuple[np.ndarray, float]
) -> dict[str, np.ndarray]:
    """Columns with fluxes corrected, where there is a reference for it.

    Parameters
    ----------
    product : JwstProduct
        The cube.
    reference : reference or None
        Of type apcorr.
    columns : dict of str to ndarray
        As `rtools.spectra.columns.columns_of` gives them, and WAVELENGTH.
    circles : (ndarray float64, float)
        Radius of the circle at each wavelength, pixels; and the side of a pixel, arcsec.

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    InputError
        It is a reference of other spectra, or of another setting, or its table is damaged.
    """
    if reference is None or reference.origin == "builtin":
        return columns
    table = reference.node("apcorr_table")
    if not isinstance(table, dict) or not {"wavelength", "radius", "apcorr"} <= set(table):
        raise InputError("has no radii and factors by wavelength: it is not for cubes", path=reference.label)
    for name, keyword in SETTING.items():
        said, ours = (str(value or "ANY").strip().upper() for value in (table.get(name), product.value(keyword)))
        if ours not in said and not {said, ours} & set(OF_SEVERAL):
            raise InputError(f"is for {name} {said}, and the cube is of {ours}", path=reference.label)
    waves = np.asarray(table["wavelength"], np.float64).ravel()
    radii, factors = (np.asarray(table[name], np.float64) for name in ("radius", "apcorr"))
    if radii.shape != factors.shape or radii.ndim != 2 or radii.shape[1] != len(waves):
        raise InputError("its radii and factors are no table of its wavelengths", path=reference.label)
    radius, side = circles
    unit = side if str(table.get("radius_units") or "arcsec").startswith("arcsec") else 1.0
    factor = radial_correction((waves, radii, factors), columns["WAVELENGTH"], radius * unit)
    return corrected(columns, factor)
