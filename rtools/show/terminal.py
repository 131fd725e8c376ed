"""Images as text: half blocks in colour on a terminal, shade characters elsewhere. Row 0 is at the bottom.

A character is about twice as high as wide. In colour it holds two pixels, one above the other; without colour it holds
the mean of two. So pixels are square either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import UsageError
from rtools.show.stretch import find_limits, histogram, magnify, normalisation, require_matplotlib, shrink

if TYPE_CHECKING:
    from rtools.show.image import ShownPlane

__all__ = ["Style", "colour_table", "draw_histogram", "draw_image", "terminal_colours"]

SHADES = " ░▒▓█"
PLAIN_SHADES = " .:-=+*#%@"
BARS = " ▁▂▃▄▅▆▇█"
PLAIN_BARS = " .:|#"
ARROWS = "→↗↑↖←↙↓↘"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
RESET = "\x1b[0m"

BAD_COLOUR = (96, 96, 112)
SOURCE_COLOUR = (64, 255, 64)
FLAG_COLOURS = (
    (24, 24, 32),
    (86, 130, 190),
    (240, 150, 60),
    (90, 180, 90),
    (220, 70, 70),
    (170, 120, 200),
    (240, 220, 70),
    (80, 220, 230),
    (240, 130, 190),
    (240, 240, 240),
)
"""No flag, then class 1 … 9."""

LARGEST = 16
"""A pixel is not drawn wider than so many characters."""


@dataclass
class Style:
    """How text is drawn.

    Attributes
    ----------
    columns, lines : int
        Room for the picture.
    colours : int
        0 (shades), 256, or 2**24.
    unicode : bool
        Whether block characters can be written.
    """

    columns: int = 80
    lines: int = 40
    colours: int = 0
    unicode: bool = True


def terminal_colours(environment: Mapping[str, str], *, terminal: bool) -> int:
    """Colours that a terminal has, by the environment.

    Parameters
    ----------
    environment : mapping of str to str
        Variables; NO_COLOR, TERM and COLORTERM are looked at.
    terminal : bool
        Whether the text goes to a terminal at all.

    Returns
    -------
    int
        0, 256 or 2**24.
    """
    if not terminal or environment.get("NO_COLOR") or environment.get("TERM") == "dumb":
        return 0
    return 1 << 24 if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") else 256


def colour_table(name: str) -> np.ndarray:
    """The 256 colours of a matplotlib map.

    Parameters
    ----------
    name : str
        Name of the map.

    Returns
    -------
    ndarray uint8 (256, 3)
        Red, green and blue of each colour.

    Raises
    ------
    UsageError
        There is no such map.
    RtoolsError
        matplotlib is not installed.
    """
    require_matplotlib()
    import matplotlib

    if name not in matplotlib.colormaps:
        from difflib import get_close_matches

        near = get_close_matches(name, list(matplotlib.colormaps), 3)
        raise UsageError(f"no colour map is called {name}", mend=f"did you mean {' or '.join(near)}?" if near else None)
    return (matplotlib.colormaps[name](np.arange(256) / 255)[:, :3] * 255).round().astype(np.uint8)


def draw_image(
    image: ShownPlane,
    style: Style,
    *,
    stretch: str = "asinh",
    limits: str | None = None,
    cmap: str = "inferno",
    compass: tuple[np.ndarray, np.ndarray, float] | None = None,
    sources: np.ndarray | None = None,
    outlines: np.ndarray | None = None,
) -> list[str]:
    """Lines of text that show an image.

    Parameters
    ----------
    image : rtools.show.image.ShownPlane
        What is drawn.
    style : Style
        How large, in which colours and of which characters.
    stretch, limits : str
        As in `rtools.show.stretch`.
    cmap : str
        A colour map of matplotlib.
    compass : tuple, optional
        As `rtools.show.overlay.compass` gives it.
    sources : ndarray (2, n), optional
        x and y of sources, in pixels of the file, drawn as ``o``.
    outlines : ndarray of bool, optional
        Pixels at the edge of segments.

    Returns
    -------
    list of str
    """
    whole = image
    if image.places is not None:
        image = _stretched(image, style)
    down, up = _scale(image.data.shape, style)
    cells = magnify(shrink(image.data, down, highest=image.kind != "image"), up)
    norm = None
    if image.kind == "image":
        seen = cells if style.colours else _line_means(cells)[0]
        norm = normalisation(*find_limits(seen, limits, stretch), stretch)
    drawn = _mark_outlines(cells, outlines, down, up)
    marks = _marks(image, sources, down / up, cells.shape)
    paint = _in_colour if style.colours else _in_shades
    lines, legend = paint(image, cells, style, norm=norm, cmap=cmap, edges=drawn, marks=marks)
    size = f"{down} x {down} pixels a cell" if down > 1 else f"{up} x {up} cells a pixel"
    size = size if whole is image else f"{len(image.data) // len(whole.data) / down:.3g} cells a row"
    notes = f"{_region(whole)}; {size}" + f"; {image.bad} bad" * bool(image.bad)
    if compass is not None:
        north, east, scale = compass
        notes += f"; north {_arrow(north, style)} east {_arrow(east, style)} {scale:.3g} arcsec a pixel"
    return [*_titled(image, style), *lines, *legend, *wrap(notes, style.columns)]


def _stretched(image, style):
    """Rows repeated until the picture is about half as high as wide: rows and columns are of different kinds."""
    rows, columns = image.data.shape
    wide = -(-columns // max(1, -(-columns // style.columns)))  # cells
    high = min(2 * style.lines, wide // 2)
    times = max(1, high * -(-columns // wide) // rows)
    return replace(image, data=np.repeat(image.data, times, axis=0)) if times > 1 else image


def _titled(image, style):
    """The file, the array and its unit; in two lines where there is no room in one."""
    name = image.name + f"  [{image.unit}]" * bool(image.unit)
    title = f"{image.title}  {name}"
    return [title] if len(title) <= style.columns or not image.title else [image.title, name]


def _region(image):
    """Which columns and rows are shown, in the words of the axes where these do not count pixels."""
    if image.places is None or not np.isfinite(image.places).any():
        return image.region
    low, high = np.nanmin(image.places), np.nanmax(image.places)
    return f"{image.axes[0]} {low:.5g} to {high:.5g}, {image.axes[1]} {image.y} to {image.y + len(image.data) - 1}"


def _arrow(direction, style):
    """A direction in pixels as an arrow, or as the angle from x towards y."""
    degrees = np.degrees(np.arctan2(direction[1], direction[0])) % 360
    return ARROWS[round(degrees / 45) % 8] if style.unicode else f"{degrees:.0f} deg"


def _scale(shape, style):
    """Pixels a cell, and cells a pixel; one of them is 1. A cell is half a line high."""
    rows, columns = shape
    down = max(1, -(-columns // style.columns), -(-rows // (2 * style.lines)))
    up = min(style.columns // columns, 2 * style.lines // rows, LARGEST) if down == 1 else 1
    if up > 1 and not style.colours:
        up -= up % 2  # a line holds two cells, of the same pixel
    return down, max(up, 1)


def _mark_outlines(cells, outlines, down, up):
    if outlines is None:
        return np.zeros(cells.shape, bool)
    return magnify(shrink(outlines.astype(np.float32), down, highest=True), up) > 0


def _marks(image, sources, size, shape):
    """(line from the bottom, column) of every source inside."""
    if sources is None:
        return set()
    x, y = (np.floor((part - first + 0.5) / size) for part, first in zip(sources, (image.x, image.y), strict=True))
    inside = (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
    return set(zip((y[inside] // 2).astype(int).tolist(), x[inside].astype(int).tolist(), strict=True))


def _paired(cells, fill):
    """Cells as (lines, 2, columns), the top line first and in it the upper cell first."""
    if len(cells) % 2:
        cells = np.concatenate([cells, np.full((1, cells.shape[1]), fill, cells.dtype)])
    return cells[::-1].reshape(-1, 2, cells.shape[1])


# -- in colour --------------------------------------------------------------------------------------------------------


def _in_colour(image, cells, style, *, norm, cmap, edges, marks):
    colours = np.array(FLAG_COLOURS, np.uint8) if image.kind == "flags" else colour_table(cmap)
    bad, edge, nothing = len(colours), len(colours) + 1, len(colours) + 2
    codes = _codes([*colours.tolist(), BAD_COLOUR, SOURCE_COLOUR], style.colours)
    if image.kind == "image":
        scaled = np.ma.filled(norm(cells), np.nan)
        index = np.where(np.isfinite(cells), np.nan_to_num(scaled) * 255.999, bad).astype(int)
    else:
        index = np.where(np.isfinite(cells), cells, bad).astype(int)
    index[edges] = edge
    pairs = _paired(index, nothing)
    half = "▀▄" if style.unicode else '"_'
    lines = []
    for number, (upper, lower) in enumerate(pairs.tolist()):
        marked = {column for line, column in marks if line == len(pairs) - 1 - number}
        lines.append(_colour_line(upper, lower, codes, nothing, half, marked=marked))
    if image.kind == "flags":
        square = "■" if style.unicode else "#"
        legend = _flag_legend(image, style, lambda k: f"\x1b[38;{codes[k]}m{square}{RESET}")
    elif image.kind == "labels":
        legend = []
    else:
        steps = np.linspace(0, 255, 32).astype(int)
        bar = "".join(f"\x1b[48;{codes[step]}m " for step in steps) + RESET
        legend = [_bar(norm, bar)]
    return lines, legend


def _codes(colours, number):
    """What stands after ``38;`` or ``48;`` for each colour."""
    if number > 256:
        return [f"2;{red};{green};{blue}" for red, green, blue in colours]
    levels = np.array([0, 95, 135, 175, 215, 255])
    cube = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    palette = np.concatenate([cube, np.repeat(8 + 10 * np.arange(24), 3).reshape(-1, 3)])
    distance = ((np.array(colours)[:, None, :] - palette) ** 2).sum(axis=2)
    return [f"5;{16 + nearest}" for nearest in distance.argmin(axis=1)]


def _colour_line(upper, lower, codes, nothing, half, *, marked):
    parts, before = [], None
    for column, (above, below) in enumerate(zip(upper, lower, strict=True)):
        if column in marked:
            code, text = f"\x1b[1;38;{codes[-1]};48;{codes[0]}m", f"o{RESET}"  # dark ground, whatever is there
        elif above == nothing:
            code, text = f"{RESET}\x1b[38;{codes[below]}m", half[1]
        else:
            code, text = f"\x1b[38;{codes[above]};48;{codes[below]}m", half[0]
        parts.append(text if code == before else code + text)
        before = None if column in marked else code
    return "".join(parts) + RESET


# -- in shades --------------------------------------------------------------------------------------------------------


def _in_shades(image, cells, style, *, norm, edges, marks, cmap):
    shades = SHADES if style.unicode else PLAIN_SHADES
    means, known = _line_means(cells)
    if image.kind == "image":
        values = np.ma.filled(norm(means), 0)
        level = np.minimum(np.nan_to_num(values) * len(shades), len(shades) - 1).astype(int)
        letters = shades
    else:
        level = np.nan_to_num(np.fmax.reduce(_paired(cells, np.nan), axis=1)).astype(int)
        letters = " " + LETTERS if image.kind == "flags" else " " + "+" * 255
    drawn = np.array(list(letters))[level]
    drawn[~known] = "x"
    drawn[_paired(edges, False).any(axis=1)] = "#" if style.unicode else "O"
    for line, column in marks:
        drawn[len(drawn) - 1 - line, column] = "o"
    legend = []
    if image.kind == "flags":
        legend = _flag_legend(image, style, lambda k: letters[k])
    elif image.kind == "image":
        legend = [_bar(norm, "".join(letter * 3 for letter in shades))]
    return ["".join(line).rstrip() for line in drawn], legend


def _line_means(cells):
    """Mean of the two cells of every character, and where one of them is known."""
    pairs = _paired(cells, np.nan)
    finite = np.isfinite(pairs)
    count = finite.sum(axis=1)
    total = np.where(finite, pairs, 0).sum(axis=1, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan), count > 0


# -- below the picture ------------------------------------------------------------------------------------------------


def _flag_legend(image, style, mark):
    """Lines that say what the classes are; the mark of one is as wide as a letter, colour or not."""
    lines: list[str] = []
    room = 0
    for number, (name, count) in enumerate(image.classes, 1):
        text = f"{name} {count}"
        if room < len(text) + 2:
            lines, room = [*lines, ""], style.columns
        lines[-1] += f"{mark(number)} {text}  "
        room -= len(text) + 4
    return [line.rstrip() for line in lines] or ["no flag is set"]


def _bar(norm, bar):
    stretch = type(norm.stretch).__name__.removesuffix("Stretch").lower()
    return f"{norm.vmin:.5g} {bar} {norm.vmax:.5g}  {stretch}"


# -- histogram --------------------------------------------------------------------------------------------------------


def draw_histogram(image: ShownPlane, style: Style, *, limits: str | None = None, height: int = 12) -> list[str]:
    """Lines of text with the distribution of an image's values, counts on a logarithmic scale.

    Parameters
    ----------
    image : rtools.show.image.ShownPlane
        Whose values are counted.
    style : Style
        How wide it may be, and of which characters.
    limits : str, optional
        As `rtools.show.stretch.find_limits` takes them; the central 99.8 percent by default.
    height : int
        Lines of the bars.

    Returns
    -------
    list of str
        Title, bars, axis and notes.
    """
    edges, counts, below, above = histogram(image.data, limits, min(style.columns, 100) - 10)
    bars = BARS if style.unicode else PLAIN_BARS
    steps = len(bars) - 1
    top = np.log10(1 + counts.max())
    full = np.round(np.log10(1 + counts) / top * height * steps).astype(int) if top else np.zeros_like(counts)
    full[counts > 0] = np.maximum(full[counts > 0], 1)
    lines = []
    for line in range(height - 1, -1, -1):
        label = {height - 1: f"{counts.max():.3g}", 0: "1"}.get(line, "")
        filled = np.clip(full - line * steps, 0, steps)
        lines.append(f"{label:>9} " + "".join(bars[step] for step in filled).rstrip())
    axis = f"{edges[0]:.5g}"
    axis += f"{edges[-1]:.5g}".rjust(len(counts) - len(axis))
    notes = f"{image.region}; {counts.sum()} pixels in {len(counts)} bins, log counts"
    notes += f"; {below} below, {above} above" + f"; {image.bad} bad" * bool(image.bad)
    return [*_titled(image, style), *lines, " " * 10 + axis, *wrap(notes, style.columns)]
