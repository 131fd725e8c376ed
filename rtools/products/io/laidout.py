"""A product whose large arrays are written as they come, before its tree is known.

The file is laid out at once: room for the tree, then the arrays, uncompressed, each beginning on a page. The small
arrays and the tree follow at the end.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import RtoolsError
from rtools.products.io import encode, staging
from rtools.products.io.arrays import array_node
from rtools.products.io.encode import CHUNK, HEAD, FileBytes
from rtools.products.io.recording import recorded
from rtools.products.schema import profiles
from rtools.products.schema.blocks import stamp_file
from rtools.work import ALONE, Work, aside, settle

if TYPE_CHECKING:
    from rtools.products.io.staging import Stage

__all__ = ["ROOM", "LaidOut"]

ROOM = 1 << 18
"""Bytes kept for the tree (it takes some 20 kB without long logs); a longer one costs a second pass."""

PAGE = mmap.ALLOCATIONGRANULARITY


class LaidOut:
    """A file of known arrays that are being written. Whoever inherits from it puts their elements into place.

    Parameters
    ----------
    path : str or Path
        Where the product will appear.
    kind : str
        A product of `layout`.
    planes : dict of str to (dtype, shape)
        Arrays, in the order in which they stand in the file.
    profile : str
        Whose tags it gets.
    room : int
        Bytes kept for the tree.

    Raises
    ------
    RtoolsError
        The file cannot be made, or the disk has no room for it.
    """

    def __init__(
        self,
        path: str | Path,
        kind: str,
        planes: Mapping[str, tuple[Any, Sequence[int]]],
        *,
        profile: str,
        room: int = ROOM,
    ) -> None:
        self.kind = kind
        self.profile = profile
        self.stage = staging.Stage(path)
        self._room = room
        self._arrays = {name: np.broadcast_to(np.zeros((), dtype), shape) for name, (dtype, shape) in planes.items()}
        self._places, self._end = self._lay_out()
        self._scratch = self.stage.open()
        self._file = self._scratch.__enter__()
        try:
            _reserve(self._file.fileno(), self._end)
        except BaseException as error:
            self._scratch.__exit__(type(error), error, None)
            raise

    def _lay_out(self):
        """Offset of each array's bytes, on a page; and the end of the last one."""
        places: dict = {}
        place = 0
        for name, array in self._arrays.items():
            place = -(-(place + (HEAD if places else self._room)) // PAGE) * PAGE
            places[name] = place
            place += array.nbytes
        return places, place

    def _missing(self):
        """What was never written, in words; nothing if all is there."""
        return ""

    def finish(
        self,
        meta: Mapping[str, Any],
        extra: Mapping[str, Any] | None = None,
        *,
        history: Iterable[Mapping[str, Any]] = (),
        compression: str | None = None,
        work: Work = ALONE,
    ) -> Stage:
        """Write the rest; what comes back waits for its name.

        Parameters
        ----------
        meta : mapping
            Below ``roman.meta``, complete.
        extra : mapping, optional
            Further arrays and nodes, by dotted path.
        history : iterable of mapping
            Entries, oldest first.
        compression : str, optional
            lz4 or zlib: a second pass over the file. None by default.
        work : rtools.work.Work
            Its threads take the checksums, and compress.

        Returns
        -------
        rtools.products.io.writer.Stage

        Raises
        ------
        InputError
            The tree does not fit the schema; no file is left.
        RtoolsError
            Something was never written; the file cannot be written.
        """
        stage = self.stage
        try:
            if self._missing():
                raise RtoolsError(f"{self._missing()} were never written")
            head, inner, sources = self._serialise(meta, extra or {}, history)
            if compression in (None, "none") and not inner and len(head) <= self._room - HEAD:
                self._complete(head, sources[len(self._arrays) :], work)
            else:
                stage = self._second_pass(head, inner, sources, compression or "none", work)
        except BaseException as error:
            if isinstance(error, RtoolsError):
                error.path = error.path or self.stage.path
            self._scratch.__exit__(type(error), error, None)
            raise
        return stage

    def discard(self) -> None:
        """Give up: remove the temporary file. Nothing happens after `finish`."""
        if not self._file.closed:
            self._scratch.__exit__(RtoolsError, RtoolsError("given up"), None)

    def _serialise(self, meta, extra, history):
        arrays = {name: array for name, array in extra.items() if isinstance(array, np.ndarray)}
        nodes = {name: node for name, node in extra.items() if name not in arrays}
        meta, arrays, self.stage.messages = profiles.convert(self.kind, meta, self._arrays | arrays, self.profile)
        meta, history = recorded(meta, history, self.stage.path)
        meta = stamp_file(self.kind, meta, self.stage.path)
        sources = [FileBytes(self._file.fileno(), self._places[name], array.nbytes)
                   for name, array in self._arrays.items()]  # fmt: skip

        def tree(first):
            parts: dict[str, Any] = {
                name: array_node(array, first + number) for number, (name, array) in enumerate(self._arrays.items())
            }
            parts |= {name: array for name, array in arrays.items() if name not in self._arrays}
            return staging.build_tree(self.kind, meta, parts | nodes, self.profile)

        return staging.serialise(tree, self.profile, history, sources)

    def _complete(self, head, sources, work):
        file, places = self._file, list(self._places.values())
        file.seek(self._end)
        further = encode.write_blocks(file, sources, compression="none", work=work)
        file.write(encode.block_index([place - HEAD for place in places] + further))
        synced = aside(os.fsync, file.fileno())  # the disk works while the checksums are taken
        try:
            digests = work.each(self._checksum, self._arrays)
            ends = [place - HEAD for place in places[1:]] + [self._end]
            for place, end, array, digest in zip(places, ends, self._arrays.values(), digests, strict=True):
                file.seek(place - HEAD)
                file.write(encode.block_head(None, array.nbytes, array.nbytes, digest, allocated=end - place))
        finally:
            settle([synced])
        synced.result()  # an error of the disk is told once only
        file.seek(0)
        file.write(head)
        self._scratch.__exit__(None, None, None)

    def _checksum(self, name):
        digest, nbytes = md5(usedforsecurity=False), self._arrays[name].nbytes
        stored = FileBytes(self._file.fileno(), self._places[name], nbytes)
        for start in range(0, nbytes, CHUNK):
            digest.update(stored[start : start + CHUNK])
        return digest.digest()

    def _second_pass(self, head, inner, sources, compression, work):
        stage = staging.Stage(self.stage.path)
        stage.messages = self.stage.messages
        with stage.open() as file:
            staging.write_file(file, head, inner, sources, compression=compression, work=work)
        self.discard()
        return stage


def _reserve(file, size):
    """Give a file its size, and where the system can, its place on the disk: a full disk must not be a SIGBUS later."""
    try:
        os.posix_fallocate(file, 0, size)
    except AttributeError:  # not Linux
        os.ftruncate(file, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise
        os.ftruncate(file, size)
