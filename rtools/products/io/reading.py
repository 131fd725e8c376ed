"""Arrays that are being read: jobs for any threads, and the parts that are whole when all jobs are done."""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from rtools.work import ALONE, Work

__all__ = ["Reading", "finish_all", "one_by_one", "run_all"]


class Reading:
    """Parts of an array, and the jobs that fill them.

    Parameters
    ----------
    jobs : list of callable
        To be called once each, on any threads, in any order.
    shapes : list of tuple of int
        Of the parts.
    dtype : dtype
        Of all parts, in native byte order.

    Attributes
    ----------
    parts : list of ndarray
        Own and contiguous; they take memory when the first job wants them, and are whole when all jobs have run.
    allocate : callable
        ``allocate(shape, dtype)``: an array for a part, `numpy.empty` if nobody else is named.
    """

    def __init__(self, jobs: list[Callable[[], None]], shapes: Sequence[Sequence[int]], dtype: np.dtype) -> None:
        self.jobs = jobs
        self.allocate: Callable[..., np.ndarray] = np.empty
        self._shapes = shapes
        self._dtype = dtype
        self._parts: list[np.ndarray] | None = None
        self._lock = threading.Lock()

    @property
    def parts(self) -> list[np.ndarray]:
        """The parts, in the order of the shapes; they are made when they are first asked for."""
        with self._lock:
            if self._parts is None:
                self._parts = [self.allocate(shape, self._dtype) for shape in self._shapes]
            return self._parts

    def take_jobs(self) -> list[Callable[[], None]]:
        """The jobs, for the caller to run."""
        jobs, self.jobs = self.jobs, []  # they refer to this object, and would keep the parts until a collection
        return jobs

    def finish(self, work: Work = ALONE) -> list[np.ndarray]:
        """Run all jobs; the parts."""
        run_all(self.take_jobs(), work)
        return self.parts


def run_all(jobs: list[Callable[[], None]], work: Work = ALONE) -> None:
    """Run jobs.

    Parameters
    ----------
    jobs : list of callable
        Called once each, in any order.
    work : rtools.work.Work
        Its threads share the jobs.
    """
    if len(jobs) == 1:
        jobs[0]()
    elif work.alone and threading.current_thread() is threading.main_thread():
        # The main thread returns freed megabytes to the system each time and pays for them again in page faults
        # (glibc): any other is better.
        with Work(1) as other:
            other.map(_call, jobs)
    else:
        work.map(_call, jobs)


def _call(job):
    return job()


def finish_all(readings: Iterable[Reading], work: Work) -> None:
    """Run all jobs of several readings.

    Parameters
    ----------
    readings : iterable of Reading
        Their jobs are taken; their parts are whole afterwards.
    work : rtools.work.Work
        Its threads share the jobs.
    """
    work.map(_call, [job for reading in readings for job in reading.take_jobs()])


def one_by_one(
    read: Callable[..., np.ndarray], cuts: Sequence[tuple[Any, ...]], shapes: Sequence[Sequence[int]], dtype: np.dtype
) -> Reading:
    """A `Reading` of which each part is read by itself, as ``read(*cut)``.

    Parameters
    ----------
    read : callable
        Gives the part of a cut.
    cuts : sequence of tuple
        What `read` is called with, for each part.
    shapes : sequence of sequence of int
        Of the parts.
    dtype : numpy.dtype
        Of all parts.

    Returns
    -------
    Reading
        With one job for each part.
    """
    reading = Reading([], shapes, dtype)

    def fill(number, cut):
        reading.parts[number][...] = read(*cut)

    reading.jobs = [partial(fill, number, cut) for number, cut in enumerate(cuts)]
    return reading
