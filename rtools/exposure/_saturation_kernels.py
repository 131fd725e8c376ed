"""Compiled part of the saturation step."""

import numpy as np

from rtools.compiled import njit
from rtools.wfi.dq import GROUP, PIXEL

__all__ = ["flag"]

DO_NOT_USE = np.uint8(GROUP["DO_NOT_USE"])
SATURATED = np.uint8(GROUP["SATURATED"])
AD_FLOOR = np.uint8(GROUP["AD_FLOOR"])
NO_SAT_CHECK = np.uint32(PIXEL["NO_SAT_CHECK"])

UNREACHABLE = np.float32(65536)
"""Threshold, in DN, of pixels that are not to be checked."""


@njit(nogil=True, cache=True)
def flag(data, groupdq, pixeldq, threshold, dq, reads, grow):
    """Flag a strip.

    Parameters
    ----------
    data : float32 (G, rows, columns)
        DN.
    groupdq, pixeldq : uint8, uint32
        Changed in place.
    threshold, dq : float32, uint32 (rows, columns)
        Reference; not changed.
    reads : float64 (G, 3)
        Number, mean and last of the reads of each resultant.
    grow : int
        Half width of the square by which flags are dilated.
    """
    groups = data.shape[0]
    limit, checked = _limits(threshold, dq, pixeldq)
    saturated = np.zeros(threshold.shape, np.uint8)
    for g in range(groups):
        _forward(data[g], groupdq[g], limit, saturated)
        if grow > 0:
            _spread(groupdq[g] & SATURATED, groupdq[g], grow)
    for g in range(groups - 2, -1, -1):
        dilution = reads[g, 1] / reads[g, 2]
        if dilution != 1.0:
            hits = _partly(data[g], groupdq[g], groupdq[g + 1], limit, checked, dilution)
            if grow > 0:
                _spread(hits, groupdq[g], grow)
            else:
                _add(hits, groupdq[g])
    if groups > 2:
        _second(data, groupdq, limit, reads)


@njit(nogil=True, cache=True)
def _limits(threshold, dq, pixeldq):
    """Thresholds to use, and where they mean something; adds the reference's flags to pixeldq."""
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
    return limit, checked


@njit(nogil=True, cache=True)
def _forward(plane, flags, limit, saturated):
    """Saturated from here on; at the floor in this resultant."""
    rows, columns = plane.shape
    for y in range(rows):
        for x in range(columns):
            value = plane[y, x]
            over = saturated[y, x] | (SATURATED if value >= limit[y, x] else np.uint8(0))
            saturated[y, x] = over
            flags[y, x] |= over | ((AD_FLOOR | DO_NOT_USE) if value <= np.float32(0) else np.uint8(0))


@njit(nogil=True, cache=True)
def _partly(plane, flags, following, limit, checked, dilution):
    """Where only the last reads of a resultant can be saturated: a plane of DO_NOT_USE."""
    rows, columns = plane.shape
    hits = np.zeros((rows, columns), np.uint8)
    for y in range(rows):
        for x in range(columns):
            threshold = np.float64(limit[y, x]) * (dilution if checked[y, x] else 1.0)
            reached = np.float64(plane[y, x]) >= threshold
            unflagged = flags[y, x] & (SATURATED | DO_NOT_USE) == 0
            before = following[y, x] & SATURATED != 0
            hits[y, x] = DO_NOT_USE if reached & unflagged & before else np.uint8(0)
    return hits


@njit(nogil=True, cache=True)
def _add(bits, flags):
    """flags |= bits."""
    rows, columns = flags.shape
    for y in range(rows):
        for x in range(columns):
            flags[y, x] |= bits[y, x]


@njit(nogil=True, cache=True)
def _spread(bits, flags, grow):
    """flags |= bits dilated by a square of 2 grow + 1 pixels."""
    rows, columns = bits.shape
    for y in range(rows):
        for x in range(columns):
            if bits[y, x]:
                for v in range(max(0, y - grow), min(rows, y + grow + 1)):
                    for u in range(max(0, x - grow), min(columns, x + grow + 1)):
                        flags[v, u] |= bits[y, x]


@njit(nogil=True, cache=True)
def _second(data, groupdq, limit, reads):
    """Second resultant: a jump to saturation within its last read, seen from the first and the third."""
    rows, columns = limit.shape
    for y in range(rows):
        for x in range(columns):
            if groupdq[2, y, x] & SATURATED == 0 or groupdq[1, y, x] & SATURATED != 0:
                continue
            first, threshold = data[0, y, x], limit[y, x]
            foretold = np.float64(first) / reads[0, 1] * reads[2, 2]
            room = (threshold - first) / np.float32(reads[1, 0])
            if foretold < threshold and data[1, y, x] - first > room:
                groupdq[1, y, x] |= DO_NOT_USE
