"""Metadata under flat keys and as strings, ``roman.meta.exposure.type``, as the archive's parquet files have them.

`to_tree` makes them a tree again, with the types that the product's schema gives them; `flatten` is the way back.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rtools.products.io.recording import settled_entry
from rtools.products.schema import layout
from rtools.products.schema.nodes import readable
from rtools.products.schema.yamltext import bounded

__all__ = ["FLAT", "HISTORY", "JOB", "flatten", "history_of", "kind_of", "ours", "record", "replace", "to_tree"]

ROOT = "roman."

HISTORY = "history"
"""Key of what was done to a catalog: entries numbered from 0, each as JSON."""

JOB = "meta.rtools.job"
"""Key of what made a catalog, below ``roman``; without ``meta`` in a table that is no product."""

FLAT = ("roman", "source_catalog", HISTORY, "rtools")
"""First words of the keys that stand in a parquet file under their own names."""

TYPES: dict[str, Callable[[str], object]] = {
    "integer": int,
    "number": float,
    "boolean": {"True": True, "False": False}.__getitem__,
}


def flatten(meta: Any, root: str = "") -> dict[str, str]:
    """Dotted keys and texts of a tree; what is None is left out, as the archive does.

    Parameters
    ----------
    meta : mapping or sequence
        Nested mappings and sequences.
    root : str
        What stands before each key.

    Returns
    -------
    dict of str to str
        Dotted key to text; items of lists are numbered from 0.
    """
    found: dict[str, str] = {}
    for key, value in meta.items() if isinstance(meta, dict) else enumerate(meta):
        path = f"{root}{key}"
        if isinstance(value, dict | list | tuple):
            found |= flatten(value, f"{path}.")
        elif value is not None:
            found[path] = readable(str(value))
    return found


def ours(meta: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a table's metadata that stands under flat keys.

    Parameters
    ----------
    meta : mapping
        Metadata of a table.

    Returns
    -------
    dict
        Those whose first word is one of `FLAT`.
    """
    return {key: value for key, value in meta.items() if str(key).partition(".")[0] in FLAT}


def replace(flat: Mapping[str, str], path: Sequence[str], value: Any) -> dict[str, str]:
    """Flat metadata with another value at a path, where it was before or at the end.

    Parameters
    ----------
    flat : mapping of str to str
        Dotted key to text.
    path : sequence of str
        Below ``roman``, unless the keys have its first word beside ``roman``.
    value : object
        Plain; None removes the key.

    Returns
    -------
    dict of str to str
        New flat metadata.
    """
    beside = path[0] != "meta" and any(key.partition(".")[0] == path[0] for key in flat)
    name = ("" if beside else ROOT) + ".".join(path)
    made = flatten({name: value})
    kept, placed = {}, False
    for key, old in flat.items():
        if key != name and not key.startswith(f"{name}."):
            kept[key] = old
        elif not placed:
            kept |= made
            placed = True
    return kept if placed else kept | made


def record(flat: Mapping[str, Any], entry: Mapping[str, Any], path: str | Path = "-") -> dict[str, Any]:
    """Flat metadata with one more entry of the history, and with the job that it brings.

    Parameters
    ----------
    flat : mapping
        Dotted key to text.
    entry : mapping
        Plain values, which are written as JSON; the job, too, under one key.
    path : str or Path
        Where the table will appear.

    Returns
    -------
    dict
        New flat metadata.
    """
    flat = dict(flat)
    if "job" in entry:
        job, entry = settled_entry(entry, path)
        product = any(str(key).startswith(ROOT) for key in flat)
        flat[f"{ROOT}{JOB}" if product else JOB.removeprefix("meta.")] = json.dumps(job, ensure_ascii=False)
    number = sum(str(key).startswith(f"{HISTORY}.") for key in flat)
    return flat | {f"{HISTORY}.{number}": readable(json.dumps(entry, ensure_ascii=False))}


def history_of(listed: Any) -> list[dict[str, Any]]:
    """Entries of a history as they were recorded; what is not JSON is its own description.

    Parameters
    ----------
    listed : list of str
        Texts of the entries, oldest first; anything but a list has no entries.

    Returns
    -------
    list of dict
        One entry for each text.
    """
    return [_entry(one) for one in (listed if isinstance(listed, list) else [])]


def _entry(text):
    try:
        found = bounded(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        found = text
    return found if isinstance(found, dict) else {"description": str(found)}


def to_tree(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Nested dicts and lists of flat dotted keys; what stands below ``roman`` comes first and is typed.

    Parameters
    ----------
    flat : mapping
        Dotted key to text.

    Returns
    -------
    dict
        The tree below ``roman``.
    """
    tree: dict[str, Any] = {}
    for key, value in sorted(flat.items(), key=lambda item: not item[0].startswith(ROOT)):
        _put(tree, key.removeprefix(ROOT).split("."), value)
    tree = _lists(tree)
    if isinstance(tree.get("meta"), dict):
        _retype(tree["meta"])
    return tree


def _put(tree, parts, value):
    *blocks, last = parts
    for name in blocks:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            return  # a key that is a value and a block at once: the value, which came first, stays
    tree.setdefault(last, value)


def _lists(node):
    """Dicts whose keys are 0, 1, 2 … as lists."""
    if not isinstance(node, dict):
        return node
    made = {name: _lists(child) for name, child in node.items()}
    if made and all(name.isdecimal() for name in made) and {int(name) for name in made} == set(range(len(made))):
        return [made[name] for name in sorted(made, key=int)]
    return made


def kind_of(meta: Any) -> str | None:
    """Kind of the product that metadata are those of, by `model_type`; None if it is not a product.

    Parameters
    ----------
    meta : mapping
        Below ``meta``.

    Returns
    -------
    str or None
        As in `rtools.products.schema.layout`.
    """
    model = meta.get("model_type") if isinstance(meta, dict) else None
    products = layout.facts()["products"].items()
    return next((kind for kind, entry in products if model and entry.get("model") == model), None)


def _retype(meta):
    """Give the strings of a product's metadata the types of its schema, in place."""
    from rtools.wfi.metadata import get, put

    kind = kind_of(meta)
    for field in layout.fields(kind) if kind else ():
        convert = TYPES.get(field.type.split("|")[0])
        text = get(meta, field.path)
        if convert and isinstance(text, str):
            try:
                put(meta, field.path, convert(text))
            except (KeyError, ValueError):
                continue
    pattern = get(meta, "exposure.read_pattern")
    if kind and isinstance(pattern, list):
        numbers = [[int(read) if str(read).isdecimal() else read for read in reads] for reads in pattern]
        put(meta, "exposure.read_pattern", numbers)
