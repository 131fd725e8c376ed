"""The straight-line fit of integrations without flags, for a piece of a row at a time, and what all pixels have alike.

`_fit_lanes` says what stands where in the work space. Each number is computed as it would be of a pixel alone.
"""

import math

import numpy as np

from rtools.compiled import njit
from rtools.exposure.jwst import _fit_lanes as q
from rtools.exposure.jwst._fit_lanes import ERR, POISSON, READ, SCI
from rtools.exposure.jwst._lanes import LANES, ONE, order_lanes
from rtools.exposure.jwst._segment_kernels import LIMITS, UNUSED
from rtools.exposure.jwst._variance_kernels import planes_of, variances_of

CLEAN, WEIGHTLESS, ODD = np.uint8(4), np.uint8(5), np.uint8(6)
"""How an integration is fitted, beside what `look_at` says: without any flag; likewise, but no weight; unknown."""

TWO, FOUR = np.uint64(2), np.uint64(4)


@njit(nogil=True, cache=True, error_model="numpy")
def room_for(groups):
    """A work space for ramps of so many groups."""
    return np.zeros(q.GROUPS + TWO * np.uint64(groups) * LANES)


@njit(nogil=True, cache=True, error_model="numpy")
def groups_of(work):
    """Groups of a ramp that a work space is for."""
    return (np.uint64(work.size) - q.GROUPS) // (TWO * LANES)


@njit(nogil=True, cache=True, error_model="numpy")
def load_noise(planes, pixel_flags, ramp, piece, work):
    """Gain, noise and dark of a piece, which of it is dead, the variance of a slope from reading, and sums of nothing.

    `ramp` is (groups, time of a group).
    """
    y, start = piece.row, piece.start
    for j in range(piece.width):
        work[q.GAIN + j] = planes[0, y, start + j]
        work[q.NOISE + j] = planes[1, y, start + j]
        work[q.DARK + j] = planes[2, y, start + j]
        work[q.DEAD + j] = 1.0 if pixel_flags[y, start + j] & UNUSED else 0.0
    for j in range(LANES):
        work[q.RATE + j] = 0.0
        work[q.VARIANCE + j] = variances_of(ramp[0], work[q.GAIN + j], work[q.NOISE + j], 0.0, ramp[1])[0]
        work[q.OTHER + j] = -1.0
    for j in range(FOUR * LANES):
        work[q.ALL_SUMS + j] = 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def load_ramp(data, flags, i, piece, work, marks, how):
    """The groups of integration i and their flags, (groups, LANES), and whether it has any flag."""
    y, start, groups = piece.row, piece.start, np.uint64(data.shape[1])
    for j in range(LANES):
        how[i, j] = 0
    for g in range(groups):
        at = q.GROUPS + g * LANES
        for j in range(piece.width):
            work[at + j] = data[i, g, y, start + j]
        for j in range(piece.width):
            mark = flags[i, g, y, start + j]
            marks[g, j] = mark
            how[i, j] |= mark
    for j in range(LANES):
        no_flag = WEIGHTLESS if not 1.0 / work[q.VARIANCE + j] > 0 else CLEAN
        how[i, j] = no_flag if (how[i, j] == 0) & (groups > ONE) else ODD


@njit(nogil=True, cache=True, error_model="numpy")
def add_rates(network, time, work, how, i):
    """Add the median of the differences to the rates, where an integration is clean and all of them are numbers.

    What is not a number is marked in `STRANGE`, and so is all where there is no network.
    """
    groups = groups_of(work)
    steps, strange = q.GROUPS + groups * LANES, 1.0 if groups > TWO and network.shape[0] == 0 else 0.0
    for j in range(LANES):
        work[q.STRANGE + j] = strange
    for g in range(groups - ONE):
        at, to = q.GROUPS + g * LANES, steps + g * LANES
        for j in range(LANES):
            step = work[at + LANES + j] - work[at + j]
            work[to + j] = step
            work[q.STRANGE + j] += 0.0 if step == step else 1.0
    order_lanes(work, steps, network)
    n = groups - ONE
    low, high, even = steps + (n - ONE) // TWO * LANES, steps + n // TWO * LANES, n % TWO == 0
    for j in range(LANES):
        median = 0.5 * (work[low + j] + work[high + j]) if even else work[high + j]
        counts = (how[i, j] == CLEAN) & (work[q.STRANGE + j] == 0.0)
        work[q.RATE + j] += median / time if counts else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def fit_slopes(weights, time, work, values, i):
    """Slopes of whole ramps over their variances from reading.

    `weights` are those of `lay_out_weights` for ramps of this length, (groups, exponents).
    """
    groups = groups_of(work)
    _choose_exponents(groups, work)
    for j in range(LANES):
        one, slope = np.uint64(work[q.EXPONENT + j]), 0.0
        for g in range(groups):
            slope += weights[g, one] * work[q.GROUPS + g * LANES + j]
        work[q.SLOPE + j] = slope
    for j in range(LANES):
        values[i, j] = work[q.SLOPE + j] / time / work[q.VARIANCE + j]


@njit(nogil=True, cache=True, error_model="numpy")
def _choose_exponents(groups, work):
    """What `choose_exponent` says of each whole ramp; 0 for those of two groups."""
    last = q.GROUPS + (groups - ONE) * LANES
    for j in range(LANES):
        noise, signal = work[q.NOISE + j], (work[last + j] - work[q.GROUPS + j]) * work[q.GAIN + j]
        ratio = signal / math.sqrt(noise * noise + signal)
        one = 0.0 if ratio < LIMITS[0] else 1.0
        one += 0.0 if ratio < LIMITS[1] else 1.0
        one += 0.0 if ratio < LIMITS[2] else 1.0
        one += 0.0 if ratio < LIMITS[3] else 1.0
        one += 0.0 if ratio < LIMITS[4] else 1.0
        work[q.EXPONENT + j] = one if (signal > 0) & (groups > TWO) else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def lay_out_clean(integrations, groups, time, work):
    """What photons add to the variance, and sums and planes of an integration without flags whose slope is zero."""
    for j in range(LANES):
        rate = work[q.RATE + j] / integrations
        rate = 0.0 if rate < 0.0 else rate
        work[q.RATE + j] = (rate + work[q.DARK + j]) / work[q.GAIN + j]
    for j in range(LANES):
        read, photons = variances_of(groups, work[q.GAIN + j], work[q.NOISE + j], work[q.RATE + j], time)
        sums = (0.0 / read, 1.0 / photons if photons > 0 else 0.0, 1.0 / read, 1.0 / (read + photons))
        _put(work, q.CLEAN_SUMS + j, sums)
        _put(work, q.CLEAN_PLANES + j, planes_of(sums, -1.0, work[q.DEAD + j] != 0.0, True))


@njit(nogil=True, cache=True, error_model="numpy")
def _put(work, place, four):
    """Four quantities of a pixel into their places."""
    work[place + SCI * LANES] = four[0]
    work[place + POISSON * LANES] = four[1]
    work[place + READ * LANES] = four[2]
    work[place + ERR * LANES] = four[3]


@njit(nogil=True, cache=True, error_model="numpy")
def write_clean(each, i, piece, work, values, how):
    """Add integration i to the sums of all and write its planes, where it is clean.

    Parameters
    ----------
    each : float32 (4, integrations, rows, columns)
        Receives it.
    i : int
        The integration.
    piece : rtools.exposure.jwst._lanes.LaneSpan
        The piece of a row.
    work : float64
        The work space.
    values, how : float64, uint8 (integrations, LANES)
        Slopes over their variances, and how it is fitted.
    """
    y, start, weights = piece.row, piece.start, q.CLEAN_SUMS + READ * LANES
    for j in range(LANES):
        work[q.ALL_SUMS + j] += values[i, j] if how[i, j] == CLEAN else 0.0
    for k in range(ONE, FOUR):
        sums, all_sums = q.CLEAN_SUMS + k * LANES, q.ALL_SUMS + k * LANES
        for j in range(LANES):
            work[all_sums + j] += work[sums + j] if how[i, j] == CLEAN else 0.0
    for j in range(piece.width):
        slope = values[i, j] * (1.0 / work[weights + j])
        each[SCI, i, y, start + j] = np.nan if work[q.DEAD + j] != 0.0 else slope
    for k in range(ONE, FOUR):
        plane = q.CLEAN_PLANES + k * LANES
        for j in range(piece.width):
            each[k, i, y, start + j] = work[plane + j]


@njit(nogil=True, cache=True, error_model="numpy")
def write_sums(planes, piece, work):
    """The planes of the sums of all integrations, into (4, rows, columns)."""
    y, start = piece.row, piece.start
    for j in range(piece.width):
        sums = (
            work[q.ALL_SUMS + j],
            work[q.ALL_SUMS + LANES + j],
            work[q.ALL_SUMS + TWO * LANES + j],
            work[q.ALL_SUMS + (TWO + ONE) * LANES + j],
        )
        made = planes_of(sums, work[q.OTHER + j], work[q.DEAD + j] != 0.0, False)
        planes[SCI, y, start + j] = made[0]
        planes[POISSON, y, start + j] = made[1]
        planes[READ, y, start + j] = made[2]
        planes[ERR, y, start + j] = made[3]
