"""Settings of the process for work on large arrays; results do not depend on them."""

from __future__ import annotations

import ctypes
import gc
import logging
import resource
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["PROCESS_BYTES", "give_back_memory", "peak_memory", "quieten_libraries", "settled"]

PROCESS_BYTES = 0.35 * 2**30
"""Memory of a process without any image, as measured."""

# Parameters of glibc's mallopt (malloc.h).
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
M_ARENA_MAX = -8


@contextmanager
def settled() -> Iterator[None]:
    """Keep freed memory for the next strip, look for no garbage meanwhile, let waiting threads go on sooner.

    Pages that a process gives back and gets again are cleared by the system each time, which takes longer than most
    steps need for a strip. Where the C library is not glibc memory stays as it is.
    """
    _keep_freed_memory()
    sys.setswitchinterval(0.0005)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _keep_freed_memory():
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_ARENA_MAX, 1)  # one heap that all threads share
    mallopt(M_MMAP_THRESHOLD, 32 << 20)  # the largest that glibc takes
    mallopt(M_TRIM_THRESHOLD, 1 << 30)


def give_back_memory() -> None:
    """Give the system what the process has freed: of several processes each needs most of its memory for a moment only.

    Where the C library is not glibc nothing happens.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def quieten_libraries() -> None:
    """Keep warnings that name lines of code from a user: rtools itself says what is wrong with headers and numbers.

    They are shown where Python is asked to: ``PYTHONWARNINGS=default``. What matplotlib logs of its fonts, and of where
    it keeps what it knows of them, changes no picture.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    if not sys.warnoptions:
        warnings.filterwarnings("ignore", module=r"astropy\.")
        warnings.filterwarnings("ignore", category=RuntimeWarning)


def peak_memory() -> int:
    """The most memory that the process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
