"""An image as the measurements take it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rtools.catalog.measure import sky
from rtools.errors import InputError
from rtools.wfi.dq import PIXEL
from rtools.wfi.units import NJY_PER_MJY, RADIAN_ARCSEC

__all__ = ["MJYSR_BRIGHTNESS", "Image", "errors_and_mask"]

MJYSR_BRIGHTNESS = np.float64(NJY_PER_MJY / RADIAN_ARCSEC**2)
"""nJy per square arcsecond that are 1 MJy/sr; of float64 type, so that float32 planes times it are float64."""

DO_NOT_USE = np.uint32(PIXEL["DO_NOT_USE"])


def errors_and_mask(data: np.ndarray, err: np.ndarray, dq: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Errors of the pixels, and which pixels cannot be used.

    Parameters
    ----------
    data : ndarray float32 (rows, columns)
        The image.
    err : ndarray float16 or float32 (rows, columns)
        Its errors.
    dq : ndarray uint32 (rows, columns) or None
        Its flags, where it has any.

    Returns
    -------
    err : ndarray float32 (rows, columns)
        Errors, unit of the data.
    mask : ndarray bool (rows, columns)
        True for pixels that are DO_NOT_USE, not finite, or without an error that is positive and finite.

    Raises
    ------
    InputError
        dq and data differ in shape.
    """
    err = err.astype(np.float32)
    mask = ~np.isfinite(data)
    mask |= ~((err > 0) & (err < np.inf))
    if dq is not None:
        if dq.shape != data.shape:
            raise InputError("dq and data differ in shape")
        mask |= (dq & DO_NOT_USE) != 0
    return err, mask


@dataclass
class Image:
    """Planes of one image in its own unit, and what makes them nJy.

    Attributes
    ----------
    data : ndarray float32 (rows, columns)
        Less the background.
    err : ndarray float32 (rows, columns)
        Errors of the pixels, unit of the data.
    mask : ndarray bool (rows, columns)
        Pixels that cannot be used.
    smoothed : ndarray float32 (rows, columns)
        What moments are taken of.
    wcs : gwcs.WCS
        Pixels, 0-based, to right ascension and declination in degrees.
    brightness : float
        nJy per square arcsecond in one unit of data: the pixels hold surface brightness.
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
    brightness: float = 1.0
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
    def side(self) -> float:
        """Root of the area of the pixel at the centre, arcsec."""
        return sky.centre_side(self.wcs, self.data.shape)
