"""Arithmetic, comparisons and bits of values, with their units, and whole numbers that do not wrap around."""

from __future__ import annotations

import operator

import numpy as np

from rtools.errors import UsageError
from rtools.expressions.units import in_unit_of, units_of_result
from rtools.expressions.values import Value, both, either

__all__ = ["arithmetic", "bits", "compare"]

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
    left, right, unit = units_of_result(sign, left, right)
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
