"""Where the segments of a label image are."""

from typing import NamedTuple

import numpy as np

from rtools.wfi.labels import labels_of

__all__ = ["Segments", "empty_segments", "find"]


class Segments(NamedTuple):
    """The segments of a label image, in the order of their labels.

    Attributes
    ----------
    labels : ndarray int32 (rows, columns)
        0 is the sky.
    n : int
        Number of segments.
    ids : ndarray int32 (n,)
        Their labels, rising; labels without a pixel are left out.
    ymin, ymax, xmin, xmax : ndarray int32 (n,)
        Boxes around them, both ends inside.
    """

    labels: np.ndarray
    n: int
    ids: np.ndarray
    ymin: np.ndarray
    ymax: np.ndarray
    xmin: np.ndarray
    xmax: np.ndarray


def find(labels: np.ndarray) -> Segments:
    """The boxes around the segments.

    Parameters
    ----------
    labels : ndarray of integer (rows, columns)
        Not negative. Gaps between the labels are allowed.

    Returns
    -------
    Segments
        Of the labels that have a pixel.
    """
    from rtools.catalog.detect._segment_kernels import widen_boxes

    labels = np.ascontiguousarray(labels, np.int32)
    ids = labels_of(labels)
    table = np.empty((len(ids), 4), np.int32)
    table[:, 0::2] = np.iinfo(np.int32).max
    table[:, 1::2] = -1
    widen_boxes(labels, ids, table)
    return Segments(labels, len(ids), ids, *np.ascontiguousarray(table.T))


def empty_segments(shape: tuple[int, int], n: int) -> Segments:
    """Segments without a pixel, for measurements about places alone: no pixel belongs to a neighbour.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns of the image.
    n : int
        How many.

    Returns
    -------
    Segments
        Of the labels 1 … n.
    """
    nothing = np.zeros(n, np.int32)
    return Segments(np.zeros(shape, np.int32), n, np.arange(1, n + 1, dtype=np.int32), *[nothing] * 4)
