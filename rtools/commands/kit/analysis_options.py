"""Options of tools that make a table of each input: where tables go, in which form, and the picture of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from rtools.commands.kit.options import json_output
from rtools.commands.kit.written import Written, WrittenPlace
from rtools.errors import UsageError
from rtools.products.names.extensions import PICTURES, TABLES

__all__ = ["Wanted", "analysis_options", "take_wanted"]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Where the tables go.

    Attributes
    ----------
    output, outdir, form, plot : str or None
        ``-o``, ``--outdir``, ``--format`` and ``--plot``.
    overwrite, dry_run, as_json, fail_fast : bool
        The options of these names.
    """

    output: str | None
    outdir: str | None
    form: str | None
    plot: str | None
    overwrite: bool
    dry_run: bool
    as_json: bool
    fail_fast: bool


BEFORE = (
    click.option("-o", "--output", type=Written(*TABLES), metavar="FILE",
                 help="One table of all inputs, with this name; - is stdout."),
    click.option("--outdir", type=WrittenPlace(), metavar="DIR", help="Write there, one table for each input."),
    click.option("--format", "form", type=click.Choice(tuple(TABLES)),
                 help="Of what is written; else the extension of -o; in --outdir ECSV, or parquet for long tables."),
)  # fmt: skip
AFTER = (
    click.option("--overwrite", is_flag=True, help="Replace outputs that exist; otherwise refused, exit 1."),
    click.option("-n", "--dry-run", is_flag=True, help="Say what would be written; write nothing."),
    json_output,
    click.option("--fail-fast", is_flag=True, help="Stop at the first input that fails."),
)


def analysis_options(function=None, *, plot=("--plot",)):
    """Decorate a command with the options that `Wanted` holds.

    Parameters
    ----------
    function : callable, optional
        The command; without it a decorator is returned.
    plot : sequence of str
        What the option of the picture is called.

    Returns
    -------
    callable
    """
    if function is None:
        return lambda decorated: analysis_options(decorated, plot=plot)
    drawn = click.option(*plot, "plot", type=Written(*PICTURES), metavar="FILE.png",
                         help="Draw it instead of printing; - draws in the terminal.")  # fmt: skip
    for decorator in reversed((*BEFORE, drawn, *AFTER)):
        function = decorator(function)
    return function


def take_wanted(options: dict[str, Any]) -> Wanted:
    """Take the options of `analysis_options` out of those of a command.

    Parameters
    ----------
    options : dict
        Of the command; these are removed.

    Returns
    -------
    Wanted

    Raises
    ------
    UsageError
        They do not go together.
    """
    wanted = Wanted(**{name: options.pop(name) for name in Wanted.__dataclass_fields__})
    if wanted.form and not (wanted.output or wanted.outdir):
        raise UsageError("--format goes with -o or --outdir")
    if wanted.as_json and "-" in (wanted.output, wanted.plot):
        raise UsageError("--json and an output on standard output do not go together")
    return wanted
