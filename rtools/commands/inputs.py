"""Opening the files of a command line: a name, or ``-`` for standard input."""

import shutil
import sys
import tempfile
from contextlib import contextmanager

from rtools.errors import RtoolsError, UsageError

__all__ = ["local", "opened"]


@contextmanager
def opened(name, kinds=None):
    """An opened product; standard input is copied to a temporary file, of which errors speak as ``-``.

    Parameters
    ----------
    name : str
    kinds : iterable of str, optional
        As `rtools.products.reader.open_product`.

    Yields
    ------
    rtools.products.reader.Product
    """
    from rtools.products import reader

    with local(name) as path, reader.open_product(path, kinds) as product:
        yield product


@contextmanager
def local(name, suffix=".asdf"):
    """The path of a file of any form; of standard input that of a temporary copy, of which errors speak as ``-``."""
    if name != "-":
        yield name
        return
    if sys.stdin.isatty():
        raise UsageError("will not read a file from a terminal", mend="give a file or a pipe")
    with tempfile.NamedTemporaryFile(prefix="rtools-", suffix=suffix) as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
        file.flush()
        try:
            yield file.name
        except RtoolsError as error:
            if str(error.path) == file.name:
                error.path = name
            raise
