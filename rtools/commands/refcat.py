"""rt-refcat: reference catalogs: make, inspect, cut, build from a simulation, download."""

import os
from pathlib import Path

import click

from rtools.commands.kit import options
from rtools.commands.kit.columns import parsed_columns
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import local
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.tool import group, option, tool
from rtools.commands.kit.written import Written
from rtools.errors import InputError, UsageError
from rtools.products.names.extensions import TABLES, form_of_name

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-refcat make gaia.fits -o gaia",
    "rt-refcat info gaia",
    "rt-refcat cut gaia --file X_cal.asdf -o near.parquet",
    "rt-refcat from-truth X_truth.parquet -o gaia.parquet",
    "rt-refcat download --file X_cal.asdf -o gaia.parquet",
)

OUTPUT_HELP = """\
The extension of -o, or --format, says the form of the output: a table (parquet, ECSV, CSV, FITS, VOTable), else a
directory that is a HATS tree (parquet files by cells of the sky). Columns are called as Gaia calls them: ra, dec [deg],
pmra, pmdec [mas/yr], parallax [mas], their errors (ra_error …), ref_epoch [yr], phot_g_mean_mag, source_id."""

TRUTH_HELP = """\
Stars of truth tables are moved from the date of the exposure back to 2016.0, by parallaxes (1 mas, log-normal) and
motions (40 km/s along either axis) that are drawn; then errors are drawn that are those of Gaia DR3 at the star's G. G
is taken to be the magnitude of the table. Stars that tables share are listed once."""

FORMATS = ("hats", *TABLES)


command = group(
    "rt-refcat",
    summary="Reference catalogs: make, inspect, cut, from a simulation, download.",
    description="Reference catalogs for rt-tweakreg: make, inspect and cut local ones, build one from a simulation's "
    "truth, or download from Gaia.",
    examples=EXAMPLES,
)


def _bundle(*decorators):
    def decorate(function):
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


_writing = _bundle(
    click.option(
        "-o",
        "--output",
        type=Written(*TABLES, directory=True),
        required=True,
        metavar="OUT",
        help="Table or directory; - is stdout.",
    ),
    click.option("--format", "form", type=click.Choice(FORMATS), help="Of the output; else its extension, - ECSV."),
    click.option("--rows", type=click.IntRange(1), metavar="N", help="Most rows of a file of a HATS tree; 1000000."),
    click.option("--overwrite", is_flag=True, help="Replace an output that exists; otherwise refused, exit 1."),
    click.option("-n", "--dry-run", is_flag=True, help="Say what would be written; write nothing."),
)

_limit = click.option("--limit", type=float, metavar="G", help="Only stars brighter than this G.")

_where = _bundle(
    click.option("--cone", metavar="RA,DEC,RADIUS", allow_from_autoenv=False, help="RADIUS in degrees."),
    click.option(
        "--file", "files", multiple=True, metavar="FILE", help="Around the footprint of this image; repeated: of all."
    ),
    option("--margin", default=60.0, type=click.FloatRange(0), metavar="ARCSEC", help="Around footprints of --file."),
)


_columns = click.option(
    "--columns",
    callback=parsed_columns,
    metavar="ra=NAME,…",
    help="Which columns mean what: ra=ALPHA,dec=DELTA,ref_epoch=2016.0. Usual names are found.",
)


@tool(
    "rt-refcat make",
    summary="A table or a HATS tree as a HATS tree or a table, names and units normalised.",
    description=f"{OUTPUT_HELP}\n\n"
    "Usual names are known in any case (RA_ICRS, RAJ2000, pmRA, e_RA_ICRS, Plx, Gmag …), else --columns says them; "
    "units are converted, and positions may be sexagesimal.",
    examples=("rt-refcat make gaia.fits -o gaia", "rt-refcat make gaia -o gaia.parquet --limit 20"),
    no_args_is_help=True,
)
@click.argument("catalog", metavar="IN")
@click.option("--all-columns", is_flag=True, help="Keep other columns, too.")
@_columns
@_limit
@_writing
def make(console, catalog, all_columns, columns, limit, **where):
    target = _target(where, [catalog])
    table = _brighter(_read(catalog, everything=all_columns, asked=columns), limit)
    _write(console, where, target, table, inputs=[catalog], parameters={"limit": limit})


@tool(
    "rt-refcat cut",
    summary="The part of a reference catalog in a cone, or around images.",
    description=f"{OUTPUT_HELP}\n\nOf a HATS tree only the files that the cone touches are read.",
    examples=(
        "rt-refcat cut gaia --cone 270,66,0.5 -o near.parquet",
        "rt-refcat cut gaia --file X_cal.asdf --file Y_cal.asdf -o near.parquet",
    ),
    no_args_is_help=True,
)
@click.argument("catalog", metavar="IN")
@_where
@click.option("--all-columns", is_flag=True, help="Keep other columns, too.")
@_columns
@_limit
@_writing
def cut(console, catalog, cone, files, margin, all_columns, columns, limit, **where):
    target = _target(where, [catalog, *files])
    cone = _cone(cone, files, margin)
    table = _brighter(_read(catalog, cone, everything=all_columns, asked=columns), limit)
    _write(console, where, target, table, inputs=[catalog, *files], parameters={"cone": cone, "limit": limit})


@tool(
    "rt-refcat from-truth",
    summary="What Gaia would list of the stars of rt-sim's truth tables.",
    description=f"{TRUTH_HELP}\n\n{OUTPUT_HELP}",
    examples=(
        "rt-refcat from-truth X_truth.parquet -o gaia.parquet",
        "rt-refcat from-truth *_truth.parquet -o gaia --epoch 2027.0 --exact",
    ),
    no_args_is_help=True,
)
@click.argument("truths", nargs=-1, required=True, metavar="TRUTH…")
@click.option("--exact", is_flag=True, help="No errors.")
@option("--seed", default=0, metavar="N", help="Of parallaxes, motions and errors.")
@click.option("--epoch", type=float, metavar="YEAR", help="Of the positions; default that of the exposure beside it.")
@option("--limit", default=21.0, metavar="G", help="Only stars brighter than this G.")
@_writing
def from_truth(console, truths, exact, seed, epoch, limit, **where):
    truths = list(dict.fromkeys(expand_inputs(truths)))
    if epoch is not None and not 1900 < epoch < 2200:
        raise UsageError(f"--epoch {epoch:g}: a Julian year expected")
    said = {"exact": exact, "seed": seed, "epoch": epoch, "limit": limit}
    target = _target(where, truths)
    from rtools.pipeline.astrometry.truth import gaia_of_truth

    table = gaia_of_truth(truths, epoch=epoch, seed=seed, exact=exact, limit=limit)
    _write(console, where, target, table, inputs=truths, parameters=said)


@tool(
    "rt-refcat download",
    summary="Stars of Gaia DR3 in a cone, or around images, over the network.",
    description=f"{OUTPUT_HELP}\n\nThe only tool that asks the network; it needs astroquery (pip install "
    "'roman-rtools[gaia]').",
    examples=(
        "rt-refcat download --cone 270,66,0.5 -o gaia.parquet",
        "rt-refcat download --file X_cal.asdf --limit 21 -o gaia",
    ),
    no_args_is_help=True,
)
@_where
@_limit
@_writing
def download(console, cone, files, margin, limit, **where):
    target = _target(where, files)
    cone = _cone(cone, files, margin)
    from rtools.products.refcat import gaia as gaia_archive

    if where["dry_run"]:
        click.echo(gaia_archive.query(cone, limit))
        return
    with console.work().progress("the Gaia archive is asked", None):
        table = gaia_archive.download(cone, limit=limit)
    _write(console, where, target, table, inputs=files, parameters={"cone": cone, "limit": limit})


@tool(
    "rt-refcat info",
    summary="What a reference catalog has: rows, files, columns, magnitudes, epoch, errors.",
    examples=("rt-refcat info gaia", "rt-refcat info gaia.parquet --json"),
    no_args_is_help=True,
)
@click.argument("catalogs", nargs=-1, required=True, metavar="IN…")
@_columns
@options.json_output
@options.fail_fast
def info(console, catalogs, columns, as_json, fail_fast):
    def look(name):
        from rtools.products.refcat.info import describe

        with local(name) as path:
            found = describe(path, columns)
        if as_json:
            json_line({"file": name, "status": "done"} | found.record())
        else:
            from rtools.show.refcat import refcat_rows
            from rtools.show.table import print_table

            print_table((), refcat_rows(name, found), labels=None)

    names = list(dict.fromkeys(expand_inputs(catalogs)))
    return for_each(console, names, look, fail_fast=fail_fast, report=json_line if as_json else None)


def _read(name, cone=None, *, everything=False, asked=None):
    from rtools.products.refcat import files as refcat_files

    with local(name) as path:
        return refcat_files.read(path, cone, everything=everything, asked=asked)


def _brighter(table, limit):
    if limit is None:
        return table
    if "phot_g_mean_mag" not in table.colnames:
        raise InputError("has no phot_g_mean_mag for --limit")
    return table[table["phot_g_mean_mag"] < limit]


def _cone(cone, files, margin):
    """The cone that was asked for, before any work."""
    if bool(cone) == bool(files):
        raise UsageError("which part of the sky", mend="give --cone RA,DEC,RADIUS or --file FILE")
    from rtools.astrometry.positions import parse_position
    from rtools.products.refcat import cones

    if cone:
        place, _comma, radius = cone.rpartition(",")
        ra, dec = parse_position(place)
        return cones.parse(f"{ra!r},{dec!r},{radius}")
    return cones.around_files(expand_inputs(files), margin)


def _target(where, inputs):
    """Form and path (None for standard output) of the output; refused before any work."""
    output, form = where["output"], where["form"]
    outputs = Outputs(output, None, overwrite=where["overwrite"], inputs=[output], dry_run=where["dry_run"])
    if output == "-":
        if form == "hats":
            raise UsageError("a HATS tree is a directory; standard output takes a table")
        return form or "ecsv", None
    for name in inputs:
        if os.path.exists(output) and os.path.exists(name) and os.path.samefile(output, name):
            raise UsageError("the result would replace the input", path=output)
    form = form or _form_of(output)
    if form != "hats":
        return form, outputs.path("", output)
    from rtools.products.refcat import hats

    hats.refuse(output, overwrite=where["overwrite"])
    return form, Path(output)


def _form_of(output):
    """The form that a name says: a tree, if it says no format of tables."""
    return form_of_name(output) or "hats"


def _write(console, where, target, table, *, inputs, parameters=None):
    """Write a reference catalog, or say what would be written."""
    form, path = target
    if len(table) == 0:
        console.log("warning", "no stars")
    if where["dry_run"]:
        click.echo(f"{len(table)} rows -> {'-' if path is None else path}")
        return
    from rtools.products.refcat import hats
    from rtools.products.schema import history
    from rtools.products.tables.flat import record

    said = {key: value for key, value in (parameters or {}).items() if value not in (None, False)}
    entry = history.entry(console.tool, parameters=said, inputs=inputs)
    if form == "hats":
        hats.write_tree(path, table, rows=where["rows"] or hats.ROWS, overwrite=where["overwrite"], entry=entry)
    else:
        table.meta = record(dict(table.meta), entry, path or "-")
        deliver(path, f"refcat{TABLES[form][0]}", lambda name: _staged(console, name, table, form))
    if path is not None:
        click.echo(path)


def _staged(console, path, table, form):
    from rtools.products.tables.files import stage_catalog

    stage = stage_catalog(path, table, form)
    for text in stage.messages:
        console.log("warning", f"{path}: {text}")
    return stage


for name, subcommand in (
    ("make", make),
    ("info", info),
    ("cut", cut),
    ("from-truth", from_truth),
    ("download", download),
):
    command.add_command(subcommand, name)

main = entry(command)
