"""A1: the extension ASDF, which refers to the other extensions and knows whether their headers were edited."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from rtools.errors import InputError
from rtools.findings import Finding, error, info, warning
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import JwstProduct

__all__ = ["check_tree"]

REFERENCE = re.compile(r"fits:(?P<name>[^,]+)(?:,(?P<version>\d+))?")
"""Source of an array that is an HDU: by name and version, or by its number."""

TYPES = {"bool8": "bool", "int8": "int8"}
"""Types that ASDF calls otherwise than numpy."""


def check_tree(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """A1: the tree can be read, its arrays are in the file, and its hash.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    if not any(hdu.name == "ASDF" for hdu in product.hdus):
        return
    try:
        tree = product.tree
    except InputError as problem:
        yield error("A1", "ASDF", problem.message)
        return
    for place, node in _references(tree, ""):
        yield from _reference(product, place, node)
    stated = tree.get("_fits_hash")
    if stated is None:
        yield info("A1", "_fits_hash", "the tree has none: it may not agree with the headers")
    elif stated == product.header_hash():
        yield info("A1", "_fits_hash", "the headers are those that the tree was written with")
    else:
        yield warning("A1", "_fits_hash", "headers were edited after the tree was written: keywords hold, not the tree")


def _references(node, place):
    """(place, node) of every array that is an HDU."""
    if isinstance(node, dict):
        if isinstance(node.get("source"), str) and node["source"].startswith("fits:"):
            yield place, node
            return
        for key, value in node.items():
            yield from _references(value, f"{place}.{key}" if place else str(key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _references(value, f"{place}.{number}")


def _reference(product, place, node):
    hdu = _hdu(product, node["source"])
    if hdu is None:
        yield error("A1", place, f"{node['source']} is not in the file")
        return
    shape = [length for length in node.get("shape") or [] if isinstance(length, int)]
    held = [hdu.rows] if hdu.is_table else list(hdu.shape)
    if shape and shape != held:
        yield error("A1", place, f"the shape is {shape}, but that of {node['source']} is {held}")
    dtype = node.get("datatype")
    if isinstance(dtype, str) and not hdu.is_table and TYPES.get(dtype, dtype) != str(hdu.dtype):
        yield error("A1", place, f"{dtype}, but {node['source']} is {hdu.dtype}")
    if isinstance(dtype, list) and hdu.is_table and len(dtype) != len(hdu.columns):
        yield error("A1", place, f"{len(dtype)} columns, but {node['source']} has {len(hdu.columns)}")


def _hdu(product: JwstProduct, source: str) -> JwstHdu | None:
    found = REFERENCE.fullmatch(source)
    if found is None:
        return None
    if found["version"] is None and found["name"].isdigit():
        number = int(found["name"])
        return product.hdus[number] if number < len(product.hdus) else None
    wanted = (found["name"].strip().upper(), int(found["version"] or 1))
    return next((hdu for hdu in product.hdus if (hdu.name, hdu.version) == wanted), None)
