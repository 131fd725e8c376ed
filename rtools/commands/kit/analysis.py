"""What tools share that make a table of each input, or of all: the loop, what is refused, the picture."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rtools.commands.kit.analysis_options import Wanted
from rtools.commands.kit.analysis_tables import Analysis, joined, print_tables, record_of, write_table
from rtools.commands.kit.console import Console, json_line
from rtools.commands.kit.inputs import is_stream, local, local_path, opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import errors_in_json, file_record, for_each
from rtools.commands.kit.outputs import Outputs, kept_back
from rtools.commands.kit.terminal import terminal_style
from rtools.errors import RtoolsError, UsageError
from rtools.products.names.extensions import TABLES, table_form

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.show.chart import Chart

__all__ = ["analyse", "analyse_together"]


def analyse(
    console: Console,
    inputs: tuple[str, ...],
    wanted: Wanted,
    find: Callable[[str, str], Analysis],
    *,
    name: Callable[[str], str],
    draw: Callable[[list[tuple[str, Table]]], Chart] | None = None,
    show: Callable[[list[str]], None] | None = None,
    long: bool = False,
    jwst: bool = False,
) -> int:
    """Make the table of each input, and print, write and draw what is asked for.

    Parameters
    ----------
    console : Console
        Takes messages.
    inputs : tuple of str
        As they were typed.
    wanted : Wanted
        Where the tables go.
    find : callable
        ``find(name, path)`` gives the analysis of an input.
    name : callable
        ``name(stem)`` gives the name of a table in ``--outdir`` without its extension, from the stem of the input.
    draw : callable, optional
        ``draw([(input, table), …])`` gives a chart of all.
    show : callable, optional
        ``show([input, …])`` prints on a terminal, instead of the table.
    long : bool
        Tables are long: parquet is written where nothing says the format.
    jwst : bool
        Products of JWST are taken, too.

    Returns
    -------
    int
        The exit status.
    """
    names, form, outputs = _begin(inputs, wanted, long=long, draws=draw is not None)
    filenames = {one: f"{name(_stem(one))}{TABLES[form][0]}" for one in names} if wanted.outdir else {}
    outputs.refuse_twins({one: filename for one, filename in filenames.items() if not is_stream(one)})
    found: list[tuple[str, Analysis]] = []

    def one(item):
        target = outputs.path(item, filenames[item]) if wanted.outdir else None
        if wanted.dry_run:
            _plan(console, wanted, [item], target, {"file": item}, jwst=jwst)
            return
        with local(item) as path:
            analysis = find(item, path)
        found.append((item, analysis))
        _deliver(console, wanted, (form, target), analysis, {"file": item})

    status = for_each(console, names, one, fail_fast=wanted.fail_fast, report=json_line if wanted.as_json else None)
    if found:
        _finish(console, wanted, (form, [item for item, _ in found]), found, (draw, show))
    return status


def analyse_together(
    console: Console,
    inputs: tuple[str, ...],
    wanted: Wanted,
    find: Callable[[list[str], list[str]], Analysis],
    *,
    name: Callable[[str], str],
    draw: Callable[[list[tuple[str, Table]]], Chart] | None = None,
    long: bool = False,
    looks: bool = True,
) -> int:
    """Make one table of all inputs, and print, write and draw what is asked for.

    Parameters
    ----------
    console, inputs, wanted, draw, long
        As `analyse` takes them.
    find : callable
        ``find(names, paths)`` gives the analysis of all inputs.
    name : callable
        As for `analyse`, of the first input.
    looks : bool
        Whether a dry run opens the inputs to see that they are there.

    Returns
    -------
    int
        The exit status.
    """
    names, form, outputs = _begin(inputs, wanted, long=long, draws=draw is not None)
    filename = f"{name(_stem(names[0]))}{TABLES[form][0]}"
    target = outputs.path(names[0], filename) if wanted.outdir else None
    with errors_in_json(wanted.as_json, inputs=names), console.gathering(names):
        if wanted.dry_run:
            _plan(console, wanted, names, target, {"inputs": names}, looks=looks)
            return 0
        analysis = find(names, [local_path(one) for one in names])
    _deliver(console, wanted, (form, target), analysis, {"inputs": names})
    title = names[0] if len(names) == 1 else f"{Path(names[0]).name} and {len(names) - 1} more"
    _finish(console, wanted, (form, names), [(title, analysis)], (draw, None))
    return 0


def _plan(console, wanted, names, target, inputs, *, jwst=False, looks=True):
    """Say what would be written of some inputs, which must be there."""
    for name in names if looks else ():
        with opened(name, others=True, jwst=jwst):
            pass
    target = target or wanted.output
    if wanted.as_json:
        record = file_record(console, names[0], [target] if target else [], dry_run=True)
        json_line(inputs | {key: value for key, value in record.items() if key != "input" or "file" in inputs})
    else:
        click.echo(" ".join(names) + (f" -> {target}" if target else ""))


def _begin(inputs, wanted, *, long, draws):
    """Names of the inputs, form of the tables, and their places: what can be refused is refused before any work."""
    names = list(dict.fromkeys(expand_inputs(inputs)))
    if not names:
        raise UsageError("the list names no input file")
    if wanted.plot and not draws:
        raise UsageError("--plot: there is no picture of what --show asks for")
    outputs = Outputs(wanted.output or wanted.plot, wanted.outdir, overwrite=wanted.overwrite, inputs=names[:1],
                      dry_run=wanted.dry_run or wanted.plot == "-")  # fmt: skip
    _refuse_existing(wanted)
    return names, _form_of(wanted, long=long), outputs


def _form_of(wanted, *, long):
    if wanted.form:
        return wanted.form
    if wanted.output and wanted.output != "-":
        return table_form(wanted.output, option="--format")
    return "parquet" if long and wanted.output != "-" else "ecsv"


def _deliver(console, wanted, place, analysis, inputs):
    """Write a table in --outdir, if that is asked for, and say so; `inputs` is what --json calls what it is of."""
    form, target = place
    if target:
        write_table(console, target, analysis.table, form, inputs.get("inputs") or inputs.values())
    if wanted.as_json:
        json_line(record_of(console, inputs, [target] if target else [], analysis))
    elif target:
        click.echo(target)


def _stem(name):
    return "stdin" if is_stream(name) else Path(name).stem


def _refuse_existing(wanted):
    """Refuse what is in the way of the one table and the picture before any work."""
    for name in (wanted.output, wanted.plot):
        if name not in (None, "-") and Path(name).exists() and not (wanted.overwrite or wanted.dry_run):
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=name)


def _finish(console, wanted, table, found, pictures):
    """What is made of all inputs together: the one table, by its form and its inputs, what is printed, the picture."""
    (form, names), (draw, show) = table, pictures
    picture = None
    if wanted.plot and draw:  # before the table, which is not written where the picture fails
        picture = _drawn(wanted, draw([(item, analysis.table) for item, analysis in found]))
    with kept_back(picture):
        if wanted.output:
            target = None if wanted.output == "-" else Path(wanted.output)
            write_table(console, target, joined(found), form, names)
            if target is not None and not wanted.as_json:
                click.echo(target)
        elif not (wanted.outdir or wanted.as_json or wanted.plot):
            if show is not None and sys.stdout.isatty():
                show([item for item, _ in found])
            else:
                print_tables(console, found)
    if picture is not None and not wanted.as_json:
        click.echo(wanted.plot)


def _drawn(wanted, chart):
    """The picture in the terminal; one for a file under its temporary name."""
    from rtools.show.chart import draw_chart, plot_chart

    if wanted.plot == "-":
        click.echo("\n".join(draw_chart(chart, terminal_style())))
        return None
    from rtools.show.plot import stage_figure

    return stage_figure(plot_chart(chart), wanted.plot)
