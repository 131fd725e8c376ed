"""What carries the jobs of a run out: one process, several, or a cluster; and what is told when a worker is lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from typing import Protocol

from rtools.errors import RtoolsError
from rtools.pipeline.job.job import Job, Outcome

__all__ = ["Executor", "WorkerLostError"]


class WorkerLostError(RtoolsError):
    """The process that carried a job out has ended before the job: it was killed, or had no memory left."""


class Executor(Protocol):
    """Who carries jobs out. All of it is called by the thread of the run."""

    def begin(self, jobs: Sequence[Job]) -> bool:
        """Learn which jobs the run has, before the first is handed out; whether they are carried out at all."""

    def takes(self, job: Job, running: Collection[Job]) -> bool:
        """Whether a job may begin beside those under way; any job may where none is."""

    def submit(self, job: Job, before: Mapping[str, Sequence[Outcome]]) -> Future:
        """Have a job carried out, with what came of those that it waits for; a future of its outcomes."""

    def wait(self, running: Collection[Future]) -> Collection[Future]:
        """Wait until one of these or more are done, and tell meanwhile what jobs say; those that are done."""

    def close(self) -> None:
        """End whatever is still under way, and every process that was begun."""
