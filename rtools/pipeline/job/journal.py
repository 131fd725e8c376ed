"""What happened in one job: messages for the terminal, lines for `meta.cal_logs`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Protocol

from rtools.products.schema import history

__all__ = ["Journal"]


class _Told(Protocol):
    """A plan that has something to say before the work."""

    @property
    def cautions(self) -> Sequence[str]: ...
    @property
    def warnings(self) -> Sequence[str]: ...


class Journal:
    """Collects the messages of one job.

    Parameters
    ----------
    log : callable
        ``log(level, text)`` of the console.
    path : str or os.PathLike
        The input, named in front of messages on the terminal.

    Attributes
    ----------
    lines : list of str
        What happened, for `meta.cal_logs`.
    warned : list of str
        Texts of the warnings among them.
    """

    def __init__(self, log: Callable[[str, str], None], path: str | os.PathLike):
        self.lines: list[str] = []
        self.warned: list[str] = []
        self._log = log
        self._path = path

    def log(self, level: str, text: str) -> None:
        """Record a message at "info", "warning" or "caution", which is a warning that -q does not hide."""
        warning = level in ("warning", "caution")
        self.lines.append(history.log_line("warning" if warning else level, text))
        if warning:
            self.warned.append(text)
        self._log(level, f"{self._path}: {text}")

    def begin(self, plan: _Told) -> None:
        """Say what a plan has to say."""
        for text in plan.cautions:
            self.log("caution", text)
        for text in plan.warnings:
            self.log("warning", text)

    def tell(self, text: str) -> None:
        """Say something on the terminal that is not part of the record."""
        self._log("note", text)
