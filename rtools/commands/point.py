"""rt-point: the pointing of exposures from an attitude; tables of it."""

from pathlib import Path

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.edits import EDITED, EXPOSURES, edit_files, in_place, with_keywords
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import local, opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.tool import option, tool
from rtools.errors import RtoolsError, UsageError
from rtools.products.names.extensions import TABLES, table_form

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-point --in-place X_uncal.asdf --engineering attitude.ecsv",
    "rt-point X_uncal.asdf -o Y_uncal.asdf --quaternion -0.339 0.623 -0.366 0.602 --guide-star 916.5 -186.9",
    "rt-point --summary *_uncal.asdf",
    "rt-point --v1 --engineering attitude.ecsv --between 2027-01-01T00:00 2027-01-01T01:00 -o v1.ecsv",
)

DESCRIPTION = """\
Sets meta.wcsinfo (ra_ref, dec_ref, roll_ref, v2_ref, v3_ref, v3yangle, vparity, s_region), meta.pointing (ra_v1,
dec_v1, pa_v3, pa_aperture, quaternion, target_ra, target_dec, pointing_engineering_source) and
meta.guide_star.hv_position from the attitude of the spacecraft: a quaternion from ECI to body, the scalar last.
Metadata only, for meta.wcsinfo.aperture_name; rt-aberration and rt-assignwcs come after it.

An engineering table (ECSV, CSV, parquet, FITS) has a column time (ISO, UTC, or MJD), SCF_AC_SDR_QBJ_1 … _4 and, if it
says the way from body to FGS, SCF_AC_EST_FGS_QBR_1 … _4. Samples during the exposure are averaged and normalised; of
fewer than two the neighbours within --tolerance count, too: the source is CALCULATED. An attitude that is given, or
with --allow-default that of the file, is PLANNED. The guide star stays where it appears, at H, V pixels from the
reference pixel of the detector (H along x, V against y); without one, and without hv_position in the file, the
reference point of the aperture takes its place. A boresight alignment reference (bam) is not applied: the way from body
to FGS is that of --fgs-quaternion, else the table's, else that before launch.

--summary prints target, V1 and reference point as the files say, with their separations; --v1 prints V1 of files, or of
an engineering table --between two times. -o writes such a table, its extension says the format."""


def _four(word, text):
    return click.option(word, nargs=4, type=float, metavar="Q1 Q2 Q3 Q4", allow_from_autoenv=False, help=text)


@tool(
    "rt-point",
    summary="Set the pointing from an attitude; print pointings.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="FILE…")
@_four("--quaternion", "Attitude, ECI to body.")
@click.option("--engineering", metavar="TABLE", help="Table of attitudes.")
@click.option("--allow-default", is_flag=True, help="Do with --quaternion, or with that of the file.")
@_four("--fgs-quaternion", "Body to FGS; else the table's, else that before launch.")
@click.option("--guide-star", nargs=2, type=float, metavar="H V", allow_from_autoenv=False, help="Its position.")
@option(
    "--tolerance",
    default=60.0,
    type=click.FloatRange(0),
    metavar="S",
    allow_from_autoenv=False,
    help="Seconds; see above.",
)
@click.option("--summary", is_flag=True, allow_from_autoenv=False, help="Print pointings; change nothing.")
@click.option("--v1", is_flag=True, allow_from_autoenv=False, help="Print V1; change nothing.")
@click.option(
    "--between", nargs=2, metavar="START END", allow_from_autoenv=False, help="With --v1, times instead of files."
)
@option("--samples", type=click.Choice(("average", "first", "all")), default="average", help="With --v1.")
@option("--aperture", default="WFI02_FULL", metavar="NAME", help="With --between, where the guide star is.")
@in_place
@options.named_outputs(*dict.fromkeys((*EDITED, *TABLES)))
@options.json_output
@options.fail_fast
def command(console, inputs, summary, v1, between, aperture, as_json, **settings):
    names = list(dict.fromkeys(expand_inputs(inputs)))
    _refuse(names, settings, summary=summary, v1=v1, between=between, as_json=as_json)
    request = _request(settings)
    where = {key: settings[key] for key in ("in_place", "output", "outdir", "overwrite", "dry_run", "fail_fast")}
    if not (summary or v1):

        def keywords(meta, log):
            from rtools.pipeline.astrometry.pointing import pointing_keywords

            return pointing_keywords(meta, request, log)

        return edit_files(console, names, with_keywords(console, keywords), as_json=as_json, **where)
    path = _table_path(where)
    rows = []

    def look(name):
        with opened(name, EXPOSURES) as product:
            found = _rows(product.meta, name, request, lambda level, text: console.log(level, f"{name}: {text}"))
        rows.extend(found)
        _tell(found)

    def _rows(meta, name, request, log):
        from rtools.pipeline.astrometry import pointing_tables as tables

        return [tables.report(meta, name)] if summary else tables.v1_of_file(meta, name, request, log)

    def _tell(found):
        for row in found if as_json else ():
            json_line(row | {"status": "done"})

    status = 0
    if between:
        from rtools.pipeline.astrometry.pointing_tables import v1_from_table

        rows = v1_from_table(*(_mjd(time) for time in between), request, aperture)
        _tell(rows)
    else:
        status = for_each(console, names, look, fail_fast=where["fail_fast"], report=json_line if as_json else None)
    if rows and not as_json:
        _show(console, rows, path, "rt-point --summary" if summary else "rt-point --v1", names, where)
    return status


def _refuse(names, settings, *, summary, v1, between, as_json):
    """Refuse options that do not go together."""
    if summary and v1:
        raise UsageError("--summary and --v1 do not go together")
    if between and not (v1 and settings["engineering"]):
        raise UsageError("--between goes with --v1 and --engineering TABLE")
    if between and names:
        raise UsageError("--between is instead of files")
    if not names and not between:
        raise UsageError("no input file")
    if (summary or v1) and (settings["in_place"] or settings["outdir"]):
        raise UsageError("a table is not an exposure", mend="-o FILE writes it")
    if as_json and (summary or v1) and settings["output"]:
        raise UsageError("--json prints what -o would write", mend="give one of them")


def _request(settings):
    """What is asked for; the engineering table is read once."""
    telemetry = None
    if settings["engineering"]:
        from rtools.products.tables.engineering import read_attitudes

        with local(settings["engineering"]) as path:
            telemetry = read_attitudes(path)
    from rtools.pipeline.astrometry.pointing import PointingRequest

    return PointingRequest(
        settings["quaternion"] or None,
        telemetry,
        settings["allow_default"],
        settings["fgs_quaternion"] or None,
        settings["guide_star"] or None,
        settings["tolerance"],
        settings["samples"],
    )


def _mjd(text):
    from rtools.wfi.times import mjd_of

    try:
        return mjd_of(text)
    except ValueError:
        raise UsageError(f"--between: {text!r} is not a valid time", mend="write YYYY-MM-DDThh:mm:ss") from None


def _table_path(where):
    """Path of a table, None where it is printed; refused before any work."""
    if where["output"] in (None, "-"):
        return where["output"]
    path = Path(where["output"])
    table_form(path)
    if path.exists() and not where["overwrite"]:
        raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
    return path


def _show(console, rows, path, tool, names, where):
    """Print a table, or write it."""
    if path is None or where["dry_run"]:
        from rtools.show.table import print_table

        head = list(rows[0])
        print_table(head, [[_text(row[key]) for key in head] for row in rows])
        return
    from rtools.commands.kit.outputs import deliver
    from rtools.products.schema import history
    from rtools.products.tables import files as catalogs
    from rtools.products.tables.flat import record

    form = "ecsv" if path == "-" else table_form(path)
    table = _table(rows)
    table.meta = record({}, history.entry(tool, inputs=names), path)
    deliver(None if path == "-" else path, "pointing.ecsv", lambda target: catalogs.stage_catalog(target, table, form))
    if path != "-":
        click.echo(path)


def _table(rows):
    from astropy.table import Table

    table = Table()
    for key in rows[0]:
        values = [row[key] for row in rows]
        if any(isinstance(value, float | int) for value in values):
            table[key] = [float("nan") if value is None else float(value) for value in values]
            table[key].unit = "deg"
        else:
            table[key] = ["" if value is None else str(value) for value in values]
    return table


def _text(value):
    if isinstance(value, float | int):
        return f"{value:.9f}"
    return "-" if value is None else str(value)


main = entry(command)
