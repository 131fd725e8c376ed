"""Which pixels of a piece of a row may have a jump; the others are done with.

A pixel that is in doubt goes to the search (`_jump_kernels`) by itself, so that nothing depends on its neighbours. The
differences of a piece are float32 as they come from the data; number k of pixel j is ``steps[k * LANES + j]``.
"""

import math

import numpy as np

from rtools.compiled import njit
from rtools.exposure.jwst._lanes import LANES, ONE, LaneSpan, order_lanes
from rtools.exposure.jwst._order_kernels import find_median
from rtools.jwst.dq import GROUP_FLAGS

UNUSED = np.uint8(GROUP_FLAGS["DO_NOT_USE"] | GROUP_FLAGS["SATURATED"])

NEAR, ROUNDING = 0.2, 1 - 1e-9
"""Neighbourhood of a mean, standard deviations; and a little less than 1, so that no rounding matters."""

ROUNDS = 5
"""Rounds of clipping across integrations, at most."""

COUNT, MEAN, SPREAD, BELOW, ABOVE, BEYOND = (np.uint64(k) * LANES for k in range(6))
"""What is known of a difference of each pixel; see `doubt_across`."""

KNOWN = 6


@njit(nogil=True, cache=True, error_model="numpy")
def doubt_together(ramp, noise, y, terms, rooms):
    """Doubt pixels one of whose differences is too far from the median of all, and those that do not use all groups.

    Parameters
    ----------
    ramp : (float32, uint8) (integrations, groups, rows, columns)
        Groups in DN, and their flags.
    noise : (float32, float32) (rows, columns)
        Gain, not a number where a pixel is not searched; variance of a difference from reading, electron².
    y : int
        The row.
    terms : rtools.exposure.jwst._jump_kernels.JumpTerms
        What is compared with what.
    rooms : (float32, bool (columns,))
        Room for all differences of a piece; made: which pixels are in doubt.
    """
    (data, flags), (gain, variance), (steps, doubt), columns = ramp, noise, rooms, np.uint64(ramp[0].shape[3])
    network, of_sizes, level, ranks = terms.network, terms.of_sizes, terms.level, terms.ranks
    for start in range(np.uint64(0), columns, LANES):
        piece = LaneSpan(y, start, min(columns - start, LANES))
        n = np.uint64(0)
        for i in range(np.uint64(data.shape[0])):
            for g in range(np.uint64(data.shape[1]) - ONE):
                load_steps(data, flags, gain, piece, (i, g), steps, n)
                n += ONE
        _find_strange(steps, n, piece, doubt)
        if of_sizes:
            for k in range(n * LANES):
                steps[k] = abs(steps[k])
        order_lanes(steps, np.uint64(0), network)
        last, low, high = (n - ONE) * LANES, np.uint64(ranks[0]) * LANES, np.uint64(ranks[1]) * LANES
        for j in range(piece.width):
            middle = 0.5 * (np.float64(steps[low + j]) + np.float64(steps[high + j]))
            limit = level * math.sqrt(abs(middle) + variance[y, start + j])
            doubt[start + j] |= (np.float64(steps[last + j]) - middle > limit) | (middle - np.float64(steps[j]) > limit)


@njit(nogil=True, cache=True, error_model="numpy")
def _find_strange(steps, n, piece, doubt):
    """Doubt pixels one of whose n differences is not a number."""
    for j in range(piece.width):
        doubt[piece.start + j] = False
    for k in range(n):
        for j in range(piece.width):
            step = steps[k * LANES + j]
            doubt[piece.start + j] |= step != step


@njit(nogil=True, cache=True, error_model="numpy")
def load_steps(data, flags, gain, piece, which, steps, k):
    """Difference k: one of one integration (two groups), in electron; not a number where either group is not used."""
    (i, g), y, start, at = which, piece.row, piece.start, k * LANES
    for j in range(piece.width):
        factor = gain[y, start + j]
        step = data[i, g + ONE, y, start + j] * factor - data[i, g, y, start + j] * factor
        unused = (flags[i, g + ONE, y, start + j] | flags[i, g, y, start + j]) & UNUSED
        steps[at + j] = step if unused == 0 else np.float32(np.nan)


@njit(nogil=True, cache=True, error_model="numpy")
def doubt_across(ramp, noise, piece, level, rooms):
    """Doubt differences of pixels of a piece that are clipped in some integration.

    Where a difference is within `level` - `NEAR` standard deviations of its mean in all integrations, and fewer than
    half of them are beyond either side of the mean's neighbourhood, the median is in this, and nothing is clipped.

    Parameters
    ----------
    ramp, noise : tuples
        As `doubt_together` takes them.
    piece : rtools.exposure.jwst._lanes.LaneSpan
        The piece of a row.
    level : float
        The threshold, standard deviations.
    rooms : (float32, float64 (KNOWN * LANES,), bool (groups, LANES))
        Made: all differences of the piece, those of all integrations behind each other; room; which pixels are in
        doubt, and behind this row which of their differences are.
    """
    (data, flags), gain, (steps, known, doubt) = ramp, noise[0], rooms
    n = np.uint64(data.shape[0])
    for j in range(LANES):
        doubt[0, j] = False
    column, values, spare = np.empty(n), np.empty(n), np.empty(n)
    for g in range(np.uint64(data.shape[1]) - ONE):
        first = g * n
        for i in range(n):
            load_steps(data, flags, gain, piece, (i, g), steps, first + i)
        _average(steps, first, n, known)
        _compare(steps, first, n, level, known)
        for j in range(piece.width):
            half = 0.5 * known[COUNT + j]
            doubt[g + ONE, j] = False
            if (known[BEYOND + j] == 0) & (known[BELOW + j] < half) & (known[ABOVE + j] < half):
                continue
            for i in range(n):
                column[i] = steps[(first + i) * LANES + j]
            low, high = clip(column, level, values, spare)
            for step in column:
                doubt[g + ONE, j] |= step < low or step > high
            doubt[0, j] |= doubt[g + ONE, j]


@njit(nogil=True, cache=True, error_model="numpy")
def _average(steps, first, n, known):
    """Number of integrations that have a difference, its mean and standard deviation."""
    for k in range(np.uint64(KNOWN) * LANES):
        known[k] = 0.0
    for i in range(first, first + n):
        at = i * LANES
        for j in range(LANES):
            step = np.float64(steps[at + j])
            known[COUNT + j] += 1.0 if step == step else 0.0
            known[MEAN + j] += step if step == step else 0.0
    for j in range(LANES):
        known[MEAN + j] /= known[COUNT + j]
    for i in range(first, first + n):
        at = i * LANES
        for j in range(LANES):
            away = np.float64(steps[at + j]) - known[MEAN + j]
            known[SPREAD + j] += away * away if away == away else 0.0
    for j in range(LANES):
        known[SPREAD + j] = math.sqrt(known[SPREAD + j] / known[COUNT + j])


@njit(nogil=True, cache=True, error_model="numpy")
def _compare(steps, first, n, level, known):
    """Count integrations below and above the neighbourhood of the mean, and those beyond the limit."""
    for i in range(first, first + n):
        at = i * LANES
        for j in range(LANES):
            away, spread = np.float64(steps[at + j]) - known[MEAN + j], known[SPREAD + j]
            known[BELOW + j] += 1.0 if away < -NEAR * spread else 0.0
            known[ABOVE + j] += 1.0 if away > NEAR * spread else 0.0
            known[BEYOND + j] += 1.0 if abs(away) > (level - NEAR) * spread * ROUNDING else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def clip(steps, level, values, spare):
    """Between which limits a difference is no jump: `level` standard deviations (of the population) about the median.

    The smallest and largest of as many rounds as change anything. What is not a number does not count.
    """
    low, high, last = -np.inf, np.inf, -1
    for _ in range(ROUNDS):
        n, total = 0, 0.0
        for step in steps:
            if step >= low and step <= high:
                values[n] = step
                total += step
                n += 1
        if n in (0, last):
            break
        last = n
        mean, spread = total / n, 0.0
        for k in range(n):
            spread += (values[k] - mean) ** 2
        spread = math.sqrt(spread / n)
        median = find_median(values, n, spare)
        low, high = max(low, median - level * spread), min(high, median + level * spread)
    return low, high
