"""Compiled part of matching: the vote of source-reference pairs over shifts, for one rotation."""

import numpy as np

from rtools.compiled import njit

__all__ = ["vote"]


@njit(cache=True, nogil=True)
def vote(sources, references, starts, grid, turn, votes):
    """Count pairs by the shift that they ask for.

    Parameters
    ----------
    sources : float64 (n, 2)
        Positions from the centre of rotation.
    references : float64 (m, 2)
        The same, sorted by cell of a grid, row by row.
    starts : int64 (rows · columns + 1)
        First reference of each cell.
    grid : float64 (5,)
        x and y of the grid's corner, size of a cell, columns, rows. A cell is as large as the largest shift.
    turn : float64 (3,)
        Cosine and sine of the rotation of sources; size of a bin of shift.
    votes : uint32 (bins, bins)
        Added to: by y shift, x shift; shift 0 is in the middle.
    """
    x0, y0, size = grid[0], grid[1], grid[2]
    columns, rows = int(grid[3]), int(grid[4])
    cosine, sine, step = turn[0], turn[1], turn[2]
    bins = votes.shape[0]
    middle = 0.5 * bins
    for i in range(sources.shape[0]):
        x = cosine * sources[i, 0] - sine * sources[i, 1]
        y = sine * sources[i, 0] + cosine * sources[i, 1]
        column = int(np.floor((x - x0) / size))
        row = int(np.floor((y - y0) / size))
        if column < -1 or column > columns or row < -1 or row > rows:
            continue
        first = max(column - 1, 0)
        last = min(column + 1, columns - 1)
        for r in range(max(row - 1, 0), min(row + 1, rows - 1) + 1):
            for j in range(starts[r * columns + first], starts[r * columns + last + 1]):
                across = int(np.floor((references[j, 0] - x) / step + middle))
                up = int(np.floor((references[j, 1] - y) / step + middle))
                if 0 <= across < bins and 0 <= up < bins:
                    votes[up, across] += np.uint32(1)
