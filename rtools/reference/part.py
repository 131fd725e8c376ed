"""A reference of which an image needs a part: the image was cut out of the frame."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rtools.work import ALONE, Work

if TYPE_CHECKING:
    import numpy as np

    from rtools.products.io.reading import Reading
    from rtools.reference.source import ReferenceSource

__all__ = ["Part"]


class Part:
    """A reference source whose planes are cut to a section; all else is that of the whole.

    Parameters
    ----------
    source : ReferenceSource
        Of the whole reference.
    origin : (int, int)
        Column and row of the whole at which the section begins.
    sizes : mapping of str to (int, int)
        Array name to the rows and columns that are left of it.
    """

    def __init__(self, source: ReferenceSource, origin: tuple[int, int], sizes: Mapping[str, tuple[int, int]]) -> None:
        self._source, self._origin, self._sizes = source, origin, sizes
        self._lock = threading.Lock()
        self._parts: dict[str, np.ndarray] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def shape(self, array: str) -> tuple[int, ...]:
        """Shape of an array."""
        return (*self._source.shape(array)[:-2], *self._sizes[array])

    def columns(self, array: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """``array[..., start:stop]`` of the section."""
        return self.array(array, work)[..., start:stop]

    def spans(self, array: str, spans: Sequence[tuple[int, int]]) -> Reading:
        """A `rtools.products.io.reading.Reading` of the columns [start, stop) of each span of the section."""
        from rtools.products.io.reading import one_by_one

        leading = self.shape(array)[:-1]
        shapes = [(*leading, stop - start) for start, stop in spans]
        return one_by_one(partial(self.columns, array), spans, shapes, self._source.dtype(array))

    def array(self, array: str, work: Work = ALONE) -> np.ndarray:
        """The whole section, which is kept."""
        with self._lock:
            if array not in self._parts:
                (x, y), (rows, columns) = self._origin, self._sizes[array]
                band = self._source.columns(array, x, x + columns, work=work)
                self._parts[array] = band[..., y : y + rows, :].copy()
            return self._parts[array]
