"""Lines of equal right ascension and declination over a picture of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.wfi.sphere import signed_turn

if TYPE_CHECKING:
    from rtools.show.image import ShownPlane

__all__ = ["draw_sky_lines"]

GRID = 129
"""Points along each axis where the sky position is computed for lines."""


def draw_sky_lines(axes: Any, image: ShownPlane, wcs: Any) -> None:
    """Draw lines of equal right ascension and declination, labelled where they run.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Those of the image.
    image : rtools.show.image.ShownPlane
        What is drawn in them.
    wcs : gwcs.WCS
        Pixels of the file to degrees.
    """
    from astropy import units
    from astropy.visualization.wcsaxes.formatter_locator import AngleFormatterLocator
    from matplotlib.patheffects import withStroke

    rows, columns = image.data.shape
    x = np.linspace(image.x - 0.5, image.x + columns - 0.5, GRID)
    y = np.linspace(image.y - 0.5, image.y + rows - 0.5, GRID)
    ra, dec = wcs(*np.meshgrid(x, y), with_bounding_box=False)
    middle = ra[GRID // 2, GRID // 2]
    ra = middle + signed_turn(ra - middle)  # no step inside the image but at a pole
    taken: list[np.ndarray] = []
    for values, unit, along in ((ra, units.hourangle, 0.3), (dec, units.deg, 0.6)):
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
        places = _label_places(lines, image, along, taken)
        for text in axes.clabel(lines, fmt=named, fontsize=9, inline_spacing=3, manual=places):
            text.set(alpha=1, path_effects=[withStroke(linewidth=2, foreground="black")])


def _label_places(lines, image, along, taken):
    """Where lines are labelled: some way along each, off the edges, other labels (`taken`), compass and bar."""
    rows, columns = image.data.shape
    low = np.array([image.x + 0.08 * columns, image.y + 0.27 * min(rows, columns)])
    high = np.array([image.x + 0.92 * columns, image.y + 0.92 * rows])
    for path in lines.get_paths():
        inside = path.vertices[np.all((path.vertices > low) & (path.vertices < high), axis=1)]
        if not len(inside):
            continue
        room = np.min([np.hypot(*(inside - other).T) for other in taken] or [np.full(len(inside), np.inf)], axis=0)
        wanted = np.abs(np.arange(len(inside)) - along * len(inside)) / len(inside)
        best = inside[np.argmin(wanted - np.minimum(room / (0.12 * max(rows, columns)), 1))]
        taken.append(best)
        yield tuple(best)
