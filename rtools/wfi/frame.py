"""The pixels of a detector: its frame, the border of reference pixels, the channels that read it."""

__all__ = ["BORDER", "CENTRE", "CHANNEL", "CHANNELS", "FRAME", "SMALLEST", "TRIMMED", "science_slices"]

FRAME = 4096
"""Rows and columns of a detector, reference pixels included."""

BORDER = 4
"""Width of the reference-pixel border on each side, in pixels."""

TRIMMED = FRAME - 2 * BORDER
"""Rows and columns of a level 2 image, which has no border."""

CENTRE = (TRIMMED - 1) / 2
"""x and y of the middle of a detector, 0-based in the trimmed frame: the reference pixel of the SIAF."""

CHANNEL = 128
"""Columns read by one output channel."""

CHANNELS = FRAME // CHANNEL
"""Output channels that read the detector side by side; amp33, the reference output, is not one of them."""

SMALLEST = 2 * CHANNEL
"""Rows and columns of the smallest frame that is made for tests: a channel with a left border, one with a right."""


def science_slices(start: int, stop: int, frame_rows: int, frame_columns: int) -> tuple[slice, slice]:
    """Slices (rows, columns) into a strip of columns [start, stop) that leave out the reference-pixel border.

    Parameters
    ----------
    start, stop : int
        First column of the strip, and that behind its last, in the full frame.
    frame_rows, frame_columns : int
        Size of the full frame, border included.

    Returns
    -------
    tuple of two slice
        Rows and columns, counted from the first of the strip; no columns where all of the strip is border.
    """
    first = max(start, BORDER) - start
    last = max(first, min(stop, frame_columns - BORDER) - start)
    return slice(BORDER, frame_rows - BORDER), slice(first, last)
