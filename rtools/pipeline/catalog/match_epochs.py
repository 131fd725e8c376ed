"""Positions of two tables at one epoch, where proper motions take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.astrometry.refcat import Places, RefCat, from_table, julian_year, moved
from rtools.errors import about
from rtools.pipeline.catalog.match_request import TableToMatch
from rtools.products.tables.column_names import missing_positions, sky_columns
from rtools.products.tables.flat import to_tree
from rtools.products.tables.positions import star_values
from rtools.wfi.metadata import middle_mjd

__all__ = ["CommonEpoch", "MatchedStars", "at_one_epoch", "read_stars"]

SAME_EPOCH = 0.01
"""Years between epochs that are the same: a star that moves 100 mas/yr moves 1 mas."""


class MatchedStars(NamedTuple):
    """Positions of a table, and when they are.

    Attributes
    ----------
    stars : rtools.astrometry.refcat.RefCat
        As the table says them, a row each.
    epoch : float
        Julian year, the median of the rows; NaN where the table says none.
    moves : bool
        Whether it has proper motions.
    """

    stars: RefCat
    epoch: float
    moves: bool


class CommonEpoch(NamedTuple):
    """When the positions of two tables are compared.

    Attributes
    ----------
    first, second : float
        Epochs of the tables, Julian years; NaN where one says none.
    common : float
        Epoch to which proper motions take both; NaN: as the tables have them.
    moved : tuple of bool
        Whether positions of the first and of the second were moved.
    stays : tuple of bool
        Whether those of the first and of the second are of another, or an unknown, epoch and were not moved.
    """

    first: float
    second: float
    common: float
    moved: tuple[bool, bool]
    stays: tuple[bool, bool]


def read_stars(given: TableToMatch, number: int) -> MatchedStars:
    """Positions of a table, with motions, errors and epoch where it has them.

    Parameters
    ----------
    given : TableToMatch
        The table.
    number : int
        Which it is, from 1, for messages.

    Returns
    -------
    MatchedStars
        The epoch is that of a column or of `--columns`, else the middle of the exposure that a catalog is of.

    Raises
    ------
    rtools.errors.InputError
        It has no positions.
    """
    with about(given.name):
        if sky_columns(given.table.colnames, given.columns) is None:
            mend = f"say which are: --columns {number}:ra=NAME,dec=NAME"
            raise missing_positions(given.table.colnames, mend=mend)
        values = star_values(given.table, given.columns)
    if "ref_epoch" not in values:
        taken = julian_year(middle_mjd(to_tree(given.table.meta).get("meta") or {}))
        values["ref_epoch"] = np.full(len(given.table), taken)
    known = values["ref_epoch"][np.isfinite(values["ref_epoch"])]
    moves = all(name in values and np.isfinite(values[name]).any() for name in ("pmra", "pmdec"))
    return MatchedStars(from_table(values), float(np.median(known)) if known.size else np.nan, moves)


def at_one_epoch(first: MatchedStars, second: MatchedStars, epoch: float | None) -> tuple[Places, Places, CommonEpoch]:
    """Positions of two tables at one epoch.

    Parameters
    ----------
    first, second : MatchedStars
        Of the tables.
    epoch : float or None
        Which; None as `rtools.pipeline.catalog.match_request.MatchRequest` says it.

    Returns
    -------
    (Places, Places, CommonEpoch)
        Of either table, and what was done.
    """
    if epoch is not None:
        common = epoch
    elif not np.isfinite(first.epoch + second.epoch):
        common = np.nan
    else:
        common = second.epoch if first.moves and not second.moves else first.epoch
    apart = [not abs(each.epoch - common) <= SAME_EPOCH for each in (first, second)]
    able = [each.moves and bool(np.isfinite(each.epoch)) and bool(np.isfinite(common)) for each in (first, second)]
    told = epoch is not None or any(each.moves for each in (first, second)) or bool(np.isfinite(common))
    one, two = (moved(each.stars, common) for each in (first, second))
    return (
        one,
        two,
        CommonEpoch(
            first.epoch,
            second.epoch,
            float(common),
            (apart[0] and able[0], apart[1] and able[1]),
            (told and apart[0] and not able[0], told and apart[1] and not able[1]),
        ),
    )
