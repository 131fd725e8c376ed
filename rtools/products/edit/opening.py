"""Which way the metadata of a file are changed: as those of ASDF, of a catalog, or of FITS of JWST."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rtools.errors import InputError, UsageError
from rtools.jwst.kinds import kind_of_columns
from rtools.products.edit.edit import Edit
from rtools.products.edit.edit_catalog import CatalogEdit
from rtools.products.forms import form_of
from rtools.products.io import foreign

if TYPE_CHECKING:
    from rtools.products.edit.edit_jwst import JwstEdit

__all__ = ["open_edit"]


def open_edit(path: str | Path, hdu: str | None = None) -> Edit | JwstEdit:
    """The `Edit` of a file: of ASDF, of a parquet or ECSV catalog, or of a FITS file of JWST.

    Parameters
    ----------
    path : str or Path
        File whose metadata are to be changed.
    hdu : str, optional
        Set keywords of this HDU of a FITS file of JWST.

    Returns
    -------
    rtools.products.edit.edit.Edit or JwstEdit
        Nothing is changed yet.

    Raises
    ------
    InputError
        It is none of them, damaged, or has no such HDU.
    UsageError
        An HDU of a file that is not FITS of JWST.
    """
    form = form_of(path)
    if form == "fits" and foreign.is_jwst(path):
        from rtools.products.edit.edit_jwst import JwstEdit

        return JwstEdit(path, hdu)
    if hdu is not None:
        raise UsageError("--hdu is for FITS files of JWST", path=path)
    if form == "asdf":
        return Edit(path)
    if form not in ("parquet", "ecsv"):
        raise InputError(f"metadata of {form} files cannot be set", path=path)
    edit = CatalogEdit(path, form)
    if form == "ecsv" and edit.table.kind is None and kind_of_columns(one.name for one in edit.table.columns):
        raise InputError("metadata of JWST products that are ECSV tables cannot be set", path=path)
    return edit
