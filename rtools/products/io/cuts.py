"""Cuts of an array: items of its leading axis and columns of its last one, as bytes of a block."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rtools.products.io import blocks

if TYPE_CHECKING:
    from rtools.products.io.arrays import ArrayInfo

__all__ = ["Cut", "cut_lines", "cut_shape", "is_whole"]

Cut = tuple[int, int, tuple[int, int] | None]
"""First item and end of the leading axis; first column and end of the last one, or None for all of them."""


def is_whole(shape: Sequence[int], cuts: Sequence[Cut]) -> bool:
    """Whether cuts (first, last, span) along one axis, the leading or the last one, are together all of an array.

    Parameters
    ----------
    shape : sequence of int
        Of the array, slowest axis first.
    cuts : sequence of (int, int, (int, int) or None)
        First item and end of the leading axis, and the columns of the last axis, all of them for None.

    Returns
    -------
    bool
        True where every element is in a cut.
    """
    leading = [(first, last) for first, last, _span in cuts]
    columns = [(0, shape[-1]) if span is None else span for _first, _last, span in cuts]
    rows = (0, shape[0]) if shape else (0, 1)
    across = set(leading) == {rows} and _joined(columns, shape[-1] if shape else 1)
    along = set(columns) == {(0, shape[-1])} and _joined(leading, rows[1]) if shape else True
    return across or along


def _joined(spans, length):
    """Whether spans that rise cover [0, length)."""
    reached = 0
    for start, stop in spans:
        if start > reached:
            return False
        reached = max(reached, stop)
    return reached >= length


def cut_shape(shape: Sequence[int], first: int, last: int, span: tuple[int, int] | None) -> tuple[int, ...]:
    """Shape of items [first, last) and columns `span` of an array.

    Parameters
    ----------
    shape : sequence of int
        Of the array, slowest axis first.
    first, last : int
        Items of the leading axis, the end not included; an array of one axis has only columns where `span` is given.
    span : (int, int) or None
        Columns of the last axis, the end not included; None for all.

    Returns
    -------
    tuple of int
        Empty for an array without axes.
    """
    if not shape:
        return ()
    if span is None:
        return (last - first, *shape[1:])
    start, stop = span
    return (stop - start,) if len(shape) == 1 else (last - first, *shape[1:-1], stop - start)


def cut_lines(
    info: ArrayInfo, lines: tuple[int, int, int], first: int, last: int, span: tuple[int, int] | None
) -> blocks.Lines:
    """The `blocks.Lines` of a cut that is not empty.

    Parameters
    ----------
    info : rtools.products.io.arrays.ArrayInfo
        What the array is and where.
    lines : (int, int, int)
        The lines of the whole array, as `rtools.products.io.arrays.lines_of` gives them.
    first, last : int
        Items of the leading axis, the end not included.
    span : (int, int) or None
        Columns of the last axis, the end not included; None for all.

    Returns
    -------
    rtools.products.io.blocks.Lines
        Joined to one line where the lines adjoin.
    """
    count, _width, pitch = lines
    itemsize = info.dtype.itemsize
    if len(info.shape) < 2:
        first, last = span or (first, last)
        width = (last - first) * itemsize
        return blocks.Lines(info.offset + first * itemsize, 1, width, width)
    start, stop = span or (0, info.shape[-1])
    per_item = count // info.shape[0]
    offset = info.offset + first * per_item * pitch + start * itemsize
    count, width = per_item * (last - first), (stop - start) * itemsize
    if width == pitch:
        count, width, pitch = 1, count * width, count * width
    return blocks.Lines(offset, count, width, pitch)
