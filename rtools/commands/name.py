"""rt-name: parses, checks and builds file names."""

import json
import os
import sys
from functools import partial
from string import Formatter

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.lists import expand_inputs, names_in
from rtools.commands.kit.tool import tool
from rtools.errors import InputError, RtoolsError, UsageError
from rtools.products import names
from rtools.products.schema.jsontext import json_text

__all__ = ["command", "main"]

COLUMNS = ("name", "kind", *names.FIELDS)
JWST_COLUMNS = ("name", "kind", *names.JWST_FIELDS)
ALL_COLUMNS = ("name", "kind", *names.ALL_FIELDS)
BRIEF = (
    *("kind", "level", "stage", "program", "asn_candidate", "target", "exposure", "detector", "element", "instrument"),
    *("optics", "release", "subset", "skycell", "suffix"),
)

# What to do with a name is said on the command line: RT_ROOT or RT_FORMAT may mean something else in an environment.
_option = partial(click.option, allow_from_autoenv=False)

DESCRIPTION = f"""\
Takes file names, names without extension and roots, as arguments or one a line on standard input (also for -); a
directory before a name is ignored. Names that begin with jw are those of JWST, all others those of Roman. What is not a
valid name is refused with the column and what was expected there, exit status 1.

In a pipe each name is a line of tab-separated fields: {" ".join(COLUMNS)}. A name of JWST has its own fields there:
{" ".join(JWST_COLUMNS)}. Fields are as they stand in the name, zeros kept. --field and --format take the fields of both
missions, and print nothing for one that a name does not have. With --json each name is one object on a line of its own;
--build takes these back.

--check prints nothing but errors and warnings. It warns of a skycell that does not exist or is not padded, of a missing
filter, of an older suffix and, where an ASDF file of that name exists, of metadata that say something else. Of a name
of JWST it warns of numbers that are not padded, of a word that is no field, and of a suffix that goes with other
names."""


@tool(
    "rt-name",
    summary="Parse, check and build file names.",
    description=DESCRIPTION,
    examples=(
        "rt-name r0012301008002013005_0005_wfi06_f184_cal.asdf",
        "rt-name --format '{program}/{detector}' *_uncal.asdf",
        "rt-name --suffix cal r0012301008002013005_0005_wfi06_f184_uncal.asdf",
        "ls | rt-name --check && echo all good",
        "rt-name --build visit_id=0012301008002013005 exposure=5 detector=wfi06 element=f184 suffix=cal",
        "rt-name jw02586-o173_t035_nircam_f212n-wlm8-nrca3_i2d.fits",
        "rt-name --format '{instrument}/{detector}/{stage}' jw*.fits",
        "rt-name --suffix calints jw02113004001_02101_00001-seg001_nis_o004_crfints.fits",
    ),
)
@click.argument("name", nargs=-1)
@options.json_output
@_option("--field", multiple=True, metavar="FIELD", help="Print this field; repeated, separated by tabs.")
@_option("--format", metavar="TEMPLATE", help="Print a template with fields, as '{program}/{detector}'.")
@_option("--suffix", metavar="SUFFIX", help="Print the name of this product of the same root.")
@_option("--check", is_flag=True, help="Take full names only; print errors and warnings.")
@_option("--root", is_flag=True, help="With --check, take roots too.")
@_option("--stem", is_flag=True, help="With --check, take names without extension too.")
@click.option("--lenient", is_flag=True, help="Take older forms too, and say the strict name.")
@_option("--build", is_flag=True, help="Make names of FIELD=VALUE arguments, or of JSON on standard input.")
def command(console, name, as_json, field, format, suffix, check, root, stem, lenient, build):
    _refuse_mixtures(as_json=as_json, field=field, format=format, suffix=suffix)
    if (root or stem) and not check:
        raise UsageError("--root and --stem go with --check")
    if build and (check or suffix):
        raise UsageError("--build does not go with --check or --suffix")
    if not name and sys.stdin.isatty():
        click.echo(click.get_current_context().get_help(), err=True)
        return 2
    forms = ("name", *["root"] * root, *["stem"] * stem) if check else names.FORMS
    line = _line(as_json, field, format, suffix, lenient=lenient)
    if line is None and build:
        line = str
    table = []

    def show(item):
        parsed = names.parse(names.build(item, lenient=lenient) if build else item, lenient=lenient, forms=forms)
        remarks = _remarks(console, item, parsed, check=check)
        if line is _json:
            click.echo(_json(parsed, **({"strict": parsed.strict} if lenient else {}), **remarks))
        elif line:
            click.echo(line(parsed))
        elif not check:
            table.append(parsed)

    failed = _each(console, _built(name) if build else _texts(name), show, as_json=as_json)
    _print_table(table)
    return int(failed)


def _refuse_mixtures(**chosen):
    given = [f"--{name.removeprefix('as_')}" for name, value in chosen.items() if value]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} do not go together")


def _texts(arguments):
    """Names from the arguments, or from standard input where there are none."""
    for argument in arguments or ("-",):
        if argument == "-":
            yield from _names_as_they_come()
        elif argument.startswith("@"):
            yield from expand_inputs([argument])
        else:
            yield argument


def _built(arguments):
    """Fields to build names of: one mapping from FIELD=VALUE arguments, or those of the JSON on standard input."""
    if arguments and arguments != ("-",):
        pairs = [argument.partition("=") for argument in arguments]
        wrong = [name for name, equals, _value in pairs if not equals]
        if wrong:
            raise UsageError(f"{wrong[0]} is not FIELD=VALUE")
        return [{name: value for name, _equals, value in pairs}]
    text = sys.stdin.read()
    try:
        try:
            found = json.loads(text)
        except ValueError:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise InputError(f"not JSON ({error})", path="standard input") from None
    found = found if isinstance(found, list) else [found]
    if not all(isinstance(fields, dict) for fields in found):
        raise InputError("not JSON objects of fields", path="standard input")
    return found


def _names_as_they_come():
    """Names from standard input: each line when it is there, or all that NUL ends."""
    for line in sys.stdin:
        yield from names_in(line + sys.stdin.read() if "\0" in line else line)


def _line(as_json, field, format, suffix, *, lenient):
    """What is printed of a name, as a function, or None for the table."""
    if as_json:
        return _json
    if field:
        _refuse_unknown(field)
        return lambda name: "\t".join(_record(name)[key] for key in field)
    if format is not None:
        template = _template(format)
        return lambda name: template.format_map(_record(name))
    if suffix:
        return lambda name: names.sibling(name, suffix, lenient=lenient)
    return None


def _json(name, **more):
    return json_text({**name.as_dict(), **more})


def _record(name):
    """Field to text; empty where the name has none."""
    known = dict.fromkeys(ALL_COLUMNS) | name.as_dict() | {"strict": name.strict}
    return {key: value or "" for key, value in known.items()}


def _refuse_unknown(fields):
    unknown = [field for field in fields if field not in (*ALL_COLUMNS, "strict")]
    if unknown:
        raise UsageError(f"a name has no field {unknown[0]!r}", mend=f"fields: {' '.join(ALL_COLUMNS)} strict")


def _template(format):
    """The template with ``\\t`` and ``\\n`` as such, its fields checked."""
    template = format.replace("\\t", "\t").replace("\\n", "\n")
    try:
        _refuse_unknown([field for _, field, _, _ in Formatter().parse(template) if field is not None])
        template.format_map(dict.fromkeys((*ALL_COLUMNS, "strict"), ""))
    except ValueError as error:
        raise UsageError(f"--format {format}: {error}") from None
    return template


def _remarks(console, text, name, *, check):
    """Warn of what is allowed but not as it should be; what a check adds to JSON."""
    if name.strict != name.text:
        advice = f"strict name {name.strict}" if name.strict else "has no strict form"
        console.log("warning", f"{name.text}: {advice}")
    if not check:
        return {}
    found = [*names.remarks(name), *_skycell_remarks(name), *_metadata_remarks(text, name)]
    for remark in found:
        console.log("warning", f"{text}: {remark}")
    return {"warnings": found}


def _skycell_remarks(name):
    """Whether the skycell of a name is one of the tessellation."""
    if not name.skycell:
        return []
    from rtools.mosaic.skymap.skymap import parse_name

    try:
        parse_name(name.skycell)
    except InputError as error:
        start, _end = name.span("skycell")
        return [f"column {start + 1}: {error.message}: {error.mend}"]
    return []


def _metadata_remarks(path, name):
    """Where the file of this name, if there is one, disagrees with it."""
    if name.mission != "roman" or name.form != "name" or name.extension != "asdf" or not os.path.isfile(path):
        return []
    from rtools.products.io import header

    try:
        return names.disagreements(name, header.read_header(path)[0]["roman"]["meta"])
    except (RtoolsError, OSError, KeyError, TypeError) as error:
        reason = error.message if isinstance(error, RtoolsError) else "no metadata found"
        return [f"metadata not compared: {reason}"]


def _each(console, items, show, *, as_json):
    """Show every item, go on after a wrong one; whether any was wrong."""
    failed = False
    for item in items:
        try:
            show(item)
        except names.InvalidName as error:
            failed = True
            if isinstance(item, str) and os.path.basename(item) == error.text:
                error.path = os.path.join(os.path.dirname(item), error.path)
            console.error(error)
            if console.verbosity >= 0:
                click.echo(error.picture, err=True)
            if as_json:
                parts = ("column", "component", "found", "expected", "hint")
                said = {part: getattr(error, part) for part in parts}
                json_line({"name": error.text, "error": said, "exit_code": error.exit_code})
    return failed


def _print_table(parsed):
    """On a terminal the fields of one name, or a line for each of several; else all fields, tab-separated."""
    from rtools.show.table import print_table

    records = [_record(name) for name in parsed]
    head: list[str] = []
    if not sys.stdout.isatty():
        rows = [[record[key] for key in _columns(record)] for record in records]
    elif len(records) == 1:
        rows = [[key, records[0][key]] for key in _columns(records[0]) if records[0][key]]
    else:
        head = ["name", *(key for key in BRIEF if any(record[key] for record in records))] if records else []
        rows = [[record[key] for key in head] for record in records]
    print_table(head, rows, labels=None)


def _columns(record):
    """Columns of a name's line: the fields of its mission, so that it does not depend on the names beside it."""
    return JWST_COLUMNS if record["mission"] == "jwst" else COLUMNS


main = entry(command)
