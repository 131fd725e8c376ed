"""A sheet of stamps: cutouts of one or many images beside each other, each with its name and its own stretch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_stamps"]

UNKNOWN = "#3d5a8a"
"""Colour of what is NaN: no shade of grey, which noise has, too."""

SIZE = 1.9
"""Inches of a stamp with its name."""


def plot_stamps(stamps: Sequence[tuple[str, np.ndarray]]) -> Figure:
    """Draw cutouts on one sheet.

    Parameters
    ----------
    stamps : sequence of (str, ndarray)
        Name of each, and its pixels: rows from the bottom; what is NaN is blue.

    Returns
    -------
    matplotlib.figure.Figure
        About as wide as high. The brightness of each stamp goes from its 1st percentile, asinh, to its brightest pixel.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    columns = max(1, int(np.ceil(np.sqrt(len(stamps)))))
    rows = -(-len(stamps) // columns)
    figure = Figure(figsize=(SIZE * columns + 0.2, (SIZE + 0.2) * rows + 0.2), layout="constrained")
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    colours = colormaps["gray"].with_extremes(bad=UNKNOWN)
    for place in places:
        place.set_axis_off()
    for place, (name, pixels) in zip(places, stamps, strict=False):
        place.imshow(_stretched(pixels), origin="lower", cmap=colours, vmin=0, vmax=1, interpolation="nearest")
        place.set_title(name, fontsize=6, pad=2)
    return figure


def _stretched(pixels):
    """Values from 0 to 1 on a scale of asinh, linear within the noise."""
    values = np.asarray(pixels, np.float64)
    known = values[np.isfinite(values)]
    if not known.size:
        return values
    low, middle, high = np.percentile(known, [1, 50, 100])
    scale = max(middle - low, np.finfo(float).tiny)
    with np.errstate(invalid="ignore", over="ignore"):
        return np.arcsinh((values - low) / scale) / max(np.arcsinh((high - low) / scale), np.finfo(float).tiny)
