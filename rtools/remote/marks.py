"""Directories of copies: a mark in each says what lies elsewhere, by which every process knows where a file is from."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["MARK", "SENT", "beside", "mark", "source_of", "told", "unsent"]

MARK = ".rtools-elsewhere"
"""File in a directory: the name of the file of which a copy lies there; of a directory, with a / at its end."""


SENT = ".rtools-sent"
"""File in a directory of outputs that go elsewhere: names of those that got there, a NUL behind each."""

PATH = re.compile(r"(?<![^\s=:(,'\"])/[^\s:;,()'\"]+")
"""An absolute path among words."""


def mark(folder: str | Path, url: str) -> None:
    """Say of a directory what lies in it.

    Parameters
    ----------
    folder : str or Path
        It is there.
    url : str
        Without secrets: of the one file in it, or with a ``/`` at its end that of the directory.
    """
    Path(folder, MARK).write_text(url, "utf-8")


def source_of(path: str | Path) -> str | None:
    """Where a file lies of which this is a copy, or where one will lie that is made here first.

    Parameters
    ----------
    path : str or Path
        Any path; links are followed. It need not exist.

    Returns
    -------
    str or None
        None for a file that is at home here.
    """
    for one in (os.path.abspath(path), os.path.realpath(path)):
        folder, name = os.path.split(one)
        try:
            with open(os.path.join(folder, MARK), encoding="utf-8") as file:
                url = file.read()
        except (OSError, ValueError):
            continue
        return url + name if url.endswith("/") else url
    return None


def unsent(folder: str | Path) -> list[str]:
    """Outputs that are whole and did not get where they were to go.

    Parameters
    ----------
    folder : str or Path
        A directory in which they were made.

    Returns
    -------
    list of str
        Their names from there; none of a directory of anything else, which has no file `SENT`.
    """
    try:
        sent = Path(folder, SENT).read_bytes().split(b"\0")
    except OSError:
        return []
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".")]
        for path in (os.path.join(place, name) for name in files if not name.startswith(".")):
            name = os.path.relpath(path, folder)
            if os.path.getsize(path) and os.fsencode(name) not in sent:  # empty ones stand for what is there
                found.append(name)
    return sorted(found)


def told(text: str) -> str:
    """A text in which copies of what lies elsewhere are called by the names there.

    Parameters
    ----------
    text : str
        A path, or words among which paths are.

    Returns
    -------
    str
    """
    if "/" not in text:
        return text
    if os.path.isabs(text) and (whole := source_of(text)):
        return whole
    return PATH.sub(lambda found: source_of(found[0]) or found[0], text)


def beside(folder: str | os.PathLike) -> Path:
    """Where outputs go that shall lie beside an input: not among copies of what lies elsewhere.

    Parameters
    ----------
    folder : str or Path
        The input's directory.

    Returns
    -------
    Path
        The directory itself, or the working directory.
    """
    return Path() if os.path.exists(os.path.join(folder, MARK)) else Path(folder)
