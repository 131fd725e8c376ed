"""rt-tweakreg: images aligned to reference stars."""

import click

from rtools.commands.kit import step_tools
from rtools.commands.kit.entry import entry
from rtools.commands.kit.written import Written
from rtools.products.names.extensions import TABLES

__all__ = ["command", "main"]

more = (
    click.option("--together", is_flag=True, help="One correction for all images; so is an association's."),
    click.option("--catalog", metavar="FILE", help="Catalog of the image; else the one it names, or X_cat.parquet."),
    click.option(
        "--update-catalog",
        is_flag=True,
        help="Bring the sky positions in the catalog up to date, where it is accepted.",
    ),
    click.option(
        "--matches",
        type=Written(*TABLES),
        metavar="FILE",
        help="Write the table of matches; its extension says the format.",
    ),
)

command = step_tools.command("tweakreg", more=more)

main = entry(command)
