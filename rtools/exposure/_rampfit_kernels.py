"""Compiled likelihood fit of ramps: generalised least squares on differences of resultants, with a search for jumps.

Work arrays are shaped (difference, pixel); every loop over a difference runs over the pixels of one row, which the
compiler turns into vector instructions (loops are short and write one or two arrays: that needs few overlap checks).
A pixel goes to the scalar search (`_jump_kernels`) only when a jump is possible. Both do the same operations in the
same order and nothing is contracted, so that a pixel's result does not depend on its neighbours.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from rtools.exposure._jump_kernels import MARGIN, search_jumps
from rtools.exposure.frame import BORDER

__all__ = ["Ramp", "fit_strip"]

DO_NOT_USE = np.uint32(1)
NO_GAIN_VALUE = np.uint32(1 << 19)
GROUP_UNUSABLE = np.uint8(3)  # DO_NOT_USE or SATURATED
GROUP_TO_PIXEL = np.uint8(6)  # SATURATED and JUMP_DET, the same bits in group and pixel flags
GROUP_JUMP = np.uint8(4)

# With more differences than this, chi-square alone would send too many pixels to the search.
LONG_RAMP = 12


class Ramp(NamedTuple):
    """Arrays of one strip: data float32 and groupdq uint8 (G, rows, columns); the others (rows, columns)."""

    data: np.ndarray
    groupdq: np.ndarray
    pixeldq: np.ndarray
    gain: np.ndarray
    readnoise: np.ndarray


class Work(NamedTuple):
    """Arrays of one row, float64 (n + 1, pixels); rows 0 and n of `lower` are zero.

    The covariance is L diag(1 / inverse) L^T with `lower` the subdiagonal of L.
    """

    x: np.ndarray  # differences per second, 0 where not usable
    u: np.ndarray  # 1 where usable, else 0
    inverse: np.ndarray
    lower: np.ndarray
    unit: np.ndarray  # L^-1 u
    value: np.ndarray  # L^-1 x
    spare: np.ndarray


class Pixels(NamedTuple):
    """Values of one row, float64 (pixels,)."""

    gain: np.ndarray  # NaN unless positive and finite
    read: np.ndarray  # variance of one read
    poisson: np.ndarray  # max(rate, 0) / gain
    usable: np.ndarray  # number of usable differences
    rate: np.ndarray
    norm: np.ndarray  # 1 / variance of the rate
    numerator: np.ndarray
    chi: np.ndarray  # chi-square


@njit(nogil=True, cache=True, error_model="numpy")
def fit_strip(ramp, timing, weights, limits, network, revised, columns, out, dq):
    """Fit the pixels of a strip that lie inside the border.

    Parameters
    ----------
    ramp : Ramp
        `groupdq` receives JUMP_DET in the resultant after each rejected difference.
    timing : rtools.exposure.timing.Timing
    weights : float64 (G,)
        Of the uniform-weight slope.
    limits : rtools.exposure._jump_kernels.Limits
    network : int64 (k, 2)
        Comparators that bring the middle of the differences to its place.
    revised : uint8 (G, rows, columns), or empty
        Group flags of an earlier pass, revised: their JUMP_DET excludes differences, and they make the pixel flags.
    columns : (int, int)
        First and last + 1 column inside the border.
    out : float32 (6, rows - 8, science columns)
        Receives rate, error, Poisson variance, read variance, chi-square, uniform-weight slope minus rate.
    dq : uint32 (rows - 8, science columns)
    """
    first, last = columns
    n = timing.interval.size
    work, pixels = _workspace(n, last - first)
    candidate = np.empty(last - first, dtype=np.bool_)
    carried = np.empty((10, last - first))
    scratch = np.zeros((8, n + 1))
    flags = revised if revised.size else ramp.groupdq
    for row in range(BORDER, ramp.data.shape[1] - BORDER):
        gain = ramp.gain[row, first:last]
        _differences(ramp, row, columns, timing.interval, work, pixels)
        _noise(gain, ramp.readnoise[row, first:last], pixels)
        _median(work, pixels, network)
        _factor(timing, work, pixels)
        _fit(work, pixels, carried)
        _screen(pixels, limits, candidate)
        if n > LONG_RAMP:
            _test(timing.reads, limits, work, pixels, carried, candidate)
        for j in range(last - first):
            if candidate[j]:
                search_jumps(work, pixels, j, timing, limits, scratch)
                for i in range(n):
                    if scratch[0, i] != 0.0:
                        ramp.groupdq[i + 1, row, first + j] |= GROUP_JUMP
        if revised.size:
            _exclude(revised, row, columns, work)
        _factor(timing, work, pixels)
        _fit(work, pixels, carried)
        line = row - BORDER
        _write_fit(pixels, out[0, line], out[1, line], out[4, line])
        _write_variances(timing, work, pixels, carried, out[2, line], out[3, line])
        _write_dumo(ramp.data, row, columns, weights, carried[0], out[0, line], out[5, line])
        _quality(flags, ramp.pixeldq, row, columns, dq[line])
        _quality_of_fit(gain, out[0, line], out[1, line], dq[line])


@njit(nogil=True, cache=True, error_model="numpy")
def _workspace(n, width):
    """Work and pixel arrays of one row."""
    a = np.zeros((7, n + 1, width))
    b = np.zeros((8, width))
    return Work(a[0], a[1], a[2], a[3], a[4], a[5], a[6]), Pixels(b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7])


@njit(nogil=True, cache=True, error_model="numpy")
def _differences(ramp, row, columns, interval, work, pixels):
    """Differences per second; a difference is usable when neither of its resultants has any flag."""
    x, u, usable = work.x, work.u, pixels.usable
    first, last = columns
    usable[:] = 0.0
    for i in range(interval.size):
        low, high = ramp.data[i, row, first:last], ramp.data[i + 1, row, first:last]
        low_dq, high_dq = ramp.groupdq[i, row, first:last], ramp.groupdq[i + 1, row, first:last]
        scale = 1.0 / interval[i]
        for j in range(usable.size):
            u[i, j] = 1.0 if (low_dq[j] | high_dq[j]) == 0 else 0.0
        for j in range(usable.size):
            x[i, j] = np.float64(high[j] - low[j]) * scale
        for j in range(usable.size):
            x[i, j] = x[i, j] if u[i, j] != 0.0 else 0.0
        for j in range(usable.size):
            usable[j] += u[i, j]


@njit(nogil=True, cache=True, error_model="numpy")
def _noise(gain, readnoise, pixels):
    """Gain and read variance in float64."""
    for j in range(gain.size):
        g = np.float64(gain[j])
        pixels.gain[j] = g if (g > 0.0) & (g < np.inf) else np.nan
    for j in range(gain.size):
        s = np.float64(readnoise[j])
        pixels.read[j] = s * s


@njit(nogil=True, cache=True, error_model="numpy")
def _median(work, pixels, network):
    """First guess of the rate: the median of the usable differences; NaN where there is none."""
    x, spare, rate = work.x, work.spare, pixels.rate
    n = x.shape[0] - 1
    for i in range(n):
        for j in range(rate.size):
            spare[i, j] = x[i, j]
    for k in range(network.shape[0]):
        a, b = network[k, 0], network[k, 1]
        for j in range(rate.size):
            low, high = spare[a, j], spare[b, j]
            spare[a, j] = low if low < high else high
            spare[b, j] = high if low < high else low
    for j in range(rate.size):
        rate[j] = 0.5 * (spare[(n - 1) // 2, j] + spare[n // 2, j])
    for j in range(rate.size):
        if pixels.usable[j] != n:
            rate[j] = _median_of_usable(x, work.u, j, spare)


@njit(nogil=True, cache=True, error_model="numpy")
def _median_of_usable(x, u, j, spare):
    """The median of one pixel some of whose differences are not usable; sorts in column j of `spare`."""
    count = 0
    for i in range(x.shape[0] - 1):
        if u[i, j] != 0.0:
            k = count
            while k > 0 and spare[k - 1, j] > x[i, j]:
                spare[k, j] = spare[k - 1, j]
                k -= 1
            spare[k, j] = x[i, j]
            count += 1
    return 0.5 * (spare[(count - 1) // 2, j] + spare[count // 2, j]) if count else np.nan


@njit(nogil=True, cache=True, error_model="numpy")
def _factor(timing, work, pixels):
    """Factor the covariance at the present rate, with the couplings of unusable differences cut."""
    u, inverse, lower = work.u, work.inverse, work.lower
    rate, poisson, read = pixels.rate, pixels.poisson, pixels.read
    for j in range(rate.size):
        poisson[j] = (0.0 if rate[j] < 0.0 else rate[j]) / pixels.gain[j]
    p_diagonal, r_diagonal = timing.poisson_diagonal[0], timing.read_diagonal[0]
    for j in range(rate.size):
        inverse[0, j] = 1.0 / (poisson[j] * p_diagonal + read[j] * r_diagonal)
    for i in range(1, timing.interval.size):
        p_diagonal, r_diagonal = timing.poisson_diagonal[i], timing.read_diagonal[i]
        p_coupling, r_coupling = timing.poisson_coupling[i - 1], timing.read_coupling[i - 1]
        for j in range(rate.size):
            coupling = (poisson[j] * p_coupling + read[j] * r_coupling) * (u[i - 1, j] * u[i, j])
            lower[i, j] = coupling * inverse[i - 1, j]
        for j in range(rate.size):
            coupling = (poisson[j] * p_coupling + read[j] * r_coupling) * (u[i - 1, j] * u[i, j])
            inverse[i, j] = 1.0 / ((poisson[j] * p_diagonal + read[j] * r_diagonal) - coupling * lower[i, j])


@njit(nogil=True, cache=True, error_model="numpy")
def _fit(work, pixels, carried):
    """Rate by generalised least squares, its inverse variance, and chi-square."""
    x, u, inverse, lower, unit, value = work.x, work.u, work.inverse, work.lower, work.unit, work.value
    rate, norm, numerator, chi = pixels.rate, pixels.norm, pixels.numerator, pixels.chi
    y, v = carried[0], carried[1]
    for plane in (y, v, norm, numerator, chi):
        plane[:] = 0.0
    for i in range(x.shape[0] - 1):
        for j in range(rate.size):
            y[j] = u[i, j] - lower[i, j] * y[j]
            norm[j] += y[j] * y[j] * inverse[i, j]
        for j in range(rate.size):
            v[j] = x[i, j] - lower[i, j] * v[j]
        for j in range(rate.size):
            numerator[j] += v[j] * y[j] * inverse[i, j]
        for j in range(rate.size):
            unit[i, j] = y[j]
            value[i, j] = v[j]
    for j in range(rate.size):
        rate[j] = numerator[j] / norm[j]
    for i in range(x.shape[0] - 1):
        for j in range(rate.size):
            left = value[i, j] - rate[j] * unit[i, j]
            chi[j] += left * left * inverse[i, j]


@njit(nogil=True, cache=True, error_model="numpy")
def _screen(pixels, limits, candidate):
    """Pixels that may hold a jump: differences left out can lower chi-square by no more than all of it."""
    least = MARGIN * min(limits.one, limits.two)
    for j in range(candidate.size):
        candidate[j] = (pixels.chi[j] > least) & (pixels.usable[j] >= limits.usable)


@njit(nogil=True, cache=True, error_model="numpy")
def _test(reads, limits, work, pixels, carried, candidate):
    """Keep the candidates that have a difference or a pair beyond its limit (as `search_jumps`, without divisions).

    Everything is multiplied by `norm`, so that the variance of a residual is ``norm variance - weight^2``.
    """
    unit, value, inverse, lower = work.unit, work.value, work.inverse, work.lower
    rate, norm = pixels.rate, pixels.norm
    weight, residual, variance, spread, shared = carried[0], carried[1], carried[2], carried[3], carried[4]
    weight_after, residual_after, variance_after, spread_after = carried[5], carried[6], carried[7], carried[8]
    excess = carried[9]
    one, two = MARGIN * limits.one, MARGIN * limits.two
    carried[:] = 0.0
    for i in range(work.x.shape[0] - 2, -1, -1):
        for j in range(rate.size):
            weight_after[j] = weight[j]
            residual_after[j] = residual[j]
        for j in range(rate.size):
            variance_after[j] = variance[j]
            spread_after[j] = spread[j]
        for j in range(rate.size):
            weight[j] = unit[i, j] * inverse[i, j] - lower[i + 1, j] * weight_after[j]
        for j in range(rate.size):
            left = (value[i, j] - rate[j] * unit[i, j]) * inverse[i, j]
            residual[j] = left - lower[i + 1, j] * residual_after[j]
        for j in range(rate.size):
            variance[j] = inverse[i, j] + lower[i + 1, j] * lower[i + 1, j] * variance_after[j]
        for j in range(rate.size):
            spread[j] = norm[j] * variance[j] - weight[j] * weight[j]
        for j in range(rate.size):
            over = residual[j] * residual[j] * norm[j] - one * spread[j]
            excess[j] = over if over > excess[j] else excess[j]
        if reads[i + 1] > 1 and i + 2 < work.x.shape[0]:
            for j in range(rate.size):
                shared[j] = -norm[j] * lower[i + 1, j] * variance_after[j] - weight[j] * weight_after[j]
            for j in range(rate.size):
                a, b, c = residual[j], residual_after[j], shared[j]
                lowered = a * a * spread_after[j] - 2.0 * a * b * c + b * b * spread[j]
                over = lowered * norm[j] - two * (spread[j] * spread_after[j] - c * c)
                excess[j] = over if over > excess[j] else excess[j]
    for j in range(candidate.size):
        candidate[j] &= excess[j] > 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _exclude(revised, row, columns, work):
    """Take out the differences whose second resultant is flagged as a jump by the revision."""
    first, last = columns
    for i in range(work.x.shape[0] - 1):
        flags = revised[i + 1, row, first:last]
        for j in range(last - first):
            if flags[j] & GROUP_JUMP:
                work.x[i, j] = 0.0
                work.u[i, j] = 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _write_fit(pixels, rate, error, chi):
    """Rate, error and chi-square in float32; the error is NaN, not infinite, where nothing was usable."""
    for j in range(rate.size):
        rate[j] = pixels.rate[j]
    for j in range(rate.size):
        norm = pixels.norm[j] if pixels.norm[j] > 0.0 else np.nan
        error[j] = np.sqrt(1.0 / norm)
    for j in range(rate.size):
        chi[j] = pixels.chi[j]


@njit(nogil=True, cache=True, error_model="numpy")
def _write_variances(timing, work, pixels, carried, poisson_variance, read_variance):
    """Share of Poisson and of read noise in the variance of the rate, ``w^T (term) w`` with w = weight / norm."""
    unit, inverse, lower = work.unit, work.inverse, work.lower
    poisson, read, norm = pixels.poisson, pixels.read, pixels.norm
    weight, after, poisson_sum, read_sum = carried[0], carried[1], carried[2], carried[3]
    carried[:4] = 0.0
    for i in range(timing.interval.size - 1, -1, -1):
        p_diagonal, r_diagonal = timing.poisson_diagonal[i], timing.read_diagonal[i]
        p_coupling, r_coupling = 2.0 * timing.poisson_coupling[i], 2.0 * timing.read_coupling[i]
        for j in range(norm.size):
            after[j] = weight[j]
        for j in range(norm.size):
            weight[j] = unit[i, j] * inverse[i, j] - lower[i + 1, j] * after[j]
        for j in range(norm.size):
            poisson_sum[j] += weight[j] * (weight[j] * p_diagonal + after[j] * p_coupling)
            read_sum[j] += weight[j] * (weight[j] * r_diagonal + after[j] * r_coupling)
    for j in range(norm.size):
        poisson_variance[j] = poisson_sum[j] * poisson[j] / (norm[j] * norm[j])
    for j in range(norm.size):
        read_variance[j] = read_sum[j] * read[j] / (norm[j] * norm[j])


@njit(nogil=True, cache=True, error_model="numpy")
def _write_dumo(data, row, columns, weights, slope, rate, dumo):
    """Uniform-weight slope over all resultants, flagged or not, minus the rate."""
    first, last = columns
    slope[:] = 0.0
    for i in range(weights.size):
        resultant = data[i, row, first:last]
        for j in range(slope.size):
            slope[j] += weights[i] * np.float64(resultant[j])
    for j in range(slope.size):
        dumo[j] = slope[j] - np.float64(rate[j])


@njit(nogil=True, cache=True, error_model="numpy")
def _quality(flags, pixeldq, row, columns, dq):
    """Pixel flags from group flags: any SATURATED, any JUMP_DET, DO_NOT_USE with at most one good resultant."""
    first, last = columns
    before = pixeldq[row, first:last]
    found = np.zeros(last - first, dtype=np.uint8)
    good = np.zeros(last - first, dtype=np.uint16)
    for i in range(flags.shape[0]):
        group = flags[i, row, first:last]
        for j in range(good.size):
            found[j] |= group[j] & GROUP_TO_PIXEL
        for j in range(good.size):
            good[j] += np.uint16(1) if (group[j] & GROUP_UNUSABLE) == 0 else np.uint16(0)
    for j in range(good.size):
        single = DO_NOT_USE if good[j] <= 1 else np.uint32(0)
        dq[j] = before[j] | np.uint32(found[j]) | single


@njit(nogil=True, cache=True, error_model="numpy")
def _quality_of_fit(gain, rate, error, dq):
    """DO_NOT_USE where the fit has no finite result; also NO_GAIN_VALUE where the gain is no positive number."""
    for j in range(dq.size):
        finite = (abs(rate[j]) < np.inf) & (error[j] < np.inf)
        dq[j] |= np.uint32(0) if finite else DO_NOT_USE
    for j in range(dq.size):
        known = (gain[j] > 0) & (gain[j] < np.inf)
        dq[j] |= np.uint32(0) if known else DO_NOT_USE | NO_GAIN_VALUE
