"""Wavelengths of the planes of a cube."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError

if TYPE_CHECKING:
    from rtools.products.jwst.product import JwstProduct

__all__ = ["cube_wavelengths"]

MICROMETRES = {"um": 1.0, "micron": 1.0, "m": 1e6, "nm": 1e-3, "Angstrom": 1e-4}
"""Of a unit of CUNIT3."""


def cube_wavelengths(product: JwstProduct) -> np.ndarray:
    """Wavelength of each plane of an s3d.

    The table WCS-TABLE counts before the linear axis of SCI (Greisen et al. 2006, WAVE-TAB):
    wavelength = CRVAL3 + (plane + 1 - CRPIX3) CDELT3.

    Parameters
    ----------
    product : JwstProduct
        A cube, opened.

    Returns
    -------
    ndarray float64 (n,)
        um.

    Raises
    ------
    InputError
        The file does not say them, or not as many as there are planes.
    """
    hdu = product.hdu("SCI")
    count = hdu.shape[0]
    if "WCS-TABLE" in product.tables:
        found = np.asarray(product.table("WCS-TABLE")["wavelength"], np.float64).ravel()
    else:
        start, reference = hdu.values.get("CRVAL3"), hdu.values.get("CRPIX3")
        step = hdu.values.get("CDELT3") or hdu.values.get("CD3_3")
        unit = MICROMETRES.get(str(hdu.values.get("CUNIT3", "um")).strip())
        if unit is None or start is None or reference is None or step is None:
            raise InputError("does not say the wavelengths of its planes", path=product.path)
        found = (start + (np.arange(count, dtype=np.float64) + 1 - reference) * step) * unit
    if len(found) != count:
        raise InputError(f"{len(found)} wavelengths for {count} planes", path=product.path)
    return found
