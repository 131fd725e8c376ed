"""rt-set: sets metadata, checked against the schema and recorded in the history."""

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import click

from rtools.commands import common, options
from rtools.commands.inputs import local
from rtools.commands.outputs import Outputs
from rtools.errors import RtoolsError, UsageError
from rtools.products import keys

__all__ = ["command", "main"]

ASSIGNMENT = re.compile(r"[\w.-]+=")

DESCRIPTION = """\
KEY is a dotted path below roman (exposure.type is meta.exposure.type, too). VALUE is YAML as JSON has it: a number,
true, false, null, [a, list], {a: mapping}, else a string. Digits led by a zero, as in a visit_id, are a string, too;
other strings that look like something else are quoted: program.title='"2027"'. Times are ISO, UTC.

The result must fit the schema of the file's own profile; else nothing is written, exit status 2. So it is with a key
that neither the schema nor the file has, unless --new is given. Arrays are copied as they are stored. meta.filename and
meta.file_date follow the new file unless they are set.

Takes ASDF files and catalogs (parquet, ECSV). Metadata of parquet files are strings; they are checked as what the
schema of their model_type wants, null takes a key away, rows and columns stay as they are, and the change is recorded
under history, as JSON."""


@common.tool(
    "rt-set",
    summary="Set metadata: checked against the schema, recorded in the history.",
    description=DESCRIPTION,
    examples=(
        "rt-set X_cal.asdf program.title='Deep field' -o Y_cal.asdf",
        "rt-set X_uncal.asdf exposure.start_time=2027-01-01T00:00:00 --outdir fixed",
        "rt-set --in-place *_uncal.asdf instrument.data_encoding_offset=1000",
    ),
    no_args_is_help=True,
)
@click.argument("words", nargs=-1, required=True, metavar="FILE… KEY=VALUE…")
@click.option("--in-place", is_flag=True, allow_from_autoenv=False, help="Replace the input by the result.")
@click.option("--new", is_flag=True, allow_from_autoenv=False, help="Take keys that neither schema nor file have.")
@options.named_outputs
@options.fail_fast
def command(console, words, in_place, new, output, outdir, overwrite, dry_run, fail_fast):
    names, assignments = _sorted(words)
    if [in_place, output is not None, outdir is not None].count(True) != 1:
        raise UsageError("where shall the result go", mend="give one of -o FILE, --outdir DIR and --in-place")
    if in_place and "-" in names:
        raise UsageError("standard input cannot be changed in place")
    outputs = Outputs(output, outdir, overwrite=overwrite, inputs=names, dry_run=dry_run)
    outputs.refuse_twins({name: Path(name).name for name in names if name != "-"})

    def change(name):
        with local(name) as path:
            target = _target(name, path, output, outdir, in_place=in_place, overwrite=overwrite)
            outputs.claim(target, name)
            edit = _edited(console, name, path, assignments, new=new)
            if dry_run:
                for key, (old, value) in edit.changes.items():
                    click.echo(f"{name}\t{key}\t{old}\t{value}")
            elif output == "-":
                _stream(edit, name)
            else:
                _make_directory(target.parent)
                click.echo(edit.stage(target, tool="rt-set", inputs=[name]).commit())

    return common.for_each(console, names, change, fail_fast=fail_fast)


def _sorted(words):
    """Names of files, and assignments; the first word is always a file."""
    files, assignments = [words[0]], []
    for word in words[1:]:
        if ASSIGNMENT.match(word) and not os.path.exists(word):
            assignments.append(word)
        elif assignments:
            raise UsageError(f"{word!r} is not KEY=VALUE")
        else:
            files.append(word)
    if not assignments:
        raise UsageError("nothing to set", mend="give KEY=VALUE after the files")
    return list(dict.fromkeys(common.expand_inputs(files))), [keys.parse_assignment(word) for word in assignments]


def _target(name, path, output, outdir, *, in_place, overwrite):
    """Path of the result; refused where something is in the way."""
    if in_place:
        return Path(os.path.realpath(path))
    if output == "-":
        return Path(_filename(path) if name == "-" else name)
    target = Path(output) if output else Path(outdir) / Path(_filename(path) if name == "-" else name).name
    if target.exists():
        if os.path.samefile(target, path):
            raise UsageError("the result would replace the input", mend="ask for it with --in-place", path=name)
        if not overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=target)
    return target


def _filename(path):
    """What a file from standard input is called."""
    found = keys.find(keys.read_tree(path), "meta.filename")
    name = Path(str(found[0][1])).name if found else ""
    return name or f"stdin.{keys.form_of(path)}"


def _edited(console, name, path, assignments, *, new):
    from rtools.products.edit import open_edit

    edit = open_edit(path)
    for key, value in assignments:
        edit.set(key, value, new=new)
    problem = edit.check()
    if problem:
        console.log("warning", f"{name}: {problem}")
    for key, (old, value) in edit.changes.items():
        console.log("info", f"{name}: {key} was {old!r}, is {value!r}")
    return edit


def _make_directory(directory):
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RtoolsError(f"cannot be made ({(error.strerror or str(error)).lower()})", path=directory) from None


def _stream(edit, name):
    """Write the result to standard output, by way of a temporary file."""
    with tempfile.TemporaryDirectory(prefix="rtools-") as scratch:
        target = Path(scratch) / Path(_filename(edit.path) if name == "-" else name).name
        with open(edit.stage(target, tool="rt-set", inputs=[name]).commit(), "rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


main = common.entry(command)
