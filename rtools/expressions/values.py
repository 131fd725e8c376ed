"""Values in expressions: arrays that know which of their rows have no value, and their unit; conditions of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import UsageError

if TYPE_CHECKING:
    from astropy.table import Column as AstropyColumn

__all__ = ["Value", "both", "column_of_value", "either", "truth", "value_of"]


class Value(NamedTuple):
    """A part of an expression, computed.

    Attributes
    ----------
    data : ndarray
        Of bool, whole numbers, floats or texts; without axes where it is one value for all rows.
    unknown : ndarray of bool
        Where there is no value; of the same shape, or without axes.
    unit : astropy.units.UnitBase or None
        Of numbers.
    """

    data: np.ndarray
    unknown: np.ndarray
    unit: Any = None

    @property
    def kind(self) -> str:
        """``b`` for conditions, ``i`` for whole numbers, ``f`` for others, ``U`` for texts."""
        kind = self.data.dtype.kind
        return "i" if kind == "u" else kind


KNOWN = np.zeros((), bool)
"""No row is without a value."""


def value_of(given: Any) -> Value:
    """A column, an array or a constant as a value.

    Parameters
    ----------
    given : astropy.table.Column, ndarray or scalar
        NaN and what is masked have no value.

    Returns
    -------
    Value

    Raises
    ------
    UsageError
        A column of vectors or objects.
    """
    data = np.asarray(np.ma.getdata(given))
    if data.ndim > 1 or data.dtype.kind not in "biufUS":
        raise UsageError("it has no single value a row")
    unknown = np.ma.getmaskarray(np.ma.asarray(given)) if np.ma.isMaskedArray(given) else KNOWN
    if data.dtype.kind == "S":
        data = data.astype(str)
    if data.dtype.kind == "f":
        data = data.astype(np.float64)
        unknown = unknown | np.isnan(data)
    unit = getattr(given, "unit", None)
    return Value(data, np.asarray(unknown), unit if data.dtype.kind in "iuf" and str(unit) else None)


def column_of_value(value: Value, rows: int) -> AstropyColumn:
    """A value as a column of a table.

    Parameters
    ----------
    value : Value
        Computed.
    rows : int
        Of the table.

    Returns
    -------
    astropy.table.Column
        NaN where a float has no value; masked where something else has none.
    """
    from astropy.table import Column, MaskedColumn

    data = np.array(np.broadcast_to(value.data, (rows,)))
    unknown = np.array(np.broadcast_to(value.unknown, (rows,)))
    if value.kind == "f":
        data[unknown] = np.nan
    elif unknown.any():
        return MaskedColumn(data, mask=unknown, unit=value.unit)
    return Column(data, unit=value.unit)


def truth(value: Value) -> Value:
    """A value as a condition: a whole number holds where it is not 0.

    Parameters
    ----------
    value : Value
        A condition or whole numbers.

    Returns
    -------
    Value
        Of bool.

    Raises
    ------
    UsageError
        It is neither.
    """
    if value.kind == "b":
        return value
    if value.kind != "i":
        raise UsageError("it is no condition", mend="compare it with something, as in kron_flux > 20")
    return Value(value.data != 0, value.unknown)


def both(left: Value, right: Value) -> Value:
    """``and``: false where one side is, unknown where that cannot be told (Kleene's logic)."""
    no = (~left.data & ~left.unknown) | (~right.data & ~right.unknown)
    return Value(left.data & right.data & ~no, (left.unknown | right.unknown) & ~no)


def either(left: Value, right: Value) -> Value:
    """``or``: true where one side is, unknown where that cannot be told (Kleene's logic)."""
    yes = (left.data & ~left.unknown) | (right.data & ~right.unknown)
    return Value(yes, (left.unknown | right.unknown) & ~yes)
