"""Jobs on the scheduler of Dask: the whole graph is handed out at once, with priorities, memory, and retries.

Workers see the same files under the same names. They may be lost, restarted and added while the run goes on.
"""

from __future__ import annotations

import logging
import os
import pickle
import shutil
import uuid
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from rtools.errors import RtoolsError, UsageError
from rtools.machine import cores
from rtools.pipeline.job.job import Failure, Job, Outcome
from rtools.pipeline.job.outputs import make_directory
from rtools.pipeline.job.task import Asked, carry_out_task, keep_outcomes, kept_outcomes, stop_tasks
from rtools.products.io import checksums, temporary

if TYPE_CHECKING:
    from rtools.work import Work

__all__ = ["Cluster"]

RETRIES = 2
"""Times that a job is tried again on a worker that had no memory left."""

MEMORY = "memory"
"""Resource of workers that jobs ask for, in bytes, where workers declare it."""

PATIENCE = 30.0
"""Seconds in which a scheduler has to answer."""


class Cluster:
    """Carries jobs out on workers of Dask.

    Parameters
    ----------
    work : rtools.work.Work
        Log and progress; each job may have as many threads as this has.
    where : str
        Address of a scheduler, or ``local`` or ``local:N`` for N worker processes of this run.
    """

    def __init__(self, work: Work, where: str):
        self._work, self._where = work, where
        self._run = f"rtools-{uuid.uuid4()}"
        self._said: SimpleQueue[Any] = SimpleQueue()
        self._local: Any = None
        self._client: Any = None
        self._tasks: dict[str, Any] = {}
        self._promised: dict[str, Future] = {}
        self._shown: dict[tuple[str, int], Any] = {}
        self._folders: set[Path] = set()
        self._kept: Path | None = None
        self._files: dict[str, str] = {}
        self._lost: set[str] = set()
        self._handed_out: dict[str, tuple[int, float | None]] = {}

    def begin(self, jobs: Sequence[Job]) -> bool:
        """Hand the graph of all jobs to the scheduler."""
        if any(job.request.to_stdout for job in jobs):
            raise UsageError("-o - and --dask do not go together", mend="give -o a name")
        self._client = self._connected()
        self._client.subscribe_topic(self._run, lambda event: self._said.put(event[1]))
        most = self._most_memory()
        self._folders = {path.parent for job in jobs for path in job.writes}
        self._kept = self._place_of_outcomes(jobs)
        for number, job in enumerate(_in_order(jobs)):
            self._files[job.key] = str(self._kept / f"{number}.outcomes")
            self._hand_out(job, number, most)
        return True

    def _place_of_outcomes(self, jobs):
        """A directory for outcomes, where all workers see it: beside the first products."""
        folder = jobs[0].writes[-1].absolute().parent
        make_directory(folder)
        temporary.sweep(folder)
        place = temporary.directory_name(folder)
        place.mkdir(0o700)
        return place

    def _connected(self):
        """A client of the scheduler."""
        try:
            from distributed import Client, LocalCluster
        except ImportError:
            raise UsageError("--dask needs dask and distributed", mend="pip install 'roman-rtools[dask]'") from None
        name, _colon, number = self._where.partition(":")
        try:
            if name != "local":
                return Client(self._where, timeout=PATIENCE, set_as_default=False)
            self._local = LocalCluster(
                n_workers=_workers(number),
                threads_per_worker=1,
                memory_limit=0,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
            return Client(self._local, set_as_default=False)
        except (OSError, ValueError) as error:
            raise RtoolsError(f"no scheduler of Dask answers ({error})", path=f"--dask {self._where}") from None

    def _most_memory(self):
        """The most memory that any worker declares; None where none does."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return max((worker.get("resources", {}).get(MEMORY) or 0 for worker in workers), default=0) or None

    def _hand_out(self, job, number, most):
        """One job, behind those that it waits for; what others are made of comes in its order."""
        before = [key for key in job.waits_for if key not in self._lost]
        asked = Asked(
            job=pickle.dumps(job.again()),  # what a worker that was lost has left is replaced
            key=job.key,
            name=job.name,
            kept=self._files[job.key],
            before={key: self._files[key] for key in job.waits_for},
            run=self._run,
            threads=self._work.threads,
            checks=checksums.checking(),
            folder=os.getcwd(),
        )
        task = self._client.submit(
            carry_out_task,
            asked,
            *(self._tasks[key] for key in before),
            key=f"{job.kind}-{number}-{len(self._lost)}-{self._run}",
            retries=RETRIES,
            priority=(10**6 if job.waits_for else 0) - number,
            resources={MEMORY: min(job.cost().bytes, most)} if most else None,
            pure=False,
        )
        self._tasks[job.key] = task
        self._handed_out[job.key] = number, most
        task.add_done_callback(lambda _task, key=job.key: self._said.put([key, "done"]))

    def takes(self, job: Job, running: Collection[Job]) -> bool:
        """All jobs are handed out already."""
        return True

    def submit(self, job: Job, before: Mapping[str, Sequence[Outcome]]) -> Future:
        """The future of a job, which the scheduler has."""
        promised = self._promised.setdefault(job.key, Future())
        if self._lost & set(job.waits_for):  # it failed with that; now it is done with what the others made
            self._hand_out(job, *self._handed_out[job.key])
        if self._tasks[job.key].done() and not promised.done():
            self._keep(job.key)
        return promised

    def wait(self, running: Collection[Future]) -> list[Future]:
        """Tell what workers say until one of these or more are done."""
        while not any(future.done() for future in running):
            key, kind, *said = self._said.get()
            getattr(self, f"_hear_{kind}")(key, *said)
        return [future for future in running if future.done()]

    def _hear_log(self, _key, level, text):
        self._work.log(level, text)

    def _hear_progress(self, key, number, label, total):
        context = self._work.progress(label, total)
        self._shown[key, number] = context, context.__enter__()

    def _hear_advance(self, key, number, n):
        if (key, number) in self._shown:  # not of a worker that was lost
            self._shown[key, number][1].advance(n)

    def _hear_progressed(self, key, number):
        if (key, number) in self._shown:
            self._shown.pop((key, number))[0].__exit__(None, None, None)

    def _hear_done(self, key):
        for of_job, number in list(self._shown):
            if of_job == key:
                self._hear_progressed(key, number)
        if key in self._promised and not self._promised[key].done() and self._tasks[key].done():
            self._keep(key)

    def _keep(self, key):
        """Put what came of a task into the future of its job."""
        task, promised = self._tasks[key], self._promised[key]
        if task.status == "finished" or os.path.exists(self._files[key]):
            promised.set_result(kept_outcomes(self._files[key]))
            return
        mend = "workers with more memory may help; their logs say why they ended"
        error = RtoolsError("the scheduler of Dask has dropped it", mend="run it again")
        if task.status == "error":
            error = RtoolsError(f"its workers were lost ({_said_of(task)})", mend=mend)
        self._lost.add(key)
        keep_outcomes(self._files[key], [Failure(key.partition(" ")[2], error)])
        promised.set_exception(error)

    def close(self) -> None:
        """Stop what is under way, and end the workers that this run began."""
        if self._client is None:
            return
        with suppress(Exception):  # the scheduler may be gone
            left = [task for task in self._tasks.values() if not task.done()]
            if left:
                self._client.cancel(left, force=True)
                self._client.run(stop_tasks, self._run, on_error="ignore")
            self._client.unsubscribe_topic(self._run)
        for key, number in list(self._shown):
            self._hear_progressed(key, number)
        with suppress(Exception):
            self._client.close()
        if self._local is not None:
            self._local.close(timeout=PATIENCE)
        if self._kept is not None:
            shutil.rmtree(self._kept, ignore_errors=True)
        for folder in self._folders:
            temporary.sweep(folder, again=True)


def _workers(number):
    """How many worker processes ``local:N`` asks for."""
    if number and not (number.isdigit() and int(number)):
        raise UsageError(f"--dask local:{number}: a number of workers is 1 or more")
    return int(number) if number else cores()


def _in_order(jobs):
    """Jobs, each behind those that it waits for."""
    known: set[str] = set()
    left = list(jobs)
    while left:
        ready = [job for job in left if known.issuperset(job.waits_for)]
        if not ready:
            raise RuntimeError(f"jobs wait for what is not there: {', '.join(job.key for job in left)}")
        yield from ready
        known |= {job.key for job in ready}
        left = [job for job in left if job.key not in known]


def _said_of(task):
    """What Dask says of a task that failed, in one sentence."""
    return str(task.exception()).splitlines()[0].partition(". ")[0]
