"""Reading blocks: plain, lz4 (chunk by chunk, on threads), zlib and bzip2.

asdf stores lz4 data as chunks of 4 MiB: the chunk's stored length (4 bytes, big endian), then an lz4 block led by its
decompressed size (4 bytes, little endian). The chunks are independent, so any of them can be decoded alone.
"""

import mmap
import os
import struct
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rtools.errors import InputError

__all__ = ["KNOWN", "read_lines"]

KNOWN = ("", "lz4", "zlib", "bzp2")
"""Compressions that are read here; asdf reads the others."""

WINDOW = 16 << 20
"""Bytes of a plain block that are mapped at a time, so that mapped pages do not pile up."""

SCRATCH = 4 << 20
"""Bytes of a thread's buffer for the stored bytes of a chunk, at least."""

STREAM = 4 << 20
"""Stored bytes that are read at a time from a zlib or bzip2 block."""


def read_lines(file, block, out, *, offset, pitch, threads=1):
    """Copy equally spaced lines of bytes out of a block.

    Line i is ``block[offset + i * pitch:][:width]``. Only what is needed is decoded, and never more than some
    megabytes a thread are held besides `out`.

    Parameters
    ----------
    file : int
        Descriptor.
    block : rtools.products.header.Block
    out : ndarray uint8, (lines, width)
        Filled.
    offset, pitch : int
        In bytes of the decompressed block.
    threads : int

    Raises
    ------
    InputError
        The stored data are damaged.
    """
    lines, width = out.shape
    if not out.size:
        return
    end = offset + (lines - 1) * pitch + width

    def take(position, data):
        _copy_lines(np.frombuffer(data, np.uint8), position - offset, out, pitch)

    if block.compression == "":
        _plain(file, block, offset, end, take)
    elif block.compression == "lz4":
        _lz4(file, block, offset, end, take, threads)
    else:
        _stream(file, block, end, take)


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


def _plain(file, block, first, last, take):
    for position in range(first, last, WINDOW):
        stop = min(position + WINDOW, last)
        begin = block.offset + position
        aligned = begin - begin % mmap.ALLOCATIONGRANULARITY
        with mmap.mmap(file, block.offset + stop - aligned, offset=aligned, access=mmap.ACCESS_READ) as window:
            view = memoryview(window)
            part = view[begin - aligned :]
            try:
                take(position, part)
            finally:
                part.release()
                view.release()


def _lz4(file, block, first, last, take, threads):
    from lz4.block import LZ4BlockError, decompress

    scratch = threading.local()

    def one(chunk):
        place, stored, position, size = chunk
        if len(getattr(scratch, "buffer", b"")) < stored:
            scratch.buffer = bytearray(max(stored, SCRATCH))
        data = memoryview(scratch.buffer)[:stored]
        try:
            os.preadv(file, [data], place)
            data = decompress(data)
        except (LZ4BlockError, MemoryError, ValueError) as error:
            raise InputError(f"damaged: an lz4 chunk cannot be decoded ({error})") from None
        if len(data) != size:
            raise InputError("damaged: an lz4 chunk does not have its stated size")
        take(position, data)

    chunks = [chunk for chunk in _chunks(file, block) if chunk[2] < last and chunk[2] + chunk[3] > first]
    # Even one thread is better another than the main one, which returns freed megabytes to the system each time and
    # pays for them again in page faults (glibc): 0.05 s instead of 0.38 s for a 403 MB block.
    with ThreadPoolExecutor(max(1, threads)) as pool:
        list(pool.map(one, chunks))


def _chunks(file, block):
    """(place in the file, stored bytes, place in the block, decoded bytes) of each lz4 chunk."""
    place, end, position, chunks = block.offset, block.offset + block.used, 0, []
    while place < end:
        head = os.pread(file, 8, place)
        if len(head) < 8:
            raise InputError("damaged: an lz4 chunk is cut off")
        stored = int.from_bytes(head[:4], "big")
        (size,) = struct.unpack("<I", head[4:])
        if stored < 5 or place + 4 + stored > end:
            raise InputError("damaged: an lz4 chunk does not have its stated length")
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

    decoder = zlib.decompressobj() if block.compression == "zlib" else bz2.BZ2Decompressor()
    position = place = 0
    try:
        while position < end and place < block.used:
            stored = os.pread(file, min(STREAM, block.used - place), block.offset + place)
            if not stored:
                break
            place += len(stored)
            data = decoder.decompress(stored)
            if data:
                take(position, data)
                position += len(data)
    except (zlib.error, OSError, EOFError) as error:
        raise InputError(f"damaged: a {block.compression} block cannot be decoded ({error})") from None
    if position < end:
        raise InputError(f"damaged: a {block.compression} block ends early")
