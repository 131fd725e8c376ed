"""Interferograms cut out of an exposure: a square box about the star, and where in it the star lies."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np

from rtools.errors import InputError

__all__ = ["StarBox", "box_about_star", "centre_of", "filled"]

SMALLEST = 8
"""Pixels from the star to the nearest edge below which there is no interferogram to fit."""

SHARP = 10.0
"""Times the median of the eight neighbours above which a pixel is no star, but a hot one that nobody flagged."""

SIGMAS = 5.0
"""Slopes of the phase that are farther from those about the middle do not count."""


class StarBox(NamedTuple):
    """A square of an odd number of pixels about the brightest one.

    Attributes
    ----------
    row, column : int
        Of the brightest pixel.
    half : int
        Pixels on each side of it.
    """

    row: int
    column: int
    half: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return (slice(self.row - self.half, self.row + self.half + 1),
                slice(self.column - self.half, self.column + self.half + 1))  # fmt: skip


def box_about_star(data: np.ndarray, bad: np.ndarray, first_row: int = 0) -> StarBox:
    """The largest square about the brightest pixel of the median of all integrations; hot ones are no stars.

    Parameters
    ----------
    data : ndarray (integrations, rows, columns)
        Images.
    bad : ndarray of bool
        Pixels that say nothing, of the shape of `data`.
    first_row : int
        Rows below are reference pixels.

    Returns
    -------
    StarBox

    Raises
    ------
    InputError
        There is nothing in the images, or the star lies at their edge.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels that are bad in all integrations
        median = np.nanmedian(np.where(bad, np.nan, data)[:, first_row:], axis=0)
    if not np.isfinite(median).any():
        raise InputError("no pixel is good in any integration")
    row, column = (int(at) for at in np.unravel_index(np.nanargmax(_without_hot(median)), median.shape))
    half = min(row, column, median.shape[0] - 1 - row, median.shape[1] - 1 - column)
    if half < SMALLEST:
        raise InputError(f"the brightest pixel, row {row + first_row} and column {column}, lies at the edge")
    return StarBox(row + first_row, column, half)


def _without_hot(image):
    """An image with NaN where a pixel stands out of its neighbours as no star does; as it is where no light is left."""
    around = np.pad(image, 1, constant_values=np.nan)
    rows, columns = image.shape
    near = [around[y : y + rows, x : x + columns] for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # pixels without any good neighbour
        hot = image > SHARP * np.nanmedian(near, axis=0)
    left = np.where(hot, np.nan, image)
    return left if np.nanmax(left, initial=-np.inf) > 0 else image


def filled(image: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """An image with the median of the good neighbours, of eight, where pixels are missing; 0 where there are none.

    Parameters
    ----------
    image : ndarray (rows, columns)
        Any numbers.
    missing : ndarray of bool
        Where they mean nothing.

    Returns
    -------
    ndarray float64
        A copy.
    """
    out = np.array(image, float)
    around = np.pad(np.where(missing, np.nan, out), 1, constant_values=np.nan)
    for row, column in zip(*np.nonzero(missing), strict=True):
        near = around[row : row + 3, column : column + 3]
        out[row, column] = np.nanmedian(near) if np.isfinite(near).any() else 0.0
    return out


def centre_of(image: np.ndarray) -> tuple[float, float]:
    """Where an interferogram lies: the mean slope of the phase of its Fourier transform.

    A shift by x turns the phase at the frequency k/n by -2πkx/n. Slopes are differences over two frequencies. Those
    count that are within 5 standard deviations of the four about the middle; the others are phases that wrapped, and
    noise where the mask has no baselines.

    Parameters
    ----------
    image : ndarray (n, n)
        n odd, without missing pixels.

    Returns
    -------
    (float, float)
        x and y in pixels, from the middle pixel.
    """
    size = len(image)
    phase = np.angle(np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(image))))
    middle, found = size // 2, []
    for axis in (1, 0):
        along = np.moveaxis(phase, axis, 0)
        slope = (along[:-2] - along[2:]) / 2
        core = slope[middle - 2 : middle, middle - 1 : middle + 1]
        kept = np.abs(slope - core.mean()) <= SIGMAS * core.std()
        kept[middle - 2 : middle, middle - 1 : middle + 1] = True
        found.append(float(slope[kept].mean() * size / (2 * np.pi)))
    return found[0], found[1]
