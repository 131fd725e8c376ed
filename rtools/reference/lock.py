"""The lock of a directory of references: which files it holds, and the digest of each.

A directory with a lock is obeyed as it is written there: only files that it names serve, and one whose content is
another one is refused. So a reduction that is done again next year uses the same references, or ends.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeVar

from rtools.errors import InputError, MissingReferenceError
from rtools.products.io import temporary
from rtools.products.io.digest import sha256_of
from rtools.reference.rules import Listed

__all__ = [
    "LOCK",
    "Lock",
    "LockedFile",
    "ObeyedLock",
    "Origin",
    "compare_with_lock",
    "lock_of",
    "pin",
    "read_lock",
    "write_lock",
]

LOCK = "rtools-refs.lock"
"""Name of the lock in its directory."""

FORMAT = 1
DIGITS = 64

Candidates = TypeVar("Candidates", bound=Listed)


class LockedFile(NamedTuple):
    """What a lock says of a file.

    Attributes
    ----------
    type : str
        The reference type.
    size : int
        Bytes.
    sha256 : str
        Of all of them, as `sha256sum` prints it.
    """

    type: str
    size: int
    sha256: str


class Origin(NamedTuple):
    """Where the files of a mission came from.

    Attributes
    ----------
    source : str
        URL of a server, or the path of a cache.
    context : str
        The rules by which they were chosen, as ``roman_0042.pmap``.
    """

    source: str
    context: str


@dataclass(frozen=True)
class Lock:
    """What is pinned in a directory.

    Attributes
    ----------
    files : mapping of str to LockedFile
        By name.
    origins : mapping of str to Origin
        By mission; empty for files that were not fetched.
    """

    files: Mapping[str, LockedFile] = field(default_factory=dict)
    origins: Mapping[str, Origin] = field(default_factory=dict)


def lock_of(directory: str | Path) -> Lock | None:
    """The lock of a directory.

    Parameters
    ----------
    directory : str or Path
        A directory of references.

    Returns
    -------
    Lock or None
        None where it has none.

    Raises
    ------
    InputError
        The lock cannot be read.
    """
    path = Path(directory) / LOCK
    return read_lock(path) if path.exists() else None


def read_lock(path: str | Path) -> Lock:
    """What a lock says.

    Parameters
    ----------
    path : str or Path
        The lock.

    Returns
    -------
    Lock

    Raises
    ------
    InputError
        It cannot be read, or is no lock.
    """
    try:
        with open(path, encoding="utf-8") as file:
            told = json.load(file)
        if told["format"] != FORMAT:
            raise InputError(f"a lock of format {told['format']}, and this rtools knows {FORMAT}", path=path)
        files = {name: LockedFile(**said) for name, said in told["files"].items()}
        origins = {mission: Origin(**said) for mission, said in told["origins"].items()}
    except OSError as error:
        raise InputError(f"cannot read the lock ({error.strerror})", path=path) from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError("not a lock of references", path=path) from None
    if not all(isinstance(word, str) for origin in origins.values() for word in origin):
        raise InputError("not a lock of references", path=path)
    for name, one in files.items():
        words = isinstance(one.type, str) and isinstance(one.sha256, str) and len(one.sha256) == DIGITS
        if not words or not isinstance(one.size, int) or os.path.basename(name) != name or name in (".", "..", ""):
            raise InputError(f"the lock says nothing that can be of {name!r}", path=path)
    return Lock(files, origins)


def write_lock(directory: str | Path, lock: Lock) -> Path:
    """Write the lock of a directory, by a temporary name.

    Parameters
    ----------
    directory : str or Path
        A directory of references.
    lock : Lock
        What it says; names are sorted, so that versions of it can be compared by `diff`.

    Returns
    -------
    Path
        Of the lock.
    """
    told = {
        "format": FORMAT,
        "origins": {mission: lock.origins[mission]._asdict() for mission in sorted(lock.origins)},
        "files": {name: lock.files[name]._asdict() for name in sorted(lock.files)},
    }
    path = Path(directory) / LOCK
    scratch = temporary.name_beside(path)
    scratch.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    scratch.replace(path)
    return path


def pin(path: str | Path, reftype: str) -> LockedFile:
    """What a lock says of a file as it is now.

    Parameters
    ----------
    path : str or Path
        The file.
    reftype : str
        Its reference type.

    Returns
    -------
    LockedFile

    Raises
    ------
    OSError
        It cannot be read.
    """
    return LockedFile(reftype, os.stat(path).st_size, sha256_of(path))


def compare_with_lock(directory: str | Path, lock: Lock) -> dict[str, str]:
    """How files of a directory differ from its lock.

    Parameters
    ----------
    directory : str or Path
        Where the files lie.
    lock : Lock
        What they shall be.

    Returns
    -------
    dict of str to str
        Name to ``same``, ``changed`` or ``missing``, for every name of the lock.
    """
    return {name: _state(Path(directory) / name, one) for name, one in lock.files.items()}


def _state(path, locked):
    try:
        same = path.stat().st_size == locked.size and sha256_of(path) == locked.sha256
    except FileNotFoundError:
        return "missing"
    return "same" if same else "changed"


class ObeyedLock:
    """A directory of which only what its lock names serves, unchanged.

    Parameters
    ----------
    directory : str or Path
        Where the files lie.
    lock : Lock
        Of the directory.

    Raises
    ------
    MissingReferenceError
        A file that the lock names is not there.
    """

    def __init__(self, directory: str | Path, lock: Lock) -> None:
        self._path = Path(directory) / LOCK
        self._locked = {os.path.realpath(Path(directory) / name): one for name, one in lock.files.items()}
        for name in lock.files:
            if not (Path(directory) / name).exists():
                raise MissingReferenceError(
                    f"the lock names {name}, which is not there", mend="rt-refs fetch brings it", path=self._path
                )

    def named(self, candidates: Iterable[Candidates], log: Callable[[str, str], None]) -> Sequence[Candidates]:
        """Candidates that the lock names; of the others `log` is told.

        Parameters
        ----------
        candidates : iterable of Listed
            Files of the directory.
        log : callable
            ``log(level, text)``.

        Returns
        -------
        list of Listed

        Raises
        ------
        MissingReferenceError
            One of them cannot be chosen any more for what it is, because its header or its size was changed: another
            one would serve in its place.
        """
        found = []
        for candidate in candidates:
            locked = self._locked.get(os.path.realpath(candidate.path))
            if locked is None:
                log("info", f"{candidate.path}: not in {LOCK}; ignored")
                continue
            odd = candidate.problem or candidate.type != locked.type  # as files of another mission are
            if odd or os.stat(candidate.path).st_size != locked.size:
                self.refuse_changed(candidate.path)
            found.append(candidate)
        return found

    def refuse_changed(self, path: str) -> None:
        """Refuse a file that is not the one that was locked.

        Parameters
        ----------
        path : str
            The file that was chosen.

        Raises
        ------
        MissingReferenceError
            Its content is another one.
        """
        if _state(Path(path), self._locked[os.path.realpath(path)]) != "same":
            raise MissingReferenceError(
                f"{os.path.basename(path)} is not the file that was locked",
                mend="rt-refs fetch --overwrite brings that one again, and rt-refs lock takes this one",
                path=self._path,
            )
