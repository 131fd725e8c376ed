"""Copies of which only parts are there: a sparse file of the right length, and which grains of it have come.

Readers that know of this open a file with `open_parts`, and say by `want` what they read next. All others get whole
files: Python tells of every file that it opens, and what is missing of it is fetched then. A process that has not taken
up such a copy must not read it; so they are for tools that work in one process.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from rtools.errors import RtoolsError

__all__ = [
    "GRAIN", "begin", "complete", "forget", "open_parts", "open_raw", "refuse", "take_up", "want", "want_of",
]  # fmt: skip

GRAIN = 1 << 14
"""Bytes that are fetched together, at least."""

MOST = 1 << 23
"""Bytes that are fetched at a time, at most."""

CAME = ".came"
"""File beside the copy: a byte for each grain, 1 where it is there. Without it the copy is whole."""

_copies: dict[str, _Copy] = {}
_refused: dict[str, RtoolsError] = {}
_open: dict[int, _Copy] = {}
_mine = threading.local()
_hooked: list[bool] = []


class _Copy:
    """One copy, as far as it is there."""

    def __init__(self, path: Path, read: Callable[[int, int], bytes], size: int) -> None:
        self.path, self.read, self.size = path, read, size
        self.came = path.parent / CAME
        self.lock = threading.Lock()

    def fill(self, start: int, stop: int) -> None:
        """Have bytes there; several threads and processes may do so at once, with the same bytes."""
        first, last = max(start, 0) // GRAIN, -(-min(stop, self.size) // GRAIN)
        if first >= last:
            return
        with self.lock, _own() as opened:
            try:
                marks, file = opened(self.came, os.O_RDWR), opened(self.path, os.O_RDWR)
            except FileNotFoundError:
                return  # another process has completed it
            there = os.pread(marks, last - first, first)
            for begin, end in _runs(there, first):
                self._bring(file, begin, end)
                os.fdatasync(file)  # what is marked as there has to be there after a power cut, too
                os.pwrite(marks, b"\1" * (end - begin), begin)
            if b"\0" in there:
                os.utime(file, (0, 0))

    def _bring(self, file: int, begin: int, end: int) -> None:
        place = begin * GRAIN
        while place < min(end * GRAIN, self.size):
            data = self.read(place, min(place + MOST, end * GRAIN, self.size))
            place += os.pwrite(file, data, place)


class _own:
    """Files that this module opens for itself, while nobody is told of it."""

    def __enter__(self):
        self._files: list[int] = []
        _mine.opens = True
        return self._opened

    def _opened(self, path, flags):
        self._files.append(os.open(path, flags))
        return self._files[-1]

    def __exit__(self, *_error):
        _mine.opens = False
        for file in self._files:
            os.close(file)


def _runs(there: bytes, first: int) -> list[tuple[int, int]]:
    """First and last (exclusive) of the grains that are missing."""
    found, place = [], there.find(b"\0")
    while place >= 0:
        end = there.find(b"\1", place)
        end = len(there) if end < 0 else end
        found.append((first + place, first + end))
        place = there.find(b"\0", end)
    return found


def begin(path: Path, read: Callable[[int, int], bytes], size: int, data: bytes) -> None:
    """Make a copy of which the beginning is there.

    Parameters
    ----------
    path : Path
        Where nothing is.
    read : callable
        ``read(start, stop)`` gives bytes of the file.
    size : int
        Of the file.
    data : bytes
        Its first `GRAIN` bytes.
    """
    came = path.parent / CAME
    came.write_bytes(b"\0" * -(-size // GRAIN))
    with open(path, "xb") as file:
        file.truncate(size)
        file.write(data)
        file.flush()
        os.fdatasync(file.fileno())
    with open(came, "r+b") as marks:
        marks.write(b"\1")
    os.utime(path, (0, 0))
    take_up(path, read, size)


def take_up(path: Path, read: Callable[[int, int], bytes], size: int | None) -> None:
    """Let this process read a copy of which only parts may be there.

    Parameters
    ----------
    path : Path
        The copy.
    read : callable
        ``read(start, stop)`` gives bytes of the file.
    size : int or None
        Of the file.
    """
    if size is None or str(path) in _copies or not (path.parent / CAME).exists():
        return
    _copies[str(path)] = _Copy(path, read, size)
    _hook()


def complete(path: Path) -> None:
    """Have all of a copy there.

    Parameters
    ----------
    path : Path
        Of any file; those that are no such copies are whole.
    """
    copy = _copies.get(str(path))
    if copy is not None:
        copy.fill(0, copy.size)
        copy.came.unlink(missing_ok=True)
        _copies.pop(str(path), None)


def refuse(path: Path, error: RtoolsError) -> None:
    """Have everybody who opens a path told why there is nothing.

    Parameters
    ----------
    path : Path
        Of a file that stands for one that could not be fetched.
    error : RtoolsError
        What is raised then.
    """
    _refused[str(path)] = error
    _hook()


def forget() -> None:
    """Take no copy for a part any more."""
    _copies.clear()
    _refused.clear()
    _open.clear()


def _hook():
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_heard)


def _heard(event, told):
    """Hear of every file that Python opens in this process; what is missing of a copy is fetched first."""
    if event != "open" or not (_copies or _refused) or getattr(_mine, "opens", False):
        return
    path = told[0]
    if isinstance(path, int) or path is None:
        return
    name = os.path.abspath(os.fsdecode(path))
    if name in _refused:
        error = _refused[name]
        raise type(error)(error.message, mend=error.mend, path=name)
    if name in _copies:
        complete(Path(name))


def open_parts(path: str | Path) -> BinaryIO:
    """Open a file for reading, of which perhaps only parts are there.

    Parameters
    ----------
    path : str or Path
        Any file.

    Returns
    -------
    file
        As ``open(path, "rb")`` gives it. What is read by way of its descriptor is asked for with `want` first.

    Raises
    ------
    OSError
        As `open`.
    """
    if not _copies:
        return open(path, "rb")
    return io.BufferedReader(open_raw(path))  # type: ignore[return-value]


def open_raw(path: str | Path) -> io.FileIO:
    """As `open_parts`, without a buffer.

    Parameters
    ----------
    path : str or Path
        Any file.

    Returns
    -------
    io.FileIO
    """
    copy = _copies.get(os.path.abspath(path)) if _copies else None
    if copy is None:
        return open(path, "rb", buffering=0)
    _mine.opens = True
    try:
        file = _PartsFile(path, "rb")
    finally:
        _mine.opens = False
    _open[file.fileno()] = file.copy = copy
    return file


class _PartsFile(io.FileIO):
    """A file that fetches what is read of it."""

    copy: _Copy

    def readinto(self, buffer):
        place = self.tell()
        self.copy.fill(place, place + memoryview(buffer).nbytes)
        return super().readinto(buffer)

    def read(self, size=-1):
        if size is None or size < 0:
            return self.readall()
        place = self.tell()
        self.copy.fill(place, place + size)
        return super().read(size)

    def readall(self):
        self.copy.fill(self.tell(), self.copy.size)
        return super().readall()

    def close(self):
        if not self.closed:
            _open.pop(self.fileno(), None)
        super().close()


def want(descriptor: int, start: int, stop: int) -> None:
    """Say which bytes of an open file are read next.

    Parameters
    ----------
    descriptor : int
        Of a file from `open_parts`, or of any other.
    start, stop : int
        First byte, and the one behind the last.
    """
    if _open and descriptor in _open:
        _open[descriptor].fill(start, stop)


def want_of(path: str | Path, start: int, stop: int) -> bool:
    """Say which bytes of a file are mapped next.

    Parameters
    ----------
    path : str or Path
        Any file.
    start, stop : int
        First byte, and the one behind the last.

    Returns
    -------
    bool
        Whether only parts of it are there: who opens it by other ways than `open_raw` gets all of it.
    """
    copy = _copies.get(os.path.abspath(path)) if _copies else None
    if copy is not None:
        copy.fill(start, stop)
    return copy is not None
