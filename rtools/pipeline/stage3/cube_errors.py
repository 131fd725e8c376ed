"""Errors of a cube as standard deviations, whatever the file holds (ERRTYPE)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError

if TYPE_CHECKING:
    from rtools.products.jwst import JwstProduct

__all__ = ["errors_of_cube"]

FORMS: Mapping[str, Callable[[Any], Any]] = {
    "ERR": lambda values: values,
    "IERR": lambda values: 1 / values,
    "VAR": np.sqrt,
    "IVAR": lambda values: 1 / np.sqrt(values),
}
"""From what ERRTYPE names to σ."""


def errors_of_cube(product: JwstProduct) -> np.ndarray:
    """Standard deviations of the values of a cube.

    Parameters
    ----------
    product : JwstProduct
        An ``s3d``.

    Returns
    -------
    ndarray of float32 (planes, rows, columns)
        Not finite where the inverse of an error is 0.

    Raises
    ------
    InputError
        ERRTYPE, which the header of the errors has, or that of the file in older releases, is another word.
    """
    told = product.hdu("ERR").values.get("ERRTYPE") or product.hdus[0].values.get("ERRTYPE") or "ERR"
    form = str(told).strip().upper()
    if form not in FORMS:
        raise InputError(f"ERRTYPE is {form}, which is none of {', '.join(FORMS)}", path=product.path)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(FORMS[form](product.array("err")), np.float32)
