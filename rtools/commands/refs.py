"""rt-refs: which references a file needs, what is found where; lists, shows and makes reference files."""

import os
from dataclasses import replace
from pathlib import Path

import click

from rtools.commands.kit import options
from rtools.commands.kit.console import json_line, print_json
from rtools.commands.kit.entry import entry
from rtools.commands.kit.inputs import is_stream, opened
from rtools.commands.kit.loop import errors_in_json
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.tool import group, option, tool
from rtools.errors import RtoolsError, UsageError
from rtools.wfi.frame import FRAME, SMALLEST

__all__ = ["command", "main"]

EXAMPLES = (
    "rt-refs check r0000101001001001001_0001_wfi01_f158_uncal.asdf --refdir refs",
    "rt-refs list refs",
    "rt-refs show refs/roman_wfi_gain_0001.asdf",
    "rt-refs make refs --detector WFI01 --element F158",
)


command = group(
    "rt-refs",
    summary="Reference files: check, list, show, make.",
    description="Reference files: which ones an exposure needs and what is found where; list, show and make them.",
    examples=EXAMPLES,
)


@tool(
    "rt-refs check",
    summary="Every reference that a file's chain needs, and what is found where.",
    description="Exit status 4 if one that is needed is missing. A boresight alignment (bam) that is found is listed, "
    "too, although no tool applies it.",
    examples=("rt-refs check X_uncal.asdf --refdir refs", "rt-refs check X_uncal.asdf --refdir refs --builtin --json"),
)
@click.argument("file")
@options.references
@options.json_output
def check(console, file, ref, refdir, builtin, as_json):
    from rtools.declare import Reference
    from rtools.pipeline.exposure import chain
    from rtools.products.schema import history
    from rtools.reference import find, match
    from rtools.reference.types import APPLIED, TYPES
    from rtools.wfi import metadata

    config = reference_config(ref, refdir, builtin)
    needed = ("exposure.type", "exposure.start_time", "instrument.detector", "instrument.optical_element")
    with errors_in_json(as_json, file=file):
        with opened(file) as product:
            meta, simulated = product.meta, history.is_simulated(product.history)
        metadata.require(meta, *needed, path=file)
        uses = [use for step in chain.steps_for(meta) for use in step.references]
        uses += [Reference(name, absent="skip", optional=True) for name in TYPES if name not in APPLIED]
        answers = find.survey(meta, uses, config, simulated=simulated, log=console.log)
    rows = [
        {
            "type": answer.type,
            "status": answer.status,
            "origin": answer.source.origin if answer.source else None,
            "reference": answer.source.label if answer.source else None,
            "checksum": answer.source.checksum if answer.source else None,
            "note": answer.note if answer.type in APPLIED else f"{answer.note}; no tool applies it",
        }
        for answer in answers
        if answer.type in APPLIED or answer.source
    ]
    if as_json:
        print_json({"file": file, "exposure": vars(match.wanted(meta)), "references": rows})
    else:
        _print_table(
            ("type", "status", "reference", "note"),
            [(row["type"], row["status"], row["reference"] or "-", row["note"]) for row in rows],
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
    from rtools.reference.index import scan

    with errors_in_json(as_json, directory=directory):
        candidates = scan(directory)
    if as_json:
        for candidate in candidates:
            json_line({"file": candidate.path, "status": "done"} | _plain(candidate))
        return 0
    rows = [
        (
            Path(candidate.path).name,
            candidate.type or "-",
            candidate.detector or "-",
            candidate.element or "-",
            "|".join(candidate.exposure_types) or "-",
            candidate.useafter[:19] or "-",
            candidate.problem or candidate.pedigree,
        )
        for candidate in candidates
    ]
    _print_table(("file", "type", "detector", "element", "exposure types", "useafter", "remark"), rows)
    for candidate in candidates:
        if candidate.problem:
            console.log("warning", f"{candidate.path}: {candidate.problem}")
    return 0


@tool(
    "rt-refs show",
    summary="What one reference file says of itself, its arrays and its checksum.",
    examples=("rt-refs show refs/roman_wfi_gain_0001.asdf", "rt-refs show --json gain.asdf"),
)
@click.argument("file")
@options.json_output
def show(console, file, as_json):
    from rtools.errors import InputError
    from rtools.reference.files import FileSource
    from rtools.reference.index import candidate_of

    with errors_in_json(as_json, file=file), opened(file) as product:
        candidate = candidate_of(product.path)
        if candidate.type is None:
            raise InputError("not a reference file of a type that the chain uses", path=file)
        source = FileSource(candidate.type, product.path)
        arrays = {name: f"{info.dtype} {tuple(info.shape)}" for name, info in source.product.arrays.items()}
        checksum = source.checksum
        if is_stream(file):
            candidate = replace(candidate, path=file)
    if as_json:
        said = _plain(candidate) | {"checksum": checksum, "arrays": arrays}
        print_json(said)
        return 0
    rows = [(name, _text(value)) for name, value in _plain(candidate).items() if value]
    rows += [("checksum", checksum)] + [(f"array {name}", text) for name, text in arrays.items()]
    _print_table((), rows)
    return 0


@tool(
    "rt-refs make",
    summary="Write the nominal instrument, or a seeded variation of it, as reference files.",
    description="Not for science: part of its values are assumed. A detector and an element take about 1.9 GB "
    "before compression; --all says the total and goes on. There is no nominal boresight alignment (bam).",
    examples=(
        "rt-refs make refs --detector WFI01 --element F158",
        "rt-refs make refs2 --detector WFI01 --element F158 --seed 7",
        "rt-refs make flats --detector WFI01 --detector WFI02 --element F062 --types flat -n",
    ),
)
@click.argument("directory", metavar="DIR")
@click.option("--detector", "detectors", multiple=True, metavar="WFI01", help="Detector; may be repeated.")
@click.option("--element", "elements", multiple=True, metavar="F158", help="Optical element; may be repeated.")
@click.option("--all", "everything", is_flag=True, help="All detectors and elements.")
@click.option("--types", multiple=True, metavar="TYPE", help="Only these types, repeated or separated by commas.")
@option("--seed", default=0, metavar="N", help="Variation; 0 is the nominal set.")
@click.option(
    "--size", type=click.IntRange(SMALLEST, FRAME), default=FRAME, metavar="N", help="N x N pixels, for tests."
)
@click.option("--compression", type=click.Choice(["lz4", "zlib", "none"]), default="lz4", help="Of arrays.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist; otherwise refused, exit 1.")
@click.option("-n", "--dry-run", is_flag=True, help="Print names and sizes; write nothing.")
@options.jobs
@options.no_checksum
@options.json_output
def make(console, directory, detectors, elements, everything, types, seed, size, compression, overwrite, dry_run, jobs,
         as_json):  # fmt: skip
    from rtools.reference import make as making
    from rtools.wfi.frame import CHANNEL
    from rtools.wfi.instrument import DETECTORS, ELEMENTS

    types = [word for group in types for word in group.lower().split(",") if word]
    detectors = DETECTORS if everything else [word.upper() for word in detectors]
    elements = ELEMENTS if everything else [word.upper() for word in elements]
    if size % CHANNEL:
        raise UsageError(f"--size {size}: a multiple of {CHANNEL} expected")
    if not detectors:
        raise UsageError("no detector", mend="give --detector WFI01, or --all")
    planned = making.jobs(detectors, elements, types=types, seed=seed, frame=(size, size))
    if not planned:
        raise UsageError("nothing to make: these types need an --element")
    if not elements and not types:
        console.log("warning", "no --element: no flat, distortion or epsf")
    sizes = [making.size(job) for job in planned]
    if everything or dry_run:
        console.log("warning", f"{len(planned)} files, {sum(sizes) / 1e9:.1f} GB before compression")
    paths = making.paths(directory, planned)
    for path in paths:
        if path.exists() and not overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
    if dry_run:
        _print_planned(paths, sizes, as_json=as_json)
        return 0
    os.makedirs(directory, exist_ok=True)
    work = console.work(jobs)
    with work.progress(f"{len(planned)} references", sum(sizes)) as progress:
        for path, job, size in zip(paths, planned, sizes, strict=True):
            making.write(path, job.source, compression=compression, work=work)
            progress.advance(size)
            if as_json:
                json_line({"outputs": [str(path)], "status": "done", "bytes": path.stat().st_size})
            else:
                click.echo(path)
    return 0


def _print_planned(paths, sizes, *, as_json):
    """Print the names of reference files that would be made, and their bytes before compression."""
    if not as_json:
        _print_table(("file", "bytes"), [(str(path), str(size)) for path, size in zip(paths, sizes, strict=True)])
        return
    for path, size in zip(paths, sizes, strict=True):
        json_line({"outputs": [str(path)], "status": "planned", "bytes": size})


def _plain(candidate):
    """A candidate as a dict for JSON."""
    from dataclasses import asdict

    return asdict(candidate)


def _text(value):
    return "|".join(value) if isinstance(value, tuple) else str(value)


def _print_table(head, rows):
    """Print a table of texts."""
    from rtools.show.table import print_table

    print_table(head, rows, labels=None)


for name, subcommand in (("check", check), ("list", list_), ("show", show), ("make", make)):
    command.add_command(subcommand, name)

main = entry(command)
