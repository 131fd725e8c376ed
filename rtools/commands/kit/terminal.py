"""What standard output can show: its room, colours and letters."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtools.show.terminal import Style

__all__ = ["terminal_style"]


def terminal_style(width: int | None = None) -> Style:
    """Room and colours of standard output.

    Parameters
    ----------
    width : int, optional
        Columns that were asked for; those of the terminal by default.

    Returns
    -------
    rtools.show.terminal.Style
    """
    from rtools.show.terminal import Style, terminal_colours

    tty = sys.stdout.isatty()
    colours = terminal_colours(os.environ, terminal=tty)
    size = shutil.get_terminal_size((80, 45)) if colours else os.terminal_size((80, 45))
    columns = width or size.columns
    lines = max(5, size.lines - 5) if colours and not width else max(5, columns // 2)
    return Style(columns, lines, colours, "utf" in (sys.stdout.encoding or "").lower())
