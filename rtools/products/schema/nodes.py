"""YAML nodes that carry a tag, without asdf: what the header reader makes and the writer takes.

They behave as str, dict and list; `.tag` is the full tag. A time is a `TaggedStr` in ISO form.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from rtools.wfi.times import is_time_mapping, iso_time

__all__ = [
    "NDARRAY_TAG",
    "TIME_TAG",
    "TaggedDict",
    "TaggedList",
    "TaggedStr",
    "is_array",
    "is_foreign",
    "normalise",
    "plain",
    "readable",
    "time",
]

TIME_TAG = "tag:stsci.edu:asdf/time/time-1.4.0"
NDARRAY_TAG = "tag:stsci.edu:asdf/core/ndarray-1.1.0"

ROMAN_TAG = "asdf://stsci.edu/datamodels/roman/"
"""Prefix of every Roman tag; below the root, only files older than manifest 1.5.0 have them."""


_SURROGATES = re.compile("[\ud800-\udfff]")


def readable(text: str) -> str:
    """A text as files can hold it: what is not a letter, as a byte of a file's name may be, is U+FFFD.

    Parameters
    ----------
    text : str
        Perhaps with lone surrogates, as Python decodes names of files.

    Returns
    -------
    str
        The same text where all of it can be written.
    """
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


class TaggedStr(str):
    """A string with a tag."""

    __slots__ = ("tag",)
    tag: str

    def __new__(cls, value: str, tag: str) -> TaggedStr:
        self = super().__new__(cls, value)
        self.tag = tag
        return self

    def __copy__(self):
        return self

    def __deepcopy__(self, _memo):
        return self

    def __reduce__(self):
        return TaggedStr, (str(self), self.tag)


class TaggedDict(dict):
    """A mapping with a tag.

    Attributes
    ----------
    tag : str
        URI of the tag.
    load : callable or None
        For an ndarray node in a block of the file that it was read from: returns the array. Copies share it.
    """

    __slots__ = ("load", "tag")

    def __init__(self, value: Any = (), tag: str | None = None, load: Callable[[], Any] | None = None) -> None:
        super().__init__(value)
        self.tag = tag
        self.load = load

    def __copy__(self):
        return TaggedDict(self, self.tag, self.load)

    def __deepcopy__(self, memo):
        from copy import deepcopy

        copied = memo[id(self)] = TaggedDict((), self.tag, self.load)
        copied.update({key: deepcopy(value, memo) for key, value in self.items()})
        return copied

    def __reduce__(self):
        return TaggedDict, (dict(self), self.tag)


class TaggedList(list):
    """A sequence with a tag."""

    __slots__ = ("tag",)

    def __init__(self, value: Any = (), tag: str | None = None) -> None:
        super().__init__(value)
        self.tag = tag

    def __copy__(self):
        return TaggedList(self, self.tag)

    def __deepcopy__(self, memo):
        from copy import deepcopy

        copied = memo[id(self)] = TaggedList((), self.tag)
        copied.extend(deepcopy(value, memo) for value in self)
        return copied

    def __reduce__(self):
        return TaggedList, (list(self), self.tag)


def is_array(node: object) -> bool:
    """Whether a node is an ndarray.

    Parameters
    ----------
    node : object
        Any node of a tree.

    Returns
    -------
    bool
        True for a `TaggedDict` with a tag of asdf's ndarray, of any version.
    """
    return isinstance(node, TaggedDict) and "core/ndarray-" in (node.tag or "")


def is_foreign(node: object) -> bool:
    """Whether a node has a tag that is not a Roman one: a model, a WCS, a time.

    Parameters
    ----------
    node : object
        Any node of a tree.

    Returns
    -------
    bool
        False for untagged nodes.
    """
    tag = getattr(node, "tag", None) or ""
    return bool(tag) and not tag.startswith(ROMAN_TAG)


def time(iso: str) -> TaggedStr:
    """A time node.

    Parameters
    ----------
    iso : str
        ``YYYY-MM-DDThh:mm:ss.sss``, UTC; a blank for the T is mended.

    Returns
    -------
    TaggedStr
        With `TIME_TAG`.
    """
    return TaggedStr(str(iso).strip().replace(" ", "T").removesuffix("Z"), TIME_TAG)


def normalise(node: Any) -> Any:
    """Metadata of a file of any age in today's form, as new containers.

    Roman tags below the root go (groups and strings had them before manifest 1.5.0), old long-form times become
    strings; every other tagged node stays as it is.

    Parameters
    ----------
    node : object
        Any part of a tree as read; not changed.

    Returns
    -------
    object
        What the node is today.
    """
    tag = getattr(node, "tag", None) or ""
    if "asdf/time/time-" in tag or (tag.startswith(ROMAN_TAG) and is_time_mapping(node) and "scale" in node):
        return _time_as_text(node)
    if is_foreign(node):
        return node
    if isinstance(node, str):
        return _time_as_text(node) if "file_date" in tag else str(node) if tag else node
    if isinstance(node, dict):
        return {key: normalise(value) for key, value in node.items()}
    if isinstance(node, list):
        return [normalise(value) for value in node]
    return node


def _time_as_text(node):
    """A time as text in UTC; as it is where it is none, or several."""
    from rtools.errors import InputError

    if not isinstance(node, str) and not is_time_mapping(node):
        return node
    try:
        return time(iso_time(node))
    except InputError:
        return node


def plain(node: Any, array: Callable[[Any], Any] | None = None) -> Any:
    """A part of the tree as plain dicts, lists and scalars.

    Parameters
    ----------
    node : object
        Any part of a tree as read; not changed.
    array : callable, optional
        Called with each ndarray node; such nodes are not plain without it.

    Returns
    -------
    object
        New containers, or the scalar; times are ISO strings.

    Raises
    ------
    TypeError
        It has a tagged node that is neither a time, a Roman group, nor an array.
    """
    tag = getattr(node, "tag", None) or ""
    if is_array(node) and array is not None:
        return array(node)
    if "/quantity-" in tag and array is not None:
        return plain(node["value"], array)
    if "asdf/time/time-" in tag:
        return iso_time(node)
    if tag and not tag.startswith(ROMAN_TAG) and "asdf/core/" not in tag:
        raise TypeError(f"{tag} needs asdf")
    if is_array(node) or "core/complex-" in tag or "core/integer-" in tag:
        raise TypeError(f"{tag} needs asdf")
    if isinstance(node, str):
        return str(node)
    if isinstance(node, dict):
        return {key: plain(value, array) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(value, array) for value in node]
    return node
