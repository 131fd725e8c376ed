"""Whether a product says anything: some value of its images, spectra, observables or curves is a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rtools.products.jwst import NewHdu, open_jwst

__all__ = ["are_numbers", "has_numbers", "has_numbers_in"]

IMAGE = "SCI"

COLUMNS = {
    "EXTRACT1D": ("FLUX",),
    "COMBINE1D": ("FLUX",),
    "OI_VIS2": ("VIS2DATA",),
    "OI_T3": ("T3PHI",),
    "SOLNS": ("coeffs",),
    "TABLE": ("aperture_sum", "net_aperture_sum", "whitelight_flux"),
}
"""Columns with what was measured, by the tables that have them; of several orders each has its own, ``…_order_2``."""

BLOCK = 2**20
"""Values that are looked at together."""


def has_numbers(hdus: Iterable[NewHdu]) -> bool:
    """Whether some value of a product is a number.

    Parameters
    ----------
    hdus : iterable of NewHdu
        What it consists of.

    Returns
    -------
    bool
        True, too, where nothing of it is known to be a measured value.
    """
    measured = [values for hdu in hdus for values in _measured(hdu)]
    return not measured or any(map(are_numbers, measured))


def _measured(hdu: NewHdu) -> Iterator[Any]:
    if hdu.name == IMAGE:
        yield hdu.data
    names = getattr(hdu.data, "colnames", None) or getattr(getattr(hdu.data, "dtype", None), "names", None) or ()
    for name in names:
        if name.partition("_order_")[0] in COLUMNS.get(hdu.name, ()):
            yield hdu.data[name]


def has_numbers_in(path: Path) -> bool:
    """Whether some pixel of the images of a file is a number.

    Parameters
    ----------
    path : Path
        A product; its name says nothing yet.

    Returns
    -------
    bool
        True, too, where it has no images.
    """
    with open_jwst(path) as product:
        versions = product.versions(IMAGE)
        return not versions or any(
            are_numbers(product.pixels(IMAGE, version, (*place,)))
            for version in versions
            for place in np.ndindex(product.hdu(IMAGE, version).shape[:-2])
        )


def are_numbers(values: Any) -> bool:
    """Whether some of the values are finite; the first that is ends the search.

    Parameters
    ----------
    values : array_like
        Numbers of any shape; masked ones are none.
    """
    flat = np.ma.asarray(values).reshape(-1)
    blocks = (flat[start : start + BLOCK] for start in range(0, flat.size, BLOCK))
    return any(bool(np.ma.filled(np.isfinite(block), False).any()) for block in blocks)
