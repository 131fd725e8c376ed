"""Threads of a mosaic run, the memory each works in, and decoded inputs that are kept."""

import threading

import numpy as np

from rtools.products.reading import finish_all

__all__ = ["Workers", "in_rows"]

ROWS = 256
"""Rows that a thread works on at a time; results do not depend on it."""

RECENT = 8
"""Things that are not made anew when they were made lately: pixel maps, 2.4 MB each."""


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
        self._recent = {}

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

    def arrays(self, member, planes):
        """Arrays of a member as its file has them, by name: in `planes` where the dtypes agree, else not to be changed.

        They are decoded once if there is room to keep them.
        """
        raw, readings = {}, {}
        with member.product as product:
            for name, out in planes.items():
                info, kept = product.arrays[name], self._kept.get((member.number, name))
                if kept is not None:
                    raw[name] = kept
                    continue
                readings[name] = product.row_spans(name, [(0, info.shape[0])])
                nbytes = info.dtype.itemsize * out.size
                if nbytes <= self.room:
                    self.room -= nbytes
                    self._kept[member.number, name] = None
                else:
                    readings[name].allocate = self._where(name, out)
            finish_all(readings.values(), self.pool)
        for name, reading in readings.items():
            (raw[name],) = reading.parts
            if (member.number, name) in self._kept:
                self._kept[member.number, name] = raw[name]
        return raw

    def recent(self, key, make):
        """What ``make()`` gives, or gave lately for this key."""
        if key not in self._recent:
            while len(self._recent) >= RECENT:
                del self._recent[next(iter(self._recent))]
            self._recent[key] = make()
        return self._recent[key]

    def _where(self, name, out):
        """Where an array is put: into `out` if it is of its dtype."""

        def allocate(shape, dtype):
            fits = dtype == out.dtype and shape == out.shape
            return out if fits else self.plane(f"{name} as stored", shape, dtype)

        return allocate


def in_rows(work, count, pool):
    """Call ``work(rows)`` for slices of some rows, on the pool's threads."""
    list(pool.map(work, [slice(first, min(first + ROWS, count)) for first in range(0, count, ROWS)]))
