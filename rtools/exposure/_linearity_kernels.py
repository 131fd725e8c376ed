"""Compiled part of the linearity correction.

The equations, their symbols and the edge cases are those of docs/algorithms/linearity.md. For one pixel, R_i is
resultant i, the mean of the reads r = k_1, k_2 …; m_i is the mean of these numbers; P is the linearity polynomial, Q
its inverse, h the integral non-linearity of the channel:

    L_0 = P(R_0),  L_j = P(R_j)           linear signal of the first and of the last but one unsaturated resultant
    q = (L_j - L_0) / (m_j - m_0)         rate per read
    u_r = Q(L_0 + q (r - m_0))            reads as the pixel would show them, if its rate were constant
    v_r = u_r + (R_i - mean of u_r)       shifted together, so that their mean is what was measured
    R_i <- mean of P(v_r + h(v_r))

The names in the code: `start` is L_0, `rate` is q, `reads` holds u, `shift` is R_i - mean of u_r, `forward` and
`inverse` hold the coefficients of P and Q.

The number of coefficients is fixed when a kernel is compiled, so that the polynomials become straight code over the
128 pixels of a channel's row; their coefficients are widened to float64 once a row. Two polynomials and an
interpolation per read and pixel make this the hottest loop of the chain: multiplications and additions of float64 may
be fused there (a rounding less, 1e-16). What is rounded to float32, as the published method does it, is not fused.
"""

from functools import cache
from threading import Lock
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.wfi.dq import GROUP, PIXEL
from rtools.wfi.frame import CHANNEL

__all__ = ["LinearityReference", "kernel"]

DO_NOT_USE = np.uint8(GROUP["DO_NOT_USE"])
SATURATED = np.uint8(GROUP["SATURATED"])
NO_LIN_CORR = np.uint32(PIXEL["NO_LIN_CORR"])

LARGEST = np.float32(1e5)
"""A coefficient beyond this is a placeholder: the constant one is in DN, the others are 1 and less."""

LIMIT = np.float32(1e6)
"""DN beyond which no corrected value can lie (full well is 65,000 DN)."""


class LinearityReference(NamedTuple):
    """Planes of the linearity and the inverse-linearity reference, cut to the strip.

    Attributes
    ----------
    forward : ndarray float32 (terms, rows, columns)
        Coefficients of P, in ascending powers of DN.
    inverse : ndarray float32 (inverse terms, rows, columns)
        Coefficients of Q, likewise.
    dq : ndarray uint32 (rows, columns)
        Pixel flags of the linearity reference.
    """

    forward: np.ndarray
    inverse: np.ndarray
    dq: np.ndarray


class _Work(NamedTuple):
    """What is computed for the pixels of one row of a channel; all float64 but `places`, which is int32.

    `forward` (terms, CHANNEL) and `inverse` (inverse terms, CHANNEL) hold coefficients, `reads` (n, CHANNEL) the
    reconstructed reads of one resultant, `total` (CHANNEL,) their sums, `places` those in the table.
    """

    forward: np.ndarray
    inverse: np.ndarray
    start: np.ndarray
    rate: np.ndarray
    reads: np.ndarray
    shift: np.ndarray
    shifted: np.ndarray
    total: np.ndarray
    places: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def _widen(coefficients, y, dq, pixeldq, wide):
    """Widen the coefficients of a row to float64, the identity where they are unusable; flag these pixels."""
    terms, _rows, columns = coefficients.shape
    bad = np.zeros(CHANNEL, np.bool_)
    for k in range(terms):
        for x in range(columns):
            bad[x] |= not abs(coefficients[k, y, x]) <= LARGEST
    for x in range(columns):
        bad[x] |= coefficients[1, y, x] == 0
    for x in range(columns):
        refused = dq[y, x] & NO_LIN_CORR
        if bad[x] and not refused:
            pixeldq[y, x] |= NO_LIN_CORR
        bad[x] |= refused != 0
    for k in range(terms):
        identity = 1.0 if k == 1 else 0.0
        for x in range(columns):
            wide[k, x] = identity if bad[x] else np.float64(coefficients[k, y, x])


@njit(nogil=True, cache=True, error_model="numpy")
def _polynomial(x, c, p):
    """Evaluate the polynomial of pixel p in float32, as for values that are corrected without their reads."""
    top = c.shape[0] - 1
    h = np.float32(c[top, p]) * x
    for k in range(top - 1):
        h = (h + np.float32(c[top - 1 - k, p])) * x
    return h + np.float32(c[0, p])


@njit(nogil=True, cache=True, error_model="numpy")
def _polynomials(values, c, out):
    """Evaluate `_polynomial` for a row, pixels side by side."""
    columns, top = values.size, c.shape[0] - 1
    for p in range(columns):
        out[p] = np.float32(c[top, p]) * values[p]
    for k in range(top - 1):
        for p in range(columns):
            out[p] = (out[p] + np.float32(c[top - 1 - k, p])) * values[p]
    for p in range(columns):
        out[p] += np.float32(c[0, p])


@njit(nogil=True, cache=True, error_model="numpy")
def _fit_lines(row, flags, means, work):
    """Find L_0, the linear signal of the first resultant, and q, the rate per read from there to resultant j.

    `row` is float32 (G, columns), `flags` uint8 (G, columns), `means` float64 (G,). The last unsaturated resultant is
    left out because some of its reads may be saturated; with few resultants, j is the second all the same.
    """
    groups, columns = row.shape
    c, start, rate = work.forward, work.start, work.rate
    saturated = np.zeros(CHANNEL, np.uint8)
    begin, end = np.zeros(CHANNEL, np.float32), np.zeros(CHANNEL, np.float32)
    for g in range(groups):
        for x in range(columns):
            saturated[x] |= flags[g, x] & SATURATED
    _polynomials(row[0], c, begin)
    for x in range(columns):
        start[x] = begin[x]
    last = max(groups - 1, 2) - 1
    if groups > 1:
        _polynomials(row[last], c, end)
        span = means[last] - means[0]
        for x in range(columns):
            rate[x] = np.float64(end[x] - begin[x]) / span
    for x in range(columns):
        if saturated[x]:
            start[x], rate[x] = _fit_saturated_line(row, flags, means, c, x)


@njit(nogil=True, cache=True, error_model="numpy")
def _fit_saturated_line(row, flags, means, c, x):
    """Find L_0 and q as `_fit_lines`, of a pixel that saturates; saturated values are taken as they are."""
    groups = row.shape[0]
    start = row[0, x] if flags[0, x] & SATURATED else _polynomial(row[0, x], c, x)
    if groups < 2:
        return np.float64(start), 0.0
    good = 0
    for g in range(groups):
        good += 1 if flags[g, x] & SATURATED == 0 else 0
    last = max(good - 1, 2) - 1
    end = row[last, x] if flags[last, x] & SATURATED else _polynomial(row[last, x], c, x)
    return np.float64(start), np.float64(end - start) / (means[last] - means[0])


@njit(nogil=True, cache=True, error_model="numpy")
def _store(total, n, row, flags):
    """Store the means of n reads in a row, where it is not saturated; clip them, and count what was clipped."""
    columns = row.size
    for x in range(columns):
        value = np.float32(total[x] / n)
        row[x] = value if flags[x] & SATURATED == 0 else row[x]
    beyond = np.uint8(0)
    for x in range(columns):
        beyond |= np.uint8(1) if abs(row[x]) > LIMIT else np.uint8(0)
    if beyond == 0:
        return 0
    clipped = 0
    for x in range(columns):
        if abs(row[x]) > LIMIT:
            row[x] = LIMIT if row[x] > 0 else -LIMIT
            flags[x] |= DO_NOT_USE
            clipped += 1
    return clipped


# The functions that follow are put into their caller before it is compiled (``inline="always"``): there the number of
# coefficients is a constant, without which the compiler could not turn the polynomials into vector instructions.


@njit(inline="always", error_model="numpy")
def _make_work(terms, inverse_terms, first):
    """Make the arrays that all rows use; `first` tells where the reads of each resultant begin."""
    most = 0
    for g in range(first.size - 1):
        most = max(most, first[g + 1] - first[g])
    return _Work(
        np.zeros((terms, CHANNEL)),
        np.zeros((inverse_terms, CHANNEL)),
        np.zeros(CHANNEL),
        np.zeros(CHANNEL),
        np.zeros((most, CHANNEL)),
        np.zeros(CHANNEL),
        np.zeros(CHANNEL),
        np.zeros(CHANNEL),
        np.zeros(CHANNEL, np.int32),
    )


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _reconstruct_reads(g, numbers, top, work):
    """Compute the reads u of resultant g, and their sums; `top` is the degree of Q."""
    d, start, rate, total = work.inverse, work.start, work.rate, work.total
    total[:] = 0.0
    for r in range(numbers.first[g + 1] - numbers.first[g]):
        since = numbers.number[numbers.first[g] + r] - numbers.mean[0]
        for p in range(CHANNEL):
            z = start[p] + rate[p] * since
            h = d[top, p] * z
            for k in range(top - 1):
                h = (h + d[top - 1 - k, p]) * z
            h += d[0, p]
            work.reads[r, p] = h
            total[p] += h


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _find_shift(row, n, work):
    """Find what to add to n reads for their mean to be the resultant; begin the next sum."""
    for p in range(row.size):
        work.shift[p] = np.float64(row[p]) - work.total[p] / n
    work.total[:] = 0.0


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _shift_read(r, work):
    """Compute shifted = v of read r, for a channel without integral non-linearity."""
    for p in range(CHANNEL):
        work.shifted[p] = work.reads[r, p] + work.shift[p]


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _interpolate(r, table, work):
    """Compute shifted = v + h(v) with v = reads[r] + shift: linear between the nodes, constant beyond; NaN stays."""
    reads, shift, index, shifted = work.reads, work.shift, work.places, work.shifted
    low, high, per_step = table.low, table.high, table.per_step
    intercepts, slopes = table.intercepts, table.slopes
    for p in range(CHANNEL):
        v = reads[r, p] + shift[p]
        v = v if v > low else low
        v = v if v < high else high
        index[p] = np.int32((v - low) * per_step)
    for p in range(CHANNEL):
        v = reads[r, p] + shift[p]
        inside = v if v > low else low
        inside = inside if inside < high else high
        j = np.uint32(index[p])
        shifted[p] = v + (intercepts[j] + slopes[j] * inside)


@njit(inline="always", error_model="numpy", fastmath={"contract"})
def _add_linear_read(top, work):
    """Add P(shifted) to the sums; `top` is the degree of P."""
    c, shifted, total = work.forward, work.shifted, work.total
    for p in range(CHANNEL):
        z = shifted[p]
        h = c[top, p] * z
        for k in range(top - 1):
            h = (h + c[top - 1 - k, p]) * z
        total[p] += h + c[0, p]


_making = Lock()


def kernel(terms, inverse_terms, with_table):
    """Make the compiled correction for so many coefficients, or take it from an earlier call.

    Parameters
    ----------
    terms, inverse_terms : int
        Coefficients of the linearity and the inverse-linearity polynomial, at least 2.
    with_table : bool
        Whether an integral non-linearity is added to the reads.

    Returns
    -------
    callable
        ``correct(ramp, reference, numbers, table)`` with a `rtools.exposure._kernel_arrays.RampArrays` of at most one
        channel, which is changed in place, a `LinearityReference`, a `rtools.exposure.linearity.ReadNumbers` and a
        `rtools.exposure.linearity.InlTable`. It returns how many values were clipped.
    """
    with _making:  # threads that ask at the same time must get, and compile, one function
        return _kernel(terms, inverse_terms, with_table)


@cache
def _kernel(terms, inverse_terms, with_table):
    """Make the function. Only numbers may be closed over: a function among them would spoil the cache on disk."""
    top, inverse_top = terms - 1, inverse_terms - 1

    @njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
    def correct(ramp, reference, numbers, table):
        """Correct a strip of at most one channel, row by row."""
        groups, rows, columns = ramp.data.shape
        work = _make_work(terms, inverse_terms, numbers.first)
        clipped = 0
        for y in range(rows):
            _widen(reference.forward, y, reference.dq, ramp.pixeldq, work.forward)
            _widen(reference.inverse, y, reference.dq, ramp.pixeldq, work.inverse)
            for x in range(columns):
                ramp.pixeldq[y, x] |= reference.dq[y, x]
            _fit_lines(ramp.data[:, y], ramp.groupdq[:, y], numbers.mean, work)
            for g in range(groups):
                n = numbers.first[g + 1] - numbers.first[g]
                _reconstruct_reads(g, numbers, inverse_top, work)
                _find_shift(ramp.data[g, y], n, work)
                for r in range(n):
                    if with_table:
                        _interpolate(r, table, work)
                    else:
                        _shift_read(r, work)
                    _add_linear_read(top, work)
                clipped += _store(work.total, n, ramp.data[g, y], ramp.groupdq[g, y])
        return clipped

    return correct
