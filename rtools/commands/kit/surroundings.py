"""What a process finds around it, and libraries look for: a home, a directory for settings."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from rtools.products.io import temporary

__all__ = ["find_a_home", "settings_of_matplotlib"]


def find_a_home() -> None:
    """Give a process without a home one that cannot be: libraries that look for it fail, or write to a directory ``~``.

    A cron job, a container with a number for a user and `env -i` have neither HOME nor an entry of the user.
    """
    if os.path.expanduser("~") == "~":
        os.environ["HOME"] = os.devnull  # nothing can exist below it, for no user


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
