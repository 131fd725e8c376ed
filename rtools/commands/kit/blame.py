"""Whose fault it was: an error that nobody foresaw is that of a file where a file that was read is not valid.

What reads a value of a file takes it for what the layout of the product says. So a tool may stumble over a file that
says something else in as many places as it has values. Here is the one place that asks the files themselves.
"""

import os
from collections.abc import Iterable, Iterator

import click

from rtools.errors import InputError

__all__ = ["blamed_file"]


def blamed_file(name: str | None, words: Iterable[str] = ()) -> InputError | None:
    """The error of the first file that is not valid, of those that a command has read.

    Parameters
    ----------
    name : str or None
        The input that was worked on; None where it is not known.
    words : iterable of str
        Of the command line, where no command is under way any more.

    Returns
    -------
    InputError or None
        None where nothing is wrong with any of them.
    """
    mend = "rt-validate tells all that is wrong with it"
    for path in dict.fromkeys(_files((name or "", *words, *_words_of_command()))):
        problem = _problem_of(path)
        if problem:
            return InputError(f"not a valid file: {problem}", mend=mend, path=path)
    return None


def _words_of_command() -> Iterator[str]:
    """What stands on the command line of the command that is under way."""
    context = click.get_current_context(silent=True)
    waiting = list(context.params.values()) if context else []
    while waiting:
        value = waiting.pop(0)
        if isinstance(value, str):
            yield value
        elif isinstance(value, list | tuple):
            waiting[:0] = value


def _files(words: Iterable[str]) -> Iterator[str]:
    """Files that words name, as FILE or KEY=FILE; in place of an association, its members, too."""
    from rtools.commands.kit.associations import members_in
    from rtools.commands.kit.inputs import is_association

    for word in words:
        for path in (word, word.partition("=")[2]):
            if path and "\0" not in path and os.path.isfile(path):
                yield path
                if is_association(path):
                    yield from _quietly(members_in, path) or ()


def _problem_of(path: str) -> str | None:
    """What is wrong with a file; None where nothing is, and of a file that nobody can check."""
    from rtools.products.forms import form_of, read_tree

    form = _quietly(form_of, path)
    try:
        if form == "fits" and not _quietly(_can_be_checked, path):
            read_tree(path)
        elif form in ("asdf", "fits", "parquet", "ecsv"):
            return _quietly(_first_error, path)
    except InputError as error:
        return error.message
    except Exception:
        return None
    return None


def _can_be_checked(path):
    from rtools.products.check.jwst import is_jwst

    return is_jwst(path)


def _first_error(path):
    """The first error that rt-validate finds in a file."""
    from rtools.commands.kit.examination import examined

    try:
        for quick in (True, False):
            for finding in examined(path, name="", quick=quick).findings:
                if finding.severity == "error":
                    return f"{finding.where}: {finding.message}"
    except InputError as error:
        return error.message
    return None


def _quietly(function, *args):
    """What a function returns; None where it fails, for an error is told already."""
    try:
        return function(*args)
    except Exception:
        return None
