"""Cases of a test of which a share runs every time, and the others among the long tests."""

import pytest

__all__ = ["some_long"]


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
    others = [one if rows else (one,) for one in list(cases)[usual:]]
    return [*list(cases)[:usual], *(pytest.param(*one, marks=pytest.mark.long) for one in others)]
