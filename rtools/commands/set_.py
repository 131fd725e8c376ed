"""rt-set: sets metadata, checked against the schema and recorded in the history."""

import os
import re

import click

from rtools.commands.kit import options
from rtools.commands.kit.edits import EDITED, edit_files, in_place
from rtools.commands.kit.entry import entry
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.tool import tool
from rtools.errors import UsageError

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
under history, as JSON.

Of FITS files of JWST KEY is a keyword (EXP_TYPE) or a path of the data model (exposure.type). The keyword, the tree in
the extension ASDF and its hash change together, so that readers trust the tree. A value must be of the type that the
data model has; null takes it away; keywords that say how the data are stored cannot be set. FILENAME and DATE follow,
and each change is recorded in a HISTORY card. Metadata of JWST's ECSV tables cannot be set."""


@tool(
    "rt-set",
    summary="Set metadata: checked against the schema, recorded in the history.",
    description=DESCRIPTION,
    examples=(
        "rt-set X_cal.asdf program.title='Deep field' -o Y_cal.asdf",
        "rt-set X_uncal.asdf exposure.start_time=2027-01-01T00:00:00 --outdir fixed",
        "rt-set --in-place *_uncal.asdf instrument.data_encoding_offset=1000",
        "rt-set jw01024001001_02101_00001_nrca1_cal.fits TARGNAME=M-31 --outdir fixed",
    ),
    no_args_is_help=True,
)
@click.argument("words", nargs=-1, required=True, metavar="FILE… KEY=VALUE…")
@in_place
@click.option(
    "--hdu",
    metavar="NAME[,VER]",
    allow_from_autoenv=False,
    help="Set keywords of this HDU (JWST): SCI, SCI,2, PRIMARY.",
)
@click.option("--new", is_flag=True, allow_from_autoenv=False, help="Take keys that neither schema nor file have.")
@options.named_outputs(*EDITED)
@options.json_output
@options.fail_fast
def command(console, words, hdu, new, **where):
    names, assignments = _sorted(words)

    def edited(name, path):
        from rtools.products.edit.opening import open_edit

        edit = open_edit(path, hdu)
        for key, value in assignments:
            edit.set(key, value, new=new)
        problem = edit.check()
        if problem:
            console.log("warning", f"{name}: {problem}")
        return edit

    return edit_files(console, names, edited, **where)


def _sorted(words):
    """Names of files, and assignments; the first word is always a file."""
    from rtools.products.schema.assignment import parse_assignment  # with yaml, which --help does without

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
    return list(dict.fromkeys(expand_inputs(files))), [parse_assignment(word) for word in assignments]


main = entry(command)
