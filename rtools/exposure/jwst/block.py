"""The unit of work of JWST ramps: a part of the detector, with all groups of all integrations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["RampBlock", "RampTiming"]


class RampTiming(NamedTuple):
    """How groups follow each other.

    Attributes
    ----------
    frames : int
        NFRAMES, frames that are averaged in a group.
    skipped : int
        GROUPGAP, frames that are dropped behind a group.
    frame_time, group_time : float
        TFRAME and TGROUP, seconds.
    """

    frames: int
    skipped: int
    frame_time: float
    group_time: float


@dataclass
class RampBlock:
    """A part of the detector, on its way through the steps.

    Attributes
    ----------
    data : ndarray float32 (integrations, groups, rows, columns)
        DN.
    groupdq : ndarray uint8, of the same shape
        Flags of groups.
    pixeldq : ndarray uint32 (rows, columns)
        Flags of pixels.
    rows, columns : slice
        Where in the image it lies, rows beyond its own at either end included.
    zeroframe : ndarray float32 (integrations, rows, columns) or None
        The first frames, where they were kept.
    dark_rate : ndarray float32 (rows, columns) or None
        Dark current in DN/s whose photons add to the variance, where a step has told it.
    begin : int
        Number of its first integration, from 0.
    """

    data: np.ndarray
    groupdq: np.ndarray
    pixeldq: np.ndarray
    rows: slice
    columns: slice
    zeroframe: np.ndarray | None = None
    dark_rate: np.ndarray | None = None
    begin: int = 0
