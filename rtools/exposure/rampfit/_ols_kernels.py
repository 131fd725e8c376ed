"""Compiled segment-wise least-squares fit of ramps with weights by signal to noise, and its jump test.

Casertano et al. (2022, Roman-STScI-000394) and Sharma & Casertano (2024, PASP 136, 054504): a ramp is cut where a
resultant is flagged or a jump found; the slopes of the segments are averaged. Everything here is in electrons. The
sums that make the result are float32, so that it agrees with other implementations.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.wfi.dq import GROUP, PIXEL
from rtools.wfi.frame import BORDER

__all__ = ["JumpTest", "fit_strip"]

DO_NOT_USE = np.uint32(PIXEL["DO_NOT_USE"])
SATURATED = np.uint8(GROUP["SATURATED"])
JUMP_DET = np.uint8(GROUP["JUMP_DET"])
NO_GAIN_VALUE = np.uint32(PIXEL["NO_GAIN_VALUE"])
UNUSABLE = np.uint8(GROUP["DO_NOT_USE"] | GROUP["SATURATED"])


class JumpTest(NamedTuple):
    """Whether to look for jumps, and the limit ``intercept - constant log10(rate)``, rate in e/s within 1 to 1e4."""

    on: bool
    intercept: float
    constant: float


@njit(nogil=True, cache=True, error_model="numpy")
def fit_strip(ramp, timing, weights, test, columns, out, dq):
    """Fit the pixels of a strip that lie inside the border.

    Parameters
    ----------
    ramp : rtools.exposure.rampfit._likelihood_kernels.Ramp
    timing : rtools.exposure.rampfit.timing.Timing
    weights : float64 (G,)
        Of the uniform-weight slope.
    test : JumpTest
    columns : (int, int)
        First and last + 1 column inside the border.
    out : float32 (6, rows - 8, science columns)
        Receives rate, error, Poisson variance, read variance, chi-square (0), uniform-weight slope minus rate.
    dq : uint32 (rows - 8, science columns)
    """
    first, last = columns
    groups = ramp.data.shape[0]
    electrons = np.empty(groups, dtype=np.float32)
    flags = np.empty(groups, dtype=np.uint8)
    scratch = np.empty(groups)
    stack = np.empty((groups + 1, 2), dtype=np.int64)
    for row in range(BORDER, ramp.data.shape[1] - BORDER):
        for column in range(first, last):
            gain = ramp.gain[row, column]
            uniform = 0.0
            for i in range(groups):
                electrons[i] = ramp.data[i, row, column] * gain
                uniform += weights[i] * np.float64(ramp.data[i, row, column])
                flags[i] = ramp.groupdq[i, row, column]
            noise = ramp.readnoise[row, column] * gain
            slope, read, poisson = _fit_ramp(electrons, flags, noise, timing, test, scratch, stack)
            line, place = row - BORDER, column - first
            rate = np.float32(slope) / gain
            out[0, line, place] = rate
            out[2, line, place] = np.float32(poisson) / (gain * gain)
            out[3, line, place] = np.float32(read) / (gain * gain)
            out[1, line, place] = np.sqrt(out[2, line, place] + out[3, line, place])
            out[4, line, place] = 0.0
            out[5, line, place] = uniform - np.float64(rate)
            dq[line, place] = ramp.pixeldq[row, column] | _quality(flags, rate, out[1, line, place], gain)


@njit(nogil=True, cache=True, error_model="numpy")
def _quality(flags, rate, error, gain):
    """Pixel flags from group flags and result."""
    quality = np.uint32(0)
    saturated = unusable = 0
    for flag in flags:
        quality |= np.uint32(flag & JUMP_DET)
        saturated += (flag & SATURATED) != 0
        unusable += (flag & UNUSABLE) != 0
    if saturated == flags.size:
        quality |= np.uint32(SATURATED)
    if unusable == flags.size or not np.isfinite(rate) or error <= 0:
        quality |= DO_NOT_USE
    if gain < 0 or not np.isfinite(gain):
        quality |= NO_GAIN_VALUE
    return quality


@njit(nogil=True, cache=True, error_model="numpy")
def _fit_ramp(electrons, flags, noise, timing, test, scratch, stack):
    """Slope and its read and Poisson variance, averaged over segments with weights 1 / read variance."""
    depth = _unflagged_runs(flags, stack)
    total = slope_sum = read_sum = signal_sum = np.float32(0.0)
    while depth:
        depth -= 1
        start, end = stack[depth]
        if end == start:
            continue
        slope, read, signal = _fit_segment(electrons, start, end, noise, timing, scratch)
        if test.on:
            limit = test.intercept - test.constant * np.log10(min(max(slope, 1.0), 1e4))
            jump = _find_jump(electrons, start, end, slope, noise, timing, limit)
            if jump >= 0:
                flags[jump] = JUMP_DET
                flags[jump + 1] = JUMP_DET
                if jump > start:
                    stack[depth] = start, jump - 1
                    depth += 1
                if jump + 1 < end:
                    stack[depth] = jump + 2, end
                    depth += 1
                continue
        weight = np.float32(1.0 / read) if read != 0.0 else np.float32(0.0)
        total += weight
        slope_sum += weight * slope
        read_sum += weight * weight * read
        signal_sum += weight * weight * signal
    if total == 0.0:
        total = np.float32(1.0)
    slope = slope_sum / total
    return slope, read_sum / (total * total), signal_sum / (total * total) * max(slope, np.float32(0.0))


@njit(nogil=True, cache=True, error_model="numpy")
def _unflagged_runs(flags, stack):
    """Put the runs of resultants without any flag on the stack as (start, end); return how many."""
    depth = 0
    start = -1
    for i in range(flags.size):
        if flags[i] == 0 and start < 0:
            start = i
        if start >= 0 and (flags[i] != 0 or i + 1 == flags.size):
            stack[depth] = start, i - 1 if flags[i] != 0 else i
            depth += 1
            start = -1
    return depth


@njit(nogil=True, cache=True, error_model="numpy")
def _power(signal_to_noise):
    """Exponent of the weights for the signal to noise between first and last resultant (the report's table)."""
    if signal_to_noise < 5:
        return 0.0
    if signal_to_noise < 10:
        return np.float64(np.float32(0.4))
    if signal_to_noise < 20:
        return 1.0
    if signal_to_noise < 50:
        return 3.0
    if signal_to_noise < 100:
        return 6.0
    return 10.0


@njit(nogil=True, cache=True, error_model="numpy")
def _fit_segment(electrons, start, end, noise, timing, scratch):
    """Slope of one segment, its read variance, and its Poisson variance per unit of rate."""
    signal = max(electrons[end] - electrons[start], np.float32(0.0))
    power = _power(signal / np.sqrt(noise * noise + signal))
    middle = (timing.mean[start] + timing.mean[end]) / np.float32(2)
    half = (timing.mean[end] - timing.mean[start]) / np.float32(2)
    zeroth = first = second = 0.0
    for i in range(start, end + 1):
        reads, time = timing.reads[i], timing.mean[i]
        weight = np.float64(reads)
        if power > 0:
            weight = (1 + power) * reads / (1 + power * reads) * abs(np.float64(time - middle) / half) ** power
        scratch[i] = weight
        zeroth += weight
        first += weight * time
        second += weight * np.float64(time * time)
    determinant = second * zeroth - first * first
    if determinant == 0.0:
        return np.float32(0.0), np.float32(0.0), np.float32(0.0)
    slope = read = variance = np.float32(0.0)
    earlier = 0.0
    for i in range(start, end + 1):
        k = (zeroth * timing.mean[i] - first) * scratch[i] / determinant
        slope = np.float32(slope + k * electrons[i])
        read = np.float32(read + k * k * np.float64(noise * noise) / timing.reads[i])
        variance = np.float32(variance + k * k * timing.tau[i] + 2 * k * earlier)
        earlier += k * timing.mean[i]
    return slope, read, variance


@njit(nogil=True, cache=True, error_model="numpy")
def _find_jump(electrons, start, end, slope, noise, timing, limit):
    """Resultant before the most significant jump beyond the limit; -1 without one (also where it is not a number)."""
    correction = -slope / (timing.mean[end] - timing.mean[start])
    best = _excess(electrons, end - 1, end, slope, noise, timing, correction)
    at = end - 1
    for i in range(start, end - 1):
        single = _excess(electrons, i, i + 1, slope, noise, timing, correction)
        double = _excess(electrons, i, i + 2, slope, noise, timing, correction)
        statistic = max(single, double)
        if statistic > best:
            best, at = statistic, i
    return at if best > limit else -1


@njit(nogil=True, cache=True, error_model="numpy")
def _excess(electrons, i, j, slope, noise, timing, correction):
    """Rise from resultant i to j above the slope, in its standard deviation; the fit has taken a part of it."""
    interval = timing.mean[j] - timing.mean[i]
    read = noise * noise * (1 / timing.reads[j] + 1 / timing.reads[i])
    poisson = slope * (timing.tau[j] + timing.tau[i] - 2 * min(timing.mean[i], timing.mean[j]))
    variance = (read + poisson) / (interval * interval) + correction
    return ((electrons[j] - electrons[i]) / interval - slope) / np.sqrt(variance)
