"""Threads of a mosaic run, the memory each works in, and decoded inputs that are kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from rtools.products.io.reading import finish_all

if TYPE_CHECKING:
    from concurrent.futures import Future

    from numpy.typing import DTypeLike

    from rtools.pipeline.mosaic.members import Member
    from rtools.products.io.reading import Reading
    from rtools.work import Work
    from rtools.work.work import Advancing
__all__ = ["Workers"]

RECENT = 8
"""Things that are not made anew when they were made lately: pixel maps, 2.4 MB each."""


Given = TypeVar("Given")


class _Ahead(NamedTuple):
    """Arrays of a member that are being decoded."""

    member: Member
    readings: dict[str, tuple[Reading, bool]]
    jobs: list[Future]


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

    Attributes
    ----------
    threads : int
        How many pieces of work are done at a time.
    log : callable
        ``log(level, text)`` of `work`.
    """

    def __init__(self, work: Work, room: int = 0, label: str = ""):
        self.work, self.threads, self.log, self.room, self._label = work, work.threads, work.log, room, label
        self._own = threading.local()
        self._kept: dict[tuple[int, str], np.ndarray] = {}
        self._planes: dict[Hashable, np.ndarray] = {}
        self._recent: dict[Hashable, Any] = {}
        self._after: dict[int, Member] = {}
        self._present: Member | None = None
        self._following: Member | None = None
        self._names: tuple[str, ...] = ()
        self._side = 0
        self._ahead: _Ahead | None = None
        self._ready: dict[str, tuple[Reading, bool]] = {}

    def progress(self, text: str, total: float | None) -> AbstractContextManager[Advancing]:
        """Show how far a part of the run is, as `rtools.work.Work.progress`.

        Parameters
        ----------
        text : str
            What is done; the name of the mosaic stands before it.
        total : float or None
            As there.

        Returns
        -------
        context manager
            As there.
        """
        return self.work.progress(f"{self._label}: {text}" if self._label else text, total)

    def scratch(self, count: int) -> np.ndarray:
        """Memory of the calling thread's own.

        Parameters
        ----------
        count : int
            Least number of values.

        Returns
        -------
        ndarray float32 (n,)
            Its contents are undefined, its size may be larger; the thread gets the same at the next call.
        """
        held = getattr(self._own, "scratch", None)
        if held is None or held.size < count:
            held = self._own.scratch = np.empty(count, np.float32)
        return held

    def plane(self, key: Hashable, shape: Sequence[int], dtype: DTypeLike = np.float32) -> np.ndarray:
        """Memory for a plane of the member at work, the same for each of them: fresh memory is dear.

        Parameters
        ----------
        key : hashable
            What the plane is for.
        shape : sequence of int
            Its rows and columns.
        dtype : dtype
            Its type.

        Returns
        -------
        ndarray
            Its contents are undefined. A call with the same key, shape and type gives the same memory.
        """
        held = self._planes.get(key)
        if held is None or held.shape != tuple(shape) or held.dtype != dtype:
            held = self._planes[key] = np.empty(shape, dtype)
        return held

    def release(self) -> None:
        """Give memory back when no member is wanted any more: the system uses it again for the file that is written."""
        self._planes, self._kept, self._ready, self._present = {}, {}, {}, None
        self._own = threading.local()

    def follow(self, members: Iterable[Member]) -> None:
        """Tell the order in which members will be read, so that `look_ahead` knows the next.

        Parameters
        ----------
        members : iterable of rtools.pipeline.mosaic.members.Member
            In this order; without any, nothing is decoded ahead.
        """
        self._after = {id(member): following for member, following in pairwise(members)}
        self._following = None

    def look_ahead(self, wanted: Callable[[Member], bool] = lambda member: True) -> None:
        """Begin to decode of the next member what was read of this one.

        To be called when the pool has got all work on this one: threads that have nothing left to do there go on.

        Parameters
        ----------
        wanted : callable
            ``wanted(member)``: whether the next member will be read at all.
        """
        member, self._following = self._following, None
        if member is not None and wanted(member):
            readings = self._readings(member, dict.fromkeys(self._names), 1 - self._side)
            jobs = [self.work.submit(job) for reading, _keep in readings.values() for job in reading.take_jobs()]
            self._ahead = _Ahead(member, readings, jobs)

    def arrays(self, member: Member, names: Sequence[str]) -> dict[str, tuple[np.ndarray, bool]]:
        """Arrays of a member as its file has them.

        They are decoded once if there is room to keep them; else they are valid until those of another member are
        wanted.

        Parameters
        ----------
        member : rtools.pipeline.mosaic.members.Member
            The image.
        names : sequence of str
            Arrays that its file has.

        Returns
        -------
        dict of str to (ndarray, bool)
            By name: the array, and whether it may be changed.
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

    def recent(self, key: Hashable, make: Callable[[], Given]) -> Given:
        """What is made of a key, or was made lately.

        Parameters
        ----------
        key : hashable
            What is wanted.
        make : callable
            ``make()`` makes it.

        Returns
        -------
        object
            What `make` gave, now or at one of the last calls.
        """
        if key not in self._recent:
            while len(self._recent) >= RECENT:
                del self._recent[next(iter(self._recent))]
            self._recent[key] = make()
        return self._recent[key]
