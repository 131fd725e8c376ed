"""Compiled part of the linearity correction.

The number of coefficients is fixed when a kernel is compiled, so that the polynomials become straight code over the
128 pixels of a channel's row; their coefficients are widened to float64 once a row. Two polynomials and an
interpolation per read and pixel make this the hottest loop of the chain: multiplications and additions of float64 may
be fused there (a rounding less, 1e-16). What is rounded to float32, as the published method does it, is not fused.
"""

from functools import cache
from threading import Lock

import numpy as np

from rtools.compiled import njit
from rtools.wfi.dq import GROUP, PIXEL
from rtools.wfi.frame import CHANNEL

__all__ = ["kernel"]

DO_NOT_USE = np.uint8(GROUP["DO_NOT_USE"])
SATURATED = np.uint8(GROUP["SATURATED"])
NO_LIN_CORR = np.uint32(PIXEL["NO_LIN_CORR"])

LARGEST = np.float32(1e5)
"""A coefficient beyond this is a placeholder: the constant one is in DN, the others are 1 and less."""

LIMIT = np.float32(1e6)
"""DN beyond which no corrected value can lie (full well is 65,000 DN)."""


@njit(nogil=True, cache=True, error_model="numpy")
def _widen(coefficients, y, dq, pixeldq, wide):
    """Coefficients of a row as float64, identity where they are unusable; flags the pixels."""
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


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def _interpolate(u, r, shift, table, index, out):
    """out = w + table(w) with w = u[r] + shift: linear between the nodes, constant outside them; NaN stays."""
    low, high, per_step, intercepts, slopes = table
    for p in range(CHANNEL):
        w = u[r, p] + shift[p]
        w = w if w > low else low
        w = w if w < high else high
        index[p] = np.int32((w - low) * per_step)
    for p in range(CHANNEL):
        z = u[r, p] + shift[p]
        w = z if z > low else low
        w = w if w < high else high
        j = np.uint32(index[p])
        out[p] = z + (intercepts[j] + slopes[j] * w)


@njit(nogil=True, cache=True, error_model="numpy")
def _polynomial(x, c, p):
    """Polynomial of pixel p in float32, as for values that are corrected without their reads."""
    top = c.shape[0] - 1
    h = np.float32(c[top, p]) * x
    for k in range(top - 1):
        h = (h + np.float32(c[top - 1 - k, p])) * x
    return h + np.float32(c[0, p])


@njit(nogil=True, cache=True, error_model="numpy")
def _polynomials(values, c, out):
    """`_polynomial` of a row, pixels side by side."""
    columns, top = values.size, c.shape[0] - 1
    for p in range(columns):
        out[p] = np.float32(c[top, p]) * values[p]
    for k in range(top - 1):
        for p in range(columns):
            out[p] = (out[p] + np.float32(c[top - 1 - k, p])) * values[p]
    for p in range(columns):
        out[p] += np.float32(c[0, p])


@njit(nogil=True, cache=True, error_model="numpy")
def _rates(row, flags, means, c, start, rate):
    """Linear value of the first resultant, and the slope per read to the last but one that is unsaturated."""
    groups, columns = row.shape
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
            start[x], rate[x] = _saturated_rate(row, flags, means, c, x)


@njit(nogil=True, cache=True, error_model="numpy")
def _saturated_rate(row, flags, means, c, x):
    """As `_rates`, of a pixel that saturates; saturated values are taken as they are."""
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
    """Means of n reads into a row, where it is not saturated; clips, and counts what it clipped."""
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


_making = Lock()


def kernel(terms, inverse_terms, with_table):
    """The compiled correction for so many coefficients.

    Parameters
    ----------
    terms, inverse_terms : int
        Coefficients of the linearity and the inverse-linearity polynomial, at least 2.
    with_table : bool
        Whether an integral non-linearity is added to the reads.

    Returns
    -------
    callable
        ``correct(data, groupdq, pixeldq, coefficients, inverse, dq, reads, table)``; changes the first three in place
        and returns how many values were clipped.
    """
    with _making:  # threads that ask at the same time must get, and compile, one function
        return _kernel(terms, inverse_terms, with_table)


@cache
def _kernel(terms, inverse_terms, with_table):
    # Only numbers may be closed over: a function among them would spoil the cache on disk.
    top, inverse_top = terms - 1, inverse_terms - 1

    @njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
    def correct(data, groupdq, pixeldq, coefficients, inverse, dq, reads, table):
        """Correct a strip of at most one channel, row by row."""
        times, first, means = reads
        groups, rows, columns = data.shape
        c, d = np.zeros((terms, CHANNEL)), np.zeros((inverse_terms, CHANNEL))
        start, rate, shift, total = np.zeros(CHANNEL), np.zeros(CHANNEL), np.zeros(CHANNEL), np.zeros(CHANNEL)
        most = 0
        for g in range(groups):
            most = max(most, first[g + 1] - first[g])
        u, v = np.zeros((most, CHANNEL)), np.zeros(CHANNEL)
        index = np.zeros(CHANNEL, np.int32)
        clipped = 0
        for y in range(rows):
            _widen(coefficients, y, dq, pixeldq, c)
            _widen(inverse, y, dq, pixeldq, d)
            for x in range(columns):
                pixeldq[y, x] |= dq[y, x]
            _rates(data[:, y], groupdq[:, y], means, c, start, rate)
            for g in range(groups):
                n = first[g + 1] - first[g]
                total[:] = 0.0
                for r in range(n):
                    since = times[first[g] + r] - means[0]
                    for p in range(CHANNEL):
                        z = start[p] + rate[p] * since
                        h = d[inverse_top, p] * z
                        for k in range(inverse_top - 1):
                            h = (h + d[inverse_top - 1 - k, p]) * z
                        h += d[0, p]
                        u[r, p] = h
                        total[p] += h
                for p in range(columns):
                    shift[p] = np.float64(data[g, y, p]) - total[p] / n
                total[:] = 0.0
                for r in range(n):
                    if with_table:
                        _interpolate(u, r, shift, table, index, v)
                    else:
                        for p in range(CHANNEL):
                            v[p] = u[r, p] + shift[p]
                    for p in range(CHANNEL):
                        z = v[p]
                        h = c[top, p] * z
                        for k in range(top - 1):
                            h = (h + c[top - 1 - k, p]) * z
                        total[p] += h + c[0, p]
                clipped += _store(total, n, data[g, y], groupdq[g, y])
        return clipped

    return correct
