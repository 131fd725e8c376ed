"""A parsed name, and which fields names of each mission have."""

from dataclasses import dataclass
from typing import Any

from rtools.products.names.grammar import VISIT_PARTS
from rtools.products.names.matching import Span

__all__ = ["ALL_FIELDS", "FIELDS", "JWST_FIELDS", "Name"]

FIELDS = (
    "mission",
    "visit_id",
    *VISIT_PARTS,
    "exposure",
    "acquisition",
    "detector",
    "element",
    "release",
    "subset",
    "skycell",
    "reftype",
    "serial",
    "suffix",
    "extension",
    "root",
    "level",
    "name_only",
)
"""Fields of a name of Roman, in order; `name_only` names the one that the file's metadata do not have (detector of a
FACE)."""

JWST_FIELDS = (
    "mission",
    "program",
    "observation",
    "visit",
    "visit_group",
    "parallel_seq",
    "activity",
    "exposure",
    "segment",
    "detector",
    "asn_candidate",
    "target",
    "source",
    "epoch",
    "instrument",
    "optics",
    "infix",
    "config",
    "guide_mode",
    "attempt",
    "frame",
    "stamp",
    "asn_type",
    "counter",
    "suffix",
    "extension",
    "root",
    "stage",
    "title",
    "maker",
)
"""Fields of a name of JWST, in order. The instrument of an exposure follows from its detector; stage, title and maker
(pipeline and step) follow from the suffix."""

ALL_FIELDS = (*FIELDS, *(field for field in JWST_FIELDS if field not in FIELDS))
"""Fields that a name of any mission has."""


@dataclass(frozen=True)
class Name:
    """A name and its fields: strings as they stand in the name, zeros kept; None where the name has none.

    Attributes
    ----------
    text : str
        The name, without directory.
    kind : str
        Key of the product (``l2_image``, ``cat_mosaic``, JWST's ``rate`` …), ``association``, ``reference``, ``msa``,
        ``guide-star``, or ``exposure-root``, ``detector-root``, ``guide-root``, ``mosaic-root``, ``stage3-root``,
        ``association-root``, ``msa-root``.
    form : str
        ``name``, ``stem`` (no extension) or ``root`` (no suffix).
    values : dict
        Field to value, those of the name's mission; `name["detector"]` and ``name.detector`` read it, and give None for
        a field of another mission.
    spans : tuple of rtools.products.names.matching.Span
        Where each component stands.
    strict : str or None
        The name as the grammar writes it; another than `text` only for a lenient reading and for a name of JWST with a
        word that no field is, None if there is none.
    """

    text: str
    kind: str
    form: str
    values: dict[str, Any]
    spans: tuple[Span, ...]
    strict: str | None

    def __getitem__(self, field):
        return self.values.get(field) if field in ALL_FIELDS else self.values[field]

    def __getattr__(self, field):
        if field in ALL_FIELDS:
            return self.values.get(field)
        raise AttributeError(f"a name has no field {field!r}")

    def __str__(self):
        return self.text

    def span(self, component: str) -> tuple[int, int]:
        """Start and end of a component in `text`."""
        found = next(span for span in self.spans if span.component == component)
        return found.start, len(self.text) if found.end is None else found.end

    def as_dict(self) -> dict[str, Any]:
        """Name, kind and all fields of its mission, for JSON and `build`."""
        return {"name": self.text, "kind": self.kind, **self.values}
