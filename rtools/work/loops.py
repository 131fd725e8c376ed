"""Loops over rows and over sources, shared by the threads of a run: the pieces do not depend on how many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtools.work.work import Work

__all__ = ["CHUNK", "ROWS", "in_chunks", "in_rows", "row_slices"]

ROWS = 256
"""Rows that a thread works on at a time."""

CHUNK = 256
"""Sources in one piece of work: 0.1 to 10 ms."""


def row_slices(count: int, height: int = ROWS) -> list[slice]:
    """Slices that together are all rows, from the first on.

    Parameters
    ----------
    count : int
        Number of rows.
    height : int
        Rows in each slice but the last, which may have fewer.

    Returns
    -------
    list of slice
        Empty for no rows.
    """
    return [slice(first, min(first + height, count)) for first in range(0, count, height)]


def in_rows(
    work: Work,
    function: Callable[[slice], object],
    count: int,
    *,
    height: int = ROWS,
    then: Callable[[], object] = lambda: None,
) -> None:
    """Call ``function(rows)`` for slices of some rows.

    Parameters
    ----------
    work : rtools.work.Work
        Its threads share the slices.
    function : callable
        Takes a slice; results are dropped.
    count : int
        Number of rows.
    height : int
        Rows in a slice.
    then : callable
        ``then()`` is called when the threads have got all slices, before they are done.
    """
    done = work.each(function, row_slices(count, height))
    then()
    for _ in done:
        pass


def in_chunks(work: Work, n: int, kernel: Callable[..., object], *arguments: Any) -> None:
    """Call ``kernel(*arguments, first, last)`` for pieces that together are [0, n).

    Parameters
    ----------
    work : rtools.work.Work
        Its threads share the pieces; one thread gets all of it as one.
    n : int
        Number of sources; each is worked on alone.
    kernel : callable
        Compiled, so that it does not hold the interpreter.
    *arguments
        What it is called with, before the bounds.
    """
    if work.threads == 1 or n <= CHUNK:
        if n:
            kernel(*arguments, 0, n)
        return

    def run(first):
        kernel(*arguments, first, min(first + CHUNK, n))

    work.map(run, range(0, n, CHUNK))
