"""rt-diff: what differs between two products."""

import math

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import local
from rtools.commands.kit.loop import errors_in_json
from rtools.commands.kit.outputs import Outputs, deliver
from rtools.commands.kit.tool import option, tool
from rtools.commands.kit.written import Written
from rtools.errors import UsageError, own_work
from rtools.products.edit.catalog_matches import MATCHES, RADIUS
from rtools.products.names.extensions import PICTURES, form_of_name

__all__ = ["command", "main"]

DESCRIPTION = """\
Compares metadata by key and arrays by value, exactly unless a tolerance is given: numbers are the same if |a - b| <=
ATOL + RTOL |b|; flags are always compared exactly, dtypes only without a tolerance. NaN equals NaN; how an array is
compressed or its bytes ordered is not a difference. Times are compared as times, however they are written, in seconds:
leap seconds are counted.

Left out, unless --all: asdf_library, history, meta.filename, meta.file_date, meta.calibration_software_*,
meta.cal_logs, meta.rtools and rtools (what made the file: rt-history tells it), and of catalogs the date and versions
of source_catalog.

Takes ASDF files, and catalogs of any format that rt-table reads: metadata, units, descriptions and values by column.
Rows belong together by label or source_id, where these are there and occur once, else by their place; the order of
columns, and of labelled rows, is not a difference. --match sky has rows belong together that are each other's nearest
on the sky; label numbers are not compared then.

Of images that differ the median of B - A and its robust scatter (1.4826 times the median absolute deviation) are told,
over the pixels that neither file calls DO_NOT_USE, and which share of them differs by more than 1, 3 and 5 times the
err of A. Of more than 33 million pixels some rows and columns are measured, which is said; what -o writes is whole.
--by dq tells the same for the pixels with each flag, --by region for 4 x 4 parts of the image. Of columns of catalogs a
table has median and scatter, and the pull: the difference in units of both errors added in quadrature. Reductions of
the same data share their noise, so that the sd of their pulls is far below 1.

The worst pixels have their numbers in the file, and in the frames of the detector with its border of reference pixels
(l1) and without (l2) where these are others.

-o X.png draws A, B, and the difference in units of err. -o X.asdf has the difference as data, in units of err as sigma,
and the flags of both as dq; -o - writes that to stdout, and nothing else.

Of JWST files in FITS the cards, arrays and tables of each extension are compared, and the tree of the extension ASDF
without its arrays. Extensions belong together by EXTNAME and EXTVER; their order, that of cards, and comments of cards
are no difference. What differs in a keyword and alike in the tree is told of the keyword, as SCI.PHOTMJSR. Left out,
unless --all: DATE, FILENAME, CAL_VER, CAL_VCS, CHECKSUM, DATASUM, HISTORY, what the tree says of the same, _fits_hash,
and comments. Both files must be of JWST.

Exit status 0 if the products are the same (nothing is told), 1 if they differ, 3 if one cannot be read. With -q only
the status tells."""


@tool(
    "rt-diff",
    summary="What differs between two products or catalogs: metadata, arrays, the worst pixels.",
    description=DESCRIPTION,
    examples=(
        "rt-diff old_cal.asdf new_cal.asdf",
        "rt-diff --rtol 1e-5 --ignore 'meta.wcs*,meta.ref_file' old_cal.asdf new_cal.asdf",
        "rt-diff --brief --by dq old_cal.asdf new_cal.asdf -o diff.png",
        "rt-diff --rtol 1e-6 old_cat.parquet new_cat.parquet",
        "rt-diff --match sky --brief old_cat.parquet new_cat.parquet",
        "rt-diff -q A.asdf B.asdf && echo same",
        "rt-diff --rtol 1e-6 --ignore 'R_*,GROUP' old_rate.fits new_rate.fits",
    ),
    no_args_is_help=True,
)
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@option("--rtol", type=float, default=0.0, metavar="R", help="Relative tolerance.")
@option("--atol", type=float, default=0.0, metavar="A", help="Absolute tolerance.")
@click.option(
    "--ignore", multiple=True, metavar="KEY,…", help="Globs of keys or arrays, and all below; may be repeated."
)
@click.option("--all", "everything", is_flag=True, help="Compare what is left out otherwise, too.")
@option("--within", type=float, default=0.0, metavar="SECONDS", help="Times so far apart are the same.")
@option("--worst", type=click.IntRange(0), default=5, metavar="N", help="Pixels, or sources, to list for each array.")
@click.option("--brief", is_flag=True, help="No single keys, pixels or sources: statistics of what differs.")
@click.option("--by", multiple=True, type=click.Choice(["dq", "region"]), help="Statistics by flag, or by part.")
@click.option("--match", type=click.Choice(MATCHES), help="How rows of catalogs belong together; see above.")
@click.option("--radius", type=float, metavar="ARCSEC", help=f"For --match sky, at most; {RADIUS} by default.")
@click.option("--array", metavar="NAME", help="Image that --by and -o are about; data by default.")
@click.option(
    "-o", "--output", type=Written("asdf", *PICTURES), metavar="FILE", help="Write the difference; see above."
)
@click.option("--overwrite", is_flag=True, help="Replace an output that exists; otherwise refused, exit 1.")
@options.json_output
@options.no_checksum
def command(console, first, second, rtol, atol, within, ignore, everything, worst, as_json, **more):
    if not (0 <= rtol < math.inf and 0 <= atol < math.inf):
        raise UsageError("--rtol and --atol: numbers of at least 0 expected")
    if not 0 <= within < math.inf:
        raise UsageError("--within: a number of seconds of at least 0 expected")
    if first == second == "-":
        raise UsageError("only one of the two can be standard input")
    matching = _matching(more["match"], more["radius"])
    target = _target(first, second, more)
    from rtools.products.edit.array_names import split_names
    from rtools.products.edit.file_comparison import compare_files

    settings = {"rtol": rtol, "atol": atol, "within": within, "matching": matching}
    settings |= {"ignore": split_names(ignore), "everything": everything, "worst": 0 if more["brief"] else worst}
    with errors_in_json(as_json, a=first, b=second), local(first) as one, local(second) as two:
        found = compare_files(one, two, **settings)
        asked = next((word for word in ("by", "array", "output") if more[word]), None)
        if found.catalogs is not None and asked:
            raise UsageError(f"{'-o' if asked == 'output' else f'--{asked}'} is about images, not catalogs", path=first)
        if as_json or console.verbosity >= 0:
            with own_work():  # both files have been read and compared: damage has been told
                _measure(one, two, found, more["array"], more["by"])
        if target:
            with own_work():
                _write(one, two, target, (first, second, more["array"]))
    differ = bool(found.metadata or found.arrays)
    if more["output"] == "-":
        return int(differ)
    if as_json:
        arrays = [_with_record(entry) for entry in found.arrays]
        told = {"a": first, "b": second, "same": not differ, "metadata": found.metadata, f"{found.what}s": arrays}
        from rtools.show.difference_text import plain

        json_line(plain(told))
    elif differ and console.verbosity >= 0:
        from rtools.show.difference_text import difference_lines

        for line in difference_lines(found, brief=more["brief"]):
            click.echo(line)
    if target and not as_json:
        click.echo(target[0])
    return int(differ)


def _matching(match, radius):
    """How rows of catalogs are matched; empty where nothing is said of it."""
    if radius is not None and match != "sky":
        raise UsageError("--radius goes with --match sky")
    if radius is not None and not 0 < radius < math.inf:
        raise UsageError("--radius: a positive number of arcsec expected")
    return {} if match is None else {"match": match, "radius": RADIUS if radius is None else radius}


def _target(first, second, more):
    """Where the difference is written, its path (None for stdout) and form; None where it is not."""
    if more["output"] is None:
        if more["array"] and not more["by"]:
            raise UsageError("--array goes with -o or --by")
        return None
    for source in (first, second):  # neither may be the output
        path = Outputs(more["output"], None, overwrite=more["overwrite"], inputs=[source]).path(source, "")
    form = "asdf" if more["output"] == "-" else form_of_name(more["output"])
    if form != "asdf":
        from rtools.show.stretch import require_matplotlib

        require_matplotlib()
    return path, form


def _measure(one, two, found, array, by):
    """Put statistics beside each array or column that differs, of that which `array` names in detail."""
    from rtools.show import differences

    if found.catalogs is not None:
        names = [entry["array"] for entry in found.arrays if entry.get("differing")]
        columns = differences.measure_columns(found.catalogs.tables, found.catalogs.rows, names)
        for entry in found.arrays:
            entry["statistics"] = columns.get(entry["array"])
        return
    if not (by or any(entry.get("differing") for entry in found.arrays)):
        return
    from rtools.products.opening import open_any
    from rtools.show.image_pairs import shared_array, thinned_pair

    with open_any(one, others=True) as first, open_any(two, others=True) as second:
        detailed = _detailed(first, second, array, by) if by else None
        for entry in found.arrays:
            differences.add_frames(entry, first)
            shared = shared_array(first, second, entry["array"]) if entry.get("differing") else None
            wanted = by if entry["array"] == detailed else ()
            entry["statistics"] = None if shared is None else differences.measure_image(thinned_pair(shared), wanted)


def _detailed(first, second, array, by):
    """Name of the array that --by is about."""
    from rtools.show.image import named_array
    from rtools.show.image_pairs import shared_array

    name = named_array(first, array or "data")
    shared = shared_array(first, second, name)
    if shared is None:
        raise UsageError(f"--by: the array {name} holds no values of one size in both", path=first.path)
    if "dq" in by and not shared.flags:
        raise UsageError(f"--by dq: no flags go with the array {name} in both", path=first.path)
    return name


def _write(one, two, target, about):
    """Write the difference of two images; nothing is left where that fails."""
    from rtools.products.io.staging import Stage
    from rtools.products.opening import open_any
    from rtools.show import difference_output, plot
    from rtools.show.names import shown_name

    (path, form), (first, second, array) = target, about
    with open_any(one, others=True) as a, open_any(two, others=True) as b:

        def make(name):
            if form == "asdf":
                stage = Stage(name)
                shared = difference_output.shared_image(a, b, array)
                told = {"a": shown_name(a), "b": shown_name(b), "array": array or "data"}
                with stage.open() as file:
                    difference_output.write_difference(file, shared, told, (first, second), path or "difference.asdf")
                return stage
            return plot.stage_figure(difference_output.plot_difference(a, b, array), name, form)

        deliver(path, "difference.asdf", make)


def _with_record(entry):
    """An entry as JSON has it."""
    statistics = entry.get("statistics")
    plain = {key: value for key, value in entry.items() if key != "statistics"}
    if statistics is None:
        return plain
    return plain | {"statistics": statistics if isinstance(statistics, dict) else statistics.record()}


main = entry(command)
