"""Writing blocks: plain, lz4 and zlib, compressed and written chunk by chunk on threads, the MD5 taken on others.

lz4 chunks are as asdf makes them (`rtools.products.io.blocks`). Floats with noise do not become smaller in lz4: a
sample tells, and they are stored plain, so that any reader can map them. A zlib block is one stream: each chunk is
deflated by itself and ends on a byte boundary, the Adler-32 of the whole stands at the end (RFC 1950), so any zlib
reads it.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import md5
from typing import BinaryIO, Protocol

import numpy as np

from rtools.errors import UsageError
from rtools.products.io.header import BLOCK_HEADER, BLOCK_MAGIC
from rtools.work import ALONE, Work, settle

__all__ = [
    "COMPRESSIONS",
    "HEAD",
    "ArrayBytes",
    "BlockSource",
    "FileBytes",
    "RepeatedBytes",
    "block_head",
    "block_index",
    "write_at",
    "write_blocks",
]

COMPRESSIONS = ("lz4", "zlib", "none")

CHUNK = 4 << 20
"""Bytes of a chunk before compression; asdf's."""

HEAD = len(BLOCK_MAGIC) + 2 + BLOCK_HEADER.size
"""Bytes before a block's data: magic, size of the header, header."""

SAMPLE, PIECES = 1 << 16, 16
"""Bytes of a piece, and how many, that show whether lz4 makes an array smaller."""

WORTH = 0.97
"""Compressed size, of the size, from which upwards it does not."""

BACKLOG = 24
"""Chunks that may wait to be written, or for their MD5."""


class BlockSource(Protocol):
    """Bytes of a block: how they must be compressed, None where that is open; how many; any span of them."""

    compression: str | None
    nbytes: int

    def __getitem__(self, span: slice) -> bytes | memoryview:
        """The bytes of a span without a step."""


class ArrayBytes:
    """The bytes of an array in memory.

    Parameters
    ----------
    array : ndarray
        Made C-contiguous and little-endian, as a copy only where it is not.
    """

    compression: str | None = None

    def __init__(self, array: np.ndarray) -> None:
        dtype = array.dtype.newbyteorder("<") if array.dtype.byteorder == ">" else array.dtype
        array = np.ascontiguousarray(array, dtype)
        self.nbytes = array.nbytes
        self._view = array.reshape(-1).view(np.uint8).data if array.nbytes else memoryview(b"")

    def __getitem__(self, span: slice) -> bytes | memoryview:
        return self._view[span]


class RepeatedBytes:
    """The bytes of an array that holds one value throughout (``numpy.broadcast_to``); always compressed.

    Parameters
    ----------
    array : ndarray
        All of its elements are the first one.
    """

    compression: str | None = "lz4"

    def __init__(self, array: np.ndarray) -> None:
        value = array.reshape(-1)[:1]
        self.nbytes = array.nbytes
        self._run = np.full(min(CHUNK, array.nbytes) // value.itemsize, value[0]).view(np.uint8)

    def __getitem__(self, span: slice) -> bytes | memoryview:
        start, stop, _step = span.indices(self.nbytes)
        return self._run.data[: stop - start]  # chunks begin on multiples of CHUNK


class FileBytes:
    """Bytes of an open file, read when they are needed so that no mapped page stays in memory.

    Parameters
    ----------
    file : int
        Descriptor.
    offset : int
        Of the first byte in the file.
    nbytes : int
        How many bytes.
    """

    compression: str | None = None

    def __init__(self, file: int, offset: int, nbytes: int) -> None:
        self.nbytes = nbytes
        self._file = file
        self._offset = offset

    def __getitem__(self, span: slice) -> bytes | memoryview:
        start, stop, _step = span.indices(self.nbytes)
        return os.pread(self._file, stop - start, self._offset + start)


def block_head(compression: str | None, used: int, size: int, checksum: bytes, allocated: int | None = None) -> bytes:
    """Bytes that precede a block's data.

    Parameters
    ----------
    compression : str or None
        ``lz4``, ``zlib``; None, ``none`` or empty for plain data.
    used : int
        Bytes that are stored.
    size : int
        Bytes after decompression.
    checksum : bytes
        MD5 of the stored bytes, sixteen.
    allocated : int, optional
        Bytes to the next block; by default those that are used.

    Returns
    -------
    bytes
        Magic, size of the header, header.
    """
    name = b"" if compression in (None, "none", "") else compression.encode()
    head = BLOCK_HEADER.pack(0, name, used if allocated is None else allocated, used, size, checksum)
    return BLOCK_MAGIC + BLOCK_HEADER.size.to_bytes(2, "big") + head


def block_index(offsets: Sequence[int]) -> bytes:
    """The index at the end of a file, of the places where its blocks begin.

    Parameters
    ----------
    offsets : sequence of int
        Places of the blocks' magic in the file.

    Returns
    -------
    bytes
        Empty if there are no blocks.
    """
    listed = "\n".join(f"- {offset}" for offset in offsets)
    return f"#ASDF BLOCK INDEX\n%YAML 1.1\n---\n{listed}\n...\n".encode() if offsets else b""


def write_blocks(
    file: BinaryIO, sources: Sequence[BlockSource], *, compression: str = "lz4", work: Work = ALONE
) -> list[int]:
    """Append blocks to a file.

    Parameters
    ----------
    file : file object, binary, seekable
        At its end.
    sources : sequence of ArrayBytes or FileBytes
        One for each block, in order.
    compression : str
        lz4 (where it makes an array smaller), zlib or none.
    work : rtools.work.Work
        Its threads compress and write; as many more, two at most, take the MD5.

    Returns
    -------
    list of int
        Offset of each block.

    Raises
    ------
    UsageError
        No such compression.
    """
    ways = [source.compression or _way(source, compression) for source in sources]
    if compression not in COMPRESSIONS:
        raise UsageError(f"no compression is called {compression}", mend=f"there are {' '.join(COMPRESSIONS)}")
    file.flush()
    descriptor, place = file.fileno(), file.tell()
    offsets: list[int] = []
    blocks: list[tuple[int, int, Future]] = []
    hashers = [ThreadPoolExecutor(1) for _ in range(min(2, work.threads))]  # a block has one; neighbours differ
    waiting: deque[Future] = deque()
    try:
        for number, last, data in _stored(sources, ways, work):
            hasher = hashers[number % len(hashers)]
            if number == len(offsets):
                digest = md5(usedforsecurity=False)
                offsets.append(place)
                place += HEAD
            waiting.append(work.submit(write_at, descriptor, data, place))
            waiting.append(hasher.submit(digest.update, data))
            place += len(data)
            while len(waiting) > BACKLOG:
                waiting.popleft().result()
            if last:
                blocks.append((place - offsets[-1] - HEAD, sources[number].nbytes, hasher.submit(digest.digest)))
        for job in waiting:
            job.result()
        for offset, way, (used, size, checksum) in zip(offsets, ways, blocks, strict=True):
            write_at(descriptor, block_head(way, used, size, checksum.result()), offset)
    finally:
        settle(waiting)  # nothing writes to the file any more
        for hasher in hashers:
            hasher.shutdown(cancel_futures=True)
    file.seek(place)
    return offsets


def _way(source, compression):
    """How an array is stored: plain where a sample of it is as large in lz4."""
    if compression != "lz4" or source.nbytes < SAMPLE * PIECES:
        return compression
    apart = source.nbytes // PIECES
    sizes = [len(_lz4(source[start : start + SAMPLE], True, True, 0)) for start in range(0, PIECES * apart, apart)]
    return "none" if sum(sizes) > WORTH * SAMPLE * PIECES else compression


def write_at(descriptor: int, data: bytes | memoryview, place: int) -> None:
    """Write all of `data` at a place of an open file; the position of the file is left alone, so any thread may do it.

    Parameters
    ----------
    descriptor : int
        Of the file.
    data : bytes or memoryview
        What is written.
    place : int
        Offset of its first byte in the file.
    """
    data = memoryview(data)
    while data:
        written = os.pwrite(descriptor, data, place)
        data, place = data[written:], place + written


def _stored(sources, ways, work):
    """(number of the source, whether it is its last piece, stored bytes), in order; two pieces a thread are in work."""
    running: deque[tuple[int, bool, Future]] = deque()
    for number, (source, way) in enumerate(zip(sources, ways, strict=True)):
        adler = 1
        starts = range(0, source.nbytes, CHUNK) or (0,)
        for start in starts:
            data = source[start : min(start + CHUNK, source.nbytes)]
            last = start == starts[-1]
            if way == "zlib":
                adler = zlib.adler32(data, adler)
            running.append((number, last, work.submit(ENCODERS[way], data, start == 0, last, adler)))
            if len(running) > 2 * work.threads:
                number_, last_, future = running.popleft()
                yield number_, last_, future.result()
    for number_, last_, future in running:
        yield number_, last_, future.result()


def _plain(data, _first, _last, _adler):
    return data


def _lz4(data, _first, _last, _adler):
    from lz4.block import compress

    stored = compress(data)
    return len(stored).to_bytes(4, "big") + stored if len(data) else b""


def _deflate(data, first, last, adler):
    encoder = zlib.compressobj(wbits=-15)
    stored = encoder.compress(data) + encoder.flush(zlib.Z_FINISH if last else zlib.Z_SYNC_FLUSH)
    return (b"\x78\x9c" if first else b"") + stored + (adler.to_bytes(4, "big") if last else b"")


ENCODERS = {"lz4": _lz4, "zlib": _deflate, "none": _plain}
