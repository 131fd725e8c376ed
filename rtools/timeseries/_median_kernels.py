"""Compiled parts of outliers in time: medians of windows that slide along the integrations of a pixel."""

import numpy as np

from rtools.compiled import njit

__all__ = ["compare", "medians"]

LARGEST = np.float32(3.4028235e38)
COLUMNS = 16
"""Pixels of a row that are looked at together: their values at one time lie side by side in memory."""


@njit(nogil=True, cache=True)
def middle(values, count):
    """Median of the first `count` of some values in order; NaN of none.

    Parameters
    ----------
    values : float32 (window,)
        In rising order.
    count : int
        How many there are.
    """
    if count == 0:
        return np.nan
    return 0.5 * (np.float64(values[(count - 1) >> 1]) + np.float64(values[count >> 1]))


@njit(nogil=True, cache=True)
def exchange(values, count, old, new):
    """Take a value out of some in order, and put another one in; values that are not finite are nothing.

    Parameters
    ----------
    values : float32 (window,)
        In rising order; changed.
    count : int
        How many there are.
    old, new : float32
        What leaves and what comes.

    Returns
    -------
    int
        How many there are now.
    """
    if abs(old) <= LARGEST:
        place = 0
        while values[place] < old:
            place += 1
        count -= 1
        for n in range(place, count):
            values[n] = values[n + 1]
    if abs(new) <= LARGEST:
        place = count
        while place > 0 and values[place - 1] > new:
            values[place] = values[place - 1]
            place -= 1
        values[place] = new
        count += 1
    return count


@njit(nogil=True, cache=True)
def medians(line, window, values, out):
    """Median of the window about each integration; at both ends that of the nearest whole window.

    Parameters
    ----------
    line : float32 (integrations,)
        Of one pixel; what is not finite does not count.
    window : int
        Integrations in a window, at most as many as there are.
    values : float32 (window,)
        Room.
    out : float64 (integrations,)
    """
    number, half = line.shape[0], window // 2
    count = 0
    for n in range(window):
        if abs(line[n]) <= LARGEST:
            values[count] = line[n]
            count += 1
    values[:count].sort()
    out[: half + 1] = middle(values, count)
    for start in range(1, number - window + 1):
        count = exchange(values, count, line[start - 1], line[start + window - 1])
        out[start + half] = middle(values, count)
    out[number - window + half :] = out[number - window + half]


@njit(nogil=True, cache=True)
def compare(data, err, unusable, window, limit, out):
    """Mark values that are further from the median of the window about them than so many errors.

    Parameters
    ----------
    data, err : float32 (integrations, rows, columns)
        Values and their errors.
    unusable : bool (integrations, rows, columns)
        Values that have no share in medians.
    window : int
        Integrations in a window, at most as many as there are.
    limit : float32
        Errors.
    out : bool (integrations, rows, columns)
    """
    number, rows, columns = data.shape
    lines = np.empty((COLUMNS, number), np.float32)
    values, found = np.empty(window, np.float32), np.empty((COLUMNS, number))
    for y in range(rows):
        for first in range(0, columns, COLUMNS):
            size = min(COLUMNS, columns - first)
            for n in range(number):
                for x in range(size):
                    lines[x, n] = np.nan if unusable[n, y, first + x] else data[n, y, first + x]
            for x in range(size):
                medians(lines[x], window, values, found[x])
            for n in range(number):
                for x in range(size):
                    far = abs(np.float64(data[n, y, first + x]) - found[x, n])
                    out[n, y, first + x] = far > limit * err[n, y, first + x]
