"""Positions in tables, whoever made them: what their columns say, in degrees; `column_names` finds the columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products.tables.column_names import (
    QUANTITIES,
    constants_of,
    find_columns,
    missing_positions,
    plain_name,
    sky_columns,
)
from rtools.wfi.angles import NO_ANGLE, degrees_of

if TYPE_CHECKING:
    from astropy.table import Column, Table

__all__ = ["RowPositions", "column_of", "epoch_of", "plain_numbers", "read_positions", "sky_values", "star_values"]

UNKNOWN_TEXTS = ("", "--", "-", "nan", "null", "none", "n/a")

HOURS = {"hourangle", "hour", "h", '"h:m:s"', "h:m:s", "hms"}
DEGREES_TEXT = {'"d:m:s"', "d:m:s", "dms"}
"""Units of right ascensions in hours, and of sexagesimal degrees, as they are written in tables."""


LIMITS = {
    "pmra": (-2e4, 2e4),
    "pmdec": (-2e4, 2e4),
    "parallax": (-1e3, 1e3),
    "ra_error": (0, 1e5),
    "dec_error": (0, 1e5),
    "pmra_error": (0, 1e4),
    "pmdec_error": (0, 1e4),
    "parallax_error": (0, 1e3),
    "phot_g_mean_mag": (-30, 50),
}
"""What a star can have, in these units; anything else (-999999, 99, 1e20) is not known. Barnard's star moves 10,393
mas/yr, Proxima's parallax is 768 mas."""


class RowPositions(NamedTuple):
    """Positions of the rows of a table.

    Attributes
    ----------
    ra, dec : ndarray float64
        Degrees, NaN where the table does not say or says what cannot be.
    columns : tuple of (str, str)
        The columns that they were read from.
    """

    ra: np.ndarray
    dec: np.ndarray
    columns: tuple[str, str]


def read_positions(
    table: Table, asked: Mapping[str, str] | None = None, *, first: tuple[str, str] | None = None
) -> RowPositions:
    """Positions of a table's rows.

    Parameters
    ----------
    table : astropy.table.Table
        Whoever made it.
    asked : mapping of str to str, optional
        Which columns are positions, as `parse_columns` gives it.
    first : (str, str), optional
        As in `sky_columns`.

    Returns
    -------
    RowPositions
        In the order of the rows.

    Raises
    ------
    InputError
        It has no columns of positions, or they hold neither numbers nor sexagesimal texts.
    """
    pair = sky_columns(table.colnames, asked, first=first)
    if pair is None:
        raise missing_positions(table.colnames)
    ra, dec = (sky_values(table[name], axis) for name, axis in zip(pair, ("ra", "dec"), strict=True))
    wrong = ~((np.abs(ra) <= 360) & (np.abs(dec) <= 90))  # -999999, 99
    ra[wrong], dec[wrong] = np.nan, np.nan
    return RowPositions(ra, dec, pair)


def sky_values(column: Column, axis: str) -> np.ndarray:
    """A column of coordinates in degrees.

    Parameters
    ----------
    column : astropy.table.Column
        Numbers in the unit of the column, degrees where it has none; or texts, which are numbers or sexagesimal.
        Without a unit, sexagesimal right ascensions are in hours.
    axis : str
        ``ra`` or ``dec``.

    Returns
    -------
    ndarray float64
        NaN where it has no value.

    Raises
    ------
    InputError
        It holds something else, or has a unit that is not one of angles.
    """
    from astropy import units

    if column.dtype.kind in "SUO":
        return _of_text(column, axis)
    values = plain_numbers(column)
    unit = str(column.unit or "").strip()
    if unit == "" or unit.lower() in DEGREES_TEXT:
        return values
    if unit.lower() in HOURS:
        return values * 15
    try:
        return values * units.Unit(column.unit).to(units.deg)
    except (units.UnitConversionError, TypeError, ValueError):
        raise InputError(f"{column.name} has the unit {unit}, not one of deg") from None


def column_of(column: Column, meaning: str) -> np.ndarray:
    """Values of a column in the unit of its meaning.

    Parameters
    ----------
    column : astropy.table.Column
        Numbers in the unit of the column, that of the meaning where it has none; positions may be text.
    meaning : str
        One of `QUANTITIES`, but not the identity.

    Returns
    -------
    ndarray float64
        NaN where it has no value, or one that no star can have.

    Raises
    ------
    InputError
        It holds no numbers, or has a unit that cannot be converted.
    """
    from astropy import units

    if meaning in ("ra", "dec"):
        return sky_values(column, meaning)
    values, given, wanted = plain_numbers(column), column.unit, units.Unit(QUANTITIES[meaning])
    # a magnitude is one whatever its unit says; a year may be written Julian
    scale = 1.0
    if not (given is None or str(given) == "" or meaning in ("phot_g_mean_mag", "ref_epoch")):
        try:
            scale = units.Unit(given).to(wanted)
        except (units.UnitConversionError, TypeError, ValueError):
            raise InputError(f"{column.name} has the unit {given}, not one of {wanted}") from None
    low, high = LIMITS.get(meaning, (-np.inf, np.inf))
    return np.where((values * scale < low) | (values * scale > high), np.nan, values * scale)


def star_values(table: Table, asked: Mapping[str, str] | None = None) -> dict[str, np.ndarray]:
    """What a table says of its sources as of stars: positions, motions, their errors, the epoch.

    Parameters
    ----------
    table : astropy.table.Table
        Whoever made it.
    asked : mapping of str to str, optional
        Which columns mean what, as `parse_columns` gives it; a number is the value of all rows.

    Returns
    -------
    dict of str to ndarray float64
        By the meanings of `QUANTITIES` but the identity, in their units, NaN where a row has no value; what the table
        does not say is not in it.

    Raises
    ------
    InputError
        It has no columns of positions, or values or units that cannot be.
    """
    ra, dec, pair = read_positions(table, asked)
    found = find_columns(table.colnames, {**(asked or {}), "ra": pair[0], "dec": pair[1]})
    values = {"ra": ra, "dec": dec}
    constants = {
        meaning: value for meaning, value in constants_of(asked, table.colnames).items() if meaning not in ("ra", "dec")
    }
    if "ref_epoch" not in {*found, *constants} and (epoch := epoch_of(table[pair[0]])) is not None:
        constants["ref_epoch"] = epoch
    for meaning in [name for name in QUANTITIES if name in found and name not in ("ra", "dec", "source_id")]:
        values[meaning] = column_of(table[found[meaning]], meaning)
    return values | {meaning: np.full(len(table), value) for meaning, value in constants.items()}


def plain_numbers(column: Column) -> np.ndarray:
    """A column as numbers, whatever its unit.

    Parameters
    ----------
    column : astropy.table.Column
        Numbers, or texts that are numbers.

    Returns
    -------
    ndarray float64
        NaN where it has no value.

    Raises
    ------
    InputError
        It holds something else.
    """
    try:
        return np.array(np.ma.filled(np.ma.asarray(column, dtype=float), np.nan))
    except (TypeError, ValueError):
        raise InputError(f"{column.name} is not a column of numbers") from None


def epoch_of(column: Column) -> float | None:
    """Epoch of positions, as the description of their column or its name says it.

    Parameters
    ----------
    column : astropy.table.Column
        Of right ascensions. VizieR writes ``Right ascension (ICRS) at Ep=2016.0``, and _RAJ2000 for what it has moved
        to the epoch 2000 itself.

    Returns
    -------
    float or None
        Julian year; None where nothing is said.
    """
    said = re.search(r"\bEp(?:och)?\s*[=:]?\s*J?(\d{4}(?:\.\d+)?)\b", column.description or "", re.IGNORECASE)
    if said:
        return float(said[1])
    return 2000.0 if plain_name(column.name) == "_raj2000" else None


def _of_text(column, axis):
    """Degrees of a column of texts: numbers, or sexagesimal."""
    texts = ["" if value is None or value is np.ma.masked else str(value).strip() for value in column]
    known = [number for number, text in enumerate(texts) if text.lower() not in UNKNOWN_TEXTS]
    unit = str(column.unit or "").strip().lower()
    found = np.full(len(texts), np.nan)
    try:
        found[known] = [float(texts[number]) for number in known]
        return found * 15 if unit in HOURS else found
    except ValueError:
        pass
    hours = axis == "ra" and unit in ("", *HOURS)
    try:
        written = [texts[number].replace("\N{MINUS SIGN}", "-") for number in known]
        found[known] = degrees_of(written, hours=hours)
    except NO_ANGLE as error:
        reason = " ".join(str(error).split())[:100]
        raise InputError(f"{column.name} holds no positions that can be read ({reason})") from None
    return found
