"""The command line that makes a product again, from what the product says of its job."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rtools.declare import Option, Step
from rtools.pipeline.job.steps import has_step, missions_of, step_of
from rtools.products.io.digest import digest_of
from rtools.products.names import split_suffix
from rtools.products.schema.record import STREAM
from rtools.remote.names import beside, is_remote

__all__ = ["command_words", "edits_after", "files_read", "output_name", "there", "words_of_option"]

ELSEWHERE = "elsewhere"
"""State of a file that does not lie here, and is not compared."""

CHAIN = "rt-run"
"""The tool that takes options of steps as ``--set STEP.OPTION=VALUE``."""

SEVERAL = ("--together", "--skycell")
"""Words with which a job makes several main products: the second one, where it stands twice."""


def command_words(job: Mapping[str, Any], name: str, options: Collection[str] = ("--output",)) -> list[str]:
    """The command line, as it is typed in the directory of the product.

    Parameters
    ----------
    job : mapping
        What the product says (`rtools.products.making.job_of`).
    name : str
        Name of its file.
    options : collection of str
        Long options of the tool; its product is named where it has ``--output``, or else goes where it is.

    Returns
    -------
    list of str
        The tool, its subcommand where it has them, inputs, words.
    """
    tool, *words = str(job["tool"]).split()
    words += [str(one.get("file")) for one in job.get("inputs") or ()]
    words += map(str, job.get("arguments") or ())
    of_jwst = _is_of_jwst(job)
    for step, values in (job.get("options") or {}).items():
        words += _step_words(tool, step, values, of_jwst=of_jwst)
    if "--output" in options and not _makes_several(job) and not _has_twin(job, name):
        words += ["-o", output_name(job, name)]
    elif "--outdir" in options:
        words.append("--outdir=.")
    return [tool, *words]


def output_name(job: Mapping[str, Any], name: str) -> str:
    """Name of the main product that is made with a file.

    Parameters
    ----------
    job : mapping
        What the file says.
    name : str
        Of the file.

    Returns
    -------
    str
    """
    return str(job.get("main") or name)


def _makes_several(job):
    """Whether a job has more than one main product."""
    arguments = [str(word).partition("=")[0] for word in job.get("arguments") or ()]
    if arguments.count("--skycell") > 1 or ("--together" in arguments and len(job["inputs"]) > 1):
        return True
    return "this image" in (job.get("files") or {})


def _has_twin(job, name):
    """Whether another product of the job is of the same kind: one of each of several files."""
    beside = [*(job.get("companions") or ()), *([job["main"]] if job.get("main") else [])]
    return any(split_suffix(str(one))[1] == split_suffix(name)[1] for one in beside)


def _is_of_jwst(job):
    """Whether all inputs of a job are FITS: Roman's are ASDF."""
    files = [str(one.get("file")) for one in job.get("inputs") or ()]
    return bool(files) and all(name.endswith(".fits") for name in files)


def _step_words(tool: str, step: str, values: Any, *, of_jwst: bool) -> list[str]:
    declared = _declared(step, values) if has_step(step) and isinstance(values, Mapping) else None
    if declared is None or (tool != CHAIN and tool != declared.tool):
        return []
    words, missions = [], ("jwst",) if of_jwst else declared.missions
    for option in declared.options:
        value = values.get(option.key)
        if value is not None and any(value != option.default_for(mission) for mission in missions):
            words += words_of_option(tool, declared, option, value)
    return words


def _declared(step: str, values: Mapping[str, Any]) -> Step | None:
    """The declaration of a step whose options these are."""
    for mission in missions_of(step):
        found = step_of(step, mission)
        if set(values) <= {option.key for option in found.options}:
            return found
    return None


def words_of_option(tool: str, step: Step, option: Option, value: Any) -> list[str]:
    """An option of a step as words of a command line.

    Parameters
    ----------
    tool : str
        The tool of the step, or rt-run.
    step : rtools.declare.Step
        Its declaration.
    option : rtools.declare.Option
        That of the option.
    value : object
        Its value.

    Returns
    -------
    list of str
    """
    text = ",".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
    if tool == CHAIN:
        return ["--set", f"{step.name}.{option.name}={text.lower() if isinstance(value, bool) else text}"]
    if option.kind is bool:
        return [f"--{'' if value else 'no-'}{option.name}"]
    return [f"--{option.name}={text}"]


def there(folder: str, name: str) -> str:
    """What a product that lies elsewhere calls a file, as it is typed here.

    Parameters
    ----------
    folder : str
        The product's directory there, by its whole name with a ``/`` at its end, or the product itself.
    name : str
        As the product says it; a whole name, and an absolute path, stay what they are.

    Returns
    -------
    str
    """
    return name if os.path.isabs(name) else beside(folder, name)


def files_read(
    job: Mapping[str, Any], folder: str | Path, state_of: Callable[[str, str], str] = lambda _url, _digest: ELSEWHERE
) -> list[dict[str, str]]:
    """The files that a job read, and what has become of them.

    Parameters
    ----------
    job : mapping
        What a product says.
    folder : str or Path
        The product's directory; of one that lies elsewhere its whole name.
    state_of : callable, optional
        Gives the state of a file elsewhere, of its whole name and its digest; by default nobody asks for it.

    Returns
    -------
    list of dict
        ``file`` from the working directory, ``digest``, and ``state``: there, changed, missing, stream or elsewhere.
    """
    told = [*(job.get("inputs") or ()), *(job.get("files") or {}).values()]
    found = {}
    for one in told:
        name, digest = str(one.get("file")), str(one.get("digest") or "")
        if name == STREAM:
            found[name] = {"file": name, "digest": digest, "state": "stream"}
            continue
        if is_remote(name) or (is_remote(str(folder)) and not os.path.isabs(name)):
            url = beside(str(folder), name)
            found[url] = {"file": url, "digest": digest, "state": state_of(url, digest)}
            continue
        path = os.path.normpath(os.path.join(folder, name))
        now = digest_of(path)
        state = "missing" if not now else "there" if now == digest or not digest else "changed"
        found[path] = {"file": path, "digest": digest, "state": state}
    return list(found.values())


def edits_after(job: Mapping[str, Any], history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What was done to a product after it was made.

    Parameters
    ----------
    job : mapping
        What the product says.
    history : sequence of mapping
        Its history, oldest first.

    Returns
    -------
    list of dict
        ``tool``, ``time``, ``parameters`` of each entry that is younger than that of the job.
    """
    made = max((number for number, one in enumerate(history) if one.get("tool") == job.get("tool")), default=-1)
    return [
        {key: one.get(key) for key in ("tool", "time", "parameters")} | {"description": str(one.get("description", ""))}
        for one in history[made + 1 :]
    ]
