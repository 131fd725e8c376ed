"""The processes of a run on this machine, seen from the one that began them.

A worker begins when there is a job for it, and stays: what it imported and compiled is there for the next job. Whatever
it says comes as whole messages, and is told by the thread that waits for it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, suppress
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from rtools.pipeline.job.executor import WorkerLostError
from rtools.pipeline.job.worker import NO_MEMORY
from rtools.products.io import checksums, temporary

if TYPE_CHECKING:
    from rtools.pipeline.job.job import Job, Outcome
    from rtools.work import Work
    from rtools.work.work import Advancing

__all__ = ["Crew"]

PROGRAM = "from rtools.pipeline.job.worker import main; main()"

PATIENCE = 15.0
"""Seconds that a worker has to remove what it began, before it is killed."""


class Crew:
    """Workers, each of which carries one job out at a time.

    Parameters
    ----------
    work : rtools.work.Work
        Its log and progress tell what the workers say.
    """

    def __init__(self, work: Work):
        self._work = work
        self._workers: list[_Worker] = []

    def submit(self, job: Job, before: Mapping[str, Sequence[Outcome]], threads: int) -> Future:
        """Give a job to a worker that has none; one begins where all have.

        Parameters
        ----------
        job : Job
            The job, which is planned again by the worker.
        before : mapping of str to sequence of Outcome
            What came of the jobs that it waits for.
        threads : int
            How many threads it may have.

        Returns
        -------
        Future
            Of its outcomes; of a `WorkerLostError` where the worker ends before the job.
        """
        worker = next((one for one in self._workers if one.job is None), None)
        if worker is None:
            worker = _Worker(self._work)
            self._workers.append(worker)
        return worker.give(job, before, threads)

    def wait(self, running: Collection[Future]) -> list[Future]:
        """Tell what workers say until one of these futures or more are done.

        Parameters
        ----------
        running : collection of Future
            From `submit`.

        Returns
        -------
        list of Future
            Those that are done.
        """
        while not any(future.done() for future in running):
            by_connection: dict[Any, _Worker] = {one.connection: one for one in self._workers}
            for ready in connection.wait(list(by_connection)):
                worker = by_connection[ready]
                if not worker.listen():
                    self._workers.remove(worker)
        return [future for future in running if future.done()]

    def close(self) -> None:
        """End all workers; one that is at work removes what it began."""
        for worker in self._workers:
            worker.end()
        for worker in self._workers:
            worker.end_at_once(PATIENCE)
        self._workers.clear()


class _Worker:
    """One process, and the job that it has."""

    def __init__(self, work: Work):
        self._work = work
        self.job: Job | None = None
        self._future: Future = Future()
        self._shown: dict[int, tuple[AbstractContextManager, Advancing]] = {}
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", PROGRAM, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self.connection = connection.Connection(ours.detach())
        with suppress(OSError):  # `listen` finds out
            self.connection.send({"checks": checksums.checking()})

    def give(self, job: Job, before: Mapping[str, Sequence[Outcome]], threads: int) -> Future:
        """Have it carry a job out."""
        self.job, self._future = job, Future()
        future = self._future
        try:
            self.connection.send((job, dict(before), threads))
        except OSError:
            pass  # it has ended, which `listen` finds out
        except Exception as error:
            self._finished().set_exception(error)
        return future

    def listen(self) -> bool:
        """Take one message; False where the process has ended."""
        try:
            kind, *said = self.connection.recv()
        except (EOFError, OSError):
            self._lost()
            return False
        getattr(self, f"_hear_{kind}")(*said)
        return True

    def _hear_log(self, level, text):
        self._work.log(level, text)

    def _hear_progress(self, number, label, total):
        context = self._work.progress(label, total)
        self._shown[number] = context, context.__enter__()

    def _hear_advance(self, number, n):
        self._shown[number][1].advance(n)

    def _hear_progressed(self, number):
        self._shown.pop(number)[0].__exit__(None, None, None)

    def _hear_done(self, outcomes):
        self._finished().set_result(outcomes)

    def _hear_failed(self, error, trace):
        error.add_note(trace)
        self._finished().set_exception(error)

    def _finished(self):
        """The future of the job, which it has no more."""
        self.job = None
        for number in list(self._shown):
            self._hear_progressed(number)
        return self._future

    def _lost(self):
        """Tell of a process that has ended, and remove what it left."""
        self.end_at_once(PATIENCE)
        job = self.job
        if job is None:
            return
        code = self._process.returncode
        why = "had no memory left" if code == NO_MEMORY else f"ended with status {code}"
        if code < 0:
            why = f"was killed ({signal.Signals(-code).name})"
        mend = "fewer jobs at a time (-j) or more --max-memory may help"
        self._finished().set_exception(
            WorkerLostError(f"the process that worked on it {why}", mend=mend, path=job.name)
        )

    def end(self):
        """Tell it to end."""
        self.connection.close()
        if self.job is not None:
            self._process.terminate()

    def end_at_once(self, patience):
        """Wait until it has ended, and kill it where that takes too long; remove what it left."""
        self.connection.close()
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for folder in {path.parent for path in self.job.writes} if self.job is not None else ():
            temporary.sweep(folder, again=True)
