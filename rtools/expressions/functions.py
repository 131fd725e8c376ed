"""Functions of expressions."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from rtools.errors import UsageError
from rtools.expressions.arithmetic import arithmetic
from rtools.expressions.units import difference_unit, in_one_unit, is_magnitude
from rtools.expressions.values import Value, truth, value_of
from rtools.jwst import dq as jwst_dq
from rtools.wfi import dq
from rtools.wfi.sphere import separation
from rtools.wfi.units import DEGREE_ARCSEC, NJY_MAGNITUDE

__all__ = ["NAMES", "FlagNames", "call", "has"]

FlagNames: TypeAlias = Mapping[str, Mapping[str, int]]
"""Names of flags and their values, by the column that holds them."""


WITH_SIGN = value_of(-1)


def _absolute(value):
    value = _numbers(value)
    negative = Value(value.data < 0, value.unknown)
    # by arithmetic, because the least number of a type has no absolute value in it
    return value if not negative.data.any() else _where(negative, arithmetic("*", WITH_SIGN, value), value)


def _root(value):
    return arithmetic("**", _numbers(value), Value(np.array(0.5), np.zeros((), bool)))


def _logarithm(value):
    return _plain(np.log10, value)


def _natural(value):
    return _plain(np.log, value)


def _exponential(value):
    return _plain(np.exp, value)


def _hypotenuse(one, other):
    (one, other), unit = in_one_unit([_numbers(one), _numbers(other)])
    return _finite(np.hypot(one.data.astype(np.float64), other.data), one.unknown | other.unknown, unit)


def _least(*values):
    return _extreme(np.minimum, np.min, values)


def _most(*values):
    return _extreme(np.maximum, np.max, values)


def _extreme(of_two, of_all, values):
    """Of several values a row, or of all rows of one."""
    found, unit = in_one_unit([_numbers(value) for value in values])
    if len(found) == 1:
        return _over_rows(of_all, found[0])
    data, unknown = found[0].data, found[0].unknown
    for other in found[1:]:
        data, unknown = of_two(*_of_one_type(data, other.data)), unknown | other.unknown
    return Value(np.asarray(data), unknown, unit)


def _of_one_type(one, other):
    """Numbers in a type that both have; int64 and uint64, whose common type rounds, by Python's whole numbers."""
    kinds = {one.dtype.kind, other.dtype.kind}
    if kinds != {"i", "u"} or np.result_type(one, other).kind != "f":
        return one, other
    if all(each.size == 0 or (each >= 0).all() for each in (one, other)):
        return one.astype(np.uint64), other.astype(np.uint64)
    if all(each.size == 0 or (each < 2**63).all() for each in (one, other)):
        return one.astype(np.int64), other.astype(np.int64)
    raise UsageError("no type holds whole numbers below 0 and beyond 63 bits", mend="multiply by 1.0 first")


def _mean(value):
    return _over_rows(np.mean, _numbers(value))


def _median(value):
    return _over_rows(np.median, _numbers(value))


def _scatter(value):
    return _over_rows(np.std, _numbers(value))._replace(unit=difference_unit(value.unit))


def _over_rows(function, value):
    """One number of all rows that have a value."""
    known = np.broadcast_to(value.data, np.broadcast_shapes(value.data.shape, value.unknown.shape))
    known = known[~np.broadcast_to(value.unknown, known.shape)]
    with np.errstate(all="ignore"):
        found = np.asarray(function(known)) if known.size else np.array(np.nan)
    return Value(found, ~np.isfinite(found), value.unit)


def _is_nan(value):
    shape = np.broadcast_shapes(value.data.shape, value.unknown.shape)
    return Value(np.array(np.broadcast_to(value.unknown, shape)), np.zeros((), bool))


def _rounded(value, digits=None):
    value = _numbers(value)
    if digits is not None and (digits.data.ndim or digits.kind != "i" or abs(int(digits.data)) > 20):
        raise UsageError("round takes a number and how many decimals: round(kron_abmag, 2)")
    wide = value.data.astype(np.int64) if value.kind == "i" and value.data.dtype != np.uint64 else value.data
    return value._replace(data=np.round(wide, 0 if digits is None else int(digits.data)))


def _floor(value):
    return _numbers(value)._replace(data=np.floor(_numbers(value).data))


def _where(condition, one, other):
    condition = truth(condition)
    if (one.kind == "U") != (other.kind == "U"):
        raise UsageError("where takes two numbers or two texts")
    (one, other), unit = in_one_unit([one, other])
    unknown = condition.unknown | np.where(condition.data, one.unknown, other.unknown)
    return Value(np.where(condition.data, *_of_one_type(one.data, other.data)), unknown, unit)


def _angle(function):
    def of_degrees(value):
        return _plain(function, value._replace(data=np.deg2rad(_degrees(value)), unit=None))

    return of_degrees


def _separation(ra, dec, other_ra, other_dec):
    """Angle between two positions."""
    given = (ra, dec, other_ra, other_dec)
    unknown = np.logical_or.reduce(np.broadcast_arrays(*(each.unknown for each in given)))
    with np.errstate(all="ignore"):
        found = separation(*(_degrees(each) for each in given)) * DEGREE_ARCSEC
    from astropy import units

    return _finite(found, unknown, units.arcsec)


def _magnitude(flux):
    """AB magnitude of a flux density; of a number without a unit as if it were nJy."""
    from astropy import units

    flux = _numbers(flux)
    scale = 1.0
    if flux.unit is not None:
        try:
            if is_magnitude(flux.unit):
                raise TypeError  # astropy takes the unit for a flux, that of magnitude 1
            scale = flux.unit.to(units.nJy)
        except (units.UnitConversionError, AttributeError, TypeError):
            raise UsageError(f"mag takes flux densities, not {flux.unit}") from None
    with np.errstate(all="ignore"):
        found = NJY_MAGNITUDE - 2.5 * np.log10(np.where(flux.data > 0, flux.data * scale, np.nan))
    return _finite(found, flux.unknown, units.ABmag)


def _numbers(value):
    if value.kind not in "if":
        raise UsageError("a number is expected here")
    return value


def _degrees(value):
    """Angles in degrees: in the unit of the column, degrees where it has none."""
    value = _numbers(value)
    if value.unit is None:
        return value.data
    from astropy import units

    try:
        return value.data * value.unit.to(units.deg)
    except (units.UnitConversionError, AttributeError, TypeError):
        raise UsageError(f"an angle is expected, not {value.unit}") from None


def _plain(function, value):
    """A function whose result has no unit."""
    value = _numbers(value)
    with np.errstate(all="ignore"):
        return _finite(function(value.data.astype(np.float64)), value.unknown)


def _finite(data, unknown, unit=None):
    data = np.asarray(data, np.float64)
    return Value(data, unknown | ~np.isfinite(data), unit)


FUNCTIONS: dict[str, Callable[..., Value]] = {
    "abs": _absolute,
    "sqrt": _root,
    "log10": _logarithm,
    "ln": _natural,
    "exp": _exponential,
    "hypot": _hypotenuse,
    "min": _least,
    "max": _most,
    "mean": _mean,
    "median": _median,
    "std": _scatter,
    "isnan": _is_nan,
    "round": _rounded,
    "floor": _floor,
    "where": _where,
    "sin": _angle(np.sin),
    "cos": _angle(np.cos),
    "tan": _angle(np.tan),
    "sep": _separation,
    "mag": _magnitude,
}

NAMES = frozenset(FUNCTIONS) | {"has"}
"""What can be called."""


def call(name: str, values: Sequence[Value]) -> Value:
    """Call a function.

    Parameters
    ----------
    name : str
        A key of `FUNCTIONS`.
    values : sequence of Value
        Its arguments.

    Returns
    -------
    Value

    Raises
    ------
    UsageError
        It takes other arguments.
    """
    function = FUNCTIONS[name]
    parameters = inspect.signature(function).parameters.values()
    most = None if any(each.kind is each.VAR_POSITIONAL for each in parameters) else len(parameters)
    least = 1 if most is None else sum(each.default is each.empty for each in parameters)
    if not least <= len(values) <= (len(values) if most is None else most):
        takes = f"{least} or more" if most is None else str(least) if least == most else f"{least} or {most}"
        raise UsageError(f"{name} takes {takes} values, not {len(values)}")
    return function(*values)


def has(value: Value, column: str, wanted: Sequence[Any], flags: FlagNames | None = None) -> Value:
    """Whether any of some flags is set.

    Parameters
    ----------
    value : Value
        Whole numbers whose bits are flags.
    column : str
        Name of the column, which says what its bits are called.
    wanted : sequence of str or int
        Names of flags, or numbers.
    flags : mapping of str to mapping of str to int, optional
        Names of flags by column, beside those that are known.

    Returns
    -------
    Value
        Conditions.

    Raises
    ------
    UsageError
        There is no such flag, or the column holds no flags.
    """
    if value.kind != "i":
        raise UsageError(f"{column} is no column of flags")
    if not wanted or not all(isinstance(each, str | int) and not isinstance(each, bool) for each in wanted):
        raise UsageError(f"has takes names of flags behind the column: has({column}, NAME)")
    table = _names_of(column, flags)
    bits = 0
    for each in wanted:
        bits |= dq.value(each, table)
    data = value.data.astype(np.int64) & np.int64(bits)
    return Value(np.asarray(data != 0), value.unknown)


def _names_of(column, flags):
    """Names of the flags of a column, by the name of the column."""
    if flags and column in flags:
        return flags[column]
    for name, table in dq.SOURCE.items():
        if name in column.lower():
            return table
    shared = {name: bit for name, bit in dq.PIXEL.items() if jwst_dq.PIXEL_FLAGS.get(name, bit) == bit}
    other = {name: bit for name, bit in jwst_dq.PIXEL_FLAGS.items() if name not in dq.PIXEL}
    return shared | other
