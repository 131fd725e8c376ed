"""A file in the making: its tree dumped, its blocks after it, under a temporary name until it is complete."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rtools.errors import RtoolsError
from rtools.products.io import encode, serial, temporary, unfinished
from rtools.products.io.arrays import array_node
from rtools.products.io.encode import ArrayBytes, BlockSource, RepeatedBytes
from rtools.products.schema import nodes, tags
from rtools.wfi import metadata
from rtools.work import ALONE, Work

__all__ = ["Stage", "block_offsets", "build_tree", "serialise", "write_file"]


class Stage:
    """A file that is written but does not have its name yet.

    Attributes
    ----------
    path : Path
        The name it will have.
    overflows : dict of str to int
        Finite values that became infinite in the profile's dtype, by array.
    messages : list of str
        What the profile made drop or replace.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.temporary = temporary.name_beside(self.path)
        unfinished.add(self.temporary)
        self.overflows: dict[str, int] = {}
        self.messages: list[str] = []

    def open(self) -> AbstractContextManager[BinaryIO]:
        """The temporary file, new, for reading and writing; removed again if the block fails."""
        return _Scratch(self)

    def commit(self) -> Path:
        """Give the file its name, replacing what has it; returns the path."""
        try:
            os.replace(self.temporary, self.path)
        except OSError as error:
            self.discard()
            raise _cannot(self.path, error) from None
        unfinished.discard(self.temporary)
        return self.path

    def discard(self) -> None:
        """Remove the temporary file."""
        with contextlib.suppress(OSError):
            self.temporary.unlink(missing_ok=True)
            unfinished.discard(self.temporary)


class _Scratch:
    """Context of a stage's temporary file: synced at the end, removed on any failure."""

    def __init__(self, stage):
        self.stage = stage

    def __enter__(self):
        try:
            self.file = open(self.stage.temporary, "x+b")
        except OSError as error:
            raise _cannot(self.stage.path, error) from None
        return self.file

    def __exit__(self, kind, error, _traceback):
        try:
            if kind is None:
                self.file.flush()
                os.fsync(self.file.fileno())
            self.file.close()
        except OSError as failure:
            kind, error = OSError, failure
        if kind is not None:
            self.stage.discard()
        if isinstance(error, OSError):
            raise _cannot(self.stage.path, error) from None


def _cannot(path, error):
    return RtoolsError(f"cannot be written ({(error.strerror or str(error)).lower()})", path=path)


def build_tree(kind: str, meta: Mapping[str, Any], parts: Mapping[str, Any], profile: str) -> nodes.TaggedDict:
    """The root node of a product: `meta` and, at their dotted paths, arrays and other nodes.

    Parameters
    ----------
    kind : str
        As in `rtools.products.schema.layout`.
    meta : mapping
        What stands below ``meta``.
    parts : mapping
        Nodes by dotted path below the root.
    profile : str
        Whose tag the root gets.

    Returns
    -------
    TaggedDict
        With the tag of the profile.

    Raises
    ------
    UsageError
        The profile does not have this product.
    """
    tree = {"meta": meta}
    for name, part in parts.items():
        metadata.put(tree, name, part)
    return nodes.TaggedDict(tree, tags.tag(kind, profile))


def serialise(
    tree: Any, profile: str | None, history: Iterable[Mapping[str, Any]] = (), sources: Sequence[BlockSource] = ()
) -> tuple[bytes, bytes, list[Any]]:
    """Dump a tree and list the blocks that it refers to.

    Parameters
    ----------
    tree : TaggedDict or callable
        ``tree(first)``: the tree that names its `sources` from block `first` on.
    profile : str
        Whose schemas are checked; None checks none.
    history : iterable of mapping
        Entries, oldest first.
    sources : sequence
        Blocks that the tree's nodes name already, numbered from 0 unless the tree is made for another first one;
        a tree that is not holds no foreign arrays.

    Returns
    -------
    (bytes, bytes, list)
        Head of the file, blocks of foreign objects' arrays, and the sources of the blocks that follow them.

    Raises
    ------
    InputError
        The tree does not fit the schemas.
    RtoolsError
        The tree cannot be written.
    """
    first = 0
    while True:
        found = list(sources)
        known: dict = {}

        def store(array, found=found, known=known, first=first):
            if array.size < serial.INLINE and not array.dtype.names and array.dtype != object:
                return np.array(array)
            if id(array) not in known:
                little = array.astype(array.dtype.newbyteorder("<")) if array.dtype.byteorder == ">" else array
                known[id(array)] = array_node(little, first + len(found)), array
                found.append(RepeatedBytes(little) if not any(array.strides) else ArrayBytes(little))
            return known[id(array)][0]

        made = tree(first) if callable(tree) else tree
        head, inner = serial.dump(serial.to_asdf(made, store), profile=profile, history=history)
        count = len(block_offsets(inner))
        if count == first:
            return head, inner, found
        if first or (sources and not callable(tree)):
            raise RtoolsError("arrays inside a WCS object do not settle in the file")
        first = count  # asdf puts the arrays of foreign objects into the first blocks: begin again after them


def write_file(
    file: BinaryIO, head: bytes, inner: bytes, sources: Sequence[BlockSource], *, compression: str, work: Work = ALONE
) -> None:
    """Write a whole file: head, blocks and their index.

    Parameters
    ----------
    file : binary file object
        New and empty.
    head : bytes
        The file up to the end of its tree, as `serialise` gives it.
    inner : bytes
        Blocks of arrays inside foreign objects, complete.
    sources : sequence of rtools.products.io.encode.BlockSource
        Bytes of the blocks that follow.
    compression : str
        ``lz4``, ``zlib`` or ``none``.
    work : rtools.work.Work
        Its threads compress and write.
    """
    file.write(head)
    offsets = [file.tell() + offset for offset in block_offsets(inner)]
    file.write(inner)
    offsets += encode.write_blocks(file, sources, compression=compression, work=work)
    file.write(encode.block_index(offsets))


def block_offsets(blocks: bytes) -> list[int]:
    """Places where blocks begin, in bytes that hold nothing else.

    Parameters
    ----------
    blocks : bytes
        Complete blocks, one behind the other.

    Returns
    -------
    list of int
        Offset of the magic of each.
    """
    offsets, place = [], 0
    while place < len(blocks):
        offsets.append(place)
        allocated = int.from_bytes(blocks[place + 14 : place + 22], "big")
        place += 6 + int.from_bytes(blocks[place + 4 : place + 6], "big") + allocated
    return offsets
