"""Columns of a section as arrays, whatever form they have in the tree: arrays, lists, single numbers, times."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError
from rtools.products.guide.problems import Notes
from rtools.products.io import Product
from rtools.products.io.arrays import inline_array
from rtools.products.schema.nodes import NDARRAY_TAG, is_array
from rtools.wfi import metadata
from rtools.wfi.moments import Moments, moments_of, moments_of_numbers

__all__ = [
    "are_times",
    "column",
    "is_empty_list",
    "length_of",
    "moments_in",
    "node_at",
    "number_at",
    "shape_of",
    "texts",
    "times",
]

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


def times(notes: Notes, path: str) -> Moments | None:
    """A list of times, or one node of many times.

    Parameters
    ----------
    notes : Notes
        The file; a time that is not valid is a problem of it.
    path : str
        Dotted, below ``roman``.

    Returns
    -------
    Moments or None
        None for nothing, null, or what cannot be read.
    """
    node = node_at(notes.product, path)
    if node is None:
        return None
    try:
        found = moments_in(notes.product, node)
    except InputError as error:
        notes.problem(path, error.message)
        return None
    if found is None:
        notes.problem(path, "not a list of times")
    return found


def moments_in(product: Product, node: Any) -> Moments | None:
    """The times of a node that has many.

    Parameters
    ----------
    product : Product
        The file.
    node : object
        A list of times, null among them; one node of many times; or an array of texts.

    Returns
    -------
    Moments or None
        None for a node that is nothing of this.

    Raises
    ------
    InputError
        One is not a valid time.
    """
    if is_array(node):
        product.attach(node)
        return moments_of([str(one) for one in np.ravel(node.load())])
    if isinstance(node, list):
        return moments_of(node)
    if isinstance(node, dict) and is_time(node):
        return _of_time(product, node)
    return None


def are_times(node: Any) -> bool:
    """Whether a node says of itself that it has many times.

    Parameters
    ----------
    node : object
        As it is in the tree.

    Returns
    -------
    bool
        True of one node of many times, and of a list of time nodes and null.
    """
    if isinstance(node, list):
        return any(is_time(one) for one in node) and all(one is None or is_time(one) for one in node)
    return isinstance(node, dict) and is_time(node) and isinstance(node.get("value"), dict | list)


def _is_inline(node):
    return (getattr(node, "tag", None) or "").startswith(NDARRAY)


def is_time(node: Any) -> bool:
    """Whether a node is a time, or one of many times.

    Parameters
    ----------
    node : object
        As it is in the tree.

    Returns
    -------
    bool
        By its tag.
    """
    return "asdf/time/time-" in (getattr(node, "tag", None) or "")


def _of_time(product, node):
    """Moments of one time node with many values: texts, or numbers in a format and scale of astropy."""
    product.attach(node)
    value = node.get("value")
    value = np.ravel(value.load() if is_array(value) else value)
    scale = str(node.get("scale") or "utc").lower()
    form = node.get("format") or node.get("base_format")
    if value.dtype.kind == "S":
        value = np.char.decode(value, "latin1")
    if value.dtype.kind == "U" and scale == "utc":
        return moments_of(value.tolist())
    return moments_of_numbers(value, form or ("isot" if value.dtype.kind == "U" else "jd"), scale)


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
