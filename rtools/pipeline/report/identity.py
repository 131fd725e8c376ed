"""Which product a file is, and how it was made, by its metadata."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rtools.errors import InputError
from rtools.pipeline.report.findings import Identity, Provenance
from rtools.products.schema import keys
from rtools.products.schema.history import built_in_types, is_simulated
from rtools.wfi.fill import FILL_NUMBER, FILL_STRING, NOT_APPLICABLE
from rtools.wfi.metadata import get
from rtools.wfi.times import iso_time

__all__ = ["identity_of", "log_lines", "number_at", "provenance_of", "text_at"]

NOTHING = ("", FILL_STRING, NOT_APPLICABLE, "None", str(FILL_NUMBER))

LOG_MARK = " :: "
"""Between time, logger, level and text of a line of `meta.cal_logs`."""


def text_at(meta: Mapping[str, Any], *paths: str) -> str:
    """The first of some values of the metadata that says something, as text.

    Parameters
    ----------
    meta : mapping
        Nested, plain.
    *paths : str
        Dotted.

    Returns
    -------
    str
        On one line; empty where none says anything.
    """
    for path in paths:
        value = get(meta, path)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            text = " ".join(str(value).split())
            if text not in NOTHING:
                return text
    return ""


def number_at(meta: Mapping[str, Any], *paths: str) -> float:
    """The first of some values of the metadata that is a number.

    Parameters
    ----------
    meta : mapping
        Nested, plain.
    *paths : str
        Dotted.

    Returns
    -------
    float
        NaN where none is.
    """
    for path in paths:
        value = get(meta, path)
        try:
            number = math.nan if isinstance(value, bool) or value is None else float(value)
        except (TypeError, ValueError):
            continue
        if math.isfinite(number) and number != FILL_NUMBER:
            return number
    return math.nan


def identity_of(name: str, mission: str, kind: str, meta: Mapping[str, Any]) -> Identity:
    """Which product it is.

    Parameters
    ----------
    name : str
        As the file was typed.
    mission : str
        ``roman``, ``jwst``, or empty.
    kind : str
        In the words of the mission.
    meta : mapping
        Of the product, plain.

    Returns
    -------
    Identity
    """
    pupil = text_at(meta, "instrument.pupil", "instrument.grating")
    element = text_at(meta, "instrument.optical_element", "instrument.filter")
    return Identity(
        name,
        mission,
        kind,
        text_at(meta, "instrument.detector"),
        element if pupil in ("", "CLEAR") else f"{element} {pupil}".strip(),
        text_at(meta, "exposure.type"),
        text_at(meta, "target.catalog_name", "target.proposer_name", "program.title"),
        _start(meta),
        number_at(meta, "exposure.exposure_time", "exposure.effective_exposure_time", "coadd_info.exposure_time"),
    )


def _start(meta):
    """Date and time to the second."""
    day, hour = text_at(meta, "observation.date"), text_at(meta, "observation.time")
    if day:
        return f"{day} {hour}".strip()[:19]
    for path in ("exposure.start_time", "coadd_info.time_first"):
        value = get(meta, path)
        if value is not None:
            try:
                return iso_time(value).replace("T", " ")[:19]
            except (InputError, TypeError, ValueError):
                return ""
    return ""


def log_lines(meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Level and text of each line of the log of a product.

    Parameters
    ----------
    meta : mapping
        Of the product, plain.

    Returns
    -------
    list of (str, str)
        None of a file whose log is of another form.
    """
    lines = meta.get("cal_logs")
    split = [str(line).split(LOG_MARK, 3) for line in lines] if isinstance(lines, list) else []
    return [(parts[2], " ".join(parts[3].split())) for parts in split if len(parts) == 4]


def provenance_of(
    meta: Mapping[str, Any], history: Sequence[Mapping[str, Any]], logs: Iterable[tuple[str, str]]
) -> Provenance:
    """How a product was made.

    Parameters
    ----------
    meta : mapping
        Of the product, plain.
    history : sequence of mapping
        Its history, oldest first.
    logs : iterable of (str, str)
        As `log_lines` gives them.

    Returns
    -------
    Provenance
    """
    entries = [one for one in history if isinstance(one, dict)]
    made = next((one for one in reversed(entries) if one.get("tool")), {})
    arguments = made.get("arguments")
    command = f"{made.get('tool', '')} {shlex.join(map(str, arguments))}" if isinstance(arguments, list) else ""
    software = (text_at(meta, "calibration_software_name"), text_at(meta, "calibration_software_version"))
    steps = meta.get("cal_step")
    return Provenance(
        " ".join(filter(None, software)),
        command.strip(),
        {str(step): str(status) for step, status in steps.items()} if isinstance(steps, dict) else {},
        _references(meta.get("ref_file")),
        bool(built_in_types(meta, entries)),
        is_simulated(entries),
        _options(entries),
        tuple(dict.fromkeys(text for level, text in logs if level in ("WARNING", "ERROR", "CRITICAL"))),
    )


def _references(told):
    found = {}
    for kind, name in (keys.bare(told) if isinstance(told, dict) else {}).items():
        inner = name.get("name") if isinstance(name, dict) else name
        if isinstance(inner, str) and inner not in NOTHING:
            found[str(kind)] = inner
    return found


def _options(entries):
    """Options of steps that the history knows: of each step those of its last entry."""
    found: dict[str, str] = {}
    for entry in entries:
        steps = entry.get("parameters")
        for step, options in (steps if isinstance(steps, dict) else {}).items():
            if isinstance(options, dict):
                found |= {f"{step}.{name}": str(value) for name, value in options.items()}
    return found
