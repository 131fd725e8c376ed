"""What the machine has: cores, memory, a place for what is kept between two runs."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

__all__ = ["cache_home", "cores", "memory_available", "memory_of_machine"]

GROUPS = "/proc/self/cgroup"
"""Where Linux says in which control groups this process is."""

GROUP_ROOT = "/sys/fs/cgroup"
"""Where the files of all control groups are; of version 1 those about memory below ``memory``."""

FILES_OF_MEMORY = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Of both versions: the limit, what is taken, and what of ``memory.stat`` is given back when it is needed."""

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
    limits = [limit for limit, _left in _limits_of_memory()]
    return min([os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"), *limits])


def memory_available() -> int | None:
    """Memory that is free now, or would be when asked for, in bytes: of the machine, and of what a container may have.

    Returns
    -------
    int or None
        None where the system does not say.
    """
    found = [left for _limit, left in _limits_of_memory()]
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        said = next(line for line in lines if line.startswith("MemAvailable:"))
        found.append(int(said.split()[1]) * 1024)
    return min([*found, memory_of_machine()]) if found else None


def _limits_of_memory():
    """Limit, and what of it is left, of each control group of this process that has one."""
    for folder in _groups_of_memory():
        for limit_name, taken_name, kept in FILES_OF_MEMORY:
            with suppress(OSError, ValueError):  # "max" where there is no limit
                limit = int((folder / limit_name).read_text("ascii"))
                left = limit
                with suppress(OSError, ValueError):
                    left = limit - int((folder / taken_name).read_text("ascii")) + _stated(folder / "memory.stat", kept)
                yield limit, min(max(left, 0), limit)


def _stated(path, key):
    """A number of a file of names and numbers; 0 where it is not there."""
    with suppress(OSError):
        for line in path.read_text("ascii").splitlines():
            name, _, value = line.partition(" ")
            if name == key:
                return int(value)
    return 0


def _groups_of_memory():
    """Directories of the control groups that this process is in, and of those above them, of both versions."""
    places = {Path(GROUP_ROOT): None, Path(GROUP_ROOT, "memory"): None}  # in a container its own group is the root
    with suppress(OSError):
        for line in Path(GROUPS).read_text("utf-8").splitlines():
            _number, kinds, name = line.split(":", 2)
            if kinds and "memory" not in kinds.split(","):
                continue
            root = Path(GROUP_ROOT, "memory") if kinds else Path(GROUP_ROOT)
            inner = root / name.lstrip("/")
            places |= dict.fromkeys(one for one in (inner, *inner.parents) if one.is_relative_to(root))
    return list(places)


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
