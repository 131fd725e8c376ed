"""Compiled walk of cosmic-ray tracks through pixels.

From one edge of a pixel to the next along a straight line, as Amanatides & Woo (1987, Eurographics) go through voxels.
"""

import math
from typing import NamedTuple

import numpy as np

from rtools.compiled import njit

__all__ = ["Tracks", "walk"]


class Tracks(NamedTuple):
    """Straight tracks, each float64 (n,).

    Attributes
    ----------
    x, y : ndarray
        Where they begin; pixel centres are integers.
    angle : ndarray
        Their direction, radians from +x.
    length : ndarray
        Pixels.
    """

    x: np.ndarray
    y: np.ndarray
    angle: np.ndarray
    length: np.ndarray


@njit(nogil=True, cache=True)
def walk(tracks, shape):
    """Pixels crossed by straight tracks and the path in each.

    Parameters
    ----------
    tracks : Tracks
        From where, in which direction, how far.
    shape : (int, int)
        Rows and columns of the frame; what falls outside is left out.

    Returns
    -------
    tuple of ndarray
        Track int64, row int64, column int64, path float64 (pixels).
    """
    x, y, angle, length = tracks.x, tracks.y, tracks.angle, tracks.length
    rows, columns = shape
    capacity = 0
    for t in range(x.size):
        capacity += 3 + int(abs(math.cos(angle[t])) * length[t] + 1) + int(abs(math.sin(angle[t])) * length[t] + 1)
    track, row, column = np.empty(capacity, np.int64), np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    path = np.empty(capacity)
    count = 0
    for t in range(x.size):
        ux, uy = math.cos(angle[t]), math.sin(angle[t])
        i, j = math.floor(x[t] + 0.5), math.floor(y[t] + 0.5)
        step_i, step_j = (1 if ux > 0 else -1), (1 if uy > 0 else -1)
        next_x = (i + 0.5 * step_i - x[t]) / ux if ux != 0 else np.inf
        next_y = (j + 0.5 * step_j - y[t]) / uy if uy != 0 else np.inf
        done = 0.0
        while done < length[t] and count < capacity:
            end = min(next_x, next_y, length[t])
            if 0 <= i < columns and 0 <= j < rows and end > done:
                track[count], row[count], column[count], path[count] = t, j, i, end - done
                count += 1
            done = end
            if end == next_x:
                i += step_i
                next_x += 1 / abs(ux)
            elif end == next_y:
                j += step_j
                next_y += 1 / abs(uy)
    return track[:count], row[:count], column[:count], path[:count]
