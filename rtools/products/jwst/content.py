"""The ASDF file inside a JWST file as a graph of YAML nodes: parts of it change, all else stays as it was written.

Tags that nobody here knows, anchors, loops and the form of numbers stay, because nodes are never converted. Blocks of
arrays inside the file stay as they are; those of new nodes come after them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from rtools import __version__
from rtools.errors import InputError
from rtools.products.io import serial
from rtools.products.io.encode import block_index
from rtools.products.io.header import BLOCK_MAGIC
from rtools.products.io.staging import block_offsets
from rtools.products.schema import nodes
from rtools.products.schema.yamltext import FastLoader

__all__ = ["AsdfContent"]

FastDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""libyaml's emitter; PyYAML's own where PyYAML was built without libyaml."""

MAP, SEQUENCE, TEXT = (f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str"))

EMPTY = (
    "#ASDF 1.0.0\n#ASDF_STANDARD 1.6.0\n%YAML 1.1\n%TAG ! tag:stsci.edu:asdf/\n--- !core/asdf-1.1.0\n"
    f"asdf_library: !core/software-1.0.0 {{name: rtools, version: {__version__!r}}}\n...\n"
)


class AsdfContent:
    """An ASDF file in memory, to be changed.

    Parameters
    ----------
    content : bytes, optional
        The file; by default one with an empty tree.
    path : str or Path
        What an error names.

    Attributes
    ----------
    root : yaml.MappingNode
        The tree.

    Raises
    ------
    InputError
        The file is damaged.
    """

    def __init__(self, content: bytes | None = None, path: str | Path = "") -> None:
        content = EMPTY.encode() if content is None else content
        end = re.search(rb"\n\.\.\.(\r?\n|\0|$)", content)
        if not content.startswith(b"#ASDF") or end is None:
            raise InputError("its extension ASDF: not a whole ASDF file", path=path)
        try:
            self.root = yaml.compose(content[: end.start() + 1], Loader=FastLoader)
        except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
            reason = " ".join(str(getattr(error, "problem", None) or error).split())
            raise InputError(f"its extension ASDF: the YAML tree is damaged ({reason})", path=path) from None
        if not isinstance(self.root, yaml.MappingNode):
            raise InputError("its extension ASDF: an ASDF file without a tree", path=path)
        self.path = path
        self.comments = re.findall(rb"\A(?:#[^\n]*\n)*", content)[0]
        self.blocks = _blocks(content[end.end() :], path)

    def node(self, path: str) -> yaml.Node | None:
        """The node at a dotted path; None where there is none."""
        found: yaml.Node | None = self.root
        for key in path.split("."):
            found = _child(found, key)
        return found

    def value(self, path: str) -> Any:
        """The text, number or boolean of a node; None where there is none, or a container."""
        return _plain(self.node(path))

    def item(self, node: yaml.MappingNode, key: str) -> Any:
        """The same of what a node holds under a key."""
        return _plain(_child(node, key))

    def set_item(self, node: yaml.MappingNode, key: str, value: Any) -> None:
        """Set what a node holds under a key; `value` as for `put`."""
        _set(node, key, self.graph(value))

    def put(self, path: str, value: Any) -> None:
        """Set a node; what it needs above it is made, also items of lists.

        Parameters
        ----------
        path : str
            Dotted, from the root.
        value : object
            Plain values, nodes with tags of `rtools.products.schema.nodes`, arrays, or whatever asdf can write, such as
            a gwcs. None removes the node.
        """
        keys = path.split(".")
        if value is None:
            self.remove(path)
            return
        parent: yaml.Node = self.root
        for key, after in pairwise(keys):
            child = _child(parent, key)
            if not isinstance(child, yaml.CollectionNode):
                child = yaml.SequenceNode(SEQUENCE, []) if after.isdigit() else yaml.MappingNode(MAP, [])
                _set(parent, key, child)
            parent = child
        _set(parent, keys[-1], self.graph(value))

    def remove(self, path: str) -> None:
        """Remove a node; nothing happens where there is none."""
        above, _, last = path.rpartition(".")
        parent = self.node(above) if above else self.root
        if isinstance(parent, yaml.MappingNode):
            parent.value[:] = [(key, value) for key, value in parent.value if key.value != last]
        elif isinstance(parent, yaml.SequenceNode) and last.isdigit() and int(last) < len(parent.value):
            del parent.value[int(last)]

    def arrays(self) -> Iterator[tuple[str, yaml.MappingNode]]:
        """Dotted path and node of each array, each once."""
        seen = set()
        stack: list[tuple[str, yaml.Node]] = [("", self.root)]
        while stack:
            path, node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, yaml.MappingNode) and "core/ndarray-" in node.tag:
                yield path, node
            elif isinstance(node, yaml.CollectionNode):
                stack += [(f"{path}.{key}" if path else key, child) for key, child in _children(node)]

    def graph(self, value: Any) -> yaml.Node:
        """A value as a YAML node; what asdf alone can write is written by asdf.

        Parameters
        ----------
        value : object
            As `put` takes it.

        Returns
        -------
        yaml.Node
        """
        tag = getattr(value, "tag", None) if isinstance(value, str | dict | list) else None
        if isinstance(value, yaml.Node):
            return value
        if isinstance(value, np.generic) and not isinstance(value, np.void):
            value = value.item()
        if isinstance(value, Mapping):
            pairs = [(self.graph(str(key)), self.graph(one)) for key, one in value.items()]
            return yaml.MappingNode(tag or MAP, pairs, flow_style=_is_flat([one for _key, one in pairs]))
        if isinstance(value, list | tuple):
            items = [self.graph(one) for one in value]
            return yaml.SequenceNode(tag or SEQUENCE, items, flow_style=_is_flat(items))
        if isinstance(value, str):
            return yaml.ScalarNode(tag or TEXT, nodes.readable(str(value)))
        if value is None or isinstance(value, bool | int | float):
            return yaml.SafeDumper("").represent_data(value)
        return self._by_asdf(value)

    def _by_asdf(self, value):
        """A node that asdf writes; its blocks come after those of the file."""
        told = re.search(rb"#ASDF_STANDARD (\d+\.\d+\.\d+)", self.comments)
        head, inner = serial.dump(value, standard=told[1].decode()) if told else serial.dump(value)
        tree = yaml.compose(head, Loader=FastLoader)
        made = AsdfContent(head)
        first = len(block_offsets(self.blocks))
        for _path, node in made.arrays():
            source = _child(node, "source")
            if isinstance(source, yaml.ScalarNode) and source.tag.endswith("int"):
                source.value = str(int(source.value) + first)
        self.blocks += inner
        self._need_extensions(_child(_child(tree, "history"), "extensions"))
        return made.node("roman")

    def _need_extensions(self, listed):
        """List the asdf extensions that new nodes need, unless they are listed."""
        if not isinstance(listed, yaml.SequenceNode) or isinstance(self.node("history"), yaml.SequenceNode):
            return
        known = self.node("history.extensions")
        if not isinstance(known, yaml.SequenceNode):
            known = yaml.SequenceNode(SEQUENCE, [])
            self.put("history.extensions", known)
        names = {_text(_child(one, "extension_uri")) for one in known.value}
        known.value += [one for one in listed.value if _text(_child(one, "extension_uri")) not in names]
        known.flow_style = False

    def to_bytes(self) -> bytes:
        """The whole file: tree, blocks and their index."""
        text = yaml.serialize(
            self.root,
            Dumper=FastDumper,
            encoding="utf-8",
            allow_unicode=True,
            explicit_start=True,
            explicit_end=True,
            version=(1, 1),
            tags={"!": "tag:stsci.edu:asdf/"},
        )
        head = self.comments + text
        return head + self.blocks + block_index([len(head) + offset for offset in block_offsets(self.blocks)])


def _blocks(rest, path):
    """The blocks that follow a tree, without what is before and behind them."""
    start = rest.find(BLOCK_MAGIC)
    if start < 0:
        return b""
    end = start
    while rest[end : end + 4] == BLOCK_MAGIC:
        end += 6 + int.from_bytes(rest[end + 4 : end + 6], "big") + int.from_bytes(rest[end + 14 : end + 22], "big")
    if end > len(rest):
        raise InputError("its extension ASDF is truncated", path=path)
    return rest[start:end]


def _children(node):
    """(key, node) of what a container holds."""
    if isinstance(node, yaml.MappingNode):
        return [(str(key.value), value) for key, value in node.value]
    return [(str(place), value) for place, value in enumerate(node.value)]


def _child(node, key):
    """What a container holds under a key or at a place; None where there is nothing."""
    if not isinstance(node, yaml.CollectionNode):
        return None
    return next((value for name, value in _children(node) if name == key), None)


def _set(parent, key, child):
    """Put a node into a container, in place of what is there; a mapping keeps the order of its keys."""
    if isinstance(child, yaml.CollectionNode):
        parent.flow_style = False  # what was written on one line takes several now
    if isinstance(parent, yaml.SequenceNode):
        place = int(key)
        parent.value += [yaml.MappingNode(MAP, []) for _ in range(len(parent.value), place + 1)]
        parent.value[place] = child
        return
    for number, (name, _value) in enumerate(parent.value):
        if name.value == key:
            parent.value[number] = (name, child)
            return
    parent.value.append((yaml.ScalarNode(TEXT, key), child))


def _plain(node):
    """The text, number or boolean of a node; None where there is none, or a container."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    if not node.tag.startswith("tag:yaml.org,2002:") or node.tag.endswith("timestamp"):
        return node.value
    return FastLoader("").construct_object(node)


def _is_flat(children):
    """Whether a container fits on a line: it holds nothing but plain values."""
    return all(isinstance(one, yaml.ScalarNode) and one.tag.startswith("tag:yaml.org,2002:") for one in children)


def _text(node):
    return node.value if isinstance(node, yaml.ScalarNode) else None
