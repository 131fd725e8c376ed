"""Many difference images as one: their mean or clipped median, frames of a movie, a montage.

Windows move with the dithers. Images are laid where their windows are on the detector, by whole pixels, or on top of
each other.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtools.errors import InputError, UsageError
from rtools.work.statistics import MAD_TO_SIGMA

__all__ = ["COVERS", "MEANS", "Montage", "Stack", "lay_frames", "make_montage", "spread_evenly", "stack_images"]

MEANS = ("mean", "median")
"""How pixels are combined."""

COVERS = ("union", "intersection")
"""Which pixels a stack has: those that any window has, or those that all have."""

CLIP = 5.0
"""Robust standard deviations from the median beyond which a value is left out of the clipped median."""

MEDIAN_VARIANCE = np.pi / 2
"""Variance of the median of many normal values over that of their mean."""


class Stack(NamedTuple):
    """An image made of many.

    Attributes
    ----------
    image : ndarray float32, (rows, columns)
        In the unit of the images; NaN where there is no value.
    variance : ndarray float32, (rows, columns)
        Of `image`, by the scatter of its values; NaN where there is only one.
    counts : ndarray int32, (rows, columns)
        Values in each pixel.
    lower : tuple of int
        Column and row of the first pixel on the detector; (0, 0) where the windows were laid on top of each other.
    """

    image: NDArray[np.float32]
    variance: NDArray[np.float32]
    counts: NDArray[np.int32]
    lower: tuple[int, int]


class Montage(NamedTuple):
    """Images side by side.

    Attributes
    ----------
    image : ndarray float32, (rows, columns)
        NaN between the images.
    corners : ndarray int, (n, 2)
        Column and row of the first pixel of each image in it.
    """

    image: NDArray[np.float32]
    corners: NDArray[np.integer]


def stack_images(
    images: NDArray[np.float32],
    lower: NDArray[np.integer] | None = None,
    *,
    masked: NDArray[np.bool_] | None = None,
    how: str = "mean",
    cover: str = "union",
) -> Stack:
    """Mean or clipped median of images.

    The clipped median is that of the values within 5 · 1.4826 MAD of the median of all. The variance of a mean is
    Σ (v - mean)² / (n (n - 1)); that of a median of three or more is π / 2 times that of its values.

    Parameters
    ----------
    images : ndarray float32, (n, rows, columns)
        Those that count.
    lower : ndarray int, (n, 2), optional
        Column and row of the first pixel of each on the detector. By default the images are laid on top of each other.
    masked : ndarray bool, (n, rows, columns), optional
        Pixels that do not count; nor do those that are not a number.
    how : str
        ``mean`` or ``median``.
    cover : str
        ``union`` or ``intersection`` of the windows.

    Returns
    -------
    Stack
        One image.

    Raises
    ------
    UsageError
        There is no such mean or cover.
    InputError
        There are no images, or the windows have no pixel in common.
    """
    if how not in MEANS or cover not in COVERS:
        raise UsageError(f"no stack by {how!r} and {cover!r}", mend=f"take one of {MEANS} and of {COVERS}")
    corners, members = _places(images, lower)
    first, last = _bounds(corners, images.shape, cover)
    valid = np.isfinite(images) if masked is None else np.isfinite(images) & ~masked
    columns, rows = (last - first).tolist()
    image = np.full((rows, columns), np.nan, np.float32)
    stack = Stack(image, image.copy(), np.zeros((rows, columns), np.int32), (int(first[0]), int(first[1])))
    size = np.array(images.shape[:0:-1])
    for low, high in _cells(corners, size, first, last):
        inside = np.flatnonzero(np.all((corners <= low) & (corners + size >= high), axis=1))
        if len(inside):
            parts = [(members[each], _section(low, high, corners[each])) for each in inside]
            values, good = (np.concatenate([cube[who][:, *cut] for who, cut in parts]) for cube in (images, valid))
            here = _section(low, high, first)
            for plane, found in zip(stack[:3], _combine(values, good, how), strict=True):
                plane[here] = found
    return stack


def _places(images, lower):
    """Different corners of windows (m, 2), and the numbers of the images at each."""
    if not len(images):
        raise InputError("no image to stack")
    if lower is None:
        return np.zeros((1, 2), int), [np.arange(len(images))]
    corners, number = np.unique(np.asarray(lower, int), axis=0, return_inverse=True)
    return corners, [np.flatnonzero(number.ravel() == each) for each in range(len(corners))]


def _bounds(corners, shape, cover):
    """First pixel (column, row) that a stack has, and the one after the last."""
    size = np.array(shape[:0:-1])
    if cover == "union":
        return corners.min(axis=0), corners.max(axis=0) + size
    first, last = corners.max(axis=0), corners.min(axis=0) + size
    if np.any(first >= last):
        raise InputError("the windows have no pixel in common", mend="stack their union, or one exposure")
    return first, last


def _cells(corners, size, first, last):
    """Rectangles (low, high), each (column, row), inside which all pixels have the same windows."""
    edges = [
        np.unique(np.clip(np.concatenate([corners[:, axis], corners[:, axis] + size[axis]]), first[axis], last[axis]))
        for axis in (0, 1)
    ]
    for bottom, top in pairwise(edges[1].tolist()):
        for left, right in pairwise(edges[0].tolist()):
            yield np.array([left, bottom]), np.array([right, top])


def _section(low, high, corner):
    """Slices (rows, columns) of a rectangle in an image that begins at a corner."""
    (left, bottom), (right, top) = (low - corner).tolist(), (high - corner).tolist()
    return slice(bottom, top), slice(left, right)


def _combine(values, valid, how):
    """Mean, its variance and the count along the first axis."""
    count = valid.sum(axis=0)
    scale = np.ones(count.shape)
    if how == "median":
        valid = valid & (np.abs(values - _median(values, valid)) <= _reach(values, valid))
        count = valid.sum(axis=0)
        scale = np.where(count > 2, MEDIAN_VARIANCE, 1.0)
    filled = np.where(valid, values, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.sum(axis=0, dtype=float) / count
        squares = np.sum(np.where(valid, values - mean, 0) ** 2, axis=0, dtype=float)
        variance = scale * squares / (count * (count - 1.0))
    return (mean if how == "mean" else _median(values, valid)), np.where(count > 1, variance, np.nan), count


def _reach(values, valid):
    """Distance from the median at which values are clipped."""
    return CLIP * MAD_TO_SIGMA * _median(np.abs(values - _median(values, valid)), valid)


def _median(values, valid):
    """Median of the valid values along the first axis; NaN without one."""
    sorted_values = np.sort(np.where(valid, values, np.inf), axis=0)
    count = valid.sum(axis=0)
    middle = [np.take_along_axis(sorted_values, (each // 2)[np.newaxis], axis=0)[0] for each in (count, count - 1)]
    return np.where(count > 0, (middle[0] + middle[1]) / 2, np.nan)


def lay_frames(
    images: NDArray[np.float32], lower: NDArray[np.integer], *, masked: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Frames of a movie in which the detector stands still and the window moves.

    Parameters
    ----------
    images : ndarray float32, (n, rows, columns)
        In the order of time.
    lower : ndarray int, (n, 2)
        Column and row of the first pixel of each on the detector.
    masked : ndarray bool, (n, rows, columns), optional
        Pixels that are not shown.

    Returns
    -------
    frames : ndarray float32, (n, rows of all, columns of all)
        NaN outside of the window.
    lower : tuple of int
        Column and row of their first pixel on the detector.

    Raises
    ------
    InputError
        There are no images.
    """
    corners, members = _places(images, lower)
    first, last = _bounds(corners, images.shape, "union")
    rows, columns = images.shape[1:]
    frames = np.full((len(images), last[1] - first[1], last[0] - first[0]), np.nan, np.float32)
    shown = images if masked is None else np.where(masked, np.float32(np.nan), images)
    for corner, who in zip(corners, members, strict=True):
        left, bottom = corner - first
        frames[who, bottom : bottom + rows, left : left + columns] = shown[who]
    return frames, (int(first[0]), int(first[1]))


def spread_evenly(count: int, wanted: int) -> NDArray[np.integer]:
    """Numbers of some of many images, spread evenly from the first to the last.

    Parameters
    ----------
    count : int
        Images there are.
    wanted : int
        Images to choose.

    Returns
    -------
    ndarray int
        Rising; all where there are no more than wanted.
    """
    return np.unique(np.rint(np.linspace(0, count - 1, min(count, wanted))).astype(int))


def make_montage(images: NDArray[np.float32], columns: int, *, border: int = 1) -> Montage:
    """Images side by side, row after row from the top.

    Parameters
    ----------
    images : ndarray float32, (n, rows, columns)
        In the order of reading. Rows of images and of the montage count upwards.
    columns : int
        Images in a row.
    border : int
        Pixels between the images, and around them.

    Returns
    -------
    Montage
        With as many rows of images as are needed.

    Raises
    ------
    InputError
        There are no images.
    """
    if not len(images):
        raise InputError("no image for a montage")
    height, width = (size + border for size in images.shape[1:])
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    number = np.arange(len(images))
    corners = np.stack([number % columns * width, (rows - 1 - number // columns) * height], axis=1) + border
    canvas = np.full((rows * height + border, columns * width + border), np.nan, np.float32)
    for image, (left, bottom) in zip(images, corners.tolist(), strict=True):
        canvas[bottom : bottom + height - border, left : left + width - border] = image
    return Montage(canvas, corners)
