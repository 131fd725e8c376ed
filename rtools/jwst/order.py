"""Pixels of JWST's detectors: in which order they are read, through which amplifier, and which see no light."""

from __future__ import annotations

import numpy as np

from rtools.errors import InputError
from rtools.jwst.instrument import REFERENCE_WIDTH, detector_facts

__all__ = ["amplifiers", "read_out_order", "reference_pixels"]


def read_out_order(array: np.ndarray, fast_axis: int, slow_axis: int) -> np.ndarray:
    """An array in the order in which its pixels were read: the fast axis last, both counting up.

    Done to the result with the same axes it gives the array back.

    Parameters
    ----------
    array : ndarray (..., rows, columns)
        In the frame that files have, or in that of the read-out.
    fast_axis, slow_axis : int
        FASTAXIS and SLOWAXIS: 1 or 2 for columns or rows, negative where pixels are read backwards.

    Returns
    -------
    ndarray (..., slow, fast)
        A view of `array`: an axis that is read backwards is turned, and rows and columns are exchanged where columns
        are the slow axis.

    Raises
    ------
    InputError
        No detector of JWST has such axes.
    """
    if abs(fast_axis) == 1 and abs(slow_axis) == 2:
        return array[..., :: _way(slow_axis), :: _way(fast_axis)]
    if abs(fast_axis) == 2 and fast_axis * slow_axis == 2:  # both turned, or none: the same way back
        return array[..., :: _way(fast_axis), :: _way(slow_axis)].swapaxes(-1, -2)
    raise InputError(f"no detector of JWST has FASTAXIS {fast_axis} and SLOWAXIS {slow_axis}")


def amplifiers(detector: str) -> np.ndarray:
    """Which output reads each pixel of the full frame.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.

    Returns
    -------
    ndarray int8 (rows, columns)
        0 … 3 along the fast axis, each a quarter of it. MIRI's outputs take turns: 0, 1, 2, 3, 0 … in each row.
    """
    facts = detector_facts(detector)
    fast, slow = facts.fast_axis or 1, facts.slow_axis or 2
    columns, rows = (facts.columns, facts.rows) if abs(fast) == 1 else (facts.rows, facts.columns)
    position = np.arange(columns)
    outputs = position % 4 if facts.instrument == "miri" else position * 4 // columns
    return read_out_order(np.broadcast_to(outputs.astype(np.int8), (rows, columns)), fast, slow)


def reference_pixels(detector: str) -> np.ndarray:
    """Which pixels of the full frame see no light.

    Parameters
    ----------
    detector : str
        One of `rtools.jwst.instrument.IMAGING_DETECTORS`.

    Returns
    -------
    ndarray bool (rows, columns)
        A border along all edges; of MIRI along the left and the right one.
    """
    facts = detector_facts(detector)
    border = np.zeros((facts.rows, facts.columns), bool)
    border[:, :REFERENCE_WIDTH] = border[:, -REFERENCE_WIDTH:] = True
    if facts.instrument != "miri":
        border[:REFERENCE_WIDTH] = border[-REFERENCE_WIDTH:] = True
    return border


def _way(axis):
    return -1 if axis < 0 else 1
