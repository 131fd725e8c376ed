"""Tables that a tool made of its inputs: joined, written with what made them, printed, as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rtools.commands.kit.console import Console
from rtools.commands.kit.inputs import is_stream
from rtools.commands.kit.loop import file_record
from rtools.commands.kit.outputs import deliver
from rtools.products.names.extensions import TABLES

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["Analysis", "joined", "print_tables", "record_of", "write_table"]


@dataclass(frozen=True)
class Analysis:
    """What a tool found in one input.

    Attributes
    ----------
    table : astropy.table.Table
        With units, descriptions and plain metadata.
    summary : dict
        What ``--json`` says beside the rows.
    lines : tuple of str
        What is said beside the table where it is printed on a terminal.
    every : bool
        Whether a terminal gets all rows.
    """

    table: Table
    summary: dict[str, Any] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    every: bool = False


def joined(found: list[tuple[str, Analysis]]) -> Table:
    """One table; of several inputs, its first column says which, unless a column filename does.

    Parameters
    ----------
    found : list of (str, Analysis)
        Inputs, and what was found in each.

    Returns
    -------
    astropy.table.Table
    """
    from astropy.table import Column, vstack

    if len(found) == 1:
        return found[0][1].table
    tables = []
    for item, analysis in found:
        table = analysis.table.copy(copy_data=False)
        if "filename" not in table.colnames:
            names = [Path(item).name] * len(table)
            table.add_column(Column(names, name="filename", dtype="U", description="Of which file it is"), 0)
        tables.append(table)
    return vstack(tables, metadata_conflicts="silent")


def write_table(console: Console, path: str | Path | None, table: Table, form: str, inputs: Iterable[str]) -> None:
    """Write a table that says what made it, to a file or to standard output.

    Parameters
    ----------
    console : Console
        Takes messages.
    path : str, Path or None
        The file; None is standard output.
    table : astropy.table.Table
        Gets the record of its job.
    form : str
        Of the file.
    inputs : iterable of str
        What it was made of.
    """
    from rtools.products.io.recording import JOB_OF_TABLE, settled_entry
    from rtools.products.schema import history
    from rtools.products.tables.files import stage_catalog

    name = f"table{TABLES[form][0]}"
    entry = history.entry(console.tool, inputs=[one for one in inputs if not is_stream(one)])

    def stage(place):
        table.meta[JOB_OF_TABLE] = json.dumps(settled_entry(entry, path or name)[0], ensure_ascii=False)
        staged = stage_catalog(place, table, form)
        for text in staged.messages:
            console.log("warning", f"{path or '-'}: {text}")
        return staged

    if not len(table):
        console.log("warning", f"{path or '-'}: no row")
    deliver(path, name, stage)


def print_tables(console: Console, found: list[tuple[str, Analysis]]) -> None:
    """Print the table on a terminal or in a pipe, and what is said beside it.

    Parameters
    ----------
    console : Console
        Takes messages.
    found : list of (str, Analysis)
        Inputs, and what was found in each.
    """
    from rtools.show.catalog import print_catalog

    table = joined(found)
    title = found[0][0] if len(found) == 1 else f"{len(found)} files"
    if not len(table):
        console.log("warning", f"{title}: no row")
    print_catalog(
        table,
        title,
        whole=any(analysis.every for _, analysis in found),
        note=lambda text: console.log("note", text.replace("; --head says how many", "; -o writes all")),
    )
    if sys.stdout.isatty():
        for _, analysis in found:
            for line in analysis.lines:
                click.echo(line)


def record_of(console: Console, inputs: dict[str, Any], targets: list[str], analysis: Analysis) -> dict[str, Any]:
    """What ``--json`` says of one input, or of all together.

    Parameters
    ----------
    console : Console
        Has the warnings.
    inputs : dict
        What it is of, ``file`` or ``inputs``.
    targets : list of str
        What was written; without it the rows are in the record.
    analysis : Analysis
        What was found.

    Returns
    -------
    dict
    """
    from rtools.products.tables.plain_forms import plain_rows

    record = inputs | file_record(console, inputs.get("file", ""), targets) | analysis.summary
    if "inputs" in record:
        del record["input"]
        record["warnings"] = list(dict.fromkeys(record["warnings"]))
    return record if targets else record | {"rows": plain_rows(analysis.table)}
