"""rt-diff: what differs between two products."""

import json
import math

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import local
from rtools.commands.kit.loop import errors_in_json
from rtools.commands.kit.tool import option, tool
from rtools.errors import UsageError
from rtools.products.schema.flag_tables import bits_of_mission
from rtools.wfi import dq

__all__ = ["command", "main"]

DESCRIPTION = """\
Compares metadata by key and arrays by value, exactly unless a tolerance is given: numbers are the same if |a - b| <=
ATOL + RTOL |b|; flags are always compared exactly, dtypes only without a tolerance. NaN equals NaN; how an array is
compressed or its bytes ordered is not a difference. Times are compared as times, however they are written, in seconds:
leap seconds are counted.

Left out, unless --all: asdf_library, history, meta.filename, meta.file_date, meta.calibration_software_*,
meta.cal_logs, meta.rtools (what made the file: rt-history tells it), and of catalogs the date and versions of
source_catalog.

Takes ASDF files, and catalogs of any format that rt-table reads: metadata, units, descriptions and values by column.
Rows belong together by label or source_id, where these are there and occur once, else by their place; the order of
columns, and of labelled rows, is not a difference.

Of JWST files in FITS the cards, arrays and tables of each extension are compared, and the tree of the extension ASDF
without its arrays. Extensions belong together by EXTNAME and EXTVER; their order, that of cards, and comments of cards
are no difference. What differs in a keyword and alike in the tree is told of the keyword, as SCI.PHOTMJSR. Left out,
unless --all: DATE, FILENAME, CAL_VER, CAL_VCS, CHECKSUM, DATASUM, HISTORY, what the tree says of the same, _fits_hash,
and comments. Both files must be of JWST.

Exit status 0 if the products are the same (nothing is printed), 1 if they differ, 3 if one cannot be read. With -q only
the status tells."""

SHORT = 60
"""Characters of a metadata value."""


@tool(
    "rt-diff",
    summary="What differs between two products or catalogs: metadata, arrays, the worst pixels.",
    description=DESCRIPTION,
    examples=(
        "rt-diff old_cal.asdf new_cal.asdf",
        "rt-diff --rtol 1e-5 --ignore 'meta.wcs*,meta.ref_file' old_cal.asdf new_cal.asdf",
        "rt-diff --rtol 1e-6 old_cat.parquet new_cat.parquet",
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
@options.json_output
@options.no_checksum
def command(console, first, second, rtol, atol, within, ignore, everything, worst, as_json):
    if not (0 <= rtol < math.inf and 0 <= atol < math.inf):
        raise UsageError("--rtol and --atol: numbers of at least 0 expected")
    if not 0 <= within < math.inf:
        raise UsageError("--within: a number of seconds of at least 0 expected")
    if first == second == "-":
        raise UsageError("only one of the two can be standard input")
    from rtools.products.edit.array_names import split_names
    from rtools.products.edit.file_comparison import compare_files

    settings = {"rtol": rtol, "atol": atol, "within": within}
    settings |= {"ignore": split_names(ignore), "everything": everything, "worst": worst}
    with errors_in_json(as_json, a=first, b=second), local(first) as one, local(second) as two:
        metadata, arrays, what, mission = compare_files(one, two, **settings)
    differ = bool(metadata or arrays)
    if as_json:
        told = {"a": first, "b": second, "same": not differ, "metadata": metadata, f"{what}s": arrays}
        json_line(_plain(told))
    elif differ and console.verbosity >= 0:
        for line in _lines(metadata, arrays, what, mission):
            click.echo(line)
    return int(differ)


def _lines(metadata, arrays, what, mission):
    for found in (*metadata, *arrays):
        name = found.get("key") or found["array"]
        if "only_in" in found:
            side = found["only_in"]
            count = f" {found['count']}" if "count" in found else ""
            yield f"{name}:{count} only in {side.upper()}: {_text(found[side])}"
        elif "key" in found:
            yield f"{name}: {' | '.join(_pair(found['a'], found['b']))}"
        else:
            yield from _array_lines(found, bits_of_mission(mission, found["array"]))
    keys = f"{len(metadata)} {'key' if len(metadata) == 1 else 'keys'}"
    yield f"differ: {keys}, {len(arrays)} {what if len(arrays) == 1 else f'{what}s'}"


def _array_lines(found, bits):
    name = found["array"]
    for what in ("shape", "dtype"):
        if what in found:
            yield f"{name}: {what} {found[what][0]} | {found[what][1]}"
    if not found.get("differing"):
        return
    times = found.get("unit") == "s"
    share = 100 * found["differing"] / found["size"]
    line = f"{name}: {found['differing']} of {found['size']} values differ ({share:.3g} %)"
    if found["largest"] is not None:
        line += f", by {found['largest']:.6g}{' s' if times else ''} at most"
    if found["largest_relative"] is not None:
        line += f" (relative {found['largest_relative']:.3g})"
    if found["one_nan"]:
        line += f", {found['one_nan']} {'null' if times else 'NaN'} in one only"
    yield line
    for flag, (only_a, only_b) in found.get("flags", {}).items():
        yield f"  {flag}: {only_a} in A only, {only_b} in B only"
    yield from _worst_lines(found["worst"], bits)


def _worst_lines(worst, bits):
    """Pixels, x first, a plane of a cube last; with names of flags if there are `bits`."""
    from rtools.show.table import aligned

    if not worst:
        return
    axes = _axes(worst[0])
    rows = []
    for pixel in worst:
        place = [pixel[axis] for axis in axes] if axes[0] in pixel else pixel["index"][::-1]
        place = place if len(place) == len(axes) else ["/".join(map(str, pixel["index"]))]
        if "seconds" in pixel:
            values = [
                pixel["a"] or "null",
                pixel["b"] or "null",
                "-" if pixel["seconds"] is None else _number(pixel["seconds"]),
            ]
        elif bits is None:
            values = [_number(pixel["a"]), _number(pixel["b"]), _gap(pixel["a"], pixel["b"])]
        else:
            values = [",".join(dq.names(pixel[side], bits)) or "GOOD" for side in ("a", "b")]
        rows.append([*map(str, place), *values])
    head = [*axes, "A", "B", *(["B - A"] if bits is None else [])]
    for line in aligned(head, rows, labels=0, width=10**6):
        yield f"  {line}"


def _axes(entry):
    """Names of what says where a value is."""
    source = [key for key in entry if key not in ("index", "a", "b", "seconds")]
    if "seconds" in entry:
        return ["item"]
    axes = ["x", "y", "plane"][: len(entry["index"])] if len(entry["index"]) < 4 else ["index"]
    return source or axes


def _gap(one, two):
    return _number(two - one) if all(isinstance(value, int | float | complex) for value in (one, two)) else "-"


def _number(value):
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _pair(one, two):
    """Two values as short texts, where they begin to differ if they are long."""
    texts = [_whole(value) for value in (one, two)]
    alike = next((n for n, pair in enumerate(zip(*texts, strict=False)) if pair[0] != pair[1]), min(map(len, texts)))
    begin = max(0, alike - SHORT // 3) if alike > SHORT - 10 else 0
    return [("…" if begin else "") + _text(text[begin:]) for text in texts]


def _text(value):
    text = _whole(value)
    return text if len(text) <= SHORT else f"{text[: SHORT - 1]}…"


def _whole(value):
    text = value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False)
    return text.replace("\n", "\\n")


def _plain(node):
    """What JSON can hold: numbers that are not finite, and complex ones, as text."""
    if isinstance(node, dict):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_plain(value) for value in node]
    if isinstance(node, float) and not math.isfinite(node):
        return str(node)
    return node if node is None or isinstance(node, bool | int | float | str) else str(node)


main = entry(command)
