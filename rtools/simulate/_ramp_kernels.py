"""Compiled inner part of the ramps: one readout channel, pixel by pixel through all resultants.

Electrons: the increment Y of a resultant is one Poisson deviate; given Y, the electrons seen by the mean of the reads
are Y w plus Gaussian noise of variance Y v, with w and v the mean and variance of the weights that arrival times have
in that mean. Means, variances and covariances of all resultants are those of read-by-read accumulation.

White noise: the sum of N reads, each floored to an integer, is the sum of the signal plus N(0, N σ²) minus N/2, rounded
(a floored Gaussian with σ of more than about one unit is that within 1e-4), so one deviate serves N reads.
"""

import math

import numpy as np

from rtools.compiled import njit
from rtools.simulate._random_kernels import normal, poisson

__all__ = ["accumulate"]

SMOOTH_DN = 50.0
"""Below this span of a resultant's reads its mean is transformed as one: the curvature then matters by 1e-4 DN."""

GENTLE_DN = 5000.0
"""Below this span the mean of many reads is that of three nodes, within 1e-3 DN."""

LARGEST = 65535.0
STEPS = 12
CLOSE_ENOUGH = 1.0
"""DN; what is wrong after a Newton step is its square times the curvature, 1e-6 per DN."""


@njit(nogil=True, cache=True)
def _invert(target, start, coeffs, y, x):
    """Solve P(w) = target by Newton's method; returns w and the slope there."""
    w, slope = start, 1.0
    top = coeffs.shape[0] - 1
    for _ in range(STEPS):
        value = float(coeffs[top, y, x])
        slope = 0.0
        for k in range(top - 1, -1, -1):
            slope = slope * w + value
            value = value * w + coeffs[k, y, x]
        if slope == 0.0:
            return target, 1.0
        change = (value - target) / slope
        w -= change
        if abs(change) < CLOSE_ENOUGH:
            return w, slope
    return (w if abs(w) < 2.0 * LARGEST else target), 1.0


@njit(nogil=True, cache=True)
def _evaluate(w, coeffs, y, x):
    """P(w)."""
    value = 0.0
    for k in range(coeffs.shape[0] - 1, -1, -1):
        value = value * w + coeffs[k, y, x]
    return value


@njit(nogil=True, cache=True)
def _converter(w, inl):
    """DN that the converter gives for w: its non-linearity undone in the chain, done here."""
    index = min(max(np.int64(w + 0.5), 0), inl.size - 1)
    return w + inl[index]


@njit(nogil=True, cache=True)
def accumulate(out, state, planes, coeffs, inl, times, series, hits):
    """Fill one channel of all resultants with integers.

    Parameters
    ----------
    out : ndarray float32 (G, rows, 128)
        Floor of the mean of the floored reads, DN, not yet clipped to what an integer can hold.
    state : ndarray uint64 (1,)
    planes : ndarray float32 (8, rows, 128)
        0 electrons per read, 1 gain (electron/DN), 2 white noise of a linearised read (DN), 3 level at which the pixel
        stops rising (DN), 4 dark decay, 5 addition to resultant 0 (DN), 6 pedestal (electrons), 7 nonzero where
        light-sensitive.
    coeffs : ndarray float32 (n, rows, 128)
        Linearity polynomial, ascending: true = P(measured + inl).
    inl : ndarray float32 (65536,)
        To be added to P⁻¹(true) at integer DN.
    times : tuple
        (reads int64 (G,), span of each increment in reads float64 (G,), w float64 (G,), v float64 (G,), reads minus
        their mean float64 (G, most), read numbers int64 (G, most), decay factor float64 (G,)).
    series : ndarray float32 (G, rows, 128)
        Correlated noise, DN.
    hits : tuple
        Cosmic rays, sorted by row: (first of each row int64 (rows + 1,), column int64, read int64, electrons float64).
    """
    reads, span, weight, variance, relative, numbers, node_counts, nodes, node_weights, decay = times
    first_of_row, hit_column, hit_read, hit_electrons = hits
    resultants, rows, columns = out.shape
    is_hit = np.zeros(columns, np.bool_)
    for y in range(rows):
        first, last = first_of_row[y], first_of_row[y + 1]
        is_hit[:] = False
        for h in range(first, last):
            is_hit[hit_column[h]] = True
        for x in range(columns):
            rate = float(planes[0, y, x])
            gain = float(planes[1, y, x])
            sigma = float(planes[2, y, x])
            full = float(planes[3, y, x])
            fade = float(planes[4, y, x])
            pedestal = float(planes[6, y, x]) / gain
            active = planes[7, y, x] != 0.0
            w = before = pedestal
            slope = 1.0
            top = _evaluate(full, coeffs, y, x)
            if active:
                # The read noise that the chain is told is that of linearised reads; at the pedestal it is so here.
                w, slope = _invert(pedestal, pedestal, coeffs, y, x)
                sigma = sigma / slope if slope > 0.1 else sigma
            collected = 0.0
            for g in range(resultants):
                n = reads[g]
                if active:
                    increment = poisson(state, rate * span[g])
                    mean = collected + increment * weight[g]
                    if variance[g] > 0.0 and increment > 0.0:
                        mean += math.sqrt(increment * variance[g]) * normal(state)
                    collected += increment
                    reach = rate * (relative[g, n - 1] - relative[g, 0]) / gain
                    level = pedestal + mean / gain
                    gentle = level + reach < top and not is_hit[x]
                    if gentle and reach < SMOOTH_DN:
                        w, slope = _invert(level, w + (level - before) / slope, coeffs, y, x)
                        before = level
                        total = n * min(_converter(w, inl), full)
                    elif gentle and reach < GENTLE_DN:
                        total = 0.0
                        for k in range(node_counts[g]):
                            level = pedestal + (mean + rate * nodes[g, k]) / gain
                            w, slope = _invert(level, w + (level - before) / slope, coeffs, y, x)
                            before = level
                            total += node_weights[g, k] * min(_converter(w, inl), full)
                    else:
                        total = 0.0
                        for k in range(n):
                            level = mean + rate * relative[g, k]
                            if is_hit[x]:
                                for h in range(first, last):
                                    if hit_column[h] == x and hit_read[h] <= numbers[g, k]:
                                        level += hit_electrons[h]
                            level = pedestal + level / gain
                            if level >= top:
                                total += full
                            else:
                                w, slope = _invert(level, w + (level - before) / slope, coeffs, y, x)
                                before = level
                                total += min(_converter(w, inl), full)
                    total += n * fade * decay[g]
                    if g == 0:
                        total += n * planes[5, y, x]
                else:
                    total = n * pedestal
                total += n * series[g, y, x] + math.sqrt(float(n)) * sigma * normal(state)
                out[g, y, x] = math.floor(math.floor(total - 0.5 * n + 0.5) / n)
