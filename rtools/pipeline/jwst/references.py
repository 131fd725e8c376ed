"""References of a JWST exposure, cut to its part of the detector and to blocks of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.exposure.jwst.exposure import ReferenceFacts

if TYPE_CHECKING:
    from rtools.reference.source import ReferenceSource

__all__ = ["CutReference", "facts_of"]

FLAGS = ("dq",)


class CutReference:
    """A reference of which the engine cuts blocks.

    Parameters
    ----------
    source : rtools.reference.source.ReferenceSource
        On the pixels of the exposure; its flags are JWST's bits.
    names : tuple of str
        Arrays that are read.
    """

    def __init__(self, source: ReferenceSource, names: tuple[str, ...]):
        self.source = source
        self.names = tuple(name for name in names if source.has(name))

    def block(self, rows: slice, columns: slice) -> dict[str, np.ndarray]:
        """Arrays of a part, by their names in the data model; an array for all pixels comes whole."""
        return {name: self.source.cut(name, rows, columns) for name in self.names}


def facts_of(sources: Mapping[str, ReferenceSource | None]) -> dict[str, ReferenceFacts]:
    """What references say beside their arrays.

    Parameters
    ----------
    sources : mapping of str to ReferenceSource
        By type.

    Returns
    -------
    dict of str to ReferenceFacts
    """
    found: dict[str, Any] = {}
    for kind, source in sources.items():
        if source is not None:
            found[kind] = ReferenceFacts(source.cards, source.tables)
    return found
