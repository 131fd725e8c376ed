"""Charts as text: dots of Braille characters, or letters, with numbers at the ends of both axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rtools.show.chart import Chart, Panel, Series
    from rtools.show.terminal import Style

__all__ = ["draw_chart", "limits_of"]

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the eight dots of a Braille character by row and column (Unicode block U+2800)."""

PLAIN = "*+xo#@%&"
"""Marks of the series where a terminal has neither Unicode nor colours."""

COLOURS = (39, 208, 77, 203, 141, 250)
"""Of the series, numbers of a terminal's 256 colours."""

LABEL = 11
"""Characters of the labels beside a panel of text."""

GRADES = ".:+oO@"
"""Marks of the series of a map, from the faint ones to the bright ones."""


def draw_chart(chart: Chart, style: Style) -> list[str]:
    """Draw a chart as text.

    Parameters
    ----------
    chart : Chart
        What to draw.
    style : rtools.show.terminal.Style
        Room, colours and letters of the terminal.

    Returns
    -------
    list of str
        Lines.
    """
    columns = max(style.columns - LABEL - 1, 20)
    height = max((style.lines - 3) // max(len(chart.panels), 1) - 2, 4)
    x = [series.x[_drawn(panel, series)] for panel in chart.panels for series in panel.series]
    low, high = limits_of(x)
    if chart.is_map:
        columns, height = _size_of_map(chart, (low, high), (columns, height))
    lines = [chart.title[: style.columns]]
    for panel in chart.panels:
        marks = [_mark(number, series, style, is_map=chart.is_map) for number, series in enumerate(panel.series)]
        lines += _headed(panel, marks, style) + _panel_lines(panel, (low, high), (columns, height), marks, style)
    left, right = f"{low:.6g}", f"{high:.6g}"
    middle = chart.label[: max(columns - len(left) - len(right) - 2, 0)]
    lines.append(" " * (LABEL + 1) + left + middle.center(columns - len(left) - len(right)) + right)
    return lines


def _size_of_map(chart, limits, size):
    """Columns and lines in which both axes have one scale: the dots of a character are as far apart along either."""
    (low, high), (columns, lines) = limits, size
    bottom, top = limits_of([series.y[_drawn(panel, series)] for panel in chart.panels for series in panel.series])
    scale = min(2 * columns / (high - low), 4 * lines / (top - bottom))
    return max(20, round((high - low) * scale / 2)), max(4, round((top - bottom) * scale / 4))


def _drawn(panel: Panel, series: Series) -> NDArray[np.bool_]:
    """Which points can be drawn."""
    good = np.isfinite(series.x) & np.isfinite(series.y)
    return good & (series.y > 0) if panel.logarithmic else good


def limits_of(values: list[NDArray[np.float64]]) -> tuple[float, float]:
    """The range of numbers, a little one about those that are equal.

    Parameters
    ----------
    values : list of ndarray float64
        Finite numbers.

    Returns
    -------
    (float, float)
        0 and 1 where there is no number.
    """
    together = np.concatenate([one.ravel() for one in values]) if values else np.zeros(0)
    if not together.size:
        return 0.0, 1.0
    low, high = float(together.min()), float(together.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _panel_lines(panel, limits, size, marks, style):
    """The lines of the points of one panel, with numbers at both ends."""
    columns, height = size
    shown = [(series.x[good], series.y[good]) for series in panel.series for good in [_drawn(panel, series)]]
    shown = [(x, np.log10(y) if panel.logarithmic else y) for x, y in shown]
    low, high = limits_of([y for _, y in shown])
    cells = np.zeros((height, columns), int)
    owner = np.full((height, columns), -1)
    for number, (x, y) in enumerate(shown):
        right = ((x - limits[0]) / (limits[1] - limits[0]) * (2 * columns - 1)).round().astype(int)
        down = ((high - y) / (high - low) * (4 * height - 1)).round().astype(int)
        np.bitwise_or.at(cells, (down // 4, right // 2), np.asarray(DOTS)[down % 4, right % 2])
        owner[down // 4, right // 2] = number
    ends = [10**value if panel.logarithmic else value for value in (high, low)]
    lines = []
    for row in range(height):
        label = f"{ends[0 if row == 0 else 1]:.4g}" if row in (0, height - 1) else ""
        lines.append(f"{label:>{LABEL}} " + _row(cells[row], owner[row], marks, style))
    return lines


def _mark(number: int, series: Series, style: Style, *, is_map: bool) -> str:
    """The letter that a series is drawn with; empty for dots."""
    if series.flagged:
        return "x"
    if is_map:
        return GRADES[min(number, len(GRADES) - 1)]
    return "" if style.unicode else PLAIN[number % len(PLAIN)]


def _headed(panel: Panel, marks: list[str], style: Style) -> list[str]:
    """The label of a panel with its legend behind it, or below it where there is no room."""
    heading = (panel.label + f"  ({panel.note})" * bool(panel.note))[: style.columns]
    lines, room = [heading], style.columns - len(heading) - 1
    for number, (series, mark) in enumerate(zip(panel.series, marks, strict=True)):
        if not series.label:
            continue
        words = f"{mark or '•'} {series.label}"
        if room < len(words) + 2:
            lines, room = [*lines, ""], style.columns
        lines[-1] += ("   " if lines[-1] == heading else "  ") + _coloured(words, number, style)
        room -= len(words) + 2
    return lines


def _row(cells, owner, marks, style):
    """One line of characters."""
    text = []
    for bits, number in zip(cells.tolist(), owner.tolist(), strict=True):
        if not bits:
            text.append(" ")
        elif style.unicode:
            text.append(_coloured(marks[number] or chr(0x2800 + bits), number, style))
        else:
            text.append(marks[number])
    return "".join(text).rstrip()


def _coloured(text: str, number: int, style: Style) -> str:
    return f"\x1b[38;5;{COLOURS[number % len(COLOURS)]}m{text}\x1b[0m" if style.colours else text
