"""rt-catalog: the sources of an image or a mosaic."""

import click

from rtools.commands import step
from rtools.commands.common import entry

__all__ = ["command", "main"]

form = click.option(
    "--format",
    "form",
    type=click.Choice(("parquet", "ecsv")),
    help="Format of the catalog; by default as -o is named, else parquet.",
)

command = step.command("catalog", more=(form,))

main = entry(command)
