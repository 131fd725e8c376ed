"""rt-info: what a file is, on one screen."""

import shutil
import sys
from functools import cache, partial

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import local
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.tool import tool

__all__ = ["command", "main"]

# What to show is said on the command line: RT_TREE or RT_LOGS may mean something else in an environment.
_option = partial(click.option, is_flag=True, allow_from_autoenv=False)
_print_json = partial(json_line, ascii_only=False)

DESCRIPTION = """\
Takes products and reference files (ASDF, and FITS of rt-fits), catalogs (parquet, ECSV, FITS) and associations (JSON),
of any age. Headers are read, no pixels. Steps stand in the order of the chain; of an array dtype, shape, unit, size and
compression, with the part that the stored bytes are of the decoded ones. Of guide-window and FACE files six lines tell
stages, exposures, flags and the star, or phases and quality.

Of products of JWST (FITS, ECSV) six lines tell what it is, of whom, when, what was done to it, with which references,
and where on the sky; further ones how it was read out or resampled, columns and wavelengths of tables, whether the tree
in the extension ASDF can be trusted, and the HDUs. -v names the files of references and all corners on the sky.

--tree, --history and --logs print these in place of the screen; with --json they are added to the data: one
object for each file, on a line of its own."""


@tool(
    "rt-info",
    summary="What is in a file: product, exposure, steps done, references, arrays.",
    description=DESCRIPTION,
    examples=(
        "rt-info r0000101001001001001_0001_wfi01_f158_cal.asdf",
        "rt-info --history X_cal.asdf",
        "rt-info --tree X_cat.parquet",
        "rt-info --json *_cal.asdf | jq .steps",
        "rt-info -v jw01024001001_02101_00001_nrca1_cal.fits",
    ),
    no_args_is_help=True,
)
@click.argument("file", nargs=-1, required=True)
@_option("--tree", help="Print the whole tree; arrays and WCS are named only.")
@_option("--history", help="Print what was done to the file, and with which parameters and references.")
@_option("--logs", help="Print the lines of meta.cal_logs.")
@options.json_output
@options.fail_fast
def command(console, file, tree, history, logs, as_json, fail_fast):
    from rtools.show import info
    from rtools.show.info_screen import screen

    names = expand_inputs(file)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    parts = {"tree": tree, "history": history, "logs": logs}
    shown = []

    def show(name):
        with local(name) as path:
            told = info.describe(path, _step_order) | {"file": name}
        if as_json:
            _print_json({"file": name, "status": "done"} | info.plain(told, **parts))
            return
        lines = (
            _parts(told, width, **parts)
            if any(parts.values())
            else screen(told, width or 80, verbose=console.verbosity > 0)
        )
        if any(parts.values()) and len(names) > 1:
            lines.insert(0, name)
        click.echo("\n".join([""] * bool(shown) + lines))
        shown.append(name)

    return for_each(console, names, show, fail_fast=fail_fast, report=_print_json if as_json else None)


@cache
def _step_order():
    """Keys of the steps of Roman, in the order of their chain."""
    from rtools.pipeline.exposure import chain

    return [chain.step_of(name).cal_step for name in chain.order()]


def _parts(told, width, *, tree, history, logs):
    from rtools.show import info

    lines = info.tree_lines(told, width) if tree else []
    lines += info.history_lines(told) if history else []
    return lines + (info.log_lines(told) if logs else [])


main = entry(command)
