"""Several images side by side in one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import UsageError
from rtools.show import plot
from rtools.show.stretch import find_limits, shrink
from rtools.show.view import load_overlays, load_shown
from rtools.show.wishes import IMAGE, Wishes, meant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.products.io.face import ProductFace
    from rtools.show.image import ShownPlane

__all__ = ["plot_panels"]

MOST = 36
"""Panels in one picture, at most; more would be too small to show anything."""

WIDE = 20.0
"""Inches of the whole picture along its longer side, at most."""


class _Panel(NamedTuple):
    """One image, and what lies over it."""

    image: ShownPlane
    over: dict[str, Any]


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
    panels = [_load(product, replace(wishes, array=name), tell) for product in products for name in names]
    across = len(names) if min(len(products), len(names)) > 1 else int(np.ceil(np.sqrt(count)))
    return _drawn(panels, across, wishes, _shared_limits(panels, wishes, each=each))


def _load(product, wishes, tell):
    """A panel of no more pixels than are drawn: overlays are those of the whole image."""
    own = meant(product, wishes, IMAGE[product.mission])
    image = load_shown(product, own, tell, None)
    return _Panel(image, dict(load_overlays(product, image, own, tell)))


def _shared_limits(panels, wishes, *, each):
    """The limits of every panel as text; those of one array and unit are the same unless each has its own."""
    if each:
        return [wishes.limits] * len(panels)
    known: dict[tuple[str, str], str | None] = {}
    for image, _over in panels:
        key = image.name.partition(",")[0], image.unit
        if image.kind == "image" and key not in known:
            factor = max(1, -(-max(image.data.shape) // plot.SIDE))
            low, high = find_limits(shrink(image.data, factor), wishes.limits, wishes.stretch)
            known[key] = f"{low!r},{high!r}" if low < high else None
    return [known.get((image.name.partition(",")[0], image.unit)) for image, _over in panels]


def _drawn(panels, across, wishes, limits):
    from matplotlib.figure import Figure

    down = -(-len(panels) // across)
    tall = float(np.clip(np.median([image.data.shape[0] / image.data.shape[1] for image, _over in panels]), 0.25, 2.5))
    width = min(6.0, WIDE / across, WIDE / (down * tall))
    figure = Figure(figsize=(across * (width + 0.9), down * (width * tall + 0.7)), layout="constrained")
    if wishes.title is not None:
        figure.suptitle(wishes.title)
    places = np.ravel(figure.subfigures(down, across, squeeze=False))
    side = max(200, int(width * plot.DPI))
    for place, (image, over), own in zip(places, panels, limits, strict=False):
        look = {"stretch": wishes.stretch, "limits": own, "cmap": wishes.cmap, "title": None, "bare": wishes.bare}
        axes = place.add_subplot()
        if wishes.bare:
            axes.set_axis_off()
        factor = max(1, -(-max(image.data.shape) // side))
        plot.paint_image(place, axes, image, factor, **look, **over, grid=wishes.grid)
    return figure
