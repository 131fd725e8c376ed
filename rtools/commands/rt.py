"""rt: lists the tools by group; ``rt NAME …`` runs ``rt-NAME``."""

import os
import sys
from difflib import get_close_matches

import click

from rtools import __version__
from rtools.commands.kit.entry import entry, leave
from rtools.commands.kit.tools import OF_RT, command_of, groups, summary_of
from rtools.errors import UsageError

__all__ = ["main"]


def main(args=None):
    """Console script."""
    at_once = args is None
    args = list(sys.argv[1:] if args is None else args)
    if at_once and "_RT_COMPLETE" in os.environ:
        from rtools.commands.completion import Kit
        from rtools.commands.kit.complete import answer

        sys.exit(answer(Kit("rt")))
    if args and args[0] in ("-V", "--version"):
        click.echo(f"rt (rtools) {__version__}")
        sys.exit(0)
    if not args or args[0] in ("-h", "--help") or args == ["help"]:
        try:
            _list_tools(err=not args)
        except BrokenPipeError:
            leave(141, at_once=at_once)
        except OSError as error:
            click.echo(f"rt: {(error.strerror or str(error)).lower()}", err=True)
            leave(1, at_once=at_once)
        sys.exit(0 if args else 2)
    if args[0] == "help":
        args = [*args[1:], "--help"]
    try:
        command = _asked(args[0])
    except UsageError as error:
        click.echo(f"rt: {error}", err=True)
        sys.exit(error.exit_code)
    sys.argv = [command.name, *args[1:]]  # as if called by its own name, for the history too
    entry(command)(None if at_once else args[1:])


def _asked(word):
    """The command of the first word after rt."""
    if word.startswith("-"):
        near = get_close_matches(word, ("--help", "--version", "-h", "-V"), n=1)
        mend = f"did you mean {near[0]}?" if near else "see rt --help"
        raise UsageError(f"no such option: {word}", mend=mend)
    return command_of(word if word in OF_RT else word.removeprefix("rt-"))


def _list_tools(*, err):
    click.echo("Usage: rt TOOL [ARGUMENTS]…   the same as rt-TOOL\n", err=err)
    for group, tools in groups().items():
        click.echo(f"{group}:", err=err)
        for name in tools:
            click.echo(f"  rt-{name:15s} {summary_of(name)}", err=err)
    click.echo("the installation:", err=err)
    for name in OF_RT:
        click.echo(f"  rt {name:15s} {summary_of(name)}", err=err)
    click.echo("\nrt help TOOL says what a tool does, with examples.", err=err)
