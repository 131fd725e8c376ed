"""Loops over sources, shared by threads."""

from concurrent.futures import ThreadPoolExecutor

__all__ = ["over"]

CHUNK = 256
"""Sources in one piece of work: 0.1 to 10 ms."""


def over(n, threads, kernel, *arguments):
    """Call ``kernel(*arguments, first, last)`` for pieces that together are [0, n).

    The pieces do not depend on the number of threads, and each source is worked on alone.
    """
    starts = range(0, n, CHUNK)
    if threads <= 1 or len(starts) <= 1:
        if n:
            kernel(*arguments, 0, n)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda first: kernel(*arguments, first, min(first + CHUNK, n)), starts):
            pass
