"""rt-validate: whether a file is what it says: schema, layout, steps, name, WCS, labels, checksums."""

import sys

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line
from rtools.commands.kit.entry import entry
from rtools.commands.kit.examination import examined
from rtools.commands.kit.inputs import is_stream, local
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import failed_record, for_each
from rtools.commands.kit.tool import tool
from rtools.errors import RtoolsError, UsageError

__all__ = ["command", "main"]

COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}

DESCRIPTION = """\
Takes products of Roman (ASDF), reference files and catalogs (parquet, ECSV, ASDF), and products of JWST (FITS, ECSV).
What is checked of Roman files:

\b
schema    the tree against the schemas of the file's own manifest
layout    arrays that must be there, their dtypes; shapes that agree with each other
guide     pairs, windows, times, flags and centroids of guide windows; rotations and words of FACE files
values    metadata that something is computed from can be: no placeholder, no declination of 91
steps     cal_step: what is COMPLETE agrees with suffix, unit, ref_file and arrays
built-in  references of the built-in instrument, which is not for science: always a warning
name      the file name against the archive's grammar, the product and meta.filename
blocks    block table and block index against the file: is it cut off?
checksum  the MD5 of every block
wcs       forward and inverse transform agree to 0.01 pixel on a 9 x 9 grid
catalog   a catalog and its segmentation map have the same labels

\b
Of JWST files:
F1-F3     the file follows the standard of FITS; its primary header; its name
L1-L7     extensions, their order, types, axes and columns, against the layout of the product; which release wrote it
C1-C5     flags, NaN, errors and variances; saturation along a ramp; times of integrations
C6-C8     inputs and weights of resampled images; wavelengths of cubes
C9, C10   spectra: wavelengths, errors, times; numbers of inputs of combined ones
C11       a catalog and its segmentation map: labels, areas, centroids; the shape of the image
C12       light curves: net flux, times
C13       numbers and shapes of images of coronagraphy, with --associated
C14, C15  interferometric observables, and fits of fringes
A1        the extension ASDF: its arrays, and whether headers were edited after it was written
W1        coordinates of images: header, S_REGION and tree agree
segments  segments of an exposure follow each other, with --associated

Findings are errors, warnings (of which a good file may have some) and remarks, which are shown with -v. In a pipe each
is a line of tab-separated fields: file, severity, check, where, message; a good file prints nothing. With --json each
file is one object on a line of its own, remarks included.

Exit status 0 without errors, 1 with errors (with --strict: or warnings), 3 if a file cannot be read."""


@tool(
    "rt-validate",
    summary="Check files: schema, layout, steps, WCS, checksums.",
    description=DESCRIPTION,
    examples=(
        "rt-validate r0000101001001001001_0001_wfi01_f158_cal.asdf",
        "rt-validate --quick *.asdf && echo all good",
        "rt-validate X_segm.asdf --with other_cat.parquet",
        "rt-validate --associated jw*.fits jw*.ecsv",
        "rt-validate --json X_cal.asdf | jq .findings",
    ),
    no_args_is_help=True,
)
@click.argument("inputs", nargs=-1, metavar="FILE…")
@click.option("--quick", is_flag=True, help="Header, metadata, shapes and block table only; reads no array.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option(
    "--with",
    "partner",
    metavar="FILE",
    help="Catalog of a segmentation map, or the other way round; the sibling of the same root by default.",
)
@click.option(
    "--associated",
    is_flag=True,
    help="Look also at files that belong together, among those named and beside them.",
)
@options.jobs
@options.json_output
@options.fail_fast
def command(console, inputs, quick, strict, partner, associated, jobs, as_json, fail_fast):
    inputs = expand_inputs(inputs)
    if not inputs:
        raise UsageError("no input file")
    if partner and len(inputs) > 1:
        raise UsageError("--with goes with one file")
    if partner and quick:
        raise UsageError("--with and --quick do not go together", mend="labels are compared without --quick")
    if associated and (partner or quick):
        other = "--with" if partner else "--quick"
        raise UsageError(f"--associated and {other} do not go together", mend="files are compared without it")
    work = console.work(jobs)
    others = [name for name in inputs if not is_stream(name)] if associated else None
    examined = set()

    def examine(name):
        try:
            report = _examined(name, quick=quick, partner=partner, others=others, work=work)
        finally:
            progress.advance()
        failed = bool(report.count("error") or (strict and report.count("warning")))
        examined.add(name)
        error = RtoolsError(_counted(report, "error", "warning"), path=name) if failed else None
        _print(name, report, error, as_json=as_json, verbosity=console.verbosity)
        if error:
            raise error

    def unread(record):
        if as_json and record["file"] not in examined:
            json_line(record)

    several = len(inputs) > 1
    label, total = (f"{len(inputs)} files", len(inputs)) if several else (inputs[0], None)
    with work.progress(label, total) as progress:
        return for_each(console, inputs, examine, fail_fast=fail_fast, report=unread)


def _examined(name, *, quick, partner, others, work):
    """The report on one file, or on the copy of a stream."""
    with local(name) as path:
        called = "" if is_stream(name) else None
        return examined(path, name=called, quick=quick, partner=partner, others=others, work=work)


def _counted(report, *severities):
    """``1 error, 2 warnings``."""
    words = {"error": "error", "warning": "warning", "info": "remark"}
    counts = [(report.count(severity), words[severity]) for severity in severities]
    return ", ".join(f"{count} {word}{'s' * (count > 1)}" for count, word in counts if count)


def _print(name, report, error, *, as_json, verbosity):
    shown = ("error", "warning", "info")[: verbosity + 2]
    findings = [finding for finding in report.findings if finding.severity in shown]
    if as_json:
        about = {"file": name, "kind": report.kind, "profile": report.profile, "valid": error is None}
        about |= {"checked": report.checked, "findings": [one._asdict() for one in report.findings]}
        json_line(about | (failed_record(error, name) if error else {"status": "done"}))
    elif sys.stdout.isatty():
        _print_table(name, report, findings, shown)
    else:
        for finding in findings:
            click.echo("\t".join((name, *finding)))


def _print_table(name, report, findings, shown):
    from rtools.show.table import TextColumn, print_columns

    kind = f"{report.kind or 'cut off'}" + (f", {report.profile}" if report.profile else "")
    print(f"{name} ({kind}): {_counted(report, *shown) or 'good'}")
    columns = [TextColumn(texts) for texts in zip(*findings, strict=True)]
    if columns:
        severities = columns[0].texts
        columns[0] = TextColumn([f"  {one}" for one in severities], styles=[COLOURS[one] for one in severities])
        print_columns(columns, labels=None, fold=True)


main = entry(command)
