"""Values in expressions: arrays that know which of their rows have no value, and their unit; arithmetic of them."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import UsageError

if TYPE_CHECKING:
    from astropy.table import Column as AstropyColumn

__all__ = [
    "Value",
    "arithmetic",
    "bits",
    "both",
    "column_of_value",
    "compare",
    "either",
    "in_unit_of",
    "truth",
    "value_of",
]

ARITHMETIC = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "**": operator.pow,
}

COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

BITS = {"&": operator.and_, "|": operator.or_}

WHOLE = 2.0**63
"""Whole numbers below this are computed with as such."""


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
    return Value(data, np.asarray(unknown), unit if data.dtype.kind in "iuf" else None)


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


def arithmetic(sign: str, left: Value, right: Value) -> Value:
    """A sum, difference, product, quotient, remainder or power.

    What has no number as its result (x / 0, (-1) ** 0.5) has no value.

    Parameters
    ----------
    sign : str
        One of `ARITHMETIC`.
    left, right : Value
        Numbers; conditions count as 1 and 0.

    Returns
    -------
    Value
        Whole numbers for sums, differences, products and remainders of whole numbers, else float64.

    Raises
    ------
    UsageError
        Of texts, of units that do not go together, or whole numbers that grow beyond 64 bits.
    """
    if "U" in (left.kind, right.kind):
        raise UsageError(f"a text has no {sign}")
    left, right, unit = _units(sign, left, right)
    whole = left.kind in "bi" and right.kind in "bi" and sign in "+-*%"
    with np.errstate(all="ignore"):
        floats = ARITHMETIC[sign](left.data.astype(np.float64), right.data.astype(np.float64))
        data = np.asarray(floats)
        if whole:
            if np.any(np.abs(data) >= WHOLE):
                raise UsageError("whole numbers grow beyond 64 bits", mend="multiply by 1.0 first")
            divisor = np.where(right.data == 0, 1, right.data) if sign == "%" else right.data
            exact = ARITHMETIC[sign](left.data.astype(np.int64), divisor.astype(np.int64))
            unknown = left.unknown | right.unknown | np.isnan(floats)
            return Value(np.asarray(exact), unknown, unit)
    return Value(data, left.unknown | right.unknown | ~np.isfinite(data), unit)


def _units(sign, left, right):
    """Both sides in units that go together, and the unit of the result; a plain number has that of the other side."""
    if left.unit is None and right.unit is None:
        return left, right, None
    if sign in "+-%":
        unit = right.unit if left.unit is None else left.unit
        right = in_unit_of(left, right)
        both = left.unit is not None and right.unit is not None
        return left, right, _magnitude_less(unit) if sign == "-" and both else unit
    if sign == "**":
        if right.unit is not None:
            raise UsageError(f"a power whose exponent has the unit {right.unit}")
        exponent = float(right.data) if right.data.ndim == 0 and not right.unknown else None
        return left, right, None if exponent is None or not _is_plain(left.unit) else left.unit**exponent
    units = [unit for unit in (left.unit, right.unit) if unit is not None]
    if not all(map(_is_plain, units)):
        return left, right, None  # a magnitude times something
    one = 1 if left.unit is None else left.unit
    unit = one * (1 if right.unit is None else right.unit) if sign == "*" else one / (right.unit or 1)
    return _without_scale(left, right, unit)


def _without_scale(left, right, unit):
    """A ratio of nJy to uJy is a number: its scale goes into the left side."""
    from astropy import units

    unit = units.Unit(unit)
    if not unit.is_equivalent(units.dimensionless_unscaled):
        return left, right, unit
    scale = unit.to(units.dimensionless_unscaled)
    return (left if scale == 1 else left._replace(data=left.data * scale)), right, None


def _is_plain(unit):
    """Whether a unit is one of a linear scale, not of magnitudes."""
    from astropy import units

    return isinstance(unit, units.UnitBase)


def _magnitude_less(unit):
    """The unit of a difference: of two magnitudes it is mag."""
    from astropy import units

    return unit if _is_plain(unit) else units.mag


def in_unit_of(left: Value, right: Value) -> Value:
    """The right side in the unit of the left one.

    Parameters
    ----------
    left, right : Value
        Numbers; one without a unit is in that of the other.

    Returns
    -------
    Value

    Raises
    ------
    UsageError
        They have units that do not go together.
    """
    if left.unit is None or right.unit is None or left.unit == right.unit:
        return right
    from astropy import units

    if not (_is_plain(left.unit) and _is_plain(right.unit)):
        return right  # a magnitude is one, whatever its zero point
    try:
        return right._replace(data=right.data * right.unit.to(left.unit), unit=left.unit)
    except units.UnitConversionError:
        raise UsageError(f"{left.unit} and {right.unit} do not go together") from None


def compare(sign: str, left: Value, right: Value) -> Value:
    """A comparison; it has no value where a side has none.

    Parameters
    ----------
    sign : str
        One of `COMPARE`.
    left, right : Value
        Both numbers or both texts.

    Returns
    -------
    Value

    Raises
    ------
    UsageError
        A text and a number, or units that do not go together.
    """
    if (left.kind == "U") != (right.kind == "U"):
        raise UsageError("a text and a number cannot be compared", mend="a text stands in quotes, a number does not")
    if left.kind == "U":
        return Value(np.asarray(COMPARE[sign](left.data, right.data)), left.unknown | right.unknown)
    right = in_unit_of(left, right)
    return Value(np.asarray(COMPARE[sign](left.data, right.data)), left.unknown | right.unknown)


def bits(sign: str, left: Value, right: Value) -> Value:
    """Bits of whole numbers, or both of two conditions.

    Parameters
    ----------
    sign : str
        ``&`` or ``|``.
    left, right : Value
        Both whole numbers or both conditions.

    Returns
    -------
    Value
        Of conditions as ``and`` and ``or``, with what is unknown left unknown.

    Raises
    ------
    UsageError
        They are something else.
    """
    if left.kind == right.kind == "b":
        return both(left, right) if sign == "&" else either(left, right)
    if not (left.kind == right.kind == "i"):
        word = "and" if sign == "&" else "or"
        raise UsageError(f"{sign} takes two whole numbers or two conditions", mend=f"{word} joins comparisons")
    kind = np.uint64 if np.uint64 in (left.data.dtype, right.data.dtype) else np.int64
    data = BITS[sign](left.data.astype(kind), right.data.astype(kind))
    return Value(np.asarray(data), left.unknown | right.unknown)


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
