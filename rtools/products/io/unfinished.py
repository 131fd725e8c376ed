"""Files that this process has written and not named yet, so that none stays when it is interrupted.

An interrupt may come before anybody knows of a file. So each is listed from the start, and what is still on the list
is removed when the process ends. It imports next to nothing: every tool has it.
"""

import contextlib
import os

__all__ = ["add", "discard", "remove_all"]

_paths: set[str] = set()


def add(path: str | os.PathLike[str]) -> None:
    """List a temporary file.

    Parameters
    ----------
    path : str or os.PathLike
        Its name, which has the number of the process in it (`temporary.name_beside`).
    """
    _paths.add(os.fspath(path))


def discard(path: str | os.PathLike[str]) -> None:
    """Take a file from the list: it has its name, or is gone.

    Parameters
    ----------
    path : str or os.PathLike
        As `add` was given it.
    """
    _paths.discard(os.fspath(path))


def remove_all() -> None:
    """Remove the files of this process that are on the list; those of one that forked it stay."""
    own = f"-{os.getpid()}-"
    for path in list(_paths):
        if own in os.path.basename(path):
            with contextlib.suppress(OSError):
                os.unlink(path)
    _paths.clear()
