"""Going on where an earlier run ended: what exists and is as this run would make it stays, all else is made.

A product says which job made it (`rtools.products.schema.record`). It stays where that is the job of this run: same
inputs, options and references by their content, and steps that make the same numbers. A job whose inputs are made in
the same run is decided when these are there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from rtools.errors import InputError, RtoolsError
from rtools.pipeline.job.executor import Executor
from rtools.pipeline.job.job import Job, JobProducts, Outcome, Result
from rtools.products import making
from rtools.products.io import temporary
from rtools.products.schema.record import changes

__all__ = ["Resume", "reason_to_make"]

UNKNOWN = "waits for what is made before"
"""Why a job may have to be made whose inputs are made in the same run."""


class Resume:
    """Decides for each job of a run whether its products stay; an executor that passes on those that do not.

    Parameters
    ----------
    executor : Executor
        Who carries jobs out.
    log : callable
        ``log(level, text)``: is told why each is made.
    read_all : bool
        Read the data of products, and compare them with the checksums that they keep.
    """

    def __init__(self, executor: Executor, log: Callable[[str, str], None], *, read_all: bool = False):
        self.executor = executor
        self._passed_on: dict[Future, Job] = {}
        self._log = log
        self._read_all = read_all
        self._reasons: dict[str, str | None] = {}
        self._waiting: set[str] = set()

    def look_at(self, jobs: Sequence[Job], *, dry_run: bool = False) -> None:
        """Decide all jobs whose inputs are there; what a killed run left of others is taken over.

        Parameters
        ----------
        jobs : sequence of Job
            Of the run.
        dry_run : bool
            Take nothing over.
        """
        by_key = {job.key: job for job in jobs}
        for job in jobs:
            if job.is_future:
                self._waiting.add(job.key)
                continue
            self._reasons[job.key] = reason = self._reason(job)
            for key in job.parts:
                self._reasons[key] = reason and self._reason_of_part(by_key[key], reason, dry_run=dry_run)

    def _reason(self, job):
        """Why a job is to be made; what stands in its way is told when it is carried out."""
        return reason_to_make(job.made(), wants_all=job.wants_all, read_all=self._read_all)

    def _reason_of_part(self, part, reason, *, dry_run):
        """Why something is made that others need: they are made, and no killed run has left it."""
        for folder in temporary.left_in(part.writes[-1].parent.parent):
            left = [_moved(made, folder) for made in part.made()]
            if reason_to_make(left, wants_all=part.wants_all, read_all=self._read_all) is None:
                if not dry_run:
                    _take_over(left, part.writes[-1].parent)
                return None
        return reason

    def reason(self, job: Job) -> str | None:
        """Why a job of the run will be made; None where its products stay.

        Parameters
        ----------
        job : Job
            One that was looked at.

        Returns
        -------
        str or None
        """
        if job.key not in self._waiting:
            return self._reasons[job.key]
        if any(self._reasons.get(key, UNKNOWN) is not None for key in job.waits_for):
            return UNKNOWN
        return self._reason(job.settled({}, whole=True))

    def begin(self, jobs: Sequence[Job]) -> bool:
        """Let the executor learn which jobs may be carried out; where all products stay it need not begin.

        What a killed run left beside the products is removed though nothing may be written there any more.
        """
        for folder in {path.parent for job in jobs for path in job.writes}:
            temporary.sweep(folder)
        open_jobs = [job for job in jobs if self._reasons.get(job.key, UNKNOWN) is not None]
        return not open_jobs or self.executor.begin(open_jobs)

    def takes(self, job: Job, running: Collection[Job]) -> bool:
        """Whether a job may begin beside those under way; one whose products stay at any time."""
        if self._reasons.get(job.key, UNKNOWN) is None:
            return True
        passed_on = {one.key for one in self._passed_on.values()}
        return self.executor.takes(job, [one for one in running if one.key in passed_on])

    def wait(self, running: Collection[Future]) -> Collection[Future]:
        """Those that are done; of what stays there is nothing to wait for."""
        done = [future for future in running if future not in self._passed_on]
        if not done:
            done = list(self.executor.wait(running))
        for future in done:
            self._passed_on.pop(future, None)
        return done

    def close(self) -> None:
        """End what the executor has begun."""
        self.executor.close()

    def submit(self, job: Job, before: Mapping[str, Sequence[Outcome]]) -> Future:
        """Have a job carried out, unless its products stay."""
        future: Future = Future()
        try:
            if job.key in self._waiting:
                job = job.settled(before)
                self._reasons[job.key] = self._reason(job)
            reason = self._reasons[job.key]
        except Exception as error:
            future.set_exception(error)
            return future
        if reason is None:
            future.set_result(_kept(job))
            return future
        self._log("note", f"{job.name}: {reason}")
        passed = self.executor.submit(job, before)
        self._passed_on[passed] = job
        return passed


def _moved(made, folder):
    """Products in another directory."""
    return JobProducts(folder / made.main.name, tuple(folder / path.name for path in made.beside), made.records)


def _kept(job):
    """An outcome for each input of a job, whose products stay."""
    found: dict[str, list[Path]] = {}
    for name, path in job.claims():
        found.setdefault(name, []).extend([path] if path.exists() else [])
    return [Result(name, tuple(paths), kept=True, finished=job.finishes) for name, paths in found.items()]


def _take_over(left: Iterable[JobProducts], folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    for made in left:
        for path in (*made.beside, made.main):
            if path.exists():
                os.replace(path, folder / path.name)


def reason_to_make(products: Iterable[JobProducts], *, wants_all: bool = False, read_all: bool = False) -> str | None:
    """Why products are to be made: the first that is missing, damaged or out of date.

    Parameters
    ----------
    products : iterable of JobProducts
        What a job makes.
    wants_all : bool
        Products of all steps are wanted, which a file of an earlier run may not have been asked for.
    read_all : bool
        Read their data, too.

    Returns
    -------
    str or None
        One line; None where all are as the job would make them.

    Raises
    ------
    RtoolsError
        A file does not say what made it: nobody knows whether it may be replaced.
    """
    for made in products:
        reason = _of_file(made.main, made.records, read_all)
        if reason is not None:
            return reason
        lacking = [path for path in made.beside if not path.exists()]
        if lacking:
            job = making.job_of(made.main) or {}
            known = set(map(str, job.get("companions") or ()))
            lost = [path for path in lacking if path.name in known]
            if lost:
                return f"{lost[0]} is missing"
            if wants_all and "--save-steps" not in (job.get("arguments") or ()):
                return f"{lacking[0]} was not asked for"
        for path in made.beside:
            if path not in lacking and (reason := _of_file(path, made.of_companions, read_all)) is not None:
                return reason
    return None


def _of_file(path, records, read_all):
    """Why one file is to be made."""
    if not path.exists():
        return f"{path} is missing"
    try:
        fingerprint = making.fingerprint_of(path)
        if read_all:
            making.check_data(path)
    except InputError as error:
        return f"{path} is damaged: {error.message}"
    if fingerprint in {record.fingerprint for record in records}:
        return None
    if fingerprint is None:
        raise RtoolsError("exists, and does not say what made it", mend="--overwrite replaces it", path=path)
    stored = making.job_of(path) or {}
    told = changes(stored, records[0], records[0].folder or path.parent) if records else []
    return f"{path} is out of date: {', '.join(told[:3])}{' …' if told[3:] else ''}"
