"""Mosaics on their way to a file: from memory, or some rows at a time where the planes do not fit into memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.products.io.encode import write_at
from rtools.products.io.laidout import ROOM, LaidOut
from rtools.products.io.writer import stage_product
from rtools.products.mosaic.members import image_logs
from rtools.products.schema import layout

if TYPE_CHECKING:
    from rtools.products.io.staging import Stage

__all__ = ["MosaicWriter", "stage_mosaic"]

ROOM_OF_MEMBER = 1 << 16
"""Bytes kept in the tree for each member's row of metadata and its logs."""


def stage_mosaic(
    path: str | Path,
    meta: Mapping[str, Any],
    planes: Mapping[str, np.ndarray],
    members: Sequence[Mapping[str, Any]],
    **settings: Any,
) -> Stage:
    """Write a mosaic that is in memory; what comes back waits for its name.

    Parameters
    ----------
    path : str or Path
        Where the product will appear.
    meta : mapping
        `rtools.products.mosaic.metadata.mosaic_meta`.
    planes : mapping of str to ndarray
        data, err, weight, context, var_poisson, var_rnoise, perhaps var_sky, var_flat.
    members : list of mapping
        ``meta`` of the members, for their logs.
    **settings
        Of `rtools.products.io.writer.stage_product`: profile, compression, history, work.

    Returns
    -------
    rtools.products.io.writer.Stage
    """
    return stage_product(path, "l3_coadd", meta, planes, extra=_logs(members), **settings)


def _logs(members):
    logs = image_logs(members)
    return {"individual_image_cal_logs": logs} if logs else {}


class MosaicWriter(LaidOut):
    """Writes one mosaic by rows.

    Parameters
    ----------
    path : str or Path
        Where the product will appear.
    shape : (int, int)
        Rows and columns.
    members : list of dict
        ``meta`` of the members; they say how many planes the context has.
    planes : iterable of str
        Arrays besides the context.
    profile : str
        Whose tags it gets.

    Raises
    ------
    RtoolsError
        The file cannot be made, or the disk has no room for it.
    """

    def __init__(
        self,
        path: str | Path,
        shape: Sequence[int],
        members: Sequence[Mapping[str, Any]],
        planes: Iterable[str],
        *,
        profile: str = layout.DEFAULT_PROFILE,
    ) -> None:
        self.shape = tuple(shape)
        self._members = members
        self._seen = np.zeros(self.shape[0], bool)
        self._lock = threading.Lock()
        dtypes = layout.dtypes("l3_coadd", profile)
        laid = {name: (np.dtype(dtypes[name]).newbyteorder("<"), self.shape) for name in planes}
        laid["context"] = (np.dtype("<u4"), (max(1, -(-len(members) // 32)), *self.shape))
        super().__init__(path, "l3_coadd", laid, profile=profile, room=ROOM + ROOM_OF_MEMBER * len(members))

    def put(self, first: int, planes: Mapping[str, np.ndarray]) -> None:
        """Write rows from `first` on; safe on several threads for different rows.

        Parameters
        ----------
        first : int
            First row of the band.
        planes : mapping of str to ndarray (rows, columns)
            Every array; the context has its planes in front.
        """
        for name, whole in self._arrays.items():
            part = np.ascontiguousarray(planes[name], whole.dtype)
            pitch = whole.shape[-1] * whole.dtype.itemsize
            for number, rows in enumerate(part.reshape(-1, *part.shape[-2:])):
                place = (number * self.shape[0] + first) * pitch
                write_at(self._file.fileno(), rows.reshape(-1).view(np.uint8), self._places[name] + place)
        with self._lock:
            self._seen[first : first + part.shape[-2]] = True

    def rows(self, name: str, first: int, last: int) -> np.ndarray:
        """Rows [first, last) of an array, as they were written."""
        whole = self._arrays[name]
        pitch = whole.shape[-1] * whole.dtype.itemsize
        data = os.pread(self._file.fileno(), (last - first) * pitch, self._places[name] + first * pitch)
        return np.frombuffer(data, whole.dtype).reshape(last - first, -1)

    def mapped(self, name: str) -> np.ndarray:
        """An array as it has been written, mapped; valid until `finish`, and after it."""
        whole = self._arrays[name]
        return np.memmap(self.stage.temporary, whole.dtype, "r", self._places[name], whole.shape)

    def _missing(self):
        lost = np.count_nonzero(~self._seen)
        return f"{lost} rows of the mosaic" if lost else ""

    def finish(self, meta: Mapping[str, Any], extra: Mapping[str, Any] | None = None, **settings: Any) -> Stage:
        """Write metadata, members' logs and further nodes (`LaidOut.finish`)."""
        return super().finish(meta, _logs(self._members) | (extra or {}), **settings)
