"""Labels of segmentation maps: any whole numbers, with any gaps."""

from __future__ import annotations

import os

import numpy as np

from rtools.errors import InputError

__all__ = ["catalog_labels", "labels_of"]

LARGEST = np.iinfo(np.int32).max
"""The column ``label`` of a source catalog is int32, as the schemas of the mission say."""


def labels_of(segments: np.ndarray) -> np.ndarray:
    """The labels of a map but for 0.

    Time and memory follow from the number of pixels and segments, not from the size of the labels.

    Parameters
    ----------
    segments : ndarray of integer (rows, columns)
        A label for each pixel; 0 is the sky.

    Returns
    -------
    ndarray of the same dtype (n,)
        Each label once, rising.
    """
    flat = segments.ravel()
    begins = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    found = np.unique(np.append(flat[:1], flat[begins]))
    return found[found != 0]


def catalog_labels(segments: np.ndarray, path: str | os.PathLike) -> np.ndarray:
    """A map as one on which sources are measured, with the labels that it has.

    Parameters
    ----------
    segments : ndarray (rows, columns)
        Whole numbers; 0 is the sky.
    path : str or os.PathLike
        Its file, for the error.

    Returns
    -------
    ndarray int32 (rows, columns)

    Raises
    ------
    InputError
        Its labels are not whole numbers, or the column of a catalog cannot hold one of them.
    """
    if segments.dtype.kind not in "iu":
        raise InputError(f"a segmentation map holds integers, this one {segments.dtype.name}", path=path)
    least, largest = (int(value) for value in (segments.min(initial=0), segments.max(initial=0)))
    if least < 0:
        raise InputError(f"the label {least} is negative; 0 is the sky, and sources are above", path=path)
    if largest > LARGEST:
        mend = "give its sources smaller labels"
        raise InputError(f"the label {largest} does not fit a catalog (int32, {LARGEST} at most)", mend=mend, path=path)
    return segments.astype(np.int32)
