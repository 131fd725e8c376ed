"""Maps of arrays in files, of which perhaps only parts are there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from rtools.remote import parts

__all__ = ["map_array"]


def map_array(path: str | Path, dtype: DTypeLike, offset: int, shape: Sequence[int]) -> np.memmap:
    """A read-only map of an array as it stands in a file; of a copy of what lies elsewhere these bytes are fetched.

    Parameters
    ----------
    path : str or Path
        The file.
    dtype : dtype
        Of the elements as they are stored.
    offset : int
        Of the first one.
    shape : sequence of int
        Of the array, which is contiguous.

    Returns
    -------
    numpy.memmap

    Raises
    ------
    OSError, ValueError
        As `numpy.memmap`.
    """
    stop = offset + np.dtype(dtype).itemsize * int(np.prod(shape, dtype=np.int64))
    if not parts.want_of(path, offset, stop):
        return np.memmap(path, dtype, "r", offset, tuple(shape))
    with parts.open_raw(path) as file:
        return np.memmap(file, dtype, "r", offset, tuple(shape))  # type: ignore[call-overload]
