"""Lists of names of files, as arguments give them."""

import os
import sys
from pathlib import Path

from rtools.commands.kit.elsewhere import copies_of
from rtools.errors import InputError, UsageError
from rtools.remote.names import is_remote

__all__ = ["expand_inputs", "lines_of", "names_in"]


def expand_inputs(arguments):
    """Input names from the command line; ``@list.txt`` and ``@-`` are lists.

    A list has one name a line, comments after #; or names that NUL ends, as ``find -print0`` writes them.

    Raises
    ------
    rtools.errors.UsageError
        There are arguments, and no name in them: an empty list.
    """
    arguments, names = tuple(arguments), []
    for argument in arguments:
        if argument.startswith("@"):
            names += names_in(_text_of(argument[1:]), comments=True)
        else:
            names.append(argument)
    names = _here([name for name in names if name.strip()])
    if arguments and not names:
        raise UsageError("the list names no input file")
    return names


def lines_of(path):
    """Lines of a list that say something, without what stands behind a #.

    Parameters
    ----------
    path : str
        The list; ``-`` is standard input.

    Returns
    -------
    list of str

    Raises
    ------
    rtools.errors.InputError
        It cannot be read.
    """
    lines = (line.partition("#")[0].strip() for line in _text_of(path).splitlines())
    return [line for line in lines if line]


def _here(names):
    """Names of files that lie here: of those elsewhere that a list names, the paths of copies."""
    found = [name for name in names if is_remote(name)]
    if not found:
        return names
    copies = dict(zip(found, copies_of(found), strict=True))
    return [copies.get(name, name) for name in names]


def names_in(text, *, comments=False):
    """Names of files in a text: ended by NUL, or one a line.

    Parameters
    ----------
    text : str
    comments : bool
        Lines that begin with # are not names.
    """
    if "\0" in text:
        return [name for name in text.split("\0") if name.strip()]
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return [line for line in lines if line.strip() and not (comments and line.lstrip().startswith("#"))]


def _text_of(path):
    """Text of a list; bytes that are not letters stay what they are in names of files."""
    try:
        return sys.stdin.read() if path == "-" else os.fsdecode(Path(path).read_bytes())
    except OSError as error:
        raise InputError(f"cannot read the list ({error.strerror})", path=path) from None
