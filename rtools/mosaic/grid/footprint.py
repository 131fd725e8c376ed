"""The outline of an image on the sky, its curved sides given by several points."""

import numpy as np

from rtools.errors import InputError
from rtools.wfi.gwcs_frames import box_of

__all__ = ["footprint", "outline"]

POINTS = 8
"""On each side: one that bulges by 50 pixels then stays within a pixel of its chords."""


def footprint(wcs, shape=None, *, points=POINTS):
    """Polygon of an image on the sky.

    Parameters
    ----------
    wcs : gwcs.WCS
    shape : tuple of int, optional
        (rows, columns) of the image; its edges limit the bounding box, and stand for it where there is none.
    points : int
        Points on each side, the corner at its beginning included.

    Returns
    -------
    ra, dec : ndarray float64 (4 · points,)
        Degrees, round the outer edges of the edge pixels: from (low x, low y) along x.

    Raises
    ------
    InputError
        Neither bounding box nor shape, or an edge that is nowhere on the sky.
    """
    x, y = outline(*_box(wcs, shape), points=points)
    ra, dec = wcs(x, y, with_bounding_box=False)
    if not np.all(np.isfinite(ra) & np.isfinite(dec)):
        raise InputError("its WCS gives no position for an edge of the image")
    return np.asarray(ra) % 360, np.asarray(dec)


def _box(wcs, shape):
    """((x0, x1), (y0, y1)): the bounding box, within the image."""
    edges = None if shape is None else ((-0.5, shape[1] - 0.5), (-0.5, shape[0] - 0.5))
    if wcs.bounding_box is None:
        if edges is None:
            raise InputError("its WCS has no bounding box")
        return edges
    box = box_of(wcs)
    if edges is None:
        return box
    return tuple((max(low, first), min(high, last)) for (low, high), (first, last) in zip(box, edges, strict=True))


def outline(x_limits, y_limits, *, points=POINTS):
    """Points round a rectangle, x and y: `points` on each side, the corner at its beginning included."""
    (x0, x1), (y0, y1) = x_limits, y_limits
    along = np.arange(points) / points
    still = np.zeros(points)
    x = np.concatenate([along, still + 1, 1 - along, still])
    y = np.concatenate([still, along, still + 1, 1 - along])
    return x0 + x * (x1 - x0), y0 + y * (y1 - y0)
