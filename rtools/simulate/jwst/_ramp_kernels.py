"""Compiled inner part of the ramps of JWST: a block of rows of one integration, read by read.

Rows are those of the detector as it is read out. Each row has streams of its own, one for the photons and one for the
noise of the amplifiers, so that a block can draw the photons of the rows above and below it again: their charge is
seen in it by the capacitance between pixels.

White noise: the sum of N reads, each floored to an integer, is the sum of the signal plus N(0, N σ²) minus N/2,
rounded, so that one deviate serves N reads.
"""

import math
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.simulate._random_kernels import normal, poisson_of

__all__ = ["BIAS", "FULL", "GAIN", "LIVE", "NOISE", "PLANES", "RATE", "RowBlock", "RowHits", "accumulate"]

LARGEST = 65535.0
"""DN that an integer of 16 bits can hold."""

SMOOTH_DN = 50.0
"""Below this span of a group's reads their mean is transformed as one: the curvature then matters by 1e-3 DN."""

STEPS = 8
"""Of Newton's method, at most."""

CLOSE_ENOUGH = 0.5
"""DN: the last step. What is wrong after a step is its square times the curvature, 1e-6 per DN."""

PLANES = 6
RATE, GAIN, NOISE, FULL, BIAS, LIVE = range(PLANES)
"""Planes of a `RowBlock`: electron/s; electron/DN; noise of one read, DN; level at which the pixel stops rising, DN;
what a read shows without charge, DN; 1 for a pixel that collects charge, else 0."""


class RowBlock(NamedTuple):
    """Rows of a detector, with one more above and one below.

    Attributes
    ----------
    planes : ndarray float32 (PLANES, rows + 2, columns)
        `RATE`, `GAIN` and so on; `LIVE` is 0 in rows that are not there.
    coeffs : ndarray float32 (rows, columns, n)
        Linearity polynomial, ascending: DN of the charge by DN above `BIAS`.
    kernel : ndarray float64 (3, 3)
        What a pixel shows of the charge in itself and around it.
    reset : float
        Scatter of the charge that the reset leaves, DN.
    """

    planes: np.ndarray
    coeffs: np.ndarray
    kernel: np.ndarray
    reset: float


class RowHits(NamedTuple):
    """Cosmic rays, sorted by row and read; rows count from the one above the block.

    Attributes
    ----------
    first : ndarray int64 (rows + 3,)
        The first of each row.
    column, read : ndarray int64 (n,)
        `read` counts the reads that are kept, from 0: the first that sees the hit.
    electrons : ndarray float64 (n,)
    """

    first: np.ndarray
    column: np.ndarray
    read: np.ndarray
    electrons: np.ndarray


@njit(nogil=True, cache=True, error_model="numpy")
def accumulate(out, streams, block, timing, hits):
    """Fill a block of all groups of one integration.

    Parameters
    ----------
    out : float32 (G, rows, columns)
        Holds offsets of amplifiers and their drift, DN; receives the floor of the mean of the floored reads, DN,
        between 0 and what an integer can hold.
    streams : uint64 (2, rows + 2, 1)
        States of the random numbers of each row: photons, noise.
    block : RowBlock
        What the pixels are.
    timing : (int64 (G, N), float)
        Frames in which charge is collected before each read, and seconds of a frame.
    hits : RowHits
        Cosmic rays.
    """
    planes, (frames, seconds) = block.planes, timing
    groups, rows, columns = out.shape
    reads = frames.shape[1]
    # The charge after each read of a group; the last of one group is where the next begins.
    charge = np.zeros((reads, rows + 2, columns))
    mean, none = np.empty((rows + 2, columns)), np.empty((rows + 2, columns))
    shown, level, reset = np.zeros((rows, columns)), np.zeros((rows, columns)), np.zeros((rows, columns))
    following = hits.first.copy()
    for y in range(rows + 2):
        for x in range(columns):
            mean[y, x] = planes[LIVE, y, x] * planes[RATE, y, x] * seconds
            none[y, x] = math.exp(-mean[y, x])
    for y in range(rows):
        for x in range(columns):
            reset[y, x] = block.reset * normal(streams[1, y + 1])
    for g in range(groups):
        for k in range(reads):
            for y in range(rows + 2):
                _collect(charge[k, y], charge[k - 1, y], streams[0, y], (mean[y], none[y]), frames[g, k])
                while following[y] < hits.first[y + 1] and hits.read[following[y]] <= g * reads + k:
                    h = following[y]
                    if planes[LIVE, y, hits.column[h]] != 0.0:
                        charge[k, y, hits.column[h]] += hits.electrons[h]
                    following[y] += 1
        for y in range(rows):
            _read_row(out[g, y], (shown[y], level[y], reset[y]), charge[:, y : y + 3], y, block)
            _digitise(out[g, y], streams[1, y + 1], planes[NOISE, y + 1], reads)


@njit(nogil=True, cache=True, error_model="numpy")
def _collect(charge, before, state, expected, frames):
    """Photons and dark current of a row since the read before, electrons; mean and exp(-mean) are those of a frame."""
    mean, none = expected
    for x in range(charge.size):
        total = before[x]
        if mean[x] > 0.0:
            nothing = none[x]
            for _ in range(1, frames):
                nothing *= none[x]
            total += poisson_of(state, mean[x] * frames, nothing)
        charge[x] = total


@njit(nogil=True, cache=True, error_model="numpy")
def _read_row(out, before, charge, y, block):
    """Add what the mean of the reads of a row shows without its noise.

    `before` is what the pixels showed above their bias and the charge that this is, of the group before, both moved on
    here; and the charge left by the reset. `charge` is that of the row and of those beside it, after each read. Pixels
    that collect no charge show their bias.
    """
    shown, level, reset = before
    planes, kernel = block.planes[:, y + 1], block.kernel
    reads = charge.shape[0]
    for x in range(out.size):
        bias = planes[BIAS, x]
        if planes[LIVE, x] == 0.0:
            out[x] += bias
            continue
        gain, coeffs = planes[GAIN, x], block.coeffs[y, x]
        first = reset[x] + _seen(charge[0], kernel, x) / gain
        last = reset[x] + _seen(charge[reads - 1], kernel, x) / gain if reads > 1 else first
        total = 0.0
        if last - first < SMOOTH_DN and bias + last < planes[FULL, x]:
            middle = 0.5 * (first + last)
            if reads > 2:
                middle = first + last
                for k in range(1, reads - 1):
                    middle += reset[x] + _seen(charge[k], kernel, x) / gain
                middle /= reads
            shown[x] = _invert(middle, shown[x] + (middle - level[x]), coeffs)
            level[x] = middle
            total = reads * min(bias + shown[x], planes[FULL, x])
        else:
            for k in range(reads):
                target = reset[x] + _seen(charge[k], kernel, x) / gain
                shown[x] = _invert(target, shown[x] + (target - level[x]), coeffs)
                level[x] = target
                total += min(bias + shown[x], planes[FULL, x])
        out[x] += total / reads


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _seen(charge, kernel, x):
    """Charge that the pixel x of the middle one of three rows shows, electrons."""
    left, right = max(x - 1, 0), min(x + 1, charge.shape[1] - 1)
    inner, outer = (1.0 if x > 0 else 0.0), (1.0 if x < charge.shape[1] - 1 else 0.0)
    total = 0.0
    for i in range(3):
        total += kernel[i, 0] * charge[i, left] * inner + kernel[i, 1] * charge[i, x]
        total += kernel[i, 2] * charge[i, right] * outer
    return total


@njit(nogil=True, cache=True, error_model="numpy")
def _invert(target, start, coeffs):
    """Solve P(w) = target by Newton's method."""
    w = start
    top = coeffs.size - 1
    for _ in range(STEPS):
        value = np.float64(coeffs[top])
        slope = 0.0
        for k in range(top - 1, -1, -1):
            slope = slope * w + value
            value = value * w + coeffs[k]
        # A polynomial that does not rise is no response: such a pixel shows its charge.
        if not slope > 0.1:
            return target
        change = (value - target) / slope
        w -= change
        if abs(change) < CLOSE_ENOUGH:
            return w
    return w if abs(w) < 4.0 * LARGEST else target


@njit(nogil=True, cache=True, error_model="numpy")
def _digitise(out, state, noise, reads):
    """Floor of the mean of the floored reads of a row, of whose mean `out` is the part without noise."""
    root = math.sqrt(reads)
    for x in range(out.size):
        total = reads * np.float64(out[x]) + root * noise[x] * normal(state)
        mean = math.floor(math.floor(total - 0.5 * reads + 0.5) / reads)
        out[x] = min(max(mean, 0.0), LARGEST)
