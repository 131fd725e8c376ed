"""Series of numbers as charts: one description, drawn as a figure or as text in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.products.schema.nodes import readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from rtools.show.terminal import Style

__all__ = ["Chart", "Panel", "Series", "draw_chart", "error_note", "plot_chart"]

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
    band : bool
        Whether the error is a band along the line instead of bars; it may reach beyond the axes.
    flagged : bool
        Whether the points are marked as those that are not to be trusted.
    """

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    error: NDArray[np.float64] | None = None
    line: bool = False
    band: bool = False
    flagged: bool = False


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
    note : str
        What is said beside the label.
    """

    label: str
    series: tuple[Series, ...]
    logarithmic: bool = False
    note: str = ""


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
    is_map : bool
        Whether both axes are of one scale, and the colours of the series go from one end of a range to the other.
    """

    title: str
    label: str
    panels: tuple[Panel, ...]
    is_map: bool = False


def error_note(series: Sequence[Series]) -> str:
    """The median error, which says in a terminal how large bars and bands are.

    Parameters
    ----------
    series : sequence of Series
        Of one panel.

    Returns
    -------
    str
        Empty where no error is known; one of 0 stands for that, too.
    """
    errors = [one.error[np.isfinite(one.error) & (one.error != 0)] for one in series if one.error is not None]
    together = np.concatenate(errors) if errors else np.zeros(0)
    return f"median error {np.median(together):.3g}" if together.size else ""


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
    height = {1: 3.6}.get(count, 1.4 + 2.1 * count) if any(one.band for one in _series(chart)) else 1.4 + 2.1 * count
    figure = Figure(figsize=(8, 7) if chart.is_map else (9, height), layout="constrained")
    axes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for place, panel in zip(axes, chart.panels, strict=True):
        if chart.is_map:
            place.set_aspect("equal")
            place.set_prop_cycle(color=_range_of_colours(len(panel.series)))
        _plot_panel(place, panel)
    if chart.is_map:
        axes[0].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1), markerscale=1.5)
    axes[-1].set_xlabel(chart.label)
    axes[0].set_title(readable(chart.title), fontsize=10)
    return figure


def _series(chart: Chart) -> list[Series]:
    return [series for panel in chart.panels for series in panel.series]


def _range_of_colours(count: int) -> list[tuple[float, float, float]]:
    """Colours from dark to bright, as many as there are series."""
    from rtools.show.terminal import colour_table

    table = colour_table("viridis") / 255
    places = np.linspace(0, 230, max(count, 1)).round().astype(int)
    return [(float(red), float(green), float(blue)) for red, green, blue in table[places]]


def _plot_panel(axes: Axes, panel: Panel) -> None:
    for series in panel.series:
        _plot_series(axes, series)
    if panel.logarithmic and any((series.y > 0).any() for series in panel.series):
        axes.set_yscale("log")
    if any(series.band for series in panel.series):
        _fit_to_values(axes, panel)
    axes.set_ylabel(panel.label, fontsize=9)
    if panel.note:
        axes.annotate(panel.note, (0.01, 0.97), xycoords="axes fraction", va="top", fontsize=8, color="0.35")
    axes.grid(alpha=0.25, lw=0.5)
    if any(series.label for series in panel.series):
        axes.legend(frameon=False, fontsize=8, loc="upper right", markerscale=1.5)


def _plot_series(axes: Axes, series: Series) -> None:
    points = max(1.0, min(4.0, 60 / np.sqrt(max(len(series.x), 1))))
    style: dict[str, Any] = {"lw": 0.9} if series.line else {"ls": "none", "marker": "o", "ms": points}
    style["label"] = series.label or None
    if series.flagged:
        style |= {"marker": "x", "ms": max(points, 3.5), "color": "tab:red", "zorder": 3}
    error = None if series.error is None else np.where(series.error >= 0, series.error, np.nan)
    if error is not None and series.band:
        (drawn,) = axes.plot(series.x, series.y, **style)
        low, high = series.y - error, series.y + error
        axes.fill_between(series.x, low, high, color=drawn.get_color(), alpha=0.25, lw=0)
    elif error is not None and len(series.x) <= 2000:
        axes.errorbar(series.x, series.y, yerr=error, elinewidth=0.5, **style)
    else:
        axes.plot(series.x, series.y, **style)


def _fit_to_values(axes: Axes, panel: Panel) -> None:
    """Limits by the values that are not flagged alone: errors at the ends of a spectrum may be huge."""
    trusted = [one.y[np.isfinite(one.y)] for one in panel.series if not one.flagged]
    low, high = _limits(trusted)
    axes.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))


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
    if chart.is_map:
        columns, height = _size_of_map(chart, (low, high), (columns, height))
    lines = [chart.title[: style.columns]]
    for panel in chart.panels:
        lines += _panel_lines(panel, (low, high), (columns, height), style)
    left, right = f"{low:.6g}", f"{high:.6g}"
    middle = chart.label[: max(columns - len(left) - len(right) - 2, 0)]
    lines.append(" " * (LABEL + 1) + left + middle.center(columns - len(left) - len(right)) + right)
    return lines


def _size_of_map(chart, limits, size):
    """Columns and lines in which both axes have one scale: the dots of a character are as far apart along either."""
    (low, high), (columns, lines) = limits, size
    bottom, top = _limits([series.y[_drawn(panel, series)] for panel in chart.panels for series in panel.series])
    scale = min(2 * columns / (high - low), 4 * lines / (top - bottom))
    return max(20, round((high - low) * scale / 2)), max(4, round((top - bottom) * scale / 4))


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
    crossed = {number for number, series in enumerate(panel.series) if series.flagged}
    ends = [10**value if panel.logarithmic else value for value in (high, low)]
    heading = panel.label + f"  ({panel.note})" * bool(panel.note)
    lines = _headed(heading[: style.columns], panel, style)
    for row in range(height):
        label = f"{ends[0 if row == 0 else 1]:.4g}" if row in (0, height - 1) else ""
        lines.append(f"{label:>{LABEL}} " + _row(cells[row], owner[row], style, crossed))
    return lines


def _mark(number: int, style: Style) -> str:
    """What stands for a series in the legend."""
    return PLAIN[number % len(PLAIN)] if not style.unicode else "•"


def _headed(heading: str, panel: Panel, style: Style) -> list[str]:
    """The label of a panel with its legend behind it, or below it where there is no room."""
    lines, room = [heading], style.columns - len(heading) - 1
    for number, series in enumerate(panel.series):
        if not series.label:
            continue
        words = f"{'x' if series.flagged else _mark(number, style)} {series.label}"
        if room < len(words) + 2:
            lines, room = [*lines, ""], style.columns
        lines[-1] += ("   " if lines[-1] == heading else "  ") + _coloured(words, number, style)
        room -= len(words) + 2
    return lines


def _row(cells, owner, style, crossed=()):
    """One line of characters; those of flagged series, whose numbers are `crossed`, are crosses."""
    text = []
    for bits, number in zip(cells.tolist(), owner.tolist(), strict=True):
        if not bits:
            text.append(" ")
        elif number in crossed:
            text.append(_coloured("x", number, style))
        elif style.unicode:
            text.append(_coloured(chr(0x2800 + bits), number, style))
        else:
            text.append(PLAIN[number % len(PLAIN)])
    return "".join(text).rstrip()


def _coloured(text: str, number: int, style: Style) -> str:
    return f"\x1b[38;5;{COLOURS[number % len(COLOURS)]}m{text}\x1b[0m" if style.colours else text
