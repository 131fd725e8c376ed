"""Observables of a target divided by those of a star that is a point: what the instrument does to both goes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rtools.errors import RtoolsError
from rtools.wfi.sphere import signed_turn

__all__ = ["difference", "ratio", "rows_alike"]

Measured = tuple[np.ndarray, np.ndarray]


def ratio(target: Measured, star: Measured) -> Measured:
    """One by the other; relative errors add in quadrature.

    Parameters
    ----------
    target, star : (ndarray, ndarray)
        Values and their errors.

    Returns
    -------
    (ndarray, ndarray)
        The quotient and its error.
    """
    (value, error), (other, other_error) = target, star
    with np.errstate(divide="ignore", invalid="ignore"):
        found = value / other
        return found, np.abs(found) * np.hypot(error / value, other_error / other)


def difference(target: Measured, star: Measured) -> Measured:
    """Phases of one less those of the other, within ±180°; errors add in quadrature.

    Parameters
    ----------
    target, star : (ndarray, ndarray)
        Phases and their errors, degrees.

    Returns
    -------
    (ndarray, ndarray)
        Degrees.
    """
    return signed_turn(target[0] - star[0]), np.hypot(target[1], star[1])


def rows_alike(target: np.ndarray, star: np.ndarray, what: str, names: Sequence[str]) -> np.ndarray:
    """Which row of the star has the stations of each row of the target.

    Parameters
    ----------
    target, star : ndarray of int (N,) or (N, K)
        STA_INDEX of both.
    what : str
        The table, for the message.
    names : sequence of str
        What target and star are called in the message.

    Returns
    -------
    ndarray of int (N,)

    Raises
    ------
    RtoolsError
        The star lacks some, or has one twice (exit 1).
    """
    known = {_key(row): number for number, row in enumerate(star)}
    if len(known) < len(star):
        raise RtoolsError(f"{names[1]} has the same stations twice in {what}")
    missing = [row for row in map(_key, target) if row not in known]
    if missing or len(target) != len(star):
        lost = "-".join(map(str, missing[0])) if missing else "some"
        raise RtoolsError(f"{names[0]} and {names[1]} do not have the same stations in {what}: {lost} is missing")
    return np.array([known[_key(row)] for row in target], int)


def _key(row):
    return tuple(np.atleast_1d(row).tolist())
