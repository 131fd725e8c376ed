"""Keys of the rows of two tables: which are equal, without the roundings of a common type."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rtools.errors import InputError

__all__ = ["match_keys"]

MOST = 50_000_000
"""Pairs that are made at most."""


class _Keys(NamedTuple):
    """Keys that are known, of texts or numbers, and their rows."""

    values: np.ndarray
    rows: np.ndarray


def match_keys(one: np.ndarray, two: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of rows that have the same key.

    Whole numbers are compared exactly, whatever their types and however large; texts are equal to the same bytes, and
    blanks at their end count as little as in FITS.

    Parameters
    ----------
    one, two : ndarray
        Keys of either list, both texts or both numbers. What is masked, NaN or an empty text is no key, and equal to
        none.

    Returns
    -------
    (ndarray of int, ndarray of int)
        Rows of either list, in the order of the first; where keys repeat every pair.

    Raises
    ------
    InputError
        They cannot be compared, numbers have been rounded where the others are whole, or there are too many pairs.
    """
    keys = [_known(each) for each in (one, two)]
    if len({each.values.dtype.kind == "U" for each in keys}) > 1:
        raise InputError("a text and a number cannot be compared")
    first, second = _as_one_type(*keys)
    order = np.argsort(second.values, kind="stable")
    start = np.searchsorted(second.values[order], first.values, "left")
    count = np.searchsorted(second.values[order], first.values, "right") - start
    if count.sum() > MOST:
        raise InputError(f"{count.sum()} pairs have the same key", mend=f"at most {MOST} are taken")
    left = np.repeat(np.arange(len(first.values)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return first.rows[left], second.rows[order[np.repeat(start, count) + within]]


def _known(keys):
    """Keys that have a value: texts, or numbers as they are."""
    values = np.asarray(np.ma.getdata(keys))
    known = ~np.ma.getmaskarray(keys) if np.ma.isMaskedArray(keys) else np.ones(len(values), bool)
    if values.dtype.kind in "SUO":
        values = np.array([_text(value) if there else "" for value, there in zip(values, known, strict=True)], str)
        known = known & (values != "")
    elif values.dtype.kind == "f":
        known = known & ~np.isnan(values)
    rows = np.flatnonzero(known)
    return _Keys(values[rows], rows)


def _text(value):
    if value is None:
        return ""
    return (value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)).rstrip()


def _as_one_type(one, two):
    """Keys of both in a type that holds them exactly; of a whole and another number only those that are whole."""
    kinds = {each.values.dtype.kind for each in (one, two)}
    if "U" in kinds or kinds == {"f"}:
        return one, two
    if "f" in kinds:
        one, two = (_whole(each) if each.values.dtype.kind == "f" else each for each in (one, two))
    if np.uint64 in (one.values.dtype, two.values.dtype):
        return tuple(_Keys(each.values[keep].astype(np.uint64), each.rows[keep])
                     for each in (one, two) for keep in [each.values >= 0])  # fmt: skip
    return tuple(_Keys(each.values.astype(np.int64), each.rows) for each in (one, two))


def _whole(keys):
    """Those of floats that are whole numbers; refused where the type does not hold every whole number any more."""
    values, limit = keys.values, 2.0 ** (np.finfo(keys.values.dtype).nmant + 1)
    whole = np.isfinite(values) & (values == np.floor(values))
    if np.any(np.abs(values[whole]) > limit):
        mend = "read them as whole numbers, or as texts"
        raise InputError(f"numbers beyond {limit:.0f} in {values.dtype.name} have been rounded: no keys", mend=mend)
    return _Keys(values[whole].astype(np.int64), keys.rows[whole])
