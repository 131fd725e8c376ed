"""What rt-view writes to standard output: text, or pixels where the terminal shows pixels."""

import os
import shutil
import struct
import sys

from rtools.commands.kit.terminal import terminal_style

__all__ = ["GRAPHICS", "drawn_text"]

GRAPHICS = ("auto", "kitty", "sixel", "blocks")

CELL = (8, 16)
"""Dots of a character, where the terminal does not say them."""


def drawn_text(drawing, graphics, width):
    """A drawing as what is written to standard output.

    Parameters
    ----------
    drawing : rtools.show.view.Drawing
        What is drawn.
    graphics : str
        One of `GRAPHICS`; auto is what the environment says of the terminal.
    width : int or None
        Columns that were asked for; those of the terminal by default.

    Returns
    -------
    str
    """
    from rtools.show import terminal_graphics

    way = graphics
    if graphics == "auto":
        way = terminal_graphics.known_graphics(os.environ, terminal=sys.stdout.isatty())
    if way == "blocks":
        return "\n".join(drawing.draw(terminal_style(width)))
    png = terminal_graphics.figure_png(drawing.plot(), _room(width))
    return terminal_graphics.kitty_text(png) if way == "kitty" else terminal_graphics.sixel_text(png)


def _room(width):
    """Dots across and down, some lines less than the terminal has."""
    size = shutil.get_terminal_size((80, 45))
    cell = _cell(size)
    return (width or size.columns) * cell[0], max(5, size.lines - 3) * cell[1]


def _cell(size):
    """Dots of a character, as the driver of the terminal knows them; the terminal itself is not asked."""
    try:
        import fcntl
        import termios

        answer = fcntl.ioctl(sys.stdout.fileno(), termios.TIOCGWINSZ, bytes(8))
        _rows, _columns, across, down = struct.unpack("HHHH", answer)
    except (ImportError, OSError, ValueError):
        return CELL
    if not (across and down):
        return CELL
    return max(1, across // size.columns), max(1, down // size.lines)
