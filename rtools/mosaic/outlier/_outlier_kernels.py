"""Compiled parts of outlier detection: counts of weights, medians over exposures, blotting, flags."""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["ImageRows", "Thresholds", "blot", "count_weights", "flag", "flag_stack", "mark", "medians"]

SIGN = np.uint32(1 << 31)
MAGNITUDE = np.uint32((1 << 31) - 1)
INFINITY = np.uint32(0x7F800000)
LARGEST = np.float32(3.4028235e38)
HALF = np.float32(0.5)
ZERO = np.float32(0)
NAN = np.float32(np.nan)


class ImageRows(NamedTuple):
    """Some rows, float32 (rows, columns), of an image of `height` rows, from `first` on."""

    pixels: np.ndarray
    first: int
    height: int


class Thresholds(NamedTuple):
    """How far a pixel of an outlier, and one of its neighbours, is from the median.

    Attributes
    ----------
    level : float32
        Sky that is in the data and not in the median.
    snr, step : float32
        An outlier: errors, and the steepest steps of the median.
    snr_near, step_near : float32
        Its neighbours.
    """

    level: np.float32
    snr: np.float32
    step: np.float32
    snr_near: np.float32
    step_near: np.float32


@njit(nogil=True, cache=True)
def count_weights(bits, shift, counts, offsets):
    """Count finite weights that are not 0 by the upper bits of their float32.

    Parameters
    ----------
    bits : uint32 (rows, columns)
        The weights' own memory.
    shift : uint32
        Bits that do not tell bins apart.
    counts, offsets : int64
        By bin, in the order of the values: how many, and the sum of the bits left out.
    """
    low = np.uint32((1 << shift) - 1)
    for y in range(bits.shape[0]):
        for x in range(bits.shape[1]):
            word = bits[y, x]
            size = word & MAGNITUDE
            if size == 0 or size >= INFINITY:
                continue
            key = ~word if word & SIGN else word | SIGN
            counts[key >> shift] += 1
            offsets[key >> shift] += np.int64(key & low)


@njit(nogil=True, cache=True, error_model="numpy")
def medians(planes, pairs, lines, counts, out):
    """Median of finite values over the first axis; of two values the lower; NaN where there is none.

    Parameters
    ----------
    planes : float32 (n, rows, columns)
    pairs : int64 (m, 2)
        A sorting network for n values.
    lines : float32 (n, width)
        Room for as many pixels of a row at a time.
    counts : int32 (width,)
        Room.
    out : float32 (rows, columns)
    """
    number, rows, columns = planes.shape
    width = lines.shape[1]
    for y in range(rows):
        for first in range(0, columns, width):
            size = min(width, columns - first)
            counts[:] = 0
            for n in range(number):
                line = lines[n]
                for x in range(size):
                    value = planes[n, y, first + x]
                    finite = abs(value) <= LARGEST
                    line[x] = value if finite else np.float32(np.inf)
                    counts[x] += np.int32(1) if finite else np.int32(0)
            for n in range(pairs.shape[0]):
                low, high = lines[pairs[n, 0]], lines[pairs[n, 1]]
                for x in range(size):
                    one, other = low[x], high[x]
                    low[x] = one if one < other else other
                    high[x] = other if one < other else one
            for x in range(size):
                count = counts[x]
                if count == 0:
                    out[y, first + x] = NAN
                elif count == 2:
                    out[y, first + x] = lines[0, x]
                else:
                    out[y, first + x] = (lines[(count - 1) >> 1, x] + lines[count >> 1, x]) * HALF


@njit(nogil=True, cache=True, error_model="numpy")
def blot(rows, x, y, fill, out):
    """Bilinear interpolation of an image at given places, all in float32.

    Parameters
    ----------
    rows : ImageRows
        Of the image.
    x, y : float64 (n, m)
        Places in the whole image; NaN is outside.
    fill : float32
        Outside of the pixels' centres on the low side, of the frame on the high side.
    out : float32 (n, m)
    """
    image, first, height = rows.pixels, rows.first, rows.height
    columns = image.shape[1]
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            u, v = np.float32(x[row, column]), np.float32(y[row, column])
            if not (u >= 0 and v >= 0 and u < columns and v < height):
                out[row, column] = fill
                continue
            i, j = np.int64(u), np.int64(v)
            du, dv = u - np.float32(i), v - np.float32(j)
            here = j - first
            if i + 1 < columns and j + 1 < height:
                below = image[here, i] + du * (image[here, i + 1] - image[here, i])
                above = image[here + 1, i] + du * (image[here + 1, i + 1] - image[here + 1, i])
                out[row, column] = below + dv * (above - below)
            elif i + 1 < columns:
                out[row, column] = image[here, i] + du * (image[here, i + 1] - image[here, i])
            elif j + 1 < height:
                out[row, column] = image[here, i] + dv * (image[here + 1, i] - image[here, i])
            else:
                out[row, column] = image[here, i]


@njit(nogil=True, cache=True)
def _sigma(err):
    """An error as a number: NaN is 0, infinity the largest float32."""
    if np.isnan(err):
        return ZERO
    return min(max(err, -LARGEST), LARGEST)


@njit(nogil=True, cache=True)
def _steepest(blotted, y, x):
    """Largest finite difference between a pixel and one of its four neighbours; 0 if none is finite."""
    here, steepest = blotted[y, x], ZERO
    if y > 0:
        step = abs(here - blotted[y - 1, x])
        steepest = step if steepest < step <= LARGEST else steepest
    if y + 1 < blotted.shape[0]:
        step = abs(here - blotted[y + 1, x])
        steepest = step if steepest < step <= LARGEST else steepest
    if x > 0:
        step = abs(here - blotted[y, x - 1])
        steepest = step if steepest < step <= LARGEST else steepest
    if x + 1 < blotted.shape[1]:
        step = abs(here - blotted[y, x + 1])
        steepest = step if steepest < step <= LARGEST else steepest
    return steepest


@njit(nogil=True, cache=True, error_model="numpy")
def flag(data, err, blotted, limits, marks):
    """Which pixels differ from the blotted median: far enough, or less far beside one that is far enough.

    The test |data - median| > step · derivative + snr · error is that of Fruchter & Hook (2002, PASP 114, 144), who
    allow for what the blurring of the median changes at stars by the derivative of the blotted image.

    Parameters
    ----------
    data, err, blotted : float32 (rows, columns)
    limits : Thresholds
        What is far.
    marks : uint8 (rows, columns)
        Receives 1 for a pixel beyond the second limits, 2 more beyond the first, 4 more where it is an outlier.

    Returns
    -------
    int
        Outliers.
    """
    rows, columns = data.shape
    for y in range(rows):
        for x in range(columns):
            off = abs(data[y, x] - blotted[y, x] - limits.level)
            sigma = _sigma(err[y, x])
            mark = np.uint8(0)
            if off > min(limits.snr, limits.snr_near) * sigma:  # also false for NaN; the steps only add to it
                step = _steepest(blotted, y, x)
                mark |= np.uint8(2) if off > limits.step * step + limits.snr * sigma else np.uint8(0)
                mark |= np.uint8(1) if off > limits.step_near * step + limits.snr_near * sigma else np.uint8(0)
            marks[y, x] = mark
    return _mark_outliers(marks)


@njit(nogil=True, cache=True, error_model="numpy")
def _mark_outliers(marks):
    """Add 4 to the marks of pixels with 1 that have, or are beside, a pixel with 2; returns how many."""
    rows, columns = marks.shape
    count = 0
    for y in range(rows):
        for x in range(columns):
            if not marks[y, x] & 1:
                continue
            near = np.uint8(0)
            for j in range(max(0, y - 1), min(rows, y + 2)):
                for i in range(max(0, x - 1), min(columns, x + 2)):
                    near |= marks[j, i]
            if near & 2:
                marks[y, x] |= np.uint8(4)
                count += 1
    return count


@njit(nogil=True, cache=True, error_model="numpy")
def flag_stack(data, err, median, limit, out):
    """Which pixels differ from the median of a stack by more than `limit` errors; returns how many."""
    count = 0
    for y in range(data.shape[0]):
        for x in range(data.shape[1]):
            found = abs(data[y, x] - median[y, x]) > limit * _sigma(err[y, x])
            out[y, x] = found
            count += 1 if found else 0
    return count


@njit(nogil=True, cache=True, error_model="numpy")
def mark(flagged, x, y, reach, out):
    """Mark the output pixels that flagged input pixels can have touched.

    Parameters
    ----------
    flagged : bool (n, m)
    x, y : float64 (n, m)
        Places of the input pixels in the output.
    reach : (float, float)
        Half width of what an input pixel covers: in input pixels along its own axes, and added to that in output
        pixels.
    out : uint8 (rows, columns)
        Set to 1; several threads may do it.
    """
    own, more = reach
    last_row, last_column = x.shape[0] - 1, x.shape[1] - 1
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            if not flagged[row, column]:
                continue
            u, v = x[row, column], y[row, column]
            if not (abs(u) < 1e9 and abs(v) < 1e9):
                continue
            up = row + 1 if row < last_row else row - 1
            right = column + 1 if column < last_column else column - 1
            wide = own * (abs(x[row, right] - u) + abs(x[up, column] - u)) + more
            high = own * (abs(y[row, right] - v) + abs(y[up, column] - v)) + more
            if np.isnan(wide + high):
                wide = high = 4 * own + more
            left, stop = max(0, np.int64(np.ceil(u - wide - 0.5))), np.int64(np.floor(u + wide + 0.5)) + 1
            bottom, top = max(0, np.int64(np.ceil(v - high - 0.5))), np.int64(np.floor(v + high + 0.5)) + 1
            for j in range(bottom, min(top, out.shape[0])):
                for i in range(left, min(stop, out.shape[1])):
                    out[j, i] = 1
