"""rt-match: tables matched on the sky or by a key, and joined."""

import math
from pathlib import Path

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import local
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.outputs import Outputs, deliver, kept_back, make_directory
from rtools.commands.kit.tool import option, tool, typed
from rtools.commands.kit.written import Written
from rtools.errors import UsageError
from rtools.expressions.guide import HELP
from rtools.pipeline.catalog.match_request import FINDS, KEEPS, MatchRequest, TableToMatch
from rtools.products.names.extensions import EXTENSIONS, PICTURES, TEXTS, WRITTEN_TABLES, form_of_name, table_form

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-match X_cat.parquet gaia.vot -o both.ecsv --plot offsets.png",
    "rt-match F106_cat.parquet F158_cat.parquet --suffixes _b,_r --add 'colour = kron_abmag_b - kron_abmag_r'",
    "rt-match X_cat.parquet truth.parquet --radius 0.2 --keep only-second --show ra,dec,magnitude",
    "rt-match A.csv B.csv --columns 1:ra=ALPHA,dec=DELTA --sigma 4 --find all",
    "rt-match X_cat.parquet stars.csv --columns 2:epoch=2016.0 --sigma 4 -o stars_here.ecsv",
    "rt-match phot.ecsv X_cat.parquet --on id=label --keep first",
)

OF_THE_SKY = {
    "radius": "--radius", "find": "--find", "sigma": "--sigma", "columns": "--columns", "epoch": "--epoch",
    "plot": "--plot",
}  # fmt: skip
"""Options of a match on the sky, by their parameters."""

DESCRIPTION = f"""\
Finds the rows of two or more tables that are the same sources, and puts them side by side. Every table is matched with
the first one: on the sky within --radius, or by equal values with --on. Columns of positions are found by the usual
names (ra, RA_ICRS, RAJ2000, ALPHA_J2000 …, in degrees, hours or sexagesimal); --columns says others. Tables are read
and written in the formats of rt-table.

--find best (the default) makes pairs that are nearest to each other both ways, so that each row is in one pair. nearest
takes for each row of the first table the nearest of the other one, which may serve several rows. all takes every pair
within the radius. With --sigma a pair must also lie closer than so many errors, where both tables have errors of
positions.

--keep says which rows come out: matched (those that are in every table), first (all of the first table), all (of two
tables every row), only-first and only-second (what the other one does not have). Names that several tables have get a
suffix: _1, _2 …, or what --suffixes says. sep is the separation, sep_east and sep_north are the offset of the second
table from the first, all in arcsec, and sep_sigma is the offset in units of its error, where errors are known; with
more than two tables they are called sep_2, sep_3 …

Where tables are of different epochs, proper motions (pmra, which is times cos dec, and pmdec) take positions to one
epoch before they are compared: --epoch, else that of a table without proper motions, else that of the first. The epoch
of a table is that of a column such as ref_epoch, or --columns 2:epoch=2016.0, or the middle of the exposure that a
catalog is of. A line says which rows were moved, or could not be. Columns of positions come out as they were.

What is found is told on standard error, and in --json: pairs, how many are expected by chance, median offset and
scatter in mas (1.4826 times the median absolute deviation), and the rotation (from north to east) and the scale that
fit the offsets best. East and north are those in the middle of the pairs. By chance are the rows of the first table
that have a row of the other one within the radius where that is as dense as around them; with --find all, the pairs.
--plot draws the offsets.

--add, --where, --sort, --show and --head work on the joined table. {HELP}"""


@tool(
    "rt-match",
    summary="Tables matched on the sky or by a key: joined, what one lacks, offsets.",
    description=DESCRIPTION,
    examples=EXAMPLES,
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="A B…")
@option("--radius", default=1.0, type=click.FloatRange(0, min_open=True), metavar="ARCSEC", help="Largest separation.")
@option("--find", default="best", type=click.Choice(FINDS), help="Which pairs.")
@click.option("--sigma", type=click.FloatRange(0, min_open=True), metavar="N", help="Largest separation in its errors.")
@click.option("--on", metavar="COL[=COL…]", help="Equal values of these columns, instead of positions.")
@option("--keep", default="matched", type=click.Choice(KEEPS), help="Which rows come out.")
@click.option("--epoch", type=click.FloatRange(1900, 2200), metavar="YEAR", help="When positions are compared: 2027.5.")
@click.option("--columns", multiple=True, metavar="[N:]ra=NAME,…", help="Columns, or numbers, of table N; repeatable.")
@click.option("--suffixes", metavar="_1,_2,…", help="Behind names that several tables have.")
@click.option("--add", multiple=True, metavar="NAME=EXPR", help="A column more; repeatable.")
@click.option("--where", metavar="CONDITION", help="Rows for which it holds.")
@click.option("--sort", metavar="EXPR,…", help="By these columns or expressions; -COL descends.")
@click.option("--show", metavar="NAME,…", help="These columns, in this order; globs like sep*.")
@click.option("--head", type=click.IntRange(0), metavar="N", help="The first N rows.")
@click.option("--plot", type=Written(*PICTURES), metavar="FILE.png", help="A picture of the offsets.")
@click.option("--format", "form", type=click.Choice(WRITTEN_TABLES), help="Of the output; else its extension, - ECSV.")
@click.option("-o", "--output", type=Written(*WRITTEN_TABLES), metavar="OUT", help="Write there; - is stdout.")
@click.option("--overwrite", is_flag=True, help="Replace an output that exists; otherwise refused, exit 1.")
@click.option("-n", "--dry-run", is_flag=True, help="Match and tell what is found; write nothing.")
@bundles.json_output
def command(console, inputs, form, output, overwrite, dry_run, as_json, plot, **asked):
    from rtools.products.tables.expressed import viewed

    inputs = expand_inputs(inputs)
    if len(inputs) < 2:
        raise UsageError("two tables or more are matched", mend="rt-match A B")
    if asked["on"] is not None and (of_sky := next(filter(typed, OF_THE_SKY), None)):
        raise UsageError(f"{OF_THE_SKY[of_sky]} is of a match on the sky", mend="leave it out, or --on")
    if form in TEXTS and output is None and not as_json:
        output = "-"
    form, path = _target(output, form, inputs, overwrite=overwrite, dry_run=dry_run, as_json=as_json)
    _refuse_plot(plot, inputs, overwrite=overwrite)
    found = _matched(console, inputs, asked)
    table = viewed(found.table, columns=asked["show"], **{key: asked[key] for key in ("add", "where", "sort", "head")})
    picture = _drawn(console, plot, found, inputs, asked) if plot and not dry_run else None
    with kept_back(picture):  # the table is not written where the picture fails
        written = [] if dry_run else _write(console, path, table, form, (inputs, asked)) if form else []
    if picture is not None:
        written.append(Path(plot))
    if as_json:
        json_line(_record(inputs, found, asked, written) | ({} if form else {"rows": _rows(table)}))
    elif not form and not dry_run:
        from rtools.show.catalog import print_catalog

        whole = asked["head"] is not None
        print_catalog(table, " ".join(inputs), whole=whole, note=lambda text: console.log("note", text))
    if not as_json:
        for name in written:
            click.echo(name)
    for kind, line in _lines(inputs, found, asked):  # what fails has one line
        console.log(kind, line)


def _target(output, form, inputs, *, overwrite, dry_run, as_json):
    """Form and path (None for standard output) of the table; None where it is printed."""
    if output is None:
        if form is not None:
            raise UsageError(f"--format {form} goes with -o")
        return None, None
    if output == "-" and as_json:
        raise UsageError("--json and -o - both want standard output")
    form = form or ("ecsv" if output == "-" else table_form(output, option="--format", forms=WRITTEN_TABLES))
    outputs = Outputs(output, None, overwrite=overwrite, inputs=[output], dry_run=dry_run)
    for name in inputs:
        outputs.refuse_input(name)
    return form, outputs.path("", output)


def _refuse_plot(plot, inputs, *, overwrite):
    if plot == "-":
        raise UsageError("--plot names a file")
    if plot is not None:
        outputs = Outputs(plot, None, overwrite=overwrite, inputs=[plot])
        for name in inputs:
            outputs.refuse_input(name)
        outputs.path("", plot)


def _matched(console, inputs, asked):
    """The tables, matched."""
    from rtools.pipeline.catalog.matching import match_tables
    from rtools.products.tables.files import read_catalog

    columns, keys = _columns(asked["columns"], len(inputs)), _keys(asked["on"], len(inputs))
    suffixes = _suffixes(asked["suffixes"], len(inputs))
    given = []
    for number, name in enumerate(inputs):
        with local(name) as path:
            table = read_catalog(path)
        given.append(TableToMatch(name, table, columns[number], keys[number], suffixes[number]))
    with console.work().progress("matching", None):
        choice = (asked[key] for key in ("radius", "find", "sigma", "keep", "epoch"))
        return match_tables(given, MatchRequest(*choice))


def _columns(words, count):
    """Which columns mean what, for each table; a word without a number is for all."""
    from rtools.products.tables.column_names import parse_columns

    found = [{} for _ in range(count)]
    for word in words:
        head, colon, rest = word.partition(":")
        if colon and head.strip().isdecimal():
            number = int(head)
            if not 1 <= number <= count:
                raise UsageError(f"--columns {word!r}: there are tables 1 to {count}")
            found[number - 1] |= parse_columns(rest)
        else:
            found = [each | parse_columns(word) for each in found]
    return found


def _keys(word, count):
    if word is None:
        return [None] * count
    names = [name.strip() for name in word.split("=")]
    if len(names) not in (1, count) or not all(names):
        raise UsageError(f"--on {word!r}: one column, or one for each table between =")
    return names * count if len(names) == 1 else names


def _suffixes(text, count):
    suffixes = [f"_{number}" for number in range(1, count + 1)] if text is None else text.split(",")
    if len(suffixes) != count or len(set(suffixes)) != count:
        raise UsageError(f"--suffixes: {count} different ones expected, as _1,_2")
    return suffixes


def _lines(inputs, found, asked):
    """What is told of each table that was matched with the first one."""
    for number, (name, pairs, told) in enumerate(zip(inputs[1:], found.pairs, found.told, strict=True), 2):
        if told is None:
            yield "note", f"{inputs[0]} and {name}: {_pairs(pairs)} by {asked['on']}"
            continue
        yield from _of_epochs(((1, inputs[0]), (number, name)), told.epoch)
        chance = "" if math.isnan(told.chance) else f", {told.chance:.3g} expected by chance"
        yield "note", f"{inputs[0]} and {name}: {_pairs(pairs)} within {asked['radius']:g} arcsec{chance}"
        if told.residuals is not None:
            yield "note", f"{name}: {_of_offsets(told.residuals, inputs[0])}"


def _pairs(pairs):
    count = len(pairs.first)
    return "1 pair" if count == 1 else f"{count} pairs"


def _of_offsets(said, first):
    """Offset, scatter, rotation and scale in words."""
    if math.isnan(said.east_scatter):
        return f"{said.east:+.2f} east and {said.north:+.2f} north mas from {first}; too few pairs for more"
    offset = (
        f"{said.east:+.2f} east (scatter {said.east_scatter:.2f}) and {said.north:+.2f} north "
        f"({said.north_scatter:.2f}) mas from {first}"
    )
    if math.isnan(said.rotation):
        return f"{offset}; no rotation is told of pairs at one place, or all over the sky"
    return (
        f"{offset}; rotation {said.rotation:+.2f} ± {said.rotation_error:.2f} arcsec, scale {1e6 * said.scale:+.1f} ± "
        f"{1e6 * said.scale_error:.1f} ppm, rms {said.rms:.2f} mas"
    )


def _of_epochs(tables, epoch):
    """Which positions were moved to one epoch, and which should have been."""
    known = (epoch.first, epoch.second)
    for (_number, name), year, moved in zip(tables, known, epoch.moved, strict=True):
        if moved:
            yield "note", f"{name}: proper motions took positions from {year:.2f} to {epoch.common:.2f}"
    if not any(epoch.stays):
        return
    words = [f"{name} is of {'an epoch that it does not say' if math.isnan(year) else f'{year:.2f}'}"
             for (_number, name), year in zip(tables, known, strict=True)]  # fmt: skip
    for (number, name), year, stays in zip(tables, known, epoch.stays, strict=True):
        if stays and math.isnan(year):
            words.append(f"--columns {number}:epoch=YEAR says it")
        elif stays and not math.isnan(epoch.common):
            words.append(f"{name} has no proper motions, and stays")
    yield "warning", "; ".join(words)


def _record(inputs, found, asked, written):
    """What --json says."""
    matches = []
    for name, pairs, told in zip(inputs[1:], found.pairs, found.told, strict=True):
        entry = {"file": name, "pairs": len(pairs.first)}
        if told is not None:
            numbers = told.residuals._asdict() if told.residuals is not None else {}
            years = {"epoch_first": told.epoch.first, "epoch": told.epoch.second, "compared_at": told.epoch.common}
            numbers = {"expected_by_chance": told.chance} | years | numbers
            entry |= {key: value if math.isfinite(value) else None for key, value in numbers.items() if key != "pairs"}
        matches.append(entry)
    return {"file": inputs[0], "status": "done", "matches": matches, "outputs": [str(name) for name in written]}


def _rows(table):
    from rtools.products.tables.plain_forms import plain_rows

    return plain_rows(table)


def _write(console, path, table, form, said):
    """Write the table; the names that are told."""
    from rtools.products.schema import history
    from rtools.products.tables.files import stage_catalog
    from rtools.products.tables.flat import record

    inputs, asked = said
    parameters = {key: value for key, value in asked.items() if value not in (None, ())}
    table.meta = record({}, history.entry(console.tool, parameters=parameters, inputs=inputs), path or "-")
    if not len(table):
        console.log("warning", f"{path or '-'}: no row")

    def stage(name):
        staged = stage_catalog(name, table, form)
        for text in staged.messages:
            console.log("warning", f"{path or '-'}: {text}")
        return staged

    deliver(path, f"matched{EXTENSIONS[form][0]}", stage)
    return [] if path is None else [path]


def _drawn(console, plot, found, inputs, asked):
    """Offsets of the first pair of tables that has some, in a picture that does not have its name yet."""
    number = next((number for number, told in enumerate(found.told) if told.residuals is not None), None)
    if number is None:
        console.log("warning", f"{plot}: there are no offsets to draw")
        return None
    from rtools.show.match import plot_match
    from rtools.show.plot import stage_figure

    told = found.told[number]
    title = f"{Path(inputs[number + 1]).name} less {Path(inputs[0]).name}"
    figure = plot_match(
        found.pairs[number], told.offsets, told.residuals, radius=asked["radius"], chance=told.chance, title=title
    )
    make_directory(Path(plot).parent)
    return stage_figure(figure, plot, str(form_of_name(plot)))


main = entry(command)
