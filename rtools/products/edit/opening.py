"""Which way the metadata of a file are changed: as those of ASDF, or as those of a catalog."""

from pathlib import Path

from rtools.errors import InputError
from rtools.products.edit.edit import Edit
from rtools.products.edit.edit_catalog import CatalogEdit
from rtools.products.forms import form_of
from rtools.products.io import foreign

__all__ = ["open_edit"]


def open_edit(path: str | Path) -> Edit:
    """The `Edit` of a file: of ASDF, or of a parquet or ECSV catalog.

    Parameters
    ----------
    path : str or Path
        File whose metadata are to be changed.

    Returns
    -------
    rtools.products.edit.edit.Edit
        Nothing is changed yet.

    Raises
    ------
    InputError
        It is neither, or it is damaged.
    """
    form = form_of(path)
    if form == "asdf":
        return Edit(path)
    if form not in ("parquet", "ecsv"):
        foreign.refuse_jwst(path)
        raise InputError(f"metadata of {form} files cannot be set", path=path)
    return CatalogEdit(path, form)
