"""The median of drizzled exposures, of the pixels that are covered well enough to have a say in it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np

from rtools.work import ALONE, Work

__all__ = ["mask_low_weight", "median_of", "weight_threshold"]

ROWS = 256
"""Rows that are copied together where memory must be in one piece."""

SHIFT = 12
"""Bits of a weight that are not told apart in counting: bins are 5e-4 of the weight wide or less."""

STRIPS = 2
"""Parts of an image whose weights are counted at the same time; more take longer, each has its own table."""

WIDTH = 256
"""Pixels of a row whose values are sorted together."""


def weight_threshold(weight: np.ndarray | Iterable[np.ndarray], maskpt: float = 0.7, *, work: Work = ALONE) -> float:
    """Weight below which a pixel of a drizzled exposure has no say in the median.

    Parameters
    ----------
    weight : ndarray float32 (rows, columns), or an iterable of such parts
        Weights of a drizzled exposure.
    maskpt : float
        Share of the mean of the weights that are finite and not 0, clipped at three standard deviations about their
        median in at most five rounds.
    work : rtools.work.Work
        Its threads share the strips of one array.

    Returns
    -------
    float
        NaN if there are no weights. Weights in one of 2²⁰ bins count as their mean, so it is good to 1e-5.
    """
    if isinstance(weight, np.ndarray):
        height = -(-len(weight) // STRIPS) or 1
        found = work.map(lambda first: _counted([weight[first : first + height]]), range(0, len(weight), height))
    else:
        found = [_counted(weight)]
    bins, place = np.unique(np.concatenate([part[0] for part in found]), return_inverse=True)
    if not bins.size:
        return float("nan")
    counts, offsets = np.zeros((2, bins.size), np.int64)
    np.add.at(counts, place, np.concatenate([part[1] for part in found]))
    np.add.at(offsets, place, np.concatenate([part[2] for part in found]))
    start, step = _values(bins)
    return float(maskpt * _clipped_mean(start + step * (offsets / counts), counts))


def _counted(parts):
    """Bins that weights fall into, how many in each, and the sums of the bits left out."""
    from rtools.mosaic.outlier._outlier_kernels import count_weights

    counts, offsets = np.zeros((2, 1 << (32 - SHIFT)), np.int64)
    for part in parts:
        for first in range(0, len(part), ROWS):
            lines = np.ascontiguousarray(part[first : first + ROWS], np.float32)
            count_weights(lines.view(np.uint32), np.uint32(SHIFT), counts, offsets)
    bins = np.flatnonzero(counts)
    return bins, counts[bins], offsets[bins]


def _values(bins):
    """First weight of each bin, and the weight that the last of the bits left out is worth."""
    keys = bins.astype(np.uint32) << np.uint32(SHIFT)
    both = np.stack([keys, keys + np.uint32(1)])
    words = np.where(both >> np.uint32(31), both ^ np.uint32(1 << 31), ~both)
    first, second = words.view(np.float32).astype(np.float64)
    return first, second - first


def _clipped_mean(values, counts, sigma=3, rounds=5):
    """Mean of values that occur so often, those far from the median left out."""
    for _ in range(rounds):
        upto = np.cumsum(counts)
        middle = np.searchsorted(upto, [(upto[-1] - 1) // 2, upto[-1] // 2], side="right")
        median, mean = values[middle].mean(), np.average(values, weights=counts)
        spread = np.sqrt(np.average((values - mean) ** 2, weights=counts))
        kept = abs(values - median) <= sigma * spread
        if kept.all():
            break
        values, counts = values[kept], counts[kept]
    return np.average(values, weights=counts)


def mask_low_weight(image: np.ndarray, weight: np.ndarray, threshold: float) -> None:
    """Put NaN where the weight is below a threshold.

    Parameters
    ----------
    image : ndarray float32 (rows, columns)
        Drizzled exposure; changed.
    weight : ndarray float32 (rows, columns)
        Its weights.
    threshold : float
        As `weight_threshold` gives it; with NaN nothing is masked.
    """
    image[weight < np.float32(threshold)] = np.nan


def median_of(planes: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Median over exposures, pixel by pixel.

    Parameters
    ----------
    planes : ndarray float32 (n, rows, columns)
        NaN where an exposure has nothing to say.
    out : ndarray float32 (rows, columns), optional
        Where the median is put, a new array by default.

    Returns
    -------
    ndarray float32 (rows, columns)
        Where two exposures have a value it is the lower one: of two values the median is the mean, and would make
        both outliers. NaN where none has.
    """
    from rtools.mosaic.outlier._outlier_kernels import medians

    planes = np.ascontiguousarray(planes, np.float32)
    number = len(planes)
    out = np.empty(planes.shape[1:], np.float32) if out is None else out
    medians(planes, _network(number), np.empty((number, WIDTH), np.float32), np.empty(WIDTH, np.int32), out)
    return out


@cache
def _network(number):
    """Pairs of places that, exchanged in turn where they are out of order, sort any values (Batcher's merge)."""
    pairs, run = [], 1
    while run < number:
        gap = run
        while gap:
            for start in range(gap % run, number - gap, 2 * gap):
                ends = range(start, min(start + gap, number - gap))
                pairs += [(low, low + gap) for low in ends if low // (2 * run) == (low + gap) // (2 * run)]
            gap //= 2
        run *= 2
    return np.array(pairs, np.int64).reshape(-1, 2)
