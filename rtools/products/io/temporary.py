"""Files that are not finished: their names say whose they are, so that what a killed run left is found and removed.

A name ends in host, process number and start time of the process. A process number comes again, its start time does
not; and of processes on other hosts nothing can be known, so that what is theirs stays.
"""

import contextlib
import logging
import os
import re
import shutil
import threading
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import BinaryIO

from rtools.remote import marks

__all__ = ["LOGGER", "STREAM", "directory", "directory_name", "file", "left_in", "name_beside", "sweep"]

LOGGER = logging.getLogger("rtools")
"""Is told what was found and removed."""

OWNER = re.compile(
    r"^\.?(?:(?P<name>.*)\.)?rtools-(?P<host>[\w.]+)-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]{8}(?P<end>\..+)?$",
    re.DOTALL,
)

LONGEST_NAME = 60
"""Bytes that a temporary name keeps of the final one; a file system takes 255."""

LONGEST_HOST = 40

FIRST_NAMESPACE = 4026531836
"""Number of the name space of processes that Linux starts in (`PROC_PID_INIT_INO`); containers have others."""

MOST_NAMED = 3

STREAM = "rtools-stream"
"""How copies of streams are called, before their extension."""

_swept: set[str] = set()
_lock = threading.Lock()


def name_beside(path: str | Path, ending: str = ".tmp") -> Path:
    """A temporary path in the directory of what is to become of it; what killed runs left there is removed first.

    Parameters
    ----------
    path : str or Path
        The final name.
    ending : str
        ``.tmp``; ``.old`` for what had the name before and may be wanted again.

    Returns
    -------
    Path
    """
    path = Path(path)
    sweep(path.parent)
    kept = os.fsdecode(os.fsencode(path.name)[:LONGEST_NAME])
    return path.parent / f".{kept}.{_mark()}{ending}"


@contextlib.contextmanager
def directory(parent: str | Path | None = None) -> Iterator[str]:
    """A directory for temporary files, removed at the end.

    Parameters
    ----------
    parent : str or Path, optional
        Where it is made; by default the system's directory of temporary files.

    Yields
    ------
    iterator of str
        Its path.
    """
    path = _scratch(parent)
    os.mkdir(path, 0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def directory_name(parent: str | Path) -> Path:
    """Path of a directory for temporary files that is not made yet; who makes it calls `sweep` for its parent.

    Parameters
    ----------
    parent : str or Path
        Where it will be.

    Returns
    -------
    Path
        Hidden, in `parent`.
    """
    return Path(parent) / f".{_mark()}"


@contextlib.contextmanager
def file(suffix: str = "") -> Iterator[BinaryIO]:
    """An open file in the system's directory of temporary files, removed at the end.

    Parameters
    ----------
    suffix : str
        End of its name.

    Yields
    ------
    io.BufferedRandom
        With its path as `name`.
    """
    path = _scratch(None, suffix)
    with open(path, "x+b", opener=partial(os.open, mode=0o600)) as opened:
        try:
            yield opened
        finally:
            with contextlib.suppress(OSError):
                os.unlink(path)


def _scratch(parent, suffix=""):
    if parent is None:
        import tempfile

        parent = tempfile.gettempdir()
        sweep(parent, name_others=False)
        return os.path.join(parent, f"{_mark()}{suffix}")
    sweep(parent)
    return os.path.join(parent, f".{_mark()}{suffix}")


def _mark():
    return f"rtools-{_host()}-{os.getpid()}-{_start_of(os.getpid()) or 0}-{os.urandom(4).hex()}"


@lru_cache(1)
def _host():
    """Name of this host, with the number of the container's name space of processes if this is one."""
    host = re.sub(r"[^A-Za-z0-9_.]", "_", os.uname().nodename) or "_"
    if len(host) > LONGEST_HOST:
        from hashlib import md5

        host = f"{host[: LONGEST_HOST - 9]}_{md5(host.encode(), usedforsecurity=False).hexdigest()[:8]}"
    with contextlib.suppress(OSError):
        number = os.stat("/proc/self/ns/pid").st_ino
        host += "" if number == FIRST_NAMESPACE else f".{number}"
    return host


def _start_of(pid):
    """When a process started, in the system's ticks; None where that cannot be known, 0 where it has ended."""
    try:
        if os.readlink("/proc/self") != str(os.getpid()):
            return None  # the numbers there are those of another name space
        with open(f"/proc/{pid}/stat", "rb") as said:
            fields = said.read().rpartition(b")")[2].split()
    except OSError:
        return None
    return 0 if fields[0] in (b"Z", b"X") else int(fields[19])


def _is_gone(pid, start):
    """Whether the process of this host that had this number and start time is no more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # another user's
    now = _start_of(pid)
    return bool(start) and now is not None and now != start


def sweep(folder: str | Path, *, name_others: bool = True, again: bool = False) -> None:
    """Remove what runs of this host that were killed left in a directory, once in a process; tell `LOGGER` of it.

    Parameters
    ----------
    folder : str or Path
        The directory in which files of runs that were killed are removed.
    name_others : bool
        Tell of what is of other hosts, too, which stays.
    again : bool
        Look once more where this process has looked already.
    """
    folder = os.path.abspath(folder)
    with _lock:
        if folder in _swept and not again:
            return
        _swept.add(folder)
    others = []
    try:
        found = [(entry, owner) for entry in os.scandir(folder) if (owner := OWNER.match(entry.name))]
    except OSError:
        return  # whoever writes there will say it
    for entry, owner in found:
        if owner["host"] != _host():
            others.append(entry.path)
        elif _is_gone(int(owner["pid"]), int(owner["start"])):
            _remove(entry, owner)
    if others and name_others:
        named = ", ".join(others[:MOST_NAMED]) + (" …" if len(others) > MOST_NAMED else "")
        LOGGER.info("unfinished files of other hosts, which stay: %s", named)


def left_in(folder: str | Path) -> list[Path]:
    """Directories for temporary files that runs of this host left which were killed.

    Parameters
    ----------
    folder : str or Path
        Where they lie.

    Returns
    -------
    list of Path
        Until `sweep` removes them.
    """
    try:
        found = [(entry, owner) for entry in os.scandir(folder) if (owner := OWNER.match(entry.name))]
    except OSError:
        return []
    return [
        Path(entry.path)
        for entry, owner in found
        if owner["host"] == _host() and entry.is_dir(follow_symlinks=False)
        and _is_gone(int(owner["pid"]), int(owner["start"]))
    ]  # fmt: skip


def _remove(entry, owner):
    """Remove a file or directory, or give it back the name that it was to lose for another."""
    path, process = entry.path, owner["pid"]
    try:
        if owner["end"] == ".old" and not _replaced(path, owner["name"]):
            return
        if entry.is_dir(follow_symlinks=False):
            _keep_unsent(path)
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except OSError:
        return  # another user's, or another run was faster
    LOGGER.info("%s: unfinished, of a run that was killed (process %s): removed", path, process)


def _keep_unsent(folder):
    """Keep what a run that was killed had finished and not sent to where it was to go."""
    names = marks.unsent(folder)
    if not names:
        return
    import tempfile

    whither = marks.source_of(os.path.join(folder, names[0]))
    kept = tempfile.mkdtemp(prefix="rtools-unsent-", dir=os.path.dirname(folder))
    for name in names:
        os.makedirs(os.path.dirname(os.path.join(kept, name)), exist_ok=True)
        os.replace(os.path.join(folder, name), os.path.join(kept, name))
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    LOGGER.warning("%s%s: not sent, of a run that was killed: kept in %s", whither, others, kept)


def _replaced(path, name):
    """Whether what was to be replaced has been; if the new one never came, the old one gets its name again."""
    if len(os.fsencode(name)) >= LONGEST_NAME:
        return False
    final = os.path.join(os.path.dirname(path), name)
    if os.path.lexists(final):
        return True
    os.rename(path, final)
    LOGGER.warning("%s: a run that was to replace it was killed: the old one is there again", final)
    return False
