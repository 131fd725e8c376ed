"""Compiled labelling of connected pixels: runs of pixels in rows, joined with those of the row before."""

import numpy as np

from rtools.compiled import njit

__all__ = ["count_runs", "find_runs", "label_runs", "paint", "root"]


@njit(nogil=True, cache=True, error_model="numpy")
def count_runs(image, threshold, mask, counts):
    """Number of runs of pixels above the threshold in each row; `threshold` has one row, or one for each."""
    for y in range(image.shape[0]):
        values, limits, holes = image[y], threshold[y if threshold.shape[0] > 1 else 0], mask[y]
        runs = np.int64((values[0] > limits[0]) & ~holes[0])
        for x in range(1, values.size):
            before = (values[x - 1] > limits[x - 1]) & ~holes[x - 1]
            here = (values[x] > limits[x]) & ~holes[x]
            runs += np.int64(here & ~before)
        counts[y] = runs


@njit(nogil=True, cache=True, error_model="numpy")
def find_runs(image, threshold, mask, starts, runs):
    """First and last column of each run, in raster order; row y has those from starts[y] to starts[y + 1]."""
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
def root(parent, k):
    """The root of the group that member k is in; paths to it are halved on the way."""
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


@njit(nogil=True, cache=True, error_model="numpy")
def label_runs(starts, runs, npixels, labels):
    """Label of each run, diagonal neighbours connected; 0 in groups of fewer pixels. Returns the number of labels.

    A group's root is its first run, so labels follow the first pixels in raster order.
    """
    parent = np.arange(runs.shape[0])
    for y in range(1, starts.size - 1):
        above = starts[y - 1]
        for k in range(starts[y], starts[y + 1]):
            while above < starts[y] and runs[above, 1] < runs[k, 0] - 1:
                above += 1
            other = above
            while other < starts[y] and runs[other, 0] <= runs[k, 1] + 1:
                a, b = root(parent, k), root(parent, other)
                parent[max(a, b)] = min(a, b)
                other += 1
    area = np.zeros(runs.shape[0], np.int64)
    for k in range(runs.shape[0]):
        area[root(parent, k)] += runs[k, 1] - runs[k, 0] + 1
    n = 0
    for k in range(runs.shape[0]):
        first = root(parent, k)
        if first == k:
            n += 1 if area[k] >= npixels else 0
            labels[k] = n if area[k] >= npixels else 0
        else:
            labels[k] = labels[first]
    return n


@njit(nogil=True, cache=True, error_model="numpy")
def paint(starts, runs, labels, out):
    """Write the labels of runs into an image of zeros."""
    for y in range(out.shape[0]):
        for k in range(starts[y], starts[y + 1]):
            if labels[k]:
                out[y, runs[k, 0] : runs[k, 1] + 1] = labels[k]
