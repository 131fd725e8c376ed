"""The tree of a JWST product learns a checksum of the data beside it, when all of them are written.

FITS keeps none of its own. With this one a product that another job reads is known without reading its data, and a
damaged one is found.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import BinaryIO, NamedTuple

from rtools.products.io.digest import sum_of_spans

__all__ = ["DATA", "MARK", "UNKNOWN", "DataSpan", "seal"]

DATA = "meta.rtools.job.data"
"""Where the tree keeps it."""

MARK = "rtools job "
"""How the HISTORY card of a job begins, before its fingerprint."""

UNKNOWN = "0" * 32
"""Stands there until the data are written."""

PLACE = f"data: '{UNKNOWN}'".encode()


class DataSpan(NamedTuple):
    """Where the data of an HDU lie in a file."""

    name: str
    start: int
    stop: int


def seal(file: BinaryIO, spans: Iterable[DataSpan]) -> None:
    """Write the checksum of the data into the tree, where it has a place for it.

    Parameters
    ----------
    file : binary file object
        Complete but for that; open for reading and writing.
    spans : iterable of DataSpan
        Of all HDUs.
    """
    file.flush()
    descriptor, spans = file.fileno(), list(spans)
    for tree in (span for span in spans if span.name == "ASDF"):
        place = os.pread(descriptor, tree.stop - tree.start, tree.start).find(PLACE)
        if place < 0:
            continue
        total = sum_of_spans(file.name, [(span.start, span.stop) for span in spans if span.name != "ASDF"])
        os.pwrite(descriptor, total.encode(), tree.start + place + len(b"data: '"))
