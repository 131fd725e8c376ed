"""Outputs of a run: how they are called, and which of them may not be written.

What exists stays, unless it is what a killed run of the same left.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rtools.errors import RtoolsError, UsageError
from rtools.products import names
from rtools.products.forms import history_of
from rtools.products.names.extensions import form_of_name
from rtools.remote import marks

if TYPE_CHECKING:
    from rtools.pipeline.job.request import Request

__all__ = [
    "check_outputs",
    "main_last",
    "make_directory",
    "name_outputs",
    "refuse_combinations",
    "refuse_inputs",
    "refuse_several",
]

COMPANIONS = ("cat", "segm", "wcs")
"""Products beside the main one, which appear before it."""


def name_outputs(
    request: Request, folder: str | os.PathLike, stem: str, extensions: Mapping[str, str], main: str
) -> dict[str, Path]:
    """Path of every product of a job: ``FOLDER/STEM_suffix.extension``.

    With ``-o NAME`` the main product has that name, and its companions take their stem and directory from it. Standard
    output takes the main product alone.

    Parameters
    ----------
    request : Request
        Its `output` and `outdir`.
    folder : str or os.PathLike
        Where products go without ``-o`` and ``--outdir``; the working directory for that of a copy of what lies
        elsewhere.
    stem : str
        Of the input: its name without suffix.
    extensions : mapping of str to str
        Suffix to extension, in the order in which products appear.
    main : str
        Suffix of the main product.

    Returns
    -------
    dict of str to Path
        By suffix, the main product last.

    Raises
    ------
    UsageError
        Another product has the name that ``-o`` gives the main one.
    """
    folder = Path(request.outdir) if request.outdir else marks.beside(folder)
    exact = Path(request.output) if request.output and not request.to_stdout else None
    if exact:
        _check_form(request, extensions[main])
        folder, stem = exact.parent, names.split_suffix(exact.name)[0]
    outputs = {suffix: folder / f"{stem}_{suffix}.{extension}" for suffix, extension in extensions.items()}
    if exact:
        outputs[main] = exact
    if request.to_stdout:
        return {main: outputs[main]}
    if len(set(outputs.values())) < len(outputs):
        raise UsageError(f"-o {request.output}: another product of this run has that name")
    return main_last(outputs, main)


def _check_form(request, extension):
    """Refuse a name that says another form of a product than the one that is written."""
    said = form_of_name(request.output)
    if said != extension and {said, extension} == {"asdf", "fits"}:
        raise UsageError(f"-o {request.output}: {request.tool} writes .{extension} of these",
                         mend="rt-fits makes FITS of it" if said == "fits" else "end the name in .fits")  # fmt: skip


def main_last(outputs: Mapping[str, Path], main: str) -> dict[str, Path]:
    """Outputs in the order in which they appear: the main product last, so that a make rule on it is safe.

    Parameters
    ----------
    outputs : mapping of str to Path
        Paths of the products of a job by their suffixes.
    main : str
        Suffix of the main product, which must be among them.

    Returns
    -------
    dict of str to Path
        The same; the others keep their order.
    """
    return {suffix: outputs[suffix] for suffix in (*(one for one in outputs if one != main), main)}


def refuse_several(request: Request, count: int) -> None:
    """Refuse ``-o`` where there are several main products.

    Parameters
    ----------
    request : Request
        Its `output`.
    count : int
        Number of main products that the run would make.

    Raises
    ------
    UsageError
        ``-o`` names one file, and there are more.
    """
    if request.output and count > 1:
        raise UsageError("-o names one output", mend="use --outdir for several")


def refuse_combinations(request: Request, *, as_json: bool, dry_run: bool, terminal: bool) -> None:
    """Refuse options about outputs that exclude each other.

    Parameters
    ----------
    request : Request
        Its `output` and `outdir`.
    as_json, dry_run : bool
        Whether a report in JSON, or the plan alone, goes to standard output.
    terminal : bool
        Whether standard output is a terminal.

    Raises
    ------
    UsageError
        Two things want standard output, a terminal would get a product, or ``-o`` and ``--outdir`` are both given.
    """
    if request.to_stdout and as_json and not dry_run:
        raise UsageError("--json and -o - both want standard output")
    if request.to_stdout and terminal and not dry_run:
        raise UsageError("will not write a product to a terminal", mend="redirect it, or give -o a name")
    if request.output and request.outdir:
        raise UsageError("-o and --outdir do not go together")


def refuse_inputs(outputs: Iterable[Path], inputs: Iterable[str | os.PathLike]) -> None:
    """Refuse outputs that are inputs.

    Parameters
    ----------
    outputs : iterable of Path
        Files that the run would write.
    inputs : iterable of str or os.PathLike
        Files that it reads; links are followed on both sides.

    Raises
    ------
    UsageError
        An output is an input.
    """
    taken = {Path(file).resolve() for file in inputs}
    for path in outputs:
        if path.resolve() in taken:
            raise UsageError("is an input", path=path)


def check_outputs(
    outputs: Mapping[str, Path], main: str, request: Request, inputs: Sequence[str | os.PathLike]
) -> list[str]:
    """Refuse outputs that exist or cannot be made.

    A companion whose main product is missing is what a killed run left, if its own history says that the same tool
    made it of the same inputs: it may be replaced.

    Parameters
    ----------
    outputs : mapping of str to Path
        By suffix.
    main : str
        Suffix of the main product.
    request : Request
        Its `tool` and `overwrite`.
    inputs : sequence of str
        What the history of the products will name.

    Returns
    -------
    list of str
        One text about files that will be replaced, if there are any.

    Raises
    ------
    RtoolsError
        A file exists, a directory has its name, or its directory cannot be written.
    """
    if request.output == "-":
        return []
    replaced = []
    for suffix, path in outputs.items():
        if path.is_dir():
            raise RtoolsError("a directory", path=path)
        _check_directory(path)
        if request.overwrite or request.resume or not path.exists():
            continue
        left = suffix in COMPANIONS and suffix != main and not outputs[main].exists()
        if not (left and _made_by(path, request.tool, inputs)):
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
        replaced.append(str(path))
    return [f"replaced, because the run that made it was cut off: {', '.join(replaced)}"] if replaced else []


def _check_directory(path):
    """Refuse a path below what is not a directory, or one that cannot be written."""
    folder = next(each for each in path.absolute().parents if each.exists())
    if not folder.is_dir():
        raise RtoolsError("not a directory", path=folder)
    if not os.access(folder, os.W_OK):
        raise RtoolsError("cannot be written (permission denied)", path=folder)


def _made_by(path, tool, inputs):
    """Whether the history of a product says that a tool made it of these inputs."""
    try:
        entry = history_of(path)[-1]
        made_of = [str(name) for name in entry["inputs"]]
        told = [_places(made_of, folder) for folder in (path.parent, ".")]  # of older files from where they were made
        return entry["tool"] == tool and _places(inputs, ".") in told
    except (RtoolsError, LookupError, TypeError):
        return False


def _places(names, folder):
    return [Path(folder, name).resolve() for name in names]


def make_directory(directory: Path) -> None:
    """Make a directory for outputs, with those above it.

    Parameters
    ----------
    directory : Path
        May exist already.

    Raises
    ------
    RtoolsError
        It cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RtoolsError(f"cannot be made ({(error.strerror or str(error)).lower()})", path=directory) from None
