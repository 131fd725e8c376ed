"""Marks of a catalog's sources on a picture: one for each kind of source."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtools.show.overlay import CLASSES

__all__ = ["draw_sources"]

MARKS = {"point": ("o", "#40ff40"), "extended": ("s", "#30d0ff"), "flagged": ("D", "#ff5050")}
"""Shape and colour of each of `CLASSES`; they differ in shape as well, for those who see few colours."""


def draw_sources(
    figure: Any, axes: Any, placed: tuple[np.ndarray, np.ndarray | None], size: float, *, legend: str | None
) -> None:
    """Mark sources.

    Parameters
    ----------
    figure, axes : matplotlib objects
        Those of the image, whose limits are set.
    placed : (ndarray (2, n), ndarray of int (n,) or None)
        x and y of the sources, and their classes; without classes all are points.
    size : float
        Area of a mark, in square points.
    legend : str or None
        Kind of the image below which the marks are explained; None for no legend. That of flags is below, too, so that
        marks are explained above these.
    """
    (x, y), classes = placed
    low, high = axes.get_xlim(), axes.get_ylim()
    inside = (x >= low[0]) & (x <= low[1]) & (y >= high[0]) & (y <= high[1])
    for number, name in enumerate(CLASSES):
        chosen = inside if classes is None else inside & (classes == number)
        if classes is None and number:
            break
        if chosen.any():
            shape, colour = MARKS[name]
            axes.scatter(x[chosen], y[chosen], s=size, marker=shape, facecolors="none", edgecolors=colour,
                         linewidths=0.9, label=f"{name} ({np.count_nonzero(chosen)})")  # fmt: skip
    if classes is not None and legend and inside.any():
        place = "outside upper center" if legend == "flags" else "outside lower center"
        made = figure.legend(*axes.get_legend_handles_labels(), loc=place, ncols=3, fontsize=8, frameon=False)
        for handle in made.legend_handles:
            handle.set_sizes([40])
