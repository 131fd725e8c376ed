"""Compiled parts of the background: sorting the good values of a box, enlarging a mesh to a map."""

import numpy as np

from rtools.compiled import njit

__all__ = ["enlarge", "sort_good"]

SIGN = np.uint32(1 << 31)
DIGIT = np.uint32(11)
DIGITS = 1 << 11
LOW = np.uint32(DIGITS - 1)


@njit(nogil=True, cache=True, error_model="numpy")
def sort_good(data, bits, mask, keys, scratch):
    """Sort the finite unmasked values of an image; returns how many there are.

    By three digits of 11 bits of their keys, the lowest first (Knuth, The Art of Computer Programming, volume 3,
    section 5.2.5).

    Parameters
    ----------
    data : float32 (ny, nx)
        The image.
    bits : uint32 (ny, nx)
        The same memory.
    mask : bool (ny, nx)
        Pixels that are left out.
    keys, scratch : uint32 (ny · nx,)
        `keys` receives the values as numbers in their order: the bits with all (negative) or the first (positive)
        turned over.
    """
    places = np.zeros((3, DIGITS), np.int64)
    n = _make_keys(data, bits, mask, scratch, places)
    for i in range(3):
        total = 0
        for j in range(DIGITS):
            count = places[i, j]
            places[i, j] = total
            total += count
    for i in range(n):
        digit = scratch[i] & LOW
        keys[places[0, digit]] = scratch[i]
        places[0, digit] += 1
    for i in range(n):
        digit = (keys[i] >> DIGIT) & LOW
        scratch[places[1, digit]] = keys[i]
        places[1, digit] += 1
    for i in range(n):
        digit = scratch[i] >> DIGIT >> DIGIT
        keys[places[2, digit]] = scratch[i]
        places[2, digit] += 1
    return n


@njit(nogil=True, cache=True, error_model="numpy")
def _make_keys(data, bits, mask, keys, counts):
    """Keys of the good values in raster order; how often each digit of theirs occurs. Returns their number."""
    n = 0
    for y in range(data.shape[0]):
        for x in range(data.shape[1]):
            if mask[y, x] or not abs(data[y, x]) < np.inf:
                continue
            key = bits[y, x]
            key = ~key if key & SIGN else key | SIGN
            keys[n] = key
            n += 1
            counts[0, key & LOW] += 1
            counts[1, (key >> DIGIT) & LOW] += 1
            counts[2, key >> DIGIT >> DIGIT] += 1
    return n


@njit(nogil=True, cache=True, error_model="numpy")
def enlarge(along_y, columns, limits, mask, out):
    """Rows along_y @ columns, values kept within the limits.

    Parameters
    ----------
    along_y : float64 (ny, n)
        Weights of the mesh's rows for each row of the map.
    columns : float64 (n, nx)
        The mesh, enlarged along x.
    limits : tuple of float
        Lowest and highest value of the mesh: a cubic spline overshoots.
    mask : bool (ny, nx)
        Pixels that receive 0.
    out : float32 (ny, nx)
        Receives the map.
    """
    lowest, highest = limits
    row = np.empty(out.shape[1])
    for y in range(out.shape[0]):
        row[:] = 0.0
        for k in range(columns.shape[0]):
            weight, source = along_y[y, k], columns[k]
            for x in range(row.size):
                row[x] += weight * source[x]
        target, holes = out[y], mask[y]
        for x in range(row.size):
            value = min(max(row[x], lowest), highest)
            target[x] = 0.0 if holes[x] else value
