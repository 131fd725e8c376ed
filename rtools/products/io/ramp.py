"""A ramp product written as it comes, some columns at a time, never in memory.

Strips are collected until they fill 1024 columns (a page of each float32 row; 190 MB for nine resultants), which go to
their place row by row (`laidout`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.products.io.laidout import LaidOut

if TYPE_CHECKING:
    from rtools.products.io.staging import Stage

__all__ = ["RampWriter"]

BAND = 1024
"""Columns that are collected before they are written."""


class _Band:
    """Arrays of some columns that are being filled."""

    def __init__(self, arrays, width):
        self.arrays = {
            name: np.empty((*(array.shape if array.ndim == 3 else (1, *array.shape))[:2], width), array.dtype)
            for name, array in arrays.items()
        }


class RampWriter(LaidOut):
    """Writes one ramp product strip by strip.

    Parameters
    ----------
    path : str or Path
        Where the product will appear.
    meta : dict
        As far as it is known; `finish` has the last word.
    shape : tuple of int
        (resultants, rows, columns).
    profile : str
        Whose tags it gets.

    Raises
    ------
    RtoolsError
        The file cannot be made, or the disk has no room for it.
    """

    def __init__(self, path: str | Path, meta: Mapping[str, Any], shape: Sequence[int], *, profile: str) -> None:
        self.meta = meta
        self.shape = tuple(shape)
        self._seen = np.zeros(self.shape[2], bool)
        self._bands: dict[int, _Band] = {}
        self._lock = threading.Lock()
        planes = {"data": ("<f4", self.shape), "groupdq": ("u1", self.shape), "pixeldq": ("<u4", self.shape[1:])}
        super().__init__(path, "ramp", planes, profile=profile)

    def put(self, start: int, stop: int, data: np.ndarray, groupdq: np.ndarray, pixeldq: np.ndarray) -> None:
        """Write columns [start, stop); safe on several threads for different columns.

        Parameters
        ----------
        start, stop : int
            First column of the strip, and the one behind its last.
        data : ndarray float32, (resultants, rows, stop - start)
            Values of the strip, DN.
        groupdq : ndarray uint8, same shape
            Flags of each read-out of the strip.
        pixeldq : ndarray uint32, (rows, stop - start)
            Flags of the pixels of the strip.
        """
        parts = {"data": data, "groupdq": groupdq, "pixeldq": pixeldq[None]}
        while start < stop:
            first = start - start % BAND
            last = min(first + BAND, self.shape[2])
            width = min(stop, last) - start
            with self._lock:
                band = self._bands.setdefault(first, _Band(self._arrays, last - first))
            for name, part in parts.items():
                band.arrays[name][..., start - first : start - first + width] = part[..., :width]
                parts[name] = part[..., width:]
            with self._lock:
                self._seen[start : start + width] = True
                full = self._bands.pop(first, None) if self._seen[first:last].all() else None
            if full is not None:
                self._write_band(first, full)
            start += width

    def _write_band(self, first, band):
        """Put complete columns into their place, row by row: whole pages, so that nothing is read back."""
        descriptor = self._file.fileno()
        for name, array in band.arrays.items():
            size = array.dtype.itemsize
            pitch, place = self.shape[2] * size, self._places[name] + first * size
            lines = array.reshape(-1, array.shape[-1]).view(np.uint8)
            for number, line in enumerate(lines):
                os.pwrite(descriptor, line, place + number * pitch)

    def _missing(self):
        lost = np.count_nonzero(~self._seen)
        return f"{lost} columns of the ramp" if lost else ""

    def finish(
        self, meta: Mapping[str, Any] | None = None, extra: Mapping[str, Any] | None = None, **settings: Any
    ) -> Stage:
        """Write the rest, with the metadata of the beginning unless others are given (`LaidOut.finish`)."""
        return super().finish(self.meta if meta is None else meta, extra, **settings)
