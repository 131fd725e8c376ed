"""rt-history: the command line that makes a file again."""

import os
import shlex

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.elsewhere import digest_elsewhere
from rtools.commands.kit.entry import entry
from rtools.commands.kit.guarded import on_one_line
from rtools.commands.kit.inputs import is_stream, local_path
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import for_each
from rtools.commands.kit.remaking import Remakings, options_of_files, options_of_tool, refuse_strange
from rtools.commands.kit.tool import tool
from rtools.errors import InputError, RtoolsError
from rtools.products.schema.record import STREAM
from rtools.remote import marks
from rtools.remote.names import file_name

__all__ = ["command", "main"]

DESCRIPTION = """\
A product says which job made it: the tool, its inputs, options and references, and digests of all files that were read.
That is printed as a command line. It begins with the directory of the file, from which it names all others. It makes
the file and those that were made beside it; where they are there still, it needs --overwrite. Files that are no more
what was read, or are missing, are named behind it, and so is what was done to the file later.

--verify makes the file again in a temporary directory and compares, as rt-diff does. The exit status is 1 where
anything differs. Nothing else is written.

Takes products of both missions (ASDF, FITS) and catalogs (parquet, ECSV). Files of rtools before 0.5.0 know the command
line of the whole run; it is printed as it was typed."""


@tool(
    "rt-history",
    summary="What made a file: the command line that makes it again.",
    description=DESCRIPTION,
    examples=(
        "rt-history r0000101001001001001_0001_wfi01_f158_cal.asdf",
        "rt-history field_coadd.asdf | sh",
        "rt-history --verify X_cal.asdf",
        "rt-history --json *_cal.asdf | jq -r .fingerprint",
    ),
    no_args_is_help=True,
)
@click.argument("file", nargs=-1, required=True, metavar="FILE…")
@click.option(
    "--verify", is_flag=True, help="Make it again in a temporary directory, and compare; exit 1 if it differs."
)
@options.jobs
@options.json_output
@options.fail_fast
def command(console, file, verify, jobs, as_json, fail_fast):
    codes, makers = [], click.get_current_context().with_resource(Remakings(jobs))

    def show(name):
        told = _told(name, local_path(name), asks=verify)
        if verify and is_stream(name):
            raise InputError("a stream: --verify takes files", path=name)
        if verify:
            told |= makers.compared(told)
            codes.append(0 if told["same"] else 1)
        if as_json:
            json_line(told)
            return
        click.echo("\n".join([_typed(told), *_remarks(told)] if not verify else _verdict(told)))

    status = for_each(console, expand_inputs(file), show, fail_fast=fail_fast, report=json_line if as_json else None)
    return status or max(codes, default=0)


def _told(name, path, *, asks):
    """What a file says of its job, as plain data; a stream is read from its copy.

    Addresses in a file are asked only where its command is carried out anyway: whoever wrote it may have named any.
    """
    from rtools.pipeline.job.remaking import command_words, edits_after, files_read
    from rtools.products.making import history_of_file, job_of

    job, past = job_of(path), history_of_file(path)
    folder = os.path.dirname(name) or "."
    if job is None:
        return {"file": name, "status": "done"} | _old(name, past)
    refuse_strange(job, name)
    words = command_words(job, os.path.basename(name), options_of_tool(str(job["tool"])))
    source = marks.source_of(path)
    if source is not None:  # nothing can be typed there
        named, files = options_of_files(str(job["tool"])), _files_of(job)
        words = [_from_here(word, source, named, files) for word in words]
        folder = "."
    return {
        "file": name,
        "status": "done",
        "directory": folder,
        "command": words,
        "reads": files_read(job, folder if source is None else source, *([_state_there] if asks else [])),
        "later": edits_after(job, past),
        **{key: job.get(key) for key in ("tool", "fingerprint", "options", "references", "results")},
    }


def _files_of(job):
    """Names of files that a job read, as its product says them."""
    told = [*(job.get("inputs") or ()), *(job.get("files") or {}).values()]
    return {str(one.get("file")) for one in told} - {STREAM}


def _from_here(word, source, named, files):
    """A word that names a file beside a product elsewhere, as it is typed here."""
    from rtools.pipeline.job.remaking import there

    before, equals, name = word.rpartition("=")
    if name not in files and before.partition("=")[0] not in named:
        return word
    return before + equals + (name if name.lower() == "none" else there(source, name))


def _state_there(url, digest):
    """What has become of a file elsewhere that was read; of ASDF alone a digest is known without all of its bytes."""
    from rtools.pipeline.job.remaking import ELSEWHERE

    try:
        now = digest_elsewhere(url) if file_name(url).endswith(".asdf") else ""
    except RtoolsError as error:
        return "missing" if error.message == "no such file" else ELSEWHERE
    return ELSEWHERE if not now or not digest else "there" if now == digest else "changed"


def _old(name, past):
    """What the history of a file says that knows no job."""
    for one in reversed(past):
        if one.get("tool") and one.get("arguments"):
            refuse_strange({"tool": one["tool"]}, name)
            command = [str(one["tool"]), *(str(word) for word in one["arguments"] if word != "--overwrite")]
            return {"directory": None, "command": command, "reads": [], "later": [], "tool": one["tool"]}
    raise InputError("does not say what made it", path=name)


def _typed(told):
    """The command line."""
    line = shlex.join(told["command"])
    return line if told["directory"] in (None, ".", "") else f"cd {shlex.quote(told['directory'])} && {line}"


def _remarks(told):
    """What is to be known of it, as comments of a shell."""
    if told["directory"] is None:
        yield "# as it was typed; this file of an older version does not know more"
    yield from _changes(told)
    for one in told["later"]:
        yield on_one_line(f"# later: {' '.join(one['description'].split())}")


def _changes(told):
    """What has become of the files that were read, where they are not there as they were."""
    for one in told["reads"]:
        if one["state"] == "stream":
            yield "# - was a stream"
        elif one["state"] not in ("there", "elsewhere"):
            yield on_one_line(f"# {one['file']} {'is missing' if one['state'] == 'missing' else 'has changed since'}")


def _verdict(told):
    """What came of the comparison."""
    if told["same"]:
        return [f"{told['file']}: the same"]
    line = f"{told['file']}: differs: {', '.join(told['differences'][:5])}"
    return ["; ".join([line, *(one.removeprefix("# ") for one in _changes(told))])]


main = entry(command)
