"""The front of an ASDF file: its YAML tree and the table of its blocks, read without asdf and numpy.

libyaml parses the bytes up to the end of the YAML document, and the 54-byte header of each block is visited; nothing
else of the file is touched, so this takes milliseconds whatever the file's size.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rtools.errors import InputError
from rtools.products.io import foreign
from rtools.products.schema.nodes import TaggedDict, TaggedList, TaggedStr, is_array
from rtools.products.schema.yamltext import FastLoader, bounded
from rtools.remote import parts

__all__ = [
    "BLOCK_HEADER",
    "BLOCK_MAGIC",
    "StoredBlock",
    "TruncatedError",
    "read_header",
    "read_outline",
    "refuse_links",
]

BLOCK_MAGIC = b"\xd3BLK"
BLOCK_HEADER = struct.Struct(">I4sQQQ16s")
"""After magic and header size: flags, compression, allocated, used and data size, MD5 of the used bytes."""

STREAMED = 1
"""StoredBlock flag: the data run to the end of the file."""

FIRST_READ = 1 << 16
LONGEST_TREE = 1 << 27
"""Bytes; those of the largest mosaics have a few megabytes."""


class TruncatedError(InputError):
    """The tree is there, but not all blocks are."""


@dataclass(frozen=True)
class StoredBlock:
    """One block of a file.

    Attributes
    ----------
    offset : int
        Of its data in the file.
    used, size : int
        Bytes stored, and after decompression.
    compression : str
        ``lz4``, ``zlib``, ``bzp2``, …; empty for plain data.
    checksum : bytes
        MD5 of the stored bytes, or sixteen zeros.
    """

    offset: int
    used: int
    size: int
    compression: str
    checksum: bytes


def read_header(path: str | Path, *, cut_loops: bool = False) -> tuple[TaggedDict, dict[str, Any], list[StoredBlock]]:
    """Tree and block table of an ASDF file.

    Parameters
    ----------
    path : str or Path
        The file.
    cut_loops : bool
        A node that stands inside itself (a transform is the inverse of its inverse) is empty there, and the tree is
        for looking only; otherwise such a tree is an error.

    Returns
    -------
    tree : dict
        The whole tree (``tree["roman"]["meta"]`` …) but for the next item; tagged nodes are those of
        `rtools.products.schema.nodes`.
    about : dict
        ``asdf_library`` and ``history``.
    blocks : list of StoredBlock
        In the order of the file.

    Raises
    ------
    InputError
        Missing, a directory, unreadable, empty, not ASDF, truncated (`TruncatedError` where only blocks are missing).
    """
    try:
        with parts.open_parts(path) as file:
            size = os.fstat(file.fileno()).st_size
            text, end = _read_yaml(file, path)
            tree = _parse(text, path, _CuttingLoader if cut_loops else _Loader)
            blocks = _read_blocks(file, end, size, path)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise InputError(reason, path=path) from None
    missing = {one for one in _sources(tree) if isinstance(one, int)} - set(range(-1, len(blocks)))
    if missing:
        raise TruncatedError(f"truncated: block {min(missing)} of the tree is not in the file", path=path)
    about = {key: tree.pop(key) for key in ("asdf_library", "history") if key in tree}
    return tree, about, blocks


def read_outline(path: str | Path) -> tuple[bytes, list[StoredBlock]]:
    """Text of the tree and block table of an ASDF file: as `read_header`, and nothing is parsed.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    (bytes, list of StoredBlock)

    Raises
    ------
    InputError
        As `read_header`, but for what is wrong inside the tree.
    """
    try:
        with parts.open_parts(path) as file:
            size = os.fstat(file.fileno()).st_size
            text, end = _read_yaml(file, path)
            return text, _read_blocks(file, end, size, path)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise InputError(reason, path=path) from None


def _read_yaml(file, path):
    """Bytes of the YAML document, and the offset of what follows it."""
    data = file.read(FIRST_READ)
    if not data:
        raise InputError("an empty file", path=path)
    if not data.startswith(b"#ASDF"):
        foreign.refuse_jwst(path)
        raise InputError("not an ASDF file", path=path)
    searched = 0
    while True:
        for mark in (b"\n...\n", b"\n...\r\n", b"\n...\0"):
            found = data.find(mark, searched)
            if found >= 0:
                return data[: found + 1], found + len(mark)
        if BLOCK_MAGIC in data[searched:] and b"%YAML" not in data[:256]:
            raise InputError("an ASDF file without a tree", path=path)
        if data.endswith((b"\n...", b"\n...\r")) and not (more := file.read(1)):
            return data, len(data)
        searched = max(0, len(data) - 8)
        more = file.read(max(FIRST_READ, len(data)))
        if not more or len(data) > LONGEST_TREE:
            raise InputError("truncated: the YAML tree has no end", path=path)
        data += more


class _Loader(FastLoader):
    """libyaml's safe loader that keeps tags; of plain scalars only numbers, booleans and null are converted."""


class _CuttingLoader(_Loader):
    """The same; a node that is reached while it is constructed is an empty one of its tag."""

    def construct_object(self, node, deep=False):
        if node in self.recursive_objects:
            return TaggedList([], node.tag) if isinstance(node, yaml.SequenceNode) else TaggedDict({}, node.tag)
        return super().construct_object(node, deep)


def _tagged(loader, _suffix, node):
    tag = node.tag
    if isinstance(node, yaml.ScalarNode):
        return TaggedStr(node.value, tag)
    if isinstance(node, yaml.SequenceNode):
        return TaggedList(loader.construct_sequence(node, deep=True), tag)
    return TaggedDict(loader.construct_mapping(node, deep=True), tag)


def _plain_mapping(loader, node):
    return loader.construct_mapping(node, deep=True)


def _plain_sequence(loader, node):
    return loader.construct_sequence(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _plain_mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _plain_sequence)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: node.value)
_Loader.add_multi_constructor(None, _tagged)


def _parse(text, path, loader):
    try:
        tree = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, TypeError, RecursionError) as error:
        problem = getattr(error, "problem", None) or str(error)
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise InputError(f"its YAML tree is damaged{where} ({' '.join(str(problem).split())})", path=path) from None
    if not isinstance(tree, dict):
        raise InputError("an ASDF file without a tree", path=path)
    try:
        return bounded(tree)
    except ValueError as error:
        raise InputError(f"its YAML tree is {error}", path=path) from None


def _read_blocks(file, end, size, path):
    """Visit block headers from the end of the tree on; zeros may pad the way to the first one."""
    offset = _first_block(file, end)
    blocks: list[StoredBlock] = []
    while offset is not None and offset < size:
        parts.want(file.fileno(), offset, offset + 6 + BLOCK_HEADER.size)
        head = os.pread(file.fileno(), 6 + BLOCK_HEADER.size, offset)
        if head[:4] != BLOCK_MAGIC:
            if head[:4] == BLOCK_MAGIC[: len(head)]:
                raise TruncatedError(f"truncated: in the header of block {len(blocks)}", path=path)
            break
        if len(head) < 6 + BLOCK_HEADER.size:
            raise TruncatedError(f"truncated: in the header of block {len(blocks)}", path=path)
        start = offset + 6 + int.from_bytes(head[4:6], "big")
        flags, compression, allocated, used, data_size, checksum = BLOCK_HEADER.unpack(head[6:])
        if flags & STREAMED:
            used = data_size = allocated = max(size - start, 0)
        if start + used > size:
            missing = start + used - size
            raise TruncatedError(f"truncated: {missing} bytes of block {len(blocks)} are missing", path=path)
        blocks.append(StoredBlock(start, used, data_size, compression.rstrip(b"\0").decode("latin1"), checksum))
        offset = start + max(allocated, used)
    return blocks


def _first_block(file, end):
    file.seek(end)
    offset = end
    while data := file.read(FIRST_READ):
        found = data.find(BLOCK_MAGIC[:1])
        if found >= 0:
            return offset + found
        if data.lstrip(b"\0 \r\n"):
            return None
        offset += len(data)
    return None


def refuse_links(tree: Any, path: str | Path) -> None:
    """Refuse a tree with arrays in other files or parts of other trees, which asdf would fetch even from the network.

    Parameters
    ----------
    tree : dict
        As `read_header` gives it; sources like ``fits:SCI,1``, which mean the same file, are no links.
    path : str or Path
        The file.

    Raises
    ------
    InputError
        It has such links.
    """
    links = [one for one in _sources(tree) if not isinstance(one, int) and not str(one).startswith("fits:")]
    if links:
        raise InputError(f"a part of it lies in another file ({links[0]})", mend="have everything in one", path=path)


def _sources(tree):
    """Numbers of the blocks that the tree names, and what else stands for a place of an array or of a part."""
    found, stack, seen = set(), [tree], set()
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if is_array(node):
                if isinstance(node.get("source"), int | str):
                    found.add(node["source"])
                continue
            if isinstance(node.get("$ref"), str) or "fileuri" in node:
                found.add(str(node.get("$ref", node.get("fileuri"))))
            values = list(node.values())
        elif isinstance(node, list):
            values = node
        else:
            continue
        if id(node) not in seen:
            seen.add(id(node))
            stack.extend(value for value in values if isinstance(value, dict | list))
    return found
