"""Compiled parts of the reference-pixel correction.

A channel in time order is a series of rows of 128 pixels and 12 pauses; odd channels are read from the right.
float32 where the published method rounds to it, since samples that become exactly zero count as missing.
"""

import numpy as np

from rtools.compiled import njit
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.wfi.readout import PAUSE_SAMPLES, ROW_SAMPLES

__all__ = ["combine", "correct", "detrend", "fill_gaps", "smooth_pauses", "spread", "to_series", "trend"]

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
            series[y * ROW_SAMPLES + t] = plane[y, x] - mean[y, x]


@njit(nogil=True, cache=True)
def trend(plane, mean, odd):
    """Slope and level of a line through the non-zero samples of the reference rows; time counts from mid-series."""
    rows = plane.shape[0]
    middle = (rows * ROW_SAMPLES - 1) / 2
    n, st, sy, stt, sty = 0, 0.0, 0.0, 0.0, 0.0
    for k in range(2 * BORDER):
        y = k if k < BORDER else rows - 2 * BORDER + k
        for x in range(CHANNEL):
            value = np.float64(plane[y, x] - mean[y, x])
            if value != 0:
                t = y * ROW_SAMPLES + (CHANNEL - 1 - x if odd else x) - middle
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
    rows = series.size // ROW_SAMPLES
    fresh = np.empty(PAUSE_SAMPLES)
    for y in range(rows):
        start = y * ROW_SAMPLES + CHANNEL
        following = np.float64(series[(start + PAUSE_SAMPLES) % series.size])
        for _ in range(PASSES):
            for k in range(PAUSE_SAMPLES):
                after = series[start + k + 1] if k < PAUSE_SAMPLES - 1 else following
                fresh[k] = series[start + k] / 2 + (series[start + k - 1] + after) / 4
            for k in range(PAUSE_SAMPLES):
                series[start + k] = np.float32(fresh[k])


@njit(nogil=True, cache=True, error_model="numpy")
def spread(spectrum, first, out):
    """Frequency k = p + first q of a real series of even length to out[:, p, q]; the upper half are conjugates."""
    frequencies = spectrum.size
    length = 2 * (frequencies - 1)
    _parts, rows, second = out.shape
    for rows_begin in range(0, rows, 8):  # in tiles, for the cache
        for columns_begin in range(0, second, 16):
            for p in range(rows_begin, min(rows_begin + 8, rows)):
                for q in range(columns_begin, min(columns_begin + 16, second)):
                    k = p + first * q
                    upper = k >= frequencies
                    value = spectrum[length - k if upper else k]
                    out[0, p, q] = value.real
                    out[1, p, q] = -value.imag if upper else value.imag


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _row(spectra, coefficients, g, p, real, imaginary):
    """Row p of left γ + right ζ + amp33 α of resultant g."""
    left, right, amp33 = spectra
    gamma, zeta, alpha = coefficients
    for q in range(real.size):
        real[q] = left[g, 0, p, q] * gamma[0, p, q] - left[g, 1, p, q] * gamma[1, p, q]
    for q in range(real.size):
        real[q] += right[g, 0, p, q] * zeta[0, p, q] - right[g, 1, p, q] * zeta[1, p, q]
    for q in range(real.size):
        real[q] += amp33[g, 0, p, q] * alpha[0, p, q] - amp33[g, 1, p, q] * alpha[1, p, q]
    for q in range(real.size):
        imaginary[q] = left[g, 0, p, q] * gamma[1, p, q] + left[g, 1, p, q] * gamma[0, p, q]
    for q in range(real.size):
        imaginary[q] += right[g, 0, p, q] * zeta[1, p, q] + right[g, 1, p, q] * zeta[0, p, q]
    for q in range(real.size):
        imaginary[q] += amp33[g, 0, p, q] * alpha[1, p, q] + amp33[g, 1, p, q] * alpha[0, p, q]


@njit(nogil=True, cache=True, error_model="numpy")
def combine(spectra, coefficients, g, out):
    """Spectrum of the corrections of resultants g (real part) and g + 1 (imaginary part), if there is such.

    Parameters
    ----------
    spectra : tuple of float32 (G, 2, A/2 + 1, B)
        Left, right, amp33, as `rtools.exposure.fourier` keeps them.
    coefficients : tuple of float32 (2, A/2 + 1, B)
        γ, ζ, α.
    g : int
    out : complex64 (A, B)
    """
    first, second = out.shape
    half = first // 2
    a, b = np.zeros((2, second), np.float32), np.zeros((2, second), np.float32)
    for p in range(half + 1):
        _row(spectra, coefficients, g, p, a[0], a[1])
        if g + 1 < spectra[0].shape[0]:
            _row(spectra, coefficients, g + 1, p, b[0], b[1])
        if p == 0:  # frequency zero and, where it lies in this row, half the sampling rate: real by definition
            a[1, 0] = b[1, 0] = np.float32(0)
            if second % 2 == 0:
                a[1, second // 2] = b[1, second // 2] = np.float32(0)
        elif p == half and second % 2:
            a[1, second // 2] = b[1, second // 2] = np.float32(0)
        for q in range(second):
            out[p, q] = complex(a[0, q] - b[1, q], a[1, q] + b[0, q])
        if 0 < p < half:  # at the frequency N - k: the conjugates
            for q in range(second):
                out[first - p, second - 1 - q] = complex(a[0, q] + b[1, q], b[0, q] - a[1, q])


@njit(nogil=True, cache=True, error_model="numpy")
def _corrected(sample, mean, drift, correction):
    value = sample - mean
    value = value - drift if value != 0 else value
    return (value - correction) + mean


@njit(nogil=True, cache=True, error_model="numpy")
def correct(data, g, mean, corrections, odd, line):
    """Remove mean, line (from non-zero samples) and correction from resultant g of a channel; put the mean back.

    `corrections` is float32 (rows × 140, 2); even resultants have the first column, odd ones the second.
    """
    slope, level = line
    which = np.uint64(g % 2)
    g, width, last = np.uint64(g), np.uint64(ROW_SAMPLES), np.uint64(CHANNEL - 1)
    middle = np.float32((data.shape[1] * ROW_SAMPLES - 1) / 2)
    for y in range(np.uint64(data.shape[1])):
        first = y * width
        if odd:
            for x in range(np.uint64(CHANNEL)):
                t = first + last - x
                drift = (np.float32(t) - middle) * slope + level
                data[g, y, x] = _corrected(data[g, y, x], mean[y, x], drift, corrections[t, which])
        else:
            for x in range(np.uint64(CHANNEL)):
                t = first + x
                drift = (np.float32(t) - middle) * slope + level
                data[g, y, x] = _corrected(data[g, y, x], mean[y, x], drift, corrections[t, which])
