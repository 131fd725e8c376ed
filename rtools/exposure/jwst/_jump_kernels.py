"""The two-point search for jumps: differences of neighbouring groups against their median.

A block is (integrations, groups, rows, columns). All integrations of a pixel are looked at together.
"""

import math

import numpy as np

from rtools.compiled import njit
from rtools.exposure.jwst._order_kernels import median_of_ordered, put_in_order
from rtools.jwst.dq import GROUP_FLAGS

JUMP = np.uint8(GROUP_FLAGS["JUMP_DET"])
UNUSED = np.uint8(GROUP_FLAGS["DO_NOT_USE"] | GROUP_FLAGS["SATURATED"])

FOUND, SPREADS, BEHIND = np.uint8(1), np.uint8(2), np.uint8(4)
"""Marks of a group: a jump is in front of it; one that is seen in the neighbours, too; a high one is further back."""

REPEATED, ONCE, ACROSS = 0, 1, 2
"""How jumps are looked for: the largest difference is taken away again and again; every difference is compared with the
median of all, once; every difference is compared with the same one in the other integrations."""

NEAR, ROUNDING = 0.4, 1 - 1e-9
"""Neighbourhood of a mean, standard deviations; and a little less than 1, so that no rounding matters."""

ROUNDS = 5
"""Rounds of clipping across integrations, at most."""


@njit(nogil=True, cache=True)
def find_jumps(data, flags, gain, noise, levels, limits, after, marks, search):
    """Mark jumps in each pixel of a block.

    Parameters
    ----------
    data, flags : float32, uint8 (integrations, groups, rows, columns)
        Groups in DN, and their flags.
    gain, noise : float32 (rows, columns)
        electron/DN, not a number where a pixel is not searched; the variance of a difference from reading, electron².
    levels : float64 (3,)
        Thresholds for four differences or more, for three, for two, in standard deviations.
    limits : float64 (2,)
        Jumps between these, in standard deviations, spread to the neighbours; (inf, inf): none does.
    after : float64 (n, 2)
        Heights (DN) and numbers of groups behind a jump of at least this height that are flagged with it.
    marks : uint8, of the shape of `data`
        Zeros; set to `FOUND`, and `SPREADS` with it.
    search : int
        `REPEATED`, `ONCE` or `ACROSS`.
    """
    integrations, groups, rows, columns = data.shape
    per = groups - 1
    steps, values = np.empty(integrations * per), np.empty(integrations * per)
    spare = np.empty(integrations * per)
    found = np.zeros(integrations * groups, np.uint8)
    for y in range(rows):
        for x in range(columns):
            factor = gain[y, x]
            if not factor > 0:
                continue
            n = 0
            for i in range(integrations):
                last, used = data[i, 0, y, x] * factor, (flags[i, 0, y, x] & UNUSED) == 0
                for g in range(per):
                    value, use = data[i, g + 1, y, x] * factor, (flags[i, g + 1, y, x] & UNUSED) == 0
                    step = np.float64(value - last) if used and use else np.nan
                    steps[i * per + g] = step
                    n += step == step
                    last, used = value, use
            if n == 0:
                continue
            if search == ACROSS:
                count = _find_across(steps, values, spare, levels[0], found, per)
            elif search == ONCE:
                count = _find_once(steps, values, spare, noise[y, x], levels[0], found, per)
            else:
                count = _find_repeatedly(steps, values, spare, noise[y, x], levels, found, per)
            if count == 0:
                continue
            _find_around(steps, values, spare, (noise[y, x], factor, limits[0], limits[1]), after, found, per)
            for k in range(integrations * groups):
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
    put_in_order(values, n, spare)
    return median_of_ordered(values, n)


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
def _find_across(steps, values, spare, level, found, per):
    """Clip each difference across integrations, `level` standard deviations (of the population) about the median."""
    integrations, count = steps.size // per, 0
    for g in range(per):
        low, high, last = -np.inf, np.inf, -1
        for _ in range(ROUNDS):
            n, total = 0, 0.0
            for i in range(integrations):
                value = steps[i * per + g]
                if value >= low and value <= high:
                    values[n] = value
                    total += value
                    n += 1
            if n in (0, last):
                break
            last = n
            mean, spread = total / n, 0.0
            for k in range(n):
                spread += (values[k] - mean) ** 2
            spread = math.sqrt(spread / n)
            if low == -np.inf and _is_narrow(values, n, (mean, spread, level)):
                break
            put_in_order(values, n, spare)
            median = median_of_ordered(values, n)
            low, high = max(low, median - level * spread), min(high, median + level * spread)
        for i in range(integrations):
            if steps[i * per + g] < low or steps[i * per + g] > high:
                found[_place(i * per + g, per)] = FOUND
                count += 1
    return count


@njit(nogil=True, cache=True)
def _is_narrow(values, n, about):
    """Whether it is certain, without the median, that nothing is `level` standard deviations from it.

    The median is near the mean where fewer than half of the values are beyond either side of that neighbourhood.
    """
    mean, spread, level = about
    near, far = NEAR * spread, (level - NEAR) * spread * ROUNDING
    below = above = beyond = 0
    for k in range(n):
        away = values[k] - mean
        below += away < -near
        above += away > near
        beyond += abs(away) > far
    return beyond == 0 and 2 * below < n and 2 * above < n


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
