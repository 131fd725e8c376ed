"""rt-catalog: the sources of an image or a mosaic."""

import click

from rtools.commands.kit import step_tools
from rtools.commands.kit.entry import entry

__all__ = ["CATALOGS", "command", "main"]

CATALOGS = ("parquet", "ecsv")
"""Forms in which catalogs are written."""

form = click.option(
    "--format",
    "form",
    type=click.Choice(CATALOGS),
    help="Format of the catalog; by default as -o is named, else parquet.",
)

command = step_tools.command("catalog", more=(form,), forms=CATALOGS)

main = entry(command)
