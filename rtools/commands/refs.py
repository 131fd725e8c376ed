"""rt-refs: which references a file needs, what is found where; lists, shows and makes reference files."""

from dataclasses import replace

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line, print_json
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import is_stream, local, opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.loop import errors_in_json, for_each
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.tool import group, tool
from rtools.commands.refs_fetch import compare_directory, fetch, is_lock, lock, uses_of
from rtools.commands.refs_make import make, print_rows

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-refs check r0000101001001001001_0001_wfi01_f158_uncal.asdf --refdir refs",
    "rt-refs list refs",
    "rt-refs show refs/roman_wfi_gain_0001.asdf",
    "rt-refs make refs --detector WFI01 --element F158",
    "rt-refs make refs --detector nrca1 --filter F200W",
    "rt-refs fetch *_uncal.asdf --to refs",
    "rt-refs check refs/rtools-refs.lock",
)


command = group(
    "rt-refs",
    summary="Reference files: fetch, lock, check, list, show, make.",
    description="Reference files: which ones an exposure needs and what is found where; fetch them from a server of "
    "CRDS, pin them by a lock; list, show and make them.",
    examples=EXAMPLES,
)


@tool(
    "rt-refs check",
    summary="Every reference that the chains of files need, and what is found where.",
    description="Exit status 4 if one that is needed is missing. A boresight alignment (bam) that is found is listed, "
    "too, although no tool applies it. Of a lock (rtools-refs.lock) every file that it names is compared with what it "
    "says: exit status 4 if one was changed or is missing.",
    examples=(
        "rt-refs check *_uncal.asdf --refdir refs",
        "rt-refs check X_uncal.asdf --refdir refs --builtin --json",
        "rt-refs check jw01234001001_02101_00001_nrca1_uncal.fits --refdir refs",
        "rt-refs check refs/rtools-refs.lock",
    ),
)
@click.argument("files", nargs=-1, required=True, metavar="FILE…")
@options.references
@options.json_output
@options.fail_fast
def check(console, files, ref, refdir, builtin, as_json, fail_fast):
    config, names, codes = reference_config(ref, refdir, builtin), expand_inputs(files), set()

    def look(name):
        codes.add(_check_one(console, name, config, as_json=as_json, title=name if len(names) > 1 else None))

    codes.add(for_each(console, names, look, fail_fast=fail_fast, report=json_line if as_json else None))
    failures = codes - {0}
    return failures.pop() if len(failures) == 1 else int(bool(failures))


def _check_one(console, file, config, *, as_json, title):
    """Print the references of one file, or how a lock compares; the exit status."""
    from rtools.products.schema import history
    from rtools.reference import find
    from rtools.reference.missions import rules_of

    if is_lock(file):
        return compare_directory(console, file, as_json=as_json)
    with opened(file, jwst=True) as product:
        meta, simulated = product.meta, history.is_simulated(product.history)
        rules = rules_of(product.mission)
    uses = uses_of(product.mission, meta, file)
    answers = find.survey(meta, uses, config, simulated=simulated, log=console.log, rules=rules)
    rows = [
        {
            "type": answer.type,
            "status": answer.status,
            "origin": answer.source.origin if answer.source else None,
            "reference": answer.source.label if answer.source else None,
            "checksum": answer.source.checksum if answer.source else None,
            "note": answer.note if answer.type in rules.applied else f"{answer.note}; no tool applies it",
        }
        for answer in answers
        if answer.type in rules.applied or answer.source
    ]
    if as_json:
        json_line({"file": file, "status": "done", "exposure": _plain(rules.wanted(meta)), "references": rows})
    else:
        print_rows(
            ("type", "status", "reference", "note"),
            [(row["type"], row["status"], row["reference"] or "-", row["note"]) for row in rows],
            title,
        )
    missing = [row["type"] for row in rows if row["status"] == "missing"]
    if missing:
        console.log("error", f"{file}: missing: {', '.join(missing)}")
        return 4
    if any(row["origin"] == "builtin" for row in rows):
        console.log("caution", find.NOT_FOR_SCIENCE)
    return 0


@tool(
    "rt-refs list",
    summary="The reference files of a directory.",
    examples=("rt-refs list refs", "rt-refs list --json $RT_REFDIR"),
)
@click.argument("directory", metavar="DIR")
@options.json_output
def list_(console, directory, as_json):
    from rtools.reference.missions import scan_all

    with errors_in_json(as_json, directory=directory):
        candidates = scan_all(directory)
    if as_json:
        for candidate in candidates:
            json_line({"file": candidate.path, "status": "done"} | _plain(candidate))
        return 0
    head = ("file", "type", "detector", "element", "exposure types", "useafter", "remark")
    rows = [candidate.listed() for candidate in candidates]
    print_rows(head, [(*(word or "-" for word in cells), remark) for *cells, remark in rows])
    for candidate in candidates:
        if candidate.problem:
            console.log("warning", f"{candidate.path}: {candidate.problem}")
    return 0


@tool(
    "rt-refs show",
    summary="What one reference file says of itself, its arrays and its checksum.",
    examples=(
        "rt-refs show refs/roman_wfi_gain_0001.asdf",
        "rt-refs show --json gain.asdf",
        "rt-refs show refs/jwst_nircam_flat_builtin_nrca1_f200w.fits",
    ),
)
@click.argument("file")
@options.json_output
def show(console, file, as_json):
    from rtools.reference.missions import opened_reference

    with errors_in_json(as_json, file=file), local(file) as path:
        source = opened_reference(path)
        candidate, contents, checksum = source.candidate, source.listed(), source.checksum
        if is_stream(file):
            candidate = replace(candidate, path=file)
    if as_json:
        print_json(_plain(candidate) | {"checksum": checksum} | contents)
        return 0
    rows = [(name, _text(value)) for name, value in _plain(candidate).items() if value]
    rows += [("checksum", checksum)]
    rows += [
        (f"{kind.removesuffix('s')} {name}", text) for kind, named in contents.items() for name, text in named.items()
    ]
    print_rows((), rows)
    return 0


def _plain(candidate):
    """A candidate as a dict for JSON."""
    from dataclasses import asdict

    return asdict(candidate)


def _text(value):
    """A value of a candidate in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(words)}" for key, words in value.items())
    return "|".join(str(word) for word in value) if isinstance(value, tuple | list) else str(value)


for name, subcommand in (
    ("check", check),
    ("fetch", fetch),
    ("list", list_),
    ("lock", lock),
    ("show", show),
    ("make", make),
):
    command.add_command(subcommand, name)

main = entry(command)
