"""Exit status of several pieces of work, and of what a signal ends."""

import sys
from types import FrameType
from typing import NoReturn

__all__ = ["end_by_signal", "shared_status"]


def end_by_signal(number: int, _frame: FrameType | None) -> NoReturn:
    """End by way of every clean-up, so that no temporary file stays: a handler of signals.

    Parameters
    ----------
    number : int
        Of the signal; shells know a process that it ended by 128 more.
    """
    sys.exit(128 + number)


def shared_status(*codes: int) -> int:
    """The exit status of a run: 0 when all codes are 0, the code that all failures share, else 1.

    Parameters
    ----------
    *codes : int
        Exit codes of the pieces of work; 0 is success.

    Returns
    -------
    int
        0 for no codes at all.
    """
    failures = set(codes) - {0}
    return failures.pop() if len(failures) == 1 else int(bool(failures))
