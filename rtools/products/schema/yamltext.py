"""The safe loader of YAML that all reading of YAML starts from, and how large a tree may be."""

import math
from typing import Any

import yaml

__all__ = ["DEEPEST", "LARGEST", "FastLoader", "bounded", "load_bounded"]

FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's safe loader; PyYAML's own, ten times slower, where PyYAML was built without libyaml."""

DEEPEST = 100
"""Levels of a tree; products have some fifteen."""

LARGEST = 20_000_000
"""Nodes of a tree whose aliases are written out: a few lines of aliases of aliases can stand for billions."""


def load_bounded(text: str | bytes, loader: Any) -> Any:
    """What YAML of a file says; of no file it is known who wrote it.

    Parameters
    ----------
    text : str or bytes
        The document.
    loader : type
        A safe loader.

    Returns
    -------
    object

    Raises
    ------
    yaml.YAMLError
        It is no YAML, or has more levels or nodes than a tree may have.
    """
    try:
        return bounded(yaml.load(text, Loader=loader))
    except (ValueError, TypeError, RecursionError) as error:
        raise yaml.YAMLError(" ".join(str(error).split())) from None


def bounded(tree: Any) -> Any:
    """A tree itself, for whoever walks through it; it is not changed.

    Parameters
    ----------
    tree : object
        Of YAML or JSON.

    Returns
    -------
    object

    Raises
    ------
    ValueError
        It has more levels or nodes than a tree may have, or holds itself.
    """
    if isinstance(tree, dict | list) and _extent(tree, {}, 0) > LARGEST:
        raise ValueError(f"deeper than {DEEPEST} levels, or its aliases stand for more than {LARGEST} nodes")
    return tree


def _extent(node, known, depth):
    """Nodes in a container with every alias written out; infinite where it holds itself, or is too deep."""
    if depth > DEEPEST:
        return math.inf
    if id(node) not in known:
        known[id(node)] = math.inf  # until it is counted
        inside = node.values() if isinstance(node, dict) else node
        deeper = [one for one in inside if isinstance(one, dict | list)]
        known[id(node)] = len(inside) + sum([_extent(one, known, depth + 1) for one in deeper])
    return known[id(node)]
