"""One run: plan every input, tell what would be done or do it, report each input as it ends, give the exit status."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from rtools.errors import Refusal
from rtools.pipeline.job.executor import Executor, WorkerLostError
from rtools.pipeline.job.job import Description, Failure, Job, Outcome, Result
from rtools.pipeline.job.status import shared_status
from rtools.products.io import temporary

if TYPE_CHECKING:
    from rtools.pipeline.job.resume import Resume

__all__ = ["RunReporter", "run_jobs"]


class RunReporter(Protocol):
    """Who tells the user; `rtools.commands.kit.reports` has the one of the command line."""

    def planned(self, description: Description) -> None:
        """Tell what would be done."""

    def ended(self, result: Result) -> int:
        """Tell what was done for one input; the exit code, which is not 0 where a quality limit was missed."""

    def failed(self, name: str, error: Exception) -> int:
        """Tell why nothing came of one input; the exit code. What stops the whole run is raised again."""

    def begin(self, count: int) -> None:
        """Learn how many inputs are worked on, beside those of which it was told already."""

    def again(self, name: str, error: BaseException | None) -> None:
        """Tell that a job is done once more, because the process that worked on it was lost."""


def run_jobs(
    plans: Iterable[tuple[str, Callable[[], Sequence[Job]]]],
    executor: Executor,
    reporter: RunReporter,
    *,
    arrange: Callable[[list[Job]], list[Job]] = list,
    dry_run: bool = False,
    fail_fast: bool = False,
    resume: Resume | None = None,
) -> int:
    """Plan every input, then carry every job out; go on after a failure.

    Parameters
    ----------
    plans : iterable of (str, callable)
        Name of each input, and what gives the jobs that it asks for or refuses it. A later one is asked when the
        earlier ones have been.
    executor : Executor
        Who carries the jobs out.
    reporter : RunReporter
        Who tells the user.
    arrange : callable
        Takes the jobs of all inputs, and gives those of the run: with others that wait for them. What it raises
        stops the run before any work.
    dry_run : bool
        Tell what would be done; do nothing.
    fail_fast : bool
        Stop at the first failure.
    resume : Resume, optional
        Decides which products stay, and stands before `executor`; without it all are made.

    Returns
    -------
    int
        0 when all went well, the code that all failures share, else 1.

    Raises
    ------
    Refusal
        Two products would be one file.
    """
    planned, codes = _planned(plans, reporter, fail_fast)
    jobs = arrange(planned)
    _refuse_twins(jobs)
    if resume is not None:
        resume.look_at(jobs, dry_run=dry_run)
        executor = resume
    if dry_run:
        for job in jobs:
            told = job.describe()
            reporter.planned(told if resume is None else replace(told, reason=resume.reason(job) or ""))
        return shared_status(*codes)
    if jobs and not (codes and fail_fast):
        try:
            if executor.begin(jobs):
                reporter.begin(len({name for job in jobs for name, _path in job.claims()}))
                codes += _carried_out(jobs, executor, reporter, fail_fast)
        finally:
            executor.close()
            for job in jobs:
                job.discard()
    return shared_status(*codes)


def _planned(
    plans: Iterable[tuple[str, Callable[[], Sequence[Job]]]], reporter: RunReporter, fail_fast: bool
) -> tuple[list[Job], list[int]]:
    """Jobs of all inputs, in order; and the exit codes of those that are refused."""
    jobs: list[Job] = []
    codes: list[int] = []
    for name, plan in plans:
        try:
            jobs += plan()
        except Exception as error:
            codes.append(reporter.failed(name, error))
            if fail_fast:
                break
    return jobs, codes


def _refuse_twins(jobs):
    """Refuse the run where two products would be one file."""
    taken: dict[str, str] = {}
    for job in jobs:
        for name, path in job.claims():
            first = taken.setdefault(os.path.abspath(path), name)
            if first != name:
                raise Refusal(f"{first} and {name} would both be {path}", mend="give them different directories")


def _carried_out(jobs: list[Job], executor: Executor, reporter: RunReporter, fail_fast: bool) -> list[int]:
    """Carry jobs out, each when those that it waits for have ended; the exit codes of all inputs."""
    waiting, codes = list(jobs), []
    running: dict[Future, Job] = {}
    ended: dict[str, Sequence[Outcome]] = {}
    again: set[str] = set()
    while waiting or running:
        while (job := _next(waiting, ended, executor, running.values(), again)) is not None:
            waiting.remove(job)
            before = {key: ended[key] for key in job.waits_for}
            running[_submitted(job, before, executor)] = job
        if not running:
            raise RuntimeError(f"jobs wait for what is not there: {', '.join(job.key for job in waiting)}")
        for future in executor.wait(running):
            job = running.pop(future)
            if isinstance(future.exception(), WorkerLostError) and job.key not in again:
                again.add(job.key)
                waiting.insert(0, job.again())
                reporter.again(job.name, future.exception())
                continue
            ended[job.key] = _outcomes(job, future)
            codes += [_told(outcome, reporter) for outcome in ended[job.key]]
        if fail_fast and any(codes):
            waiting.clear()
    return codes


def _next(waiting, ended, executor, running, again):
    """The first job whose turn it is and for which there is room; None where there is none.

    One whose worker was lost is done alone, for it may have had too little memory.
    """
    if any(job.key in again for job in running):
        return None
    ready = (job for job in waiting if all(key in ended for key in job.waits_for))
    return next((job for job in ready if executor.takes(job, running) and not (job.key in again and running)), None)


def _outcomes(job, future):
    """What came of a job; what went wrong with all of it as a failure of that name."""
    try:
        return future.result()
    except Exception as error:
        return [Failure(job.name, error)]


def _told(outcome, reporter):
    """Tell the user of one input; the exit code, 0 where another job goes on with it."""
    if isinstance(outcome, Failure):
        return reporter.failed(outcome.input, outcome.error)
    return reporter.ended(outcome) if outcome.finished else 0


def _submitted(job, before, executor):
    """Hand a job out. A product for standard output is made in a temporary directory, and copied when it is whole."""
    if not job.request.to_stdout:
        return executor.submit(job, before)
    done: Future = Future()
    with temporary.directory() as scratch:
        try:
            outcomes = executor.submit(job.moved_to(Path(scratch)), before).result()
            done.set_result([_copied(outcome) for outcome in outcomes])
        except Exception as error:
            done.set_exception(error)
    return done


def _copied(outcome):
    """Copy a main product to standard output; its outcome without files."""
    if isinstance(outcome, Failure):
        return outcome
    with open(outcome.outputs[-1], "rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return replace(outcome, outputs=())
