"""What tools that change metadata share: -o, --outdir, --in-place, standard output."""

import os
import shutil
import sys
from pathlib import Path

import click

from rtools.commands.kit.console import json_line
from rtools.commands.kit.inputs import is_stream, local
from rtools.commands.kit.loop import file_record, for_each
from rtools.commands.kit.outputs import Outputs, make_directory
from rtools.commands.kit.sending import send_made
from rtools.errors import RtoolsError, UsageError
from rtools.products.forms import form_of
from rtools.products.io import temporary
from rtools.products.names.extensions import refuse_contradiction
from rtools.products.schema import keys

__all__ = ["EDITED", "EXPOSURES", "edit_files", "in_place", "with_keywords"]

EDITED = ("asdf", "fits", "parquet", "ecsv", "json")
"""Forms of files whose metadata are changed; the result has that of the input."""

EXPOSURES = ("l1_uncal", "ramp", "l2_image")
"""Kinds of products with the pointing of one exposure."""

in_place = click.option("--in-place", is_flag=True, allow_from_autoenv=False, help="Replace the input by the result.")


def edit_files(console, names, edited, *, in_place, output, outdir, overwrite, dry_run, as_json, fail_fast):
    """Change the metadata of files, each for itself; returns the exit status.

    Parameters
    ----------
    console : Console
    names : list of str
    edited : callable
        ``edited(name, path)`` is the `rtools.products.edit.edit.Edit` of an input, changed and checked.
    in_place, output, outdir, overwrite, dry_run, as_json, fail_fast
        The options.
    """
    if [in_place, output is not None, outdir is not None].count(True) != 1:
        raise UsageError("where shall the result go", mend="give one of -o FILE, --outdir DIR and --in-place")
    if output == "-" and as_json:
        raise UsageError("--json and -o - both want standard output")
    if in_place and any(is_stream(name) for name in names):
        raise UsageError("a stream cannot be changed in place")
    outputs = Outputs(output, outdir, overwrite=overwrite, inputs=names, dry_run=dry_run)
    outputs.refuse_twins({name: Path(name).name for name in names if not is_stream(name)})

    def change(name):
        with local(name) as path:
            target = _target(name, path, output, outdir, in_place=in_place, overwrite=overwrite)
            outputs.claim(target, name)
            edit = edited(name, path)
            changes = dict(edit.changes)
            for key, (old, value) in changes.items():
                console.log("info", f"{name}: {key} was {old!r}, is {value!r}")
            if output == "-" and not dry_run:
                _stream(edit, name, console.tool)
                return
            if not dry_run:
                make_directory(target.parent)
                edit.stage(target, tool=console.tool, inputs=[name]).commit()
                send_made()
            if as_json:
                json_line(file_record(console, name, [target], dry_run=dry_run) | {"changes": _plain(changes)})
            elif dry_run:
                for key, (old, value) in changes.items():
                    click.echo(f"{name}\t{key}\t{old}\t{value}")
            else:
                click.echo(target)

    return for_each(console, names, change, fail_fast=fail_fast, report=json_line if as_json else None, key="input")


def _plain(changes):
    """Key to old and new value of all that is changed, as JSON has them."""
    return {key: {"old": keys.bare(old), "new": keys.bare(value)} for key, (old, value) in changes.items()}


def _target(name, path, output, outdir, *, in_place, overwrite):
    """Path of the result; refused where something is in the way."""
    if in_place:
        return Path(os.path.realpath(path))
    if output == "-":
        return Path(_filename(path) if is_stream(name) else name)
    target = Path(output) if output else Path(outdir) / Path(_filename(path) if is_stream(name) else name).name
    if not target.is_dir():
        refuse_contradiction(target, form_of(path))
    if target.exists():
        if os.path.samefile(target, path):
            raise UsageError("the result would replace the input", mend="ask for it with --in-place", path=name)
        if not overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=target)
    return target


def _filename(path):
    """What a file from standard input is called."""
    from rtools.products.edit import open_keyed

    found = open_keyed(path).find("meta.filename")
    name = Path(str(found[0][1])).name if found else ""
    return name or f"stdin.{form_of(path)}"


def _stream(edit, name, tool):
    """Write the result to standard output, by way of a temporary file."""
    with temporary.directory() as scratch:
        target = Path(scratch) / Path(_filename(edit.path) if is_stream(name) else name).name
        with open(edit.stage(target, tool=tool, inputs=[name]).commit(), "rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def with_keywords(console, keywords):
    """``edited(name, path)`` for `edit_files`: an exposure's metadata as ``keywords(meta, log)`` says by dotted key."""

    def edited(name, path):
        from rtools.products.edit.edit import Edit
        from rtools.products.io import open_product

        with open_product(path, EXPOSURES) as product:
            meta = product.meta
        edit = Edit(path)
        for key, value in keywords(meta, lambda level, text: console.log(level, f"{name}: {text}")).items():
            edit.set(f"meta.{key}", value, new=True)
        problem = edit.check()
        if problem:
            console.log("warning", f"{name}: {problem}")
        return edit

    return edited
