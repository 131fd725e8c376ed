"""Cases of a test of which a share runs every time, and the others among the long or the slow tests."""

import pytest

__all__ = ["some_long", "some_slow"]


def some_long(cases, usual, *, rows=False):
    """The cases for `pytest.mark.parametrize`, those behind the first few marked ``long``.

    Parameters
    ----------
    cases : iterable
        Values of an argument; of several arguments tuples of values.
    usual : int
        How many of the first run every time.
    rows : bool
        There are several arguments.

    Returns
    -------
    list
    """
    return _shared(cases, usual, pytest.mark.long, rows)


def some_slow(cases, usual, *, rows=False):
    """As `some_long`, those behind the first few marked ``slow``: ``--quick`` leaves them out."""
    return _shared(cases, usual, pytest.mark.slow, rows)


def _shared(cases, usual, mark, rows):
    others = [one if rows else (one,) for one in list(cases)[usual:]]
    return [*list(cases)[:usual], *(pytest.param(*one, marks=mark) for one in others)]
