"""Figures of images for files and talks: x to the right, row 0 at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from rtools.products.schema.nodes import readable
from rtools.show.compass_drawing import draw_compass
from rtools.show.region_shapes import draw_regions
from rtools.show.residuals import draw_residuals
from rtools.show.sky_lines import draw_sky_lines
from rtools.show.source_marks import draw_sources
from rtools.show.stretch import find_limits, normalisation, shrink
from rtools.show.terminal import FLAG_COLOURS, colour_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from rtools.products.io.staging import Stage
    from rtools.show.image import ShownPlane
    from rtools.show.region_shapes import ShownRegion
    from rtools.show.residuals import StarResiduals

__all__ = [
    "DPI", "SIDE", "colour_map", "extent_of", "paint_image", "plot_image", "save", "show_values", "stage_figure",
]  # fmt: skip

DPI = 150
"""Dots of an inch of a picture."""

SIDE = 1500
"""Pixels of an image are averaged until its longer side has no more than about so many."""

LEAST = 600
"""Dots along the longer side of a picture without axes, at least: small images are magnified."""

GREY = "0.55"
EDGES = "#30d0ff"


def plot_image(
    image: ShownPlane,
    *,
    stretch: str = "asinh",
    limits: str | None = None,
    cmap: str = "inferno",
    title: str | None = None,
    wcs: Any = None,
    grid: bool = False,
    compass: tuple[np.ndarray, np.ndarray, float] | None = None,
    sources: np.ndarray | None = None,
    classes: np.ndarray | None = None,
    outlines: np.ndarray | None = None,
    regions: Sequence[ShownRegion] | None = None,
    residuals: StarResiduals | None = None,
    colours: np.ndarray | None = None,
    bare: bool = False,
    side: int | None = None,
) -> Figure:
    """A figure of an image.

    Parameters
    ----------
    image : rtools.show.image.ShownPlane
        What is drawn.
    stretch, limits : str
        As in `rtools.show.stretch`.
    cmap : str
        A colour map of matplotlib.
    title : str, optional
        Instead of the file and the array.
    wcs : gwcs.WCS, optional
        Of the file's pixels; for `grid`.
    grid : bool
        Lines of equal right ascension and declination.
    compass : tuple, optional
        As `rtools.show.overlay.compass` gives it: arrows to north and east, and a bar of some arcseconds.
    sources : ndarray (2, n), optional
        x and y in pixels of the file, drawn as circles.
    classes : ndarray of int, optional
        Of sources, as `rtools.show.overlay.load_classed` gives them: each class has a mark of its own, and a legend.
    outlines : ndarray of bool, optional
        Pixels at the edge of segments.
    regions : sequence of rtools.show.region_shapes.ShownRegion, optional
        Lines and labels.
    residuals : rtools.show.residuals.StarResiduals, optional
        Arrows from sources to where a reference catalog has them.
    colours : ndarray uint8 (rows, columns, 3), optional
        Drawn instead of the image's values, which say the emptiest corners.
    bare : bool
        The image alone, without axes, title and bar of colours; a dot of the figure is a pixel of what is shown.
    side : int, optional
        Pixels are averaged until the longer side has no more; `SIDE` by default.

    Returns
    -------
    matplotlib.figure.Figure
    """
    factor = max(1, -(-max(image.data.shape) // (side or SIDE)))
    with_bar = image.kind == "image" and colours is None
    figure, axes = _bare_canvas(image, factor, min(LEAST, side or LEAST)) if bare else _canvas(image, bar=with_bar)
    look: dict[str, Any] = {
        "stretch": stretch,
        "limits": limits,
        "cmap": cmap,
        "title": title,
        "colours": colours,
        "bare": bare,
    }
    over: dict[str, Any] = {"wcs": wcs, "grid": grid, "compass": compass, "outlines": outlines, "regions": regions}
    over |= {"sources": sources, "classes": classes, "residuals": residuals}
    paint_image(figure, axes, image, factor, **look, **over)
    return figure


def paint_image(
    figure: Any,
    axes: Any,
    image: ShownPlane,
    factor: int,
    *,
    stretch: str,
    limits: str | None,
    cmap: str,
    title: str | None,
    wcs: Any,
    grid: bool,
    compass: tuple[np.ndarray, np.ndarray, float] | None,
    sources: np.ndarray | None,
    classes: np.ndarray | None,
    outlines: np.ndarray | None,
    regions: Sequence[ShownRegion] | None,
    residuals: StarResiduals | None,
    colours: np.ndarray | None = None,
    bare: bool = False,
) -> None:
    """Draw an image into axes that are there.

    Parameters
    ----------
    figure : matplotlib.figure.FigureBase
        Gets the legend of flags.
    axes : matplotlib.axes.Axes
        Where the image is drawn.
    image : rtools.show.image.ShownPlane
        What is drawn.
    factor : int
        So many pixels along each side are one dot.
    stretch, limits, cmap, title, wcs, grid, compass, sources, classes, outlines, regions, residuals, colours, bare
        As `plot_image` takes them.
    """
    rows, columns = image.data.shape
    extent = extent_of(image.data.shape, factor, image.x, image.y)
    if colours is not None:
        axes.imshow(colours, origin="lower", extent=extent, interpolation="nearest")
    elif image.kind == "flags":
        _show_flags(figure, axes, image, factor, extent, legend=not bare)
    else:
        show_values(figure, axes, image, (factor, extent), (stretch, limits, cmap), bar=not bare)
    if outlines is not None:
        _show_outlines(axes, image, outlines, factor, extent)
    axes.set_xlim(image.x - 0.5, image.x + columns - 0.5)
    axes.set_ylim(image.y - 0.5, image.y + rows - 0.5)
    if sources is not None:
        size = float(np.clip(40 * (1000 / max(rows, columns)) ** 1.2, 14, 250))
        draw_sources(figure, axes, (sources, classes), size, legend=None if bare else image.kind)
    if regions is not None:
        draw_regions(axes, regions)
    if residuals is not None:
        draw_residuals(axes, residuals)
    if grid:
        draw_sky_lines(axes, image, wcs)
    if compass is not None:
        draw_compass(axes, compass, image, sources)
    if not bare:
        _name_axes(figure, axes, image, title)


def _name_axes(figure, axes, image, title):
    axes.set(xlabel=image.axes[0], ylabel=image.axes[1])
    if image.places is not None:
        axes.set_aspect("auto")  # rows and columns are of different kinds
        _name_columns(axes, image)
    heading = title if title is not None else f"{image.title}  {image.name}"
    axes.set_title(_wrapped(readable(heading), figure), fontsize=10)


def _canvas(image, *, bar):
    """A figure and its axes, as wide and high as the image asks for."""
    from matplotlib.figure import Figure

    rows, columns = image.data.shape
    tall = float(np.clip(rows / columns, 0.25, 2.5)) if image.places is None else 0.6
    width = 8.0 if tall <= 1.25 else max(4.5, 10.0 / tall)
    figure = Figure(figsize=(width + (1.2 if bar else 0.4), width * tall + 0.8), layout="constrained")
    return figure, figure.add_subplot()


def _bare_canvas(image, factor, least):
    """A figure whose axes fill it, of a dot for each pixel that is shown, and of some hundred dots at least."""
    from matplotlib.figure import Figure

    rows, columns = (-(-length // factor) for length in image.data.shape)
    times = max(1, least // max(rows, columns))
    figure = Figure(figsize=(columns * times / DPI, rows * times / DPI), frameon=False)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    return figure, axes


def _name_columns(axes, image):
    """Round numbers of what the columns stand for, where these stand, instead of the numbers of the columns."""
    from matplotlib.ticker import MaxNLocator

    known = np.flatnonzero(np.isfinite(image.places))
    order = known[np.argsort(image.places[known], kind="stable")]
    if order.size < 2:
        return
    values = image.places[order]
    ticks = [value for value in MaxNLocator(8).tick_values(values[0], values[-1]) if values[0] <= value <= values[-1]]
    axes.set_xticks(image.x + np.interp(ticks, values, order), labels=[f"{value:.6g}" for value in ticks])


def _wrapped(text, figure):
    """A title in lines that the figure has room for."""
    from textwrap import fill

    return fill(text, int(11 * figure.bbox.width / figure.dpi))


def extent_of(shape: tuple[int, ...], factor: int, x: int = 0, y: int = 0) -> tuple[float, float, float, float]:
    """Edges of an array of blocks of pixels; those at the end reach beyond the image and are cut by the axes.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image.
    factor : int
        Pixels along each side of a block.
    x, y : int
        Of its first pixel.

    Returns
    -------
    (float, float, float, float)
        Left, right, lower and upper edge, pixels.
    """
    rows, columns = (-(-length // factor) * factor for length in shape)
    return x - 0.5, x + columns - 0.5, y - 0.5, y + rows - 0.5


def colour_map(name: str) -> Any:
    """A colour map in which what is not known is grey.

    Parameters
    ----------
    name : str
        As matplotlib calls it.

    Returns
    -------
    matplotlib.colors.ListedColormap
    """
    from matplotlib.colors import ListedColormap

    return ListedColormap(colour_table(name) / 255).with_extremes(bad=GREY)


def show_values(
    figure: Any, axes: Any, image: ShownPlane, scale: tuple[int, Any], settings: tuple[Any, ...], *, bar: bool
) -> Any:
    """Draw the values of an image in colours.

    Parameters
    ----------
    figure, axes : matplotlib objects
        Where it is drawn.
    image : rtools.show.image.ShownPlane
        Values, or labels of segments.
    scale : (int, tuple of float)
        So many pixels along each side are one dot; and left, right, lower and upper edge of what is drawn.
    settings : (str, str or None, str)
        Stretch, limits and colour map.
    bar : bool
        With a bar of the colours.

    Returns
    -------
    matplotlib.image.AxesImage
    """
    (factor, extent), (stretch, limits, cmap) = scale, settings
    shown = shrink(image.data, factor, highest=image.kind == "labels")
    if image.kind == "labels":
        limits, stretch = "0,255", "linear"
    norm = normalisation(*find_limits(shown, limits, stretch), stretch)
    norm.clip = False  # it would draw what is not a number as the highest value
    shown = np.clip(shown, norm.vmin, norm.vmax)
    drawn = axes.imshow(shown, origin="lower", cmap=colour_map(cmap), norm=norm, extent=extent, interpolation="nearest")
    if image.kind == "image" and bar:
        place = axes.inset_axes([1.02, 0, 0.03, 1])  # as high as the image
        colour_bar = figure.colorbar(drawn, cax=place)
        values, texts = _ticks(norm)
        colour_bar.set_ticks(values, labels=texts)
        colour_bar.minorticks_off()
        colour_bar.set_label(image.unit or image.name.partition(",")[0])
    return drawn


def _ticks(norm, count=7):
    """Values that stand evenly along the bar, rounded so that neighbours differ, and their texts."""
    values = np.asarray(norm.inverse(np.linspace(0, 1, count)), float)
    digits = [3 - int(np.ceil(np.log10(gap))) for gap in np.gradient(values)]
    rounded = [round(value, max(-12, digit - 1)) for value, digit in zip(values, digits, strict=True)]
    kept = [value for value in rounded if norm.vmin <= value <= norm.vmax]
    decimals = max((len(f"{value:.4g}".partition(".")[2]) for value in kept), default=0)
    wide = any("e" in f"{value:.4g}" for value in kept) or decimals > 5
    return kept, [f"{value:.4g}" if wide else f"{value:.{decimals}f}" for value in kept]


def _show_flags(figure, axes, image, factor, extent, *, legend):
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    colours = [(red / 255, green / 255, blue / 255) for red, green, blue in FLAG_COLOURS]
    shown = shrink(image.data, factor, highest=True)
    axes.imshow(shown, origin="lower", cmap=ListedColormap(colours), vmin=-0.5, vmax=len(colours) - 0.5,
                extent=extent, interpolation="nearest")  # fmt: skip
    patches = [
        Patch(facecolor=colours[number], label=f"{name} ({count})")
        for number, (name, count) in enumerate(image.classes, 1)
    ]
    if patches and legend:
        figure.legend(handles=patches, loc="outside lower center", ncols=3, fontsize=8, frameon=False)


def _show_outlines(axes, image, outlines, factor, extent):
    """Edges of segments as a transparent layer."""
    from matplotlib.colors import ListedColormap

    edge = shrink(outlines.astype(np.float32), factor, highest=True)
    layer = np.ma.masked_equal(edge, 0)
    axes.imshow(layer, origin="lower", cmap=ListedColormap([EDGES]), extent=extent, interpolation="nearest", alpha=0.9)


def save(figure: Figure, file: BinaryIO, format: str, *, dpi: float = DPI) -> None:
    """Write a figure into an open binary file, as large as what is drawn.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What is written.
    file : binary file object
        Open for writing.
    format : str
        As matplotlib calls it, such as ``png``.
    dpi : float
        Dots of an inch.
    """
    if not figure.get_frameon():  # bare: the image to its edge
        figure.savefig(file, format=format, dpi=dpi)
        return
    figure.savefig(file, format=format, dpi=dpi, bbox_inches="tight", pad_inches=0.12)


def stage_figure(figure: Figure, path: str | Path, format: str | None = None, *, dpi: float = DPI) -> Stage:
    """Write a figure under a temporary name.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What is written.
    path : str or Path
        The name it will have; its extension is the format.
    format : str, optional
        Another format.
    dpi : float
        Dots of an inch.

    Returns
    -------
    rtools.products.io.staging.Stage
        Not committed.

    Raises
    ------
    rtools.errors.RtoolsError
        It cannot be written; nothing is left of it.
    """
    from rtools.products.io.staging import Stage

    stage = Stage(path)
    with stage.open() as file:
        save(figure, file, format or Path(path).suffix[1:].lower(), dpi=dpi)
    return stage
