"""Several tables matched on the sky or by a key, and joined."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.astrometry.chance_pairs import expected_by_chance
from rtools.astrometry.crossmatch import MatchedPairs, match_positions
from rtools.astrometry.offsets import Residuals, common_offsets, residuals
from rtools.errors import InputError, UsageError, about
from rtools.expressions import missing_column
from rtools.pipeline.catalog.match_epochs import CommonEpoch, at_one_epoch, read_stars
from rtools.pipeline.catalog.match_request import MatchRequest, TableToMatch
from rtools.products.tables.joined import joined
from rtools.work.keys import match_keys

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["MatchedTable", "SkyMatch", "match_tables"]


class SkyMatch(NamedTuple):
    """What is told of a table that was matched with the first one on the sky.

    Attributes
    ----------
    residuals : Residuals or None
        Of the table against the first one; None without pairs.
    offsets : tuple of ndarray
        East and north, arcsec, of the pairs, as `rtools.astrometry.offsets.common_offsets` gives them.
    chance : float
        Pairs that are expected by chance; NaN where that cannot be told.
    epoch : CommonEpoch
        When positions were compared.
    """

    residuals: Residuals | None
    offsets: tuple[np.ndarray, np.ndarray]
    chance: float
    epoch: CommonEpoch


class MatchedTable(NamedTuple):
    """Tables that were matched.

    Attributes
    ----------
    table : astropy.table.Table
        The rows that were asked for.
    pairs : tuple of MatchedPairs
        Of the first table with each other one.
    told : tuple of SkyMatch or None
        Of each of the other tables; None where they are matched by a key.
    """

    table: Table
    pairs: tuple[MatchedPairs, ...]
    told: tuple[SkyMatch | None, ...]


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
    told: list[SkyMatch | None]
    if given[0].key is not None:
        pairs = [_by_key(given[0], other) for other in given[1:]]
        told = [None for _other in pairs]
    else:
        first, *others = (read_stars(each, number) for number, each in enumerate(given, 1))
        found = [_on_the_sky(first, other, request) for other in others]
        pairs, told = [each for each, _ in found], [said for _, said in found]
    table = _joined(given, pairs, request.keep, by_key=given[0].key is not None)
    return MatchedTable(table, tuple(pairs), tuple(told))


def _on_the_sky(first, other, request):
    """Pairs of a table with the first one, and what is told of them."""
    one, two, epoch = at_one_epoch(first, other, request.epoch)
    pairs = match_positions(one, two, request.radius, find=request.find, sigmas=request.sigmas)
    chance = expected_by_chance(one, two, request.radius, every=request.find == "all")
    return pairs, SkyMatch(residuals(one, pairs), common_offsets(one, pairs), chance, epoch)


def _by_key(first, other):
    columns = []
    for each in (first, other):
        with about(each.name):
            if each.key not in each.table.colnames:
                raise missing_column(str(each.key), each.table.colnames)
            columns.append(each.table[each.key])
            if columns[-1].ndim != 1 or columns[-1].dtype.kind not in "biufUS":
                raise InputError(f"the column {each.key} has no single value a row")
    if len({column.dtype.kind in "US" for column in columns}) > 1:
        raise InputError(f"{first.key} and {other.key} are a text and a number", path=other.name)
    with about(other.name):
        rows = match_keys(*columns)
    nothing = np.full(len(rows[0]), np.nan)
    return MatchedPairs(*rows, nothing, nothing, nothing, nothing)


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
