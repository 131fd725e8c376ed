"""Compiled labelling of connected pixels: runs of pixels in rows, joined with those of the row before.

The run-based labelling in two scans of He, Chao & Suzuki (2008, IEEE Transactions on Image Processing 17, 749), with
groups in a union-find structure whose paths are halved (Tarjan & van Leeuwen 1984, Journal of the ACM 31, 245).
"""

import numpy as np

from rtools.compiled import njit

__all__ = ["count_runs", "find_root", "find_runs", "label_runs", "paint_runs"]


@njit(nogil=True, cache=True, error_model="numpy")
def count_runs(image, threshold, mask, counts):
    """Number of runs of pixels above the threshold in each row.

    Parameters
    ----------
    image : float32 (ny, nx)
        What is compared with the threshold.
    threshold : float32 (1, nx) or (ny, nx)
        One row for all, or one for each.
    mask : bool (ny, nx)
        Pixels that belong to no run.
    counts : int64 (ny,)
        Receives the numbers.
    """
    for y in range(image.shape[0]):
        values, limits, holes = image[y], threshold[y if threshold.shape[0] > 1 else 0], mask[y]
        runs = np.int64((values[0] > limits[0]) & ~holes[0])
        # Without branches, so that the compiler makes vector instructions of it.
        for x in range(1, values.size):
            before = (values[x - 1] > limits[x - 1]) & ~holes[x - 1]
            here = (values[x] > limits[x]) & ~holes[x]
            runs += np.int64(here & ~before)
        counts[y] = runs


@njit(nogil=True, cache=True, error_model="numpy")
def find_runs(image, threshold, mask, starts, runs):
    """First and last column of each run, in raster order.

    Parameters
    ----------
    image, threshold, mask
        As for `count_runs`.
    starts : int64 (ny + 1,)
        Row y has the runs from starts[y] to starts[y + 1].
    runs : int32 (runs, 2)
        Receives the columns, both ends inside.
    """
    for y in range(image.shape[0]):
        values, limits, holes = image[y], threshold[y if threshold.shape[0] > 1 else 0], mask[y]
        k, last = starts[y], starts[y + 1]
        inside = False
        x = 0
        while k < last:
            here = x < values.size and values[x] > limits[x] and not holes[x]
            if here and not inside:
                runs[k, 0] = x
            elif inside and not here:
                runs[k, 1] = x - 1
                k += 1
            inside = here
            x += 1


@njit(nogil=True, cache=True, error_model="numpy")
def find_root(parent, k):
    """The root of the group that member k is in; paths to it are halved on the way.

    Parameters
    ----------
    parent : integer (n,)
        Another member of each one's group, nearer to the root, which is its own parent.
    k : int
        The member.
    """
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


@njit(nogil=True, cache=True, error_model="numpy")
def label_runs(starts, runs, npixels, labels):
    """Label of each run, diagonal neighbours connected; returns the number of labels.

    Parameters
    ----------
    starts, runs
        Of `find_runs`.
    npixels : int
        Groups of fewer pixels get no label.
    labels : int32 (runs,)
        Receives the labels, from 1 in raster order of the groups' first pixels; 0 in groups that are too small.
    """
    parent = np.arange(runs.shape[0])
    for y in range(1, starts.size - 1):
        _join_rows(starts, runs, y, parent)
    area = np.zeros(runs.shape[0], np.int64)
    for k in range(runs.shape[0]):
        area[find_root(parent, k)] += runs[k, 1] - runs[k, 0] + 1
    n = 0
    for k in range(runs.shape[0]):
        # A group's root is its first run: it comes before the others, and has its label when they ask for it.
        first = find_root(parent, k)
        if first == k:
            n += 1 if area[k] >= npixels else 0
            labels[k] = n if area[k] >= npixels else 0
        else:
            labels[k] = labels[first]
    return n


@njit(nogil=True, cache=True, error_model="numpy")
def _join_rows(starts, runs, y, parent):
    """Join the runs of a row with those of the row above that they touch."""
    above = starts[y - 1]
    for k in range(starts[y], starts[y + 1]):
        while above < starts[y] and runs[above, 1] < runs[k, 0] - 1:
            above += 1
        other = above
        while other < starts[y] and runs[other, 0] <= runs[k, 1] + 1:
            a, b = find_root(parent, k), find_root(parent, other)
            parent[max(a, b)] = min(a, b)
            other += 1


@njit(nogil=True, cache=True, error_model="numpy")
def paint_runs(starts, runs, labels, out):
    """Write the labels of runs into an image of zeros.

    Parameters
    ----------
    starts, runs, labels
        Of `find_runs` and `label_runs`.
    out : int32 (ny, nx)
        Zero on entry.
    """
    for y in range(out.shape[0]):
        for k in range(starts[y], starts[y + 1]):
            if labels[k]:
                out[y, runs[k, 0] : runs[k, 1] + 1] = labels[k]
