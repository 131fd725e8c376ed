"""Series of numbers as charts: one description, drawn as a figure or as text in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from rtools.show.terminal import Style

__all__ = ["Chart", "Panel", "Series", "draw_chart", "plot_chart"]

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bits of the eight dots of a Braille character by row and column (Unicode block U+2800)."""

PLAIN = "*+xo#@%&"
"""Marks of the series where a terminal has neither Unicode nor colours."""

COLOURS = (39, 208, 77, 203, 141, 250)
"""Of the series, numbers of a terminal's 256 colours."""

LABEL = 11
"""Characters of the labels beside a panel of text."""


class Series(NamedTuple):
    """Numbers that belong together.

    Attributes
    ----------
    label : str
        Its name in the legend; empty for none.
    x, y : ndarray float64 (n,)
        Places; those that are not finite are not drawn.
    error : ndarray float64 (n,) or None
        Standard deviation of y.
    line : bool
        Whether the points are joined.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    error: NDArray[np.float64] | None = None
    line: bool = False


class Panel(NamedTuple):
    """One pair of axes.

    Attributes
    ----------
    label : str
        What is drawn upwards, with its unit.
    series : tuple of Series
        The first is drawn first.
    logarithmic : bool
        Whether the values are.
    """

    label: str
    series: tuple[Series, ...]
    logarithmic: bool = False


class Chart(NamedTuple):
    """Panels above each other that share the horizontal axis.

    Attributes
    ----------
    title : str
        Above all.
    label : str
        What runs to the right, with its unit.
    panels : tuple of Panel
        From the top.
    """

    title: str
    label: str
    panels: tuple[Panel, ...]


def plot_chart(chart: Chart) -> Figure:
    """Draw a chart as a figure.

    Parameters
    ----------
    chart : Chart
        What to draw.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    count = len(chart.panels)
    figure = Figure(figsize=(9, 1.4 + 2.1 * count), layout="constrained")
    axes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for place, panel in zip(axes, chart.panels, strict=True):
        _plot_panel(place, panel)
    axes[-1].set_xlabel(chart.label)
    axes[0].set_title(chart.title, fontsize=10)
    return figure


def _plot_panel(axes: Axes, panel: Panel) -> None:
    for series in panel.series:
        points = max(1.0, min(4.0, 60 / np.sqrt(max(len(series.x), 1))))
        style = {"lw": 0.9} if series.line else {"ls": "none", "marker": "o", "ms": points}
        if series.error is not None and len(series.x) <= 2000:
            axes.errorbar(series.x, series.y, yerr=series.error, elinewidth=0.5, label=series.label or None, **style)
        else:
            axes.plot(series.x, series.y, label=series.label or None, **style)
    if panel.logarithmic and any((series.y > 0).any() for series in panel.series):
        axes.set_yscale("log")
    axes.set_ylabel(panel.label, fontsize=9)
    axes.grid(alpha=0.25, lw=0.5)
    if any(series.label for series in panel.series):
        axes.legend(frameon=False, fontsize=8, loc="upper right", markerscale=1.5)


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
    low, high = _limits(x)
    lines = [chart.title[: style.columns]]
    for panel in chart.panels:
        lines += _panel_lines(panel, (low, high), (columns, height), style)
    left, right = f"{low:.6g}", f"{high:.6g}"
    middle = chart.label[: max(columns - len(left) - len(right) - 2, 0)]
    lines.append(" " * (LABEL + 1) + left + middle.center(columns - len(left) - len(right)) + right)
    return lines


def _drawn(panel: Panel, series: Series) -> NDArray[np.bool_]:
    """Which points can be drawn."""
    good = np.isfinite(series.x) & np.isfinite(series.y)
    return good & (series.y > 0) if panel.logarithmic else good


def _limits(values: list[NDArray[np.float64]]) -> tuple[float, float]:
    """The range of numbers, a little one about those that are equal."""
    together = np.concatenate([one.ravel() for one in values]) if values else np.zeros(0)
    if not together.size:
        return 0.0, 1.0
    low, high = float(together.min()), float(together.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _panel_lines(panel, limits, size, style):
    """The lines of one panel: its label, the points with numbers at both ends, the legend."""
    columns, height = size
    shown = [(series.x[good], series.y[good]) for series in panel.series for good in [_drawn(panel, series)]]
    shown = [(x, np.log10(y) if panel.logarithmic else y) for x, y in shown]
    low, high = _limits([y for _, y in shown])
    cells = np.zeros((height, columns), int)
    owner = np.full((height, columns), -1)
    for number, (x, y) in enumerate(shown):
        right = ((x - limits[0]) / (limits[1] - limits[0]) * (2 * columns - 1)).round().astype(int)
        down = ((high - y) / (high - low) * (4 * height - 1)).round().astype(int)
        np.bitwise_or.at(cells, (down // 4, right // 2), np.asarray(DOTS)[down % 4, right % 2])
        owner[down // 4, right // 2] = number
    ends = [10**value if panel.logarithmic else value for value in (high, low)]
    lines = [panel.label[: style.columns] + _legend(panel, style)]
    for row in range(height):
        label = f"{ends[0 if row == 0 else 1]:.4g}" if row in (0, height - 1) else ""
        lines.append(f"{label:>{LABEL}} " + _row(cells[row], owner[row], style))
    return lines


def _mark(number: int, style: Style) -> str:
    """What stands for a series in the legend."""
    return PLAIN[number % len(PLAIN)] if not style.unicode else "•"


def _legend(panel: Panel, style: Style) -> str:
    words = [_coloured(f"{_mark(number, style)} {series.label}", number, style)
             for number, series in enumerate(panel.series) if series.label]  # fmt: skip
    return "   " + "  ".join(words) if words else ""


def _row(cells, owner, style):
    """One line of characters."""
    text = []
    for bits, number in zip(cells.tolist(), owner.tolist(), strict=True):
        if not bits:
            text.append(" ")
        elif style.unicode:
            text.append(_coloured(chr(0x2800 + bits), number, style))
        else:
            text.append(PLAIN[number % len(PLAIN)])
    return "".join(text).rstrip()


def _coloured(text: str, number: int, style: Style) -> str:
    return f"\x1b[38;5;{COLOURS[number % len(COLOURS)]}m{text}\x1b[0m" if style.colours else text
