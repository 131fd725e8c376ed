"""Opening a product of any mission: what looking tools begin with."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from rtools.products.forms import form_of
from rtools.products.io import Product, open_product
from rtools.products.io.foreign import LOOKED_AT, MARK
from rtools.remote import parts

if TYPE_CHECKING:
    from rtools.products.jwst import JwstProduct

__all__ = ["mission_of", "open_any"]


def mission_of(path: str | Path) -> str:
    """Whose a file is, by its first bytes.

    Parameters
    ----------
    path : str or Path
        Any file, which need not exist.

    Returns
    -------
    str
        ``jwst`` for a FITS file that says so, and for one that is not there by its name; else ``roman``.
    """
    try:
        with parts.open_parts(path) as file:
            head = file.read(LOOKED_AT)
    except OSError:
        return "jwst" if re.match(r"jw\d{5}", Path(path).name) else "roman"
    return "jwst" if head.startswith(b"SIMPLE  =") and MARK in head else "roman"


def open_any(
    path: str | Path, kinds: Collection[str] | None = None, *, others: bool = False, references: bool = False
) -> Product | JwstProduct:
    """Open a product of Roman or of JWST; both have the face of `rtools.products.io.ProductFace`.

    Parameters
    ----------
    path : str or Path
        The file: ASDF of Roman, FITS or ECSV of JWST.
    kinds, others
        Of Roman files, as `rtools.products.io.open_product` takes them; a JWST product is of any kind.
    references : bool
        Open reference files of JWST, too.

    Returns
    -------
    rtools.products.io.Product or rtools.products.jwst.JwstProduct

    Raises
    ------
    InputError
        Missing, damaged, or no product of either mission.
    """
    if form_of(path) in ("fits", "ecsv"):
        from rtools.products.jwst import open_jwst

        return open_jwst(path, others=references)
    return open_product(path, kinds, others=others)
