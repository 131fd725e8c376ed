"""Several tables matched on the sky or by a key, and joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.astrometry.crossmatch import MatchedPairs, Residuals, match_keys, match_positions, residuals
from rtools.astrometry.refcat import Places
from rtools.errors import InputError, UsageError, about
from rtools.expressions import missing_column
from rtools.products.tables.column_names import find_columns, missing_positions, sky_columns
from rtools.products.tables.joined import joined
from rtools.products.tables.positions import column_of, read_positions
from rtools.wfi.sphere import positions_of, separation, unit_vectors
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["KEEPS", "MatchRequest", "MatchedTable", "TableToMatch", "match_tables"]

KEEPS = ("matched", "first", "only-first", "only-second", "all")
"""Rows of the result: those that all tables have; all of the first table; those that only the first, or only the second
has; those of both."""


class TableToMatch(NamedTuple):
    """A table, and what it is called.

    Attributes
    ----------
    name : str
        For messages.
    table : astropy.table.Table
        Its rows.
    columns : dict of str to str
        Which columns mean what, as `rtools.products.tables.column_names.parse_columns` gives it.
    key : str or None
        Column that is compared, instead of positions.
    suffix : str
        What is put behind names of columns that others have, too.
    """

    name: str
    table: Table
    columns: Mapping[str, str]
    key: str | None
    suffix: str


class MatchRequest(NamedTuple):
    """How tables are matched.

    Attributes
    ----------
    radius : float
        Largest separation, arcsec.
    find : str
        One of `rtools.astrometry.crossmatch.FINDS`.
    sigmas : float or None
        Largest separation in units of its error.
    keep : str
        One of `KEEPS`.
    """

    radius: float
    find: str
    sigmas: float | None
    keep: str


class MatchedTable(NamedTuple):
    """Tables that were matched.

    Attributes
    ----------
    table : astropy.table.Table
        The rows that were asked for.
    pairs : tuple of MatchedPairs
        Of the first table with each other one.
    residuals : tuple of Residuals or None
        Of each of the other tables against the first one; None where there are no pairs, or no positions.
    chance : tuple of float
        Pairs that are expected by chance.
    """

    table: Table
    pairs: tuple[MatchedPairs, ...]
    residuals: tuple[Residuals | None, ...]
    chance: tuple[float, ...]


def match_tables(given: Sequence[TableToMatch], request: MatchRequest) -> MatchedTable:
    """Match tables with the first one, and join them.

    Parameters
    ----------
    given : sequence of TableToMatch
        Two or more.
    request : MatchRequest
        How.

    Returns
    -------
    MatchedTable

    Raises
    ------
    InputError
        A table has no positions, or not the key.
    UsageError
        Of more than two tables what only the second has is asked for.
    """
    if len(given) > 2 and request.keep in ("only-second", "all"):
        raise UsageError(f"--keep {request.keep} is for two tables")
    said: list[tuple[Residuals | None, float]]
    if given[0].key is not None:
        pairs = [_by_key(given[0], other) for other in given[1:]]
        said = [(None, np.nan) for _other in pairs]
    else:
        first, *others = (_places(each, number) for number, each in enumerate(given, 1))
        pairs = [
            match_positions(first, other, request.radius, find=request.find, sigmas=request.sigmas) for other in others
        ]
        said = [
            (residuals(first, found), _by_chance(first, other, request.radius))
            for found, other in zip(pairs, others, strict=True)
        ]
    table = _joined(given, pairs, request.keep, by_key=given[0].key is not None)
    return MatchedTable(table, tuple(pairs), tuple(each for each, _ in said), tuple(chance for _, chance in said))


def _places(given, number):
    """Positions of a table, with their errors where it has some."""
    with about(given.name):
        if sky_columns(given.table.colnames, given.columns) is None:
            mend = f"say which are: --columns {number}:ra=NAME,dec=NAME"
            raise missing_positions(given.table.colnames, mend=mend)
        ra, dec, pair = read_positions(given.table, given.columns)
        found = find_columns(given.table.colnames, {**given.columns, "ra": pair[0], "dec": pair[1]})
        errors = [
            column_of(given.table[found[name]], name) if name in found else np.full(len(ra), np.nan)
            for name in ("ra_error", "dec_error")
        ]
    return Places(ra, dec, *errors)


def _by_key(first, other):
    columns = []
    for each in (first, other):
        with about(each.name):
            if each.key not in each.table.colnames:
                raise missing_column(str(each.key), each.table.colnames)
            columns.append(each.table[each.key])
            if columns[-1].ndim != 1 or columns[-1].dtype.kind not in "biufUS":
                raise InputError(f"the column {each.key} has no single value a row")
    texts = {column.dtype.kind in "US" for column in columns}
    if len(texts) > 1:
        raise InputError(f"{first.key} and {other.key} are a text and a number", path=other.name)
    rows = match_keys(*columns)
    nothing = np.full(len(rows[0]), np.nan)
    return MatchedPairs(*rows, nothing, nothing, nothing, nothing)


def _by_chance(one, two, radius):
    """Rows of the first that have a row of the second within the radius by chance, as dense as it is around them."""
    known = [np.isfinite(each.ra) & np.isfinite(each.dec) for each in (one, two)]
    if not all(each.any() for each in known):
        return 0.0
    ra, dec = two.ra[known[1]], two.dec[known[1]]
    centre = positions_of(unit_vectors(ra, dec).mean(axis=0))
    far = float(np.percentile(separation(ra, dec, *centre), 90))
    inside = np.count_nonzero(separation(one.ra[known[0]], one.dec[known[0]], *centre) <= far)
    area = 2 * np.pi * (1 - np.cos(np.deg2rad(far))) * np.rad2deg(1) ** 2 * DEGREE_ARCSEC**2
    return 0.0 if area == 0 else inside * (1 - np.exp(-0.9 * len(ra) * np.pi * radius**2 / area))


def _joined(given, pairs, keep, *, by_key):
    """The rows that were asked for, with what was found of the pairs."""
    counts = [len(each.table) for each in given]
    if keep in ("only-first", "only-second"):
        which = int(keep == "only-second")
        seen = np.zeros(counts[which], bool)
        for found in pairs:
            seen[found.second if which else found.first] = True
        return given[which].table[~seen]
    rows, places = _rows(pairs, counts, outer=keep != "matched")
    if keep == "all":
        alone = np.setdiff1d(np.arange(counts[1]), rows[1])
        rows = [np.concatenate([rows[0], np.full(len(alone), -1)]), np.concatenate([rows[1], alone])]
        places = [np.concatenate([places[0], np.full(len(alone), -1)])]
    more = {} if by_key else _of_pairs(pairs, places)
    return joined([each.table for each in given], rows, [each.suffix for each in given], more)


def _rows(pairs, counts, *, outer):
    """For each table its rows side by side, and for each other table the place among its pairs; -1 for none."""
    rows: list[np.ndarray] = [np.arange(counts[0])]
    places: list[np.ndarray] = []
    for found in pairs:
        order = np.argsort(found.first, kind="stable")
        start = np.searchsorted(found.first[order], rows[0], "left")
        count = np.searchsorted(found.first[order], rows[0], "right") - start
        lengths = np.maximum(count, 1) if outer else count
        repeat = np.repeat(np.arange(len(rows[0])), lengths)
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        has = np.repeat(count, lengths) > 0
        place = np.full(len(repeat), -1)
        place[has] = order[(np.repeat(start, lengths) + within)[has]]
        rows = [each[repeat] for each in rows]
        places = [each[repeat] for each in places]
        rows.append(np.where(place < 0, -1, found.second[place] if len(found.second) else -1))
        places.append(place)
    return rows, places


def _of_pairs(pairs, places):
    """Columns of the separation of each other table from the first."""
    more = {}
    for number, (found, place) in enumerate(zip(pairs, places, strict=True), 2):
        suffix = "" if len(pairs) == 1 else f"_{number}"
        columns = {
            "sep": (found.separation, "arcsec", "Separation of the pair"),
            "sep_east": (found.east, "arcsec", "Offset to the east of the second from the first"),
            "sep_north": (found.north, "arcsec", "Offset to the north of the second from the first"),
            "sep_sigma": (found.sigma, None, "Offset in units of its error"),
        }
        for name, (values, unit, description) in columns.items():
            if name == "sep_sigma" and not np.isfinite(values).any():
                continue
            taken = values[place] if len(values) else np.full(len(place), np.nan)
            more[f"{name}{suffix}"] = (np.where(place < 0, np.nan, taken), unit, description)
    return more
