"""Tables of positions in an image: on the sky, in pixels of either frame, and how pixels lie there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.astrometry.pixels import geometry_at, on_image, pixels_to_sky, sky_to_pixels
from rtools.wfi.frame import BORDER

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import ArrayLike

__all__ = ["located"]

UNITS = {"ra": "deg", "dec": "deg", "scale": "arcsec", "area": "arcsec2", "north": "deg"}

MEANINGS = {
    "ra": "Right ascension, ICRS",
    "dec": "Declination, ICRS",
    "x": "Column in the file, from 0, centres of pixels whole",
    "y": "Row in the file, from 0, centres of pixels whole",
    "inside": "Whether the file has this pixel",
    "scale": "Length of a step of one pixel, geometric mean of x and y",
    "area": "Of a pixel on the sky",
    "north": "Direction of north, from +y toward -x",
}


def located(
    wcs: Any,
    shape: tuple[int, int],
    *,
    frame: str | None = None,
    origin: tuple[int, int] = (0, 0),
    sky: tuple[ArrayLike, ArrayLike] | None = None,
    pixel: tuple[ArrayLike, ArrayLike] | None = None,
    names: Mapping[str, ArrayLike] | None = None,
) -> Table:
    """Positions in an image.

    Parameters
    ----------
    wcs : gwcs.WCS or rtools.products.jwst.sky.ImageSky
        Of the image.
    shape : (int, int)
        Its rows and columns.
    frame : {"l1", "l2"}, optional
        Frame of the detector that its pixels count in; None for mosaics and other missions.
    origin : (int, int)
        Column and row of its first pixel in the frame without border.
    sky : (array_like, array_like), optional
        Right ascensions and declinations, degrees.
    pixel : (array_like, array_like), optional
        Instead: x and y, pixels. With neither, the centre and the corners are located.
    names : mapping of str to array_like, optional
        One column that names the rows.

    Returns
    -------
    astropy.table.Table
        With units and descriptions: the names, ``ra``, ``dec``, ``x``, ``y``, ``inside``, the pixel in the other frame,
        ``scale``, ``area``, ``north``. What a position does not have is NaN.
    """
    from astropy.table import Table

    if sky is None and pixel is None:
        top, right = shape[0] - 1, shape[1] - 1
        pixel = np.array([right / 2, 0, right, right, 0]), np.array([top / 2, 0, 0, top, top])
        names = {"position": ["centre", "corner 1", "corner 2", "corner 3", "corner 4"]}
    if sky is not None:
        ra, dec = (np.asarray(one, np.float64) for one in sky)
        x, y = sky_to_pixels(wcs, ra, dec)
    else:
        x, y = (np.asarray(one, np.float64) for one in pixel)  # type: ignore[union-attr]
        ra, dec = pixels_to_sky(wcs, x, y)
    inside = on_image(shape, x, y)
    found = dict(names or {}) | {"ra": ra, "dec": dec, "x": x, "y": y, "inside": inside}
    found |= _other_frame(x, y, frame, origin)
    there = geometry_at(wcs, x, y)
    found |= {"scale": np.sqrt(there.area), "area": there.area, "north": there.north}
    table = Table(found)
    for name in table.colnames:
        table[name].unit, table[name].description = UNITS.get(name), MEANINGS.get(name)
    return table


def _other_frame(x, y, frame, origin):
    """The same pixels in the frame of the detector that is not that of the file, and of a cutout in its own, too."""
    if frame is None:
        return {}
    inner = x + origin[0], y + origin[1]
    found = {"x_l1": inner[0] + BORDER, "y_l1": inner[1] + BORDER, "x_l2": inner[0], "y_l2": inner[1]}
    whole = (-BORDER, -BORDER) if frame == "l1" else (0, 0)
    own = f"_{frame}" if tuple(origin) == whole else "_none"
    return {name: values for name, values in found.items() if not name.endswith(own)}
