"""Checksums of blocks: what is read whole is compared with the MD5 that its file keeps of it.

asdf keeps the MD5 of the bytes as they are stored, compressed or not; sixteen zeros mean that there is none. References
are checked once per file and time of change: a small file in the cache directory remembers them. Where nothing can be
written there, they are checked each time.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rtools.machine import cache_home
from rtools.remote import parts

if TYPE_CHECKING:
    from rtools.products.io.header import StoredBlock

__all__ = ["NO_CHECKSUM", "checking", "is_remembered", "md5_of", "remember", "switch"]

NO_CHECKSUM = bytes(16)

STEP = 1 << 20
"""Bytes that are read at a time; they are still near the processor when they are summed."""

LEAST = 1 << 20
"""Bytes of a block from which on it is worth remembering."""

_buffers = threading.local()
_state = {"on": True}


def switch(on: bool) -> None:
    """Let blocks be checked, or not, in this process.

    Parameters
    ----------
    on : bool
        Whether they are checked from now on.
    """
    _state["on"] = bool(on)


def checking() -> bool:
    """Whether blocks are checked."""
    return _state["on"]


def md5_of(descriptor: int, block: StoredBlock) -> bytes:
    """MD5 of the bytes of a block as they are stored.

    Parameters
    ----------
    descriptor : int
        Of the file.
    block : rtools.products.io.header.StoredBlock
        Where the bytes lie in the file.

    Returns
    -------
    bytes
        Sixteen.
    """
    if not hasattr(_buffers, "view"):
        _buffers.view = memoryview(bytearray(STEP))
    parts.want(descriptor, block.offset, block.offset + block.used)
    total, place = hashlib.md5(usedforsecurity=False), 0
    while place < block.used:
        part = _buffers.view[: min(STEP, block.used - place)]
        count = os.preadv(descriptor, [part], block.offset + place)
        if count == 0:
            break
        total.update(part[:count])
        place += count
    return total.digest()


def is_remembered(path: str | Path, block: StoredBlock) -> bool:
    """Whether a block of a file, as the file is now, has been checked before.

    Parameters
    ----------
    path : str or Path
        The file.
    block : rtools.products.io.header.StoredBlock
        A block of it.

    Returns
    -------
    bool
        False for small blocks, which are not remembered.
    """
    with suppress(OSError):
        return block.used >= LEAST and _mark(path, block).exists()
    return False


def remember(path: str | Path, block: StoredBlock) -> None:
    """Let it be known, to later runs too, that a block of a file is whole; small blocks are not worth it.

    Parameters
    ----------
    path : str or Path
        The file.
    block : rtools.products.io.header.StoredBlock
        A block of it whose MD5 was that of its header.
    """
    if block.used < LEAST:
        return
    with suppress(OSError, RuntimeError):  # no home, or none that can be written
        mark = _mark(path, block)
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def _mark(path, block):
    """The file that stands for a block: named for all that says that it is the same."""
    stated = os.stat(path)
    told = (os.fspath(Path(path).resolve()), stated.st_size, stated.st_mtime_ns, block.offset, block.checksum.hex())
    name = hashlib.md5(repr(told).encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    return cache_home() / "checked" / name
