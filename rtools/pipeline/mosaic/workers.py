"""Threads of a mosaic run, the memory each works in, and decoded inputs that are kept."""

import threading
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rtools.products.io.reading import finish_all

__all__ = ["Workers"]

RECENT = 8
"""Things that are not made anew when they were made lately: pixel maps, 2.4 MB each."""


class _Ahead(NamedTuple):
    """Arrays of a member that are being decoded."""

    member: object
    readings: dict
    jobs: list


class Workers:
    """What all parts of a run work with.

    Parameters
    ----------
    work : rtools.work.Work
        Threads, log and progress.
    room : int
        Bytes of decoded arrays that may be kept.
    label : str
        What progress calls the mosaic.
    """

    def __init__(self, work, room=0, label=""):
        self.work, self.threads, self.log, self.room, self._label = work, work.threads, work.log, room, label
        self._own = threading.local()
        self._kept = {}
        self._planes = {}
        self._recent = {}
        self._after, self._present, self._following, self._names = {}, None, None, ()
        self._side, self._ahead, self._ready = 0, None, {}

    def progress(self, text, total):
        """Show how far a part of the run is, as `rtools.work.Work.progress`."""
        return self.work.progress(f"{self._label}: {text}" if self._label else text, total)

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

    def release(self):
        """Give memory back when no member is wanted any more: the system uses it again for the file that is written."""
        self._planes, self._kept, self._ready, self._present = {}, {}, {}, None
        self._own = threading.local()

    def follow(self, members):
        """Tell the order in which members will be read, so that `look_ahead` knows the next."""
        self._after = {id(member): following for member, following in pairwise(members)}
        self._following = None

    def look_ahead(self, wanted=lambda member: True):
        """Begin to decode of the next member what was read of this one, if it is ``wanted(member)``.

        To be called when the pool has got all work on this one: threads that have nothing left to do there go on.
        """
        member, self._following = self._following, None
        if member is not None and wanted(member):
            readings = self._readings(member, dict.fromkeys(self._names), 1 - self._side)
            jobs = [self.work.submit(job) for reading, _keep in readings.values() for job in reading.take_jobs()]
            self._ahead = _Ahead(member, readings, jobs)

    def arrays(self, member, names):
        """Arrays of a member as its file has them, by name: (array, whether it may be changed).

        They are decoded once if there is room to keep them; else they are valid until those of another member are
        wanted.
        """
        if self._present is not member or self._ahead is not None:
            self._present, self._names, self._ready = member, (), self._looked_ahead(member)
        self._names, self._following = (*self._names, *names), self._after.get(id(member))
        with member.product:
            more = self._readings(member, [name for name in names if name not in self._ready], self._side)
            finish_all([reading for reading, _keep in more.values()], self.work)
        found = {}
        ready = {name: self._ready.pop(name) for name in names if name in self._ready}
        for name, (reading, keep) in (more | ready).items():
            found[name] = reading.parts[0], not keep
            if keep:
                self._kept[member.number, name] = reading.parts[0]
        return {name: found[name] if name in found else (self._kept[member.number, name], False) for name in names}

    def _looked_ahead(self, member):
        """Readings that `look_ahead` has begun, and are whole now; none of another member."""
        ahead, self._ahead = self._ahead, None
        if ahead is None:
            return {}
        with ahead.member.product:
            for job in ahead.jobs:
                job.result()
        if ahead.member is not member:
            return {}
        self._side = 1 - self._side
        return ahead.readings

    def _readings(self, member, names, side):
        """Readings of the arrays that are not kept yet, and whether they will be."""
        readings = {}
        for name in names:
            if name in member.product.arrays and (member.number, name) not in self._kept:
                info = member.product.arrays[name]
                reading = member.product.row_spans(name, [(0, info.shape[0])])
                nbytes = info.dtype.itemsize * info.shape[0] * info.shape[1]
                keep = nbytes <= self.room
                if keep:
                    self.room -= nbytes
                else:
                    reading.allocate = partial(self.plane, (name, side))
                readings[name] = reading, keep
        return readings

    def recent(self, key, make):
        """What ``make()`` gives, or gave lately for this key."""
        if key not in self._recent:
            while len(self._recent) >= RECENT:
                del self._recent[next(iter(self._recent))]
            self._recent[key] = make()
        return self._recent[key]
