"""A job as a task of Dask: what a worker does, and how it is stopped when the run that asked for it is.

A task does not fail: what goes wrong is an outcome, which those that wait for the job are given. So only a worker that
is lost, or has no memory left, makes Dask try again. Outcomes are kept in files until the run ends: a worker that is
lost does not take those of the jobs with it that it had done before.
"""

from __future__ import annotations

import ctypes
import logging
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from rtools.pipeline.job.job import Failure, Outcome
from rtools.pipeline.job.worker import Advance, carry_out_job, forward_logging, portable
from rtools.products.io import checksums, temporary
from rtools.work import Work

__all__ = ["Asked", "carry_out_task", "keep_outcomes", "kept_outcomes", "stop_tasks"]

PATIENCE = 60.0
"""Seconds in which a file that was written on one machine is seen on another."""


class Asked(NamedTuple):
    """What a task is asked for.

    Attributes
    ----------
    job : bytes
        The job, pickled: it is planned again where the task is carried out.
    key : str
        Of the job.
    name : str
        Of the job.
    kept : str
        Path of the file that keeps its outcomes.
    before : mapping of str to str
        Keys of the jobs that it waits for, and where their outcomes are kept.
    run : str
        Of which run it is: the topic of its messages.
    threads : int
        How many it may have.
    checks : bool
        Whether blocks are compared with their checksums.
    folder : str
        Where names of files are looked for.
    """

    job: bytes
    key: str
    name: str
    kept: str
    before: Mapping[str, str]
    run: str
    threads: int
    checks: bool
    folder: str


class Stopped(BaseException):
    """The run that asked for the task has been stopped."""


_lock = threading.Lock()
_under_way: dict[int, tuple[str, Work]] = {}


def carry_out_task(asked: Asked, *_before: None) -> None:
    """Carry a job out on a worker of Dask, and keep its outcomes: a failure where it could not be done.

    Parameters
    ----------
    asked : Asked
        The job, and how.
    *_before : None
        Tasks of the jobs that it waits for.
    """
    if not os.path.exists(asked.kept):
        keep_outcomes(asked.kept, _outcomes_of(asked))


def keep_outcomes(path: str, outcomes: Sequence[Outcome]) -> None:
    """Keep what came of a job in a file, which appears when it is whole.

    Parameters
    ----------
    path : str
        Of the file.
    outcomes : sequence of Outcome
        What came of it.
    """
    unfinished = Path(f"{path}.{os.getpid()}")
    unfinished.write_bytes(pickle.dumps(outcomes))
    os.replace(unfinished, path)


def kept_outcomes(path: str) -> Sequence[Outcome]:
    """What `keep_outcomes` has written, perhaps on another machine a moment ago.

    Parameters
    ----------
    path : str
        Of the file.

    Returns
    -------
    sequence of Outcome
    """
    until = time.monotonic() + PATIENCE
    while not os.path.exists(path) and time.monotonic() < until:
        os.listdir(os.path.dirname(path))  # has a file system of a network look again
        time.sleep(0.1)
    return pickle.loads(Path(path).read_bytes())


def _outcomes_of(asked):
    """What comes of a job."""
    from distributed import get_worker

    worker, numbers = get_worker(), count()

    def say(*message: Any) -> None:
        worker.log_event(asked.run, [asked.key, *message])

    checks = checksums.checking()
    handler = forward_logging(lambda level, text: say("log", level, text), logging.WARNING)
    work = Work(asked.threads, log=lambda level, text: say("log", level, text), progress=_shown_by(say, numbers))
    try:
        with _registered(asked.run, work), work:
            with _lock:
                os.chdir(asked.folder)
            checksums.switch(asked.checks)
            job = pickle.loads(asked.job)
            return carry_out_job(job, work, {key: kept_outcomes(path) for key, path in asked.before.items()})
    except MemoryError:
        raise  # Dask tries again
    except Exception as error:
        return [Failure(asked.name, portable(error))]
    finally:
        temporary.LOGGER.removeHandler(handler)
        checksums.switch(checks)


def _shown_by(say: Callable[..., None], numbers: Iterator[int]):
    """Progress that is told by messages."""

    @contextmanager
    def progress(label: str, total: float | None) -> Iterator[Advance]:
        number = next(numbers)
        say("progress", number, label, total)
        steps = Advance(lambda n: say("advance", number, n))
        try:
            yield steps
        finally:
            steps.flush()
            say("progressed", number)

    return progress


@contextmanager
def _registered(run, work):
    """Have the calling thread found by `stop_tasks` while the context lasts."""
    thread = threading.get_ident()
    with _lock:
        _under_way[thread] = run, work
    try:
        yield
    finally:
        with _lock:
            del _under_way[thread]


def stop_tasks(run: str) -> int:
    """Stop all tasks of a run that this worker has under way; each removes what it began.

    Parameters
    ----------
    run : str
        As `Asked` has it.

    Returns
    -------
    int
        How many there were.
    """
    with _lock:
        found = [(thread, work) for thread, (of_run, work) in _under_way.items() if of_run == run]
        for thread, _work in found:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(Stopped))
    for _thread, work in found:
        threading.Thread(target=work.close, daemon=True).start()  # what has not begun is cancelled
    return len(found)
