"""Metadata of JWST products: where in the headers each of them stands, and where in the tree of the data model."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["REFERENCE_KEYWORDS", "MetadataKeyword", "keyword_at", "keywords"]


class MetadataKeyword(NamedTuple):
    """One value of the metadata.

    Attributes
    ----------
    path : str
        Dotted path below ``meta`` in the tree: ``exposure.type``.
    keyword : str
        In the header: ``EXP_TYPE``.
    hdu : str
        EXTNAME of the HDU that has the keyword, ``PRIMARY`` for the primary one.
    type : str
        ``string``, ``number``, ``integer`` or ``boolean``.
    """

    path: str
    keyword: str
    hdu: str
    type: str


REFERENCE_KEYWORDS = tuple(
    MetadataKeyword(path, keyword, "PRIMARY", "string")
    for path, keyword in (
        ("reftype", "REFTYPE"),
        ("pedigree", "PEDIGREE"),
        ("description", "DESCRIP"),
        ("author", "AUTHOR"),
        ("useafter", "USEAFTER"),
    )
)
"""Metadata that reference files have and products have not."""


@cache
def keywords() -> tuple[MetadataKeyword, ...]:
    """All metadata of products that have a keyword, in the order of their paths."""
    told = json.loads(Path(__file__).with_name("keywords.json").read_text(encoding="utf-8"))
    return tuple(MetadataKeyword(*row) for row in told["rows"])


def keyword_at(name: str) -> MetadataKeyword | None:
    """The metadata of a path or of a keyword.

    Parameters
    ----------
    name : str
        A path, with or without ``meta.`` before it, or a keyword in any letter case.

    Returns
    -------
    MetadataKeyword or None
        Of a keyword that several HDUs have, the one in SCI, which says what the image is; None where nothing has
        this name.
    """
    path = name.removeprefix("meta.")
    found = [one for one in (*keywords(), *REFERENCE_KEYWORDS) if one.path == path or one.keyword == name.upper()]
    return next((one for one in found if one.hdu == "SCI"), found[0] if found else None)
