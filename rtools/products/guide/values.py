"""Columns of a section as arrays, whatever form they have in the tree: arrays, lists, single numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtools.products.guide.time_lists import is_time
from rtools.products.io import Product
from rtools.products.io.arrays import inline_array
from rtools.products.schema.nodes import NDARRAY_TAG, is_array
from rtools.wfi import metadata

__all__ = ["column", "is_empty_list", "length_of", "node_at", "number_at", "shape_of", "texts"]

NDARRAY = NDARRAY_TAG.rpartition("-")[0]


def node_at(product: Product, path: str) -> Any:
    """What stands at a dotted path of the tree; None for nothing.

    Parameters
    ----------
    product : Product
        The file.
    path : str
        Dotted, below ``roman``.

    Returns
    -------
    object
        As it is in the tree.
    """
    return metadata.get(product.tree, path)


def shape_of(product: Product, path: str) -> tuple[int, ...] | None:
    """Shape of an array or of a list.

    Parameters
    ----------
    product : Product
        The file.
    path : str
        Dotted, below ``roman``.

    Returns
    -------
    tuple of int or None
        None of what has no shape: nothing, null, a single number.
    """
    if path in product.arrays:
        return product.arrays[path].shape
    node = node_at(product, path)
    if isinstance(node, list):
        return np.shape(node) if _is_inline(node) else (len(node),)
    value = node.get("value") if isinstance(node, dict) and is_time(node) else None
    if isinstance(value, dict) and is_array(value):
        return tuple(value.get("shape") or np.shape(value.get("data", ())))
    return (len(value),) if isinstance(value, list) else None


def length_of(product: Product, path: str) -> int | None:
    """Length of the first axis of an array or of a list.

    Parameters
    ----------
    product : Product
        The file.
    path : str
        Dotted, below ``roman``.

    Returns
    -------
    int or None
        None of what has no axis.
    """
    shape = shape_of(product, path)
    return shape[0] if shape else None


def is_empty_list(product: Product, path: str) -> bool:
    """Whether a list has nothing in it, as makers of files write what they do not know.

    Parameters
    ----------
    product : Product
        The file.
    path : str
        Dotted, below ``roman``.

    Returns
    -------
    bool
        False of an array.
    """
    node = node_at(product, path)
    return isinstance(node, list) and not node and not _is_inline(node)


def column(product: Product, path: str) -> NDArray[Any] | None:
    """An array, or a single number as an array without axes.

    Parameters
    ----------
    product : Product
        The file.
    path : str
        Dotted, below ``roman``.

    Returns
    -------
    ndarray or None
        Its own; None for nothing or null.

    Raises
    ------
    InputError
        It is damaged.
    """
    if path in product.arrays:
        return np.array(product.array(path))
    node = node_at(product, path)
    if isinstance(node, list):
        return inline_array(node)
    return np.array(node) if isinstance(node, int | float) else None


def texts(product: Product, path: str) -> NDArray[np.str_] | None:
    """An array or list of words.

    Parameters
    ----------
    product : Product
        The file.
    path : str
        Dotted, below ``roman``.

    Returns
    -------
    ndarray of str or None
        Without blanks at the ends, null as an empty word; None for nothing or null.
    """
    node = node_at(product, path)
    if isinstance(node, list) and not _is_inline(node):
        found: NDArray[Any] | None = np.array([_words(one) for one in node], np.str_)
    else:
        found = column(product, path)
    if found is None:
        return None
    if found.dtype.kind == "S":
        found = np.char.decode(found, "latin1")
    return np.char.strip(found.astype(np.str_))


def _words(node):
    """A word, or a list of them; null is an empty one."""
    if isinstance(node, list):
        return [_words(one) for one in node]
    return "" if node is None else str(node)


def _is_inline(node):
    return (getattr(node, "tag", None) or "").startswith(NDARRAY)


def number_at(meta: Any, key: str) -> float | None:
    """A positive number of the metadata.

    Parameters
    ----------
    meta : mapping
        Below ``meta``.
    key : str
        Dotted.

    Returns
    -------
    float or None
        None where it is missing, null, not finite, or not positive, as placeholders are.
    """
    value = metadata.get(meta, key)
    good = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value) and value > 0
    return float(value) if good else None
