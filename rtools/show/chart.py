"""Series of numbers as charts: one description, drawn as a figure or, by `chart_text`, as text in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.products.schema.nodes import readable
from rtools.show.chart_text import draw_chart, limits_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from numpy.typing import NDArray

__all__ = ["Chart", "Panel", "Picture", "Series", "draw_chart", "error_note", "plot_chart"]


MANY, MOST = 6, 13
"""More names than these would hide too much inside of the axes, and stand beside them; and how many a column takes."""

FAINTEST = 1e-5
"""Share of the brightest that pictures show."""


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


class Picture(NamedTuple):
    """A small image above the panels of a chart, in a figure.

    Attributes
    ----------
    title : str
        Above it.
    values : ndarray (rows, columns)
        Drawn by their logarithms, from 1e-5 of the largest on.
    """

    title: str
    values: NDArray[np.floating]


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
    pictures : tuple of Picture
        In a row above the panels.
    """

    title: str
    label: str
    panels: tuple[Panel, ...]
    is_map: bool = False
    pictures: tuple[Picture, ...] = ()


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
    above = 3.2 if chart.pictures else 0.0
    figure = Figure(figsize=(8, 7) if chart.is_map else (9, height + above), layout="constrained")
    below: Any = figure
    if chart.pictures:
        parts: Any = figure.subfigures(2, 1, height_ratios=[above, height])
        _draw_pictures(parts[0], chart.pictures)
        below = parts[1]
    axes = below.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    for place, panel in zip(axes, chart.panels, strict=True):
        if chart.is_map:
            place.set_aspect("equal")
            place.set_prop_cycle(color=_range_of_colours(len(panel.series)))
        _plot_panel(place, panel)
    if chart.is_map and any(series.label for panel in chart.panels for series in panel.series):
        axes[0].legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1), markerscale=1.5)
    axes[-1].set_xlabel(chart.label)
    axes[0].set_title(readable(chart.title), fontsize=10)
    return figure


def _draw_pictures(figure: SubFigure, pictures: Sequence[Picture]) -> None:
    """Images in a row, with one scale for all."""
    from matplotlib.colors import LogNorm

    top = max(float(np.nanmax(one.values)) for one in pictures)
    norm = LogNorm(FAINTEST * top, top, clip=True)
    for place, one in zip(figure.subplots(1, len(pictures), squeeze=False)[0], pictures, strict=True):
        place.imshow(np.where(one.values > 0, one.values, FAINTEST * top), origin="lower", cmap="inferno", norm=norm)
        place.set(xticks=[], yticks=[])
        place.set_title(readable(one.title), fontsize=9)


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
    named = sum(bool(series.label) for series in panel.series)
    if named > MANY:
        axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1), ncols=1 + named // MOST)
    elif named:
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
    low, high = limits_of(trusted)
    axes.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
