"""What was done to a JWST product: entries of the tree and HISTORY cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rtools import __version__
from rtools.products.fits.keywords import ascii_text
from rtools.products.io.recording import settled_entry
from rtools.products.jwst.content import AsdfContent
from rtools.products.jwst.sealing import MARK, UNKNOWN
from rtools.products.schema import nodes
from rtools.products.schema.history import stamp
from rtools.products.schema.record import JobRecord

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["add_history", "settled"]


ENTRY = "tag:stsci.edu:asdf/core/history_entry-1.0.0"
SOFTWARE = "tag:stsci.edu:asdf/core/software-1.0.0"
TIMESTAMP = "tag:yaml.org,2002:timestamp"


def add_history(content: AsdfContent | None, primary: fits.Header, entries: Sequence[Mapping[str, Any] | str]) -> None:
    """Add entries to the history of the tree, and their descriptions as HISTORY cards.

    Parameters
    ----------
    content : AsdfContent or None
        Changed in place; None where the file has no tree.
    primary : astropy.io.fits.Header
        Of the primary HDU; changed in place.
    entries : sequence of mapping or str
        Oldest first: entries of `rtools.products.schema.history.entry`, or descriptions.
    """
    for told in entries:
        entry: dict[str, Any] = {"description": told} if isinstance(told, str) else dict(told)
        primary.add_history(" ".join(ascii_text(str(entry["description"])).split()))
        job = entry.pop("job", None)
        if job is not None:
            primary.add_history(f"{MARK}{job['fingerprint']}")
        if content is not None:
            _append(content, entry)
            if job is not None:
                content.put("meta.rtools.job", job | {"data": UNKNOWN})


def settled(history: Sequence[Mapping[str, Any] | str], path: str | Path) -> list[Mapping[str, Any] | str]:
    """A history whose newest entry says of its job what the file will say of it.

    Parameters
    ----------
    history : sequence of mapping or str
        Oldest first: entries of `rtools.products.schema.history.entry`, or descriptions.
    path : str or Path
        Where the product will appear.

    Returns
    -------
    list of mapping or str
    """
    entries: list[Mapping[str, Any] | str] = list(history)
    newest = entries[-1] if entries else ""
    if isinstance(newest, Mapping) and isinstance(newest.get("job"), JobRecord):
        job, told = settled_entry(newest, path)
        entries[-1] = told | {"job": job}
    return entries


def _append(content, entry):
    listed = "history" if isinstance(content.node("history"), yaml.SequenceNode) else "history.entries"
    software = entry.get("software") or {"name": "rtools", "version": __version__}
    software = software if isinstance(software, list) else [software]
    time = yaml.ScalarNode(TIMESTAMP, str(entry.get("time") or stamp()))
    made = {
        **entry,
        "time": time,
        "software": [nodes.TaggedDict(one, SOFTWARE) for one in software],
    }
    known = content.node(listed)
    count = len(known.value) if isinstance(known, yaml.SequenceNode) else 0
    content.put(f"{listed}.{count}", nodes.TaggedDict(made, ENTRY))
