"""Compiled likelihood fit of ramps: generalised least squares on differences of resultants, with a search for jumps.

The pixels of a row are taken in two blocks; every loop runs over the pixels of a block, always the same number, which
the compiler turns into vector instructions (`_rampfit_work` lays out what they work on). A pixel goes to the scalar
search (`_jump_kernels`) only when a jump is possible, and is fitted with its block again afterwards, so that its result
does not depend on its neighbours. Multiplications and additions may be fused.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.exposure.rampfit import _work as q
from rtools.exposure.rampfit._jump_kernels import MARGIN, search_jumps
from rtools.wfi.dq import GROUP, PIXEL
from rtools.wfi.frame import BORDER

__all__ = ["Ramp", "fit_strip"]

BLOCK = q.BLOCK
TWO = np.uint64(2)
DO_NOT_USE = np.uint32(PIXEL["DO_NOT_USE"])
NO_GAIN_VALUE = np.uint32(PIXEL["NO_GAIN_VALUE"])
GROUP_UNUSABLE = np.uint8(GROUP["DO_NOT_USE"] | GROUP["SATURATED"])
GROUP_TO_PIXEL = np.uint8(GROUP["SATURATED"] | GROUP["JUMP_DET"])  # the same bits in group and pixel flags
GROUP_JUMP = np.uint8(GROUP["JUMP_DET"])

NO_NOISE = 65535.0
"""A read noise from here on, in DN, is a placeholder."""

# With more differences than this, chi-square alone would send too many pixels to the search.
LONG_RAMP = 12


class Ramp(NamedTuple):
    """Arrays of one strip: data float32 and groupdq uint8 (G, rows, columns); the others (rows, columns)."""

    data: np.ndarray
    groupdq: np.ndarray
    pixeldq: np.ndarray
    gain: np.ndarray
    readnoise: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def fit_strip(ramp, timing, weights, limits, network, revised, columns, out, dq):
    """Fit the pixels of a strip that lie inside the border.

    Parameters
    ----------
    ramp : Ramp
        `groupdq` receives JUMP_DET in the resultant after each rejected difference.
    timing : rtools.exposure.rampfit.timing.Timing
    weights : float64 (G,)
        Of the uniform-weight slope.
    limits : rtools.exposure.rampfit._jump_kernels.JumpLimits
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
    n = timing.interval.size
    w = np.zeros(q.BASE + (n + 1) * q.STRIDE)
    candidate = np.empty(BLOCK, dtype=np.bool_)
    scratch = np.zeros((8, n + 1))
    flags = revised if revised.size else ramp.groupdq
    results = np.empty((6, BLOCK), np.float32)
    quality = np.empty(BLOCK, np.uint32)
    for y in range(np.uint64(BORDER), np.uint64(ramp.data.shape[1] - BORDER)):
        for block in range(np.uint64(ramp.data.shape[2]) // BLOCK):
            start = block * BLOCK
            _differences(ramp, y, start, timing.interval, w)
            _noise(ramp, y, start, w)
            _median(n, w, network)
            _fit(timing, w)
            _screen(w, limits, candidate)
            if n > LONG_RAMP:
                _test(timing.reads, limits, w, candidate)
            for j in range(BLOCK):
                if candidate[j]:
                    search_jumps(w, j, timing, limits, scratch)
                    for i in range(np.uint64(n)):
                        if scratch[0, i] != 0.0:
                            ramp.groupdq[i + q.ONE, y, start + j] |= GROUP_JUMP
            if revised.size:
                _exclude(revised, y, start, n, w)
            _fit(timing, w)
            _results(timing, w, results)
            _uniform(ramp.data, y, start, weights, w, results)
            _quality(flags, ramp.pixeldq, y, start, quality)
            _quality_of_fit(w, results, quality)
            line = y - np.uint64(BORDER)
            _copy_out(start, columns, results, quality, out[:, line], dq[line])


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _differences(ramp, y, start, interval, w):
    """Differences per second; a difference is usable when neither of its resultants has any flag."""
    for j in range(BLOCK):
        w[q.USABLE + j] = 0.0
    for i in range(np.uint64(interval.size)):
        at = q.BASE + i * q.STRIDE
        scale = 1.0 / interval[i]
        for j in range(BLOCK):
            flagged = ramp.groupdq[i, y, start + j] | ramp.groupdq[i + q.ONE, y, start + j]
            w[at + q.U + j] = 1.0 if flagged == 0 else 0.0
        for j in range(BLOCK):
            w[at + q.X + j] = np.float64(ramp.data[i + q.ONE, y, start + j] - ramp.data[i, y, start + j]) * scale
        for j in range(BLOCK):
            w[at + q.X + j] = w[at + q.X + j] if w[at + q.U + j] != 0.0 else 0.0
        for j in range(BLOCK):
            w[q.USABLE + j] += w[at + q.U + j]


@njit(nogil=True, cache=True, error_model="numpy")
def _noise(ramp, y, start, w):
    """Gain and read variance in float64."""
    for j in range(BLOCK):
        gain = np.float64(ramp.gain[y, start + j])
        w[q.GAIN + j] = gain if (gain > 0.0) & (gain < np.inf) else np.nan
    for j in range(BLOCK):
        noise = np.float64(ramp.readnoise[y, start + j])
        w[q.READ + j] = noise * noise if (noise >= 0.0) & (noise < NO_NOISE) else np.nan


@njit(nogil=True, cache=True, error_model="numpy")
def _median(n, w, network):
    """First guess of the rate: the median of the usable differences; NaN where there is none."""
    for i in range(np.uint64(n)):
        at = q.BASE + i * q.STRIDE
        for j in range(BLOCK):
            w[at + q.SPARE + j] = w[at + q.X + j]
    for k in range(network.shape[0]):
        a = q.BASE + np.uint64(network[k, 0]) * q.STRIDE + q.SPARE
        b = q.BASE + np.uint64(network[k, 1]) * q.STRIDE + q.SPARE
        for j in range(BLOCK):
            low, high = w[a + j], w[b + j]
            w[a + j] = low if low < high else high
            w[b + j] = high if low < high else low
    a = q.BASE + np.uint64((n - 1) // 2) * q.STRIDE + q.SPARE
    b = q.BASE + np.uint64(n // 2) * q.STRIDE + q.SPARE
    for j in range(BLOCK):
        w[q.RATE + j] = 0.5 * (w[a + j] + w[b + j])
    for j in range(BLOCK):
        if w[q.USABLE + j] != n:
            w[q.RATE + j] = _median_of_usable(n, w, j)


@njit(nogil=True, cache=True, error_model="numpy")
def _median_of_usable(n, w, j):
    """The median of one pixel some of whose differences are not usable; sorts in its column of `SPARE`."""
    sorting = q.BASE + q.SPARE + j
    end = sorting
    for i in range(np.uint64(n)):
        at = q.BASE + i * q.STRIDE + j
        if w[at + q.U] != 0.0:
            place = end
            while place > sorting and w[place - q.STRIDE] > w[at + q.X]:
                w[place] = w[place - q.STRIDE]
                place -= q.STRIDE
            w[place] = w[at + q.X]
            end += q.STRIDE
    count = (end - sorting) // q.STRIDE
    if count == 0:
        return np.nan
    return 0.5 * (w[sorting + (count - q.ONE) // TWO * q.STRIDE] + w[sorting + count // TWO * q.STRIDE])


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _fit(timing, w):
    """Rate by generalised least squares at the covariance of the present rate, its inverse variance, and chi-square.

    The couplings of differences that are not usable are cut. Chi-square is that of a rate of zero less what the rate
    explains, numerator^2 / norm.
    """
    for j in range(BLOCK):
        rate = w[q.RATE + j]
        w[q.POISSON + j] = (0.0 if rate < 0.0 else rate) / w[q.GAIN + j]
    p_diagonal, r_diagonal = timing.poisson_diagonal[0], timing.read_diagonal[0]
    first = q.BASE
    for j in range(BLOCK):
        inverse = 1.0 / (w[q.POISSON + j] * p_diagonal + w[q.READ + j] * r_diagonal)
        unit, value = w[first + q.U + j], w[first + q.X + j]
        w[first + q.INVERSE + j] = inverse
        w[first + q.UNIT + j] = unit
        w[first + q.VALUE + j] = value
        w[q.NORM + j] = unit * unit * inverse
        w[q.NUMERATOR + j] = value * unit * inverse
        w[q.SQUARES + j] = value * value * inverse
    for i in range(q.ONE, np.uint64(timing.interval.size)):
        p_diagonal, r_diagonal = timing.poisson_diagonal[i], timing.read_diagonal[i]
        p_coupling, r_coupling = timing.poisson_coupling[i - q.ONE], timing.read_coupling[i - q.ONE]
        at = q.BASE + i * q.STRIDE
        before = at - q.STRIDE
        for j in range(BLOCK):
            poisson, read = w[q.POISSON + j], w[q.READ + j]
            coupling = (poisson * p_coupling + read * r_coupling) * (w[before + q.U + j] * w[at + q.U + j])
            lower = coupling * w[before + q.INVERSE + j]
            w[at + q.LOWER + j] = lower
            w[at + q.INVERSE + j] = 1.0 / ((poisson * p_diagonal + read * r_diagonal) - coupling * lower)
        for j in range(BLOCK):
            lower = w[at + q.LOWER + j]
            w[at + q.UNIT + j] = w[at + q.U + j] - lower * w[before + q.UNIT + j]
            w[at + q.VALUE + j] = w[at + q.X + j] - lower * w[before + q.VALUE + j]
        for j in range(BLOCK):
            unit, value, inverse = w[at + q.UNIT + j], w[at + q.VALUE + j], w[at + q.INVERSE + j]
            w[q.NORM + j] += unit * (unit * inverse)
            w[q.NUMERATOR + j] += value * (unit * inverse)
            w[q.SQUARES + j] += value * (value * inverse)
    for j in range(BLOCK):
        rate = w[q.NUMERATOR + j] / w[q.NORM + j]
        w[q.RATE + j] = rate
        chi = w[q.SQUARES + j] - rate * w[q.NUMERATOR + j]
        w[q.CHI + j] = 0.0 if chi < 0.0 else chi  # rounding


@njit(nogil=True, cache=True, error_model="numpy")
def _screen(w, limits, candidate):
    """Pixels that may hold a jump: differences left out can lower chi-square by no more than all of it."""
    least = MARGIN * min(limits.one, limits.two)
    for j in range(BLOCK):
        candidate[j] = (w[q.CHI + j] > least) & (w[q.USABLE + j] >= limits.usable)


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _test(reads, limits, w, candidate):
    """Keep the candidates that have a difference or a pair beyond its limit (as `search_jumps`, without divisions).

    Everything is multiplied by `norm`, so that the variance of a residual is ``norm variance - weight^2``.
    """
    weight, residual = q.CARRIED, q.CARRIED + BLOCK
    variance, spread = residual + BLOCK, residual + TWO * BLOCK
    after = spread + BLOCK - weight  # from each of these to its value at the following difference
    excess, shared = spread + after + BLOCK, spread + after + TWO * BLOCK
    one, two = MARGIN * limits.one, MARGIN * limits.two
    n = np.uint64(reads.size) - q.ONE
    for j in range(shared + BLOCK - q.CARRIED):
        w[q.CARRIED + j] = 0.0
    for k in range(n):
        at = q.BASE + (n - q.ONE - k) * q.STRIDE
        lower = at + q.STRIDE + q.LOWER
        for j in range(after):
            w[weight + after + j] = w[weight + j]
        for j in range(BLOCK):
            w[weight + j] = w[at + q.UNIT + j] * w[at + q.INVERSE + j] - w[lower + j] * w[weight + after + j]
        for j in range(BLOCK):
            left = (w[at + q.VALUE + j] - w[q.RATE + j] * w[at + q.UNIT + j]) * w[at + q.INVERSE + j]
            w[residual + j] = left - w[lower + j] * w[residual + after + j]
        for j in range(BLOCK):
            w[variance + j] = w[at + q.INVERSE + j] + w[lower + j] * w[lower + j] * w[variance + after + j]
        for j in range(BLOCK):
            w[spread + j] = w[q.NORM + j] * w[variance + j] - w[weight + j] * w[weight + j]
        for j in range(BLOCK):
            over = w[residual + j] * w[residual + j] * w[q.NORM + j] - one * w[spread + j]
            w[excess + j] = over if over > w[excess + j] else w[excess + j]
        if reads[n - k] > 1 and k > 0:
            for j in range(BLOCK):
                product = w[weight + j] * w[weight + after + j]
                w[shared + j] = -w[q.NORM + j] * w[lower + j] * w[variance + after + j] - product
            for j in range(BLOCK):
                a, b, c = w[residual + j], w[residual + after + j], w[shared + j]
                here, following = w[spread + j], w[spread + after + j]
                lowered = a * a * following - 2.0 * a * b * c + b * b * here
                over = lowered * w[q.NORM + j] - two * (here * following - c * c)
                w[excess + j] = over if over > w[excess + j] else w[excess + j]
    for j in range(BLOCK):
        candidate[j] &= w[excess + j] > 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _exclude(revised, y, start, n, w):
    """Take out the differences whose second resultant is flagged as a jump by the revision."""
    for i in range(np.uint64(n)):
        at = q.BASE + i * q.STRIDE
        for j in range(BLOCK):
            if revised[i + q.ONE, y, start + j] & GROUP_JUMP:
                w[at + q.X + j] = 0.0
                w[at + q.U + j] = 0.0


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _results(timing, w, results):
    """Rate, error, variances and chi-square in float32; the error is NaN, not infinite, where nothing was usable.

    The variance of the rate is ``v^T C v`` with v = M u / norm. The part of C that is Poisson noise is summed; read
    noise has the rest, as the whole is 1 / norm.
    """
    weight, after, poisson_sum = q.CARRIED, q.CARRIED + BLOCK, q.CARRIED + TWO * BLOCK
    for j in range(BLOCK):
        w[weight + j] = 0.0
        w[poisson_sum + j] = 0.0
    n = np.uint64(timing.interval.size)
    for k in range(n):
        i = n - q.ONE - k
        diagonal, coupling = timing.poisson_diagonal[i], 2.0 * timing.poisson_coupling[i]
        at = q.BASE + i * q.STRIDE
        lower = at + q.STRIDE + q.LOWER
        for j in range(BLOCK):
            w[after + j] = w[weight + j]
        for j in range(BLOCK):
            w[weight + j] = w[at + q.UNIT + j] * w[at + q.INVERSE + j] - w[lower + j] * w[after + j]
        for j in range(BLOCK):
            w[poisson_sum + j] += w[weight + j] * (w[weight + j] * diagonal + w[after + j] * coupling)
    for j in range(BLOCK):
        w[weight + j] = 1.0 / (w[q.NORM + j] if w[q.NORM + j] > 0.0 else np.nan)
    for j in range(BLOCK):
        w[poisson_sum + j] *= w[q.POISSON + j] * w[weight + j] * w[weight + j]
    for j in range(BLOCK):
        results[0, j] = w[q.RATE + j]
    for j in range(BLOCK):
        results[1, j] = np.sqrt(w[weight + j])
    for j in range(BLOCK):
        results[2, j] = w[poisson_sum + j]
    for j in range(BLOCK):
        results[3, j] = w[weight + j] - w[poisson_sum + j]
    for j in range(BLOCK):
        results[4, j] = w[q.CHI + j]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _uniform(data, y, start, weights, w, results):
    """Uniform-weight slope over all resultants, flagged or not, minus the rate."""
    slope = q.CARRIED
    for j in range(BLOCK):
        w[slope + j] = 0.0
    for i in range(np.uint64(weights.size)):
        for j in range(BLOCK):
            w[slope + j] += weights[i] * np.float64(data[i, y, start + j])
    for j in range(BLOCK):
        results[5, j] = w[slope + j] - np.float64(results[0, j])


@njit(nogil=True, cache=True, error_model="numpy")
def _quality(flags, pixeldq, y, start, quality):
    """Pixel flags from group flags: any SATURATED, any JUMP_DET, DO_NOT_USE with at most one good resultant."""
    found, good = np.zeros(BLOCK, dtype=np.uint8), np.zeros(BLOCK, dtype=np.uint16)
    for i in range(np.uint64(flags.shape[0])):
        for j in range(BLOCK):
            found[j] |= flags[i, y, start + j] & GROUP_TO_PIXEL
        for j in range(BLOCK):
            good[j] += np.uint16(1) if (flags[i, y, start + j] & GROUP_UNUSABLE) == 0 else np.uint16(0)
    for j in range(BLOCK):
        single = DO_NOT_USE if good[j] <= 1 else np.uint32(0)
        quality[j] = pixeldq[y, start + j] | np.uint32(found[j]) | single


@njit(nogil=True, cache=True, error_model="numpy")
def _quality_of_fit(w, results, quality):
    """DO_NOT_USE where the fit has no finite result; also NO_GAIN_VALUE where the gain is not a positive number."""
    for j in range(BLOCK):
        finite = (abs(results[0, j]) < np.inf) & (results[1, j] < np.inf)
        quality[j] |= np.uint32(0) if finite else DO_NOT_USE
    for j in range(BLOCK):
        quality[j] |= np.uint32(0) if w[q.GAIN + j] > 0 else DO_NOT_USE | NO_GAIN_VALUE


@njit(nogil=True, cache=True, error_model="numpy")
def _copy_out(start, columns, results, quality, out, dq):
    """The part of a block inside the border to its place in a row of the results."""
    first, last = columns
    begin, end = max(first, np.int64(start)), min(last, np.int64(start + BLOCK))
    place, origin = np.uint64(begin - first), np.uint64(begin) - start
    count = np.uint64(max(end - begin, 0))
    for k in range(out.shape[0]):
        for x in range(count):
            out[k, place + x] = results[k, origin + x]
    for x in range(count):
        dq[place + x] = quality[origin + x]
