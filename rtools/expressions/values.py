"""Values in expressions: arrays that know which of their rows have no value, and their unit; arithmetic of them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
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
    "difference_unit",
    "either",
    "in_one_unit",
    "in_unit_of",
    "is_magnitude",
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

SAFE = 2.0**62
"""Whole numbers below this are computed with as int64; Python computes with others, so that nothing wraps around."""


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
        Whole numbers for sums, differences, products and remainders of whole numbers, and for powers of them that 64
        bits hold, else float64.

    Raises
    ------
    UsageError
        Of texts, of units that do not go together, or whole numbers that grow beyond 64 bits.
    """
    if "U" in (left.kind, right.kind):
        raise UsageError(f"a text has no {sign}")
    left, right, unit = _units(sign, left, right)
    with np.errstate(all="ignore"):
        data = np.asarray(ARITHMETIC[sign](left.data.astype(np.float64), right.data.astype(np.float64)))
    unknown = left.unknown | right.unknown | (np.isnan(data) if sign in "+-*%" else ~np.isfinite(data))
    if {left.kind, right.kind} <= {"b", "i"} and sign != "/":
        whole = _whole(sign, (left, right), data, unknown)
        if whole is not None:
            return Value(whole, unknown, unit)
        if sign != "**":
            raise UsageError("whole numbers grow beyond 64 bits", mend="multiply by 1.0 first")
    return Value(data, unknown | ~np.isfinite(data), unit)


def _whole(sign, sides, floats, unknown):
    """The result as int64 or uint64; None where that does not hold it. Powers below 0 are no whole numbers."""
    if sign == "**" and np.any(sides[1].data < 0):
        return None
    sizes = [
        np.abs(np.where(unknown, 0, each)).max(initial=0) for each in (floats, *(side.data * 1.0 for side in sides))
    ]
    if max(sizes) >= 2 * 2.0**64:
        return None
    known = [np.where(unknown, 1, side.data.astype(np.int64 if max(sizes) < SAFE else object)) for side in sides]
    data = np.asarray(ARITHMETIC[sign](*known))
    if max(sizes) < SAFE:
        return data
    low, high = (int(end(data)) for end in (np.min, np.max)) if data.size else (0, 0)
    if low >= -(2**63) and high < 2**63:
        return data.astype(np.int64)
    return data.astype(np.uint64) if low >= 0 and high < 2**64 else None


def _units(sign, left, right):
    """Both sides in units that go together, and the unit of the result; a plain number has that of the other side."""
    if left.unit is None and right.unit is None:
        return left, right, None
    if sign in "+-%":
        right = in_unit_of(left, right)
        return left, right, _unit_of_sum(sign, left.unit, right.unit)
    if sign == "**":
        if right.unit is not None and not is_magnitude(right.unit):  # 10 ** (-0.4 * mag) is a plain number
            raise UsageError(f"a power whose exponent has the unit {right.unit}")
        exponent = float(right.data) if right.data.ndim == 0 and not right.unknown else None
        plain = left.unit is not None and not is_magnitude(left.unit)
        return left, right, left.unit**exponent if plain and exponent is not None else None
    units = [unit for unit in (left.unit, right.unit) if unit is not None]
    if any(map(is_magnitude, units)):  # 3.1 times a reddening is one of magnitudes; anything else is a plain number
        magnitudes = len(units) == 1 and _is_linear(units[0]) and not (sign == "/" and left.unit is None)
        return left, right, units[0] if magnitudes else None
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


def _is_linear(unit):
    """Whether a unit is one of astropy's plain ones; mag(AB), with a zero point, is not."""
    from astropy import units

    return isinstance(unit, units.UnitBase)


def is_magnitude(unit: Any) -> bool:
    """Whether a unit is one of a logarithmic scale: magnitudes, with or without a zero point, or dex.

    Parameters
    ----------
    unit : astropy.units.UnitBase or other unit
        Not None.

    Returns
    -------
    bool
    """
    from astropy import units

    return not _is_linear(unit) or unit.is_equivalent(units.mag)


def difference_unit(unit: Any) -> Any:
    """The unit of a difference of two values: of two magnitudes it is mag, whatever their zero point.

    Parameters
    ----------
    unit : astropy.units.UnitBase, other unit, or None
        Of both.

    Returns
    -------
    astropy.units.UnitBase or None
    """
    return unit if unit is None or _is_linear(unit) else unit.function_unit


def _unit_of_sum(sign, left, right):
    """A magnitude and mag (an extinction) give the magnitude; two magnitudes with a zero point have a difference."""
    if left is None or right is None:
        return right if left is None else left
    if sign == "-" and not _is_linear(left) and not _is_linear(right):
        return difference_unit(left)
    return right if _is_linear(left) and not _is_linear(right) else left


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

    together = is_magnitude(left.unit) == is_magnitude(right.unit)
    if together and is_magnitude(left.unit) and _is_linear(left.unit) != _is_linear(right.unit):
        return right  # mag says no zero point: it is taken to be that of the other side
    try:
        if together and _is_linear(left.unit):
            return right._replace(data=right.data * right.unit.to(left.unit), unit=left.unit)
        if together:
            return right._replace(data=right.unit.to(left.unit, right.data), unit=left.unit)
    except units.UnitsError:
        pass
    raise UsageError(f"{left.unit} and {right.unit} do not go together")


def in_one_unit(values: Sequence[Value]) -> tuple[list[Value], Any]:
    """Values in the unit of the first of them that has one.

    Parameters
    ----------
    values : sequence of Value
        Numbers; one without a unit is in that of the others.

    Returns
    -------
    (list of Value, astropy.units.UnitBase or None)
        The values, and their unit.

    Raises
    ------
    UsageError
        They have units that do not go together.
    """
    first = next((value for value in values if value.unit is not None), values[0])
    return [in_unit_of(first, value) for value in values], first.unit


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
