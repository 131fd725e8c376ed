"""How far a tool is, on stderr: a bar on a terminal, a line now and then elsewhere.

A bar says the share, the rate and the time that is left; it appears when something has taken a second, and is wiped
away when that is done. Where stderr is not a terminal, a line is written every half minute.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

__all__ = ["LINES_EVERY", "ProgressReporter"]

BAR_AFTER = 1.0
"""Seconds that something takes before its bar appears."""

LINES_EVERY = 30.0
"""Seconds between lines where stderr is not a terminal."""

FRAMES_PER_SECOND = 4
"""How often a bar is drawn."""


class ProgressReporter:
    """Shows progress for one tool, and lets its messages pass by a bar that is on the screen.

    Parameters
    ----------
    tool : str
        Its name, at the beginning of lines.
    quiet : bool
        Show nothing.
    """

    def __init__(self, tool: str, *, quiet: bool = False):
        self.tool = tool
        self.quiet = quiet
        self._bars: Progress | None = None
        self._lock = threading.RLock()
        self._tasks: list[TaskProgress] = []

    def say(self, text: str) -> None:
        """Write a line on stderr, above the bars if there are any.

        Parameters
        ----------
        text : str
            The line, without its end.
        """
        import click

        with self._lock:
            click.echo(text, err=True)

    @contextmanager
    def progress(self, label: str, total: float | None) -> Iterator[TaskProgress]:
        """Show how far something is while the context lasts.

        Parameters
        ----------
        label : str
            What is done: often the name of a file.
        total : float or None
            Where it ends; None if nobody knows.

        Yields
        ------
        TaskProgress
            Its `advance` is to be called as the work goes on, from any thread.
        """
        task = TaskProgress(label, total)
        if self.quiet:
            yield task
            return
        terminal = sys.stderr.isatty()
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(task, over, terminal), daemon=True, name="progress")
        watch.start()
        try:
            yield task
        finally:
            over.set()
            watch.join()
            self._wipe(task)

    def _watch(self, task, over, terminal):
        """Draw or write from time to time, on a thread of its own, until the task is over."""
        if not terminal:
            while not over.wait(LINES_EVERY):
                self.say(f"{self.tool}: {task.line()}")
            return
        if not over.wait(BAR_AFTER):
            self._draw(task)
            while not over.wait(1 / FRAMES_PER_SECOND):
                with self._lock:
                    task.show()

    def _draw(self, task):
        """Put the bar of a task on the screen, below those that are there."""
        with self._lock:
            if self._bars is None:
                self._bars = _bars()
                self._bars.start()
                sys.stdout, sys.stderr = (_Past(it, self._bars, self._lock) for it in (sys.stdout, sys.stderr))
            self._tasks.append(task)
            task.enter(self._bars)

    def _wipe(self, task):
        """Take the bar of a task from the screen."""
        with self._lock:
            if task not in self._tasks:
                return
            self._tasks.remove(task)
            task.leave()
            if not self._tasks:
                bars, self._bars = self._bars, None
                if bars is not None:
                    bars.stop()
                sys.stdout, sys.stderr = (_given_back(it) for it in (sys.stdout, sys.stderr))


class TaskProgress:
    """Something that is done step by step; any thread may call `advance`.

    Parameters
    ----------
    label : str
        What is done.
    total : float or None
        Where it ends; None if nobody knows.
    """

    def __init__(self, label: str, total: float | None):
        self.label = label
        self.total = total
        self.done: float = 0
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._bar: tuple[Progress, TaskID] | None = None

    def advance(self, n: float = 1) -> None:
        """Go on.

        Parameters
        ----------
        n : float
            By how much.
        """
        with self._lock:
            self.done += n

    def line(self) -> str:
        """One line of text: label, share, and the time that is left."""
        took = time.monotonic() - self._begun
        if not self.total:
            return f"{self.label}: {_clock(took)} gone"
        share = min(1.0, self.done / self.total)
        left = f", {_clock(took * (1 - share) / share)} left" if 0 < share < 1 else ""
        return f"{self.label}: {100 * share:.0f}%, {_clock(took)} gone{left}"

    def enter(self, bars: Progress) -> None:
        """Get a bar among those that are on the screen."""
        done: Any = self.done  # rich says int, and takes any number
        self._bar = bars, bars.add_task(self.label, total=self.total, completed=done)

    def show(self) -> None:
        """Draw the bar as things stand."""
        if self._bar:
            bars, number = self._bar
            bars.update(number, completed=self.done, refresh=True)

    def leave(self) -> None:
        """Give the bar back."""
        if self._bar:
            bars, number = self._bar
            bars.remove_task(number)


class _Past:
    """A stream that is written to past the bars: they are wiped away for whole lines that go to a terminal."""

    def __init__(self, stream, bars, lock):
        self._stream, self._bars, self._lock, self._begun = stream, bars, lock, ""

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        """Write whole lines; the rest waits for its end."""
        with self._lock:
            if not self._stream.isatty():
                return self._stream.write(text)
            lines, end, self._begun = (self._begun + text).rpartition("\n")
            if end:
                self._bars.stop()
                self._stream.write(lines + end)
                self._stream.flush()
                self._bars.start()
            return len(text)

    def give_back(self):
        """The stream, with the line that was begun."""
        if self._begun:
            self._stream.write(self._begun)
        return self._stream


def _given_back(stream):
    """The stream below a `_Past`."""
    return stream.give_back()


def _clock(seconds):
    """``1:02:03`` or ``2:03``."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _bars():
    """Bars of rich on stderr, drawn only when they are told to."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """Steps of the task in a second."""

        def render(self, task):
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.3g}/s")

    label = TextColumn("{task.description}", markup=False)
    return Progress(
        *(label, BarColumn(), TaskProgressColumn(), Rate(), TimeRemainingColumn()),
        console=Console(file=sys.stderr),
        transient=True,
        auto_refresh=False,
        redirect_stdout=False,  # `_Past` lets text by, and wraps no lines
        redirect_stderr=False,
    )
