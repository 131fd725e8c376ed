"""A word to the user while kernels are compiled: half a minute, once on a machine and after each new version.

numba keeps what it compiled beside the package, or in the user's cache directory where that cannot be written. Files
are replaced as a whole, so processes that start together do each other no harm. Where nothing can be written every
process compiles for itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rtools.compiled import heard, is_kept

__all__ = ["announced"]

FIRST = "first run here: compiling, about 20 s more; later runs find it done"
EVERY = ("compiling, about 20 s more in every run: no directory can be written where it would be kept "
         "(NUMBA_CACHE_DIR names one)")  # fmt: skip

_told = threading.Event()


@contextmanager
def announced(tell: Callable[[str], None]) -> Iterator[None]:
    """Call ``tell(text)`` when the first kernel is compiled, once in a process.

    Parameters
    ----------
    tell : callable
        Takes a sentence about how long the compilation takes, and whether it is kept.

    Yields
    ------
    None
        Kernels that are compiled while the context lasts are announced.
    """

    def hear():
        if not _told.is_set():
            _told.set()
            tell(FIRST if is_kept() else EVERY)

    with heard(hear):
        yield
