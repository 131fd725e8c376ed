"""One mosaic in numbers: how many images lie in its pixels, and their weight."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

__all__ = ["MosaicQuality", "measure_mosaic"]


class MosaicQuality(NamedTuple):
    """What a mosaic is made of.

    Attributes
    ----------
    depths : ndarray int64 (most + 1,)
        Pixels in which 0, 1, 2 … images lie.
    depth : float
        Median number of images in the pixels that have any; NaN without such.
    empty : float
        Share of all pixels in which no image lies.
    shallow : float
        Of the pixels with any, the share of those in which fewer lie than half of `depth`.
    weight : float
        Median weight of the pixels that have any.
    depth_picture, weight_picture : ndarray float32 (rows, columns)
        Number of images, and weight, of one pixel of each block.
    """

    depths: np.ndarray
    depth: float
    empty: float
    shallow: float
    weight: float
    depth_picture: np.ndarray
    weight_picture: np.ndarray


def measure_mosaic(bands: Iterable[tuple[np.ndarray, np.ndarray | None]], *, block: int = 1) -> MosaicQuality:
    """Measure a mosaic.

    Parameters
    ----------
    bands : iterable of (ndarray of int (planes, rows, columns), ndarray float (rows, columns) or None)
        Bits that say which images lie in each pixel, and weights; from the first row to the last. All but the last
        have a multiple of `block` rows.
    block : int
        Pixels along each side of what becomes one pixel of the pictures.

    Returns
    -------
    MosaicQuality
    """
    counts, depths, weights, samples = np.zeros(1, np.int64), [], [], []
    for context, weight in bands:
        number = np.bitwise_count(context.view(f"u{context.dtype.itemsize}")).sum(axis=0, dtype=np.int64)
        found = np.bincount(number.ravel(), minlength=len(counts))
        found[: len(counts)] += counts
        counts = found
        weight = np.full(number.shape, np.nan, np.float32) if weight is None else weight
        depths.append(number[::block, ::block].astype(np.float32))
        weights.append(weight[::block, ::block].astype(np.float32))
        samples.append(weights[-1][depths[-1] > 0])
    covered = int(counts[1:].sum())
    middle = _median_of_counts(counts[1:]) + 1 if covered else np.nan
    known = np.concatenate(samples) if samples else np.zeros(0)
    known = known[np.isfinite(known)]
    return MosaicQuality(
        counts,
        float(middle),
        float(counts[0] / max(1, counts.sum())),
        float(counts[1 : int(np.ceil(middle / 2))].sum() / covered) if covered else np.nan,
        float(np.median(known)) if known.size else np.nan,
        np.concatenate(depths) if depths else np.zeros((0, 0), np.float32),
        np.concatenate(weights) if weights else np.zeros((0, 0), np.float32),
    )


def _median_of_counts(counts):
    """The number at which half of all are counted."""
    return int(np.searchsorted(np.cumsum(counts), (counts.sum() + 1) / 2))
