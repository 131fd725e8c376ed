"""Values of a JWST file by key: paths in the tree of the data model, and keywords of its headers."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from rtools.jwst.keywords import keyword_at
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import JwstProduct
from rtools.products.schema import keys, nodes

__all__ = ["find_keywords", "hdu_of_keyword", "model_tree", "nearest_keyword"]


def model_tree(product: JwstProduct) -> dict[str, Any]:
    """The tree of the data model as the headers say it.

    Parameters
    ----------
    product : JwstProduct
        Of a FITS file.

    Returns
    -------
    dict
        ``meta`` as `JwstProduct.meta` has it, a node for each image (``data``, ``slits.0.data``) with type and shape
        of its HDU, and what else the extension ASDF holds but for its history.
    """
    tree = {key: node for key, node in product.tree.items() if key not in ("asdf_library", "history")}
    tree["meta"] = product.meta
    for name, info in product.arrays.items():
        hdu = product.hdu(name)
        told = {
            "source": f"fits:{hdu.name},{hdu.version}",
            "datatype": info.dtype.name,
            "byteorder": "big",
            "shape": list(info.shape),
        }
        _place(tree, name.split("."), nodes.TaggedDict(told, nodes.NDARRAY_TAG))
    return tree


def _place(tree, parts, node):
    """Put a node into a tree, whose list of slits grows as it must; what is shared with the file's tree is copied."""
    if len(parts) == 1:
        tree[parts[0]] = node
        return
    listed = tree.get(parts[0])
    listed = tree[parts[0]] = list(listed) if isinstance(listed, list) else []
    place = int(parts[1])
    listed += [{} for _missing in range(place + 1 - len(listed))]
    listed[place] = dict(listed[place]) if isinstance(listed[place], dict) else {}
    listed[place][parts[2]] = node


def find_keywords(product: JwstProduct, key: str, hdu: str | None = None) -> list[tuple[str, Any]]:
    """Values of keywords in the headers.

    Parameters
    ----------
    product : JwstProduct
        Of a FITS file.
    key : str
        A keyword in any letter case, or a glob of keywords (``S_*``).
    hdu : str, optional
        Look into this HDU alone: its EXTNAME, perhaps with EXTVER (``SCI,2``). By default each keyword is looked for
        where the data model has it, then in the HDUs in the order of the file.

    Returns
    -------
    list of (str, object)
        Keyword and value, the key as it was given where it is not a glob; texts of HISTORY and COMMENT as a list.
        Empty if there is none.

    Raises
    ------
    InputError
        There is no such HDU.
    """
    hdus = [product.hdu(hdu)] if hdu else list(product.hdus)
    if keys.is_glob(key):
        found: dict[str, Any] = {}
        for keyword, value in (pair for one in hdus for pair in one.values.items()):
            if keyword and fnmatchcase(keyword.upper(), key.upper()):
                found.setdefault(keyword, value)
        return [(keyword, _plain(value)) for keyword, value in found.items()]
    holder = next(_holders(product, key, hdus), None)
    return [] if holder is None else [(key, _plain(_valued(holder, key)))]


def hdu_of_keyword(product: JwstProduct, key: str, hdu: str | None = None) -> JwstHdu | None:
    """The HDU whose header has a keyword.

    Parameters
    ----------
    product, key, hdu
        As `find_keywords` takes them; no glob.

    Returns
    -------
    JwstHdu or None
        None where no header has it.
    """
    return next(_holders(product, key, [product.hdu(hdu)] if hdu else list(product.hdus)), None)


def _holders(product: JwstProduct, key: str, hdus: list[JwstHdu]) -> Iterator[JwstHdu]:
    """HDUs that have a keyword, the one where the data model has it first."""
    known = keyword_at(key)
    home = known.hdu if known is not None and known.keyword == key.upper() else "PRIMARY"
    ordered = sorted(hdus, key=lambda one: (one.name != home, one.number))
    return (one for one in ordered if any(keyword and keyword.upper() == key.upper() for keyword in one.values))


def _valued(hdu, key):
    return next(value for keyword, value in hdu.values.items() if keyword.upper() == key.upper())


def _plain(value):
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, complex) else value


def nearest_keyword(product: JwstProduct, key: str, hdu: str | None = None) -> str | None:
    """The keyword of a file that is spelled most like one that it does not have; None where none is.

    Parameters
    ----------
    product, key, hdu
        As `find_keywords` takes them; no glob.

    Returns
    -------
    str or None
    """
    hdus = [product.hdu(hdu)] if hdu else product.hdus
    known = dict.fromkeys(keyword for one in hdus for keyword in one.values if keyword)
    return next(iter(get_close_matches(key.upper(), known, 1, 0.7)), None)
