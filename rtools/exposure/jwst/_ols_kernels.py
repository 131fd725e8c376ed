"""The weighted straight-line fit to ramps of evenly spaced groups, segment by segment.

A block is (integrations, groups, rows, columns). Variances of a slope are those of Regan 2007 (JWST-STScI-001212): from
reading 12 R²/((n³ - n) t²), from photons rate/(t (n - 1)).
"""

import math

import numpy as np

from rtools.compiled import njit
from rtools.exposure.jwst._segment_kernels import (
    DO_NOT_USE,
    FRAME,
    JUMP,
    NOTHING,
    PERSISTENCE,
    SATURATED,
    SLOPES,
    UNUSED,
    find_segments,
    fit_segment,
    lay_out_weights,
    look_at,
    median_rate,
)
from rtools.jwst.dq import GROUP_FLAGS

CHARGELOSS = GROUP_FLAGS["CHARGELOSS"]
SHOWN = np.uint8(SATURATED | JUMP | PERSISTENCE)
"""Flags of groups that become flags of the pixel."""

LARGEST = 1e6
"""A variance of this size or more is that of nothing."""

CLEAN = 4
"""Beside what `look_at` says: an integration without any flag."""

SCI, POISSON, READ, ERR = 0, 1, 2, 3
"""Planes of what is made."""


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
    how, spans = np.empty(integrations, np.int64), np.empty(integrations)
    buffer = np.empty(groups), np.empty(groups)
    ramps, marks = np.empty(integrations * groups, np.float32), np.empty(integrations * groups, np.uint8)
    sums, all_sums, out = np.empty(4), np.empty(4), np.empty(4)
    clean, clean_out = np.empty(4), np.empty(4)
    table = lay_out_weights(groups)
    for y in range(rows):
        for x in range(columns):
            gain, read, dark = planes[0, y, x], planes[1, y, x], planes[2, y, x]
            rate = 0.0
            for i in range(integrations):
                first = zero[i, y, x] if zero.size else np.float32(0.0)
                begin, flagged = i * groups, np.uint8(0)
                for g in range(groups):
                    ramps[begin + g], marks[begin + g] = data[i, g, y, x], flags[i, g, y, x]
                    flagged |= marks[begin + g]
                if flagged == 0 and groups > 1:
                    how[i], spans[i] = CLEAN, times[0]
                    one = median_rate(ramps, marks, begin, groups, buffer) / times[0]
                    rate += one if one == one else 0.0
                    continue
                how[i], spans[i], one = look_at(ramps, marks, (begin, groups), buffer, times, first, suppress)
                rate += one
            photons = (max(rate / integrations, 0.0) + dark) / gain
            dead_pixel = (pixel_flags[y, x] & UNUSED) != 0
            clean_read = _lay_out_clean((groups, gain, read, photons, times[0]), dead_pixel, clean, clean_out)
            all_sums[:] = 0.0
            shown, any_slope, lost = np.uint32(0), False, False
            for i in range(integrations):
                if how[i] == CLEAN and clean[READ] > 0:  # all that follows, at once: no more than its slope is its own
                    value = fit_segment(ramps, i * groups, groups, gain, read, table) / spans[i] / clean_read
                    all_sums += clean
                    all_sums[SCI] += value
                    of_integrations[SCI, i, y, x] = np.nan if dead_pixel else value * (1.0 / clean[READ])
                    for k in range(1, 4):
                        of_integrations[k, i, y, x] = clean_out[k]
                    dq_integrations[i, y, x] = pixel_flags[y, x]
                    any_slope = True
                    continue
                first = zero[i, y, x] if zero.size else np.float32(0.0)
                sums[:] = 0.0
                begin, variance, flag = i * groups, -1.0, np.uint32(0)
                if how[i] == CLEAN:
                    slope = fit_segment(ramps, begin, groups, gain, read, table)
                    _add(sums, slope / spans[i], _variances(groups, gain, read, photons, spans[i]))
                elif how[i] == SLOPES:
                    for k in range(find_segments(marks, begin, groups, starts, stops, 0)):
                        n = stops[k] - starts[k]
                        slope = fit_segment(ramps, begin + starts[k], n, gain, read, table)
                        _add(sums, slope / spans[i], _variances(n, gain, read, photons, spans[i]))
                elif how[i] != NOTHING:
                    value = first if how[i] == FRAME else _first_good(ramps, marks, begin, groups)
                    _add(sums, np.float64(value) / spans[i], _variances(1, gain, read, photons, spans[i]))
                if how[i] != CLEAN:
                    flag, is_lost = _flags_of(marks, begin, groups)
                    lost |= is_lost
                    if is_lost:
                        variance = _read_variance(marks, (begin, groups), gain, read, times[0], starts, stops)
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
                variance = _joint_read_variance(marks, groups, gain, read, times[0], starts, stops)
            _write(all_sums, variance, dead, False, out)
            for k in range(4):
                of_all[k, y, x] = out[k]
            dq_all[y, x] = pixel_flags[y, x] | shown


@njit(nogil=True, cache=True)
def _lay_out_clean(ramp, dead, sums, out):
    """Sums and planes of an integration without flags whose slope is zero; the variance of its slope from reading."""
    variances = _variances(*ramp)
    sums[:] = 0.0
    _add(sums, 0.0, variances)
    _write(sums, -1.0, dead, True, out)
    return variances[0]


@njit(nogil=True, cache=True)
def _first_good(ramps, marks, begin, groups):
    for g in range(begin, begin + groups):
        if (marks[g] & UNUSED) == 0:
            return ramps[g]
    return np.float32(np.nan)


@njit(nogil=True, cache=True)
def _flags_of(marks, begin, groups):
    """Flags that an integration has of its groups, and whether groups lost charge."""
    flag, lost = np.uint8(0), False
    for g in range(begin, begin + groups):
        flag |= marks[g] & SHOWN
        lost |= (marks[g] & CHARGELOSS) != 0
    return np.uint32(flag), lost


@njit(nogil=True, cache=True)
def _variances(n, gain, read, photons, time):
    """Variances of the slope of a segment of n groups `time` apart, from reading and from photons (DN/s over gain)."""
    n = max(n, 2)
    return 12.0 * (read / time) ** 2 / ((n**3 - n) * gain * gain), photons / (time * (n - 1))


@njit(nogil=True, cache=True)
def _add(sums, slope, variances):
    read, photons = variances
    sums[SCI] += slope / read
    sums[READ] += 1.0 / read
    if photons > 0:
        sums[POISSON] += 1.0 / photons
    sums[ERR] += 1.0 / (read + photons)


@njit(nogil=True, cache=True)
def _read_variance(marks, place, gain, read, group_time, starts, stops):
    """The variance from reading with groups that lost charge as if they were good."""
    total = 0.0
    for k in range(find_segments(marks, place[0], place[1], starts, stops, CHARGELOSS)):
        total += 1.0 / _variances(stops[k] - starts[k], gain, read, 0.0, group_time)[0]
    return _inverse(total)


@njit(nogil=True, cache=True)
def _joint_read_variance(marks, groups, gain, read, group_time, starts, stops):
    total = 0.0
    for begin in range(0, marks.size, groups):
        variance = _read_variance(marks, (begin, groups), gain, read, group_time, starts, stops)
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
