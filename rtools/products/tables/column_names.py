"""Names of columns that say where a source is, in tables whoever made them.

A name is known in any case, and whatever stands between its words: `RA_ICRS`, `_RA.icrs`, `RA(ICRS)`. What a column
means is called as Gaia calls it: `ra`, `dec`, `pmra`, `ra_error`, … Both coordinates are always taken from one pair.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.expressions import missing_column

__all__ = [
    "QUANTITIES",
    "constants_of",
    "find_columns",
    "is_of_positions",
    "missing_positions",
    "parse_columns",
    "plain_name",
    "sky_columns",
]

PAIRS = (
    ("ra", "dec"),
    ("ra_icrs", "de_icrs"),
    ("ra_icrs", "dec_icrs"),
    ("_ra_icrs", "_de_icrs"),
    ("radeg", "dedeg"),
    ("radeg", "decdeg"),
    ("ra_deg", "dec_deg"),
    ("ra_deg", "de_deg"),
    ("raj2000", "dej2000"),
    ("raj2000", "decj2000"),
    ("ra_j2000", "dec_j2000"),
    ("ra_j2000", "de_j2000"),
    ("ra2000", "dec2000"),
    ("ra2000", "de2000"),
    ("_raj2000", "_dej2000"),
    ("alphawin_j2000", "deltawin_j2000"),
    ("alphapsf_j2000", "deltapsf_j2000"),
    ("alpha_j2000", "delta_j2000"),
    ("alpha_sky", "delta_sky"),
    ("alphawin_sky", "deltawin_sky"),
    ("x_world", "y_world"),
    ("ra_mean", "dec_mean"),
    ("ramean", "decmean"),
    ("rastack", "decstack"),
    ("ramdeg", "demdeg"),
    ("sky_centroid_ra", "sky_centroid_dec"),
    ("ra_centroid", "dec_centroid"),
    ("ra_psf", "dec_psf"),
    ("coord_ra", "coord_dec"),
    ("s_ra", "s_dec"),
    ("sky_ra", "sky_dec"),
    ("ra_hms", "dec_dms"),
    ("right_ascension", "declination"),
    ("rightascension", "declination"),
    ("ra", "de"),
    ("ra", "decl"),
    ("_ra", "_de"),
    ("_ra", "_dec"),
    ("alpha", "delta"),
)
"""Pairs of columns that are positions, the first that a table has is taken: names plain (`plain_name`)."""

MOTIONS = (
    ("pmra", "pmdec"),
    ("pmra", "pmde"),
    ("pm_ra", "pm_dec"),
    ("pm_ra", "pm_de"),
    ("pmra_cosdec", "pmdec"),
    ("pm_ra_cosdec", "pm_dec"),
    ("pmalpha", "pmdelta"),
    ("mu_alpha", "mu_delta"),
    ("mualpha", "mudelta"),
    ("mura", "mudec"),
)
"""Pairs of proper motions; that in right ascension is times cos dec, as in all catalogs of these names."""

OTHERS = {
    "pmra": ("pmra",),
    "pmdec": ("pmdec", "pmde"),
    "parallax": ("parallax", "plx"),
    "ref_epoch": ("ref_epoch", "epoch", "ep", "epra", "ep_ra_icrs"),
    "phot_g_mean_mag": ("phot_g_mean_mag", "gmag", "g_mag", "mag"),
    "source_id": ("source_id", "source", "gaia", "gaiadr3", "objid"),
}
"""Names of what has no partner, or has lost it, the best first."""

ERRORS = ("{}_error", "e_{}", "{}_err", "{}err", "err_{}", "sigma_{}", "{}_sigma")
"""What the column of an error is called, by the name of what it is the error of."""

QUANTITIES = {
    "ra": "deg",
    "dec": "deg",
    "pmra": "mas / yr",
    "pmdec": "mas / yr",
    "parallax": "mas",
    "ref_epoch": "yr",
    "ra_error": "mas",
    "dec_error": "mas",
    "pmra_error": "mas / yr",
    "pmdec_error": "mas / yr",
    "parallax_error": "mas",
    "phot_g_mean_mag": "mag",
    "source_id": None,
}
"""What is known of a source by columns of these meanings, and the unit that a column without one is in."""

ALIASES = {"epoch": "ref_epoch"}
"""What a meaning is called, too, where it is typed."""

LISTED = 12
"""Names of columns that a message lists."""


def parse_columns(text: str, *, option: str = "--columns") -> dict[str, str]:
    """Which columns mean what, as it is typed: ``ra=ALPHA,dec=DELTA``.

    Parameters
    ----------
    text : str
        Assignments of names of columns to the meanings of `QUANTITIES`, between commas. A number stands for a column
        that has it in all rows: ``ref_epoch=2016.0``.
    option : str
        The option, for messages.

    Returns
    -------
    dict of str to str
        Meaning to name of the column.

    Raises
    ------
    UsageError
        It is not such a text, or there is no such meaning.
    """
    asked = {}
    for word in text.split(","):
        meaning, equals, name = (part.strip() for part in word.partition("="))
        meaning = ALIASES.get(meaning, meaning)
        if not (equals and meaning and name):
            raise UsageError(f"{option} {text!r}: ra=NAME,dec=NAME expected")
        if meaning not in QUANTITIES:
            raise UsageError(f"{option}: there is no {meaning}", mend=f"known are {', '.join(QUANTITIES)}")
        asked[meaning] = name
    return asked


def find_columns(names: Iterable[str], asked: Mapping[str, str] | None = None) -> dict[str, str]:
    """Columns of a table that say where its sources are, how they move, and which they are.

    Parameters
    ----------
    names : iterable of str
        Of the columns.
    asked : mapping of str to str, optional
        As `parse_columns` gives it; it goes before what is found. Numbers are not columns and left out.

    Returns
    -------
    dict of str to str
        Meaning, in the order of `QUANTITIES`, to name of the column; what the table does not have is not in it.

    Raises
    ------
    InputError
        A column that was asked for is not there.
    """
    names = list(names)
    asked = {meaning: name for meaning, name in (asked or {}).items() if name in names or not _is_number(name)}
    for name in asked.values():
        if name not in names:
            raise missing_column(name, names)
    known = _by_plain_name(names)
    found = {}
    for pairs, both in ((PAIRS, ("ra", "dec")), (MOTIONS, ("pmra", "pmdec"))):
        pair = next((pair for pair in pairs if set(pair) <= set(known)), None)
        for meaning, plain in zip(both, pair or (), strict=False):
            found[meaning] = known[plain]
    for meaning, words in OTHERS.items():
        there = [known[word] for word in words if word in known]
        if there and meaning not in found:
            found[meaning] = there[0]
    found |= asked
    for meaning in [meaning for meaning in QUANTITIES if meaning.endswith("_error")]:
        of = meaning.removesuffix("_error")
        own = plain_name(found[of]) if of in found else of
        stems = [of, f"{own}_centroid", own]  # ra of the archive is a centroid; the column's own goes last, and wins
        for stem in stems:
            for form in ERRORS:
                if (name := known.get(form.format(stem))) and (meaning not in asked):
                    found[meaning] = name
                    break
    return {meaning: found[meaning] for meaning in QUANTITIES if meaning in found}


def sky_columns(
    names: Iterable[str], asked: Mapping[str, str] | None = None, *, first: tuple[str, str] | None = None
) -> tuple[str, str] | None:
    """The two columns of a table that are positions on the sky.

    Parameters
    ----------
    names : iterable of str
        Of the columns.
    asked : mapping of str to str, optional
        As `parse_columns` gives it.
    first : (str, str), optional
        Columns that are taken where the table has both and nothing was asked for.

    Returns
    -------
    (str, str) or None
        Names of right ascension and declination; None where there are none.
    """
    names = list(names)
    if first and not asked and set(first) <= set(names):
        return first
    found = find_columns(names, asked)
    return (found["ra"], found["dec"]) if {"ra", "dec"} <= set(found) else None


def is_of_positions(name: str) -> bool:
    """Whether a column of this name may be one of a pair of positions.

    Parameters
    ----------
    name : str
        Of the column.

    Returns
    -------
    bool
    """
    return any(plain_name(name) in pair for pair in PAIRS)


def missing_positions(names: Iterable[str], what: str = "no positions", *, mend: str | None = None) -> InputError:
    """The error that a table has no columns of positions; it lists those that the table has.

    Parameters
    ----------
    names : iterable of str
        Of the columns.
    what : str
        What the table therefore is not.
    mend : str, optional
        What to do about it; by default to have rt-table add such columns.

    Returns
    -------
    rtools.errors.InputError
        To be raised.
    """
    names = list(names)
    listed = ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
    return InputError(
        f"{what}: no column is known as a right ascension with its declination; there are {listed or 'none'}",
        mend=mend or "rt-table --add ra=NAME --add dec=NAME gives it such",
    )


def constants_of(asked: Mapping[str, str] | None, names: Iterable[str]) -> dict[str, float]:
    """What was asked to have one value in all rows (``ref_epoch=2016.0``).

    Parameters
    ----------
    asked : mapping of str to str or None
        As `parse_columns` gives it.
    names : iterable of str
        Of the columns: a column whose name is a number is one.

    Returns
    -------
    dict of str to float
        Meaning to value.
    """
    names = set(names)
    return {
        meaning: float(name)
        for meaning, name in (asked or {}).items()
        if name not in names and _is_number(name) and meaning != "source_id"
    }


def plain_name(name: str) -> str:
    """A name in lower case, its words joined by underscores: RA(ICRS) is ra_icrs, _RA.icrs is _ra_icrs.

    Parameters
    ----------
    name : str
        Of a column.

    Returns
    -------
    str
        By this name it is known.
    """
    return re.sub(r"[^0-9a-z_]+", "_", name.lower()).rstrip("_")


def _by_plain_name(names):
    """Plain name to name; one that is written plainly goes before one in another case."""
    known = {}
    for name in names:
        plain = plain_name(name)
        if plain == name or plain not in known:
            known[plain] = name
    return known


def _is_number(text):
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
