"""The two-point search for jumps: differences of neighbouring groups against their median.

A block is (integrations, groups, rows, columns). All integrations of a pixel are looked at together.
"""

import math

import numpy as np

from rtools.compiled import njit

DO_NOT_USE, SATURATED, JUMP = np.uint8(1), np.uint8(2), np.uint8(4)
UNUSED = np.uint8(3)

FOUND, SPREADS, BEHIND = np.uint8(1), np.uint8(2), np.uint8(4)
"""Marks of a group: there is a jump in front of it; one that is seen in the neighbours, too; it is behind a high one."""

REPEATED, ONCE, ACROSS = 0, 1, 2
"""How jumps are looked for: the largest difference is taken away again and again; every difference is compared with the
median of all, once; every difference is compared with the same one in the other integrations."""

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
        electron/DN, not a number where a pixel is not searched; and the variance of a difference from reading, electron².
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
    most = integrations * (groups - 1)
    steps, values = np.empty(most), np.empty(most)
    for y in range(rows):
        for x in range(columns):
            factor = np.float32(gain[y, x])
            if not factor > 0:
                continue
            n = 0
            for i in range(integrations):
                for g in range(groups - 1):
                    step = np.nan
                    if ((flags[i, g, y, x] | flags[i, g + 1, y, x]) & UNUSED) == 0:
                        step = np.float64(data[i, g + 1, y, x] * factor - data[i, g, y, x] * factor)
                        if step == step:
                            values[n] = step
                            n += 1
                    steps[i * (groups - 1) + g] = step
            if n == 0:
                continue
            median = _median(values, n)
            sigma = math.sqrt(abs(median) + noise[y, x])
            if search == ACROSS:
                _mark_across(steps, values, levels[0], marks[:, :, y, x])
            elif search == ONCE:
                _mark_once(steps, median, sigma, levels[0], marks[:, :, y, x])
            elif n > 1:
                _mark_repeatedly(steps, values, n, noise[y, x], levels, marks[:, :, y, x])
            _mark_strong(steps, median, sigma, limits, marks[:, :, y, x])
            for k in range(after.shape[0]):
                _mark_after(steps, median, after[k, 0] * factor, int(after[k, 1]), marks[:, :, y, x])


@njit(nogil=True, cache=True)
def _median(values, n):
    """Median of the first n values, which are put in order."""
    part = values[:n]
    part.sort()
    return part[n // 2] if n % 2 else 0.5 * (part[n // 2 - 1] + part[n // 2])


@njit(nogil=True, cache=True)
def _mark_once(steps, median, sigma, level, marks):
    per = marks.shape[1] - 1
    for k in range(steps.size):
        if abs(steps[k] - median) / sigma > level:
            marks[k // per, k % per + 1] |= FOUND


@njit(nogil=True, cache=True)
def _mark_repeatedly(steps, values, n, noise, levels, marks):
    """Take the difference that stands out most for a jump, leave it out, and look again."""
    per = marks.shape[1] - 1
    n = 0
    for k in range(steps.size):
        if steps[k] == steps[k]:
            values[n] = abs(steps[k])
            n += 1
    values[:n].sort()
    while n > 1:
        if n >= 4:
            kept = n - 1
            middle = values[kept // 2] if kept % 2 else 0.5 * (values[kept // 2 - 1] + values[kept // 2])
            level = levels[0]
        elif n == 3:
            middle, level = values[1], levels[1]
        else:
            middle, level = values[0], levels[2]
        sigma = math.sqrt(abs(middle) + noise)
        worst, place = 0.0, -1
        for k in range(steps.size):
            if steps[k] == steps[k] and marks[k // per, k % per + 1] == 0:
                ratio = abs(abs(steps[k]) - middle) / sigma
                if ratio > worst:
                    worst, place = ratio, k
        if not worst > level:
            return
        marks[place // per, place % per + 1] |= FOUND
        found = abs(steps[place])
        for k in range(n):
            if values[k] == found:
                for j in range(k, n - 1):
                    values[j] = values[j + 1]
                break
        n -= 1


@njit(nogil=True, cache=True)
def _mark_strong(steps, median, sigma, limits, marks):
    per = marks.shape[1] - 1
    for k in range(steps.size):
        ratio = abs(steps[k] - median) / sigma
        if marks[k // per, k % per + 1] and ratio > limits[0] and ratio < limits[1]:
            marks[k // per, k % per + 1] |= SPREADS


@njit(nogil=True, cache=True)
def _mark_after(steps, median, height, count, marks):
    """Mark groups behind a high jump, whose charge is still being released."""
    per = marks.shape[1] - 1
    for k in range(steps.size):
        if (marks[k // per, k % per + 1] & FOUND) and steps[k] - median > height:
            for g in range(k % per + 2, min(k % per + 2 + count, per + 1)):
                marks[k // per, g] |= BEHIND


@njit(nogil=True, cache=True)
def _mark_across(steps, values, level, marks):
    """Clip each difference across integrations, `level` standard deviations (of the population) about the median."""
    per = marks.shape[1] - 1
    for g in range(per):
        _clip(steps[g::per], values, level, marks[:, g + 1])


@njit(nogil=True, cache=True)
def _clip(steps, values, level, marks):
    low, high = -np.inf, np.inf
    last = -1
    for _ in range(ROUNDS):
        n, total = 0, 0.0
        for value in steps:
            if value >= low and value <= high:
                values[n] = value
                total += value
                n += 1
        if n == 0 or n == last:
            break
        last = n
        mean, spread = total / n, 0.0
        for k in range(n):
            spread += (values[k] - mean) ** 2
        spread = math.sqrt(spread / n)
        median = _median(values, n)
        low, high = max(low, median - level * spread), min(high, median + level * spread)
    for i in range(steps.size):
        if steps[i] < low or steps[i] > high:
            marks[i] |= FOUND


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
