"""Compiled parts of the reference-pixel correction.

The principle is that of Rauscher et al. (2017, PASP 129, 105003): a linear filter over frequency from reference pixels
to science pixels. Symbols and equations are in docs/algorithms/refpix.md; γ, ζ and α are the coefficients of the left
border, the right border and the reference output amp33.

A channel in time order is a series of rows of 128 pixels and 12 pauses; odd channels are read from the right.
float32 where the mission's pipeline rounds to it, since samples that become exactly zero count as missing.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.wfi.frame import BORDER, CHANNEL
from rtools.wfi.readout import PAUSE_SAMPLES, ROW_SAMPLES

__all__ = [
    "ChannelOrder",
    "FilterCoefficients",
    "NoiseLine",
    "ReferenceSpectra",
    "arrange_in_time",
    "combine",
    "correct",
    "detrend",
    "fill_gaps",
    "fit_line",
    "smooth_pauses",
    "spread",
]

WINDOW = 32
"""Samples of the cosine window."""

PASSES = 3
"""Times that the pauses are smoothed."""


class ChannelOrder(NamedTuple):
    """What a channel is reduced by, and how it is read.

    Attributes
    ----------
    mean : ndarray float32 (rows, 128)
        Mean over resultants that is set aside, in DN; zero where it is not.
    from_right : int
        1 for a channel that is read from the right, else 0.
    """

    mean: np.ndarray
    from_right: int


class NoiseLine(NamedTuple):
    """A line in time, which counts from the middle of the series; both float32.

    Attributes
    ----------
    slope : float32
        DN per sample.
    level : float32
        DN at the middle.
    """

    slope: np.float32
    level: np.float32


class ReferenceSpectra(NamedTuple):
    """Spectra of the reference pixels in every resultant, as `rtools.exposure.fourier` keeps them.

    Attributes
    ----------
    left, right, amp33 : ndarray float32 (G, 2, A/2 + 1, B)
        Of the left border, the right border and the reference output.
    """

    left: np.ndarray
    right: np.ndarray
    amp33: np.ndarray


class FilterCoefficients(NamedTuple):
    """Coefficients of one channel, arranged as the spectra are.

    Attributes
    ----------
    gamma, zeta, alpha : ndarray float32 (2, A/2 + 1, B)
        For the left border, the right border and the reference output.
    """

    gamma: np.ndarray
    zeta: np.ndarray
    alpha: np.ndarray


@njit(nogil=True, cache=True)
def arrange_in_time(plane, order, series):
    """Put the samples of a channel in the order of time, less their mean over resultants.

    Parameters
    ----------
    plane : ndarray float32 (rows, 128)
        One resultant of the channel, in DN.
    order : ChannelOrder
        Mean and order of the channel.
    series : ndarray float32 (rows × 140,)
        Receives them; the pauses between rows are left alone.
    """
    mean, from_right = order.mean, order.from_right
    for y in range(plane.shape[0]):
        for x in range(CHANNEL):
            t = CHANNEL - 1 - x if from_right else x
            series[y * ROW_SAMPLES + t] = plane[y, x] - mean[y, x]


@njit(nogil=True, cache=True)
def fit_line(plane, order):
    """Fit a line in time to the non-zero samples of the rows of reference pixels at either end, by least squares.

    Parameters
    ----------
    plane : ndarray float32 (rows, 128)
        One resultant of the channel, in DN.
    order : ChannelOrder
        Mean and order of the channel.

    Returns
    -------
    NoiseLine
        The level alone where all samples have one time; zero without any.
    """
    mean, odd = order.mean, order.from_right
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
        return NoiseLine(np.float32(0), np.float32(sy / n if n else 0))
    slope = (n * sty - st * sy) / spread
    return NoiseLine(np.float32(slope), np.float32((sy - slope * st) / n))


@njit(nogil=True, cache=True)
def detrend(series, line):
    """Subtract a line in time from all non-zero samples.

    Parameters
    ----------
    series : ndarray float32 (rows × 140,)
        Samples in the order of time; changed in place.
    line : NoiseLine
        What to subtract.
    """
    slope, level = line.slope, line.level
    middle = np.float32((series.size - 1) / 2)
    for n in range(series.size):
        if series[n] != 0:
            series[n] -= (np.float32(n) - middle) * slope + level


@njit(nogil=True, cache=True)
def fill_gaps(series):
    """Replace zero samples by the mean of their non-zero neighbours under a cosine window; zero where there are none.

    Weights sin((j + 1) π / 32), j = 0 … 31, belong to the samples 15 later to 16 earlier.

    Parameters
    ----------
    series : ndarray float32 (rows × 140,)
        Samples of amp33 in the order of time; changed in place. Its pauses are zero, and are filled like other gaps.
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
    """Smooth all pauses at once, three times: x[n] = x[n] / 2 + (x[n - 1] + x[n + 1]) / 4, circular.

    That is what apodising the spectrum with (1 + cos(2 π k / length)) / 2 does to them.

    Parameters
    ----------
    series : ndarray float32 (rows × 140,)
        Samples in the order of time; changed in place.
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
    """Put frequency k = p + first q of a real series of even length to out[:, p, q]; the upper half are conjugates.

    Parameters
    ----------
    spectrum : ndarray complex (length // 2 + 1,)
        Of the series.
    first : int
        A of `rtools.exposure.fourier`.
    out : ndarray float32 (2, A/2 + 1, B)
        Receives real and imaginary parts.
    """
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
def _filter_row(spectra, coefficients, g, p, out):
    """Compute row p of left γ + right ζ + amp33 α of resultant g: real and imaginary parts, out float32 (2, B)."""
    left, right, amp33 = spectra
    gamma, zeta, alpha = coefficients
    real, imaginary = out[0], out[1]
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
    """Make one spectrum of the corrections of resultants g (real part) and g + 1 (imaginary part), if there is such.

    Parameters
    ----------
    spectra : ReferenceSpectra
        Of the reference pixels in all resultants.
    coefficients : FilterCoefficients
        Of the channel.
    g : int
        The first of the two resultants.
    out : ndarray complex64 (A, B)
        Receives the spectrum, at the frequency p + A q in [p, q]; `rtools.exposure.fourier.inverse` takes it.
    """
    first, second = out.shape
    half = first // 2
    a, b = np.zeros((2, second), np.float32), np.zeros((2, second), np.float32)
    for p in range(half + 1):
        _filter_row(spectra, coefficients, g, p, a)
        if g + 1 < spectra.left.shape[0]:
            _filter_row(spectra, coefficients, g + 1, p, b)
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
    """Correct one sample; one that equals the mean counts as missing and has no drift."""
    value = sample - mean
    value = value - drift if value != 0 else value
    return (value - correction) + mean


@njit(nogil=True, cache=True, error_model="numpy")
def correct(data, g, order, corrections, line):
    """Remove mean, line (from non-zero samples) and correction from resultant g of a channel; put the mean back.

    Parameters
    ----------
    data : ndarray float32 (G, rows, 128)
        The channel, in DN; changed in place.
    g : int
        Which resultant.
    order : ChannelOrder
        Mean and order of the channel.
    corrections : ndarray float32 (rows × 140, 2)
        In the order of time, in DN; even resultants have the first column, odd ones the second.
    line : NoiseLine
        Of this resultant.
    """
    mean, slope, level = order.mean, line.slope, line.level
    which = np.uint64(g % 2)
    g, width, last = np.uint64(g), np.uint64(ROW_SAMPLES), np.uint64(CHANNEL - 1)
    middle = np.float32((data.shape[1] * ROW_SAMPLES - 1) / 2)
    for y in range(np.uint64(data.shape[1])):
        first = y * width
        if order.from_right:
            for x in range(np.uint64(CHANNEL)):
                t = first + last - x
                drift = (np.float32(t) - middle) * slope + level
                data[g, y, x] = _corrected(data[g, y, x], mean[y, x], drift, corrections[t, which])
        else:
            for x in range(np.uint64(CHANNEL)):
                t = first + x
                drift = (np.float32(t) - middle) * slope + level
                data[g, y, x] = _corrected(data[g, y, x], mean[y, x], drift, corrections[t, which])
