"""Reading blocks: plain, lz4 (chunk by chunk), zlib and bzip2, as jobs that may run on any threads.

asdf stores lz4 data as chunks of 4 MiB: the chunk's stored length (4 bytes, big endian), then an lz4 block led by its
decompressed size (4 bytes, little endian). The chunks are independent, so any of them can be decoded alone.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.remote import parts

if TYPE_CHECKING:
    from rtools.products.io.header import StoredBlock

__all__ = ["KNOWN", "LZ4_MOST", "Lines", "line_jobs"]

KNOWN = ("", "lz4", "zlib", "bzp2")
"""Compressions that are read here; asdf reads the others."""

WINDOW = 16 << 20
"""Bytes of a plain block that are mapped at a time, so that mapped pages do not pile up."""

LZ4_MOST = 255
"""Times that lz4 can make data smaller."""

SCRATCH = 4 << 20
"""Bytes of a thread's buffer for the stored bytes of a chunk, at least."""

STREAM = 4 << 20
"""Stored bytes that are read at a time from a zlib or bzip2 block."""

_scratch = threading.local()


class Lines(NamedTuple):
    """Equally spaced lines of bytes in a decompressed block: line i is ``block[offset + i * pitch:][:width]``."""

    offset: int
    number: int
    width: int
    pitch: int

    @property
    def end(self) -> int:
        """Place after the last byte."""
        return self.offset + (self.number - 1) * self.pitch + self.width


def line_jobs(
    file: int, block: StoredBlock, wanted: Sequence[Lines], outs: Callable[[], Sequence[np.ndarray]]
) -> list[Callable[[], None]]:
    """Jobs that copy lines of bytes out of a block; only what is needed is decoded, and once for all.

    Parameters
    ----------
    file : int
        Descriptor.
    block : rtools.products.io.header.StoredBlock
        Where the stored bytes lie in the file.
    wanted : sequence of Lines
        None of them empty.
    outs : callable
        ``outs()``: for each of `wanted` an ndarray uint8 (count, width) to be filled; called on any thread.

    Returns
    -------
    list of callable
        To be called once each, on any thread and in any order. A job holds some megabytes besides the results, and
        raises InputError if the stored data are damaged.
    """
    begin, end = min(lines.offset for lines in wanted), max(lines.end for lines in wanted)

    def take(position, data):
        data = np.frombuffer(data, np.uint8)
        for lines, out in zip(wanted, outs(), strict=True):
            _copy_lines(data, position - lines.offset, out, lines.pitch)

    if block.compression == "":
        return [partial(_plain, file, block.offset, (first, min(first + WINDOW, end)), wanted, take)
                for first in range(begin, end, WINDOW)]  # fmt: skip
    if block.compression == "lz4":
        chunks = [chunk for chunk in _chunks(file, block) if chunk[2] < end and chunk[2] + chunk[3] > begin]
        return [partial(_lz4, file, chunk, take) for chunk in chunks]
    return [partial(_stream, file, block, end, take)]


def _copy_lines(data, start, out, pitch):
    """Copy what `data`, which begins `start` bytes after the first line's begin, holds of the lines of `out`."""
    lines, width = out.shape
    stop = start + data.size
    first = max(0, -(-start // pitch))  # first line that begins in data
    whole = min(lines, (stop - width) // pitch + 1)  # lines [first, whole) lie in data completely
    if whole > first:
        part = data[first * pitch - start :]
        out[first:whole] = np.lib.stride_tricks.as_strided(part, (whole - first, width), (pitch, 1))
    for line in {first - 1, max(whole, first)}:
        begin = max(start, line * pitch)
        finish = min(stop, line * pitch + width)
        if 0 <= line < lines and begin < finish:
            out[line, begin - line * pitch : finish - line * pitch] = data[begin - start : finish - start]


def _plain(file, place, span, wanted, take):
    position, stop = span
    for lines in wanted:
        parts.want(file, place + max(lines.offset, position), place + min(lines.end, stop))
    begin = place + position
    aligned = begin - begin % mmap.ALLOCATIONGRANULARITY
    window = mmap.mmap(file, place + stop - aligned, offset=aligned, access=mmap.ACCESS_READ)
    try:
        take(position, memoryview(window)[begin - aligned :])
    finally:
        with suppress(BufferError):  # who looks at frames, as the profiler of Dask does, holds a view a moment longer
            window.close()


def _lz4(file, chunk, take):
    from lz4.block import LZ4BlockError, decompress

    place, stored, position, size = chunk
    if len(getattr(_scratch, "buffer", b"")) < stored:
        _scratch.buffer = bytearray(max(stored, SCRATCH))
    data = memoryview(_scratch.buffer)[:stored]
    try:
        parts.want(file, place, place + stored)
        os.preadv(file, [data], place)
        data = decompress(data)
    except (LZ4BlockError, MemoryError, ValueError) as error:
        raise InputError(f"damaged: an lz4 chunk cannot be decoded ({error})") from None
    if len(data) != size:
        raise InputError("damaged: an lz4 chunk does not have its stated size")
    take(position, data)


def _chunks(file, block):
    """(place in the file, stored bytes, place in the block, decoded bytes) of each lz4 chunk."""
    place, end, position, chunks = block.offset, block.offset + block.used, 0, []
    while place < end:
        parts.want(file, place, place + 8)
        head = os.pread(file, 8, place)
        if len(head) < 8:
            raise InputError("damaged: an lz4 chunk is cut off")
        stored = int.from_bytes(head[:4], "big")
        (size,) = struct.unpack("<I", head[4:])
        if stored < 5 or place + 4 + stored > end:
            raise InputError("damaged: an lz4 chunk does not have its stated length")
        if size > LZ4_MOST * stored:
            raise InputError(f"damaged: an lz4 chunk of {stored} bytes states {size}")
        chunks.append((place + 4, stored, position, size))
        place += 4 + stored
        position += size
    if position != block.size:
        raise InputError(f"damaged: a block decodes to {position} bytes, not {block.size}")
    return chunks


def _stream(file, block, end, take):
    """zlib and bzip2 cannot be entered in the middle: decode up to `end`."""
    import bz2
    import zlib

    decode = _inflated(zlib.decompressobj()) if block.compression == "zlib" else _expanded(bz2.BZ2Decompressor())
    position = place = 0
    try:
        while position < end and place < block.used:
            parts.want(file, block.offset + place, block.offset + min(place + STREAM, block.used))
            stored = os.pread(file, min(STREAM, block.used - place), block.offset + place)
            if not stored:
                break
            place += len(stored)
            for data in decode(stored):
                take(position, data)
                position += len(data)
                if position >= end:
                    break
    except (zlib.error, OSError, EOFError) as error:
        raise InputError(f"damaged: a {block.compression} block cannot be decoded ({error})") from None
    if position < end:
        raise InputError(f"damaged: a {block.compression} block ends early")


def _inflated(decoder):
    """``decode(stored)`` of zlib: pieces of bounded size, for a few bytes may stand for gigabytes."""

    def decode(stored):
        while stored:
            data = decoder.decompress(stored, WINDOW)
            stored = decoder.unconsumed_tail
            if not data:
                return
            yield data

    return decode


def _expanded(decoder):
    """The same of bzip2."""

    def decode(stored):
        while data := decoder.decompress(stored, WINDOW):
            yield data
            if decoder.eof or decoder.needs_input:
                return
            stored = b""

    return decode
