"""The one place where a product is told what made it: the newest entry of its history brings the record of its job."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rtools.products.io import temporary
from rtools.products.io.digest import digest_of
from rtools.products.schema.record import STREAM, JobRecord, ReadFile, relative
from rtools.remote import marks, parts
from rtools.remote.names import is_remote

__all__ = ["JOB_OF_IMAGE", "JOB_OF_TABLE", "KEY", "job_beside", "recorded", "settled_entry"]

KEY = "rtools"
"""Block of `meta` that holds what rtools says of a product."""

JOB_OF_TABLE, JOB_OF_IMAGE = "rtools.job", "RTJOB"
"""Where JSON of the job stands that made a file beside a product: in metadata of a table, in a card of a FITS file."""

PLACE_AMONG = ("companions", "main")
"""What an entry says of the files that are written together: names of those beside the main one, or its own."""


def recorded(
    meta: Mapping[str, Any], entries: Iterable[Mapping[str, Any]], path: str | Path
) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
    """Metadata that say what made a product, and the history without it.

    Parameters
    ----------
    meta : mapping
        Below ``meta``; not changed. What its file said of an earlier job is replaced.
    entries : iterable of mapping
        The history, oldest first; entries of `rtools.products.schema.history.entry` have a ``job``.
    path : str or Path
        Where the product will appear.

    Returns
    -------
    (dict, list of mapping)
        New metadata and entries.
    """
    entries = list(entries)
    if not entries or "job" not in entries[-1]:
        return dict(meta), entries
    job, newest = settled_entry(entries[-1], path)
    known = meta.get(KEY)
    return dict(meta) | {KEY: (dict(known) if isinstance(known, dict) else {}) | {"job": job}}, [*entries[:-1], newest]


def job_beside(entry: Mapping[str, Any], path: str | Path, main: str | Path) -> dict[str, Any]:
    """What a file that is no product says of the job that made it beside a product, as the truth of a simulation.

    Parameters
    ----------
    entry : mapping
        From `rtools.products.schema.history.entry`, of the product.
    path : str or Path
        Where the file will appear.
    main : str or Path
        The product.

    Returns
    -------
    dict
        Plain values; it stands at ``rtools.job``, in tables and in FITS as JSON (`JOB_OF_TABLE`, `JOB_OF_IMAGE`).
    """
    return settled_entry({**entry, "main": Path(main).name}, path)[0]


def settled_entry(entry: Mapping[str, Any], path: str | Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a product says of its job, and the entry of the history without that; both name files from its directory.

    Parameters
    ----------
    entry : mapping
        From `rtools.products.schema.history.entry`, with its ``job``.
    path : str or Path
        Where the product will appear.

    Returns
    -------
    (dict, dict)
        Plain values.
    """
    record: JobRecord = entry["job"]
    folder = record.folder or os.path.dirname(os.path.abspath(path))
    record = replace(record, inputs=tuple(map(_known, record.inputs)))
    names = [_named(str(name), folder) for name in entry["inputs"]]
    told = {key: value for key, value in entry.items() if key not in ("job", *PLACE_AMONG)}
    old = ", ".join(map(str, entry["inputs"]))
    told["description"] = told["description"].replace(f" on {old}", f" on {', '.join(names)}") if old else (
        told["description"])  # fmt: skip
    told |= {"inputs": names, "arguments": record.arguments(folder)}
    job = record.beside(folder)
    return job | {key: entry[key] for key in PLACE_AMONG if key in entry}, told


def _known(one: ReadFile) -> ReadFile:
    """A file with its digest; a copy of a stream stands for that, and of a file that lies elsewhere its name."""
    if _is_stream(one.path):
        return ReadFile(STREAM, one.digest or digest_of(one.path))
    if one.digest or not os.path.isabs(one.path):
        return one
    if parts.want_of(one.path, 0, 0):  # a digest would have all of it fetched
        return ReadFile(marks.source_of(one.path) or one.path)
    return ReadFile(one.path, digest_of(one.path))


def _is_stream(name: str) -> bool:
    return os.path.basename(name).startswith(temporary.STREAM)


def _named(name: str, folder: str) -> str:
    """A file from a directory; what is none, a stream that calls itself something, stays as it is called."""
    if is_remote(name):
        return name
    if _is_stream(name):
        return STREAM
    return relative(os.path.abspath(name), folder) if os.path.dirname(name) or os.path.exists(name) else name
