"""Bad pixels of integral fields: sharper than their neighbours across dispersion in every exposure.

Slices are too narrow to compare exposures on the sky. What stands out of its own detector row or column in all of them,
although the sky has moved between them, is the detector's.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rtools.work import ALONE, Work
from rtools.work.loops import row_slices

__all__ = ["find_sharp_pixels"]


def find_sharp_pixels(
    images: Iterable[tuple[np.ndarray, np.ndarray]],
    axis: int,
    limits: tuple[float, float],
    window: int = 7,
    work: Work = ALONE,
) -> np.ndarray:
    """Pixels that differ from both neighbours in every exposure, more than pixels around them do.

    With d the smaller of the absolute differences to the two neighbours, m its minimum over exposures, and the median
    of m in a window about each pixel, pixels are found where m over that median is above a percentile of all, and where
    in all exposures d is above a number of errors, and the value not between those of its neighbours.

    Parameters
    ----------
    images : iterable of (ndarray float, ndarray float)
        Values and errors (rows, columns) of each exposure of one detector; NaN where a pixel is not to be used.
    axis : int
        Along which neighbours lie, across dispersion: 0 for those above and below, 1 for those left and right.
    limits : (float, float)
        The percentile, and the number of errors of the difference.
    window : int
        Side of the window, odd.
    work : rtools.work.Work
        Threads; bits do not depend on them.

    Returns
    -------
    ndarray bool (rows, columns)
    """
    percent, least = limits
    lowest = significance = None
    for values, errors in images:
        difference, errors_off = _to_neighbours(np.asarray(values, np.float32), np.asarray(errors, np.float32), axis)
        lowest = difference if lowest is None else np.fmin(lowest, difference)
        significance = errors_off if significance is None else np.fmin(significance, errors_off)
    if lowest is None or significance is None or not np.isfinite(lowest).any():
        return np.zeros((0, 0) if lowest is None else lowest.shape, bool)
    level = _median_about(lowest, window, work)
    with np.errstate(divide="ignore", invalid="ignore"):
        sharpness = np.where(level > 0, lowest / level, np.nan)
    if not np.isfinite(sharpness).any():
        return np.zeros(lowest.shape, bool)
    return (sharpness > np.nanpercentile(sharpness, percent)) & (significance > least)


def _to_neighbours(values, errors, axis):
    """The smaller difference to the two neighbours, and how many errors it is; 0 on a slope."""
    step = np.diff(values, axis=axis)
    variance = np.square(errors)
    first, last = ((slice(None),) * axis + (part,) for part in (slice(None, -1), slice(1, None)))
    with np.errstate(divide="ignore", invalid="ignore"):
        off = step / np.sqrt(variance[first] + variance[last])
    before, behind = _beside(step, axis)
    slope = before * behind > 0  # between its neighbours
    smaller = [np.fmin(*map(np.abs, _beside(steps, axis))) for steps in (step, off)]
    return smaller[0], np.where(slope, np.float32(0), smaller[1])


def _beside(steps, axis):
    """The step to each pixel, and that from it; NaN at an edge, or beside a pixel that is not to be used."""
    beyond = [(0, 0), (0, 0)]
    beyond[axis] = (1, 0)
    before = np.pad(steps, beyond, constant_values=np.nan)
    beyond[axis] = (0, 1)
    return before, np.pad(steps, beyond, constant_values=np.nan)


def _median_about(values, window, work):
    """Median of finite values in a square about each pixel; of an even number the lower one of the middle."""
    half = window // 2
    padded = np.pad(values, half, constant_values=np.nan)
    found = np.empty_like(values)

    def fill(rows: slice) -> None:
        part = sliding_window_view(padded[rows.start : rows.stop + 2 * half], (window, window))
        cells = np.sort(part.reshape(*part.shape[:2], -1), axis=-1)  # NaN comes last
        count = np.isfinite(cells).sum(axis=-1, keepdims=True)
        found[rows] = np.take_along_axis(cells, np.maximum(count - 1, 0) // 2, axis=-1)[..., 0]

    work.map(fill, row_slices(len(values), 32))
    return found
