"""Statistics of an image that end in `meta.statistics`.

Medians are exact, found without a copy of the image: its values are counted by the upper half of their bits, and only
those around the middle are looked at one by one.
"""

from itertools import pairwise

import numpy as np

from rtools.work.work import ALONE, Work

__all__ = ["MAD_TO_SIGMA", "image_statistics"]

MAD_TO_SIGMA = 1.482602218505602
"""1 / Φ⁻¹(3/4): from the median absolute deviation to the standard deviation of a normal distribution."""

BINS = 1 << 16
SIGN = np.uint32(1 << 31)


def image_statistics(data: np.ndarray, dq: np.ndarray | None, err: np.ndarray, work: Work = ALONE) -> dict[str, float]:
    """Median, robust scatter and share of the good pixels.

    A pixel is good if its value is finite, it is not DO_NOT_USE, and its err is positive.

    Parameters
    ----------
    data : ndarray float32 (rows, columns)
        The image.
    dq : ndarray uint32 (rows, columns) or None
        Its flags; None where no pixel is flagged.
    err : ndarray float16 or float32 (rows, columns)
        Its errors.
    work : rtools.work.Work
        Its threads share the rows; the result does not depend on them.

    Returns
    -------
    dict of str to float
        image_median; image_rms = 1.4826 × median |data - image_median|; good_pixel_fraction. NaN, NaN and 0 without
        a good pixel.
    """
    dq = np.zeros(data.shape, np.uint32) if dq is None else dq  # pages that are only read take no memory
    parts = [_Part(data[rows], dq[rows], err[rows]) for rows in _slices(len(data), work.threads)]
    centre, count = _median(parts, np.float32(np.nan), work)
    if not count:
        return {"image_median": float("nan"), "image_rms": float("nan"), "good_pixel_fraction": 0.0}
    scatter = _median(parts, centre, work)[0] * np.float32(MAD_TO_SIGMA)
    return {"image_median": float(centre), "image_rms": float(scatter), "good_pixel_fraction": count / data.size}


def _slices(rows, count):
    edges = np.linspace(0, rows, count + 1).astype(int)
    return [slice(first, last) for first, last in pairwise(edges)]


class _Part:
    """Some rows of an image, as the compiled loops take them."""

    def __init__(self, data, dq, err):
        bits = err.view(f"u{err.itemsize}")
        infinite = np.array(np.inf, err.dtype).view(bits.dtype)[()]
        values = np.empty(data.shape[1], np.float32)
        self._image = (np.ascontiguousarray(data, np.float32), (dq, bits, infinite))
        self._row = values, values.view(np.uint32)

    def bins(self, centre):
        """Values in each bin; bin 0 is for those that are not good."""
        from rtools.work._statistics_kernels import count_bins

        counts = np.zeros(BINS, np.uint32)
        count_bins(*self._image, centre, self._row, counts)
        return counts

    def keys(self, centre, first, last, count):
        """The keys of `count` values in bins [first, last]."""
        from rtools.work._statistics_kernels import collect

        found = np.empty(count, np.uint32)
        collect(*self._image, centre, self._row, (np.uint32(first), np.uint32(last)), found)
        return found


def _median(parts, centre, work):
    """Median of the values, or of their distances from a centre that is not NaN; and their number."""
    counts = work.map(lambda part: part.bins(centre), parts)
    for each in counts:
        each[0] = 0
    upto = np.cumsum(np.sum(counts, axis=0, dtype=np.int64))
    total = int(upto[-1])
    if not total:
        return np.float32(np.nan), 0
    ranks = np.array([(total - 1) // 2, total // 2])
    first, last = np.searchsorted(upto, ranks, side="right")
    sizes = [int(each[first : last + 1].sum()) for each in counts]
    bounds = [(part, first, last, size) for part, size in zip(parts, sizes, strict=True)]
    keys = np.concatenate(work.map(lambda each: each[0].keys(centre, *each[1:]), bounds))
    ranks -= upto[first - 1] if first else 0
    keys.partition(ranks)
    middle = keys[ranks]
    values = np.where(middle & SIGN, middle ^ SIGN, ~middle).astype(np.uint32).view(np.float32)
    return (values[0] + values[1]) / np.float32(2) if total % 2 == 0 else values[0], total
