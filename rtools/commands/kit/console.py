"""What a tool says: messages on standard error, progress, and JSON on standard output."""

from contextlib import contextmanager
from dataclasses import dataclass, field

import click

from rtools.commands.kit.guarded import on_one_line
from rtools.commands.kit.wording import Gathered, worded
from rtools.errors import UsageError
from rtools.machine import cores
from rtools.products.schema.jsontext import json_text

__all__ = ["Console", "json_line", "print_json"]

THRESHOLDS = {"debug": 2, "info": 1, "note": 0, "warning": 0, "caution": -1, "error": -1}
"""Level of a message to the least verbosity at which it is printed: -v and -vv add to 0, -q is -1."""


@dataclass
class Console:
    """Messages of one tool on stderr: quiet, normal or verbose.

    Parameters
    ----------
    tool : str
        Name of the tool, which messages begin with.
    verbosity : int
        -1 with ``-q``, else how often ``-v`` was given.
    debug : bool
        Whether tracebacks are printed.
    gathered : Gathered, optional
        Holds warnings back; None while they are printed at once.
    warned : list of str
        Texts of all warnings since the list was last emptied, printed or not.
    records : list of dict
        What --json says of each input of a run, printed or not.
    """

    tool: str
    verbosity: int = 0
    debug: bool = False
    gathered: Gathered | None = None
    warned: list[str] = field(default_factory=list)
    records: list[dict] = field(default_factory=list)

    def __post_init__(self):
        from rtools.work.progress import ProgressReporter

        self._reporter = ProgressReporter(self.tool, quiet=self.verbosity < 0)

    def work(self, jobs=1):
        """What the command works with: threads, the console's log and progress; its threads end with the command.

        Parameters
        ----------
        jobs : int
            What ``-j`` asks for.

        Returns
        -------
        rtools.work.Work
        """
        from rtools.work import Work

        work = Work(_threads(jobs), log=self.log, progress=self._reporter.progress)
        context = click.get_current_context(silent=True)
        if context is not None:
            context.call_on_close(work.close)
        return work

    def log(self, level, text):
        """Print one message; ``info`` only with -v, ``note`` and ``warning`` unless -q, others always.

        A ``caution`` is a warning that -q does not hide: what was made is not what its reader takes it for.

        Parameters
        ----------
        level : str
            One of `THRESHOLDS`.
        text : str
            One line.
        """
        warning = level in ("warning", "caution")
        if warning:
            self.warned.append(text)
        if self.gathered is not None and warning:
            self.gathered.add(level, text)
        elif self.verbosity >= THRESHOLDS[level]:
            self._reporter.say(f"{self.tool}: {'warning: ' if warning else ''}{on_one_line(worded(text))}")

    def say(self, text):
        """Print a line as it is, unless -q."""
        if self.verbosity >= 0:
            self._reporter.say(text)

    @contextmanager
    def gathering(self, names):
        """Hold warnings about several inputs until all are done: what is the same for many is then said once.

        Parameters
        ----------
        names : collection of str
            The inputs, as messages call them.
        """
        if self.gathered is not None or len(names) < 2:
            yield
            return
        self.gathered = Gathered(names)
        try:
            yield
        finally:
            held, self.gathered = self.gathered, None
            for level, text in held.lines():
                self.log(level, text)

    def error(self, error):
        """Print an error as one line, led by the tool's name.

        Parameters
        ----------
        error : Exception
            Its text is the line.
        """
        self.log("error", str(error))


def _threads(jobs):
    """Number of threads that ``-j`` asks for; 0 means all cores."""
    if jobs < 0:
        raise UsageError(f"-j {jobs}: a number of threads is 0 (all cores) or more")
    return jobs or cores()


def json_line(record, *, ascii_only=True):
    """Print an object as JSON on a line of its own, as tools do for each of many inputs.

    Parameters
    ----------
    record : dict
        Plain data.
    ascii_only : bool
        Write every other letter as its number.
    """
    click.echo(json_text(record, ascii_only=ascii_only))


def print_json(value):
    """Print the one object of a tool that takes one input, on several lines.

    Parameters
    ----------
    value : dict
        Plain data.
    """
    click.echo(json_text(value, indent=2))
