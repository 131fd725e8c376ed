"""rt-get: prints metadata by key."""

import json
from functools import partial

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import local
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.tool import tool
from rtools.errors import RtoolsError, UsageError
from rtools.products.schema import keys
from rtools.products.schema.jsontext import json_text

__all__ = ["command", "main"]

_option = partial(click.option, allow_from_autoenv=False)
_print_json = partial(json_line, ascii_only=False)

DESCRIPTION = """\
KEY is a dotted path below roman (exposure.type is meta.exposure.type, too), several of them separated by commas. A
component may be a glob (ref_file.*; ** is any number of components) or a place in a list (read_pattern.-1). Takes ASDF,
FITS of rt-fits, FITS of JWST, catalogs (parquet, ECSV, FITS) and JSON; only headers are read.

Of FITS files of JWST a key is a path of the data model (meta.exposure.type, exposure.type, data.shape) or a keyword
(EXP_TYPE), also as a glob (S_*). A keyword is looked for where the data model has it, then in the other headers;
--hdu says in which. Where a header was edited, its keywords hold.

One key of one file prints its value alone; several keys or a glob print lines of key and value; several files have
their name first; separated by tabs. Lists and blocks are printed as JSON, an array as its node in the tree (data.shape
works). With --tsv there is one line for each file, under a line of names. A key that is missing is exit status 1; what
there is is printed."""


@tool(
    "rt-get",
    summary="Print metadata by key.",
    description=DESCRIPTION,
    examples=(
        "rt-get exposure.type X_uncal.asdf",
        "rt-get --tsv instrument.detector,exposure.start_time *_uncal.asdf",
        "rt-get 'cal_step.*' X_cal.asdf",
        "rt-get --json 'ref_file.*,data.shape' X_cal.asdf",
        "rt-get --tsv EXP_TYPE,FILTER,EFFEXPTM jw*_cal.fits",
    ),
    no_args_is_help=True,
)
@click.argument("key", metavar="KEY[,KEY…]")
@click.argument("file", nargs=-1, required=True)
@_option("--hdu", metavar="NAME[,VER]", help="Look for keywords in this HDU alone (JWST): SCI, SCI,2, PRIMARY.")
@_option("--tsv", is_flag=True, help="A table: one line for each file, one column for each key, names first.")
@options.json_output
@options.fail_fast
def command(console, key, file, hdu, tsv, as_json, fail_fast):
    from rtools.products.edit import open_keyed

    wanted = [word.strip() for word in key.split(",") if word.strip()]
    if not wanted:
        raise UsageError("no key")
    if tsv and as_json:
        raise UsageError("--tsv and --json cannot go together")
    names = expand_inputs(file)
    alone = len(wanted) == 1 and not keys.is_glob(wanted[0])
    rows = []

    def show(name):
        with local(name) as path:
            keyed = open_keyed(path, hdu)
        found, missing = _values(keyed, wanted)
        rows.append((name, found))
        if as_json and not missing:
            _print_json({"file": name, "status": "done", **found})
        elif not (tsv or as_json):
            for one, value in found.items():
                before = ([name] if len(names) > 1 else []) + ([] if alone else [one])
                click.echo("\t".join([*before, value if isinstance(value, str) and not before else _cell(value)]))
        if missing:
            raise _missing(keyed, missing)

    def report(failure):
        found = rows[-1][1] if rows and rows[-1][0] == failure["file"] else {}
        _print_json({"file": failure["file"], "status": "failed", **found, **failure})

    status = for_each(console, names, show, fail_fast=fail_fast, report=report if as_json else None)
    if tsv:
        _print_table(rows)
    return status


def _values(keyed, wanted):
    """(name to plain value of all that the keys name, keys that name nothing)."""
    found: dict[str, object] = {}
    missing = []
    for key in wanted:
        matches = keyed.find(key)
        found |= {name: keys.bare(node) for name, node in matches}
        if not matches:
            missing.append(key)
    return found, missing


def _missing(keyed, missing):
    near = keyed.nearest(missing[0]) if not keys.is_glob(missing[0]) else None
    words = "no key" if len(missing) == 1 else "no keys"
    return RtoolsError(f"{words} {', '.join(missing)}", mend=near and f"did you mean {near}?")


def _cell(value):
    """A value in one line: strings as they are but for tabs and line ends, the rest as JSON."""
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return json.dumps(value) if isinstance(value, float) else json_text(value, ascii_only=False)


def _print_table(rows):
    columns = list(dict.fromkeys(key for _name, found in rows for key in found))
    if rows:
        click.echo("\t".join(["file", *columns]))
    for name, found in rows:
        click.echo("\t".join([_cell(name), *(_cell(found[key]) if key in found else "" for key in columns)]))


main = entry(command)
