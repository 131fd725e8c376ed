"""Tables and expressions: rows that are chosen, columns that are added, an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import UsageError
from rtools.expressions import column_of_value, evaluate, select
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.products.tables.arrange import choose_columns
from rtools.wfi import dq

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["add_columns", "choose_rows", "sort_rows", "split_keys", "viewed"]

NO_NAME = frozenset("<>!&|~,")
"""Signs of comparisons and lists: what holds one before its first = is an expression without a name."""


def choose_rows(table: AstropyTable, condition: str) -> AstropyTable:
    """The rows of a table for which a condition holds.

    Parameters
    ----------
    table : astropy.table.Table
        Not changed.
    condition : str
        As `rtools.expressions.select` takes it.

    Returns
    -------
    astropy.table.Table
        A copy.

    Raises
    ------
    InputError
        There is no such column.
    UsageError
        It is no condition.
    """
    return table[np.broadcast_to(select(condition, _columns(table), flags=_flags(table)), (len(table),))]


def add_columns(table: AstropyTable, assignments: Sequence[str]) -> None:
    """Add columns that expressions say, one after the other: a later one may use an earlier one.

    Parameters
    ----------
    table : astropy.table.Table
        Changed in place.
    assignments : sequence of str
        ``NAME=EXPRESSION``.

    Raises
    ------
    InputError
        There is no such column.
    UsageError
        It is no such text, or the table has a column of the name.
    """
    for text in assignments:
        name, equals, expression = (part.strip() for part in text.partition("="))
        if not (name and equals and expression) or expression.startswith("=") or set(name) & NO_NAME:
            raise UsageError(f"--add {text!r}: NAME=EXPRESSION expected", mend="the column needs a name, as in new=a+b")
        if name in table.colnames:
            raise UsageError(f"--add: there is a column {name} already", mend="take another name")
        column = column_of_value(evaluate(expression, _columns(table), flags=_flags(table)), len(table))
        column.description = expression
        table[name] = column


def sort_rows(table: AstropyTable, keys: Sequence[str]) -> AstropyTable:
    """A table in the order of columns or expressions, the first the most important. What is not known comes last.

    Parameters
    ----------
    table : astropy.table.Table
        Not changed.
    keys : sequence of str
        Names of columns, each perhaps after a ``-``, which descends; or expressions.

    Returns
    -------
    astropy.table.Table
        A copy; rows that are alike keep their order.

    Raises
    ------
    InputError
        There is no such column.
    UsageError
        It holds lists, or an expression is none.
    """
    order = np.arange(len(table))
    for key in reversed(keys):
        values, unknown, descends = _key(table, key)
        ranks = np.unique(values[order], return_inverse=True)[1].reshape(len(order))
        ranks = np.where(unknown[order], len(order), -ranks if descends else ranks)
        order = order[np.argsort(ranks, kind="stable")]
    return table[order]


def viewed(
    table: AstropyTable,
    *,
    add: Sequence[str] = (),
    where: str | None = None,
    sort: str | None = None,
    head: int | None = None,
    columns: str | None = None,
) -> AstropyTable:
    """A table as it is asked for: columns are added, rows are chosen, sorted and counted, and last come the columns.

    Parameters
    ----------
    table : astropy.table.Table
        Columns are added in place.
    add : sequence of str
        As in `add_columns`.
    where : str, optional
        As in `choose_rows`.
    sort : str, optional
        Keys of `sort_rows` between commas.
    head : int, optional
        How many rows.
    columns : str, optional
        Names or globs between commas.

    Returns
    -------
    astropy.table.Table
        The same table where nothing else is asked for.

    Raises
    ------
    InputError
        There is no such column.
    UsageError
        An expression is none.
    """
    add_columns(table, add)
    if where is not None:
        table = choose_rows(table, where)
    if sort:
        table = sort_rows(table, split_keys(sort))
    if head is not None:
        table = table[:head]
    return choose_columns(table, columns.split(",")) if columns else table


def split_keys(text: str) -> list[str]:
    """Keys of an order as they are typed: at the commas that are not in parentheses.

    Parameters
    ----------
    text : str
        ``-kron_flux/kron_flux_err,label``.

    Returns
    -------
    list of str
        One key each.
    """
    keys, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            keys.append("")
        else:
            keys[-1] += sign
    return [key.strip() for key in keys]


def _key(table, key):
    """Values of a key, where it has none, and whether it descends."""
    name = key.removeprefix("-")
    simple = name in table.colnames
    if simple:
        column = table[name]
        if column.ndim != 1 or column.dtype.kind == "O":
            raise UsageError(f"the column {name} has no single value a row to sort by")
        unknown = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else np.zeros(len(column), bool)
        values = np.asarray(column)
        return values, unknown | np.isnan(values) if values.dtype.kind == "f" else unknown, key != name
    value = evaluate(key, _columns(table), flags=_flags(table))
    return np.broadcast_to(value.data, (len(table),)), np.broadcast_to(value.unknown, (len(table),)), False


def _columns(table) -> dict[str, Any]:
    return {name: table[name] for name in table.colnames}


def _flags(table):
    """Names of the flags in columns called as an image's array of flags, by the mission of the table."""
    jwst = any(str(value).strip() == "JWST" for key, value in table.meta.items() if str(key).lower() == "telescop")
    roman = any(str(key).startswith("roman.") for key in table.meta)
    if not (jwst or roman):
        return None
    names = PIXEL_FLAGS if jwst else dq.PIXEL
    return {name: names for name in table.colnames if name.lower() in ("dq", "pixeldq")}
