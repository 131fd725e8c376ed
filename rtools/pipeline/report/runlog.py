"""The log of a run: JSON lines, one object for each input, as ``--log-json`` and ``--json`` write them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rtools.errors import InputError
from rtools.pipeline.report.findings import RunRecord
from rtools.products.schema.yamltext import bounded

__all__ = ["read_run_log", "records_of"]

KNOWN = {"input", "file", "status", "outputs", "exit_code", "error", "warnings", "seconds", "peak_memory", "steps"}

MOST = 1 << 30
"""Bytes of a log that are read: a log is text of a few kilobytes an input."""

TOTAL = "total"


def read_run_log(path: str | Path) -> list[RunRecord]:
    """Read the log of a run.

    Parameters
    ----------
    path : str or Path
        The file. An input that it has more than once counts as it was last: a run that was resumed appends.

    Returns
    -------
    list of RunRecord
        In the order in which inputs appear first.

    Raises
    ------
    InputError
        It cannot be read, or a line is no object of JSON.
    """
    try:
        if Path(path).stat().st_size > MOST:
            raise InputError("too long for the log of a run", path=path)
        lines = Path(path).read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise InputError((error.strerror or str(error)).lower(), path=path) from None
    return records_of(_object(line, number, path) for number, line in enumerate(lines, 1) if line.strip())


def _object(line, number, path):
    try:
        told = bounded(json.loads(line))
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise InputError(f"line {number} is no object of JSON", path=path)
    return told


def records_of(lines: Iterable[Mapping[str, Any]]) -> list[RunRecord]:
    """What the log of a run says of each input.

    Parameters
    ----------
    lines : iterable of mapping
        The objects of the log; those that are of no input are passed over.

    Returns
    -------
    list of RunRecord
        In the order in which inputs appear first; each as it was last.
    """
    found: dict[str, RunRecord] = {}
    for told in lines:
        if record := _record(told):
            found[record.input] = record
    return list(found.values())


def _record(told: Mapping[str, Any]) -> RunRecord | None:
    """What a line says of an input; None for a line that is of none."""
    name = told.get("input", told.get("file"))
    if not isinstance(name, str):
        return None
    seconds = told.get("seconds")
    steps = {str(step): _number(value) for step, value in seconds.items()} if isinstance(seconds, dict) else {}
    total = steps.pop(TOTAL, math.nan) if isinstance(seconds, dict) else _number(seconds)
    code = told.get("exit_code")
    return RunRecord(
        name,
        str(told.get("status", "")),
        _texts(told.get("outputs")),
        code if isinstance(code, int) and not isinstance(code, bool) else None,
        str(told.get("error") or ""),
        _texts(told.get("warnings")),
        total,
        {step: value for step, value in steps.items() if math.isfinite(value)},
        _number(told.get("peak_memory")),
        {str(key): value for key, value in told.items() if key not in KNOWN and isinstance(value, str | int | float)},
    )


def _texts(value):
    return tuple(str(one) for one in value) if isinstance(value, list) else ()


def _number(value):
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
