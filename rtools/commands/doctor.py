"""rt doctor: in what condition the installation is."""

import sys
from textwrap import wrap

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import print_json
from rtools.commands.kit.tool import tool

__all__ = ["command"]

COLOURS = {"ok": "green", "note": "yellow", "bad": "red"}

WIDTH = 56
"""Characters of what was found, so that lines have 80."""

DESCRIPTION = """\
Looks at versions, extras, cores, memory, compiled kernels, references, the reference catalog, the environment, and at
where files can be written. Each line says what there is, and where something could be better what to do. A report of a
fault should have this text in it. Nothing is changed, and the network is not asked.

Exit status 1 if something will fail."""


@tool(
    "rt doctor",
    summary="In what condition the installation is, and what to do.",
    description=DESCRIPTION,
    examples=("rt doctor", "rt doctor --json"),
)
@options.json_output
def command(console, as_json):
    from rtools.commands.kit.condition import all_looks

    looks = all_looks()
    if as_json:
        print_json([look._asdict() for look in looks])
    else:
        for look in looks:
            _show(look)
    return int(any(look.verdict == "bad" for look in looks))


def _show(look):
    verdict = f"{look.verdict:5s}"
    if sys.stdout.isatty():
        verdict = click.style(verdict, fg=COLOURS[look.verdict])
    first, *more = wrap(look.found, WIDTH) + wrap(look.todo, WIDTH)
    click.echo(f"{verdict}{look.about:18s} {first}")
    for line in more:
        click.echo(f"{'':24s}{line}")
