"""Cuts of an array: items of its leading axis and columns of its last one, as bytes of a block."""

from rtools.products.io import blocks

__all__ = ["cut_lines", "cut_shape", "is_whole"]


def is_whole(shape, cuts):
    """Whether cuts (first, last, span) along one axis, the leading or the last one, are together all of an array."""
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


def cut_shape(shape, first, last, span):
    """Shape of items [first, last) and columns `span` of an array."""
    if not shape:
        return ()
    if span is None:
        return (last - first, *shape[1:])
    start, stop = span
    return (stop - start,) if len(shape) == 1 else (last - first, *shape[1:-1], stop - start)


def cut_lines(info, lines, first, last, span):
    """The `blocks.Lines` of a cut that is not empty."""
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
