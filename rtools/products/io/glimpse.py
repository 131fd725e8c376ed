"""A few blocks of the metadata of an ASDF file, without parsing its whole tree: a thousand files take a second."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from rtools.errors import InputError
from rtools.products.io.header import read_header, read_outline
from rtools.products.schema.keys import bare
from rtools.products.schema.yamltext import FastLoader, bounded

__all__ = ["glimpse"]

_META = re.compile(rb"^  meta:[^\n]*\n((?:    [^\n]*\n|\n)*)", re.MULTILINE)
"""The lines of ``meta`` below the one key of a tree, as every writer of ASDF lays them out."""

_BLOCK = re.compile(rb"^    ([A-Za-z_]\w*):(?:[^\n]*\n)(?:     [^\n]*\n|    - [^\n]*\n|\n)*", re.MULTILINE)
"""A key of ``meta`` with the lines that belong to it."""


class _PlainLoader(FastLoader):
    """Takes off all tags."""


def _untagged(loader, _suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


_PlainLoader.add_multi_constructor(None, _untagged)
_PlainLoader.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: node.value)


def glimpse(path: str | Path, blocks: Collection[str]) -> dict[str, Any]:
    """Some blocks of the metadata of a product or reference.

    Parameters
    ----------
    path : str or Path
        The file.
    blocks : collection of str
        Keys below ``meta``.

    Returns
    -------
    dict
        Plain values by key; what the file does not have is left out.

    Raises
    ------
    InputError
        The file is missing, truncated or damaged, as far as headers tell.
    """
    text, _stored = read_outline(path)
    found = _META.search(text)
    lines = [match[0] for match in _BLOCK.finditer(found[1]) if match[1].decode() in blocks] if found else []
    try:
        tree = yaml.load(b"".join(lines), Loader=_PlainLoader) if lines else None
        if isinstance(tree, dict):
            return bounded(tree)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, RecursionError):
        pass  # another layout, or a part that another one of the tree is needed for
    return _parsed(path, blocks)


def _parsed(path, blocks):
    """The same from the whole tree."""
    tree = bare(read_header(path, cut_loops=True)[0])
    root = tree.get("roman", tree)
    meta = root.get("meta") if isinstance(root, dict) else None
    if not isinstance(meta, dict):
        raise InputError("has no metadata", path=path)
    return {key: meta[key] for key in blocks if key in meta}
