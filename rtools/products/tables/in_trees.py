"""Tables in the trees of ASDF files: catalogs of any program, tables of references, lists of members of a mosaic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.products.schema import nodes

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

    from rtools.products.io.product import Product

__all__ = ["find_tables", "table_at"]

DEEPEST = 12
"""Mappings in each other that are looked into."""

LISTED = 12


def find_tables(tree: Any) -> list[str]:
    """Dotted paths of what can be read as a table.

    Parameters
    ----------
    tree : mapping
        Below ``roman``, as it was read, nothing converted.

    Returns
    -------
    list of str
        Tables as asdf writes them, arrays with named fields, and mappings whose values are columns of one length.
    """
    return list(_found(tree, "", 0))


def _found(node, path, depth) -> Iterator[str]:
    if _is_table(node):
        yield path
    elif isinstance(node, dict) and not nodes.is_array(node) and depth < DEEPEST:
        for key, value in node.items():
            yield from _found(value, f"{path}.{key}" if path else str(key), depth + 1)


def _is_table(node):
    if nodes.is_array(node):
        return isinstance(node.get("datatype"), list) and any(isinstance(field, dict) for field in node["datatype"])
    if not isinstance(node, dict):
        return False
    tag = getattr(node, "tag", None) or ""
    if "/table" in tag:
        return True
    lengths = [_length(value) for value in node.values()]
    return len(lengths) > 1 and None not in lengths and len(set(lengths)) == 1


def _length(node):
    """Length of an array of one axis; None for anything else."""
    if not (nodes.is_array(node) and isinstance(node.get("shape"), list) and len(node["shape"]) == 1):
        return None
    return node["shape"][0]


def table_at(product: Product, name: str | None) -> AstropyTable:
    """A table of a file's tree.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.
    name : str, optional
        Its dotted path; needed where there are several.

    Returns
    -------
    astropy.table.Table
        As it is in the file.

    Raises
    ------
    InputError
        There is no such table, none at all, or several and no name.
    """
    from astropy.table import Table

    there = find_tables(product.tree)
    listed = " ".join(there[:LISTED]) + (f" and {len(there) - LISTED} more" if len(there) > LISTED else "")
    if name is None and len(there) != 1:
        if not there:
            raise InputError(f"not a catalog: its product is {product.reftype or product.kind}", path=product.path)
        raise InputError(f"it has {len(there)} tables", mend=f"--hdu says which: {listed}", path=product.path)
    chosen = there[0] if name is None else name
    if chosen not in there:
        raise InputError(f"it has no table {name}", mend=f"there are {listed or 'none'}", path=product.path)
    node = product.node(chosen)
    if isinstance(node, Table):
        return node
    return Table({str(key): np.asarray(value) for key, value in node.items()} if isinstance(node, dict) else node)
