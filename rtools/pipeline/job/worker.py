"""A process that carries jobs out, one after another, for the process that began it.

It ends when that one does, however that ends, and leaves nothing half-written behind.
"""

from __future__ import annotations

import gc
import logging
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from rtools.errors import RtoolsError
from rtools.pipeline.job.process import give_back_memory, quieten_libraries
from rtools.pipeline.job.status import end_by_signal
from rtools.products.io import checksums, temporary, unfinished
from rtools.work import Work

__all__ = ["NO_MEMORY", "Advance", "carry_out_job", "forward_logging", "main", "portable"]

NO_MEMORY = 12
"""Exit status of a worker that had no memory left (ENOMEM); it is not used again."""

EVERY = 0.2
"""Seconds between two messages on how far a job is."""

PATIENCE = 10.0
"""Seconds that a job has to remove what it began."""


def main() -> None:
    """Take jobs from the connection whose number is the argument, until it is closed."""
    parent = Parent(Connection(int(sys.argv[1])))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal: the parent says what is to be done
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_by_signal)
    gc.set_threshold(50_000)  # as commands do
    quieten_libraries()
    forward_logging(parent.log)
    checksums.switch(parent.settings["checks"])
    status = 0
    try:
        while (message := parent.next_job()) is not None:
            parent.answer(message)
    except SystemExit as end:
        status = int(end.code or 0)
    finally:
        unfinished.remove_all()
    os._exit(status)  # the interpreter is not taken apart, which takes long


def forward_logging(log: Callable[[str, str], None], least: int = logging.INFO) -> logging.Handler:
    """Have what is told where files are written told to ``log(level, text)``.

    Parameters
    ----------
    log : callable
        Takes "warning" or "note", and a line.
    least : int
        The least level that is told.

    Returns
    -------
    logging.Handler
        That was added.
    """

    class Told(logging.Handler):
        def emit(self, record):
            log("warning" if record.levelno >= logging.WARNING else "note", record.getMessage())

    handler = Told(least)
    temporary.LOGGER.setLevel(logging.INFO)
    temporary.LOGGER.addHandler(handler)
    return handler


class Parent:
    """The process that began this one.

    Parameters
    ----------
    connection : multiprocessing.connection.Connection
        To it; the first message is what all jobs have in common.
    """

    def __init__(self, connection: Connection):
        self._connection = connection
        self._lock = threading.Lock()
        self._numbers = count()
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._busy = False
        self.settings: dict[str, Any] = connection.recv()
        threading.Thread(target=self._listen, daemon=True, name="parent").start()

    def _listen(self):
        """Put what comes into the queue; when nothing can come any more, end the job that is under way."""
        with suppress(EOFError, OSError):
            while True:
                self._waiting.put(self._connection.recv_bytes())
        self._waiting.put(None)
        if self._busy:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(PATIENCE)
            unfinished.remove_all()
            os._exit(1)

    def next_job(self) -> bytes | None:
        """Wait for a job as it was pickled; None when there will be none."""
        return self._waiting.get()

    def answer(self, message: bytes) -> None:
        """Carry a job out, and say what came of it."""
        self._busy = True
        try:
            job, before, threads = pickle.loads(message)
            with Work(threads, log=self.log, progress=self.progress) as work:
                outcomes = carry_out_job(job, work, before)
            self._say("done", outcomes)
        except MemoryError:
            sys.exit(NO_MEMORY)
        except Exception as error:
            self._say("failed", portable(error), traceback.format_exc())
        finally:
            self._busy = False

    def _say(self, *message):
        """Send a message; where nobody listens, `_listen` will end this process."""
        with self._lock, suppress(OSError):
            self._connection.send(message)

    def log(self, level: str, text: str) -> None:
        """Have the parent log something."""
        self._say("log", level, text)

    @contextmanager
    def progress(self, label: str, total: float | None) -> Iterator[Advance]:
        """Have the parent show how far something is while the context lasts."""
        number = next(self._numbers)
        self._say("progress", number, label, total)
        steps = Advance(lambda n: self._say("advance", number, n))
        try:
            yield steps
        finally:
            steps.flush()
            self._say("progressed", number)


class Advance:
    """Steps that are told now and then.

    Parameters
    ----------
    tell : callable
        ``tell(n)``: steps since it was called last.
    """

    def __init__(self, tell):
        self._tell, self._lock, self._done, self._last = tell, threading.Lock(), 0.0, time.monotonic()

    def advance(self, n=1):
        """Go on by n."""
        with self._lock:
            self._done += n
            if time.monotonic() - self._last < EVERY:
                return
            done, self._done, self._last = self._done, 0.0, time.monotonic()
        self._tell(done)

    def flush(self):
        """Tell the rest."""
        with self._lock:
            done, self._done = self._done, 0.0
        if done:
            self._tell(done)


def carry_out_job(job, work, before):
    """Carry a job out, and let go what it held, so that the next finds the memory.

    Parameters
    ----------
    job : rtools.pipeline.job.job.Job
        The job.
    work : rtools.work.Work
        Threads, log and progress.
    before : mapping of str to sequence of Outcome
        What came of the jobs that it waits for.

    Returns
    -------
    sequence of Outcome
    """
    try:
        return job.carry_out(work, before)
    finally:
        gc.collect()  # an exposure holds itself by cycles, for which nobody looked during the work
        give_back_memory()


def portable(error: Exception) -> Exception:
    """An error that can be sent to another process.

    Parameters
    ----------
    error : Exception
        What went wrong.

    Returns
    -------
    Exception
        The same, or what it says where it cannot be pickled.
    """
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RtoolsError(f"internal error: {type(error).__name__}: {error}", mend="run again with --debug")
    return error
