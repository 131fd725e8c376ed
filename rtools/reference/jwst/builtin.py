"""The nominal set of JWST as a source of references: computed in memory when something of it is asked for."""

from __future__ import annotations

from functools import cached_property
from hashlib import md5
from typing import Any

import numpy as np

from rtools.jwst.keywords import keyword_at
from rtools.jwst.readout import Subarray
from rtools.products.schema.history import BUILT_IN
from rtools.reference.jwst.nominal import NominalReference, nominal_reference
from rtools.reference.jwst.planes import VERSION
from rtools.reference.jwst.source import EXTENSIONS, JwstSource, in_tree
from rtools.reference.jwst.types import JWST_TYPES

__all__ = ["JwstBuiltin"]


class JwstBuiltin(JwstSource):
    """One nominal reference; it is computed when something of it is first asked for.

    Parameters
    ----------
    reftype, detector : str
        As `rtools.reference.jwst.nominal.nominal_reference` takes them.
    filter_ : str, optional
        For types that are for one filter.
    part : Subarray, optional
        What of the detector its planes cover; the full frame by default.
    """

    origin = "builtin"

    def __init__(self, reftype: str, detector: str, filter_: str | None = None, part: Subarray | None = None) -> None:
        self.type, self.detector, self._filter, self._part = reftype, detector, filter_, part

    @cached_property
    def _reference(self):
        return nominal_reference(self.type, self.detector, self._filter, part=self._part)

    @property
    def label(self) -> str:
        """For `meta.ref_file`: ``builtin:jwst1/gain_nrca1``; the number is the version of the set."""
        return f"{BUILT_IN}jwst{VERSION}/{self.name}"

    @property
    def name(self) -> str:
        """What distinguishes it: ``gain_nrca1``, ``flat_nrca1_f200w``, ``dark_nrca1_sub64p``."""
        kind = JWST_TYPES[self.type]
        empty = NominalReference(self.type, self.detector, self._filter if kind.by_filter else None,
                                 self._part if kind.is_plane else None)  # fmt: skip
        return empty.name

    @property
    def checksum(self) -> str:
        """MD5 of the label, of which the contents are a function."""
        return md5(self.label.encode(), usedforsecurity=False).hexdigest()

    def describe(self) -> str:
        """One line for a table."""
        return f"{self.label} (nominal set, not for science)"

    def contents(self) -> NominalReference:
        """All of it, in memory."""
        return self._reference

    def has(self, array: str) -> bool:
        """Whether it has an array of this name."""
        return EXTENSIONS.get(array) in JWST_TYPES[self.type].arrays

    def shape(self, array: str) -> tuple[int, ...]:
        """Shape of an array."""
        return tuple(self._whole(array).shape)

    def dtype(self, array: str) -> np.dtype:
        """numpy dtype of an array."""
        return np.dtype(self._whole(array).dtype)

    def read(self, array: str, index: tuple[Any, ...]) -> np.ndarray:
        """A part of an array, own and contiguous."""
        return np.array(self._whole(array)[index])

    def node(self, path: str) -> Any:
        """A table, a keyword by its path in the data models, or part of an ASDF tree; KeyError where it has none."""
        reference = self._reference
        if EXTENSIONS.get(path) in reference.tables:
            from astropy.table import Table

            return Table(reference.tables[EXTENSIONS[path]])
        known = keyword_at(path)
        keyword = known.keyword if known else path
        if keyword in reference.cards:
            return reference.cards[keyword]
        return in_tree(reference.tree, path)

    def table_rows(self, path: str) -> np.ndarray | None:
        """Rows of a table as a structured array; None where it has none."""
        found = self._reference.tables.get(EXTENSIONS.get(path))
        return None if found is None else np.array(found)

    def _whole(self, array):
        if not self.has(array):
            raise KeyError(f"{self.type} has no array {array!r}")
        return self._reference.arrays[EXTENSIONS[array]]
