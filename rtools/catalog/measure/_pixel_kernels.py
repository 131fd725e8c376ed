"""Compiled questions about the pixels of sources: which can be used, and which are in reach."""

import math
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["TOO_MANY", "PixelBox", "SourcePixels", "box_around", "is_dark", "is_good", "is_usable"]

TOO_MANY = 1_000_000
"""Pixels of a box that are looked at even in a smaller image; a larger box belongs to no source."""


class SourcePixels(NamedTuple):
    """Images as measurements look at them, all (rows, columns).

    Attributes
    ----------
    data : ndarray float32
        What is measured, less the background.
    err : ndarray float32
        Errors of the pixels.
    mask : ndarray bool
        Pixels that cannot be used.
    labels : ndarray int32
        Which source each pixel belongs to; 0 is the sky.
    """

    data: np.ndarray
    err: np.ndarray
    mask: np.ndarray
    labels: np.ndarray


class PixelBox(NamedTuple):
    """Pixels in reach of a source: rows y0 … y1 and columns x0 … x1, both ends inside and on the image.

    `sane` says whether the box, before it was cut at the edges of the image, is small enough for a source.
    """

    y0: int
    y1: int
    x0: int
    x1: int
    sane: bool


# Single values, not images, are passed to what is asked of every pixel: numba would count references of the images.


@njit(cache=True, nogil=True)
def is_good(value, masked):
    """Whether a pixel's value can be used."""
    return not masked and np.isfinite(value)


@njit(cache=True, nogil=True)
def is_usable(value, masked, owner, label):
    """Whether a pixel's value can be used for a source: it is good, and it does not belong to another source."""
    return (owner == 0 or owner == label) and not masked and np.isfinite(value)


@njit(cache=True, nogil=True)
def is_dark(pixels, segments, i):
    """Whether no pixel of segment i is good."""
    data, mask, labels, label = pixels.data, pixels.mask, pixels.labels, segments.ids[i]
    for y in range(segments.ymin[i], segments.ymax[i] + 1):
        for x in range(segments.xmin[i], segments.xmax[i] + 1):
            if labels[y, x] == label and not mask[y, x] and np.isfinite(data[y, x]):
                return False
    return True


@njit(cache=True, nogil=True)
def box_around(x, y, width, height, shape):
    """The `PixelBox` of half sizes `width` and `height` about (x, y) in an image of a shape."""
    x0, x1 = math.floor(x - width + 0.5), math.floor(x + width + 0.5)
    y0, y1 = math.floor(y - height + 0.5), math.floor(y + height + 0.5)
    sane = (x1 - x0 + 1) * (y1 - y0 + 1) <= max(shape[0] * shape[1], TOO_MANY)
    return PixelBox(max(y0, 0), min(y1, shape[0] - 1), max(x0, 0), min(x1, shape[1] - 1), sane)
