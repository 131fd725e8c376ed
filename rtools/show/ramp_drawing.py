"""Ramps of a pixel as text and as figures: values, flags, jumps and the line of the rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rtools.products.schema.nodes import readable
from rtools.show.pixel_ramp import JUMP, PixelRamp
from rtools.wfi import dq

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.show.terminal import Style

__all__ = ["draw_ramp", "draw_ramps", "plot_ramp", "plot_ramps"]

TABLED = 200
"""At most so many lines of values below a plot of text."""


def _caption(ramp):
    """The line, and the pixel's flags, in words."""
    rate = f"{ramp.rate:.6g} {ramp.unit}/s" if np.isfinite(ramp.rate) else "no line"
    flags = "|".join(dq.names(ramp.pixel_flags, ramp.pixel_bits)) or "none"
    return f"line: {rate} ({ramp.source})", f"pixel flags: {flags}"


def draw_ramp(ramp: PixelRamp, style: Style, *, height: int = 16) -> list[str]:
    """Lines of text: the ramp over time, then a table of its resultants.

    Parameters
    ----------
    ramp : PixelRamp
        What is drawn.
    style : rtools.show.terminal.Style
        How wide it may be, and of which characters.
    height : int
        Lines of the plot.

    Returns
    -------
    list of str
        Title, plot, axis, key, caption and table.
    """
    return draw_ramps([ramp], style, height=height)


def draw_ramps(ramps: Sequence[PixelRamp], style: Style, *, height: int = 16) -> list[str]:
    """Lines of text: ramps of a pixel over time in one plot, then tables of their samples.

    Parameters
    ----------
    ramps : sequence of PixelRamp
        What is drawn; the first has the title.
    style, height
        As `draw_ramp`.

    Returns
    -------
    list of str
        Title, plot, axis, key, captions and tables.
    """
    marks = ("●", "○", "·", "│") if style.unicode else ("*", "o", ".", "|")
    key = f"{marks[0]} {ramps[0].word}  {marks[1]} flagged  {marks[3]} jump  {marks[2]} line"
    lines = [f"{ramps[0].title}  [{ramps[0].unit}]", *_plot_of_text(ramps, style, height, marks), key]
    if len(ramps) == 1:
        return [*lines, *_caption(ramps[0]), "", *_table(ramps[0])]
    lines += [f"{ramp.label}: {_caption(ramp)[0]}" for ramp in ramps] + [_caption(ramps[0])[1]]
    if sum(len(ramp.values) for ramp in ramps) > TABLED:
        return lines
    for ramp in ramps:
        lines += ["", ramp.label, *_table(ramp)]
    return lines


def _plot_of_text(ramps, style, height, marks):
    """The plot and its axis."""
    width = min(style.columns, 100) - 12
    shown = [ramp.values[np.isfinite(ramp.values)] for ramp in ramps]
    shown += [values for ramp in ramps for _times, values in ramp.lines]
    low = min((np.min(part) for part in shown if part.size), default=0)
    high = max((np.max(part) for part in shown if part.size), default=1)
    start = min(ramp.times[0] for ramp in ramps)
    end = max(ramp.times[-1] for ramp in ramps)
    span, length = (high - low) or 1, (end - start) or 1
    grid = np.full((height, width), " ")

    def put(times, values, mark):
        column = np.round((times - start) / length * (width - 1)).astype(int)
        line = np.round((np.asarray(values) - low) / span * (height - 1)).astype(int)
        grid[line, column] = mark

    for ramp in ramps:
        for jump in ramp.jumps if len(ramps) == 1 else ():
            middle = (ramp.times[jump] + ramp.times[max(jump - 1, 0)]) / 2
            put(np.full(height, middle), np.linspace(low, high, height), marks[3])
        for ends, values in ramp.lines:
            along = np.linspace(0, 1, 2 * width)
            put(ends[0] + along * np.ptp(ends), values[0] + along * (values[1] - values[0]), marks[2])
    for ramp in ramps:
        for which, mark in ((~ramp.bad, marks[0]), (ramp.bad & np.isfinite(ramp.values), marks[1])):
            put(ramp.times[which], ramp.values[which], mark)
    labels = {height - 1: f"{high:.5g}", 0: f"{low:.5g}"}
    plot = [f"{labels.get(line, ''):>10}  " + "".join(grid[line]).rstrip() for line in range(height - 1, -1, -1)]
    first, last = f"{start:.5g} s", f"{end:.5g} s"
    return [*plot, " " * 12 + first + last.rjust(width - len(first))]


def _table(ramp):
    yield f"{ramp.word:>9} {'time/s':>10} {'value/' + ramp.unit:>12}  flags"
    for number, (time, value) in enumerate(zip(ramp.times, ramp.values, strict=True)):
        yield f"{number:>9} {time:>10.2f} {value:>12.6g}  {ramp.words(number)}".rstrip()


def plot_ramp(ramp: PixelRamp, title: str | None = None) -> Figure:
    """A figure of the ramp, flagged resultants with their flags, and of what the line leaves.

    Parameters
    ----------
    ramp : PixelRamp
        What is drawn.
    title : str, optional
        Instead of the file and the pixel.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    good, bad = ~ramp.bad, ramp.bad
    for number, (ends, values) in enumerate(ramp.lines):
        label = f"{ramp.rate:.5g} {ramp.unit}/s, {_wrapped(ramp.source)}" if number == 0 else None
        top.plot(ends, values, color="tab:orange", lw=1.8, zorder=2, label=label)
    top.plot(ramp.times[good], ramp.values[good], "o", color="tab:blue", ms=7, zorder=3, label=ramp.word)
    if bad.any():
        top.plot(ramp.times[bad], ramp.values[bad], "o", mfc="white", mec="tab:red", ms=7, zorder=3, label="flagged")
    _name_flags(top, ramp)
    for number, jump in enumerate(ramp.jumps):
        middle = (ramp.times[jump] + ramp.times[max(jump - 1, 0)]) / 2
        for axes in (top, bottom):
            axes.axvline(middle, color="tab:purple", ls="--", lw=1.2, zorder=1,
                         label="jump" if number == 0 and axes is top else None)  # fmt: skip
    top.legend(frameon=False, fontsize=9)
    for ends, values in ramp.lines:
        inside = good & (ramp.times >= ends[0]) & (ramp.times <= ends[1])
        line = np.interp(ramp.times[inside], ends, values)
        bottom.plot(ramp.times[inside], ramp.values[inside] - line, "o", color="tab:blue", ms=5)
    bottom.axhline(0, color="tab:orange", lw=1.5, zorder=1)
    _finish(figure, ramp, title)
    return figure


def _name_flags(axes, ramp):
    """The flags of resultants in words beside them."""
    known = ramp.values[np.isfinite(ramp.values)]
    middle = (known.min() + known.max()) / 2 if known.size else 0
    for number in np.nonzero(ramp.flags & ~np.uint8(JUMP))[0].tolist():
        if not np.isfinite(ramp.values[number]):
            continue
        low = ramp.values[number] < middle  # the words go where there is room
        place = {"va": "bottom" if low else "top", "xytext": (0, 9 if low else -9), "textcoords": "offset points"}
        look = {"ha": "center", "fontsize": 7, "color": "tab:red", "rotation": 90}
        axes.annotate(ramp.words(number).replace("|", "\n"), (ramp.times[number], ramp.values[number]), **place, **look)


def _finish(figure, ramp, title):
    """Labels, title and the flags of the pixel."""
    top, bottom = figure.axes
    top.set(ylabel=f"signal [{ramp.unit}]", title=readable(title if title is not None else ramp.title))
    top.title.set_fontsize(10)
    top.margins(y=0.12)
    bottom.set(xlabel=f"time since {ramp.since} [s]", ylabel=f"minus line [{ramp.unit}]")
    for axes in (top, bottom):
        axes.grid(alpha=0.25)
    flags = "|".join(dq.names(ramp.pixel_flags, ramp.pixel_bits))
    if flags:
        figure.text(0.995, 0.005, f"pixel: {flags}", ha="right", va="bottom", fontsize=7, color="0.4")


def plot_ramps(ramps: Sequence[PixelRamp], title: str | None = None) -> Figure:
    """A figure of several ramps of a pixel, each in its colour, and of what their lines leave.

    Parameters
    ----------
    ramps : sequence of PixelRamp
        What is drawn; one alone as `plot_ramp` draws it.
    title : str, optional
        Instead of the file and the pixel.

    Returns
    -------
    matplotlib.figure.Figure
        Flagged groups are open, groups behind a jump have a ring.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    if len(ramps) == 1:
        return plot_ramp(ramps[0], title)
    figure = Figure(figsize=(8, 6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    few = len(ramps) <= 10
    for number, ramp in enumerate(ramps):
        colour = f"C{number}" if few else colormaps["viridis"](number / (len(ramps) - 1))
        good, flagged = ~ramp.bad, ramp.bad & np.isfinite(ramp.values)
        label = f"{ramp.label}: {ramp.rate:.5g} {ramp.unit}/s" if few else None
        top.plot(ramp.times[good], ramp.values[good], "o", color=colour, ms=5, zorder=3, label=label)
        top.plot(ramp.times[flagged], ramp.values[flagged], "o", mfc="white", mec=colour, ms=5, zorder=3)
        top.plot(ramp.times[ramp.jumps], ramp.values[ramp.jumps], "o", mfc="none", mec="tab:purple", ms=9, zorder=4)
        for ends, values in ramp.lines:
            top.plot(ends, values, color=colour, lw=1, zorder=2)
            inside = good & (ramp.times >= ends[0]) & (ramp.times <= ends[1])
            line = np.interp(ramp.times[inside], ends, values)
            bottom.plot(ramp.times[inside], ramp.values[inside] - line, "o", color=colour, ms=4)
    if any(ramp.bad.any() for ramp in ramps):
        top.plot([], [], "o", mfc="white", mec="0.3", ms=5, label="flagged")
    if any(ramp.jumps for ramp in ramps):
        top.plot([], [], "o", mfc="none", mec="tab:purple", ms=9, label="behind a jump")
    source = f"lines: {readable(_wrapped(ramps[0].source))}"
    top.legend(frameon=False, fontsize=8, title=source, title_fontsize=7, alignment="left")
    bottom.axhline(0, color="0.5", lw=1, zorder=1)
    _finish(figure, ramps[0], title)
    return figure


def _wrapped(text):
    from textwrap import fill

    return fill(text, 60)
