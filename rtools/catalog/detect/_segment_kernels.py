"""Compiled search for the boxes around segments."""

import numpy as np

from rtools.compiled import njit

__all__ = ["widen_boxes"]


@njit(cache=True, nogil=True)
def widen_boxes(labels, ids, table):
    """Widen boxes until they hold all pixels of their labels.

    Parameters
    ----------
    labels : ndarray int32 (rows, columns)
        Every label above 0 is among `ids`.
    ids : ndarray int32 (n,)
        Labels, rising.
    table : ndarray int32 (n, 4)
        ymin, ymax, xmin, xmax of each, both ends inside.
    """
    last, k = 0, 0
    for y in range(labels.shape[0]):
        for x in range(labels.shape[1]):
            label = labels[y, x]
            if label > 0:
                if label != last:
                    last, k = label, label - 1
                    if k >= len(ids) or ids[k] != label:  # there are gaps
                        k = np.searchsorted(ids, label)
                table[k, 0] = min(table[k, 0], y)
                table[k, 1] = max(table[k, 1], y)
                table[k, 2] = min(table[k, 2], x)
                table[k, 3] = max(table[k, 3], x)
