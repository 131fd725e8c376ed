"""Options of the grid of a mosaic, for all tools that make or use one."""

import click

from rtools.commands.kit.grouping import titled
from rtools.errors import UsageError

__all__ = ["GRID_KEYS", "add", "grid_options", "wanted_grid"]

grid_options = titled(
    "Mosaic",
    click.option("--skycell", "skycells", multiple=True, metavar="NAME", help="Grid of a skycell."),
    click.option(
        "--like",
        metavar="FILE",
        help="Grid of another image, also with distortion, or of a bare WCS; weights of a mosaic.",
    ),
    click.option(
        "--sky",
        "--center",
        "center",
        allow_from_autoenv=False,
        metavar="RA,DEC",
        help="Tangent point, degrees or sexagesimal; with --size the middle of the grid.",
    ),
    click.option("--scale", type=float, metavar="ARCSEC", help="Pixel scale."),
    click.option("--scale-ratio", type=float, metavar="R", help="Pixel scale over that of the first exposure.  [1]"),
    click.option(
        "--size",
        metavar="NX,NY",
        allow_from_autoenv=False,  # RT_SIZE is that of rt-sim
        help="Pixels; otherwise all exposures are covered.",
    ),
    click.option("--pa", type=float, metavar="DEG", help="Position angle of +y; default that of the first exposure."),
    click.option("--crpix", metavar="X,Y", help="0-based pixel of the tangent point; with --size."),
)
"""The options of the grid, as one decorator: an association's own grid counts without them, else all are covered."""

GRID_KEYS = ("skycells", "like", "center", "scale", "scale_ratio", "size", "pa", "crpix")

add = titled(
    "Mosaic",
    click.option("--add", metavar="COADD", help="A mosaic that the images join; its grid, kernel, weights."),
)


def wanted_grid(options):
    """`rtools.pipeline.mosaic.grid.WantedGrid` and names of skycells; takes its options out of the dict."""
    from rtools.pipeline.mosaic.grid import WantedGrid

    values = {key: options.pop(key) for key in GRID_KEYS[1:]}
    values["center"] = _position(values["center"])
    for key in ("size", "crpix"):
        values[key] = _pair(key, values[key], int if key == "size" else float)
    for key in ("scale", "scale_ratio"):
        if values[key] is not None and not 0 < values[key] < float("inf"):
            raise UsageError(f"--{key.replace('_', '-')} {values[key]}: a positive number expected")
    cells = tuple(options.pop("skycells"))
    if cells and (values["like"] or WantedGrid(**values).free):
        raise UsageError("--skycell, --like and the options of a free grid exclude each other")
    return WantedGrid(**values), cells


def _position(text):
    """Right ascension and declination as they are typed, degrees."""
    if text is None:
        return None
    from rtools.astrometry.positions import parse_position

    return parse_position(str(text))


def _pair(key, text, kind):
    """Two numbers from ``a,b``."""
    if text is None:
        return None
    words = str(text).replace(",", " ").split()
    try:
        pair = tuple(kind(word) for word in words)
    except ValueError:
        pair = ()
    if len(pair) != 2 or not all(abs(value) < float("inf") for value in pair):
        raise UsageError(f"--{key} {text}: two numbers expected", mend="as in 5000,5000")
    if key == "size" and min(pair) < 1:
        raise UsageError(f"--size {text}: at least one pixel expected")
    return pair
