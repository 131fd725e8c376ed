"""rt-match: tables matched on the sky or by a key, and joined."""

from pathlib import Path

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import local
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.outputs import Outputs, deliver, make_directory
from rtools.commands.kit.tool import option, tool
from rtools.commands.kit.written import Written
from rtools.errors import RtoolsError, UsageError
from rtools.expressions.guide import HELP
from rtools.products.names.extensions import EXTENSIONS, PICTURES, TEXTS, WRITTEN_TABLES, form_of_name, table_form

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-match X_cat.parquet gaia.vot -o both.ecsv --plot offsets.png",
    "rt-match F106_cat.parquet F158_cat.parquet --suffixes _b,_r --add 'colour = kron_abmag_b - kron_abmag_r'",
    "rt-match X_cat.parquet truth.parquet --radius 0.2 --keep only-second --show ra,dec,magnitude",
    "rt-match A.csv B.csv --columns 1:ra=ALPHA,dec=DELTA --sigma 4 --find all",
    "rt-match phot.ecsv X_cat.parquet --on id=label --keep first",
)

FINDS = ("best", "nearest", "all")
KEEPS = ("matched", "first", "only-first", "only-second", "all")

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

What is found is told on standard error, and in --json: pairs, how many are expected by chance, median offset and
scatter in mas (1.4826 times the median absolute deviation), and the rotation (from north to east) and the scale that
fit the offsets best. --plot draws the offsets.

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
@click.option("--columns", multiple=True, metavar="[N:]ra=NAME,…", help="Columns of positions, of table N; repeatable.")
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
    inputs = expand_inputs(inputs)
    if len(inputs) < 2:
        raise UsageError("two tables or more are matched", mend="rt-match A B")
    if form in TEXTS and output is None and not as_json:
        output = "-"
    form, path = _target(output, form, inputs, overwrite=overwrite, dry_run=dry_run, as_json=as_json)
    _refuse_plot(plot, inputs, overwrite=overwrite)
    found = _matched(console, inputs, asked)
    table = _viewed(found.table, asked)
    written = [] if dry_run else _write(console, path, table, form, (inputs, asked)) if form else []
    if plot and not dry_run:
        written += _draw(console, plot, found, inputs, asked)
    if as_json:
        json_line(_record(inputs, found, asked, written) | ({} if form else {"rows": _rows(table)}))
    elif not form and not dry_run:
        from rtools.show.catalog import print_catalog

        whole = asked["head"] is not None
        print_catalog(table, " ".join(inputs), whole=whole, note=lambda text: console.log("note", text))
    if not as_json:
        for name in written:
            click.echo(name)
    for line in _lines(inputs, found, asked):  # what fails has one line
        console.log("note", line)


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
    from rtools.pipeline.catalog.matching import MatchRequest, TableToMatch, match_tables
    from rtools.products.tables.files import read_catalog

    columns, keys = _columns(asked["columns"], len(inputs)), _keys(asked["on"], len(inputs))
    suffixes = _suffixes(asked["suffixes"], len(inputs))
    given = []
    for number, name in enumerate(inputs):
        with local(name) as path:
            table = read_catalog(path)
        given.append(TableToMatch(name, table, columns[number], keys[number], suffixes[number]))
    with console.work().progress("matching", None):
        return match_tables(given, MatchRequest(asked["radius"], asked["find"], asked["sigma"], asked["keep"]))


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


def _viewed(table, asked):
    """The joined table as it was asked for."""
    from rtools.products.tables import arrange, expressed

    expressed.add_columns(table, asked["add"])
    if asked["where"] is not None:
        table = expressed.choose_rows(table, asked["where"])
    if asked["sort"]:
        table = expressed.sort_rows(table, expressed.split_keys(asked["sort"]))
    if asked["head"] is not None:
        table = table[: asked["head"]]
    return arrange.choose_columns(table, asked["show"].split(",")) if asked["show"] else table


def _lines(inputs, found, asked):
    """What is told of each table that was matched with the first one."""
    for name, pairs, said, chance in zip(inputs[1:], found.pairs, found.residuals, found.chance, strict=True):
        if asked["on"]:
            yield f"{inputs[0]} and {name}: {len(pairs.first)} pairs by {asked['on']}"
            continue
        radius = f"within {asked['radius']:g} arcsec, {chance:.3g} expected by chance"
        yield f"{inputs[0]} and {name}: {len(pairs.first)} pairs {radius}"
        if said is None:
            continue
        yield (
            f"{name}: {said.east:+.2f} east (scatter {said.east_scatter:.2f}) and {said.north:+.2f} north "
            f"({said.north_scatter:.2f}) mas from {inputs[0]}; rotation {said.rotation:+.2f} ± "
            f"{said.rotation_error:.2f} arcsec, scale {1e6 * said.scale:+.1f} ± {1e6 * said.scale_error:.1f} ppm, "
            f"rms {said.rms:.2f} mas"
        )


def _record(inputs, found, asked, written):
    """What --json says."""
    import math

    matches = []
    for name, pairs, said, chance in zip(inputs[1:], found.pairs, found.residuals, found.chance, strict=True):
        entry = {"file": name, "pairs": len(pairs.first)}
        if not asked["on"]:
            entry["expected_by_chance"] = chance
        numbers = said._asdict() if said is not None else {}
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


def _draw(console, plot, found, inputs, asked):
    """Draw the offsets of the first pair of tables that has some."""
    from rtools.products.io.staging import Stage

    number = next((number for number, said in enumerate(found.residuals) if said is not None), None)
    if number is None:
        console.log("warning", f"{plot}: there are no offsets to draw")
        return []
    from rtools.show.match import plot_match
    from rtools.show.plot import save

    title = f"{Path(inputs[number + 1]).name} less {Path(inputs[0]).name}"
    figure = plot_match(
        found.pairs[number], found.residuals[number], asked["radius"], chance=found.chance[number], title=title
    )
    make_directory(Path(plot).parent)
    stage = Stage(plot)
    try:
        with stage.open() as file:
            save(figure, file, str(form_of_name(plot)))
    except OSError as error:
        raise RtoolsError(f"cannot be written ({error.strerror or error})", path=plot) from None
    stage.commit()
    return [Path(plot)]


main = entry(command)
