"""What a process finds around it, and libraries look for: a home, a directory for settings."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rtools.products.io import temporary

__all__ = ["PLACES", "find_a_home", "settings_of_matplotlib", "settle_places", "without_settings"]

PLACES = ("RT_CACHE_DIR", "RT_CONFIG", "RT_DUST_MAPS", "RT_REFCAT", "RT_REFDIR", "CRDS_PATH", "MPLCONFIGDIR",
          "NUMBA_CACHE_DIR", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")  # fmt: skip
"""Variables that name files and directories."""

MADE = ("RT_CACHE_DIR", "MPLCONFIGDIR", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME")
"""Those of them whose directories are made where they are not there; others may mean no path, as ``gaia``."""


def find_a_home() -> None:
    """Give a process without a home one that cannot be: libraries that look for it fail, or write to a directory ``~``.

    A cron job, a container with a number for a user and `env -i` have neither HOME nor an entry of the user.
    """
    if os.path.expanduser("~") == "~":
        os.environ["HOME"] = os.devnull  # nothing can exist below it, for no user


def settle_places() -> None:
    """Have every place that the environment names be the same one in all directories, and in processes of this one.

    A name is read where the process has been started. Tools change the working directory, and so do their children.
    """
    for name in PLACES:
        said = os.environ.get(name, "")
        relative = said and not os.path.isabs(said) and not said.startswith("~") and "://" not in said
        if relative and (name in MADE or os.path.exists(said)):
            os.environ[name] = os.path.abspath(said)


@contextmanager
def without_settings() -> Iterator[None]:
    """An environment in which a tool does what it does by default, and finds no references but its own.

    Yields
    ------
    None
        Variables of rtools and of CRDS are not set while the context lasts.
    """
    aside = {name: os.environ.pop(name) for name in [*os.environ] if name.startswith(("RT_", "CRDS_"))}
    try:
        yield
    finally:
        os.environ.update(aside)


@contextmanager
def settings_of_matplotlib() -> Iterator[None]:
    """A directory for matplotlib's settings and fonts where the user has none that can be written.

    matplotlib makes one itself, which stays when a process is left at once.

    Yields
    ------
    None
        ``MPLCONFIGDIR`` names it while the context lasts.
    """
    home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    places = (Path(home) / "matplotlib", *Path(home).absolute().parents)
    there = next(path for path in places if os.path.exists(path))  # False, too, for what may not be looked into
    if os.environ.get("MPLCONFIGDIR") or (os.path.isdir(there) and os.access(there, os.W_OK)):
        yield
        return
    with ExitStack() as stack:
        with suppress(OSError):  # no temporary files either: most tools need none
            os.environ["MPLCONFIGDIR"] = stack.enter_context(temporary.directory())
        try:
            yield
        finally:
            os.environ.pop("MPLCONFIGDIR", None)
