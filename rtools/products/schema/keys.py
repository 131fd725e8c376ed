"""Metadata by key: dotted paths below ``roman``, with globs, read from any kind of file and set in a tree.

A key that is not there as it stands is looked for below ``meta``: ``exposure.type`` is ``meta.exposure.type``. Of an
ASDF file only the header is read, without asdf and numpy.
"""

import json
import os
import re
from contextlib import contextmanager
from difflib import get_close_matches
from fnmatch import fnmatchcase

import yaml

from rtools.errors import InputError, UsageError
from rtools.products.schema import nodes

__all__ = [
    "assign",
    "bare",
    "embedded",
    "exists",
    "find",
    "form_of",
    "history_of",
    "is_asdf",
    "is_glob",
    "nearest",
    "parse_assignment",
    "read_json",
    "read_tree",
    "resolve",
]

MARKS = {b"#ASDF": "asdf", b"PAR1": "parquet", b"# %ECSV": "ecsv", b"SIMPLE  =": "fits"}
"""First bytes of the forms of files that have metadata; JSON begins with a brace."""

GLOB = re.compile(r"[*?\[]")


def form_of(path):
    """``asdf``, ``parquet``, ``ecsv``, ``fits`` or ``json``, by the first bytes.

    Raises
    ------
    InputError
        Missing, a directory, unreadable, empty, or none of these.
    """
    head = _first_bytes(path)
    for mark, form in MARKS.items():
        if head.startswith(mark):
            return form
    if head.lstrip()[:1] == b"{":
        return "json"
    table = b"<VOTABLE" in head or str(path).lower().endswith(".csv")
    raise InputError(
        "neither ASDF, parquet, ECSV, FITS nor JSON", mend="rt-table prints tables" if table else None, path=path
    )


def is_asdf(path):
    """Whether a file begins as ASDF does; raises as `form_of` for one that cannot be read."""
    return _first_bytes(path).startswith(b"#ASDF")


def _first_bytes(path):
    try:
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise InputError(reason, path=path) from None
    if not head:
        raise InputError("an empty file", path=path)
    return head


def read_tree(path):
    """What a file says below ``roman`` (a file that is no Roman product: all of it), as read from its header.

    Returns
    -------
    dict
        Nodes keep their tags; `bare` takes them off.

    Raises
    ------
    InputError
        The file is damaged or has no metadata.
    """
    form = form_of(path)
    if form == "json":
        return read_json(path)
    if form == "fits":
        with embedded(path) as product:
            if product is not None:
                return product.tree
    if form != "asdf":
        from rtools.products.tables.metadata import read_table

        return read_table(path, form).tree
    from rtools.products.io.header import read_header

    tree = read_header(path)[0]
    return tree["roman"] if isinstance(tree.get("roman"), dict) else tree


def history_of(path):
    """What was done to a file, as it says itself: entries, oldest first; none where it has no history.

    Raises
    ------
    InputError
        The file is damaged, or of a form that has no history.
    """
    form = form_of(path)
    if form == "asdf":
        from rtools.products.io.header import read_header

        told = read_header(path)[1].get("history") or {}
        return bare(told.get("entries") or [] if isinstance(told, dict) else told)
    if form in ("parquet", "ecsv"):
        from rtools.products.tables.metadata import read_table

        return read_table(path, form).history
    raise InputError("a file without a history", path=path)


@contextmanager
def embedded(path):
    """The product in a FITS file of rt-fits, whose arrays that are images have string sources; None without one."""
    from rtools.products.fits import read as fits_read

    with fits_read.open_fits(path) as hdus:
        if "ASDF" not in hdus:
            yield None
            return
        with fits_read.embedded(path, hdus) as product:
            yield product


def read_json(path):
    """The object of a JSON file."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower(), path=path) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON ({' '.join(str(error).split())})", path=path) from None
    if not isinstance(content, dict):
        raise InputError("a JSON file without an object", path=path)
    return content


def is_glob(key):
    """Whether a key has wildcards."""
    return GLOB.search(key) is not None


def find(tree, key):
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


def nearest(tree, key):
    """The key of a tree that is most like one that it does not have, or None."""
    found = dict(_matches(tree, ["**"], ()))
    names = {".".join(path).removeprefix("meta."): None for path in found if path}
    wanted = key.removeprefix("roman.").removeprefix("meta.")
    same_end = [name for name in names if name.rpartition(".")[2] == wanted]
    return (same_end or get_close_matches(wanted, names, 1, 0.7) or [None])[0]


def bare(node):
    """A part of the tree as plain dicts, lists and scalars; tags are dropped, times become ISO strings."""
    if isinstance(node, str):
        return str(nodes.normalise(node)) if _is_time(node) else str(node)
    if isinstance(node, dict):
        told = nodes.normalise(node) if _is_time(node) else None
        if isinstance(told, str):
            return str(told)
        return {str(name): bare(child) for name, child in node.items()}
    if isinstance(node, list):
        return [bare(child) for child in node]
    return node


def _is_time(node):
    """A time: of today, or the long form of old files."""
    tag = getattr(node, "tag", None) or ""
    return "asdf/time/time-" in tag or "/file_date-" in tag or (tag.startswith(nodes.ROMAN_TAG) and "scale" in node)


# -- setting ----------------------------------------------------------------------------------------------------------


class _Values(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML as JSON has it: ``yes`` and ``12:30`` are strings, and so are digits led by zeros, as in a visit_id."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  PyYAML's own attribute


for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+|\.(inf|nan))", "-+.0123456789"),
):
    _Values.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), list(_first))


def parse_assignment(text):
    """Key and value of ``KEY=VALUE``, the value read as YAML.

    Raises
    ------
    UsageError
        It is not that.
    """
    key, equals, written = text.partition("=")
    key = key.strip().removeprefix("roman.")
    if not equals or not key or is_glob(key) or "" in key.split("."):
        raise UsageError(f"{text!r} is not KEY=VALUE")
    try:
        value = yaml.load(written, Loader=_Values)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = getattr(error, "problem", None) or str(error)
        raise UsageError(f"{key}: the value is not YAML ({' '.join(str(problem).split())})") from None
    return key, value


def resolve(tree, key):
    """Path of a key that is to be set: as it stands, or below ``meta``, which is also where a new one belongs."""
    parts = tuple(key.split("."))
    if _walk(tree, parts) is _ABSENT and parts[0] != "meta" and isinstance(tree.get("meta"), dict):
        below = ("meta", *parts)
        if _walk(tree, below) is not _ABSENT or parts[0] not in tree:
            return below
    return parts


def exists(tree, path):
    """Whether there is something at a path."""
    return _walk(tree, path) is not _ABSENT


def _walk(node, path):
    for name in path:
        node = _step(node, name)
        if node is _ABSENT:
            break
    return node


def assign(tree, path, value, *, is_time=False):
    """Set a value in a tree, in place; what it replaces hands on its tag.

    Parameters
    ----------
    tree : dict
        Below ``roman``, as read.
    path : tuple of str
        As `resolve` gives it.
    value : object
        Plain: as `parse_assignment` gives it.
    is_time : bool
        The schema wants a time there.

    Returns
    -------
    object
        The node that stands there now.

    Raises
    ------
    UsageError
        An array, a WCS or the like stands there or on the way, or the value is no time where one belongs.
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


def _typed(key, value, old, is_time):
    """A value with the tag, and the kind of number, of what it replaces."""
    if (is_time or _is_time(old)) and value is not None:
        return _time(key, value, old)
    tag = getattr(old, "tag", None)
    if tag and nodes.is_foreign(old) and not _is_time(old):
        raise UsageError(f"{key} {_what(old)}, it cannot be set")
    if isinstance(old, float) and type(value) is int:
        return float(value)
    wrap = {str: nodes.TaggedStr, dict: nodes.TaggedDict, list: nodes.TaggedList}.get(type(value))
    return wrap(value, tag) if tag and wrap and isinstance(old, type(value)) else value


def _time(key, value, old):
    """A time node in the form of the one that it replaces."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise UsageError(f"{key}: {value!r} is no time", mend="write YYYY-MM-DDThh:mm:ss.sss") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    text = moment.isoformat(timespec="microseconds" if moment.microsecond % 1000 else "milliseconds")
    if isinstance(old, dict) and isinstance(old.get("value"), str) and old.get("scale", "utc") == "utc":
        return nodes.TaggedDict({**old, "value": text}, old.tag)
    return nodes.TaggedStr(text, (isinstance(old, str) and getattr(old, "tag", None)) or nodes.TIME_TAG)


def _what(node):
    if nodes.is_array(node):
        return "is an array"
    tag = getattr(node, "tag", None) or ""
    return f"is a {os.path.basename(tag)}" if tag else "is a single value"
