"""References of a JWST exposure: found, cut to its part of the detector, and cut again to blocks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.declare import Step
from rtools.errors import InputError, RtoolsError
from rtools.exposure.jwst.exposure import ReferenceFacts
from rtools.products.schema import history
from rtools.reference import find
from rtools.reference.jwst.source import TABLES as EXTENSION_NODES
from rtools.reference.jwst.types import JWST_TYPES
from rtools.reference.missions import rules_of

if TYPE_CHECKING:
    from rtools.pipeline.exposure.request import ExposureRequest
    from rtools.pipeline.job.job import Messages
    from rtools.products.jwst import JwstProduct
    from rtools.reference.jwst.source import JwstSource

__all__ = ["CutReference", "Served", "find_references"]


class Served(NamedTuple):
    """References that serve an exposure.

    Attributes
    ----------
    sources : mapping of str to source or None
        By type, on the pixels of the exposure; flags are JWST's bits.
    facts : mapping of str to ReferenceFacts
        What they say beside their arrays.
    """

    sources: Mapping[str, Any]
    facts: Mapping[str, ReferenceFacts]


class CutReference:
    """A reference of which the engine cuts blocks.

    Parameters
    ----------
    source : rtools.reference.jwst.source.JwstSource
        On the pixels of the exposure.
    names : tuple of str
        Arrays that are read.
    """

    def __init__(self, source: JwstSource, names: tuple[str, ...]):
        self.source = source
        self.names = tuple(name for name in names if source.has(name))

    @property
    def is_plane(self) -> bool:
        """Whether its arrays have the pixels of an image, also kernels of crosstalk where each pixel has one."""
        one_each = self.source.type == "ipc" and any(len(self.source.shape(name)) == 4 for name in self.names)
        return JWST_TYPES[self.source.type].is_plane or one_each

    @property
    def planes(self) -> int:
        """Planes of the pixels of an image that it has."""
        if not self.is_plane:
            return 0
        return sum(math.prod(self.source.shape(name)[:-2]) for name in self.names)

    def block(self, rows: slice, columns: slice) -> dict[str, np.ndarray]:
        """Arrays of a part, by their names in the data model; what is one for all pixels comes whole."""
        if not self.is_plane:
            return {name: self.source.array(name) for name in self.names}
        return {name: self.source.section(name, rows, columns) for name in self.names}


FACTS = {
    "dark": ("NFRAMES", "GROUPGAP"),
    "gain": ("GAINFACT",),
    "photom": ("PIXAR_SR", "PIXAR_A2"),
    "area": ("PIXAR_SR", "PIXAR_A2"),
}
"""Keywords that steps ask references for, by type."""

TABLES = {
    "photom": ("PHOTOM", "TIMECOEFF_LINEAR", "TIMECOEFF_EXPONENTIAL"),
    "rscd": ("RSCD_GROUP_SKIP",),
}
"""Tables that steps ask references for, by type."""


def _facts_of(source):
    """What steps ask a reference for beside its arrays."""
    cards = {keyword: _node(source, keyword) for keyword in FACTS.get(source.type, ())}
    tables = {name: _table(source, EXTENSION_NODES[name]) for name in TABLES.get(source.type, ())}
    return ReferenceFacts(cards, {name: table for name, table in tables.items() if table is not None})


def _node(source, path):
    try:
        return source.node(path)
    except (InputError, KeyError):
        return None


def _table(source, path):
    """A table as a structured array with columns in lower case; None where there is none that can be read."""
    try:
        rows = source.table_rows(path)
    except InputError:
        return None
    if rows is not None:
        rows.dtype.names = tuple(name.lower() for name in rows.dtype.names or ())
    return rows


def find_references(
    product: JwstProduct, steps: Sequence[Step], request: ExposureRequest, messages: Messages
) -> Served:
    """The references that steps of an exposure need.

    Parameters
    ----------
    product : JwstProduct
        The exposure.
    steps : sequence of Step
        Those that are done; what is skipped needs none.
    request : ExposureRequest
        Where they are looked for.
    messages : Messages
        Gets what is to be said.

    Returns
    -------
    Served

    Raises
    ------
    MissingReferenceError
        Some are nowhere; all of them are named.
    InputError
        One cannot be read, or does not cover the exposure.
    """
    uses = [use for step in steps if step.name not in request.skip for use in step.references]
    try:
        found = find.references(
            product.meta,
            uses,
            request.references,
            log=messages.log,
            simulated=history.is_simulated(product.history),
            rules=rules_of("jwst"),
        )
    except RtoolsError as error:
        error.path = error.path or product.path
        raise
    facts = {kind: _facts_of(source) for kind, source in found.items() if source is not None}
    return Served(found, facts)
