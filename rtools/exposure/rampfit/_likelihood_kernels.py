"""Compiled likelihood fit of ramps: generalised least squares on differences of resultants, with a search for jumps.

Brandt (2024, PASP 136, 045004) gives the likelihood of the differences d and the covariance C (equations 28 and 29);
symbols, equations and the places where they stand in the work space are in docs/algorithms/rampfit.md. The paper takes
the sums of a fit from recursions for minors of C (equations 38 to 48). Here C = L D L^T is factored, with ones on the
diagonal of L and one subdiagonal (`LOWER`), and D = 1 / `INVERSE`; `UNIT` is L^-1 u and `VALUE` is L^-1 d. This is the
Cholesky factorisation without roots of a tridiagonal matrix (Golub & Van Loan, Matrix Computations, section 4.3), one
pass instead of two. The weights M u, M = C^-1, follow from `UNIT` by back substitution.

The pixels of a row are taken in two blocks; every loop runs over the pixels of a block, always the same number, which
the compiler turns into vector instructions (`_work` lays out what they work on). A pixel goes to the scalar search
(`_jump_kernels`) only when a jump is possible (`_screen_kernels`), and is fitted with its block again afterwards, so
that its result does not depend on its neighbours. Multiplications and additions may be fused.
"""

import numpy as np

from rtools.compiled import njit
from rtools.exposure.rampfit import _work as q
from rtools.exposure.rampfit._arguments import Block
from rtools.exposure.rampfit._jump_kernels import DROPPED, ROWS, search_jumps
from rtools.exposure.rampfit._result_kernels import (
    PLANE_COUNT,
    compute_results,
    copy_out,
    derive_flags,
    flag_failures,
    subtract_from_uniform_slope,
)
from rtools.exposure.rampfit._screen_kernels import keep_likely, screen
from rtools.wfi.dq import GROUP
from rtools.wfi.frame import BORDER

__all__ = ["fit_by_likelihood"]

BLOCK = q.BLOCK
TWO = np.uint64(2)
GROUP_JUMP = np.uint8(GROUP["JUMP_DET"])

NO_NOISE = 65535.0
"""A read noise from here on, in DN, is a placeholder."""

# With more differences than this, chi-square alone would send too many pixels to the search.
LONG_RAMP = 12


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def fit_by_likelihood(ramp, terms, revised, image):
    """Fit the pixels of a strip that lie inside the border.

    Parameters
    ----------
    ramp : rtools.exposure.rampfit._arguments.Ramp
        A strip of whole blocks. `groupdq` receives JUMP_DET in the resultant after each rejected difference.
    terms : rtools.exposure.rampfit._arguments.FitTerms
        Times, weights, limits of the search and the sorting network.
    revised : ndarray uint8 (G, rows, columns), or empty
        Group flags of an earlier pass, revised: their JUMP_DET excludes differences, and they make the pixel flags.
    image : rtools.exposure.rampfit._arguments.FitImage
        Receives the results.
    """
    # Taken out once: each look into a named tuple of arrays counts references to all of them.
    timing, limits = terms.timing, terms.limits
    n = timing.interval.size
    w = np.zeros(q.BASE + (n + 1) * q.STRIDE)
    candidate = np.empty(BLOCK, dtype=np.bool_)
    search = np.zeros((ROWS, n + 1))
    flags = revised if revised.size else ramp.groupdq
    results = np.empty((PLANE_COUNT, BLOCK), np.float32)
    quality = np.empty(BLOCK, np.uint32)
    for y in range(np.uint64(BORDER), np.uint64(ramp.data.shape[1] - BORDER)):
        for number in range(np.uint64(ramp.data.shape[2]) // BLOCK):
            block = Block(y, number * BLOCK)  # type: ignore[arg-type]  # unsigned where it is compiled
            _load_differences(ramp, block, timing.interval, w)
            _load_noise(ramp, block, w)
            if ramp.known.size:
                _exclude(ramp.known, block, n, w)
            _guess_rate(n, w, terms.network)
            _fit(timing, w)
            screen(w, limits, candidate)
            if n > LONG_RAMP:
                keep_likely(timing.reads, limits, w, candidate)
            for j in range(BLOCK):
                if candidate[j]:
                    search_jumps(w, j, timing, limits, search)
                    _flag_dropped(ramp.groupdq, block, j, search)
            if revised.size:
                _exclude(revised, block, n, w)
            _fit(timing, w)
            compute_results(timing, w, results)
            subtract_from_uniform_slope(ramp.data, block, terms.weights, w, results)
            derive_flags(flags, ramp.pixeldq, block, quality)
            flag_failures(w, results, quality)
            copy_out(y - np.uint64(BORDER), block, results, quality, image)


@njit(inline="always", error_model="numpy")
def _flag_dropped(groupdq, block, j, search):
    """Flag the resultant after each dropped difference of pixel j as a jump."""
    for i in range(np.uint64(groupdq.shape[0]) - q.ONE):
        if search[DROPPED, i] != 0.0:
            groupdq[i + q.ONE, block.row, block.start + j] |= GROUP_JUMP


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _load_differences(ramp, block, interval, w):
    """Form the differences per second d_i; a difference is usable when neither of its resultants has any flag."""
    y, start = block.row, block.start
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
def _load_noise(ramp, block, w):
    """Load gain, read variance and dark current in float64, NaN where they cannot be: no result is finite there."""
    y, start = block.row, block.start
    for j in range(BLOCK):
        gain = np.float64(ramp.gain[y, start + j])
        w[q.GAIN + j] = gain if (gain > 0.0) & (gain < np.inf) else np.nan
    for j in range(BLOCK):
        noise = np.float64(ramp.readnoise[y, start + j])
        w[q.READ + j] = noise * noise if (noise >= 0.0) & (noise < NO_NOISE) else np.nan
    if ramp.dark.size:
        for j in range(BLOCK):
            w[q.DARK + j] = np.float64(ramp.dark[y, start + j])


@njit(nogil=True, cache=True, error_model="numpy")
def _guess_rate(n, w, network):
    """Guess the rate as the median of the usable differences; NaN where there is none.

    The network sorts all pixels of a block at once, whatever their values; the few pixels with differences that are not
    usable are sorted alone.
    """
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
    """Find the median of one pixel some of whose differences are not usable; sort in its column of `SPARE`."""
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
    """Find the rate by generalised least squares at the covariance of the present rate, and its chi-square.

    With the sums of Brandt (2024, equations 61 to 63), A = d^T M d (`SQUARES`), B = u^T M d (`NUMERATOR`) and
    C = u^T M u (`NORM`): the rate is B / C, its variance 1 / C, and chi-square A - B^2 / C.
    """
    for j in range(BLOCK):
        rate = w[q.RATE + j]
        w[q.POISSON + j] = ((0.0 if rate < 0.0 else rate) + w[q.DARK + j]) / w[q.GAIN + j]
    p_diagonal, r_diagonal = timing.poisson_diagonal[0], timing.read_diagonal[0]
    first = q.BASE  # the first difference has no other before it
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
            # Couplings with differences that are not usable are cut.
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
def _exclude(flags, block, n, w):
    """Leave out the differences whose second resultant is flagged as a jump."""
    for i in range(np.uint64(n)):
        at = q.BASE + i * q.STRIDE
        for j in range(BLOCK):
            if flags[i + q.ONE, block.row, block.start + j] & GROUP_JUMP:
                w[q.USABLE + j] -= w[at + q.U + j]
                w[at + q.X + j] = 0.0
                w[at + q.U + j] = 0.0
