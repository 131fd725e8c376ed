"""Compiled part of the dark decay."""

from rtools.compiled import njit

__all__ = ["subtract"]


@njit(nogil=True, cache=True)
def subtract(data, plane, levels):
    """data[g] -= levels[g] × plane; float32 (G, rows, columns), float64 (rows, columns), float64 (G,)."""
    groups, rows, columns = data.shape
    for g in range(groups):
        level = levels[g]
        for y in range(rows):
            for x in range(columns):
                data[g, y, x] -= level * plane[y, x]
