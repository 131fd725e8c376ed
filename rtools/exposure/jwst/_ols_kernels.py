"""The weighted straight-line fit to ramps of evenly spaced groups, segment by segment.

A block is (integrations, groups, rows, columns). Variances of a slope are those of Regan 2007 (JWST-STScI-001212): from
reading 12 R²/((n³ - n) t²), from photons rate/(t (n - 1)).

Integrations without any flag, which most are, are fitted for many pixels at a time (`_clean_kernels`), all others by
themselves. The variance from photons needs the mean rate of all integrations, so each piece of a row is gone through
twice: for slopes and rates, and for what is written.
"""

import numpy as np

from rtools.compiled import njit
from rtools.exposure.jwst import _fit_lanes as q
from rtools.exposure.jwst._clean_kernels import (
    CLEAN,
    ODD,
    WEIGHTLESS,
    add_rates,
    fit_slopes,
    lay_out_clean,
    load_noise,
    load_ramp,
    room_for,
    write_clean,
    write_sums,
)
from rtools.exposure.jwst._lanes import LANES, LaneSpan
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
from rtools.exposure.jwst._variance_kernels import inverse, planes_of, variances_of
from rtools.jwst.dq import GROUP_FLAGS

CHARGELOSS = GROUP_FLAGS["CHARGELOSS"]
SHOWN = np.uint8(SATURATED | JUMP | PERSISTENCE)
"""Flags of groups that become flags of the pixel."""


@njit(nogil=True, cache=True, error_model="numpy")
def fit_block(ramps, planes, terms, made):
    """Fit every pixel of a block.

    Parameters
    ----------
    ramps : rtools.exposure.jwst._fit_lanes.FitRamps
        Groups, their flags, those of the pixels, first frames.
    planes : float64 (3, rows, columns)
        Gain (electron/DN), noise of a group from reading (electron), dark current (DN/s).
    terms : rtools.exposure.jwst._fit_lanes.OlsTerms
        Times, whether ramps of one group are suppressed, the sorting network.
    made : rtools.exposure.jwst._fit_lanes.FitPlanes
        Receives the results.
    """
    groups, rows, columns = ramps.data.shape[1], np.uint64(ramps.data.shape[2]), np.uint64(ramps.data.shape[3])
    work, rooms, told = (
        room_for(groups),
        _rooms_for(ramps.data),
        (np.zeros(LANES, np.uint32), np.zeros(LANES, np.bool_), np.zeros(LANES, np.bool_)),
    )
    table, spare = lay_out_weights(groups), _room_for_one(groups)
    weights = np.ascontiguousarray(table[:, groups].T)
    for y in range(rows):
        for start in range(np.uint64(0), columns, LANES):
            piece = LaneSpan(y, start, min(columns - start, LANES))
            load_noise(planes, ramps.pixel_flags, (groups, terms.times[0]), piece, work)
            _fit_piece(ramps, piece, terms, weights, (work, rooms, spare))
            lay_out_clean(ramps.data.shape[0], groups, terms.times[0], work)
            _write_each(ramps, piece, (terms.times[0], table), (work, rooms, spare, told), made)
            _write_whole(ramps, piece, terms.times[0], (work, spare, told), made)


@njit(nogil=True, cache=True, error_model="numpy")
def _rooms_for(data):
    """Room for what is known of the integrations of a piece.

    Slopes over their variances, times of differences, how each is fitted; and behind each other the ramps of those that
    are fitted by themselves, their flags and first frames.
    """
    integrations, groups = data.shape[:2]
    most = integrations * int(LANES)
    values, spans = np.zeros((integrations, LANES)), np.zeros((integrations, LANES))
    how = np.zeros((integrations, LANES), np.uint8)
    return values, spans, how, np.empty((most, groups), np.float32), np.empty((most, groups), np.uint8), np.empty(most)


@njit(nogil=True, cache=True, error_model="numpy")
def _room_for_one(groups):
    """Room for the flags of one integration of a piece, and for differences and segments of one ramp."""
    segments = np.empty(groups, np.int64), np.empty(groups, np.int64)
    return np.zeros((groups, LANES), np.uint8), (np.empty(groups), np.empty(groups)), segments


@njit(nogil=True, cache=True, error_model="numpy")
def _fit_piece(ramps, piece, terms, weights, rooms):
    """Rates of all integrations of a piece, and slopes where they are clean."""
    data, flags, zero, times, network = ramps.data, ramps.flags, ramps.zero, terms.times, terms.network
    work, (values, spans, how, odd_ramps, odd_marks, odd_frames), (marks, buffer, _segments) = rooms
    integrations, groups = data.shape[:2]
    odd = 0
    for i in range(integrations):
        load_ramp(data, flags, i, piece, work, marks, how)
        if groups > 1:
            add_rates(network, times[0], work, how, i)
            fit_slopes(weights, times[0], work, values, i)
        for j in range(piece.width):
            if how[i, j] == CLEAN and work[q.STRANGE + j] == 0.0:
                continue
            ramp, mark = odd_ramps[odd], odd_marks[odd]
            for g in range(groups):
                ramp[g], mark[g] = work[q.GROUPS + np.uint64(g) * LANES + j], marks[g, j]
            first = zero[i, piece.row, piece.start + j] if zero.size else np.float32(0.0)
            if how[i, j] == ODD:
                how[i, j], spans[i, j], rate = look_at(ramp, mark, (0, groups), buffer, times, first, terms.suppress)
            else:
                rate, spans[i, j] = median_rate(ramp, mark, 0, groups, buffer) / times[0], times[0]
            work[q.RATE + j] += rate if rate == rate else 0.0
            odd_frames[odd] = first
            odd += 1 if how[i, j] != CLEAN else 0


@njit(nogil=True, cache=True, error_model="numpy")
def _write_each(ramps, piece, about, rooms, made):
    """Add integrations to the sums of all and write them; note what those that are not clean say of all.

    `about` has the time of a group, and the weights of groups.
    """
    each, each_dq, pixel_flags, y = made.each, made.each_dq, ramps.pixel_flags, piece.row
    work, (values, spans, how, odd_ramps, odd_marks, odd_frames), spare, (shown, any_slope, lost) = rooms
    time, table = about
    segments, odd = spare[2], 0
    for i in range(each_dq.shape[0]):
        write_clean(each, i, piece, work, values, how)
        for j in range(piece.width):
            x, pixel_flag = piece.start + j, pixel_flags[y, piece.start + j]
            if how[i, j] == CLEAN:
                each_dq[i, y, x] = pixel_flag
                any_slope[j] = True
                continue
            ramp, marks = odd_ramps[odd], odd_marks[odd]
            pixel = (work[q.GAIN + j], work[q.NOISE + j], work[q.RATE + j], spans[i, j])
            sums = _sums_of(how[i, j], odd_frames[odd], pixel, table, (ramp, marks, segments))
            odd += 1
            flag, is_lost = _flags_of(marks)
            variance = _read_variance(marks, (pixel[0], pixel[1], time), segments) if is_lost else -1.0
            if not sums[2] > 0:
                flag |= np.uint32(DO_NOT_USE)
            planes = planes_of(sums, variance, ((flag & DO_NOT_USE) | (pixel_flag & UNUSED)) != 0, True)
            for k in range(4):
                each[k, i, y, x] = planes[k]
            each_dq[i, y, x] = pixel_flag | flag
            shown[j] |= flag & ~np.uint32(DO_NOT_USE)
            lost[j] |= is_lost
            if sums[2] > 0:
                any_slope[j] = True
                for k in range(4):
                    work[q.ALL_SUMS + np.uint64(k) * LANES + j] += sums[k]


@njit(nogil=True, cache=True, error_model="numpy")
def _sums_of(how, first, about, table, alone):
    """Sums of one integration: slopes and 1 over variances, by photons, by reading, by both, of its segments.

    `about` has gain, noise, what photons add to the variance per second, and the time of a difference.
    """
    (gain, noise, photons, span), (ramp, marks, (starts, stops)) = about, alone
    sums, groups = (0.0, 0.0, 0.0, 0.0), ramp.size
    if how == WEIGHTLESS:
        slope = fit_segment(ramp, 0, groups, gain, noise, table)
        return _added(sums, slope / span, variances_of(groups, gain, noise, photons, span))
    if how == SLOPES:
        for k in range(find_segments(marks, 0, groups, starts, stops, 0)):
            n = stops[k] - starts[k]
            slope = fit_segment(ramp, starts[k], n, gain, noise, table)
            sums = _added(sums, slope / span, variances_of(n, gain, noise, photons, span))
        return sums
    if how == NOTHING:
        return sums
    value = first if how == FRAME else _first_good(ramp, marks)
    return _added(sums, np.float64(value) / span, variances_of(1, gain, noise, photons, span))


@njit(nogil=True, cache=True, error_model="numpy")
def _added(sums, slope, variances):
    read, photons = variances
    by_photons = sums[1] + 1.0 / photons if photons > 0 else sums[1]
    return sums[0] + slope / read, by_photons, sums[2] + 1.0 / read, sums[3] + 1.0 / (read + photons)


@njit(nogil=True, cache=True, error_model="numpy")
def _first_good(ramp, marks):
    for g in range(ramp.size):
        if (marks[g] & UNUSED) == 0:
            return ramp[g]
    return np.float32(np.nan)


@njit(nogil=True, cache=True, error_model="numpy")
def _flags_of(marks):
    """Flags that an integration has of its groups, and whether groups lost charge."""
    flag, lost = np.uint8(0), False
    for mark in marks:
        flag |= mark & SHOWN
        lost |= (mark & CHARGELOSS) != 0
    return np.uint32(flag), lost


@njit(nogil=True, cache=True, error_model="numpy")
def _read_variance(marks, about, segments):
    """The variance from reading with groups that lost charge as if they were good; `about`: gain, noise, group time."""
    gain, noise, time = about
    starts, stops = segments
    total = 0.0
    for k in range(find_segments(marks, 0, marks.size, starts, stops, CHARGELOSS)):
        total += 1.0 / variances_of(stops[k] - starts[k], gain, noise, 0.0, time)[0]
    return inverse(total)


@njit(nogil=True, cache=True, error_model="numpy")
def _write_whole(ramps, piece, time, rooms, made):
    """Write what all integrations of a piece say together, and forget it."""
    work, (_marks, _buffer, segments), (shown, any_slope, lost) = rooms
    for j in range(piece.width):
        flag, pixel_flag = shown[j], ramps.pixel_flags[piece.row, piece.start + j]
        if not any_slope[j]:
            flag |= np.uint32(DO_NOT_USE)
        work[q.DEAD + j] = 1.0 if ((flag & DO_NOT_USE) | (pixel_flag & UNUSED)) != 0 else 0.0
        made.whole_dq[piece.row, piece.start + j] = pixel_flag | flag
        if lost[j]:
            about = (work[q.GAIN + j], work[q.NOISE + j], time)
            pixel = ramps.flags[:, :, piece.row, piece.start + j]
            work[q.OTHER + j] = _joint_read_variance(pixel, about, segments)
        shown[j], any_slope[j], lost[j] = 0, False, False
    write_sums(made.whole, piece, work)


@njit(nogil=True, cache=True, error_model="numpy")
def _joint_read_variance(flags, about, segments):
    """The same of all integrations of a pixel, (integrations, groups)."""
    total = 0.0
    for i in range(flags.shape[0]):
        variance = _read_variance(flags[i].copy(), about, segments)
        total += 1.0 / variance if variance > 0 else 0.0
    return inverse(total)
