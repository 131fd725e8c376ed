"""The record of a job, made of what its plan has decided, before any work."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rtools.declare import Step
from rtools.pipeline.job.request import Request
from rtools.pipeline.job.steps import StepPlan, step_of
from rtools.products.io import temporary
from rtools.products.io.digest import digest_of
from rtools.products.schema.record import STREAM, JobRecord, JobWord, ReadFile, reference_entry

__all__ = ["options_of", "read_file", "record_of", "references_of"]


def record_of(
    request: Request,
    inputs: Iterable[str | Path],
    options: Mapping[str, Mapping[str, Any]],
    *,
    mission: str = "roman",
    declared: Mapping[str, Step] | None = None,
    references: Mapping[str, Any] | None = None,
    files: Mapping[str, str | Path] | None = None,
    words: Sequence[JobWord] = (),
    folder: str | Path = "",
) -> JobRecord:
    """The record of a job.

    Parameters
    ----------
    request : Request
        What is asked.
    inputs : iterable of str or Path
        Files by which the job is asked for, in order.
    options : mapping of str to mapping
        Step to all its options.
    mission : str
        Whose steps these are.
    declared : mapping of str to Step, optional
        Those of another one.
    references : mapping of str to ReferenceSource or None, optional
        By type.
    files : mapping of str to (str or Path), optional
        Further files that are read, by what they are.
    words : sequence of JobWord
        Further words.
    folder : str or Path
        Where products will be; for standard output the directory of the process counts.

    Returns
    -------
    JobRecord
    """
    steps = {name: (declared or {}).get(name) or step_of(name, mission) for name in options}
    named = {}
    for name, step in steps.items():
        for option in step.options:
            value = options[name].get(option.key)
            if option.names_file and isinstance(value, str) and os.path.exists(value):
                named[f"{name}.{option.key}"] = value
    return JobRecord(
        tool=request.tool,
        inputs=tuple(map(read_file, inputs)),
        words=(*request.words(), *words),
        files=_named_by(request) | {name: read_file(path) for name, path in (named | dict(files or {})).items()},
        options=options,
        references={kind: _reference(source) for kind, source in (references or {}).items() if source is not None},
        results={name: step.results for name, step in steps.items()},
        folder=os.path.abspath("." if request.to_stdout else folder) if folder else "",
    )


def _named_by(request):
    """Files that words name, but for references: their content counts."""
    words = [word for word in request.words() if word.names_file and word.name not in ("--ref", "--refdir")]
    return {word.name: read_file(str(word.value)) for word in words}


def _reference(source):
    told, path = reference_entry(source), getattr(source, "path", None)
    if path is not None and Path(path).suffix == ".fits":  # those say size and time of the file, too
        told["digest"] = digest_of(path)
    return told


def read_file(path: str | Path) -> ReadFile:
    """A file with the digest of its content; a copy of a stream stands for that.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    ReadFile
    """
    shown = STREAM if Path(path).name.startswith(temporary.STREAM) else os.path.abspath(path)
    return ReadFile(shown, digest_of(path))


def options_of(steps: Iterable[StepPlan]) -> dict[str, dict[str, Any]]:
    """Options of the steps of a plan, but for those that are skipped.

    Parameters
    ----------
    steps : iterable of StepPlan
        In order.

    Returns
    -------
    dict of str to dict
    """
    return {one.step.name: dict(one.options) for one in steps if one.active}


def references_of(steps: Iterable[StepPlan]) -> dict[str, Any]:
    """References of the steps of a plan, by type.

    Parameters
    ----------
    steps : iterable of StepPlan
        In order.

    Returns
    -------
    dict of str to ReferenceSource
    """
    return {kind: source for one in steps for kind, source in one.references.items() if source is not None}
