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
        self._planes = {}

    def scratch(self, count):
        """Memory for so many float32 of the calling thread's own."""
        held = getattr(self._own, "scratch", None)
        if held is None or held.size < count:
            held = self._own.scratch = np.empty(count, np.float32)
        return held

    def plane(self, key, shape, dtype=np.float32):
        """Memory for a plane of the member at work, the same for each of them: fresh memory is dear."""
        held = self._planes.get(key)
        if held is None or held.shape != tuple(shape) or held.dtype != dtype:
            held = self._planes[key] = np.empty(shape, dtype)
        return held

    def array(self, member, name, out):
        """An array of a member as its file has it: in `out` if that is of its dtype, else not to be changed.

        It is decoded once if there is room to keep it.
        """
        key, info = (member.number, name), member.product.arrays[name]
        if key in self._kept:
            return self._kept[key]
        nbytes = info.dtype.itemsize * out.size
        with member.product as product:
            reading = product.row_spans(name, [(0, info.shape[0])])
            if nbytes <= self.room:
                self.room -= nbytes
                self._kept[key] = reading.finish(self.threads)[0]
                return self._kept[key]
            reading.allocate = self._where(name, out)
            return reading.finish(self.threads)[0]

    def _where(self, name, out):
        """Where an array is put: into `out` if it is of its dtype."""

        def allocate(shape, dtype):
            fits = dtype == out.dtype and shape == out.shape
            return out if fits else self.plane(f"{name} as stored", shape, dtype)

        return allocate


def in_rows(work, count, pool):
    """Call ``work(rows)`` for slices of some rows, on the pool's threads."""
    list(pool.map(work, [slice(first, min(first + ROWS, count)) for first in range(0, count, ROWS)]))
