"""Segments of evenly spaced groups between jumps, and their slopes.

The ramps of all integrations of a pixel lie one behind the other in a line; a ramp is named by where it begins.

Fixsen et al. 2000, PASP 112, 1350 give the weights of groups.
"""

import math

import numpy as np

from rtools.compiled import njit
from rtools.exposure.jwst._order_kernels import find_median
from rtools.jwst.dq import GROUP_FLAGS

DO_NOT_USE, SATURATED, JUMP, PERSISTENCE = (
    GROUP_FLAGS[name] for name in ("DO_NOT_USE", "SATURATED", "JUMP_DET", "PERSISTENCE")
)
UNUSED = DO_NOT_USE | SATURATED

EXPONENTS = np.array([0.0, 0.4, 1.0, 3.0, 6.0, 10.0])
"""Of the weights, by signal over noise."""

LIMITS = (5.0, 10.0, 20.0, 50.0, 100.0)
"""Signal over noise from which on each exponent but the first is used."""

NOTHING, SLOPES, VALUE, FRAME = 0, 1, 2, 3
"""What an integration is fitted by."""


@njit(nogil=True, cache=True, error_model="numpy")
def find_segments(flags, begin, groups, starts, stops, ignored):
    """Runs of groups between jumps that can be fitted; their number. `groups` of them begin at `begin`.

    A group that is flagged as a jump and as nothing else begins a segment, if the next one is good. A segment of one
    group counts only where none is longer, and then the first of them alone. Groups with a flag of `ignored` are good.
    """
    n, start = 0, -1
    longest = 0
    for g in range(groups + 1):
        flag = 0
        if g < groups:
            flag = flags[begin + g] & ~PERSISTENCE
            if flag & ignored:
                flag &= ~(ignored | DO_NOT_USE)
        ended = g == groups or (flag & UNUSED) != 0
        jump = flag == JUMP
        if start >= 0 and (ended or jump):
            starts[n], stops[n] = start, g
            longest = max(longest, g - start)
            n += 1
            start = -1
        if g == groups or (flag & SATURATED) != 0:
            break
        if jump:
            if g + 1 < groups and (flags[begin + g + 1] & (UNUSED | JUMP)) == 0:
                start = g
        elif not ended and start < 0:
            start = g
    if longest == 1:
        return 1
    kept = 0
    for k in range(n):
        if stops[k] - starts[k] > 1:
            starts[kept], stops[kept] = starts[k], stops[k]
            kept += 1
    return kept


@njit(nogil=True, cache=True, error_model="numpy")
def lay_out_weights(groups):
    """What each group of a segment counts in its slope, DN per group: (exponents, lengths, groups).

    With weights w_k = |(k - m)/m|^P about the middle m, the slope is the sum of w_k (k - c) v_k over that of
    w_k (k - c)², c the weighted mean of k.
    """
    table = np.zeros((EXPONENTS.size, groups + 1, groups))
    for one in range(EXPONENTS.size):
        for n in range(2, groups + 1):
            middle = 0.5 * (n - 1)
            total = centre = below = 0.0
            for k in range(n):
                weight = abs((k - middle) / middle) ** EXPONENTS[one]
                total += weight
                centre += weight * k
            centre /= total
            for k in range(n):
                table[one, n, k] = abs((k - middle) / middle) ** EXPONENTS[one] * (k - centre)
                below += table[one, n, k] * (k - centre)
            for k in range(n):
                table[one, n, k] /= below
    return table


@njit(nogil=True, cache=True, error_model="numpy")
def choose_exponent(signal, read):
    """Which of `EXPONENTS` it is by signal over noise, `signal` and `read` (noise of a group) in electron."""
    if not signal > 0:
        return 0
    ratio = signal / math.sqrt(read * read + signal)
    one = 0
    for limit in LIMITS:
        one += 0 if ratio < limit else 1
    return one


@njit(nogil=True, cache=True, error_model="numpy")
def fit_segment(values, start, n, gain, read, table):
    """Slope of n groups from `start` on, in DN per group; of one group its value."""
    if n == 1:
        return np.float64(values[start])
    one = 0
    if n > 2:
        one = choose_exponent((np.float64(values[start + n - 1]) - np.float64(values[start])) * gain, read)
    slope = 0.0
    for k in range(n):
        slope += table[one, n, k] * values[start + k]
    return slope


@njit(nogil=True, cache=True, error_model="numpy")
def median_rate(values, flags, begin, groups, buffer):
    """Median of the first differences of an integration, DN per group; not a number where there is none."""
    n = 0
    for g in range(begin, begin + groups - 1):
        if ((flags[g] | flags[g + 1]) & UNUSED) == 0 and (flags[g + 1] & JUMP) == 0:
            step = np.float64(values[g + 1]) - np.float64(values[g])
            if step == step:
                buffer[0][n] = step
                n += 1
    if n == 0:
        return np.nan
    return find_median(buffer[0], n, buffer[1])


@njit(nogil=True, cache=True, error_model="numpy")
def look_at(values, flags, place, buffer, times, zero, suppress):
    """How an integration is to be fitted, the time that its differences took, and its rate before the fit.

    How is `SLOPES`, `VALUE` (its one good group counts from zero) or `FRAME` (its first frame does); else `NOTHING`.
    """
    begin, groups = place
    good, whole, first = 0, 0, -1  # groups that can be used; those of them that no jump begins, and the first of these
    for g in range(groups):
        if flags[begin + g] & SATURATED:
            break
        if (flags[begin + g] & UNUSED) == 0:
            good += 1
            if (flags[begin + g] & JUMP) == 0:
                whole += 1
                first = g if first < 0 else first
    rate = median_rate(values, flags, begin, groups, buffer) / times[0]
    if good == 0:
        if suppress or zero == 0 or zero != zero:
            return NOTHING, times[0], 0.0
        return FRAME, times[2], np.float64(zero) / times[2]
    if whole == 1 and suppress:
        return NOTHING, times[0], 0.0
    time = times[1] if whole == 1 and first == 0 else times[0]
    if rate != rate:
        rate = np.float64(values[begin]) / time if (flags[begin] & UNUSED) == 0 else 0.0
    return (VALUE if good == whole == 1 else SLOPES), time, (rate if rate == rate else 0.0)
