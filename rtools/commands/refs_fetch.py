"""rt-refs fetch and lock: the best references of exposures brought into a directory, and pinned there."""

import os
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.console import json_line
from rtools.commands.kit.inputs import opened
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.tool import tool
from rtools.commands.kit.written import WrittenPlace
from rtools.commands.refs_make import print_rows
from rtools.errors import RtoolsError, UsageError

__all__ = ["compare_directory", "fetch", "is_lock", "lock", "uses_of"]

DESCRIPTION = """\
Asks the rules of CRDS which references serve these exposures best, brings those that the directory does not hold yet,
and pins all of them by name and digest in DIR/rtools-refs.lock. From then on --refdir DIR takes only what the lock
names, and refuses a file that was changed.

The rules are those of a server (the mission's own by default; --server or CRDS_SERVER_URL names another one), or of a
cache that CRDS software has filled (--cache); --context, or CRDS_CONTEXT, says which of them. Only this tool speaks to
a network. It needs the extra crds.

Exit status 4 if there is no reference of a type without which an exposure cannot be calibrated.\
"""


@tool("rt-refs fetch", summary="Bring the best references of exposures into a directory, and lock it.",
      description=DESCRIPTION, examples=(
          "rt-refs fetch *_uncal.asdf --to refs",
          "rt-refs fetch X_uncal.asdf --to refs --context roman_0042.pmap -n",
          "rt-refs fetch jw*_uncal.fits --to refs --cache /data/crds_cache",
      ))  # fmt: skip
@click.argument("files", nargs=-1, metavar="FILE…")
@click.option(
    "--to", "directory", type=WrittenPlace(), metavar="DIR", required=True, help="Where the references shall lie."
)
@click.option("--server", metavar="URL", help="The server of CRDS that is asked.")
@click.option("--cache", metavar="DIR", type=click.Path(), help="A cache of CRDS that is asked instead.")
@click.option("--context", metavar="NAME.pmap", envvar="CRDS_CONTEXT", help="The rules; default the latest ones.")
@click.option("--overwrite", is_flag=True, help="Replace files of the same names; otherwise refused, exit 1.")
@click.option("-n", "--dry-run", is_flag=True, help="Print what would be brought; write nothing.")
@bundles.json_output
def fetch(console, files, directory, server, cache, context, overwrite, dry_run, as_json):
    from rtools.reference.fetching import require_crds

    if not files:
        raise UsageError("no input file")
    if cache == "":
        raise UsageError("--cache names no directory")
    if server and cache:
        raise UsageError("--server and --cache do not go together")
    groups, status = _exposures_of(expand_inputs(files)), 0
    for mission in groups:
        require_crds(mission, cache=bool(cache))
    if context and len(groups) > 1:
        raise UsageError("--context is of one mission, and these files are of both")
    for mission, exposures in groups.items():
        place = _place(mission, server, cache, context)
        status = max(status, _fetch_mission(console, place, exposures, directory, (overwrite, dry_run, as_json)))
    return status


def _place(mission, server, cache, context):
    from rtools.reference.fetching import CrdsPlace

    if not cache:
        server = server or os.environ.get("CRDS_SERVER_URL")
    return CrdsPlace(mission, server.rstrip("/") if server else None, cache, context)


def _exposures_of(names):
    """What each exposure asks of the rules, with its name, by mission."""
    from rtools.reference.crds_cache import parameters
    from rtools.reference.fetching import AskedReferences

    groups = {}
    for name in dict.fromkeys(names):
        with opened(name, jwst=True) as product:
            uses = uses_of(product.mission, product.meta, name)
            needed = [use.type for use in uses if use.absent != "skip"]
            others = [use.type for use in uses if use.absent == "skip"]
            wanted = AskedReferences(parameters(product.meta, product.mission), needed, others)
            groups.setdefault(product.mission, {})[name] = wanted
    return groups


def _fetch_mission(console, place, exposures, directory, how):
    """Choose, bring and lock the references of one mission's exposures; the exit status."""
    from rtools.products.io import temporary
    from rtools.reference.fetching import CrdsClient

    overwrite, dry_run, as_json = how
    into = nullcontext() if dry_run else _made(directory)
    with into as beside, temporary.directory(beside) as scratch, CrdsClient(place, scratch) as client:
        choice = client.choose(list(exposures.values()))
        console.log("info", f"{place.name}: {choice.context}")
        for name in choice.bad:
            console.log("warning", f"{name}: the mission takes it for invalid")
        new = _new_files(directory, choice.files, overwrite=overwrite)
        if not dry_run:
            client.bring(choice.context, new, directory)
            _pin_files(directory, choice.files, place, choice.context)
    _print_files(directory, choice, new, dry_run=dry_run, as_json=as_json)
    for name, lacking in zip(exposures, choice.lacking, strict=True):
        if lacking:
            console.log("error", f"{name}: no reference: {', '.join(lacking)}")
    return 4 if any(choice.lacking) else 0


@contextmanager
def _made(directory):
    """The directory, made where it is not there; without a file in it, it goes again."""
    was_there = os.path.isdir(directory)
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise RtoolsError(f"cannot be made ({(error.strerror or str(error)).lower()})", path=directory) from None
    try:
        yield directory
    finally:
        if not was_there:
            with suppress(OSError):
                os.rmdir(directory)


def _print_files(directory, choice, new, *, dry_run, as_json):
    for name, reftype in sorted(choice.files.items()):
        path = os.path.join(directory, name)
        if as_json:
            status = ("wanted" if dry_run else "done") if name in new else "kept"
            json_line({"outputs": [path], "type": reftype, "status": status, "context": choice.context})
        else:
            click.echo(path)


def _new_files(directory, files, *, overwrite):
    """Names of those that the directory does not hold as its lock says, sorted; what would be replaced is refused."""
    from rtools.reference.lock import Lock, compare_with_lock, lock_of

    locked = lock_of(directory) or Lock()
    states = compare_with_lock(directory, Lock({name: locked.files[name] for name in files if name in locked.files}))
    new = sorted(name for name in files if states.get(name) != "same")
    for name in new:
        path = Path(directory, name)
        if path.exists() and not overwrite:
            what = "is not the file that was locked" if name in states else "exists already, and no lock names it"
            raise RtoolsError(what, mend="--overwrite replaces it", path=path)
    return new


def _pin_files(directory, files, place, context):
    """Write the lock of a directory with these files, too."""
    from rtools.reference.lock import Lock, Origin, lock_of, pin, write_lock

    locked = lock_of(directory) or Lock()
    pinned = {name: pin(Path(directory, name), reftype) for name, reftype in files.items()}
    origin = {place.mission: Origin(place.name, context)}
    write_lock(directory, Lock(locked.files | pinned, locked.origins | origin))


@tool("rt-refs lock", summary="Pin the references of a directory, whatever they are now.",
      description="Writes DIR/rtools-refs.lock with name, size and SHA-256 of every reference of the directory. "
      "--refdir DIR then takes only these files, and refuses one that was changed.",
      examples=("rt-refs lock refs", "rt-refs lock refs --overwrite"))  # fmt: skip
@click.argument("directory", type=WrittenPlace(), metavar="DIR")
@click.option("--overwrite", is_flag=True, help="Replace a lock that exists; otherwise refused, exit 1.")
@bundles.json_output
def lock(console, directory, overwrite, as_json):
    from rtools.reference.lock import LOCK, Lock, lock_of, pin, write_lock
    from rtools.reference.missions import scan_all

    before, files = None, {}
    if Path(directory, LOCK).exists():
        if not overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=Path(directory, LOCK))
        before = lock_of(directory)
    for candidate in scan_all(directory):
        if candidate.problem:
            console.log("warning", f"{candidate.path}: {candidate.problem}; not locked")
        elif candidate.type:
            files[os.path.basename(candidate.path)] = pin(candidate.path, candidate.type)
    if not files:
        raise UsageError("no reference to lock", path=directory)
    path = write_lock(directory, Lock(files, before.origins if before else {}))
    if as_json:
        json_line({"outputs": [str(path)], "status": "done", "files": len(files)})
    else:
        click.echo(path)


def is_lock(name):
    """Whether a file is named as locks are."""
    from rtools.reference.lock import LOCK

    return os.path.basename(name) == LOCK


def compare_directory(console, path, *, as_json):
    """Print how each file that a lock names differs from what the lock says; exit status 4 if one does."""
    from rtools.products.io import digest
    from rtools.reference.lock import compare_with_lock, read_lock

    locked = read_lock(path)
    digest.switch(False)  # whoever asks wants all bytes to be read
    try:
        states = compare_with_lock(os.path.dirname(path) or ".", locked)
    finally:
        digest.switch(True)
    if as_json:
        for name, state in states.items():
            json_line({"file": name, "type": locked.files[name].type, "status": state})
    else:
        print_rows(
            ("file", "type", "status"), [(name, locked.files[name].type, state) for name, state in states.items()]
        )
    wrong = [name for name, state in states.items() if state != "same"]
    if wrong:
        console.log("error", f"{path}: {len(wrong)} of {len(states)} files are not as they were locked")
    return 4 if wrong else 0


def _uses_of_roman(meta, file):
    """What the chain of a Roman exposure reads, and types that no tool applies, which may be absent."""
    from rtools.declare import Reference
    from rtools.pipeline.exposure import chain
    from rtools.reference.types import APPLIED, TYPES
    from rtools.wfi import metadata

    needed = ("exposure.type", "exposure.start_time", "instrument.detector", "instrument.optical_element")
    metadata.require(meta, *needed, path=file)
    uses = [use for step in chain.steps_for(meta) for use in step.references]
    return uses + [Reference(name, absent="skip", optional=True) for name in TYPES if name not in APPLIED]


def _uses_of_jwst(meta, file):
    """What the chains of a JWST exposure read, as far as they are known by its exposure type."""
    from rtools.reference.jwst.needs import needed_references

    return needed_references(meta, file)


USES = {"roman": _uses_of_roman, "jwst": _uses_of_jwst}


def uses_of(mission, meta, file):
    """What the chain of an exposure reads.

    Parameters
    ----------
    mission : str
        ``roman`` or ``jwst``.
    meta : mapping of str to object
        Metadata of the exposure.
    file : str
        Its name, for errors.

    Returns
    -------
    list of rtools.declare.Reference
    """
    return USES[mission](meta, file)
