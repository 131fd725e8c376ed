"""rt completion: what a shell evaluates to complete ``rt`` and all tools."""

import click
from click import shell_completion

from rtools.commands.kit.complete import ENABLE, SHELLS, VARIABLE
from rtools.commands.kit.tool import tool
from rtools.commands.kit.tools import OF_RT, command_of, groups
from rtools.errors import UsageError

__all__ = ["Kit", "command", "script"]


class Kit(click.Group):
    """All tools as subcommands of ``rt``, each loaded when it is asked for."""

    def list_commands(self, _context):
        return [*_tools(), *OF_RT, "help"]

    def get_command(self, _context, name):
        if name == "help":
            return Kit("help")
        try:
            return command_of(name.removeprefix("rt-"))
        except UsageError:
            return None


def _tools():
    return [name for group in groups().values() for name in group]


def script(shell):
    """What a shell (bash, zsh or fish) evaluates to complete ``rt`` and every ``rt-NAME``."""
    programs = ["rt", *(f"rt-{name}" for name in _tools())]
    made = (SHELLS[shell](Kit("rt"), {}, program, VARIABLE) for program in programs)
    # not made.source(): for bash that starts a bash each time, to ask for its version
    return "\n".join(shell_completion.ShellComplete.source(one) for one in made)


@tool(
    "rt completion",
    summary="Print the completion of a shell.",
    description="The examples are lines for ~/.bashrc (bash 4.4 or newer), ~/.zshrc after compinit, and "
    "~/.config/fish/config.fish.",
    examples=tuple(ENABLE.values()),
    no_args_is_help=True,
)
@click.argument("shell", type=click.Choice(list(SHELLS)))
def command(console, shell):
    click.echo(script(shell))
