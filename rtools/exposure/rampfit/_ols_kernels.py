"""Compiled segment-wise least-squares fit of ramps with weights by signal to noise, and its jump test.

Casertano et al. (2022, Roman-STScI-000394, equations 35 to 40, 44 and 45) and Sharma & Casertano (2024, PASP 136,
054504): a ramp is cut where a resultant is flagged or a jump found; the slopes of the segments are averaged. Symbols
and equations are in docs/algorithms/ols.md. Everything here is in electrons. The sums that make the result are float32,
so that it agrees with other implementations.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.wfi.dq import GROUP, PIXEL
from rtools.wfi.frame import BORDER

__all__ = ["JumpTest", "fit_by_segments"]

DO_NOT_USE = np.uint32(PIXEL["DO_NOT_USE"])
SATURATED = np.uint8(GROUP["SATURATED"])
JUMP_DET = np.uint8(GROUP["JUMP_DET"])
NO_GAIN_VALUE = np.uint32(PIXEL["NO_GAIN_VALUE"])
UNUSABLE = np.uint8(GROUP["DO_NOT_USE"] | GROUP["SATURATED"])


class JumpTest(NamedTuple):
    """When a rise between resultants is taken for a jump.

    Attributes
    ----------
    on : bool
        Whether jumps are looked for.
    intercept, constant : float
        The limit is ``intercept - constant log10(rate)`` in sigma, with the rate in e/s, within 1 to 1e4.
    """

    on: bool
    intercept: float
    constant: float


class _Segment(NamedTuple):
    """First and last resultant of a run that is fitted alone."""

    start: int
    end: int


class _Slope(NamedTuple):
    """Slope of a segment, noise of one read, and what the slope takes from the variance of a rise within the segment.

    In e/s, electrons and (e/s)^2; numbers alone, since a look into a tuple of arrays counts references.
    """

    rate: float
    noise: float
    correction: float


@njit(nogil=True, cache=True, error_model="numpy")
def fit_by_segments(ramp, timing, weights, test, image):
    """Fit the pixels of a strip that lie inside the border.

    Parameters
    ----------
    ramp : rtools.exposure.rampfit._arguments.Ramp
        A strip; not changed.
    timing : rtools.exposure.rampfit.timing.Timing
        Times of the resultants; mean and tau as float32.
    weights : ndarray float64 (G,)
        Of the uniform-weight slope, in 1/s.
    test : JumpTest
        When a rise is taken for a jump.
    image : rtools.exposure.rampfit._arguments.FitImage
        Receives the results; chi-square is 0.
    """
    groups = ramp.data.shape[0]
    electrons = np.empty(groups, dtype=np.float32)
    flags = np.empty(groups, dtype=np.uint8)
    scratch = np.empty(groups)
    stack = np.empty((groups + 1, 2), dtype=np.int64)
    planes, dq = image.planes, image.dq
    for row in range(BORDER, ramp.data.shape[1] - BORDER):
        for column in range(image.first, image.last):
            gain = ramp.gain[row, column]
            uniform = 0.0
            for i in range(groups):
                electrons[i] = ramp.data[i, row, column] * gain
                uniform += weights[i] * np.float64(ramp.data[i, row, column])
                flags[i] = ramp.groupdq[i, row, column]
            noise = ramp.readnoise[row, column] * gain
            slope, read, poisson = _fit_ramp(electrons, flags, noise, timing, test, scratch, stack)
            line, place = row - BORDER, column - image.first
            rate = np.float32(slope) / gain
            planes[0, line, place] = rate
            planes[2, line, place] = np.float32(poisson) / (gain * gain)
            planes[3, line, place] = np.float32(read) / (gain * gain)
            planes[1, line, place] = np.sqrt(planes[2, line, place] + planes[3, line, place])
            planes[4, line, place] = 0.0
            planes[5, line, place] = uniform - np.float64(rate)
            quality = _derive_flags(flags, rate, planes[1, line, place], gain)
            dq[line, place] = ramp.pixeldq[row, column] | quality


@njit(nogil=True, cache=True, error_model="numpy")
def _derive_flags(flags, rate, error, gain):
    """Derive pixel flags from group flags and result."""
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
    """Find slope, read and photon variance of one pixel, averaged over segments with weights 1 / read variance.

    A segment in which a jump is found is not used: what lies before and after the two resultants of the jump goes on
    the stack. The weights leave photon noise out, so that they do not follow the measured slope. The arrays come one by
    one: a tuple of them would be made for every pixel, and each look into it counts references.
    """
    depth = _find_unflagged_runs(flags, stack)
    total = slope_sum = read_sum = signal_sum = np.float32(0.0)
    while depth:
        depth -= 1
        segment = _Segment(stack[depth, 0], stack[depth, 1])
        if segment.end == segment.start:
            continue
        slope, read, signal = _fit_segment(electrons, segment, noise, timing, scratch)
        if test.on:
            limit = test.intercept - test.constant * np.log10(min(max(slope, 1.0), 1e4))
            correction = -slope / (timing.mean[segment.end] - timing.mean[segment.start])
            jump = _find_jump(electrons, segment, _Slope(slope, noise, correction), timing, limit)
            if jump >= 0:
                depth = _cut_at(jump, segment, flags, stack, depth)
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
def _cut_at(jump, segment, flags, stack, depth):
    """Flag the resultants before and after a jump and put what is left of the segment on the stack; return its depth.

    Both are flagged: the jump may lie in the reads of either.
    """
    flags[jump] = JUMP_DET
    flags[jump + 1] = JUMP_DET
    if jump > segment.start:
        stack[depth] = segment.start, jump - 1
        depth += 1
    if jump + 1 < segment.end:
        stack[depth] = jump + 2, segment.end
        depth += 1
    return depth


@njit(nogil=True, cache=True, error_model="numpy")
def _find_unflagged_runs(flags, stack):
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
def _choose_power(signal_to_noise):
    """Choose the power P of the weights by signal to noise (Casertano et al. 2022, equation 44 and its table)."""
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
def _fit_segment(electrons, segment, noise, timing, scratch):
    """Fit the slope of one segment; return it, its read variance, and its photon variance per unit of rate.

    The weights are W_i = (1 + P) N_i / (1 + P N_i) |(t_i - t_mid) / half|^P (Casertano et al. 2022, equation 45). With
    their sums F_0, F_1 and F_2 (`zeroth`, `first`, `second`) the slope is the sum of K_i R_i,
    K_i = (F_0 t_i - F_1) W_i / (F_2 F_0 - F_1^2); the variances are those of equations 35 to 40.
    """
    start, end = segment
    signal = max(electrons[end] - electrons[start], np.float32(0.0))
    power = _choose_power(signal / np.sqrt(noise * noise + signal))
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
def _find_jump(electrons, segment, slope, timing, limit):
    """Find the resultant before the most significant jump beyond the limit; -1 without one, or if it is not a number.

    A jump between two reads of a resultant raises that resultant in part, and the next one wholly; the rise over two
    intervals sees all of it.
    """
    start, end = segment
    best = _compute_excess(electrons, end - 1, end, slope, timing)
    at = end - 1
    for i in range(start, end - 1):
        single = _compute_excess(electrons, i, i + 1, slope, timing)
        double = _compute_excess(electrons, i, i + 2, slope, timing)
        statistic = max(single, double)
        if statistic > best:
            best, at = statistic, i
    return at if best > limit else -1


@njit(nogil=True, cache=True, error_model="numpy")
def _compute_excess(electrons, i, j, slope, timing):
    """Compute the rise from resultant i to j above the slope, in its standard deviation.

    The slope was fitted to this rise, too, which makes the difference of the two less variable: the correction.
    """
    interval = timing.mean[j] - timing.mean[i]
    read = slope.noise * slope.noise * (1 / timing.reads[j] + 1 / timing.reads[i])
    poisson = slope.rate * (timing.tau[j] + timing.tau[i] - 2 * min(timing.mean[i], timing.mean[j]))
    variance = (read + poisson) / (interval * interval) + slope.correction
    return ((electrons[j] - electrons[i]) / interval - slope.rate) / np.sqrt(variance)
