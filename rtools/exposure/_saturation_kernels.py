"""Compiled part of the saturation step.

The tests are those of docs/algorithms/saturation.md, points 1 to 6. The mean of the reads of a resultant stays below
the threshold T when only its last reads have reached it. A ramp that rises steadily from zero and reaches T at read l,
the last of a resultant whose read numbers have the mean m, gives the resultant ``T m / l``: the diluted threshold of
the backward pass. The second resultant begins too early for that, and gets a test of its own.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit
from rtools.wfi.dq import GROUP, PIXEL

__all__ = ["SaturationReference", "flag_saturation"]

DO_NOT_USE = np.uint8(GROUP["DO_NOT_USE"])
SATURATED = np.uint8(GROUP["SATURATED"])
AD_FLOOR = np.uint8(GROUP["AD_FLOOR"])
NO_SAT_CHECK = np.uint32(PIXEL["NO_SAT_CHECK"])

UNREACHABLE = np.float32(65536)
"""Threshold, in DN, of pixels that are not to be checked: one more than the largest number of the 16-bit converter."""


class SaturationReference(NamedTuple):
    """Planes of the saturation reference, cut to the strip.

    Attributes
    ----------
    threshold : ndarray float32 (rows, columns)
        Signal at which a pixel is saturated, in DN.
    dq : ndarray uint32 (rows, columns)
        Pixel flags of the reference.
    """

    threshold: np.ndarray
    dq: np.ndarray


class _Limits(NamedTuple):
    """Threshold of each pixel in DN (float32), and whether the reference has one for it (bool)."""

    threshold: np.ndarray
    checked: np.ndarray


@njit(nogil=True, cache=True)
def flag_saturation(ramp, reference, reads, grow):
    """Flag a strip.

    Parameters
    ----------
    ramp : rtools.exposure._kernel_arrays.RampArrays
        `groupdq` and `pixeldq` are changed in place.
    reference : SaturationReference
        Thresholds and flags; not changed.
    reads : rtools.exposure.saturation.ResultantReads
        Reads of each resultant.
    grow : int
        Half width, in pixels, of the square by which flags are dilated.
    """
    groups = ramp.data.shape[0]
    limits = _find_limits(reference.threshold, reference.dq, ramp.pixeldq)
    saturated = np.zeros(reference.threshold.shape, np.uint8)
    for g in range(groups):
        _flag_from_here_on(ramp.data[g], ramp.groupdq[g], limits.threshold, saturated)
        if grow > 0:
            _dilate(ramp.groupdq[g] & SATURATED, ramp.groupdq[g], grow)
    for g in range(groups - 2, -1, -1):
        dilution = reads.mean[g] / reads.last[g]
        if dilution != 1.0:
            hits = _find_partly_saturated(ramp.data[g], ramp.groupdq[g], ramp.groupdq[g + 1], limits, dilution)
            if grow > 0:
                _dilate(hits, ramp.groupdq[g], grow)
            else:
                _add(hits, ramp.groupdq[g])
    if groups > 2:
        _flag_second_resultant(ramp.data, ramp.groupdq, limits.threshold, reads)


@njit(nogil=True, cache=True)
def _find_limits(threshold, dq, pixeldq):
    """Find the thresholds to use, and where they mean something; add the reference's flags to pixeldq."""
    rows, columns = threshold.shape
    limit = np.empty((rows, columns), np.float32)
    checked = np.empty((rows, columns), np.bool_)
    for y in range(rows):
        for x in range(columns):
            bits = dq[y, x]
            if not threshold[y, x] > 0:  # NaN, 0, or a placeholder
                bits |= NO_SAT_CHECK
            pixeldq[y, x] |= bits
            checked[y, x] = bits & NO_SAT_CHECK == 0
            limit[y, x] = threshold[y, x] if checked[y, x] else UNREACHABLE
    return _Limits(limit, checked)


@njit(nogil=True, cache=True)
def _flag_from_here_on(plane, flags, limit, saturated):
    """Flag one resultant: SATURATED if it or an earlier one reached the limit, AD_FLOOR if it is at the floor itself.

    `saturated` carries the flags from each resultant to the next: charge that has filled a pixel does not leave it.
    """
    rows, columns = plane.shape
    for y in range(rows):
        for x in range(columns):
            value = plane[y, x]
            over = saturated[y, x] | (SATURATED if value >= limit[y, x] else np.uint8(0))
            saturated[y, x] = over
            flags[y, x] |= over | ((AD_FLOOR | DO_NOT_USE) if value <= np.float32(0) else np.uint8(0))


@njit(nogil=True, cache=True)
def _find_partly_saturated(plane, flags, following, limits, dilution):
    """Find where only the last reads of a resultant can be saturated: a plane of DO_NOT_USE.

    `following` are the flags of the next resultant: where that is not saturated, no read of this one is. A pixel
    without a threshold keeps the unreachable one.
    """
    rows, columns = plane.shape
    hits = np.zeros((rows, columns), np.uint8)
    for y in range(rows):
        for x in range(columns):
            threshold = np.float64(limits.threshold[y, x]) * (dilution if limits.checked[y, x] else 1.0)
            reached = np.float64(plane[y, x]) >= threshold
            unflagged = flags[y, x] & (SATURATED | DO_NOT_USE) == 0
            next_saturated = following[y, x] & SATURATED != 0
            hits[y, x] = DO_NOT_USE if reached & unflagged & next_saturated else np.uint8(0)
    return hits


@njit(nogil=True, cache=True)
def _add(bits, flags):
    """Compute flags |= bits."""
    rows, columns = flags.shape
    for y in range(rows):
        for x in range(columns):
            flags[y, x] |= bits[y, x]


@njit(nogil=True, cache=True)
def _dilate(bits, flags, grow):
    """Compute flags |= bits dilated by a square of 2 grow + 1 pixels."""
    rows, columns = bits.shape
    for y in range(rows):
        for x in range(columns):
            if bits[y, x]:
                for v in range(max(0, y - grow), min(rows, y + grow + 1)):
                    for u in range(max(0, x - grow), min(columns, x + grow + 1)):
                        flags[v, u] |= bits[y, x]


@njit(nogil=True, cache=True)
def _flag_second_resultant(data, groupdq, limit, reads):
    """Flag the second resultant where a jump to saturation falls in its reads, as the first and the third show.

    Three things must hold. The third resultant is saturated and the second is not. The first, extrapolated in
    proportion to time to the last read of the third, does not foretell it: something came in between. And the step
    from the first to the second is more than a saturated last read alone would add to the mean of the N reads of the
    second, ``(threshold - first) / N``.
    """
    rows, columns = limit.shape
    for y in range(rows):
        for x in range(columns):
            if groupdq[2, y, x] & SATURATED == 0 or groupdq[1, y, x] & SATURATED != 0:
                continue
            first, threshold = data[0, y, x], limit[y, x]
            foretold = np.float64(first) / reads.mean[0] * reads.last[2]
            room = (threshold - first) / np.float32(reads.size[1])
            if foretold < threshold and data[1, y, x] - first > room:
                groupdq[1, y, x] |= DO_NOT_USE
