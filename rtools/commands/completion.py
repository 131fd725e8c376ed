"""rt completion: completion of tools, options, their values and file names in bash (4.4 and newer), zsh and fish.

It is click's. The script that ``rt completion SHELL`` prints asks the tool itself at each TAB, through the environment
variable `VARIABLE`.
"""

import os

import click
from click import shell_completion

from rtools.commands.kit import common
from rtools.commands.kit.tools import command_of, groups
from rtools.errors import UsageError

__all__ = ["ENABLE", "VARIABLE", "Kit", "answer", "command", "script"]

VARIABLE = "_RT_COMPLETE"

ENABLE = {
    "bash": 'eval "$(rt completion bash)"',
    "zsh": 'eval "$(rt completion zsh)"',
    "fish": "rt completion fish | source",
}
"""Shell to the line of its startup file that enables completion."""


class _Files:
    """Where click has nothing to propose, files are."""

    def get_completions(self, args, incomplete):
        found = super().get_completions(args, incomplete)
        return found or [shell_completion.CompletionItem(incomplete, type="file")]


class _Bash(_Files, shell_completion.BashComplete):
    pass


class _Zsh(_Files, shell_completion.ZshComplete):
    pass


class _Fish(_Files, shell_completion.FishComplete):
    pass


_SHELLS = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


class Kit(click.Group):
    """All tools as subcommands of ``rt``, each loaded when it is asked for."""

    def list_commands(self, _context):
        return [*_tools(), "completion"]

    def get_command(self, _context, name):
        if name == "completion":
            return command
        try:
            return command_of(name.removeprefix("rt-"))
        except UsageError:
            return None


def _tools():
    return [name for group in groups().values() for name in group]


def script(shell):
    """What a shell (bash, zsh or fish) evaluates to complete ``rt`` and every ``rt-NAME``."""
    programs = ["rt", *(f"rt-{name}" for name in _tools())]
    made = (_SHELLS[shell](Kit("rt"), {}, program, VARIABLE) for program in programs)
    # not made.source(): for bash that starts a bash each time, to ask for its version
    return "\n".join(shell_completion.ShellComplete.source(one) for one in made)


def answer(command):
    """Print what completes the command line that the shell has put into the environment; the exit status."""
    shell, _, instruction = os.environ[VARIABLE].partition("_")
    if instruction != "complete" or shell not in _SHELLS:
        return 1
    click.echo(_SHELLS[shell](command, {}, command.name, VARIABLE).complete())
    return 0


@common.tool(
    "rt completion",
    summary="Print the completion of a shell.",
    description="The examples are lines for ~/.bashrc (bash 4.4 or newer), ~/.zshrc after compinit, and "
    "~/.config/fish/config.fish.",
    examples=tuple(ENABLE.values()),
    no_args_is_help=True,
)
@click.argument("shell", type=click.Choice(list(_SHELLS)))
def command(console, shell):
    click.echo(script(shell))
