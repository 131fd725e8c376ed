"""What arrays and columns are called when they are typed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["names_that_fit", "split_names"]


def split_names(texts: Iterable[str]) -> list[str]:
    """Names and globs that are typed with commas between them.

    Parameters
    ----------
    texts : iterable of str
        ``data,err``. A number belongs to the extension before it: ``SCI,2`` and ``EXTRACT1D,2.FLUX`` are one name each.

    Returns
    -------
    list of str
        Without spaces around them, in order.
    """
    words = [word.strip() for text in texts for word in re.split(r",(?!\s*\d+\s*(?:[.,]|$))", text)]
    return [word for word in words if word]


def names_that_fit(product: ProductFace, pattern: str, names: Iterable[str]) -> list[str]:
    """Those of some names that a pattern means.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.
    pattern : str
        A name or a glob. Of a JWST product its letter case is of no matter, and an array may be called by its
        extension as well (``SCI``, ``DQ,2``), a column of a table by the table (``EXTRACT1D``) or alone (``FLUX``).
    names : iterable of str
        Of arrays, and of columns as `rtools.products.edit.table_columns.table_columns` calls them.

    Returns
    -------
    list of str
        In the order of `names`.
    """
    if product.mission != "jwst":
        return [name for name in names if fnmatchcase(name, pattern)]
    wanted = pattern.upper()
    return [name for name in names if any(fnmatchcase(one.upper(), wanted) for one in _aliases(product, name))]


def _aliases(product, name):
    if name in product.arrays:
        hdu = product.hdu(name)
        return (name, hdu.name if hdu.version == 1 else f"{hdu.name},{hdu.version}")
    return (name, *name.split(".", 1)) if "." in name and product.form == "fits" else (name,)
