"""Compiled clipped statistics of a set of pixels: mean, median, mode, midpt.

Mode and midpt are those of IRAF's imstatistics, read off a histogram. Its bins are a little wider than the width by
which places in it are converted to values, as in the package imagestats: so both are low by up to half a bin.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["MEAN", "MEDIAN", "MIDPT", "MODE", "Clipped", "evaluate"]

MEAN, MEDIAN, MODE, MIDPT = 0, 1, 2, 3

LEAST_WIDTH = 10.0 * 2.0**-23
"""Narrower histogram bins, or ranges of values, are taken as one bin: ten times the precision of float32."""


NEAR = np.float32(0.2)
"""The median is first looked for so many standard deviations from the mean."""


class Clipped(NamedTuple):
    """A clipped statistic.

    Attributes
    ----------
    kind : int
        `MEAN`, `MEDIAN`, `MODE` or `MIDPT`.
    lower, upper : float
        Limits of usable values; NaN for none.
    passes : int
        Of clipping.
    below, above : float
        Limits of clipping, standard deviations from the mean.
    binwidth : float
        Width of a histogram bin, standard deviations.
    """

    kind: int
    lower: float
    upper: float
    passes: int
    below: float
    above: float
    binwidth: float


@njit(nogil=True, cache=True, error_model="numpy")
def _moments(values, low, high):
    """Number, mean, standard deviation, minimum and maximum of the values within limits."""
    total, n = 0.0, 0
    least = low if low > values[0] else values[0]
    most = high if high < values[0] else values[0]
    for v in values:
        if (v >= low) & (v <= high):
            total += np.float64(v)
            n += 1
            least = min(least, v)
            most = max(most, v)
    if n == 0:
        return 0, np.float32(np.nan), np.float32(np.nan), least, most
    mean = np.float32(total / n)
    squares = 0.0
    for v in values:
        if (v >= least) & (v <= most):
            distance = v - mean
            squares += np.float64(distance * distance)
    spread = np.float32(np.sqrt(squares / (n - 1))) if n > 1 else np.float32(0)
    return n, mean, spread, least, most


@njit(nogil=True, cache=True, error_model="numpy")
def _median(values, low, high, n, guess):
    """Median of the n values within limits, looked for in an interval first; only what is there is ordered."""
    start, stop = max(low, guess[0]), min(high, guess[1])
    middle = np.empty(values.size + 1, np.float32)
    below, found = 0, 0
    for v in values:
        below += np.int64((v >= low) & (v < start))
        middle[found] = v
        found += np.int64((v >= start) & (v <= stop))
    first, last = (n - 1) // 2 - below, n // 2 - below
    if (first < 0) | (last >= found):
        return np.float64(np.float32(np.median(values[(values >= low) & (values <= high)])))
    ordered = np.partition(middle[:found], first)
    lower = ordered[first]
    upper = lower if first == last else ordered[last:].min()
    return np.float64((lower + upper) / np.float32(2))


@njit(nogil=True, cache=True, error_model="numpy")
def _histogram(values, least, step, bins):
    """Counts of all values, clipped ones too, in bins from `least` on."""
    counts = np.zeros(bins, np.int64)
    scale = np.float32(1) / step
    end = least + step * np.float32(bins)
    for v in values:
        if (v >= least) & (v < end):
            counts[min(int(scale * (v - least)), bins - 1)] += 1
    return counts


@njit(nogil=True, cache=True, error_model="numpy")
def _mode(counts, least, width):
    """Peak of a histogram, by the parabola through the highest bin and its neighbours."""
    last = counts.size - 1
    if last == 1:
        return least + (1.0 + 0.5 * np.sign(counts[1] - counts[0])) * width
    k = np.argmax(counts)
    if (k == 0) | (k == last):
        return least + (k + 0.5) * width
    left, right = counts[k] - counts[k - 1], counts[k] - counts[k + 1]
    shift = 0.5 * (left - right) / (left + right) if left + right else 0.0
    return least + (k + 0.5 + shift) * width


@njit(nogil=True, cache=True, error_model="numpy")
def _midpt(counts, least, width):
    """Where the cumulative histogram is one half, by a straight line within the bin."""
    total = np.float32(counts.sum())
    upto, before = 0, np.float32(0)
    for k in range(counts.size):
        upto += counts[k]
        share = np.float32(upto) / total
        if share >= 0.5:
            rise = share - before
            part = (np.float32(0.5) - before) / rise if rise > 0 else np.float32(0)
            return least + k * width + np.float64(part * np.float32(width))
        before = share
    return np.nan


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate(values, statistic):
    """Clipped statistic of a set of values.

    Parameters
    ----------
    values : float32 (n,)
        Finite.
    statistic : Clipped
        Which statistic.

    Returns
    -------
    value : float64
        NaN if there is none.
    n : int
        Values after clipping.
    spread : float64
        Their standard deviation.
    """
    nothing = np.nan, 0, np.nan
    if values.size == 0:
        return nothing
    lower, upper, kind = statistic.lower, statistic.upper, statistic.kind
    bottom, top = np.float64(values.min()), np.float64(values.max())
    if (lower > top) | (upper < bottom) | (lower > upper):
        return nothing
    bottom = bottom if np.isnan(lower) else lower
    top = top if np.isnan(upper) else upper
    low, high = np.float32(bottom), np.float32(top)
    n, mean, spread, least, most = _moments(values, low, high)
    for _ in range(statistic.passes):
        if n == 0:
            return nothing
        before = low, high
        low = np.float32(max(bottom, np.float64(mean) - statistic.below * np.float64(spread)))
        high = np.float32(min(top, np.float64(mean) + statistic.above * np.float64(spread)))
        if (low == before[0]) & (high == before[1]):
            break
        n, mean, spread, least, most = _moments(values, low, high)
    if n == 0:
        return nothing
    if kind == MEAN:
        value = np.float64(mean)
    elif kind == MEDIAN:
        reach = NEAR * spread
        value = _median(values, low, high, n, (mean - reach, mean + reach))
    else:
        value = _of_histogram(values, kind, statistic.binwidth * np.float64(spread), (least, most))
    return value, n, np.float64(spread)


@njit(nogil=True, cache=True, error_model="numpy")
def _of_histogram(values, kind, width, span):
    """Mode or midpt; the centre of the bin where all values are in one."""
    least, extent = np.float64(span[0]), np.float64(span[1]) - np.float64(span[0])
    if (width < LEAST_WIDTH) | (extent < LEAST_WIDTH) | (width > extent):
        return least + width / 2
    bins = int(extent / width) + 1
    counts = _histogram(values, span[0], np.float32(extent / (bins - 1)), bins)
    return _mode(counts, least, width) if kind == MODE else _midpt(counts, least, width)
