"""Jobs on this machine: by threads of this process, or by several processes where there are several jobs.

A process with one thread wastes nothing on waiting, so that several of them do more than one with as many threads. One
job alone gets all threads. Memory decides how many jobs are under way: one waits for room rather than have the machine
swap.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING

from rtools.machine import memory_of_machine
from rtools.pipeline.job.crew import Crew
from rtools.pipeline.job.job import Job, Outcome
from rtools.pipeline.job.process import PROCESS_BYTES
from rtools.pipeline.job.worker import carry_out_job

if TYPE_CHECKING:
    from rtools.work import Work

__all__ = ["Local", "default_memory"]

MEMORY_OF_JOB = 1.5 * 2**30
"""Bytes that jobs may take together for each core, unless the user says something else."""

MOST_OF_MACHINE = 0.8
"""Share of the machine's memory that they may take at most by default."""

WORTHWHILE = 2**30
"""Bytes that jobs work on together, beside their processes, from which on a second process pays: it takes one to two
seconds to begin, as long as one step of one exposure takes."""


def default_memory(cores: int) -> float:
    """Memory that all jobs together may take where the user says nothing.

    Parameters
    ----------
    cores : int
        What ``-j`` asks for.

    Returns
    -------
    float
        Bytes.
    """
    return min(MEMORY_OF_JOB * cores, MOST_OF_MACHINE * memory_of_machine())


class Local:
    """Carries jobs out on this machine.

    Parameters
    ----------
    work : rtools.work.Work
        Threads, log and progress. As many cores as it has threads are used.
    memory : float, optional
        Bytes that all jobs under way may take together; `default_memory` of the threads by default.
    """

    def __init__(self, work: Work, memory: float | None = None):
        self.work = work
        self.memory = default_memory(work.threads) if memory is None else memory
        self._crew: Crew | None = None
        self._left: dict[str, tuple[str, ...]] = {}
        self._running: dict[Future, str] = {}
        self._ended: set[str] = set()
        self._several = False
        self._most = 1
        self._round: list[int] = []

    def begin(self, jobs: Sequence[Job]) -> bool:
        """Decide by how many processes these jobs are carried out; they are begun when they are needed."""
        self._left = {job.key: job.waits_for for job in jobs}
        self._most = self._most_at_a_time(jobs)
        if self._most > 1:
            self._crew = Crew(self.work)
        return True

    def _most_at_a_time(self, jobs):
        """Jobs that may be under way at a time."""
        first = [job for job in jobs if not job.waits_for]
        sizes = [max(job.cost().bytes, 1) for job in first]
        self._several = min(self.work.threads, len(first)) > 1
        if not self._several or any(job.request.to_stdout for job in jobs):
            return 1
        if sum(size - PROCESS_BYTES for size in sizes) < WORTHWHILE:
            return 1
        return int(min(self.work.threads, len(first), max(1, self.memory // min(sizes))))

    def takes(self, job: Job, running: Collection[Job]) -> bool:
        """Whether there is a worker, and room in memory."""
        if not running:
            return True
        taken = sum(other.cost().bytes for other in running)
        return len(running) < self._most and taken + job.cost().bytes <= self.memory

    def submit(self, job: Job, before: Mapping[str, Sequence[Outcome]]) -> Future:
        """Hand a job to a worker; where there are none, carry it out now."""
        self._left.pop(job.key, None)
        if self._several and job.cost().bytes > self.memory:
            needs, limit = (f"{count / 2**30:.1f} GiB" for count in (job.cost().bytes, self.memory))
            self.work.log("note", f"{job.name}: {needs} are more than the {limit} of --max-memory, so it runs alone")
        if self._crew is not None:
            future = self._crew.submit(job, before, self._threads())
            self._running[future] = job.key
            return future
        future = Future()
        try:
            future.set_result(carry_out_job(job, self.work, before))
        except Exception as error:
            future.set_exception(error)
        return future

    def _threads(self):
        """Threads of the next job: cores are shared by the jobs that begin together, so that the last get more."""
        if not self._round:
            ready = 1 + sum(not set(waits) - self._ended for waits in self._left.values())
            together = min(self._most, ready)
            least, more = divmod(self.work.threads, together)
            self._round = [least] * (together - more) + [least + 1] * more
        return self._round.pop()

    def wait(self, running: Collection[Future]) -> Collection[Future]:
        """Wait for workers; without any, all are done."""
        if self._crew is None:
            return list(running)
        done = self._crew.wait(running)
        self._ended |= {self._running.pop(future) for future in done}
        return done

    def close(self) -> None:
        """End all workers."""
        if self._crew is not None:
            self._crew.close()
