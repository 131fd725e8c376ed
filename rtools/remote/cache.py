"""The cache of copies: one directory a file, of a bounded size together, shared by all processes of a user.

A copy is known by its name and by what the server says of the file: size, and tag or time. So a file that has changed
is another one. What a process uses it holds by a lock, and nobody removes it. What was used least recently goes first.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import md5
from pathlib import Path
from typing import IO

from rtools.errors import InputError, RtoolsError
from rtools.remote import marks, names, parts, server, settings

__all__ = ["LEAST_IN_PARTS", "copy_of", "enter", "failed_copy", "leave", "limit", "root"]

LEAST_IN_PARTS = 1 << 20
"""Bytes of a file from which on parts are fetched."""

IN_PARTS = (b"#ASDF", b"SIMPLE  =")
"""First bytes of files that are read here part by part."""

IN_USE = ".in-use"
AT_WORK = ".at-work"
COMING = ".coming"
"""Files in the directory of a copy: the locks of those who read it and of who fetches it, and what is not whole yet."""

_held: dict[str, IO[bytes]] = {}
_scratch: list[str] = []
"""Directories of this process alone, which go with it."""

_users: list[None] = []
"""One for each command of this process that uses copies; a command may run in another one."""


def limit() -> int:
    """Bytes that all copies may take together.

    Returns
    -------
    int

    Raises
    ------
    RtoolsError
        What is said of it is no size.
    """
    return int(settings.said("cache-size"))


def root() -> Path:
    """The directory of all copies: of this process alone where none can be kept.

    Returns
    -------
    Path
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = Path(settings.said("cache-dir") or Path(home, "rtools", "remote")).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return Path(_own_folder())


def _own_folder():
    if not _scratch:
        _scratch.append(tempfile.mkdtemp(prefix="rtools-remote-"))
    return _scratch[0]


def enter() -> None:
    """Say that a command uses copies from now on; it ends that with `leave`."""
    server.give_up(False)
    _users.append(None)


def leave() -> None:
    """Let others remove what this process used, and remove what nobody else can use, when its last command ends."""
    _users.pop()
    if _users:
        return
    parts.forget()
    while _held:
        _held.popitem()[1].close()
    while _scratch:
        shutil.rmtree(_scratch.pop(), ignore_errors=True)


def copy_of(url: str, *, in_parts: bool = False) -> str:
    """Path of the copy of a file, which stays until the command says `leave`.

    Parameters
    ----------
    url : str
        Its whole name.
    in_parts : bool
        What is read of it is fetched when it is read, in this process; otherwise, and where the server gives no parts,
        the copy is whole.

    Returns
    -------
    str

    Raises
    ------
    InputError
        It cannot be fetched.
    RtoolsError
        A driver is missing, or there is no room.
    """
    stated = server.state_of(url)
    folder = _entered(_folder(url, stated), names.shown(url))
    path = folder / names.file_name(url)
    if not path.exists():
        _make_room(folder.parent, stated.size or 0)
    with _locked(folder / AT_WORK, fcntl.LOCK_EX):
        try:
            _bring(url, path, stated, in_parts=in_parts)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            (folder / COMING).unlink(missing_ok=True)
            raise RtoolsError(f"no room for a copy in {folder.parent}", path=names.shown(url),
                              mend="RT_CACHE_DIR names another directory") from None  # fmt: skip
    return str(path)


def _folder(url, stated):
    """The directory of a copy; where the server does not say enough to know the file again, of this process alone."""
    told = repr((names.meant(url), stated.size, stated.mark))
    name = md5(told.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    return (root() if stated.mark and stated.size is not None else Path(_own_folder())) / name


def _entered(folder, told):
    """Make the directory of a copy, and hold it."""
    for _again in range(100):
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        try:
            lock = open(folder / IN_USE, "ab")  # noqa: SIM115
        except FileNotFoundError:
            continue  # removed by another process a moment ago
        fcntl.flock(lock, fcntl.LOCK_SH)
        with suppress(OSError):
            if os.path.samestat(os.stat(folder / IN_USE), os.fstat(lock.fileno())):
                os.utime(folder / IN_USE)
                marks.mark(folder, told)
                if str(folder) in _held:
                    lock.close()
                else:
                    _held[str(folder)] = lock
                return folder
        lock.close()
    raise RtoolsError("the cache cannot be used", mend="RT_CACHE_DIR names another directory", path=folder.parent)


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    with open(path, "ab") as lock:
        fcntl.flock(lock, kind)
        yield


def _bring(url, path, stated, *, in_parts):
    """Have the copy there, under the lock of who fetches."""
    if path.exists():
        parts.take_up(path, server.reader(url, stated), stated.size)
        if not in_parts:
            parts.complete(path)
        return
    if in_parts and stated.parts and (stated.size or 0) >= LEAST_IN_PARTS and _begin(url, path, stated):
        return
    coming = path.parent / COMING
    coming.unlink(missing_ok=True)  # of a process that was killed
    (path.parent / parts.CAME).unlink(missing_ok=True)
    try:
        server.fetch(url, coming, stated)
    except BaseException:
        coming.unlink(missing_ok=True)
        raise
    os.rename(coming, path)
    os.utime(path, (0, 0))  # the same in every copy: digests are remembered by size and time, and by this directory


def _begin(url, path, stated):
    """Make a copy of which only the beginning is there; False for a file that is fetched whole."""
    read = server.reader(url, stated)
    try:
        first = read(0, parts.GRAIN)
        read(stated.size - 1, stated.size)  # the beginning alone is what a server without parts gives, too
    except ValueError:
        return False  # the server gives no parts
    if not first.startswith(IN_PARTS):
        return False
    parts.begin(path, read, stated.size, first)
    return True


def _make_room(folder, size):
    """Remove what was used least recently until a new copy fits; what is in use stays."""
    entries = []
    for entry in os.scandir(folder):
        with suppress(OSError):
            if (Path(entry.path) / IN_USE).exists():
                entries.append((os.stat(Path(entry.path) / IN_USE).st_mtime_ns, entry.path, _bytes_in(entry.path)))
    taken, most = sum(entry[2] for entry in entries) + size, limit()
    for _time, path, held in sorted(entries):
        if taken <= most:
            return
        if path not in _held and _removed(path):
            taken -= held


def _bytes_in(folder):
    total = 0
    for entry in os.scandir(folder):
        with suppress(OSError):
            total += entry.stat().st_blocks * 512
    return total


def _removed(folder):
    """Remove a copy unless somebody uses it."""
    try:
        with open(os.path.join(folder, IN_USE), "ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    except OSError:
        return False
    return True


def failed_copy(url: str, error: InputError) -> str:
    """Path that stands for a file that could not be fetched: who opens it is told why.

    Parameters
    ----------
    url : str
        Its whole name.
    error : InputError
        What is told.

    Returns
    -------
    str
    """
    folder = Path(tempfile.mkdtemp(dir=_own_folder()))
    marks.mark(folder, names.shown(url))
    path = folder / names.file_name(url)
    path.touch()
    parts.refuse(path, error)
    return str(path)
