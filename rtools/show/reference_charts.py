"""Tables of Roman's reference files as charts: throughput, aperture corrections, corrections of values, decays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.show.chart import Chart, Panel, Series
from rtools.show.names import shown_name
from rtools.wfi import AB_ZERO_MJY

if TYPE_CHECKING:
    from rtools.products.io import Product

__all__ = ["REFERENCE_CHARTS", "chart_reference"]

BINS = 512
"""Points of a line that stands for many frequencies."""

DECAY_S = 120.0
"""Seconds of a decay that are drawn."""


def chart_reference(product: Product) -> Chart:
    """The chart of a reference file that holds tables.

    Parameters
    ----------
    product : rtools.products.io.Product
        A reference file whose type is in `REFERENCE_CHARTS`, opened.

    Returns
    -------
    rtools.show.chart.Chart

    Raises
    ------
    InputError
        The file has no such tables.
    """
    node, make = REFERENCE_CHARTS[str(product.reftype)]
    label, panels = _frequencies(product) if make is None else make(_table(product, node))
    if not any(series.x.size for panel in panels for series in panel.series):
        raise InputError(f"its {node} holds nothing to be drawn", path=product.path)
    detector = (product.meta.get("instrument") or {}).get("detector")
    return Chart(f"{shown_name(product)}  {detector or ''}".strip(), label, panels)


def _table(product, node):
    """A node of the file as plain mappings, whose arrays have been read."""
    try:
        content = product.content[node]
    except KeyError:
        raise InputError(f"the node {node} is missing", path=product.path) from None
    plain = {name: dict(part) if isinstance(part, Mapping) else {} for name, part in content.items()}
    for name in product.arrays:
        first, *rest = name.split(".")
        if first == node and len(rest) == 2 and rest[0] in plain:
            plain[rest[0]][rest[1]] = np.asarray(product.array(name), float)
    if product.has("value"):
        plain["value"] = {"value": np.asarray(product.array("value"), float)}
    return plain


def _number(part, name):
    """A number of a table; NaN where it says none."""
    value = part.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else np.nan


def _pair(part, x, y):
    """Two columns of one table; empty where they are missing or differ in length."""
    one, two = part.get(x), part.get(y)
    if not (isinstance(one, np.ndarray) and isinstance(two, np.ndarray) and one.shape == two.shape and one.ndim == 1):
        return np.zeros(0), np.zeros(0)
    return one, two


def _photom(table: Mapping[str, Any]) -> tuple[str, tuple[Panel, ...]]:
    """Effective areas, and the magnitude of 1 DN/s at the mean wavelength of each element."""
    areas, means, points = [], [], []
    for element, part in table.items():
        wavelength, area = _pair(part, "wavelength", "effective_area")
        magnitude = -2.5 * np.log10(_positive(_number(part, "photmjsr") * _number(part, "pixelareasr")) / AB_ZERO_MJY)
        said = f"{element}  {magnitude:.3f} mag" if np.isfinite(magnitude) else element
        if wavelength.size:  # DARK has none
            areas.append(Series(said, wavelength, area, line=True))
        weight = area.sum()
        if np.isfinite(magnitude) and weight > 0:
            means.append(float((wavelength * area).sum() / weight))
            points.append(magnitude)
    zero = Series("", np.array(means), np.array(points))
    below = (Panel("AB magnitude of 1 DN/s", (zero,)),) if points else ()
    return "wavelength [um]", (Panel("effective area [m²]", tuple(areas)), *below)


def _positive(value):
    return value if value > 0 else np.nan


def _apcorr(table: Mapping[str, Any]) -> tuple[str, tuple[Panel, ...]]:
    panels: list[Panel] = []
    for column, label in (("ee_fractions", "share of light within"), ("ap_corrections", "aperture correction")):
        series = []
        for element, part in table.items():
            radius, value = _pair(part, "ee_radii", column)
            if radius.size:  # of DARK and dispersed light there is none
                series.append(Series("" if panels else element, radius, value, line=True))
        panels.append(Panel(label, tuple(series), logarithmic=column == "ap_corrections"))
    return "radius [arcsec]", tuple(panels)


def _nonlinearity(table: dict[str, Any]) -> tuple[str, tuple[Panel, ...]]:
    """The corrections of all channels: their median, how far they scatter, and those of a few."""
    value = table.pop("value", {}).get("value", np.zeros(0))
    rows = {name: part["correction"] for name, part in table.items() if part.get("correction", np.zeros(0)).shape ==
            value.shape}  # fmt: skip
    if not rows:
        return "value [DN]", (Panel("correction [DN]", ()),)
    stack = np.array(list(rows.values()))
    spread = Series("median and scatter of all channels", value, np.median(stack, axis=0), stack.std(axis=0),
                    line=True, band=True)  # fmt: skip
    names = list(rows)
    chosen = dict.fromkeys((names[0], names[len(names) // 2], names[-1]))
    single = tuple(Series(name.replace("_", " "), value, rows[name], line=True) for name in chosen)
    return "value [DN]", (Panel("correction [DN]", (spread,)), Panel("correction [DN]", single))


def _decay(table: Mapping[str, Any]) -> tuple[str, tuple[Panel, ...]]:
    time = np.linspace(0, DECAY_S, 121)
    series = []
    for name, part in table.items():
        amplitude, constant = _number(part, "amplitude"), _number(part, "time_constant")
        if np.isfinite(amplitude) and constant > 0:
            series.append(Series(name, time, amplitude * np.exp(-time / constant), line=True))
    return "time [s]", (Panel("signal [DN]", tuple(series)),)


def _frequencies(product: Product) -> tuple[str, tuple[Panel, ...]]:
    """Sizes of the coefficients of the reference pixel correction by frequency: of some channels, averaged in bins."""
    panels: list[Panel] = []
    for name in ("gamma", "zeta", "alpha"):
        shape = product.arrays[name].shape if product.has(name) else ()
        if len(shape) != 2 or 0 in shape:
            continue
        edges = np.unique(np.linspace(0, shape[1], min(BINS, shape[1]), endpoint=False).astype(int))
        counts = np.diff([*edges, shape[1]])
        channels = dict.fromkeys((0, shape[0] // 2, shape[0] - 1))
        lines = []
        for channel in channels:
            size = np.abs(product.rows(name, channel, channel + 1)[0]).astype(float)
            said = "" if panels else f"channel {channel + 1}"
            mean = np.add.reduceat(size, edges) / counts
            lines.append(Series(said, edges + (counts - 1) / 2, mean, line=True))
        panels.append(Panel(f"|{name}|", tuple(lines), logarithmic=True))
    return "Fourier component", tuple(panels)


REFERENCE_CHARTS: dict[str, tuple[str, Callable[[dict[str, Any]], tuple[str, tuple[Panel, ...]]] | None]] = {
    "refpix": ("gamma", None),
    "photom": ("phot_table", _photom),
    "apcorr": ("data", _apcorr),
    "integralnonlinearity": ("inl_table", _nonlinearity),
    "darkdecaysignal": ("decay_table", _decay),
}
"""Types of references that are drawn as charts, the node that holds their tables, and what makes panels of it; of
the correction by reference pixels arrays are drawn."""
