"""What a check finds: one line of a report."""

from typing import NamedTuple

__all__ = ["SEVERITIES", "Finding", "error", "failed_check", "info", "warning"]

SEVERITIES = ("error", "warning", "info")
"""Worst first."""


class Finding(NamedTuple):
    """One thing that a check found.

    Attributes
    ----------
    severity : str
        ``error`` (the file is wrong), ``warning`` (it may be), ``info`` (worth knowing).
    check : str
        Which check it was.
    where : str
        Dotted path below ``roman``, a block, or ``file name``.
    message : str
        One line.
    """

    severity: str
    check: str
    where: str
    message: str


def error(check, where, message):
    """A finding that makes a file invalid."""
    return Finding("error", check, where, message)


def warning(check, where, message):
    """A finding that counts only in strict reports."""
    return Finding("warning", check, where, message)


def info(check, where, message):
    """A finding that does not count."""
    return Finding("info", check, where, message)


def failed_check(check, problem):
    """A finding of a check that could not be made, because a file says what no check has foreseen.

    Parameters
    ----------
    check : str
        Which check it was.
    problem : Exception
        What came up.
    """
    text = " ".join(str(problem).split())
    return error(check, "the file", f"cannot be checked ({type(problem).__name__}: {text})")
