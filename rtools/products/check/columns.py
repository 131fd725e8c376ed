"""Columns of source catalogs: which a catalog must have, by its kind, and of which types they are.

The forced and the multiband catalog have the columns of the prompt one, but that measurements are called for the
forced image (``forced_kron_flux``) or for a band (``kron_f158_flux``); any one band will do.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from rtools.findings import Finding, error
from rtools.products.schema import layout

__all__ = ["check_columns", "column_type", "kind_of", "required"]

BAND = r"[a-z][0-9]{3}"
MEASURED = re.compile(
    r"\^(aper|kron_(abmag|flux)|segment_flux|warning_flags|fluxfrac|is_extended|roundness1|sharpness)"
)
"""Patterns of required columns that speak of one image."""

FORCED = {"^dec$": "^forced_dec$", "^dust_ebv$": None}
"""What RAD demands of forced catalogs otherwise."""

MULTIBAND = re.compile(rf"_{BAND}(?=_|$)")


def kind_of(model: str, columns: Iterable[str]) -> str:
    """``prompt``, ``forced``, ``multiband`` or ``timedomain``: by the model type, else by the columns.

    Parameters
    ----------
    model : str
        ``meta.model_type``; empty where it is not known.
    columns : iterable of str
        Names of the columns.

    Returns
    -------
    str
        One of these words.
    """
    for kind in ("forced", "multiband", "timedomain"):
        if kind in model.lower():
            return kind
    if not model and any(name.startswith("forced_") for name in columns):
        return "forced"
    if not model and any(MULTIBAND.search(name) for name in columns):
        return "multiband"
    return "prompt"


def required(kind: str) -> list[str]:
    """Patterns of names of which each has to be met by a column.

    Parameters
    ----------
    kind : str
        As `kind_of` gives it.

    Returns
    -------
    list of str
        Regular expressions, to be searched in the names of the columns.
    """
    known = layout.facts()["catalog"]["prompt_required"]
    if kind == "timedomain":
        return layout.facts()["catalog"]["time_domain_required"]
    if kind == "forced":
        found = [re.sub(r"^\^", "^forced_", one) if MEASURED.match(one) else FORCED.get(one, one) for one in known]
        return [one for one in found if one]
    if kind == "multiband":
        return [_of_band(one) if MEASURED.match(one) and "warning_flags" not in one else one for one in known]
    return known


def _of_band(pattern):
    """The name of a band stands before what is measured, else at the end."""
    for word in ("_flux", "_abmag"):
        if word in pattern and "fluxfrac" not in pattern:
            return pattern.replace(word, f"_{BAND}{word}")
    return pattern.replace("$", f"_{BAND}$")


@cache
def _types():
    """(pattern, type) of every column that RAD knows; a band may be missing, and be one of matched images."""
    found = []
    for template, dtype, *_more in layout.facts()["catalog"]["columns"]:
        pattern = template.replace("~radius~", "[0-9]{2}").replace("~band~m~band~", "~band~")
        pattern = pattern.replace("_~band~", rf"(_{BAND}(m({BAND})?)?)?")
        found.append((re.compile(f"(forced_)?{pattern}"), "bool" if dtype == "bool8" else dtype))
    return found


def column_type(name: str) -> str | None:
    """The numpy type of a column by its name; None for one that RAD does not know.

    Parameters
    ----------
    name : str
        Of the column.

    Returns
    -------
    str or None
        Name of the type.
    """
    return next((dtype for pattern, dtype in _types() if pattern.fullmatch(name)), None)


def check_columns(model: str, columns: Mapping[str, str]) -> Iterator[Finding]:
    """Columns that are missing, and columns of wrong types.

    Parameters
    ----------
    model : str
        ``meta.model_type``; empty where it is not known.
    columns : mapping of str to str
        Name to numpy type.

    Yields
    ------
    Finding
    """
    for pattern in required(kind_of(model, columns)):
        if not any(re.search(pattern, name) for name in columns):
            name = pattern.strip("^$").replace("[0-9]{2}", "NN").replace(BAND, "BAND")
            yield error("schema", name, "column missing")
    for name, dtype in columns.items():
        wanted = column_type(name)
        if wanted not in (None, dtype):
            yield error("schema", name, f"{dtype}, not {wanted}")
