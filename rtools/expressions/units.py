"""Units of values: which go together, and what unit a result has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rtools.errors import UsageError
from rtools.expressions.values import Value

__all__ = ["difference_unit", "in_one_unit", "in_unit_of", "is_magnitude", "units_of_result"]


def units_of_result(sign: str, left: Value, right: Value) -> tuple[Value, Value, Any]:
    """Both sides of arithmetic in units that go together, and the unit of the result.

    Parameters
    ----------
    sign : str
        ``+ - * / % **``.
    left, right : Value
        Numbers; one without a unit has that of the other side.

    Returns
    -------
    (Value, Value, astropy.units.UnitBase or None)
        The sides, and the unit.

    Raises
    ------
    UsageError
        They have units that do not go together.
    """
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
