"""rt-table: catalogs as tables, in other formats, units and names."""

from pathlib import Path

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import is_stream, local
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import file_record, for_each
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.tool import tool
from rtools.commands.kit.values import complete_columns
from rtools.errors import UsageError, about
from rtools.expressions.guide import HELP
from rtools.products.names.extensions import EXTENSIONS, TEXTS, WRITTEN_TABLES, table_form
from rtools.wfi.guide import STAGES
from rtools.wfi.units import FLUX_UNITS

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-table X_cat.parquet --columns label,ra,dec,kron_abmag --sort kron_abmag --head 10",
    "rt-table X_cat.parquet --where 'kron_flux > 200 and warning_flags == 0' -o bright.ecsv",
    "rt-table X_cat.parquet --where 'kron_flux/kron_flux_err > 10 and warning_flags == 0' --format csv",
    "rt-table X_cat.parquet --add 'colour = mag(kron_flux) - mag(psf_flux)' --sort -abs(colour) --head 10",
    "rt-table X_cat.parquet --where 'sep(ra, dec, 270.1, 66.0) < 10 and not is_extended' -o near.reg",
    "rt-table X_cat.parquet --describe",
    "rt-table *_cat.parquet --stack --columns file,label,ra,dec,kron_abmag -o night.ecsv",
    "rt-table *_cat.parquet --format fits --outdir fits",
    "rt-table X_cat.parquet --flux-unit ABmag --columns 'label,aper*_abmag' --format csv -o - | head",
    "rt-table jw…_x1dints.fits --explode --where 'WAVELENGTH > 3' --columns INT_NUM,WAVELENGTH,FLUX",
    "rt-table jw…_ami-oi.fits --hdu OI_T3 -o phases.ecsv",
)

SHOWN = 8
"""Names of other tables that are told."""

DESCRIPTION = f"""\
Reads parquet, ECSV, CSV, FITS, VOTable and the tables in ASDF, told by content; writes the format that the extension of
-o or --format says, with units, descriptions and metadata where the format has a place for them. FITS and VOTable know
no mag(AB): it is mag there. reg is a region file of DS9, a labelled circle for each row; json is a list of rows.
Without an output the table is printed: in panels on a terminal, else as tab-separated lines led by the names; with
--format alone it is printed in that format. In what is written, meta.filename, meta.file_date and the history of a
product follow.

Of a FITS file any table is read: --hdu names it. Without it a product of JWST shows its main one (EXTRACT1D, COMBINE1D,
OI_VIS2, SOLNS, else INT_TIMES, else the first), and a line says which others there are. In an ASDF file without a
catalog --hdu is the path of the table in the tree. Cells that are vectors stay vectors in FITS, ECSV and parquet;
--explode makes a row of each element and repeats the single values. Elements behind N_ALONGDISP, which only fill up a
row of a spectrum, are left out then.

With --stack, or with -o, several files become one table, whose column file says where a row is from.

Guide-window files have a row for each pair of a stage, without pixels, and FACE files one for each attitude; t is in
seconds since meta.t_start.

Units and names are changed first: --add, --where, --sort and --columns take the table as it will be printed; columns
are added, rows are chosen, sorted and counted, and last come the columns, or with --describe and --stats a row for
each.

--where, --add and --sort take expressions. {HELP}"""


@tool(
    "rt-table",
    summary="Catalogs and other tables: print, compute, select, convert.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="FILE…")
@click.option("--stage", type=click.Choice(STAGES), help="Of a guide-window file; track by default.")
@click.option("--hdu", metavar="NAME[,VER]", help="Table of a FITS file (EXTNAME, EXTVER) or of ASDF (its path).")
@click.option("--stack", is_flag=True, help="All files as one table, with a column file.")
@click.option("--explode", is_flag=True, help="A row for each element of vectors; element says which it is.")
@click.option(
    "--columns", metavar="NAME,…", shell_complete=complete_columns, help="These, in this order; globs like aper*_flux."
)
@click.option("--add", multiple=True, metavar="NAME=EXPR", help="A column more; repeatable.")
@click.option("--where", metavar="CONDITION", shell_complete=complete_columns, help="Rows for which it holds.")
@click.option(
    "--sort", metavar="EXPR,…", shell_complete=complete_columns, help="By these columns or expressions; -COL descends."
)
@click.option("--head", type=click.IntRange(0), metavar="N", help="The first N rows.")
@click.option("--flux-unit", type=click.Choice(FLUX_UNITS), help="Of all flux densities; ABmag names them _abmag.")
@click.option("--jwst-columns", is_flag=True, help="What a JWST catalog has, with its names and units.")
@click.option("--describe", is_flag=True, help="The columns instead: names, units, types, meaning.")
@click.option("--stats", is_flag=True, help="Statistics of the columns instead: least, median, largest …")
@click.option("--format", "form", type=click.Choice(WRITTEN_TABLES), help="Of the output; else its extension, - ECSV.")
@bundles.named_outputs(*WRITTEN_TABLES)
@bundles.json_output
@bundles.no_checksum
@bundles.fail_fast
def command(console, inputs, form, output, outdir, overwrite, dry_run, as_json, fail_fast, stack, **view):
    inputs = list(dict.fromkeys(expand_inputs(inputs)))
    if not inputs:
        raise UsageError("no input file")
    if view["describe"] and view["stats"]:
        raise UsageError("--describe and --stats do not go together")
    if form and not (output or outdir) and form in TEXTS and not as_json:
        output = "-"
    form = _format(form, output, outdir, as_json=as_json)
    together = len(inputs) > 1 and (stack or output)
    groups = {_stack_name(inputs): inputs} if together else {name: [name] for name in inputs}
    outputs = Outputs(output, outdir, overwrite=overwrite, inputs=[*groups], dry_run=dry_run) if form else None
    if outputs:
        outputs.refuse_twins({name: _output_name(name, form) for name in groups if not is_stream(name)})
        for name in inputs if together else ():
            outputs.refuse_input(name)

    def show(name):
        table = _viewed(console, groups[name], view)
        if as_json and not form:
            json_line(_record(name, table))
        elif form:
            path = _written(console, outputs, (name, groups[name]), (table, form, view), dry_run=dry_run)
            if as_json:
                json_line(file_record(console, name, [path], dry_run=dry_run) | {"rows": len(table)})
            elif path is not None:
                click.echo(f"{name} {len(table)} rows -> {path}" if dry_run else path)
        elif dry_run:
            click.echo(f"{name} {len(table)} rows")
        else:
            from rtools.show.catalog import print_catalog

            whole = view["head"] is not None or view["describe"] or view["stats"]
            print_catalog(table, name, whole=whole, note=lambda text: console.log("note", text))

    report, key = json_line if as_json else None, "input" if form else "file"
    return for_each(console, [*groups], show, fail_fast=fail_fast, report=report, key=key)


def _stack_name(inputs):
    """What a table of several files is called."""
    return f"{inputs[0]} and {len(inputs) - 1} more"


def _format(form, output, outdir, *, as_json):
    """Format of the outputs, None where the table is printed."""
    if output == "-" and as_json:
        raise UsageError("--json and -o - both want standard output")
    if not (output or outdir):
        if form:
            raise UsageError(f"--format {form} goes with -o or --outdir")
        return None
    if form:
        return form
    if output == "-":
        return "ecsv"
    if outdir:
        raise UsageError("which format?", mend="--format says it")
    return table_form(output, option="--format", forms=WRITTEN_TABLES)


def _written(console, outputs, names, what, *, dry_run):
    """Write a table, or say where it would be; None for standard output."""
    from rtools.products.tables.files import stamp

    (name, sources), (table, form, view) = names, what
    path, filename = _target(outputs, name, form)
    if not dry_run:
        stamp(table, filename if path is None else path, _entry(sources, view))
        deliver(path, filename, lambda path: _staged(console, path, table, form))
    return path


def _target(outputs, name, form):
    """Path and name of the output of one input."""
    filename = _output_name(name, form)
    return outputs.path(name, filename), filename


def _output_name(name, form):
    return f"{'table' if name == '-' else Path(name).stem}{EXTENSIONS[form][0]}"


def _viewed(console, names, view):
    """The table of files as it was asked for."""
    from rtools.products.tables.arrange import stacked
    from rtools.products.tables.described import described, measured
    from rtools.products.tables.expressed import viewed

    tables = {name: _read(console, name, view) for name in names}
    with about(names[0] if len(names) == 1 else None):
        table = stacked(tables) if len(names) > 1 else tables[names[0]]
        table = viewed(table, **{key: view[key] for key in ("add", "where", "sort", "head", "columns")})
        if view["describe"]:
            return described(table)
        return measured(table) if view["stats"] else table


def _read(console, name, view):
    """The table of a file with the units and names that were asked for."""
    from rtools.products.tables.explode import exploded
    from rtools.products.tables.files import read_catalog
    from rtools.products.tables.jwst import jwst_names
    from rtools.products.tables.units import convert_flux

    with local(name) as path:
        table = read_catalog(path, view["stage"], view["hdu"])
        if view["hdu"] is None:
            _tell_others(console, name, path)
    with about(name):
        if view["jwst_columns"]:
            table, messages = jwst_names(table, view["flux_unit"])
            for text in messages:
                console.log("warning", f"{name}: {text}")
        elif view["flux_unit"]:
            convert_flux(table, view["flux_unit"])
        if view["explode"]:
            table, vectors = exploded(table)
            if vectors:
                console.log("note", f"{name}: of another length, and still vectors: {' '.join(vectors)}")
    return table


def _tell_others(console, name, path):
    """Say which tables a FITS file has beside the one that is shown."""
    from rtools.products.tables.hdus import main_table, table_names

    with open(path, "rb") as file:
        if file.read(9) != b"SIMPLE  =":
            return
    found = table_names(path)
    main = main_table(found)
    others = [other for other in found if other != main]
    if others:
        shown = " ".join(others[:SHOWN]) + (f" and {len(others) - SHOWN} more" if len(others) > SHOWN else "")
        console.log("note", f"{name}: {main}; --hdu has other tables: {shown}")


def _entry(names, view):
    """What was done to a catalog, for its history."""
    from rtools.products.schema import history

    return history.entry("rt-table", parameters={key: value for key, value in view.items() if value}, inputs=names)


def _staged(console, path, table, form):
    from rtools.products.tables.files import stage_catalog

    stage = stage_catalog(path, table, form)
    for text in stage.messages:
        console.log("warning", f"{path}: {text}")
    return stage


def _record(name, table):
    """What --json prints of a table."""
    from rtools.products.tables.plain_forms import plain_rows

    columns = [
        {"name": key, "unit": str(table[key].unit or "") or None, "description": table[key].description}
        for key in table.colnames
    ]
    return {"file": name, "status": "done", "columns": columns, "rows": plain_rows(table)}


main = entry(command)
