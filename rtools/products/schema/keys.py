"""Metadata by key: dotted paths below ``roman``, with globs, found and set in a tree.

A key that is not there as it stands is looked for below ``meta``: ``exposure.type`` is ``meta.exposure.type``.
"""

import os
import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

from rtools.errors import UsageError
from rtools.products.schema import nodes

__all__ = [
    "assign",
    "bare",
    "exists",
    "find",
    "is_glob",
    "nearest",
    "resolve",
]

GLOB = re.compile(r"[*?\[]")


def is_glob(key: str) -> bool:
    """Whether a key has wildcards.

    Parameters
    ----------
    key : str
        Dotted path of metadata, as typed.

    Returns
    -------
    bool
        True for a key with ``*``, ``?`` or ``[``.
    """
    return GLOB.search(key) is not None


def find(tree: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    """Everything that a key names.

    Parameters
    ----------
    tree : dict
        Below ``roman``.
    key : str
        Dotted; a component may be a glob (``*`` is one component, ``**`` any number), or a place in a list.

    Returns
    -------
    list of (str, object)
        Name and node; the name is the key with globs resolved. Empty if there is nothing.
    """
    parts = key.removeprefix("roman.").split(".")
    found = dict(_matches(tree, parts, ()))
    if not found and isinstance(tree.get("meta"), dict):
        found = dict(_matches(tree["meta"], parts, ()))
    return [(".".join(path), node) for path, node in found.items()]


def _matches(node, parts, path):
    """(path, node) of all that `parts` lead to."""
    if not parts:
        yield path, node
        return
    head, *rest = parts
    if head == "**" and path and nodes.is_foreign(node):
        if not rest:
            yield path, node
    elif head == "**":
        yield from _matches(node, rest, path)
        for name, child in _children(node):
            yield from _matches(child, parts, (*path, name))
    elif is_glob(head):
        for name, child in _children(node):
            if fnmatchcase(name, head):
                yield from _matches(child, rest, (*path, name))
    else:
        child = _step(node, head)
        if child is not _ABSENT:
            yield from _matches(child, rest, (*path, head))


_ABSENT = object()


def _step(node, name):
    """The child of a node by its name, or by its place in a list; `_ABSENT` if there is none."""
    if isinstance(node, dict):
        return node.get(name, _ABSENT)
    if isinstance(node, list) and re.fullmatch(r"-?\d+", name) and -len(node) <= int(name) < len(node):
        return node[int(name)]
    return _ABSENT


def _children(node):
    if isinstance(node, dict):
        return [(str(name), child) for name, child in node.items()]
    if isinstance(node, list):
        return [(str(place), child) for place, child in enumerate(node)]
    return []


def nearest(tree: Mapping[str, Any], key: str) -> str | None:
    """The key of a tree that is most like one that it does not have; None where none is.

    Parameters
    ----------
    tree : mapping
        Below ``roman``.
    key : str
        Dotted, without globs.

    Returns
    -------
    str or None
        A key without the leading ``meta.``: one with the same last component, else the one that is spelled most alike.
    """
    found = dict(_matches(tree, ["**"], ()))
    names = {".".join(path).removeprefix("meta."): None for path in found if path}
    wanted = key.removeprefix("roman.").removeprefix("meta.")
    same_end = [name for name in names if name.rpartition(".")[2] == wanted]
    return next(iter(same_end or get_close_matches(wanted, names, 1, 0.7)), None)


def bare(node: Any) -> Any:
    """A part of the tree as plain dicts, lists and scalars; tags are dropped, times become ISO strings.

    Parameters
    ----------
    node : object
        Any part of a tree as read.

    Returns
    -------
    object
        New containers, or the scalar.
    """
    if isinstance(node, str):
        return str(nodes.normalise(node)) if _is_time(node) else str(node)
    if isinstance(node, dict):
        moment = nodes.normalise(node) if _is_time(node) else None
        if isinstance(moment, str):
            return str(moment)
        return {str(name): bare(child) for name, child in node.items()}
    if isinstance(node, list):
        return [bare(child) for child in node]
    return node


def _is_time(node):
    """A time: of today, or the long form of old files."""
    tag = getattr(node, "tag", None) or ""
    return "asdf/time/time-" in tag or "/file_date-" in tag or (tag.startswith(nodes.ROMAN_TAG) and "scale" in node)


# -- setting ----------------------------------------------------------------------------------------------------------


def resolve(tree: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Path of a key that is to be set: as it stands, or below ``meta``, which is also where a new one belongs.

    Parameters
    ----------
    tree : mapping
        Below ``roman``.
    key : str
        Dotted, without globs.

    Returns
    -------
    tuple of str
        Components of the path below ``roman``.
    """
    parts = tuple(key.split("."))
    if _walk(tree, parts) is _ABSENT and parts[0] != "meta" and isinstance(tree.get("meta"), dict):
        below = ("meta", *parts)
        if _walk(tree, below) is not _ABSENT or parts[0] not in tree:
            return below
    return parts


def exists(tree: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Whether there is something at a path.

    Parameters
    ----------
    tree : mapping
        Below ``roman``.
    path : tuple of str
        Components of a key, as `resolve` gives them.

    Returns
    -------
    bool
        True for a value of None, too.
    """
    return _walk(tree, path) is not _ABSENT


def _walk(node, path):
    for name in path:
        node = _step(node, name)
        if node is _ABSENT:
            break
    return node


def assign(tree: dict[str, Any], path: tuple[str, ...], value: Any, *, is_time: bool = False) -> Any:
    """Set a value in a tree, in place; what it replaces hands on its tag.

    Parameters
    ----------
    tree : dict
        Below ``roman``, as read; changed in place.
    path : tuple of str
        As `resolve` gives it.
    value : object
        Plain: as `rtools.products.schema.assignment.parse_assignment` gives it.
    is_time : bool
        The schema wants a time there.

    Returns
    -------
    object
        The node that stands there now.

    Raises
    ------
    UsageError
        An array, a WCS or the like stands there or on the way, or the value is not a valid time where one belongs.
    """
    key = ".".join(path)
    node = tree
    for place, name in enumerate(path):
        if place and (nodes.is_foreign(node) or not isinstance(node, dict | list)):
            raise UsageError(f"{'.'.join(path[:place])} {_what(node)}, nothing below it can be set")
        child = _step(node, name)
        if place == len(path) - 1:
            made = _typed(key, value, None if child is _ABSENT else child, is_time)
            return _put(node, name, made, key)
        if child is _ABSENT:
            child = _put(node, name, {}, key)
        node = child
    return tree


def _put(node, name, value, key):
    """Set a child of a mapping or of a list; a list does not grow."""
    if isinstance(node, list):
        if _step(node, name) is _ABSENT:
            raise UsageError(f"{key}: the list has {len(node)} items")
        name = int(name)
    node[name] = value
    return value


WRAPS: dict[type, Callable] = {str: nodes.TaggedStr, dict: nodes.TaggedDict, list: nodes.TaggedList}
"""The tagged form of a plain node."""


def _typed(key, value, old, is_time):
    """A value with the tag, and the kind of number, of what it replaces."""
    if (is_time or _is_time(old)) and value is not None:
        return _time(key, value, old)
    tag = getattr(old, "tag", None)
    if tag and nodes.is_foreign(old) and not _is_time(old):
        raise UsageError(f"{key} {_what(old)}, it cannot be set")
    if isinstance(old, float) and type(value) is int:
        return float(value)
    wrap = WRAPS.get(type(value))
    return wrap(value, tag) if tag and wrap and isinstance(old, type(value)) else value


def _time(key, value, old):
    """A time node in the form of the one that it replaces."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise UsageError(f"{key}: {value!r} is not a valid time", mend="write YYYY-MM-DDThh:mm:ss.sss") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    text = moment.isoformat(timespec="microseconds" if moment.microsecond % 1000 else "milliseconds")
    if isinstance(old, dict) and isinstance(old.get("value"), str) and old.get("scale", "utc") == "utc":
        return nodes.TaggedDict({**old, "value": text}, getattr(old, "tag", None))
    return nodes.TaggedStr(text, (isinstance(old, str) and getattr(old, "tag", None)) or nodes.TIME_TAG)


def _what(node):
    if nodes.is_array(node):
        return "is an array"
    tag = getattr(node, "tag", None) or ""
    return f"is a {os.path.basename(tag)}" if tag else "is a single value"
