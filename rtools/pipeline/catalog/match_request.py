"""What is asked of a match of tables. Nothing here is heavy: commands are declared with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["FINDS", "KEEPS", "MatchRequest", "TableToMatch"]

FINDS = ("best", "nearest", "all")
"""Which pairs, as `rtools.astrometry.crossmatch.match_positions` has them."""

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
        One of `FINDS`.
    sigmas : float or None
        Largest separation in units of its error.
    keep : str
        One of `KEEPS`.
    epoch : float or None
        Julian year at which positions are compared; None: that of a table without proper motions, else of the first.
    """

    radius: float
    find: str
    sigmas: float | None
    keep: str
    epoch: float | None = None
