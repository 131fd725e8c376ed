"""Compiled results of the likelihood fit: planes and flags of a block of pixels, and their place in the image.

Equations and flags are those of docs/algorithms/rampfit.md, "Results" and "Flags of a pixel".
"""

import numpy as np

from rtools.compiled import njit
from rtools.exposure.rampfit import _work as q
from rtools.wfi.dq import GROUP, PIXEL

__all__ = [
    "PLANE_COUNT",
    "compute_results",
    "copy_out",
    "derive_flags",
    "flag_failures",
    "subtract_from_uniform_slope",
]

BLOCK = q.BLOCK
DO_NOT_USE = np.uint32(PIXEL["DO_NOT_USE"])
NO_GAIN_VALUE = np.uint32(PIXEL["NO_GAIN_VALUE"])
GROUP_UNUSABLE = np.uint8(GROUP["DO_NOT_USE"] | GROUP["SATURATED"])
GROUP_TO_PIXEL = np.uint8(GROUP["SATURATED"] | GROUP["JUMP_DET"])  # the same bits in group and pixel flags

# Carried quantities of `compute_results`: weight of a difference and of the one after it, sum of photon noise.
WEIGHT = q.CARRIED
NEXT_WEIGHT = WEIGHT + BLOCK
PHOTON_SUM = NEXT_WEIGHT + BLOCK

# Rows of the results, in the order of `rtools.exposure.steps.rampfit.PLANES`.
RATE, ERROR, VAR_POISSON, VAR_READ, CHI_SQUARE, DUMO = range(6)
PLANE_COUNT = 6


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def compute_results(timing, w, results):
    """Compute rate, error, variances and chi-square in float32.

    The error is NaN, not infinite, where nothing was usable. The variance of the rate is ``v^T C v`` with
    v = M u / norm. The part of C that is photon noise is summed; read noise has the rest, as the whole is 1 / norm.

    Parameters
    ----------
    timing : rtools.exposure.rampfit.timing.Timing
        Covariance terms of the differences.
    w : ndarray float64
        Work space (`rtools.exposure.rampfit._work`) after the final fit; the carried quantities are overwritten.
    results : ndarray float32 (6, BLOCK)
        Receives all rows but the last.
    """
    for j in range(BLOCK):
        w[WEIGHT + j] = 0.0
        w[PHOTON_SUM + j] = 0.0
    n = np.uint64(timing.interval.size)
    for k in range(n):
        i = n - q.ONE - k
        diagonal, coupling = timing.poisson_diagonal[i], 2.0 * timing.poisson_coupling[i]
        at = q.BASE + i * q.STRIDE
        lower = at + q.STRIDE + q.LOWER
        for j in range(BLOCK):
            w[NEXT_WEIGHT + j] = w[WEIGHT + j]
        for j in range(BLOCK):
            w[WEIGHT + j] = w[at + q.UNIT + j] * w[at + q.INVERSE + j] - w[lower + j] * w[NEXT_WEIGHT + j]
        for j in range(BLOCK):
            w[PHOTON_SUM + j] += w[WEIGHT + j] * (w[WEIGHT + j] * diagonal + w[NEXT_WEIGHT + j] * coupling)
    for j in range(BLOCK):
        w[WEIGHT + j] = 1.0 / (w[q.NORM + j] if w[q.NORM + j] > 0.0 else np.nan)
    for j in range(BLOCK):
        w[PHOTON_SUM + j] *= w[q.POISSON + j] * w[WEIGHT + j] * w[WEIGHT + j]
    for j in range(BLOCK):
        results[RATE, j] = w[q.RATE + j]
    for j in range(BLOCK):
        results[ERROR, j] = np.sqrt(w[WEIGHT + j])
    for j in range(BLOCK):
        results[VAR_POISSON, j] = w[PHOTON_SUM + j]
    for j in range(BLOCK):
        results[VAR_READ, j] = w[WEIGHT + j] - w[PHOTON_SUM + j]
    for j in range(BLOCK):
        results[CHI_SQUARE, j] = w[q.CHI + j]


@njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})
def subtract_from_uniform_slope(data, block, weights, w, results):
    """Compute the uniform-weight slope minus the rate, over all resultants, flagged or not.

    Parameters
    ----------
    data : ndarray float32 (G, rows, columns)
        The ramps, in DN.
    block : rtools.exposure.rampfit._arguments.Block
        Which pixels.
    weights : ndarray float64 (G,)
        Of the uniform-weight slope, in 1/s.
    w : ndarray float64
        Work space; one carried quantity is overwritten.
    results : ndarray float32 (6, BLOCK)
        Holds the rates, receives the last row.
    """
    slope = q.CARRIED
    for j in range(BLOCK):
        w[slope + j] = 0.0
    for i in range(np.uint64(weights.size)):
        for j in range(BLOCK):
            w[slope + j] += weights[i] * np.float64(data[i, block.row, block.start + j])
    for j in range(BLOCK):
        results[DUMO, j] = w[slope + j] - np.float64(results[RATE, j])


@njit(nogil=True, cache=True, error_model="numpy")
def derive_flags(flags, pixeldq, block, quality):
    """Derive pixel flags from group flags: any SATURATED, any JUMP_DET, DO_NOT_USE with at most one good resultant.

    Parameters
    ----------
    flags : ndarray uint8 (G, rows, columns)
        Group flags, jumps included.
    pixeldq : ndarray uint32 (rows, columns)
        Flags that the pixels have already.
    block : rtools.exposure.rampfit._arguments.Block
        Which pixels.
    quality : ndarray uint32 (BLOCK,)
        Receives the flags.
    """
    y, start = block.row, block.start
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
def flag_failures(w, results, quality):
    """Flag DO_NOT_USE where the fit has no finite result; also NO_GAIN_VALUE where the gain is not a positive number.

    Parameters
    ----------
    w : ndarray float64
        Work space; the gains are read.
    results : ndarray float32 (6, BLOCK)
        Rates and errors are read.
    quality : ndarray uint32 (BLOCK,)
        Receives flags beside those that it has.
    """
    for j in range(BLOCK):
        finite = (abs(results[RATE, j]) < np.inf) & (results[ERROR, j] < np.inf)
        quality[j] |= np.uint32(0) if finite else DO_NOT_USE
    for j in range(BLOCK):
        quality[j] |= np.uint32(0) if w[q.GAIN + j] > 0 else DO_NOT_USE | NO_GAIN_VALUE


@njit(nogil=True, cache=True, error_model="numpy")
def copy_out(line, block, results, quality, image):
    """Copy the part of a block inside the border to its place in the image.

    Parameters
    ----------
    line : int
        Row of the image.
    block : rtools.exposure.rampfit._arguments.Block
        Which pixels.
    results : ndarray float32 (6, BLOCK)
        Planes of the block.
    quality : ndarray uint32 (BLOCK,)
        Flags of the block.
    image : rtools.exposure.rampfit._arguments.FitImage
        Receives them.
    """
    begin, end = max(image.first, np.int64(block.start)), min(image.last, np.int64(block.start + BLOCK))
    place, origin = np.uint64(begin - image.first), np.uint64(begin) - block.start
    count = np.uint64(max(end - begin, 0))
    for k in range(image.planes.shape[0]):
        for x in range(count):
            image.planes[k, line, place + x] = results[k, origin + x]
    for x in range(count):
        image.dq[line, place + x] = quality[origin + x]
