"""How far a tool is, on stderr: a bar on a terminal, a line now and then elsewhere.

A bar says the share, the rate and the time that is left; it appears when something has taken a second, and is wiped
away when that is done. Where stderr is no terminal a line is written every half minute.
"""

import sys
import threading
import time
from contextlib import contextmanager

__all__ = ["LINES_EVERY", "ProgressReporter"]

BAR_AFTER = 1.0
"""Seconds that something takes before its bar appears."""

LINES_EVERY = 30.0
"""Seconds between lines where stderr is no terminal."""

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

    def __init__(self, tool, *, quiet=False):
        self.tool = tool
        self.quiet = quiet
        self._bars = None
        self._lock = threading.RLock()
        self._tasks = []

    def say(self, text):
        """Write a line on stderr, above the bars if there are any.

        Parameters
        ----------
        text : str
        """
        import click

        with self._lock:
            click.echo(text, err=True)

    @contextmanager
    def progress(self, label, total):
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
                bars.stop()
                sys.stdout, sys.stderr = sys.stdout.give_back(), sys.stderr.give_back()


class TaskProgress:
    """Something that is done step by step; any thread may call `advance`.

    Parameters
    ----------
    label : str
        What is done.
    total : float or None
        Where it ends; None if nobody knows.
    """

    def __init__(self, label, total):
        self.label = label
        self.total = total
        self.done = 0
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._bars = self._number = None

    def advance(self, n=1):
        """Go on.

        Parameters
        ----------
        n : float
            By how much.
        """
        with self._lock:
            self.done += n

    def line(self):
        """One line of text: label, share, and the time that is left."""
        took = time.monotonic() - self._begun
        if not self.total:
            return f"{self.label}: {_clock(took)} gone"
        share = min(1.0, self.done / self.total)
        left = f", {_clock(took * (1 - share) / share)} left" if 0 < share < 1 else ""
        return f"{self.label}: {100 * share:.0f}%, {_clock(took)} gone{left}"

    def enter(self, bars):
        """Get a bar."""
        self._bars = bars
        self._number = bars.add_task(self.label, total=self.total, completed=self.done)

    def show(self):
        """Draw the bar as things stand."""
        self._bars.update(self._number, completed=self.done, refresh=True)

    def leave(self):
        """Give the bar back."""
        self._bars.remove_task(self._number)


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
    columns = label, BarColumn(), TaskProgressColumn(), Rate(), TimeRemainingColumn()
    console = Console(file=sys.stderr)
    streams = {"redirect_stdout": False, "redirect_stderr": False}  # `_Past` lets text by, and wraps no lines
    return Progress(*columns, console=console, transient=True, auto_refresh=False, **streams)
