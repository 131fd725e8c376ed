"""What the machine has: cores, memory, a place for what is kept between two runs."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

__all__ = ["cache_home", "cores", "memory_available", "memory_of_machine"]

MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Where Linux says what memory a container may have, in both versions of control groups."""

CORE_LIMIT = "/sys/fs/cgroup/cpu.max"
"""Where Linux says how much of its processors a container may have: microseconds in each period, and the period."""


NO_HOME = Path(os.devnull)
"""Nothing can be made below it."""


def cores() -> int:
    """Number of cores that this process may use: those that it is bound to, as far as a container's limit goes.

    Returns
    -------
    int
        At least 1.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # "max" where there is no limit
        quota, period = Path(CORE_LIMIT).read_text("ascii").split()
        bound = min(bound, math.ceil(int(quota) / int(period)))
    return max(bound, 1)


def memory_of_machine() -> int:
    """Memory that there is, in bytes: of the machine, or what the container may have of it.

    Returns
    -------
    int
    """
    found = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in MEMORY_LIMITS:
        with suppress(OSError, ValueError):  # "max" where there is no limit
            found.append(int(Path(path).read_text()))
    return min(found)


def memory_available() -> int | None:
    """Memory that is free now, or would be when asked for, in bytes.

    Returns
    -------
    int or None
        None where the system does not say.
    """
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        said = next(line for line in lines if line.startswith("MemAvailable:"))
        return min(int(said.split()[1]) * 1024, memory_of_machine())
    return None


def cache_home() -> Path:
    """The directory below which caches of this user are: ``$XDG_CACHE_HOME/rtools``, by default ``~/.cache/rtools``.

    Returns
    -------
    Path
        It need not exist. A user without a home, as in many containers, gets one that nobody can make, so that nothing
        is kept.
    """
    try:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        home = NO_HOME
    return home / "rtools"
