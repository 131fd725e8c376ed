"""Areas of the pixels of a detector, from its distortion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.wfi.frame import CENTRE
from rtools.wfi.units import ARCSEC

if TYPE_CHECKING:
    from rtools.simulate.pointing import Transform

__all__ = ["area_of", "centre_area", "divide"]

STEP = 64
"""Pixels between the places where the area is worked out; it is linear between them to 4e-6."""


def centre_area(transform: Transform) -> float:
    """Area of the pixel at the centre of a detector, sr.

    Parameters
    ----------
    transform : callable
        Distortion, pixel of the trimmed frame to V2, V3 in arcsec.

    Returns
    -------
    float
        The area that the pixel covers in the plane of V2 and V3, sr.
    """
    return area_of(transform, CENTRE, CENTRE)


def area_of(transform: Transform, x: float, y: float) -> float:
    """Area of a pixel, sr.

    Parameters
    ----------
    transform : callable
        As for `centre_area`.
    x, y : float
        Its place.

    Returns
    -------
    float
        The area that the pixel covers in the plane of V2 and V3, sr.
    """
    return float(_areas(transform, np.array([x]), np.array([y]))[0, 0])


def divide(image: np.ndarray, transform: Transform, unit: float) -> None:
    """Divide an image, in place, by the areas of its pixels.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
        The corner of the trimmed frame, or whatever the transform's pixels belong to.
    transform : callable
        As for `centre_area`.
    unit : float
        The area that is 1, sr.
    """
    rows, columns = image.shape
    along, nodes = (np.arange(0, size - 1 + STEP, STEP, dtype=float) for size in (rows, columns))
    values = _areas(transform, nodes, along) / unit
    across = np.stack([np.interp(np.arange(columns), nodes, row) for row in values])
    for y in range(rows):
        k, part = divmod(y, STEP)
        image[y] /= across[k] + part / STEP * (across[min(k + 1, len(along) - 1)] - across[k])


def _areas(transform, x, y):
    """Areas at columns x and rows y, sr; ndarray float64 (rows, columns)."""
    x, y = np.meshgrid(x, y)
    (a2, a3), (b2, b3) = (
        np.subtract(transform(x + dx, y + dy), transform(x - dx, y - dy)) for dx, dy in ((0.5, 0), (0, 0.5))
    )
    return np.abs(a2 * b3 - b2 * a3) * ARCSEC**2
