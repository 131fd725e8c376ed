"""Compiled part of matching: the vote of source-reference pairs over shifts, for one rotation.

A Hough transform (Ballard 1981, Pattern Recognition 13, 111): every pair votes for the one shift that would join it,
and true pairs agree. docs/algorithms/tweakreg.md says how the votes are used.
"""

from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["StarGrid", "Trial", "vote"]


class StarGrid(NamedTuple):
    """Reference stars by the cells of a grid.

    Attributes
    ----------
    places : ndarray float64 (m, 2)
        Positions from the centre of rotation, sorted by cell, row by row.
    starts : ndarray int64 (rows · columns + 1)
        First star of each cell, and the number of stars.
    x, y : float
        The grid's corner.
    size : float
        Side of a cell, as large as the largest shift: the partners of a source are in its own cell or a neighbour.
    columns, rows : int
        Cells of the grid.
    """

    places: np.ndarray
    starts: np.ndarray
    x: float
    y: float
    size: float
    columns: int
    rows: int


class Trial(NamedTuple):
    """What is tried: `cosine` and `sine` of the rotation of sources, `step`, the size of a bin of shift."""

    cosine: float
    sine: float
    step: float


@njit(cache=True, nogil=True)
def vote(sources, references, trial, votes):
    """Count pairs by the shift that they ask for.

    Parameters
    ----------
    sources : float64 (n, 2)
        Positions from the centre of rotation.
    references : StarGrid
        The reference stars.
    trial : Trial
        The rotation.
    votes : uint32 (bins, bins)
        Added to: by y shift, x shift; shift 0 is in the middle.
    """
    columns, rows = references.columns, references.rows
    places, starts = references.places, references.starts
    bins = votes.shape[0]
    middle = 0.5 * bins
    for i in range(sources.shape[0]):
        x = trial.cosine * sources[i, 0] - trial.sine * sources[i, 1]
        y = trial.sine * sources[i, 0] + trial.cosine * sources[i, 1]
        column = int(np.floor((x - references.x) / references.size))
        row = int(np.floor((y - references.y) / references.size))
        if column < -1 or column > columns or row < -1 or row > rows:
            continue
        first = max(column - 1, 0)
        last = min(column + 1, columns - 1)
        for r in range(max(row - 1, 0), min(row + 1, rows - 1) + 1):
            # Neighbouring cells of a row follow each other: one range holds their stars.
            for j in range(starts[r * columns + first], starts[r * columns + last + 1]):
                across = int(np.floor((places[j, 0] - x) / trial.step + middle))
                up = int(np.floor((places[j, 1] - y) / trial.step + middle))
                if 0 <= across < bins and 0 <= up < bins:
                    votes[up, across] += np.uint32(1)
