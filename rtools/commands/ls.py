"""rt-ls: a manifest of files, from their headers alone."""

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from rtools.commands.kit.analysis import analyse_together
from rtools.commands.kit.analysis_options import analysis_options, take_wanted
from rtools.commands.kit.analysis_tables import Analysis
from rtools.commands.kit.entry import entry
from rtools.commands.kit.idle import refuse_idle
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.outputs import Outputs, kept_back, make_directory
from rtools.commands.kit.tool import tool
from rtools.commands.kit.written import Written
from rtools.errors import InputError, UsageError

__all__ = ["command", "main"]

DESCRIPTION = """\
Each file is a row: its path, its root (the name without suffix), product (its suffix; ref-TYPE of a reference),
detector, element, type of exposure, start (UTC) and exposure time (s), where it points (degrees: the middle of its
footprint, else of the telescope), the footprint, and its status: ok, the steps that FAILED, or what is wrong with the
file. Directories are looked through with all that is below them, for files that end in .asdf, .fits, .parquet and
.ecsv. Headers alone are read, those of a thousand files in some seconds.

--cone keeps files whose footprint comes within RADIUS of a position (arcsec, or with a unit; of files without a
footprint, those that point there), --time those that start in a span (UTC, or with an offset from it as +01:00),
--where those for which a condition holds on the columns. A terminal gets name, start, exposure time and status, and
with -v all columns.

--plot draws the footprints; --moc writes the part of the sky that they cover as a coverage map (MOC, FITS)."""

UNITS = {"exptime": "s", "ra": "deg", "dec": "deg"}


@tool(
    "rt-ls",
    summary="A manifest of files from their headers: product, detector, element, time, place, status.",
    description=DESCRIPTION,
    examples=(
        "rt-ls night",
        "rt-ls night --where \"product == 'cal' and element == 'F158'\" --sort start",
        "rt-ls archive --cone 270.05,66.01,5arcmin -o field.csv",
        "rt-ls night --time 2027-01-01,2027-01-02 --plot night.png",
        "rt-ls night/*_cal.asdf --moc night.fits",
    ),
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, required=True, metavar="DIR|FILE…")
@click.option("--cone", metavar="RA,DEC,RADIUS", help="Files whose footprint comes so near to a position.")
@click.option("--time", "span", metavar="T1,T2", help="Files that start from T1 to before T2, UTC; one may be missing.")
@click.option("--where", metavar="CONDITION", help="Files for which it holds, on the columns.")
@click.option("--sort", metavar="COL,…", help="By these columns or expressions; -COL descends. By path otherwise.")
@click.option("--moc", type=Written("fits", stream=False), metavar="FILE.fits", help="Write the sky that they cover.")
@click.option("--moc-order", type=click.IntRange(0, 20), default=12, show_default=True, metavar="N",
              help="Order of the smallest cells: 10 for 3.4 arcmin, 12 for 52 arcsec, 14 for 13 arcsec.")  # fmt: skip
@analysis_options
def command(console, inputs, cone, span, where, sort, moc, moc_order, **options):
    wanted = take_wanted(options)
    if moc is None:
        refuse_idle({"moc_order": "goes with --moc"})
    choices = {"cone": _cone(cone), "span": _span(span), "where": where, "sort": sort}
    target = Outputs(moc, None, overwrite=wanted.overwrite, inputs=[]).path("", moc) if moc else None

    bad = []

    def find(names, paths):
        found = _rows_of(names, paths)
        _refuse_nothing(names, found)
        broken = next((row for row in found if row.is_unreadable and row.file in names), None)
        if broken is not None and wanted.fail_fast:
            raise InputError(broken.status, path=broken.file)
        for row in found:
            if row.is_unreadable:
                console.log("warning", f"{row.file}: {row.status}")
        bad.extend(row for row in found if row.is_unreadable and row.file in names)
        rows = _manifest(found, choices)
        if target is not None and not wanted.dry_run:
            stack.enter_context(kept_back(_staged_moc(target, rows, moc_order)))
        printed = sys.stdout.isatty() and not (wanted.output or wanted.outdir or wanted.plot or wanted.as_json)
        return Analysis(_for_screen(rows) if printed and console.verbosity < 1 else rows, every=True)

    places = list(dict.fromkeys(expand_inputs(inputs)))
    named = {"name": lambda stem: f"{stem}_ls", "draw": _chart}
    with ExitStack() as stack:
        status = analyse_together(console, tuple(places), wanted, find, looks=False, **named)
    if target is not None and not wanted.as_json and not wanted.dry_run:
        click.echo(target)
    return status or (InputError.exit_code if bad else 0)


def _rows_of(names, paths):
    """What each file says of itself: those that are named, and those of directories."""
    from rtools.products.manifest import files_below, manifest_row

    rows = []
    for name, path in zip(names, paths, strict=True):
        for file in files_below([path]):
            row = manifest_row(file)
            rows.append(row._replace(file=name) if file == path else row)
    return rows


def _refuse_nothing(names, rows):
    """Refuse directories without any product, and files none of which can be read."""
    if not rows:
        raise InputError("no file of a product is in this directory", path=names[0])
    if all(row.is_unreadable and row.file in names for row in rows):
        raise InputError(rows[0].status, path=rows[0].file)


def _for_screen(rows):
    """What fits a terminal: what the name of a file says already is left out."""
    from astropy.table import Table

    names = [Path(str(name)).stem for name in rows["file"]]
    starts = [str(start)[:16].replace("T", " ") for start in rows["start"]]
    return Table({"name": names, "start": starts, "exptime": rows["exptime"], "status": rows["status"]})


def _cone(text):
    """Right ascension, declination and radius in degrees."""
    if text is None:
        return None
    from rtools.astrometry.positions import parse_sky

    try:
        ra, dec, radius, unit = parse_sky(text)
    except UsageError as error:
        error.mend = "RA,DEC,RADIUS is one, as 270.1,66.02,30 or 18:00:24,+66:01:12,1arcmin"
        raise
    if unit != "arcsec":
        raise UsageError(f"--cone {text}: a radius in pixels means nothing on the sky")
    return ra, dec, radius / 3600


def _span(text):
    """Two moments in UTC, an open end as None."""
    if text is None:
        return None
    from rtools.wfi.times import utc_moment

    words = [word.strip() for word in text.split(",")]
    try:
        ends = [utc_moment(word) if word else None for word in words]
    except ValueError:
        ends = []
    if len(ends) != 2 or not any(ends):
        raise UsageError(f"--time {text}: T1,T2 expected", mend="as 2027-01-01,2027-01-01T12:00:00+01:00")
    if None not in ends and ends[0] >= ends[1]:
        raise UsageError(f"--time {text}: the second is not later than the first")
    return ends


def _manifest(rows, choices):
    """The table of files that are chosen."""
    from rtools.products.tables.expressed import viewed

    if choices["span"]:
        rows = [row for row in rows if _started(row.start, choices["span"])]
    if choices["cone"]:
        rows = _within(rows, choices["cone"])
    table = _table(rows)
    return viewed(table, where=choices["where"] or None, sort=choices["sort"])


def _started(start, span):
    from rtools.wfi.times import utc_moment

    try:
        moment = utc_moment(start)
    except ValueError:
        return False
    return (span[0] is None or moment >= span[0]) and (span[1] is None or moment < span[1])


def _within(rows, cone):
    """Rows that come into a cone: by their footprints, else by where they point."""
    import numpy as np

    from rtools.wfi.sphere import separation
    from rtools.wfi.sphere_regions import parse_region, region_distances

    ra, dec, radius = cone
    distances = region_distances([parse_region(row.footprint) for row in rows], ra, dec)
    pointed = np.array([(np.nan, np.nan) if row.ra is None else (row.ra, row.dec) for row in rows], float)
    distances = np.where(np.isnan(distances), separation(*pointed.reshape(-1, 2).T, ra, dec), distances)
    return [row for row, near in zip(rows, distances <= radius, strict=True) if near]


def _table(rows):
    """Rows as a table; what is not known is NaN."""
    import numpy as np
    from astropy.table import Column, Table

    from rtools.products.manifest import ManifestRow

    table = Table()
    for name in ManifestRow._fields:
        values = [getattr(row, name) for row in rows]
        if name in UNITS:
            table[name] = Column(np.array([np.nan if value is None else value for value in values], float))
            table[name].unit = UNITS[name]
        else:
            table[name] = Column(np.array(values, dtype=str if rows else "U1"))
    return table


def _staged_moc(target, rows, order):
    """A coverage map that does not have its name yet."""
    from rtools.products.fits.moc import stage_moc
    from rtools.wfi.sphere_regions import healpix_cover, parse_region

    polygons = [corners for text in rows["footprint"] if (corners := parse_region(str(text))) is not None]
    if not polygons:
        raise InputError("no file has a footprint, so there is nothing to write to the coverage map")
    make_directory(Path(target).parent)
    return stage_moc(target, healpix_cover(polygons, order), order)


def _chart(found):
    from rtools.show.footprints import chart_footprints

    ((title, rows),) = found
    return chart_footprints([str(one) for one in rows["element"]], [str(one) for one in rows["footprint"]], title)


main = entry(command)
