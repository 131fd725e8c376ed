"""Options that would change nothing, refused before any work."""

from collections.abc import Mapping

import click

from rtools.commands.kit.tool import typed
from rtools.errors import UsageError

__all__ = ["REFERENCE_KEYS", "refuse_idle", "refuse_other_references"]

REFERENCE_KEYS = ("ref", "refdir", "builtin")
"""Parameters that say where references are looked for."""


def refuse_idle(why: Mapping[str, str]) -> None:
    """Refuse options that stand on the command line and do nothing there.

    What a configuration or the environment gives is not refused: it is said for all calls.

    Parameters
    ----------
    why : mapping of str to str
        Names of parameters, and what is said behind the option: ``goes with --depth``.

    Raises
    ------
    UsageError
        One is typed.
    """
    command = click.get_current_context().command
    for param in command.params:
        if param.name in why and typed(param.name):
            raise UsageError(f"{param.opts[-1]} {why[param.name]}")


def refuse_other_references(ref, taken):
    """Refuse references of types that a call does not read.

    Parameters
    ----------
    ref : sequence of str
        As ``--ref`` gives them, ``TYPE=FILE``.
    taken : sequence of str
        Types that are read.

    Raises
    ------
    UsageError
        Another type is typed.
    """
    for word in ref if typed("ref") else ():
        kind = word.partition("=")[0]
        if "=" in word and kind not in taken:
            raise UsageError(f"--ref {word}: nothing is done with a reference of this type here",
                             mend=f"--ref takes {' and '.join(taken)}")  # fmt: skip
