"""Pictures in terminals that show pixels: the protocol of Kitty, and Sixel.

Kitty's protocol takes a PNG in base64, in parts of 4 KiB at most (https://sw.kovidgoyal.net/kitty/graphics-protocol).
Sixel is that of DEC's VT340: a palette, then bands of six rows, in each of which every colour has its letters.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figure_png", "kitty_text", "known_graphics", "sixel_text"]

PART = 4000
"""Letters of one part of a picture in Kitty's protocol: a multiple of four, as base64 has them."""

COLOURS = 250
"""Colours of a Sixel picture; terminals have 256 registers."""

KITTY = ("ghostty", "wezterm", "kitty")
SIXEL = ("mintty", "iterm.app", "contour", "mlterm", "foot")
"""What terminals call themselves in TERM_PROGRAM or TERM."""


def known_graphics(environment: Mapping[str, str], *, terminal: bool) -> str:
    """What a terminal can show, by its environment alone: nothing is asked of it, which could hang.

    Parameters
    ----------
    environment : mapping of str to str
        Variables; KITTY_WINDOW_ID, TERM_PROGRAM, TERM, NO_COLOR, TMUX and STY are looked at.
    terminal : bool
        Whether the text goes to a terminal at all.

    Returns
    -------
    {"kitty", "sixel", "blocks"}
        Inside of tmux and screen, which pass pictures on only when they are told to, it is ``blocks``.
    """
    term = environment.get("TERM", "").lower()
    inside = environment.get("TMUX") or environment.get("STY") or term.startswith(("screen", "tmux"))
    if not terminal or environment.get("NO_COLOR") or inside or term == "dumb":
        return "blocks"
    words = (environment.get("TERM_PROGRAM", "").lower(), term.removeprefix("xterm-").partition("-")[0])
    if environment.get("KITTY_WINDOW_ID") or any(word in KITTY for word in words):
        return "kitty"
    return "sixel" if "sixel" in term or any(word in SIXEL for word in words) else "blocks"


def figure_png(figure: Figure, room: tuple[int, int]) -> bytes:
    """A figure as a PNG that is no larger than some room.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What is drawn.
    room : (int, int)
        Dots across and down.

    Returns
    -------
    bytes
    """
    from PIL import Image

    from rtools.show import plot

    wide, high = figure.get_size_inches()
    file = io.BytesIO()
    plot.save(figure, file, "png", dpi=max(20.0, min(room[0] / wide, room[1] / high)))
    with Image.open(file) as image:
        if image.width <= room[0] and image.height <= room[1]:
            return file.getvalue()
        small = image.convert("RGB")
        small.thumbnail(room)
        made = io.BytesIO()
        small.save(made, "PNG")
    return made.getvalue()


def kitty_text(png: bytes) -> str:
    """A picture in the protocol of Kitty.

    Parameters
    ----------
    png : bytes
        The picture.

    Returns
    -------
    str
        To be written to the terminal.
    """
    letters = base64.b64encode(png).decode()
    parts = [letters[start : start + PART] for start in range(0, len(letters), PART)]
    made = []
    for number, part in enumerate(parts):
        head = "a=T,f=100,q=2," if number == 0 else ""  # shown at once, PNG, without an answer
        made.append(f"\x1b_G{head}m={int(number < len(parts) - 1)};{part}\x1b\\")
    return "".join(made)


def sixel_text(png: bytes) -> str:
    """A picture in Sixel.

    Parameters
    ----------
    png : bytes
        The picture; it is reduced to some hundred colours.

    Returns
    -------
    str
        To be written to the terminal.
    """
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        reduced = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    numbers = np.asarray(reduced)
    palette = np.array(reduced.getpalette(), int).reshape(-1, 3)
    made = [f'\x1bP0;1;0q"1;1;{reduced.width};{reduced.height}']
    for number in np.unique(numbers):
        red, green, blue = (palette[number] * 100 + 127) // 255
        made.append(f"#{number};2;{red};{green};{blue}")
    for start in range(0, len(numbers), 6):
        made.append("$".join(_colour_rows(numbers[start : start + 6])) + "-")
    return "".join(made) + "\x1b\\"


def _colour_rows(band: np.ndarray) -> list[str]:
    """The letters of every colour of a band of up to six rows."""
    weights = (1 << np.arange(len(band)))[:, None]
    rows = []
    for number in np.unique(band):
        bits = ((band == number) * weights).sum(axis=0)
        starts = np.flatnonzero(np.diff(bits, prepend=-1))
        lengths = np.diff(starts, append=len(bits))
        runs = zip(bits[starts].tolist(), lengths.tolist(), strict=True)
        rows.append(f"#{number}" + "".join(_run(chr(63 + value), count) for value, count in runs))
    return rows


def _run(letter, count):
    return letter * count if count < 4 else f"!{count}{letter}"
