"""Names of both missions: how a text begins tells whose it is, and the mission's own functions do the rest."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rtools.products.names import parsing as roman
from rtools.products.names import rules
from rtools.products.names.grammar import ALIASES, FORMS, SUFFIXES
from rtools.products.names.name import FIELDS, JWST_FIELDS, Name

__all__ = ["build", "mission_of", "parse", "remarks", "sibling", "split_suffix"]

_JWST = re.compile(r"jw|\d{11}_\d", re.IGNORECASE)
"""How names of JWST begin, and such whose prefix was left out; a visit of Roman has 19 digits."""


def mission_of(text: str) -> str:
    """The mission whose grammar a text is read by.

    Parameters
    ----------
    text : str
        A name, perhaps a wrong one; a directory before it is ignored.

    Returns
    -------
    str
        ``jwst`` where it begins with jw, else ``roman``.
    """
    return "jwst" if _JWST.match(os.path.basename(text)) else "roman"


def _of(mission):
    """Parsing of a mission's names; that of JWST is loaded when it is needed."""
    if mission != "jwst":
        return roman
    from rtools.products.names import jwst_parsing

    return jwst_parsing


def parse(text: str, *, lenient: bool = False, forms: Sequence[str] = FORMS, mission: str | None = None) -> Name:
    """Parse a name.

    Parameters
    ----------
    text : str
        File name, stem or root; a directory before it is ignored.
    lenient : bool
        Also take any letter case, older suffixes (``dq_init``), ``visit_Q_eeee`` order, FACE without detector, the
        element ``unknown``, releases ``r0`` and ``dr01``, subsets ``pCCAAA``, ``dCCAAASSS`` and ``user``, prompt
        products of other subsets than visits, and associations ``rPPPPP-xNNN…_asn``; of JWST any letter case,
        associations with three digits at the end, and ``image-cal`` of guide star data.
    forms : sequence of str
        Which of ``name``, ``stem``, ``root`` are taken.
    mission : str, optional
        ``roman`` or ``jwst``: take names of this mission only. By default the name says it.

    Returns
    -------
    Name

    Raises
    ------
    InvalidName
        The text is not a name: at which column, and what was expected there.
    """
    return _of(mission or mission_of(text)).parse(text, lenient=lenient, forms=forms)


def build(fields: Mapping[str, Any], *, lenient: bool = False) -> str:
    """Make a strict name of fields.

    Parameters
    ----------
    fields : mapping
        Field to string or integer. A mission ``jwst``, a root that begins with jw, or a field that only JWST has, make
        it a name of JWST, which `rtools.products.names.jwst_parsing.build` describes; all others are described by
        `rtools.products.names.parsing.build`.
    lenient : bool
        Take older spellings of a suffix.

    Returns
    -------
    str
        The name.

    Raises
    ------
    UsageError
        A field is unknown, missing, or disagrees with another.
    InvalidName
        The name is against the grammar or the rules.
    """
    given = {name for name, value in fields.items() if value not in (None, "")}
    is_roman = not given.isdisjoint(set(FIELDS) - set(JWST_FIELDS))
    told = fields.get("mission") == "jwst" or mission_of(str(fields.get("root") or "")) == "jwst"
    is_jwst = not is_roman and (told or not given.isdisjoint(set(JWST_FIELDS) - set(FIELDS)))
    return _of("jwst" if is_jwst else "roman").build(fields, lenient=lenient)


def sibling(name: Name | str, suffix: str, *, lenient: bool = False) -> str:
    """The name of another product of the same root.

    Parameters
    ----------
    name : Name or str
        A name, stem or root.
    suffix : str
        Suffix of the other product.
    lenient : bool
        Read `name` leniently, and take older spellings of the suffix.

    Returns
    -------
    str
        Its root is that of `name`. Catalogs and segmentation maps of a data release lose the element; products of JWST
        that are named by their exposure alone lose the association candidate.

    Raises
    ------
    UsageError
        There is no such suffix.
    InvalidName
        `name` is not a name, or its root has no such product.
    """
    mission = name.mission if isinstance(name, Name) else mission_of(name)
    return _of(mission).sibling(name, suffix, lenient=lenient)


def remarks(name: Name) -> list[str]:
    """What is allowed in a name but not as it should be.

    Parameters
    ----------
    name : Name
        As `parse` gives it.

    Returns
    -------
    list of str
    """
    return _of("jwst").remarks(name) if name.mission == "jwst" else rules.remarks(name)


def split_suffix(filename: str | Path) -> tuple[str, str | None]:
    """Split any file name into its stem and the suffix of the product.

    Parameters
    ----------
    filename : str or Path
        Any name; it need not follow the grammar. Directory and extension are left out.

    Returns
    -------
    (str, str or None)
        What stands before a known ``_suffix``, else all of it; and the suffix as it is written now, whatever spelling
        the name has. A name that begins with jw may have the suffixes of JWST only; one of a FITS or ECSV file has
        those first.

    Examples
    --------
    >>> split_suffix("mysim.asdf")
    ('mysim', None)
    >>> split_suffix("data/x_dq_init.asdf")
    ('x', 'dqinit')
    >>> split_suffix("jw02586001001_02101_00001_nrca1_rate.fits")
    ('jw02586001001_02101_00001_nrca1', 'rate')
    """
    base = os.path.basename(filename)
    stem, extension = os.path.splitext(base)
    if _JWST_ROOT.match(base):
        return _of("jwst").split_suffix(base)
    if extension in (".fits", ".ecsv") and (split := _of("jwst").split_suffix(base))[1] is not None:
        return split
    for word in _LONGEST_FIRST:
        if stem.endswith(f"_{word}") and len(stem) > len(word) + 1:
            return stem[: -len(word) - 1], ALIASES.get(word, word)
    return stem, None


_LONGEST_FIRST = sorted([*SUFFIXES, *ALIASES], key=len, reverse=True)
_JWST_ROOT = re.compile(r"jw\d{5}")
