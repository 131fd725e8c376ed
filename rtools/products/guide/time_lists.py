"""Lists of times of the tree, whatever form they have there."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.products.guide.problems import Notes
from rtools.products.io import Product
from rtools.products.schema.nodes import is_array
from rtools.wfi import metadata
from rtools.wfi.moments import Moments, moments_of, moments_of_numbers

__all__ = ["are_times", "is_time", "moments_in", "times"]


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
    node = metadata.get(notes.product.tree, path)
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
