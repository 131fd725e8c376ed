"""The one family of errors, and the exit codes they end in.

Rooms raise these; `rtools.commands.kit.failures` and `entry` turn each into one line on stderr and an exit status.
"""

from contextlib import contextmanager

__all__ = [
    "InputError",
    "MissingReferenceError",
    "OutsideError",
    "QualityError",
    "Refusal",
    "RtoolsError",
    "RtoolsWarning",
    "UsageError",
    "about",
    "own_work",
    "with_article",
]


class RtoolsError(Exception):
    """Something a user can mend: ``FILE: what is wrong; how to mend it``.

    Parameters
    ----------
    message : str
        What is wrong, one line.
    mend : str, optional
        What to do about it, printed after a semicolon.
    path : str or os.PathLike, optional
        The file that the message is about, printed first.
    """

    exit_code = 1

    def __init__(self, message, *, mend=None, path=None):
        super().__init__(message)
        self.message = message
        self.mend = mend
        self.path = path

    def __reduce__(self):
        return _again, (type(self), self.message, self.mend, self.path)

    def __str__(self):
        line = self.message if self.mend is None else f"{self.message}; {self.mend}"
        return line if self.path is None else f"{self.path}: {line}"


class RtoolsWarning(UserWarning):
    """Something a user should know of a result; functions of `rtools` that have no log warn with it."""


class UsageError(RtoolsError):
    """The command line asks for something that cannot be asked (exit 2)."""

    exit_code = 2


class Refusal(UsageError):
    """What is wrong with the command line as a whole, found at one of its inputs: no input is worked on (exit 2)."""


class InputError(RtoolsError):
    """Input data are missing, unreadable, or not what the tool takes (exit 3)."""

    exit_code = 3


class OutsideError(InputError):
    """A place is not on the image; of several images and places a tool takes those that are (exit 3)."""


class MissingReferenceError(RtoolsError):
    """A reference file that the chain needs is nowhere to be found (exit 4)."""

    exit_code = 4


class QualityError(RtoolsError):
    """The result misses a quality limit that was asked for (exit 5)."""

    exit_code = 5


@contextmanager
def about(path):
    """Errors that are raised inside name a file, where they do not name one yet.

    Parameters
    ----------
    path : str or os.PathLike or None
        The file.
    """
    try:
        yield
    except RtoolsError as error:
        error.path = error.path or path
        raise


@contextmanager
def own_work():
    """Unforeseen errors inside are those of the program, whatever is wrong with files that have been read."""
    try:
        yield
    except RtoolsError:
        raise
    except (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        text = " ".join(str(error).split()) or "no reason is given"
        line = f"internal error: {type(error).__name__}: {text}"
        raise RtoolsError(line, mend="run again with --debug") from error


def with_article(words: str) -> str:
    """Words of a message with "a" or "an" before them, as they are read: a ramp, an x1d, an l2_image.

    Parameters
    ----------
    words : str
        The kind of a product, a type of references, or more words.

    Returns
    -------
    str
    """
    spelt = words[:1].lower() in "flmnrsx" and words[1:2].isdigit()
    return f"{'an' if spelt or words[:1].lower() in 'aeiou' else 'a'} {words}"


def _again(kind, message, mend, path):
    """An error that was pickled."""
    return kind(message, mend=mend, path=path)
