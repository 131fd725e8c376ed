"""The outline of an image on the sky, its curved sides given by several points."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.wfi.gwcs_frames import box_of

__all__ = ["footprint", "outline"]

POINTS = 8
"""On each side: one that bulges by 50 pixels then stays within a pixel of its chords."""


def footprint(wcs: Any, shape: Sequence[int] | None = None, *, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """Polygon of an image on the sky.

    Parameters
    ----------
    wcs : gwcs.WCS
        Of the image; pixels to degrees.
    shape : tuple of int, optional
        (rows, columns) of the image; its edges limit the bounding box, and stand for it where there is none.
    points : int
        Points on each side, the corner at its beginning included.

    Returns
    -------
    (ndarray float64, ndarray float64)
        Right ascension and declination, degrees, (4 · points,) each: round the outer edges of the edge pixels, from
        (low x, low y) along x.

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


def outline(
    x_limits: tuple[float, float], y_limits: tuple[float, float], *, points: int = POINTS
) -> tuple[np.ndarray, np.ndarray]:
    """Points round a rectangle.

    Parameters
    ----------
    x_limits, y_limits : (float, float)
        Lower and upper edge.
    points : int
        Points on each side, the corner at its beginning included.

    Returns
    -------
    (ndarray float64, ndarray float64)
        x and y, (4 · points,) each; from (low x, low y) along x.
    """
    (x0, x1), (y0, y1) = x_limits, y_limits
    along = np.arange(points) / points
    still = np.zeros(points)
    x = np.concatenate([along, still + 1, 1 - along, still])
    y = np.concatenate([still, along, still + 1, 1 - along])
    return x0 + x * (x1 - x0), y0 + y * (y1 - y0)
