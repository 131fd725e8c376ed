"""Any WCS as the grid of a mosaic, inverted numerically."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.wfi.gwcs_frames import box_of
from rtools.wfi.sphere import to_plane

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["FreeGrid", "invert", "shape_of", "wcs_of"]

ITERATIONS = 20

FRESH = 3
"""Steps for which the slope is taken anew; it hardly changes after them."""

CONVERGED = 1e-9
"""Pixels. A Newton step below it ends the search; positions that never get there become NaN."""

CALLED_FOUND = 1e-5
"""Pixels: a last step that may remain, where rounding of the WCS keeps it from getting smaller."""


class FreeGrid(NamedTuple):
    """The pixels of an image whose WCS is not a tangent plane.

    Attributes
    ----------
    shape : (int, int)
        Rows and columns.
    frame : gwcs.WCS
    """

    shape: tuple[int, int]
    frame: Any

    def to_sky(self, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Right ascension (0 … 360) and declination of pixels, bounding box or not."""
        ra, dec = self.frame(np.asarray(x, float), np.asarray(y, float), with_bounding_box=False)
        return ra % 360, dec

    def to_pixel(self, ra: ArrayLike, dec: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """x and y of positions; NaN where there is no such pixel."""
        rows, columns = self.shape
        return invert(self.frame, ra, dec, middle=((columns - 1) / 2, (rows - 1) / 2))

    def wcs(self) -> Any:
        """The WCS, with the bounding box and shape of the grid."""
        return _bounded(deepcopy(self.frame), self.shape)


def wcs_of(transform: Any, shape: Sequence[int]) -> Any:
    """A gwcs from the pixels of an image (frame detector) to ICRS.

    Parameters
    ----------
    transform : astropy.modeling.Model
        Pixels to right ascension and declination, degrees.
    shape : (int, int)
        Rows and columns of the image.

    Returns
    -------
    gwcs.WCS
        With bounding box and shape.
    """
    from astropy import coordinates, units
    from gwcs import WCS, coordinate_frames

    pixels = coordinate_frames.Frame2D(name="detector", axes_names=("x", "y"), unit=(units.pix, units.pix))
    sky = coordinate_frames.CelestialFrame(reference_frame=coordinates.ICRS(), name="icrs", unit=(units.deg, units.deg))
    return _bounded(WCS([(pixels, transform), (sky, None)]), shape)


def _bounded(wcs, shape):
    wcs.bounding_box = (-0.5, shape[1] - 0.5), (-0.5, shape[0] - 0.5)
    wcs.array_shape = tuple(shape)
    return wcs


def shape_of(wcs: Any) -> tuple[int, int]:
    """Size of the image that a WCS belongs to: the shape it states, else its bounding box.

    Parameters
    ----------
    wcs : gwcs.WCS
        Any WCS of two axes.

    Returns
    -------
    (int, int)
        Rows and columns.

    Raises
    ------
    InputError
        It has neither.
    """
    if getattr(wcs, "pixel_shape", None) is not None:
        columns, rows = wcs.pixel_shape
        return int(rows), int(columns)
    if wcs.bounding_box is not None:
        (_x0, x1), (_y0, y1) = box_of(wcs)
        return int(y1 + 0.5), int(x1 + 0.5)
    raise InputError("its WCS does not say how large the image is", mend="give the size")


def invert(
    wcs: Any, ra: ArrayLike, dec: ArrayLike, middle: tuple[float, float] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of positions, by Newton's method on the forward transform.

    Parameters
    ----------
    wcs : callable
        Pixel to right ascension and declination.
    ra, dec : array_like
        Degrees.
    middle : (float, float), optional
        Pixel from which the search starts, by default the middle of the bounding box.

    Returns
    -------
    (ndarray, ndarray)
        x and y; NaN where the search does not converge, or on the other half of the sky.
    """
    options = {"with_bounding_box": False} if hasattr(wcs, "bounding_box") else {}
    x0, y0 = middle if middle is not None else (sum(edge) / 2 for edge in box_of(wcs))
    ra0, dec0 = wcs(x0, y0, **options)
    centre = float(ra0), float(dec0)

    def plane(x, y):
        ra, dec = wcs(x, y, **options)
        return np.stack(to_plane(ra, dec, centre))

    ra, dec = np.broadcast_arrays(np.asarray(ra, float), np.asarray(dec, float))
    target = np.stack(to_plane(ra, dec, centre))
    shape = target.shape[1:]
    target = target.reshape(2, -1)
    x, y = np.full((2, target.shape[1]), np.nan)
    reachable = np.flatnonzero(np.isfinite(target).all(axis=0))
    if reachable.size:
        x[reachable], y[reachable] = _search(plane, target[:, reachable], (x0, y0))
    return x.reshape(shape), y.reshape(shape)


def _search(plane, target, start):
    """Newton steps from the linear guess about `start`; NaN where they do not end."""
    x, y = np.full((2, target.shape[1]), np.array(start, float)[:, None])
    slope = None
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        for turn in range(ITERATIONS):
            at = plane(x, y)
            if turn < FRESH:
                slope = _slope(plane, x, y, at) if turn else _slope(plane, x[:1], y[:1], at[:, :1])
            dx, dy = _solve(slope, target - at)
            x, y, last = x + dx, y + dy, np.hypot(dx, dy)
            if not np.any(last > CONVERGED):
                break
        lost = ~(last < CALLED_FOUND)
    x[lost], y[lost] = np.nan, np.nan
    return x, y


def _slope(plane, x, y, at):
    """Derivatives of the plane's coordinates along x and y, over a pixel."""
    return plane(x + 1, y) - at, plane(x, y + 1) - at


def _solve(slope, off):
    """Pixel offsets that move the plane's coordinates by `off`."""
    (a, c), (b, d) = slope
    determinant = a * d - b * c
    return (d * off[0] - b * off[1]) / determinant, (a * off[1] - c * off[0]) / determinant
