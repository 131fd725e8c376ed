"""Completion of tools, options, their values and file names in bash (4.4 and newer), zsh and fish.

It is click's. The script that ``rt completion SHELL`` prints asks the tool itself at each TAB, through the environment
variable `VARIABLE`.
"""

import os

import click
from click import shell_completion

__all__ = ["ENABLE", "SHELLS", "VARIABLE", "answer"]

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


SHELLS = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


def answer(command):
    """Print what completes the command line that the shell has put into the environment; the exit status."""
    shell, _, instruction = os.environ[VARIABLE].partition("_")
    if instruction != "complete" or shell not in SHELLS:
        return 1
    click.echo(SHELLS[shell](command, {}, command.name, VARIABLE).complete())
    return 0
