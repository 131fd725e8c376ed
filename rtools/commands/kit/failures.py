"""What went wrong as one line and an exit code: any exception is made a `rtools.errors.RtoolsError` here."""

import errno

from rtools.commands.kit.blame import blamed_file
from rtools.errors import InputError, RtoolsError

__all__ = ["as_rtools_error", "was_interrupt"]

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of the system for which an input is not to blame."""


def as_rtools_error(error, name=None, words=()):
    """The error that is told in place of an exception.

    Parameters
    ----------
    error : Exception
        What was raised.
    name : str, optional
        The input that was worked on; None if it is not known that one is to blame.
    words : sequence of str
        Of the command line, where no command is under way any more.

    Returns
    -------
    RtoolsError
        The exception itself if it is one.
    """
    if isinstance(error, RtoolsError):
        return error
    if isinstance(error, OSError):
        text = (error.strerror or str(error)).lower()
        return _kind_of(error, name)(text, path=error.filename or name or None)
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, MemoryError):
        return RtoolsError(f"not enough memory ({text})")
    found = blamed_file(name, words)
    return found or RtoolsError(f"internal error: {type(error).__name__}: {text}", mend="run again with --debug")


def _kind_of(error, name):
    """Class of the error that an error of the system is told as, which says the exit code."""
    if name is None:
        return InputError if isinstance(error, FileNotFoundError | IsADirectoryError) else RtoolsError
    return RtoolsError if error.errno in NO_ROOM else InputError


def was_interrupt(error):
    """Whether an error is what some library made of an interrupt.

    Parameters
    ----------
    error : Exception
        What was raised.
    """
    while error is not None:
        error = error.__cause__ or error.__context__
        if isinstance(error, KeyboardInterrupt):
            return True
    return False
