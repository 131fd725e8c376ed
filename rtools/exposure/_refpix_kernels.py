"""Compiled parts of the reference-pixel correction.

A channel in time order is a series of rows of 128 pixels and 12 pauses; odd channels are read from the right.
float32 where the published method rounds to it, since samples that become exactly zero count as missing.
"""

import numpy as np
from numba import njit

__all__ = ["combine", "correct", "detrend", "fill_gaps", "smooth_pauses", "to_series", "trend"]

CHANNEL = 128
PAD = 12
WIDTH = CHANNEL + PAD
REFERENCE_ROWS = 4
WINDOW = 32
"""Samples of the cosine window."""

PASSES = 3
"""Times that the pauses are smoothed."""


@njit(nogil=True, cache=True)
def to_series(plane, mean, odd, series):
    """series = plane - mean in time order; pauses are left alone."""
    for y in range(plane.shape[0]):
        for x in range(CHANNEL):
            t = CHANNEL - 1 - x if odd else x
            series[y * WIDTH + t] = plane[y, x] - mean[y, x]


@njit(nogil=True, cache=True)
def trend(plane, mean, odd):
    """Slope and level of a line through the non-zero samples of the reference rows; time counts from mid-series."""
    rows = plane.shape[0]
    middle = (rows * WIDTH - 1) / 2
    n, st, sy, stt, sty = 0, 0.0, 0.0, 0.0, 0.0
    for k in range(2 * REFERENCE_ROWS):
        y = k if k < REFERENCE_ROWS else rows - 2 * REFERENCE_ROWS + k
        for x in range(CHANNEL):
            value = np.float64(plane[y, x] - mean[y, x])
            if value != 0:
                t = y * WIDTH + (CHANNEL - 1 - x if odd else x) - middle
                n += 1
                st += t
                sy += value
                stt += t * t
                sty += t * value
    spread = n * stt - st * st
    if n == 0 or spread == 0:
        return np.float32(0), np.float32(sy / n if n else 0)
    slope = (n * sty - st * sy) / spread
    return np.float32(slope), np.float32((sy - slope * st) / n)


@njit(nogil=True, cache=True)
def detrend(series, slope, level):
    """Subtract slope × time + level from all non-zero samples."""
    middle = np.float32((series.size - 1) / 2)
    for n in range(series.size):
        if series[n] != 0:
            series[n] -= (np.float32(n) - middle) * slope + level


@njit(nogil=True, cache=True)
def fill_gaps(series):
    """Replace zero samples by the mean of their non-zero neighbours under a cosine window; zero where there are none.

    Weights sin((j + 1) π / 32), j = 0 … 31, belong to the samples 15 later to 16 earlier.
    """
    size = series.size
    weights = np.sin((np.arange(WINDOW) + 1) * np.pi / WINDOW)
    known = series.copy()
    for n in range(size):
        if known[n] == 0:
            total, weight = 0.0, 0.0
            for j in range(max(0, n + WINDOW // 2 - size), min(WINDOW, n + WINDOW // 2)):
                value = known[n + WINDOW // 2 - 1 - j]
                if value != 0:
                    total += weights[j] * value
                    weight += weights[j]
            if weight > 0:
                series[n] = np.float32(total / weight)


@njit(nogil=True, cache=True)
def smooth_pauses(series):
    """Three times, all pauses at once: x[n] = x[n] / 2 + (x[n - 1] + x[n + 1]) / 4, circular.

    That is what apodising the spectrum with (1 + cos(2 π k / length)) / 2 does to them.
    """
    rows = series.size // WIDTH
    fresh = np.empty(PAD)
    for y in range(rows):
        start = y * WIDTH + CHANNEL
        following = np.float64(series[(start + PAD) % series.size])
        for _ in range(PASSES):
            for k in range(PAD):
                after = series[start + k + 1] if k < PAD - 1 else following
                fresh[k] = series[start + k] / 2 + (series[start + k - 1] + after) / 4
            for k in range(PAD):
                series[start + k] = np.float32(fresh[k])


@njit(nogil=True, cache=True)
def combine(left, right, amp33, coefficients, out):
    """out = left γ + right ζ + amp33 α, complex64."""
    gamma, zeta, alpha = coefficients
    for k in range(out.size):
        out[k] = left[k] * gamma[k] + right[k] * zeta[k] + amp33[k] * alpha[k]


@njit(nogil=True, cache=True)
def correct(plane, mean, correction, odd, line):
    """Remove mean, line (from non-zero samples) and correction from a channel of one resultant; put the mean back."""
    slope, level = line
    rows = plane.shape[0]
    middle = np.float32((rows * WIDTH - 1) / 2)
    for y in range(rows):
        for x in range(CHANNEL):
            t = y * WIDTH + (CHANNEL - 1 - x if odd else x)
            value = plane[y, x] - mean[y, x]
            drift = (np.float32(t) - middle) * slope + level
            if value != 0:
                value -= drift
            plane[y, x] = (value - correction[t]) + mean[y, x]
