"""Threads of a mosaic run, the memory each works in, and decoded inputs that are kept."""

import threading

import numpy as np

__all__ = ["Workers", "in_rows"]

ROWS = 256
"""Rows that a thread works on at a time; results do not depend on it."""


class Workers:
    """What all parts of a run work with.

    Parameters
    ----------
    pool : concurrent.futures.Executor
    threads : int
    log : callable
        ``log(level, text)``.
    room : int
        Bytes of decoded arrays that may be kept.
    """

    def __init__(self, pool, threads, log, room=0):
        self.pool, self.threads, self.log, self.room = pool, threads, log, room
        self._own = threading.local()
        self._kept = {}

    def scratch(self, count):
        """Memory for so many float32 of the calling thread's own."""
        held = getattr(self._own, "scratch", None)
        if held is None or held.size < count:
            held = self._own.scratch = np.empty(count, np.float32)
        return held

    def array(self, member, name):
        """An array of a member as its file has it, not to be changed; decoded once if there is room to keep it."""
        key = member.number, name
        if key in self._kept:
            return self._kept[key]
        array = member.product.array(name, threads=self.threads)
        if array.nbytes <= self.room:
            self.room -= array.nbytes
            self._kept[key] = array
        return array


def in_rows(work, count, pool):
    """Call ``work(rows)`` for slices of some rows, on the pool's threads."""
    list(pool.map(work, [slice(first, min(first + ROWS, count)) for first in range(0, count, ROWS)]))
