"""Columns of the tables of JWST products, L6: which there are, their order, types and units, and the number of rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np

from rtools.findings import Finding, error, info, warning
from rtools.jwst.layout import ColumnLayout, HduLayout, ProductLayout
from rtools.products.check.jwst.pieces import named
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import JwstProduct
from rtools.products.tables.metadata import ColumnInfo

__all__ = ["check_columns"]

MAY_LACK = {
    "phot": re.compile(r"BJD_TDB|aperture_(x|y|ra_icrs|dec_icrs)|centroid_[xy]|psf_(width_[xy]|flux)"),
    "s3d": re.compile(r"nelem"),
    "whtlt": re.compile(r"BJD_TDB"),
}
"""Columns that some releases or modes lack."""

SUFFIXED = {"whtlt": re.compile(r"(?P<name>MJD_UTC|BJD_TDB|whitelight_flux)(_\w+)?")}
"""Columns whose names may go on with an order or a detector."""

OF_SOURCES = "SOURCE_ID"
"""Column by which tables of slitless spectra are told: a row is a source, spectra are vectors."""

EQUAL_TYPES = {"N_ALONGDISP": ("int32", "uint32")}
"""Columns for which the documentation says one type and the schemas another."""

UNCALIBRATED = re.compile(r"\(?(DN|electron|ct|count)")
"""How units begin of what has no flux calibration, which is allowed where the table says Jy."""


SQUARE = re.compile(r"\(([^/()]+)/([^/()]+)\)\s*(?:\^|\*\*)?2")
"""The square of a quotient, which not every parser of units takes."""


def check_columns(product: JwstProduct, layout: ProductLayout) -> Iterator[Finding]:
    """L6 of all tables, which are not read.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    layout : ProductLayout
        Of its kind.

    Yields
    ------
    Finding
    """
    if layout.form == "ecsv":
        table = product.tables["TABLE"]
        yield from _columns("the table", table.columns, _split_places(layout.columns), layout.suffix, ecsv=True)
        return
    for hdu in product.hdus[1:]:
        told = layout.hdu(hdu.name)
        if told is None or not told.is_table or not hdu.is_table or hdu.name == "ASDF":
            continue
        where = named(hdu.name, hdu.version)
        yield from _columns(where, hdu.columns, _wanted(told, layout, hdu), layout.suffix)
        yield from _rows(hdu, told, where, product)


def _split_places(columns):
    """Columns of places on the sky are two in a file."""
    for column in columns:
        if column.dtype == "SkyCoord":
            for axis in ("ra", "dec"):
                yield ColumnLayout(f"{column.name}.{axis}", "float64", (), "deg")
        else:
            yield column


def _wanted(told: HduLayout, layout: ProductLayout, hdu: JwstHdu) -> Sequence[ColumnLayout]:
    """Columns that a table should have; an integration of its own, in releases before 1.19, has those of a spectrum."""
    if layout.suffix == "x1dints" and "INT_NUM" not in {column.name for column in hdu.columns}:
        return [column for column in told.columns if column.cell]
    return told.columns


def _columns(where, found, wanted, kind, *, ecsv=False):
    wanted = list(wanted)
    known = {_base(column.name, kind): column for column in found}
    for told in wanted:
        if told.name not in known and not (kind in MAY_LACK and MAY_LACK[kind].fullmatch(told.name)):
            yield error("L6", f"{where}.{told.name}", "the column is missing")
    present = [told.name for told in wanted if told.name in known]
    if [name for name in known if name in present] != present:
        yield warning("L6", where, "the columns are in another order")
    vectors = OF_SOURCES in known
    for told in wanted:
        column = known.get(told.name)
        if column is None:
            continue
        wrong = _type_problem(column, told, ecsv=ecsv, vectors=vectors)
        if wrong:
            yield warning("L6", f"{where}.{column.name}", wrong)
        if column.unit and not _same_unit(column.unit, told.unit):
            yield warning("L6", f"{where}.{column.name}", f"the unit is {column.unit}, not {told.unit or 'none'}")
    lacking = [told.name for told in wanted if told.unit and told.name in known and not known[told.name].unit]
    if lacking:
        few = ", ".join(lacking[:3]) + (" …" if len(lacking) > 3 else "")
        yield info("L6", where, f"without units: {few}")


def _base(name, kind):
    found = SUFFIXED[kind].fullmatch(name) if kind in SUFFIXED else None
    return found["name"] if found else name


def _type_problem(column: ColumnInfo, told: ColumnLayout, *, ecsv: bool, vectors: bool) -> str | None:
    base, _, length = column.dtype.rstrip("]").partition("[")
    wanted = "string" if told.dtype.startswith("S") else told.dtype
    allowed = EQUAL_TYPES.get(told.name, (wanted,))
    if ecsv:
        if _letter(base) != _letter(wanted):
            return f"{base}, not {wanted}"
        return None
    if base not in allowed:
        return f"{base}, not {' or '.join(allowed)}"
    fixed = [axis for axis in told.cell if isinstance(axis, int)]
    if fixed and length != str(fixed[0]):
        return f"{length or '1'} values in a cell, not {fixed[0]}"
    if length and not told.cell and not vectors and base != "string":  # a vector of one is written as a single value
        return f"{length} values in a cell, not one"
    return None


def _letter(dtype):
    return "string" if dtype in ("string", "str") else np.dtype(dtype).kind.replace("u", "i")


@cache
def _unit(text: str) -> Any:
    from astropy import units

    return units.Unit(SQUARE.sub(r"\1^2 / \2^2", text), parse_strict="silent")


def _same_unit(found: str, wanted: str | None) -> bool:
    if wanted is None:
        return found in ("", "1")
    if found == wanted or (wanted.startswith(("Jy", "MJy", "(MJy")) and UNCALIBRATED.match(found)):
        return True
    try:
        return bool(_unit(found) == _unit(wanted))
    except (ValueError, TypeError):
        return False


def _rows(hdu, told, where, product):
    """How many rows a table has, where the layout says it; interferometry is C14, integrations are C5 and C9."""
    if isinstance(told.rows, int) and not hdu.name.startswith("OI_") and hdu.rows != told.rows:
        yield error("L6", where, f"{hdu.rows} rows, not {told.rows}")
    if told.rows == "<= nints*ngroups" and len(product.arrays["data"].shape if product.has("data") else ()) == 4:
        integrations, groups = product.arrays["data"].shape[:2]
        if hdu.rows > integrations * groups:
            yield error("L6", where, f"{hdu.rows} rows, but there are {integrations * groups} groups")
