"""Figures of the distribution of an image's values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.products.schema.nodes import readable
from rtools.show.stretch import histogram

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.show.image import ShownPlane

__all__ = ["plot_histogram"]


def plot_histogram(
    image: ShownPlane, *, limits: str | None = None, title: str | None = None, bins: int = 200
) -> Figure:
    """A figure of the distribution of an image's values.

    Parameters
    ----------
    image : rtools.show.image.ShownPlane
        Whose values are counted.
    limits : str, optional
        As `rtools.show.stretch.find_limits` takes them; the central 99.8 percent by default.
    title : str, optional
        Instead of the file, the array and the region.
    bins : int
        At most so many.
    """
    from matplotlib.figure import Figure

    edges, counts, below, above = histogram(image.data, limits, bins)
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    axes.stairs(counts, edges, fill=True, color="tab:blue", alpha=0.85)
    axes.set_yscale("log" if counts.any() else "linear")
    values = image.data[np.isfinite(image.data)]
    if values.size:
        median = float(np.median(values))
        axes.axvline(median, color="tab:orange", lw=1.5, label=f"median {median:.5g}")
        axes.legend(frameon=False)
    name = image.name.partition(",")[0]
    axes.set(xlabel=f"{name} [{image.unit}]" if image.unit else name, ylabel="pixels", xlim=(edges[0], edges[-1]))
    notes = f"{counts.sum()} pixels shown, {below} below, {above} above, {image.bad} bad"
    heading = title if title is not None else f"{image.title}  {image.name}, {image.region}"
    axes.set_title(f"{readable(heading)}\n{notes}", fontsize=10)
    return figure
