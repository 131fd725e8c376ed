"""Sizes of pixels on the sky."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rtools.mosaic.grid.freegrid import invert
from rtools.wfi.gwcs_frames import box_of
from rtools.wfi.sphere import to_plane, unit_vectors

__all__ = ["mean_pixel_area", "native_scale", "pixel_scale_ratio"]

SPACING = 15
"""Pixels between points on the edge of an image."""


def native_scale(wcs: Any, position: Sequence[float] | None = None) -> float:
    """Pixel scale of a WCS, degrees: square root of (length of a step in x) × (length of a step in y).

    Parameters
    ----------
    wcs : callable
        Pixel to sky.
    position : (float, float), optional
        Right ascension and declination where it is taken (ra_ref, dec_ref); by default the middle of the bounding box.

    Returns
    -------
    float
        Degrees.
    """
    options = {"with_bounding_box": False} if hasattr(wcs, "bounding_box") else {}
    if position is None:
        x, y = (sum(edge) / 2 for edge in box_of(wcs))
    else:
        x, y = (float(part) for part in invert(wcs, position[0], position[1]))
    ra, dec = wcs(np.array([x, x + 1, x]), np.array([y, y, y + 1]), **options)
    xi, eta = to_plane(ra, dec, (ra[0], dec[0]))
    across = np.hypot(xi, eta)[1:]
    return float(np.rad2deg(np.sqrt(across[0] * across[1])))


def pixel_scale_ratio(scale: float, pixel_area: float) -> float:
    """Output over input pixel scale (linear).

    Parameters
    ----------
    scale : float
        Of the output, degrees: square root of its `mean_pixel_area`.
    pixel_area : float
        Of the input, sr: `photometry.pixel_area`, or the `mean_pixel_area` of its WCS where that is not known.

    Returns
    -------
    float
        Above 1 where the pixels of the output are larger.
    """
    return float(np.deg2rad(scale) / np.sqrt(pixel_area))


def mean_pixel_area(wcs: Any, shape: Sequence[int] | None = None) -> float:
    """Mean area of the pixels of a WCS, sr: that of the polygon around the image, over the number of pixels.

    Parameters
    ----------
    wcs : gwcs.WCS or callable
        Pixel to right ascension and declination.
    shape : (int, int), optional
        Rows and columns; by default the bounding box.

    Returns
    -------
    float
        Steradians.
    """
    if shape is None:
        (x0, x1), (y0, y1) = ((low + 0.5, high - 0.5) for low, high in box_of(wcs))
    else:
        x0, x1, y0, y1 = 0.0, shape[1] - 1.0, 0.0, shape[0] - 1.0
    x, y = _around(x0, x1, y0, y1)
    options = {"with_bounding_box": False} if hasattr(wcs, "bounding_box") else {}
    ra, dec = wcs(x, y, **options)
    return _solid_angle(ra, dec) / ((x1 - x0) * (y1 - y0))


def _around(x0, x1, y0, y1):
    """Points along the edge of a rectangle."""
    count_x, count_y = (max(int(np.ceil(side / SPACING)), 4) for side in (x1 - x0, y1 - y0))
    xs, ys = np.linspace(x0, x1, count_x + 1), np.linspace(y0, y1, count_y + 1)
    x = np.concatenate([xs[:-1], np.full(count_y, x1), xs[:0:-1], np.full(count_y, x0)])
    y = np.concatenate([np.full(count_x, y0), ys[:-1], np.full(count_x, y1), ys[:0:-1]])
    return x, y


def _solid_angle(ra, dec):
    """Area of a polygon on the sphere (sr), as a fan of triangles about its middle."""
    unit = unit_vectors(ra, dec)
    middle = unit.mean(axis=0)
    middle /= np.linalg.norm(middle)
    after = np.roll(unit, -1, axis=0)
    # the triple product of small differences: vectors this close would cancel
    triple = np.cross(unit - middle, after - middle) @ middle
    sides = 1 + unit @ middle + after @ middle + np.sum(unit * after, axis=-1)
    return float(abs(np.sum(2 * np.arctan2(triple, sides))))
