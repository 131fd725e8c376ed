"""The weighted straight-line fit to ramps of evenly spaced groups, segment by segment.

A block is (integrations, groups, rows, columns). Fixsen et al. 2000, PASP 112, 1350 give the weights; the variances are
those of Regan 2007 (JWST-STScI-001212): of reading 12 R²/((n³ - n) t²), of photons rate/(t (n - 1)).
"""

import math

import numpy as np

from rtools.compiled import njit
from rtools.exposure.jwst._order_kernels import median_of_ordered, put_in_order

DO_NOT_USE, SATURATED, JUMP, PERSISTENCE, CHARGELOSS = 1, 2, 4, 32, 128
UNUSED = 3
SHOWN = np.uint8(SATURATED | JUMP | PERSISTENCE)
"""Flags of groups that become flags of the pixel."""

LARGEST = 1e6
"""A variance of this size or more is that of nothing."""

EXPONENTS = np.array([0.0, 0.4, 1.0, 3.0, 6.0, 10.0])
"""Of the weights, by signal over noise."""

SCI, POISSON, READ, ERR = 0, 1, 2, 3
"""Planes of what is made."""

NOTHING, SLOPES, VALUE, FRAME = 0, 1, 2, 3
"""What an integration is fitted by."""


@njit(nogil=True, cache=True)
def find_segments(flags, starts, stops, ignored):
    """Runs of groups between jumps that can be fitted; their number.

    A group that is flagged as a jump and as nothing else begins a segment, if the next one is good. A segment of one
    group counts only where none is longer, and then the first of them alone. Groups with a flag of `ignored` are good.
    """
    groups, n, start = flags.size, 0, -1
    longest = 0
    for g in range(groups + 1):
        flag = 0
        if g < groups:
            flag = flags[g] & ~PERSISTENCE
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
            if g + 1 < groups and (flags[g + 1] & (UNUSED | JUMP)) == 0:
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


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def choose_exponent(signal, read):
    """Which of `EXPONENTS` it is by signal over noise, `signal` and `read` (noise of a group) in electron."""
    if not signal > 0:
        return 0
    ratio = signal / math.sqrt(read * read + signal)
    if ratio < 5:
        return 0
    if ratio < 10:
        return 1
    if ratio < 20:
        return 2
    if ratio < 50:
        return 3
    return 4 if ratio < 100 else 5


@njit(nogil=True, cache=True)
def fit_segment(values, start, stop, noise, table):
    """Slope of a segment in DN per group; of one group its value."""
    n, gain, read = stop - start, noise[0], noise[1]
    if n == 1:
        return np.float64(values[start])
    one = 0
    if n > 2:
        one = choose_exponent((np.float64(values[stop - 1]) - np.float64(values[start])) * gain, read)
    slope = 0.0
    for k in range(n):
        slope += table[one, n, k] * values[start + k]
    return slope


@njit(nogil=True, cache=True)
def median_rate(values, flags, buffer, time):
    """Median of the first differences of an integration, over the time of a group; not a number where there is none."""
    n = 0
    for g in range(values.size - 1):
        if ((flags[g] | flags[g + 1]) & UNUSED) == 0 and (flags[g + 1] & JUMP) == 0:
            step = np.float64(values[g + 1]) - np.float64(values[g])
            if step == step:
                buffer[n] = step
                n += 1
    if n == 0:
        return np.nan
    put_in_order(buffer, n)
    return median_of_ordered(buffer, n) / time


@njit(nogil=True, cache=True)
def look_at(values, flags, buffer, times, zero, suppress):
    """How an integration is to be fitted, the time that its differences took, and its rate before the fit.

    How is `SLOPES`, `VALUE` (its one good group counts from zero) or `FRAME` (its first frame does); else `NOTHING`.
    """
    good, first = 0, -1
    for g in range(flags.size):
        if flags[g] & SATURATED:
            break
        if (flags[g] & UNUSED) == 0:
            good += 1
            first = g if first < 0 else first
    rate = median_rate(values, flags, buffer, times[0])
    if good == 0:
        if suppress or zero == 0 or zero != zero:
            return NOTHING, times[0], 0.0
        return FRAME, times[2], np.float64(zero) / times[2]
    if good == 1 and suppress:
        return NOTHING, times[0], 0.0
    time = times[1] if good == 1 and first == 0 else times[0]
    if rate != rate:
        rate = np.float64(values[0]) / time if first == 0 else 0.0
    return (VALUE if good == 1 else SLOPES), time, (rate if rate == rate else 0.0)


@njit(nogil=True, cache=True)
def _inverse(total):
    return 1.0 / total if total > 0 else 0.0


@njit(nogil=True, cache=True)
def fit_block(
    data, flags, pixel_flags, planes, times, zero, suppress, of_integrations, of_all, dq_integrations, dq_all
):
    """Fit every pixel of a block.

    Parameters
    ----------
    data, flags : float32, uint8 (integrations, groups, rows, columns)
        Groups in DN, and their flags.
    pixel_flags : uint32 (rows, columns)
        PIXELDQ.
    planes : float64 (3, rows, columns)
        Gain (electron/DN), noise of a group from reading (electron), dark current (DN/s).
    times : float64 (3,)
        Of a group; of the first group where it is alone; of a frame. Seconds.
    zero : float32 (integrations, rows, columns)
        First frames, or an empty array.
    suppress : bool
        Suppress ramps of one group.
    of_integrations, of_all : float32 (4, integrations, rows, columns), (4, rows, columns)
        Made: slope (DN/s), its variances from photons and from reading, its error.
    dq_integrations, dq_all : uint32
        Made: their flags.
    """
    integrations, groups, rows, columns = data.shape
    starts, stops = np.empty(groups, np.int64), np.empty(groups, np.int64)
    how, spans, buffer = np.empty(integrations, np.int64), np.empty(integrations), np.empty(groups)
    ramps, marks = np.empty((integrations, groups), np.float32), np.empty((integrations, groups), np.uint8)
    sums, all_sums, out = np.empty(4), np.empty(4), np.empty(4)
    table = lay_out_weights(groups)
    for y in range(rows):
        for x in range(columns):
            gain, read, dark = planes[0, y, x], planes[1, y, x], planes[2, y, x]
            rate = 0.0
            for i in range(integrations):
                first = zero[i, y, x] if zero.size else np.float32(0.0)
                for g in range(groups):
                    ramps[i, g], marks[i, g] = data[i, g, y, x], flags[i, g, y, x]
                how[i], spans[i], one = look_at(ramps[i], marks[i], buffer, times, first, suppress)
                rate += one
            photons = (max(rate / integrations, 0.0) + dark) / gain
            all_sums[:] = 0.0
            shown, any_slope, lost = np.uint32(0), False, False
            for i in range(integrations):
                first = zero[i, y, x] if zero.size else np.float32(0.0)
                sums[:] = 0.0
                if how[i] == SLOPES:
                    _fit_slopes(ramps[i], marks[i], (gain, read, photons, spans[i]), starts, stops, table, sums)
                elif how[i] != NOTHING:
                    value = first if how[i] == FRAME else _first_good(ramps[i], marks[i])
                    _add(sums, np.float64(value) / spans[i], _variances(1, gain, read, photons, spans[i]))
                flag, is_lost = _flags_of(marks[i])
                lost |= is_lost
                variance = _read_variance(marks[i], gain, read, times[0], starts, stops) if is_lost else -1.0
                found = sums[READ] > 0
                if not found:
                    flag |= np.uint32(DO_NOT_USE)
                dead = ((flag & DO_NOT_USE) | (pixel_flags[y, x] & UNUSED)) != 0
                _write(sums, variance, dead, True, out)
                for k in range(4):
                    of_integrations[k, i, y, x] = out[k]
                dq_integrations[i, y, x] = pixel_flags[y, x] | flag
                shown |= flag & ~np.uint32(DO_NOT_USE)
                if found:
                    any_slope = True
                    all_sums += sums
            if not any_slope:
                shown |= np.uint32(DO_NOT_USE)
            dead = ((shown & DO_NOT_USE) | (pixel_flags[y, x] & UNUSED)) != 0
            variance = -1.0
            if lost:
                variance = _joint_read_variance(marks, gain, read, times[0], starts, stops)
            _write(all_sums, variance, dead, False, out)
            for k in range(4):
                of_all[k, y, x] = out[k]
            dq_all[y, x] = pixel_flags[y, x] | shown


@njit(nogil=True, cache=True)
def _first_good(ramp, marks):
    for g in range(marks.size):
        if (marks[g] & UNUSED) == 0:
            return ramp[g]
    return np.float32(np.nan)


@njit(nogil=True, cache=True)
def _flags_of(marks):
    """Flags that an integration has of its groups, and whether groups lost charge."""
    flag, lost = np.uint8(0), False
    for mark in marks:
        flag |= mark & SHOWN
        lost |= (mark & CHARGELOSS) != 0
    return np.uint32(flag), lost


@njit(nogil=True, cache=True)
def _variances(n, gain, read, photons, time):
    """Variances of the slope of a segment of n groups `time` apart, from reading and from photons (DN/s over gain)."""
    n = max(n, 2)
    return 12.0 * (read / time) ** 2 / ((n**3 - n) * gain * gain), photons / (time * (n - 1))


@njit(nogil=True, cache=True)
def _fit_slopes(ramp, marks, noise, starts, stops, table, sums):
    """Add slope/variance, 1/variance (photons), 1/variance (reading), 1/variance (both) of all segments to `sums`."""
    gain, read, photons, time = noise
    for k in range(find_segments(marks, starts, stops, 0)):
        slope = fit_segment(ramp, starts[k], stops[k], noise, table)
        _add(sums, slope / time, _variances(stops[k] - starts[k], gain, read, photons, time))


@njit(nogil=True, cache=True)
def _add(sums, slope, variances):
    read, photons = variances
    sums[SCI] += slope / read
    sums[READ] += 1.0 / read
    if photons > 0:
        sums[POISSON] += 1.0 / photons
    sums[ERR] += 1.0 / (read + photons)


@njit(nogil=True, cache=True)
def _read_variance(marks, gain, read, group_time, starts, stops):
    """1/variance from reading with groups that lost charge as if they were good."""
    total = 0.0
    for k in range(find_segments(marks, starts, stops, CHARGELOSS)):
        total += 1.0 / _variances(stops[k] - starts[k], gain, read, 0.0, group_time)[0]
    return _inverse(total)


@njit(nogil=True, cache=True)
def _joint_read_variance(flags, gain, read, group_time, starts, stops):
    total = 0.0
    for i in range(flags.shape[0]):
        variance = _read_variance(flags[i], gain, read, group_time, starts, stops)
        if variance > 0:
            total += 1.0 / variance
    return _inverse(total)


@njit(nogil=True, cache=True)
def _write(sums, variance, dead, of_integration, out):
    """The planes of one pixel; `variance` from reading counts where it is not negative."""
    if dead or not sums[READ] > 0:
        out[SCI] = np.nan
        out[POISSON] = out[READ] = out[ERR] = 0.0
        return
    read, photons = 1.0 / sums[READ], _inverse(sums[POISSON])
    out[SCI] = sums[SCI] * read
    error = math.sqrt(1.0 / sums[ERR]) if of_integration else 0.0
    if variance >= 0.0:
        read, of_integration = variance, False
    read = read if read < LARGEST else 0.0
    photons = photons if photons < LARGEST else 0.0
    out[POISSON], out[READ] = photons, read
    out[ERR] = error if of_integration else math.sqrt(photons + read)
