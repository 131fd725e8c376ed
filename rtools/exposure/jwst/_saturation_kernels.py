"""Saturation of groups that are means of several frames, row by row of a block."""

import numpy as np

from rtools.compiled import njit
from rtools.jwst.dq import GROUP_FLAGS

NONE = np.uint8(0)
DO_NOT_USE, SATURATED, AD_FLOOR = (np.uint8(GROUP_FLAGS[name]) for name in ("DO_NOT_USE", "SATURATED", "AD_FLOOR"))


@njit(nogil=True, cache=True)
def flag_levels(data, flags, threshold, first_row, last_row):
    """Flag groups at the threshold or above with all that follow, and groups at zero or below.

    data is (integrations, groups, rows, columns), `threshold` infinite where there is none.
    """
    below = AD_FLOOR | DO_NOT_USE
    for i in range(data.shape[0]):
        for g in range(data.shape[1]):
            before = max(g - 1, 0)  # of the first group its own flags
            for y in range(first_row, last_row):
                for x in range(data.shape[3]):
                    value = data[i, g, y, x]
                    found = SATURATED if value >= threshold[y, x] else NONE
                    found |= flags[i, before, y, x] & SATURATED
                    flags[i, g, y, x] |= found | (below if value <= 0 else NONE)


@njit(nogil=True, cache=True)
def grow_saturation(flags, size):
    """Flag the neighbours of saturated pixels in each group, in a box of `size` pixels to each side."""
    integrations, groups, rows, columns = flags.shape
    mask, there = np.empty((rows, columns), np.uint8), np.empty(rows, np.uint8)
    for i in range(integrations):
        for g in range(groups):
            for y in range(rows):
                found = NONE
                for x in range(columns):
                    mask[y, x] = flags[i, g, y, x] & SATURATED
                    found |= mask[y, x]
                there[y] = found
            _flag_near(flags[i, g], (mask, there), size, SATURATED)


@njit(nogil=True, cache=True)
def _flag_near(plane, masked, size, flag):
    """Set a flag in all pixels near one of a mask, which comes with the rows that have any.

    The mask is walked, because few pixels are set.
    """
    mask, there = masked
    rows, columns = mask.shape
    for y in range(rows):
        if not there[y]:
            continue
        for x in range(columns):
            if mask[y, x]:
                for row in range(max(y - size, 0), min(y + size + 1, rows)):
                    for column in range(max(x - size, 0), min(x + size + 1, columns)):
                        plane[row, column] |= flag


@njit(nogil=True, cache=True)
def flag_before_saturation(data, flags, threshold, share, size):
    """Leave out groups some frames of which were saturated although their mean is not: the next group is saturated.

    `share` of each group is the mean number of its frames over the last one: a pixel that fills linearly and reaches
    the threshold in the last frame of the group has this share of the threshold as its mean.
    """
    integrations, groups, rows, columns = flags.shape
    mask, there = np.zeros((rows, columns), np.uint8), np.zeros(rows, np.uint8)
    for i in range(integrations):
        for g in range(groups - 1):
            for y in range(rows):
                next_ones = NONE
                for x in range(columns):
                    next_ones |= flags[i, g + 1, y, x]
                there[y] = next_ones & SATURATED
                if not there[y]:
                    continue
                for x in range(columns):
                    mask[y, x] = (
                        data[i, g, y, x] >= threshold[y, x] * share[g]
                        and (flags[i, g, y, x] & (SATURATED | DO_NOT_USE)) == 0
                        and (flags[i, g + 1, y, x] & SATURATED) != 0
                    )
            _flag_near(flags[i, g], (mask, there), size, DO_NOT_USE)


@njit(nogil=True, cache=True)
def flag_second_group(data, flags, threshold, bias, frames):
    """Leave out the second group where a cosmic ray saturated some of its frames.

    The first group says how far the third would have come: below the threshold, and yet it is saturated; and the second
    has risen by more than a jump in its last frame alone can make, (threshold - first group) / frames.

    `frames` holds the mean number of the frames of group 0, the last of group 2, and the frames a group.
    """
    integrations = data.shape[0]
    for i in range(integrations):
        for y in range(data.shape[2]):
            for x in range(data.shape[3]):
                if (flags[i, 2, y, x] & SATURATED) == 0 or (flags[i, 1, y, x] & SATURATED) != 0:
                    continue
                first, second = data[i, 0, y, x], data[i, 1, y, x]
                third = (first - bias[y, x]) / frames[0] * frames[1] + bias[y, x]
                if third < threshold[y, x] and second - first > (threshold[y, x] - first) / frames[2]:
                    flags[i, 1, y, x] |= DO_NOT_USE
