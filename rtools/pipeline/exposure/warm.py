"""What takes long and needs no pixels, done on another thread while data are read.

numba takes a quarter of a second to import, gwcs and asdf one; the WCS models of a reference are made by asdf. All of
it is needed late. Reading and compiled kernels do not hold the interpreter's lock, so it costs little there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtools.pipeline.exposure.task import StripTask

import threading
from contextlib import suppress
from importlib import import_module

__all__ = ["begin"]

WRITING = ("asdf", "rtools.products.io.serial")
"""What the writing of products needs; what a step needs is declared with it."""


def begin(tasks: Sequence[StripTask]) -> threading.Thread:
    """Import on another thread what these tasks will need, and convert the references of the frame tasks.

    Whatever fails there is left to those who need it, to fail with the right message.

    Parameters
    ----------
    tasks : sequence of rtools.pipeline.exposure.task.StripTask
        All steps of a run.

    Returns
    -------
    threading.Thread
        To be joined before a frame task is carried out.
    """
    thread = threading.Thread(target=_work, args=(tasks,), daemon=True, name="warm")
    thread.start()
    return thread


def _work(tasks):
    names = [name for task in tasks for name in task.step.imports]
    for name in (*names, *WRITING):
        with suppress(ImportError):
            import_module(name)
    for task in tasks:
        if task.active and not task.step.works_on_strips:
            with suppress(Exception):
                task.nodes()
