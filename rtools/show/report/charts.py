"""Plots of a report as SVG: scales, ticks and paths; the templates draw them in the colours of the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rtools.pipeline.report import AlignmentFindings, CatalogFindings, ExposureFindings

__all__ = ["Arrows", "Plot", "PlotLine", "arrows_of", "catalog_charts", "depth_chart", "read_bars"]

WIDTH, HEIGHT = 280, 170
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 10, 30
"""Of a plot: its size, and the margins around its frame."""

ARROWS = 60
"""Arrows of a field."""


@dataclass(frozen=True)
class PlotLine:
    """One path of a plot.

    Attributes
    ----------
    path : str
        As SVG has it.
    look : str
        ``points``, ``line``, ``dashed``, ``ruled`` or ``area``: a class of the style sheet.
    name : str
        For the legend; empty for none.
    """

    path: str
    look: str
    name: str = ""


@dataclass(frozen=True)
class Plot:
    """A plot.

    Attributes
    ----------
    title, x_label, y_label : str
        What stands at it.
    x_ticks, y_ticks : tuple of (float, str)
        Place and text of each tick.
    lines : tuple of PlotLine
        What is drawn.
    """

    title: str
    x_label: str
    y_label: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    lines: tuple[PlotLine, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    frame: tuple[int, int, int, int] = field(default=(LEFT, TOP, WIDTH - RIGHT, HEIGHT - BOTTOM))


class _Scale:
    """From numbers to places on a plot."""

    def __init__(self, low: float, high: float, start: float, stop: float):
        if not high > low:
            low, high = low - 0.5, high + 0.5
        self.low, self.high, self.start, self.stop = low, high, start, stop

    def __call__(self, values):
        return self.start + (np.asarray(values, float) - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self, count: int) -> list[float]:
        """Round numbers within the scale."""
        raw = (self.high - self.low) / count
        size = 10.0 ** math.floor(math.log10(raw))
        step = next(size * one for one in (1, 2, 5, 10) if size * one >= raw)
        first = math.ceil(self.low / step - 1e-9)
        return [step * number for number in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _placed(scale, *, logarithm=False):
    """Place and text of the ticks of a scale; those of a logarithm are whole powers of ten, or halves of one."""
    if not logarithm:
        return tuple((round(float(scale(one)), 1), f"{one:.6g}") for one in scale.ticks(5))
    powers = range(math.floor(scale.low), math.ceil(scale.high) + 1)
    found = [(one, f"{10.0**one:g}") for one in powers if scale.low <= one <= scale.high]
    return tuple((round(float(scale(one)), 1), text) for one, text in found)


def _path(x, y, *, points):
    """A path through places, or dots at them; what is not finite is left out."""
    known = np.isfinite(x) & np.isfinite(y)
    places = [f"{one:.1f},{two:.1f}" for one, two in zip(x[known], y[known], strict=True)]
    if points:
        return "".join(f"M{place}h0" for place in places)
    return "M" + "L".join(places) if places else ""


def _plot(title: str, labels: tuple[str, str], x: _Scale, y: _Scale, lines: Sequence[PlotLine], *, log: bool) -> Plot:
    return Plot(title, *labels, _placed(x), _placed(y, logarithm=log), tuple(one for one in lines if one.path))


def _scales(x_values, y_values):
    x, y = (np.asarray(values, float)[np.isfinite(values)] for values in (x_values, y_values))
    (low, high), (down, up) = ((float(one.min()), float(one.max())) if one.size else (0.0, 1.0) for one in (x, y))
    return _Scale(low, high, LEFT, WIDTH - RIGHT), _Scale(down, up, HEIGHT - BOTTOM, TOP)


def catalog_charts(found: CatalogFindings) -> list[Plot]:
    """Number counts, star sequence, and errors against magnitudes of a catalog.

    Parameters
    ----------
    found : CatalogFindings
        Of the catalog.

    Returns
    -------
    list of Plot
        Those for which there are sources.
    """
    made = [_counts_chart(found)] if len(found.quality.counts) else []
    if np.any(np.isfinite(found.size) & np.isfinite(found.magnitude)):
        made.append(_sizes_chart(found))
    if np.any(np.isfinite(found.magnitude)):
        made.append(_errors_chart(found))
    return made


def _counts_chart(found):
    quality = found.quality
    edges, counts = quality.edges, np.maximum(quality.counts, 0.5)
    x, y = _scales(edges, np.concatenate([np.log10(counts), [math.log10(0.5), 1.0]]))
    steps = _path(x(np.repeat(edges, 2)[1:-1]), y(np.log10(np.repeat(counts, 2))), points=False)
    lines = [PlotLine(steps, "line", "sources")]
    if quality.slope:
        start, slope = quality.slope
        promised = start + slope * edges
        inside = promised <= y.high
        lines.append(
            PlotLine(_path(x(edges[inside]), y(promised[inside]), points=False), "dashed", "line of bright ones")
        )
    if math.isfinite(quality.complete_50):
        place = float(x(quality.complete_50))
        lines.append(PlotLine(f"M{place:.1f},{TOP}V{HEIGHT - BOTTOM}", "ruled", "half complete"))
    return _plot("Number counts", ("AB magnitude", "per 0.5 mag"), x, y, lines, log=True)


def _sizes_chart(found):
    middle = found.quality.star_size
    high = np.nanpercentile(found.size[np.isfinite(found.size)], 95)
    high = max(high, 2 * middle) if math.isfinite(middle) else high
    x, y = _scales(found.magnitude, [0.0, float(high) or 1.0])
    size = np.where((found.size >= 0) & (found.size <= y.high), found.size, np.nan)
    lines = [
        PlotLine(_path(x(found.magnitude[chosen]), y(size[chosen]), points=True), look, name)
        for chosen, look, name in ((found.extended, "faint points", "extended"), (~found.extended, "points", "points"))
    ]
    if math.isfinite(middle):
        lines.append(PlotLine(f"M{LEFT},{float(y(middle)):.1f}H{WIDTH - RIGHT}", "ruled", "bright stars"))
    return _plot("Star sequence", ("AB magnitude", found.size_name), x, y, lines, log=False)


def _errors_chart(found):
    error = np.log10(np.where(found.error > 0, found.error, np.nan))
    at = math.log10(2.5 / math.log(10) / 5)
    x, y = _scales(found.magnitude, np.concatenate([error, [at]]))
    lines = [
        PlotLine(_path(x(found.magnitude), y(error), points=True), "points", "sources"),
        PlotLine(f"M{LEFT},{float(y(at)):.1f}H{WIDTH - RIGHT}", "ruled", "S/N 5"),
    ]
    return _plot("Errors", ("AB magnitude", "error [mag]"), x, y, lines, log=True)


def depth_chart(depths: np.ndarray) -> Plot:
    """How many pixels of a mosaic have so many images.

    Parameters
    ----------
    depths : ndarray of int (most + 1,)
        Pixels with 0, 1, 2 … images.

    Returns
    -------
    Plot
    """
    share = 100 * depths / max(1, depths.sum())
    x, y = _scales([-0.5, len(depths) - 0.5], [0.0, float(share.max(initial=1))])
    bars = "".join(
        f"M{float(x(number - 0.4)):.1f},{HEIGHT - BOTTOM}V{float(y(value)):.1f}H{float(x(number + 0.4)):.1f}"
        f"V{HEIGHT - BOTTOM}Z"
        for number, value in enumerate(share)
    )
    return _plot("Depth", ("images in a pixel", "% of pixels"), x, y, [PlotLine(bars, "area", "")], log=False)


@dataclass(frozen=True)
class Arrows:
    """Moves of stars on an image, much longer than they are.

    Attributes
    ----------
    layers : tuple of (str, str)
        Name and path of each layer: ``before`` and ``after``.
    scale : str
        How long the bar is.
    bar : float
        Its length on the plot, of which the side is 200.
    """

    layers: tuple[tuple[str, str], ...]
    scale: str
    bar: float


SIDE = 200


def arrows_of(found: AlignmentFindings) -> Arrows | None:
    """The offsets of stars before and after the alignment; without others to compare with what it moved.

    Parameters
    ----------
    found : AlignmentFindings
        Of the image.

    Returns
    -------
    Arrows or None
        None without stars.
    """
    if found.pixels is None or (found.offsets is None and found.field is None):
        return None
    if found.offsets is not None:
        places = found.pixels[found.offsets.star][:ARROWS]
        layers = {"before": found.offsets.before[:ARROWS], "after": found.offsets.after[:ARROWS]}
    else:
        places, layers = found.pixels[:ARROWS], {"moved": found.field.moves[:ARROWS]}  # type: ignore[union-attr]
    lengths = np.concatenate([np.hypot(*moves.T) for moves in layers.values()])
    lengths = lengths[np.isfinite(lengths)]
    longest = float(np.percentile(lengths, 90)) if lengths.size else 0.0
    longest = longest or 1.0
    unit = 10.0 ** math.floor(math.log10(longest))
    bar = next(unit * one for one in (1, 2, 5, 10) if unit * one >= longest)
    pixels = 30 / bar
    return Arrows(
        tuple((name, _arrows(places, np.clip(moves * pixels, -90, 90))) for name, moves in layers.items()),
        f"{bar:g} mas",
        bar * pixels,
    )


def _arrows(places, moves):
    """Lines from places in the image, a dot at their beginning."""
    known = np.isfinite(places).all(axis=1) & np.isfinite(moves).all(axis=1)
    x, y = places[known, 0] * SIDE, (1 - places[known, 1]) * SIDE
    east, north = moves[known].T
    return "".join(
        f"M{one:.1f},{two:.1f}h0l{-three:.1f},{-four:.1f}"
        for one, two, three, four in zip(x, y, east, north, strict=True)
    )


def read_bars(found: ExposureFindings) -> list[tuple[float, float]]:
    """The resultants or groups of a read pattern as bars.

    Parameters
    ----------
    found : ExposureFindings
        Of the exposure.

    Returns
    -------
    list of (float, float)
        Start and width of each, of which all together are 280 wide.
    """
    if not found.reads:
        return []
    last = max(stop for _start, stop in found.reads)
    step = WIDTH / max(1, last)
    return [(round((start - 1) * step, 1), round(max(0.8, (stop - start + 1) * step - 0.6), 1)) for start, stop in
            found.reads[:200]]  # fmt: skip
