"""What a run works with: threads, a log and progress, in one object that is handed down to whoever needs one of them.

A run has one pool. Functions that share their work among threads take a `Work`, and give the same bits for every number
of threads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeVar

__all__ = ["ALONE", "Advancing", "Work", "aside", "results_of", "settle", "silent"]


Item = TypeVar("Item")
Given = TypeVar("Given")


class Advancing(Protocol):
    """What shows how far something is."""

    def advance(self, n: float = 1) -> None:
        """Go on by n."""


def silent(_level: str, _text: str) -> None:
    """A log that says nothing.

    Parameters
    ----------
    _level, _text : str
        What any log is called with; neither is looked at.
    """


class Work:
    """Threads of one pool, a log, and progress.

    Without a number of threads, everything runs in the thread that calls. With one or more, that many threads do the
    work, and the thread that calls waits for them; the pool is made when it is first used. A thread of the pool that
    calls `map` or `submit` does the work itself, so nested use cannot wait for itself.

    Parameters
    ----------
    threads : int, optional
        Threads of the pool, one at least.
    log : callable
        ``log(level, text)``, level "debug", "info", "note", "warning" or "caution".
    progress : callable, optional
        ``progress(label, total)`` gives a context manager whose object has ``advance(n=1)``, as
        `rtools.work.progress.ProgressReporter.progress` does. Nothing is shown by default.

    Attributes
    ----------
    threads : int
        How many pieces of work are done at a time.
    """

    def __init__(
        self,
        threads: int | None = None,
        *,
        log: Callable[[str, str], None] = silent,
        progress: Callable[[str, float | None], AbstractContextManager[Advancing]] | None = None,
    ):
        self.threads = 1 if threads is None else max(1, threads)
        self.log = log
        self._progress = progress or _no_progress
        self._pool = _Pool(None if threads is None else self.threads)

    @property
    def alone(self) -> bool:
        """Whether there is no thread but that of the caller."""
        return self._pool.executor() is None

    def __enter__(self) -> Work:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self):
        raise TypeError("threads, log and progress belong to one process: a Work is never pickled")

    def with_log(self, log: Callable[[str, str], None]) -> Work:
        """The same threads and progress with another log.

        Parameters
        ----------
        log : callable
            ``log(level, text)``, with the levels that `Work` names.

        Returns
        -------
        Work
            A view of the same pool; to close one closes both.
        """
        other = Work(log=log, progress=self._progress)
        other.threads, other._pool = self.threads, self._pool
        return other

    def submit(self, function: Callable[..., Given], *arguments: Any) -> Future[Given]:
        """Have ``function(*arguments)`` done by a thread of the pool, or do it now where there is none to wait for.

        Parameters
        ----------
        function : callable
            What is to be done.
        *arguments
            What it is called with.

        Returns
        -------
        concurrent.futures.Future
            Of what the function returns or raises; it is done already where there is no pool to wait for.
        """
        executor = self._pool.executor()
        return executor.submit(function, *arguments) if executor else _done(function, arguments)

    def each(self, function: Callable[[Item], Given], items: Iterable[Item]) -> Iterator[Given]:
        """Results of ``function(item)`` in the order of the items, each as soon as it is there.

        The pool has all items when this returns. The first failure is raised in its place, when what has not begun is
        cancelled and what has begun is done. Where there is no pool an item is worked on when its result is asked for.

        Parameters
        ----------
        function : callable
            Takes one item.
        items : iterable
            What it is called with, one after another.

        Returns
        -------
        iterator
            Of what the function returns.
        """
        executor = self._pool.executor()
        return _in_order([executor.submit(function, item) for item in items]) if executor else map(function, items)

    def map(self, function: Callable[[Item], Given], items: Iterable[Item]) -> list[Given]:
        """List of ``function(item)`` for each item, as `each` gives them.

        Parameters
        ----------
        function : callable
            Takes one item.
        items : iterable
            What it is called with, one after another.

        Returns
        -------
        list
            In the order of the items.
        """
        return list(self.each(function, items))

    def progress(self, label: str, total: float | None) -> AbstractContextManager[Advancing]:
        """Show how far something is while the context lasts.

        Parameters
        ----------
        label : str
            What is done.
        total : float or None
            Sum of what its ``advance(n=1)`` will be called with; None if nobody knows.

        Returns
        -------
        context manager
            Of an object with ``advance(n=1)``, which any thread may call.
        """
        return self._progress(label, total)

    def close(self) -> None:
        """Cancel what has not begun and wait for what has; a later call would begin a new pool."""
        self._pool.close()


def results_of(jobs: Iterable[Future[Given]]) -> list[Given]:
    """Results of futures in order.

    Parameters
    ----------
    jobs : iterable of concurrent.futures.Future
        What was handed out, as `Work.submit` gives it.

    Returns
    -------
    list
        What the jobs returned, in their order.

    Raises
    ------
    BaseException
        Of the first in order that failed. What has not begun is cancelled then, and what has begun is done.
    """
    return list(_in_order(jobs))


def _in_order(jobs):
    waiting = deque(jobs)
    try:
        while waiting:
            yield waiting.popleft().result()  # a result is let go with its job
    finally:
        settle(waiting)


def settle(jobs: Collection[Future]) -> None:
    """Cancel what has not begun and wait for what has; failures are left to those who ask for the results.

    Parameters
    ----------
    jobs : collection of concurrent.futures.Future
        What was handed out; jobs that are done are left alone.
    """
    wait([job for job in jobs if not job.cancel()])  # who waited for a cancelled job of a closed pool would not wake


def aside(function: Callable[..., Given], *arguments: Any) -> Future[Given]:
    """Call a function on a thread beside the pool: for what waits for the disk, and needs no processor.

    Parameters
    ----------
    function : callable
        What is called.
    *arguments
        What it is called with.

    Returns
    -------
    concurrent.futures.Future
        Of what the function returns or raises; it cannot be cancelled.
    """
    future = _begun()
    threading.Thread(target=_do, args=(future, function, arguments), daemon=True, name="aside").start()
    return future


def _done(function, arguments):
    """What `submit` gives where there is no pool: a future whose work is done."""
    future = _begun()
    _do(future, function, arguments)
    return future


def _begun() -> Future:
    """A future that cannot be cancelled any more: who cancels it would wait for ever for what is never told."""
    future: Future = Future()
    future.set_running_or_notify_cancel()
    return future


def _do(future, function, arguments):
    """Call a function and put what comes of it into a future."""
    try:
        future.set_result(function(*arguments))
    except Exception as error:
        future.set_exception(error)


class _NoProgress:
    """Takes steps and shows nothing."""

    def advance(self, n=1):
        """Go on by n."""


@contextmanager
def _no_progress(_label, _total):
    yield _NoProgress()


class _Pool:
    """The threads that all views of one `Work` share."""

    def __init__(self, threads):
        self._threads = threads
        self._executor = None
        self._lock = threading.Lock()
        self._inside = threading.local()

    def executor(self):
        """The executor; None without threads, and for a thread of its own."""
        if self._threads is None or getattr(self._inside, "mark", False):
            return None
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self._threads, "work", initializer=self._enter)
            return self._executor

    def _enter(self):
        self._inside.mark = True

    def close(self):
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(cancel_futures=True)


ALONE = Work()
"""One thread, that of the caller, and no word: the default of functions that take a `Work`."""
