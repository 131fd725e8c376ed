"""Compiled part of the dark decay: the last equation of docs/algorithms/darkdecay.md, "What is done"."""

from rtools.compiled import njit

__all__ = ["subtract"]


@njit(nogil=True, cache=True)
def subtract(data, plane, levels):
    """Compute data[g] -= levels[g] × plane, in float64, rounded once.

    Parameters
    ----------
    data : ndarray float32 (G, rows, columns)
        Resultants, in DN; changed in place.
    plane : ndarray float64 (rows, columns)
        exp(-t/τ) of each pixel, t from the start of a frame.
    levels : ndarray float64 (G,)
        DN by which the plane is multiplied in each resultant.
    """
    groups, rows, columns = data.shape
    for g in range(groups):
        level = levels[g]
        for y in range(rows):
            for x in range(columns):
                data[g, y, x] -= level * plane[y, x]
