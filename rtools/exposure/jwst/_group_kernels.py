"""What is done to each group of a ramp by itself: bias, linearity, crosstalk, dark current, charge that migrates."""

import numpy as np

from rtools.compiled import njit
from rtools.jwst.dq import GROUP_FLAGS

ZERO = np.float32(0)
DO_NOT_USE, SATURATED, CHARGELOSS = (np.uint8(GROUP_FLAGS[name]) for name in ("DO_NOT_USE", "SATURATED", "CHARGELOSS"))


@njit(nogil=True, cache=True)
def subtract(data, plane):
    """Subtract one plane from every group; a bias that is not a number is none."""
    for i in range(data.shape[0]):
        for g in range(data.shape[1]):
            for y in range(data.shape[2]):
                for x in range(data.shape[3]):
                    value = plane[y, x]
                    data[i, g, y, x] -= value if value == value else ZERO


@njit(nogil=True, cache=True)
def subtract_ramp(data, ramp):
    """Subtract group by group, the same of every integration; not a number is nothing."""
    for i in range(data.shape[0]):
        for g in range(min(data.shape[1], ramp.shape[0])):
            for y in range(data.shape[2]):
                for x in range(data.shape[3]):
                    value = ramp[g, y, x]
                    data[i, g, y, x] -= value if value == value else ZERO


@njit(nogil=True, cache=True)
def linearise(data, flags, coefficients, is_left):
    """Evaluate the polynomial of each pixel, lowest power first, in float32; saturated groups keep their value."""
    powers, columns = coefficients.shape[0], data.shape[3]
    totals = np.empty(columns, np.float32)
    for i in range(data.shape[0]):
        for g in range(data.shape[1]):
            for y in range(data.shape[2]):
                for x in range(columns):
                    totals[x] = coefficients[powers - 1, y, x]
                for k in range(powers - 2, -1, -1):
                    for x in range(columns):
                        product = np.float32(totals[x] * data[i, g, y, x])
                        totals[x] = product + coefficients[k, y, x]
                for x in range(columns):
                    value, total = data[i, g, y, x], totals[x]
                    stays = is_left[y, x] | ((flags[i, g, y, x] & SATURATED) != 0)
                    totals[x] = value  # a store in between: else the next one would be under a mask, which takes longer
                    data[i, g, y, x] = value if stays else total


@njit(nogil=True, cache=True)
def convolve(data, made, kernel, is_reference):
    """Convolve each group with a kernel (rows, columns, of 3 x 3 …, one for all or one for each pixel).

    Beyond the edge and in reference pixels there is nothing; reference pixels keep their values.
    """
    height, width = kernel.shape[0] // 2, kernel.shape[1] // 2
    rows, columns = data.shape[2:]
    each = kernel.shape[2] > 1 or kernel.shape[3] > 1
    for i in range(data.shape[0]):
        for g in range(data.shape[1]):
            for y in range(rows):
                for x in range(columns):
                    if is_reference[y, x]:
                        made[i, g, y, x] = data[i, g, y, x]
                        continue
                    total = np.float64(0.0)
                    for dy in range(-height, height + 1):
                        for dx in range(-width, width + 1):
                            row, column = y - dy, x - dx
                            if row < 0 or row >= rows or column < 0 or column >= columns or is_reference[row, column]:
                                continue
                            share = kernel[dy + height, dx + width, row if each else 0, column if each else 0]
                            total += share * data[i, g, row, column]
                    made[i, g, y, x] = total


@njit(nogil=True, cache=True)
def flag_migration(data, flags, threshold):
    """Leave out groups above a level, all that follow, and these of the four neighbours: charge has moved."""
    integrations, groups, rows, columns = data.shape
    first = np.empty((rows, columns), np.int64)
    both = CHARGELOSS | DO_NOT_USE
    for i in range(integrations):
        for y in range(rows):
            for x in range(columns):
                first[y, x] = groups
                for g in range(groups):
                    if data[i, g, y, x] > threshold and flags[i, g, y, x] != DO_NOT_USE:
                        first[y, x] = g
                        break
        for y in range(rows):
            for x in range(columns):
                begin = first[y, x]
                if y > 0:
                    begin = min(begin, first[y - 1, x])
                if y + 1 < rows:
                    begin = min(begin, first[y + 1, x])
                if x > 0:
                    begin = min(begin, first[y, x - 1])
                if x + 1 < columns:
                    begin = min(begin, first[y, x + 1])
                for g in range(begin, groups):
                    flags[i, g, y, x] |= both


@njit(nogil=True, cache=True)
def average_dark(dark, groups, frames, skipped):
    """A ramp of single frames averaged to groups; where it ends it goes on with its last difference.

    dark is (frames, rows, columns); each group is `frames` of them, `skipped` follow it.
    """
    count, rows, columns = dark.shape
    made = np.empty((groups, rows, columns), np.float32)
    for g in range(groups):
        start = g * (frames + skipped)
        for y in range(rows):
            for x in range(columns):
                total = np.float64(0.0)
                for k in range(start, start + frames):
                    if k < count:
                        total += dark[k, y, x]
                    else:
                        last = dark[count - 1, y, x]
                        total += last + (k - count + 1) * (last - dark[count - 2, y, x] if count > 1 else 0.0)
                made[g, y, x] = total / frames
    return made
