"""Arrays as they are stored in one file: decoded late, in cuts, and compared with their checksums."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.products.io import arrays, blocks, checksums
from rtools.products.io.cuts import Cut, cut_lines, cut_shape, is_whole
from rtools.products.io.mapping import map_array
from rtools.products.io.reading import Reading, one_by_one
from rtools.products.schema.nodes import TaggedDict
from rtools.remote import parts
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.products.io.header import StoredBlock

__all__ = ["StoredArrays"]


class StoredArrays:
    """What one file has in its blocks.

    Parameters
    ----------
    path : str or Path
        The file; it is opened when the first byte is wanted.
    is_reference : bool
        It is a reference file, whose good checksums are remembered from run to run.

    Attributes
    ----------
    owners : dict of int to str
        Offset of a block to the dotted path of the array in it, for messages; arrays of the metadata are not here.
    """

    def __init__(self, path: str | Path, *, is_reference: bool) -> None:
        self.path = path
        self._is_reference = is_reference
        self.owners: dict[int, str] = {}
        self._file: FileIO | None = None
        self._vouched: set[int] = set()
        self._lock = threading.Lock()

    def _descriptor(self):
        # A file object closes itself where nobody closes the product. A __del__ here could do that, too, but Python
        # drops what is raised in it, and a Ctrl-C may be.
        with self._lock:
            if self._file is None:
                self._file = parts.open_raw(self.path)
            return self._file.fileno()

    def close(self) -> None:
        """Close the file; maps handed out stay valid, and what is read next opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def mapped(self, info: arrays.ArrayInfo) -> np.ndarray:
        """A read-only map of an array that lies plain in the file.

        Parameters
        ----------
        info : rtools.products.io.arrays.ArrayInfo
            What the array is and where.

        Returns
        -------
        ndarray
        """
        if info.block is None:
            raise ValueError("an inline array lies in no block")
        flat = map_array(self.path, np.uint8, info.block.offset, (info.block.size,))
        return np.ndarray(info.shape, info.dtype, buffer=flat, offset=info.offset, strides=info.strides)

    def read(
        self, info: arrays.ArrayInfo, first: int, last: int, span: tuple[int, int] | None, work: Work = ALONE
    ) -> np.ndarray:
        """Items [first, last) of the leading axis, and columns `span` of the last one.

        Parameters
        ----------
        info : rtools.products.io.arrays.ArrayInfo
            What the array is and where.
        first, last : int
            Items of the leading axis.
        span : (int, int) or None
            First and last column (exclusive) of the last axis; all of them for None.
        work : rtools.work.Work
            Its threads decode.

        Returns
        -------
        ndarray
            Its own, contiguous, in native byte order.
        """
        return self.reading(info, [(first, last, span)]).finish(work)[0]

    def reading(self, info: arrays.ArrayInfo, cuts: Sequence[Cut]) -> Reading:
        """What has to be done to read several cuts, every chunk once.

        Parameters
        ----------
        info : rtools.products.io.arrays.ArrayInfo
            What the array is and where.
        cuts : list of (first, last, span)
            As `read` takes them.

        Returns
        -------
        rtools.products.io.reading.Reading
        """
        shapes = [cut_shape(info.shape, *cut) for cut in cuts]
        native = info.dtype if info.dtype.names else info.dtype.newbyteorder("=")
        block = info.block
        lines = None if block is None else arrays.lines_of(info)
        if (
            block is None
            or lines is None
            or 0 in info.shape
            or info.compression not in blocks.KNOWN
            or native != info.dtype
        ):
            return one_by_one(lambda *cut: self._unusual(info, *cut), cuts, shapes, native)
        reading = Reading([], shapes, info.dtype)
        kept = [number for number, shape in enumerate(shapes) if 0 not in shape]
        wanted = [cut_lines(info, lines, *cuts[number]) for number in kept]

        def outs():
            flat = (reading.parts[number].reshape(-1).view(np.uint8) for number in kept)
            return [out.reshape(cut.number, cut.width) for cut, out in zip(wanted, flat, strict=True)]

        if kept:
            reading.jobs = self._jobs(block, wanted, outs)
            if is_whole(info.shape, cuts):
                reading.jobs += self.check_jobs(block)
        return reading

    def load(self, node: TaggedDict, table: Sequence[StoredBlock]) -> np.ndarray:
        """The whole array of a node of the tree.

        Parameters
        ----------
        node : rtools.products.schema.nodes.TaggedDict
            Describes an array, as the tree has it.
        table : list of rtools.products.io.header.StoredBlock
            The blocks of the file, in order.

        Returns
        -------
        ndarray
        """
        info = arrays.array_info(node, table)
        return self.read(info, 0, info.shape[0] if info.shape else 1, None)

    def check_jobs(self, block: StoredBlock) -> list[Callable[[], None]]:
        """What compares a block with its checksum; nothing where it has none, or was compared already.

        Parameters
        ----------
        block : rtools.products.io.header.StoredBlock
            A block of this file.

        Returns
        -------
        list of callable
            At most one. It raises InputError, naming the array, if the bytes are others.
        """
        with self._lock:
            if block.offset in self._vouched or block.checksum == checksums.NO_CHECKSUM or not checksums.checking():
                return []
            self._vouched.add(block.offset)
        if self._is_reference and checksums.is_remembered(self.path, block):
            return []

        def check():
            if checksums.md5_of(self._descriptor(), block) != block.checksum:
                mend = "fetch the file again, or take it as it is with --no-checksum"
                raise InputError(f"{self._holds(block)} is damaged: its MD5 is another", mend=mend, path=self.path)
            if self._is_reference:
                checksums.remember(self.path, block)

        return [check]

    def _unusual(self, info, first, last, span):
        """As `reading` of one cut, of an inline array, odd strides, other byte orders, unknown compression."""
        if info.block is None:
            whole = arrays.inline_array(info.node)
        else:
            for job in self.check_jobs(info.block):
                job()
            whole = np.ndarray(info.shape, info.dtype, self._block(info.block), info.offset, info.strides)
        if whole.ndim == 0:
            return whole
        if span is not None and whole.ndim == 1:
            return whole[slice(*span)]
        return whole[first:last] if span is None else whole[first:last, ..., slice(*span)]

    def _block(self, block):
        """All bytes of a block: for arrays with odd strides, and for compressions that only asdf knows."""
        if block.compression not in blocks.KNOWN:
            from rtools.products.io.serial import block_by_asdf

            parts.want(self._descriptor(), block.offset, block.offset + block.used)
            return block_by_asdf(os.pread(self._descriptor(), block.used, block.offset), block)
        out = np.empty((1, block.size), np.uint8)
        for job in self._jobs(block, [blocks.Lines(0, 1, block.size, block.size)], lambda: [out]):
            job()
        return out

    def _jobs(self, block, wanted, outs):
        """`blocks.line_jobs`, whose errors name this file."""

        def named(job):
            with self.named(block):
                job()

        with self.named(block):
            return [partial(named, job) for job in blocks.line_jobs(self._descriptor(), block, wanted, outs)]

    def _holds(self, block):
        """What a block holds, in words."""
        name = self.owners.get(block.offset)
        return "an array of the metadata" if name is None else f"the array {name}"

    @contextmanager
    def named(self, block: StoredBlock | None = None) -> Iterator[None]:
        """Let errors name this file, and what the block holds where it is one that is damaged."""
        try:
            yield
        except InputError as error:
            if block is not None and error.message.startswith("damaged: "):
                error.message = f"{self._holds(block)} is {error.message}"
            error.path = self.path
            raise
