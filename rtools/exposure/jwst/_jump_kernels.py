"""The two-point search for jumps: differences of neighbouring groups against their median.

A block is (integrations, groups, rows, columns). All integrations of a pixel are looked at together. Most pixels are
known to have no jump after a look at many of them at a time (`_jump_screen_kernels`).
"""

import math
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.exposure.jwst._jump_screen_kernels import KNOWN, UNUSED, clip, doubt_across, doubt_together
from rtools.exposure.jwst._lanes import LANES, LaneSpan
from rtools.exposure.jwst._order_kernels import find_median, median_of_ordered, put_in_order
from rtools.jwst.dq import GROUP_FLAGS

JUMP = np.uint8(GROUP_FLAGS["JUMP_DET"])

FOUND, SPREADS, BEHIND = np.uint8(1), np.uint8(2), np.uint8(4)
"""Marks of a group: a jump is in front of it; one that is seen in the neighbours, too; a high one is further back."""

REPEATED, ONCE, ACROSS = 0, 1, 2
"""How jumps are looked for: the largest difference is taken away again and again; every difference is compared with the
median of all, once; every difference is compared with the same one in the other integrations."""


class JumpTerms(NamedTuple):
    """How jumps are looked for.

    Attributes
    ----------
    search : int
        `REPEATED`, `ONCE` or `ACROSS`.
    levels : ndarray float64 (3,)
        Thresholds for four differences or more, for three, for two, in standard deviations.
    limits : ndarray float64 (2,)
        Jumps between these, in standard deviations, spread to the neighbours; (inf, inf): none does.
    after : ndarray float64 (n, 2)
        Heights (DN) and numbers of groups behind a jump of at least this height that are flagged with it.
    of_sizes : bool
        Sizes of differences are compared, not these.
    level : float
        The threshold where all groups are used.
    network : ndarray int64 (k, 2)
        Comparators that put the smallest, the largest and the middle of all differences into their places; none where
        there are too many, or they are not looked at together.
    ranks : (int, int)
        Ranks of the middle.
    """

    search: int
    levels: np.ndarray
    limits: np.ndarray
    after: np.ndarray
    of_sizes: bool
    level: float
    network: np.ndarray
    ranks: tuple[int, int]


@njit(nogil=True, cache=True)
def find_jumps(ramp, noise, terms, marks):
    """Mark jumps in each pixel of a block.

    Parameters
    ----------
    ramp : (float32, uint8) (integrations, groups, rows, columns)
        Groups in DN, and their flags.
    noise : (float32, float32) (rows, columns)
        electron/DN, not a number where a pixel is not searched; the variance of a difference from reading, electron².
    terms : JumpTerms
        How.
    marks : uint8, of the shape of the groups
        Zeros; set to `FOUND`, and `SPREADS` with it.
    """
    count, found = marks.shape[0] * (marks.shape[1] - 1), np.zeros(marks.shape[0] * marks.shape[1], np.uint8)
    search = np.empty(count), np.empty(count), np.empty(count), found
    if terms.search == ACROSS:
        _search_across(ramp, noise, terms, search, marks)
    else:
        _search_together(ramp, noise, terms, search, marks)


@njit(nogil=True, cache=True)
def _search_together(ramp, noise, terms, search, marks):
    """Look at all differences of a pixel together."""
    columns = np.uint64(marks.shape[3])
    screened = terms.network.shape[0] > 0
    steps = np.zeros(search[0].size * LANES * np.uint64(screened), np.float32)
    doubt = np.ones(columns, np.bool_)
    for y in range(np.uint64(marks.shape[2])):
        if screened:
            doubt_together(ramp, noise, y, terms, (steps, doubt))
        for x in range(columns):
            if doubt[x] and _find_together(ramp, noise, (y, x), terms, search) > 0:
                _mark(noise, (y, x), terms, search, marks)


@njit(nogil=True, cache=True)
def _search_across(ramp, noise, terms, search, marks):
    """Look at the same difference of all integrations together."""
    columns, groups = np.uint64(marks.shape[3]), marks.shape[1]
    steps, known = np.zeros(np.uint64(search[0].size) * LANES, np.float32), np.zeros(np.uint64(KNOWN) * LANES)
    doubt = np.zeros((groups, LANES), np.bool_)
    for y in range(np.uint64(marks.shape[2])):
        for start in range(np.uint64(0), columns, LANES):
            piece = LaneSpan(y, start, min(columns - start, LANES))
            doubt_across(ramp, noise, piece, terms.level, (steps, known, doubt))
            for j in range(piece.width):
                if doubt[0, j] and _find_across(steps, doubt, j, terms.level, search) > 0:
                    _mark(noise, (y, start + j), terms, search, marks)


@njit(nogil=True, cache=True)
def _find_together(ramp, noise, place, terms, rooms):
    """Find jumps in one pixel by the median of all its differences; their number."""
    (data, flags), (y, x), (steps, values, spare, found) = ramp, place, rooms
    integrations, groups = data.shape[:2]
    per, factor, variance, n = groups - 1, noise[0][y, x], noise[1][y, x], 0
    if not factor > 0:
        return 0
    for i in range(integrations):
        last, used = data[i, 0, y, x] * factor, (flags[i, 0, y, x] & UNUSED) == 0
        for g in range(per):
            value, use = data[i, g + 1, y, x] * factor, (flags[i, g + 1, y, x] & UNUSED) == 0
            step = np.float64(value - last) if used and use else np.nan
            steps[i * per + g] = step
            n += step == step
            last, used = value, use
    if n == 0:
        return 0
    if terms.search == ONCE:
        return _find_once(steps, values, spare, variance, terms.levels[0], found, per)
    return _find_repeatedly(steps, values, spare, variance, terms.levels, found, per)


@njit(nogil=True, cache=True)
def _find_across(known, doubt, j, level, rooms):
    """Find jumps in pixel j of a piece, what is clipped across integrations, among the differences in doubt."""
    (steps, values, spare, found), per, count = rooms, doubt.shape[0] - 1, 0
    integrations = steps.size // per
    for g in range(per):
        column = steps[g::per]
        for i in range(integrations):
            column[i] = known[np.uint64(g * integrations + i) * LANES + j]
        if not doubt[g + 1, j]:
            continue
        low, high = clip(column, level, values, spare)
        for i in range(integrations):
            if column[i] < low or column[i] > high:
                found[_place(i * per + g, per)] = FOUND
                count += 1
    return count


@njit(nogil=True, cache=True)
def _mark(noise, place, terms, rooms, marks):
    """Mark what was found in one pixel, and what goes with it."""
    (y, x), (steps, values, spare, found), groups = place, rooms, marks.shape[1]
    about = noise[1][y, x], noise[0][y, x], terms.limits[0], terms.limits[1]
    _find_around(steps, values, spare, about, terms.after, found, groups - 1)
    for k in range(found.size):
        if found[k]:
            marks[k // groups, k % groups, y, x] = found[k]
            found[k] = 0


@njit(nogil=True, cache=True)
def _place(k, per):
    """Where the group behind a difference stands among all groups."""
    return k // per * (per + 1) + k % per + 1


@njit(nogil=True, cache=True)
def _median_of(steps, values, spare):
    """Median of the differences that are numbers."""
    n = 0
    for step in steps:
        if step == step:
            values[n] = step
            n += 1
    return find_median(values, n, spare)


@njit(nogil=True, cache=True)
def _find_once(steps, values, spare, noise, level, found, per):
    median = _median_of(steps, values, spare)
    limit, count = level * math.sqrt(abs(median) + noise), 0
    for k in range(steps.size):
        if abs(steps[k] - median) > limit:
            found[_place(k, per)] = FOUND
            count += 1
    return count


@njit(nogil=True, cache=True)
def _find_repeatedly(steps, values, spare, noise, levels, found, per):
    """Take the difference that stands out most for a jump, leave it out, and look again."""
    n = count = 0
    for step in steps:
        if step == step:
            values[n] = abs(step)
            n += 1
    put_in_order(values, n, spare)
    while n > 1:
        if n >= 4:
            middle, level = median_of_ordered(values, n - 1), levels[0]
        elif n == 3:
            middle, level = values[1], levels[1]
        else:
            middle, level = values[0], levels[2]
        high, low = values[n - 1] - middle, middle - values[0]
        if not max(high, low) > level * math.sqrt(abs(middle) + noise):
            break
        worst = values[n - 1] if high >= low else values[0]
        for k in range(steps.size):
            if abs(steps[k]) == worst and found[_place(k, per)] == 0:
                found[_place(k, per)] = FOUND
                break
        if high < low:
            for j in range(n - 1):
                values[j] = values[j + 1]
        n -= 1
        count += 1
    return count


@njit(nogil=True, cache=True)
def _find_around(steps, values, spare, about, after, found, per):
    """Mark jumps that spread to the neighbours, and groups behind high ones, whose charge is still being released."""
    noise, factor, least, most = about
    median = _median_of(steps, values, spare)
    sigma = math.sqrt(abs(median) + noise)
    for k in range(steps.size):
        place = _place(k, per)
        if not found[place] & FOUND:
            continue
        ratio = abs(steps[k] - median) / sigma
        if ratio > least and ratio < most:
            found[place] |= SPREADS
        for row in range(after.shape[0]):
            if steps[k] - median > after[row, 0] * factor:
                end = k // per * (per + 1) + per + 1
                for behind in range(place + 1, min(place + 1 + int(after[row, 1]), end)):
                    found[behind] |= BEHIND


@njit(nogil=True, cache=True)
def flag_marks(flags, marks, first_row, last_row):
    """Set JUMP_DET where groups are marked, and in the four neighbours of those that spread; not in unused groups."""
    integrations, groups, rows, columns = flags.shape
    for i in range(integrations):
        for g in range(1, groups):
            plane = marks[i, g]
            for y in range(first_row, last_row):
                for x in range(columns):
                    if flags[i, g, y, x] & UNUSED:
                        continue
                    jump = plane[y, x] != 0
                    jump |= y > 0 and (plane[y - 1, x] & SPREADS) != 0
                    jump |= y + 1 < rows and (plane[y + 1, x] & SPREADS) != 0
                    jump |= x > 0 and (plane[y, x - 1] & SPREADS) != 0
                    jump |= x + 1 < columns and (plane[y, x + 1] & SPREADS) != 0
                    if jump:
                        flags[i, g, y, x] |= JUMP
