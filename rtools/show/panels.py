"""Several images side by side in one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import UsageError
from rtools.show import plot
from rtools.show.stretch import find_limits, shrink
from rtools.show.view import load_overlays, load_shown
from rtools.show.wishes import IMAGE, Wishes, meant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.products.io.face import ProductFace

__all__ = ["plot_panels"]

MOST = 36
"""Panels in one picture, at most; more would be too small to show anything."""

WIDE = 20.0
"""Inches of the whole picture along its longer side, at most."""


def plot_panels(
    products: Sequence[ProductFace], wishes: Wishes, tell: Callable[[str, str], None], *, each: bool = False
) -> Figure:
    """A picture with a panel for every array of every product.

    Parameters
    ----------
    products : sequence of rtools.products.io.ProductFace
        Opened.
    wishes : rtools.show.wishes.Wishes
        What is asked for; `array` may name several, separated by commas.
    tell : callable
        Takes level and text of a message.
    each : bool
        Each panel has limits of its own. Otherwise panels of one array have the limits of the first of them.

    Returns
    -------
    matplotlib.figure.Figure
        Several arrays of several products stand in a row for each product; all else fills the rows from the left.

    Raises
    ------
    UsageError
        There is one panel only, or there are too many.
    """
    names = [name.strip() or None for name in (wishes.array or "").split(",")]
    count = len(products) * len(names)
    if not 1 < count <= MOST:
        raise UsageError(
            f"--panels takes 2 to {MOST} panels; {count} are asked for", mend="several files or --array A,B"
        )
    asked = [(product, replace(wishes, array=name)) for product in products for name in names]
    across = len(names) if min(len(products), len(names)) > 1 else int(np.ceil(np.sqrt(count)))
    return _drawn(asked, across, tell, each=each)


def _drawn(asked, across, tell, *, each):
    """Panels one after the other, so that no more than one image is in memory; the first says their shape."""
    from matplotlib.figure import Figure

    down, wishes = -(-len(asked) // across), asked[0][1]
    figure: Any = None
    limits: dict[tuple[str, str], str | None] = {}
    for number, (product, own) in enumerate(asked):
        own = meant(product, own, IMAGE[product.mission])
        image = load_shown(product, own, tell)
        over = load_overlays(product, image, own, tell)
        if figure is None:
            tall = float(np.clip(image.data.shape[0] / image.data.shape[1], 0.25, 2.5))
            width = min(6.0, WIDE / across, WIDE / (down * tall))
            size = across * (width + 0.9), down * (width * tall + 0.7)
            figure = Figure(figsize=size, layout="constrained")
            places = np.ravel(figure.subfigures(down, across, squeeze=False))
            side = max(200, int(width * plot.DPI))
        look = {"stretch": wishes.stretch, "limits": _limits(image, wishes, None if each else limits)}
        look |= {"cmap": wishes.cmap, "title": None, "bare": wishes.bare, "grid": wishes.grid}
        axes = places[number].add_subplot()
        if wishes.bare:
            axes.set_axis_off()
        factor = max(1, -(-max(image.data.shape) // side))
        plot.paint_image(places[number], axes, image, factor, **look, **over)
        del image, over  # before the next is read
    if wishes.title is not None:
        figure.suptitle(wishes.title)
    return figure


def _limits(image, wishes, known):
    """Limits of a panel as text: those of the first of its array and unit, or its own where none are `known`."""
    if known is None or image.kind != "image":
        return wishes.limits
    key = image.name.partition(",")[0], image.unit
    if key not in known:
        factor = max(1, -(-max(image.data.shape) // plot.SIDE))
        low, high = find_limits(shrink(image.data, factor), wishes.limits, wishes.stretch)
        known[key] = f"{low!r},{high!r}" if low < high else None
    return known[key]
