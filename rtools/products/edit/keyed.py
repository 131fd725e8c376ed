"""Values of a file by key, whatever the mission: paths in its tree, and for FITS of JWST keywords of its headers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from rtools.errors import UsageError
from rtools.products.forms import form_of, read_tree
from rtools.products.io import foreign
from rtools.products.schema import keys

__all__ = ["KeyedFile", "open_keyed"]


class KeyedFile(NamedTuple):
    """How a file is asked for values.

    Attributes
    ----------
    find : callable
        ``find(key)``: name and node of all that a key names, as `rtools.products.schema.keys.find`.
    nearest : callable
        ``nearest(key)``: the key that the file has that is most like one that it does not have, or None.
    """

    find: Callable[[str], list[tuple[str, Any]]]
    nearest: Callable[[str], str | None]


def open_keyed(path: str | Path, hdu: str | None = None) -> KeyedFile:
    """A file whose values can be asked for.

    Parameters
    ----------
    path : str or Path
        A file of any form that has metadata; its headers are read.
    hdu : str, optional
        Look for keywords in this HDU alone: ``SCI``, ``SCI,2``, ``PRIMARY``. For FITS of JWST only.

    Returns
    -------
    KeyedFile

    Raises
    ------
    InputError
        It is damaged, has no metadata, or no such HDU.
    UsageError
        An HDU of a file that is not FITS of JWST.
    """
    if form_of(path) == "fits" and foreign.is_jwst(path):
        return _jwst_file(path, hdu)
    if hdu is not None:
        raise UsageError("--hdu is for FITS files of JWST", path=path)
    tree = read_tree(path)
    return KeyedFile(lambda key: keys.find(tree, key), lambda key: keys.nearest(tree, key))


def _jwst_file(path, hdu):
    from rtools.products.jwst import find_keywords, model_tree, nearest_keyword, open_jwst

    product = open_jwst(path, others=True)
    if hdu is not None:
        product.hdu(hdu)  # refused at once
        return KeyedFile(lambda key: find_keywords(product, key, hdu), lambda key: nearest_keyword(product, key, hdu))
    trees: list[dict[str, Any]] = []

    def tree():
        if not trees:  # keywords alone need none
            trees.append(model_tree(product))
        return trees[0]

    def find(key):
        if key.isupper() and (found := find_keywords(product, key)):
            return found
        return keys.find(tree(), key) or find_keywords(product, key)

    def nearest(key):
        like, path_like = nearest_keyword(product, key), keys.nearest(tree(), key)
        return like or path_like if key.isupper() else path_like or like

    return KeyedFile(find, nearest)
