"""An image as the measurements take it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rtools.catalog import sky

__all__ = ["Image"]


@dataclass
class Image:
    """Planes of one image in its own unit, and what makes them nJy.

    Attributes
    ----------
    data : ndarray float32 (rows, columns)
        Less the background.
    err : ndarray float32
    mask : ndarray bool
        Pixels that cannot be used.
    smoothed : ndarray float32
        What moments are taken of.
    wcs : gwcs.WCS
    pixel_area_sr : float or None
        Steradian; None, or not positive: from the WCS.
    scale : float
        nJy per pixel in the unit of data.
    dq : ndarray uint32, optional
        Of an exposure.
    weight : ndarray float32, optional
        Of a mosaic.
    var_poisson : ndarray float32, optional
        Unit of data, squared; for the PSF fit.
    background : ndarray float32, optional
        What was subtracted; for the PSF fit.
    """

    data: np.ndarray
    err: np.ndarray
    mask: np.ndarray
    smoothed: np.ndarray
    wcs: Any
    pixel_area_sr: float | None = None
    scale: float = 1.0
    dq: np.ndarray | None = None
    weight: np.ndarray | None = None
    var_poisson: np.ndarray | None = None
    background: np.ndarray | None = None

    def __post_init__(self):
        self.data, self.err, self.smoothed = (
            np.ascontiguousarray(plane, np.float32) for plane in (self.data, self.err, self.smoothed)
        )
        self.mask = np.ascontiguousarray(self.mask, bool)

    @cached_property
    def grid(self):
        """`rtools.catalog.sky.Grid` of the image."""
        return sky.grid(self.wcs, self.data.shape, self.pixel_area_sr)
