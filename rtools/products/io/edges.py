"""What lies beyond the edges of an image: the part of a span that there is, and what stands for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["filled", "value_beyond", "within"]

FLAGS = ("DO_NOT_USE", "NON_SCIENCE")
"""What a pixel is that no detector has."""

AMOUNTS = ("weight", "wht", "wmap")
"""Arrays of floats that say how much there is of something: beyond the edges nothing."""


def within(span: slice, length: int) -> slice:
    """The part of a span that an axis has.

    Parameters
    ----------
    span : slice
        Of pixels; it may begin before the first one and end behind the last.
    length : int
        Of the axis.

    Returns
    -------
    slice
    """
    return slice(max(span.start, 0), min(span.stop, length))


def value_beyond(name: str, dtype: np.dtype, flags: Mapping[str, int] | None) -> Any:
    """What stands in an array for pixels that lie beyond the edges.

    Parameters
    ----------
    name : str
        Of the array, as the product or the header calls it.
    dtype : numpy.dtype
        Of its pixels.
    flags : mapping of str to int or None
        Names of its bits, of an array of flags.

    Returns
    -------
    float or int
        NaN in floats, 0 in weights and in integers, DO_NOT_USE and NON_SCIENCE in flags that have them.
    """
    if dtype.kind == "f":
        return 0.0 if name.rpartition(".")[2].lower() in AMOUNTS else np.nan
    return sum(value for flag, value in (flags or {}).items() if flag in FLAGS)


def filled(array: np.ndarray, spans: tuple[slice, slice], shape: tuple[int, int], value: Any = np.nan) -> np.ndarray:
    """A cut array with what lies beyond the edges of the image.

    Parameters
    ----------
    array : ndarray
        What the image has of it.
    spans : (slice, slice)
        Rows and columns that are wanted, in pixels of the image; they may begin before it and end behind it.
    shape : (int, int)
        Rows and columns of the image.
    value : float or int
        What stands beyond the edges.

    Returns
    -------
    ndarray
        The same array where nothing lies beyond.
    """
    beyond = [(max(-span.start, 0), max(span.stop - length, 0)) for span, length in zip(spans, shape, strict=True)]
    if not any(map(any, beyond)):
        return array
    return np.pad(array, [(0, 0)] * (array.ndim - 2) + beyond, constant_values=value)
