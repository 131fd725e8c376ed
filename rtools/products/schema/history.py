"""What was done to a product: entries of the ASDF history, and lines of `meta.cal_logs`."""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rtools import __version__
from rtools.products.schema.nodes import readable
from rtools.products.schema.record import JobRecord, JobWord, ReadFile, plain, reference_entry
from rtools.remote import marks

__all__ = [
    "NOT_FOR_SCIENCE",
    "built_in_types",
    "entry",
    "is_simulated",
    "log_line",
    "now",
    "said",
    "spoken",
    "stamp",
]

SIMULATOR = "rt-sim"
"""Its entry in a history says that the data are simulated."""

BUILT_IN = "builtin:"
"""How names of references of the built-in nominal instrument begin."""

NOT_FOR_SCIENCE = "BUILT IN, not for science"
"""What every look at a product says whose calibration is that instrument's, before the types."""


said: ContextVar[tuple[JobWord, ...]] = ContextVar("said", default=())
"""What the user said to the tool that runs, but for inputs, outputs and how it runs; the command line sets it."""


def spoken() -> tuple[JobWord, ...]:
    """Words that the user said to the tool that runs.

    Returns
    -------
    tuple of JobWord
        None where no command runs.
    """
    return said.get()


def now() -> datetime:
    """The time that products say: of the clock, or ``SOURCE_DATE_EPOCH`` where the environment has that.

    Returns
    -------
    datetime.datetime
        UTC.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(fixed), UTC) if fixed.isdecimal() else datetime.now(UTC)


def stamp(moment: datetime | None = None) -> str:
    """``YYYY-MM-DDThh:mm:ss.mmm`` of a moment, UTC; of now by default.

    Parameters
    ----------
    moment : datetime.datetime, optional
        Any moment with a time zone.

    Returns
    -------
    str
        Without a zone.
    """
    moment = moment or now()
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def log_line(level: str, text: object, *, logger: str = "step") -> str:
    """A line of `meta.cal_logs`: ``TIMEZ :: rtools.LOGGER :: LEVEL :: text``.

    Parameters
    ----------
    level : str
        ``info``, ``warning``, …; written in capitals.
    text : object
        What is said; runs of white space become one blank.
    logger : str
        Who says it, below ``rtools``: the name of a step.

    Returns
    -------
    str
        One line, without a newline; copies of what lies elsewhere are called by the names there.
    """
    return f"{stamp()}Z :: rtools.{logger} :: {level.upper()} :: {marks.told(' '.join(str(text).split()))}"


def entry(
    tool: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    references: Mapping[str, Any] | None = None,
    inputs: Iterable[str | Path] = (),
    made_of: Iterable[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]] | None = None,
    job: JobRecord | None = None,
    words: Sequence[JobWord] | None = None,
    is_edit: bool = False,
) -> dict[str, Any]:
    """An entry of the ASDF history.

    Parameters
    ----------
    tool : str
        Name of the tool that did it, such as ``rt-run``.
    parameters : mapping, optional
        Options and their values, as they were used.
    references : mapping, optional
        Type to a source (with `label` and `checksum`), or to such a dict, or to a string.
    inputs : iterable of str or Path
        Names of the input files; the entry calls copies of what lies elsewhere by the names there.
    made_of : iterable of (mapping, sequence of mapping), optional
        ``meta`` and history of each input whose history ends here, because the product is another one or is made of
        several. The entry then says what `is_simulated` and `built_in_types` want to know of them.
    job : JobRecord, optional
        What the product will say of its job; what else is given here by default.
    words : sequence of JobWord, optional
        What was said to the tool, where `job` is not given; `spoken` by default.
    is_edit : bool
        A file is changed that was made before, and says what made it as it did.

    Returns
    -------
    dict
        Plain values only, all texts printable; and ``job``, which the writers put in its place
        (`rtools.products.io.recording`).
    """
    handed_on = {} if made_of is None else _handed_on(list(made_of), references or {})
    invented = f"; {NOT_FOR_SCIENCE}: {', '.join(handed_on['builtin'])}" if "builtin" in handed_on else ""
    files = [str(name) for name in inputs]
    names = [marks.source_of(name) or name for name in files]
    made = {
        "description": f"{tool} (rtools {__version__})" + (f" on {', '.join(names)}" if names else "") + invented,
        "time": stamp(),
        "software": {"name": "rtools", "version": __version__},
        "tool": tool,
        "parameters": _told(plain(parameters or {})),
        "references": {kind: _reference(source) for kind, source in (references or {}).items()},
        "inputs": names,
        **handed_on,
    }
    return _readable(made) | (
        {} if is_edit else {"job": job or _record(made, files, spoken() if words is None else tuple(words))}
    )


def _told(value):
    """Values in which copies of what lies elsewhere are called by the names there."""
    if isinstance(value, dict):
        return {key: _told(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_told(one) for one in value]
    return marks.told(value) if isinstance(value, str) else value


def _record(made, files, words):
    """What is known of a job from the entry of its history."""
    parameters = made["parameters"]
    nested = parameters and all(isinstance(one, dict) for one in parameters.values())
    return JobRecord(
        tool=made["tool"],
        inputs=tuple(ReadFile(os.path.abspath(name) if os.path.exists(name) else name) for name in files),
        words=words,
        options=parameters if nested else {made["tool"].removeprefix("rt-"): parameters},
        references={kind: {"name": str(one.get("name")), "digest": str(one.get("checksum", ""))}
                    for kind, one in made["references"].items()},
    )  # fmt: skip


def _readable(value):
    """Texts that any file can hold: names of files are bytes."""
    if isinstance(value, dict):
        return {key: _readable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_readable(one) for one in value]
    return readable(value) if isinstance(value, str) else value


def is_simulated(entries: Iterable[Mapping[str, Any]]) -> bool:
    """Whether data are simulated by rt-sim, by their own record.

    Parameters
    ----------
    entries : iterable of mapping
        The history of a product, oldest first.

    Returns
    -------
    bool
        What the youngest entry that knows it says: that of rt-sim, or one that was `made_of` others, all of which
        must be simulated.
    """
    for one in reversed(list(entries)):
        if isinstance(one, dict) and "simulated" in one:
            return one["simulated"] is True
        if isinstance(one, dict) and one.get("tool") == SIMULATOR:
            return True
    return False


def built_in_types(meta: Mapping[str, Any], entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Types of references that a product, or what it was made of, has from the built-in nominal instrument.

    Parameters
    ----------
    meta : mapping
        Of the product; its `ref_file` counts.
    entries : iterable of mapping
        Its history; what entries say of data that were `made_of` others counts.

    Returns
    -------
    list of str
        In alphabetical order.
    """
    named = meta.get("ref_file") if isinstance(meta, dict) else None
    found = {str(kind) for kind, name in (named if isinstance(named, dict) else {}).items() if _is_built_in(name)}
    for one in entries:
        listed = one.get("builtin") if isinstance(one, dict) else None
        found |= set(map(str, listed)) if isinstance(listed, list) else set()
    return sorted(found)


def _is_built_in(name):
    return str(name.get("name") if isinstance(name, dict) else name).startswith(BUILT_IN)


def _handed_on(inputs, references):
    """What an entry says of inputs whose history ends here, and of references for which `meta` may have no place."""
    types = {kind for meta, entries in inputs for kind in built_in_types(meta, entries)}
    for kind, source in references.items():
        if _is_built_in(_reference(source)):
            types.add(str(kind).partition(" ")[0])  # multiband says of which filter, too
    simulated = bool(inputs) and all(is_simulated(entries) for _meta, entries in inputs)
    return {"simulated": simulated} | ({"builtin": sorted(types)} if types else {})


def _reference(source):
    if isinstance(source, str):
        return {"name": source}
    if isinstance(source, dict):
        return plain(source)
    told = reference_entry(source)
    return {"name": told["name"], "checksum": told["digest"]}
