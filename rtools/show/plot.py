"""Figures of images for files and talks: x to the right, row 0 at the bottom."""

import numpy as np

from rtools.errors import RtoolsError
from rtools.show.stretch import find_limits, histogram, normalisation, shrink
from rtools.show.terminal import FLAG_COLOURS, colour_table

__all__ = ["FORMATS", "plot_histogram", "plot_image", "require_matplotlib", "save"]

FORMATS = ("png", "pdf", "svg", "jpg")
DPI = 150
SIDE = 1500
"""Pixels of an image are averaged until its longer side has no more than about so many."""

GRID = 129
"""Points along each axis where the sky position is computed for lines."""

GREY = "0.55"
OVERLAY = "#40ff40"
EDGES = "#30d0ff"


def require_matplotlib():
    """Stop with one line where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise RtoolsError("pictures need matplotlib", mend="pip install matplotlib") from None


def plot_image(image, *, stretch="asinh", limits=None, cmap="inferno", title=None, wcs=None, grid=False,
               compass=None, sources=None, outlines=None):  # fmt: skip
    """A figure of an image.

    Parameters
    ----------
    image : rtools.show.image.Image
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
    outlines : ndarray of bool, optional
        Pixels at the edge of segments.

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    rows, columns = image.data.shape
    tall = float(np.clip(rows / columns, 0.25, 2.5))
    width = 8.0 if tall <= 1.25 else 10.0 / tall
    figure = Figure(figsize=(width + 1.2, width * tall + 0.8), layout="constrained")
    axes = figure.add_subplot()
    factor = max(1, -(-max(rows, columns) // SIDE))
    extent = _extent(image, factor)
    if image.kind == "flags":
        _show_flags(figure, axes, image, factor, extent)
    else:
        _show_values(figure, axes, image, factor, extent, (stretch, limits, cmap))
    if outlines is not None:
        _show_outlines(axes, image, outlines, factor, extent)
    axes.set_xlim(image.x - 0.5, image.x + columns - 0.5)
    axes.set_ylim(image.y - 0.5, image.y + rows - 0.5)
    if sources is not None:
        size = float(np.clip(40 * (1000 / max(rows, columns)) ** 1.2, 14, 250))
        axes.scatter(*sources, s=size, facecolors="none", edgecolors=OVERLAY, linewidths=0.9)
    if grid:
        _sky_lines(axes, image, wcs)
    axes.set(xlabel="x [pixel]", ylabel="y [pixel]")
    if compass is not None:
        _draw_compass(axes, compass, image)
    axes.set_title(title if title is not None else f"{image.title}  {image.name}", fontsize=10)
    return figure


def _extent(image, factor):
    """Edges of the shown array in pixels; blocks at the end reach beyond the image and are cut by the axes."""
    rows, columns = (-(-length // factor) * factor for length in image.data.shape)
    return image.x - 0.5, image.x + columns - 0.5, image.y - 0.5, image.y + rows - 0.5


def _show_values(figure, axes, image, factor, extent, settings):
    stretch, limits, cmap = settings
    shown = shrink(image.data, factor, highest=image.kind == "labels")
    if image.kind == "labels":
        limits, stretch = "0,255", "linear"
    norm = normalisation(*find_limits(shown, limits, stretch), stretch)
    from matplotlib.colors import ListedColormap

    colours = ListedColormap(colour_table(cmap) / 255).with_extremes(bad=GREY)
    drawn = axes.imshow(shown, origin="lower", cmap=colours, norm=norm, extent=extent, interpolation="nearest")
    if image.kind == "image":
        room = {"pad": 0.015, "aspect": 32, "fraction": 0.05, "shrink": 0.9}
        bar = figure.colorbar(drawn, ax=axes, extend="both", extendfrac=0.025, **room)
        bar.set_ticks(_ticks(norm), labels=[f"{value:.4g}" for value in _ticks(norm)])
        bar.minorticks_off()
        bar.set_label(image.unit or image.name.partition(",")[0])


def _ticks(norm, count=7):
    """Values that stand evenly along the bar, rounded so that neighbours differ."""
    values = np.asarray(norm.inverse(np.linspace(0, 1, count)), float)
    digits = [3 - int(np.ceil(np.log10(gap))) for gap in np.gradient(values)]
    rounded = [round(value, max(-12, digit - 1)) for value, digit in zip(values, digits, strict=True)]
    return [value for value in rounded if norm.vmin <= value <= norm.vmax]


def _show_flags(figure, axes, image, factor, extent):
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch

    colours = [tuple(part / 255 for part in colour) for colour in FLAG_COLOURS]
    shown = shrink(image.data, factor, highest=True)
    axes.imshow(shown, origin="lower", cmap=ListedColormap(colours), vmin=-0.5, vmax=len(colours) - 0.5,
                extent=extent, interpolation="nearest")  # fmt: skip
    patches = [
        Patch(facecolor=colours[number], label=f"{name} ({count})")
        for number, (name, count) in enumerate(image.classes, 1)
    ]
    if patches:
        figure.legend(handles=patches, loc="outside lower center", ncols=3, fontsize=8, frameon=False)


def _show_outlines(axes, image, outlines, factor, extent):
    """Edges of segments as a transparent layer."""
    from matplotlib.colors import ListedColormap

    edge = shrink(outlines.astype(np.float32), factor, highest=True)
    layer = np.ma.masked_equal(edge, 0)
    axes.imshow(layer, origin="lower", cmap=ListedColormap([EDGES]), extent=extent, interpolation="nearest", alpha=0.9)


def _sky_lines(axes, image, wcs):
    """Lines of equal right ascension and declination, labelled where they run."""
    from astropy import units
    from astropy.visualization.wcsaxes.formatter_locator import AngleFormatterLocator
    from matplotlib.patheffects import withStroke

    rows, columns = image.data.shape
    x = np.linspace(image.x - 0.5, image.x + columns - 0.5, GRID)
    y = np.linspace(image.y - 0.5, image.y + rows - 0.5, GRID)
    ra, dec = wcs(*np.meshgrid(x, y), with_bounding_box=False)
    middle = ra[GRID // 2, GRID // 2]
    ra = middle + (ra - middle + 180) % 360 - 180  # no step inside the image but at a pole
    for values, unit in ((ra, units.hourangle), (dec, units.deg)):
        if not np.isfinite(values).any():
            continue
        chosen = AngleFormatterLocator(number=5, unit=units.deg, format_unit=unit)
        levels, spacing = chosen.locator(np.nanmin(values), np.nanmax(values))
        words = chosen.formatter(levels % (360 * units.deg) if unit is units.hourangle else levels, spacing)
        levels = levels.to_value(units.deg)
        if not len(levels):
            continue
        lines = axes.contour(x, y, values, levels=levels, colors="white", linewidths=0.8, alpha=0.65)
        lines.set_path_effects([withStroke(linewidth=2, foreground="black", alpha=0.3)])  # seen on white too
        named = dict(zip(lines.levels, words, strict=True))
        for text in axes.clabel(lines, fmt=named, fontsize=9, inline_spacing=3):
            text.set(alpha=1, path_effects=[withStroke(linewidth=2, foreground="black")])


def _draw_compass(axes, compass, image):
    """Arrows to north and east in the lower left corner, a bar of a round number of arcseconds in the lower right."""
    north, east, scale = compass
    rows, columns = image.data.shape
    side = min(rows, columns)
    length = 0.085 * side
    centre = np.array([image.x, image.y]) + 0.13 * side - 0.4 * length * (north + east)
    _shade(axes, (image.x + 0.02 * side, image.y + 0.02 * side), 0.22 * side, 0.22 * side)
    write = {"color": "white", "ha": "center", "va": "center", "fontsize": 11, "zorder": 6}
    for name, direction in (("N", north), ("E", east)):
        arrow = {"arrowstyle": "-|>", "color": "white", "lw": 1.6, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", centre + length * direction, centre, arrowprops=arrow, zorder=6)
        axes.text(*(centre + 1.3 * length * direction), name, fontweight="bold", **write)
    arcsec = _round_number(0.2 * columns * scale)
    end, height = image.x + columns - 0.05 * side, image.y + 0.05 * side
    start = end - arcsec / scale
    _shade(axes, (start - 0.03 * side, image.y + 0.02 * side), end - start + 0.06 * side, 0.09 * side)
    axes.plot([start, end], [height, height], color="white", lw=2.5, solid_capstyle="butt", zorder=6)
    text = f"{arcsec / 60:g}′" if arcsec >= 60 else f"{arcsec:g}″"
    axes.text((start + end) / 2, height + 0.03 * side, text, **write)


def _shade(axes, corner, width, height):
    """A dark ground for what is to be read."""
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle(corner, width, height, facecolor="black", edgecolor="none", alpha=0.55, zorder=5))


def _round_number(value):
    """The largest of 1, 2, 5, 10 … (15, 30, 60 … beyond ten) that is no larger."""
    known = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600]
    return max((number for number in known if number <= value), default=value)


def plot_histogram(image, *, limits=None, title=None, bins=200):
    """A figure of the distribution of an image's values."""
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
    axes.set_title(f"{heading}\n{notes}", fontsize=10)
    return figure


def save(figure, file, format):
    """Write a figure into an open binary file."""
    figure.savefig(file, format=format, dpi=DPI)
