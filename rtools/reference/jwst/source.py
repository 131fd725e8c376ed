"""A reference of JWST as a source: a file, or one of the nominal set. Planes are those of the exposure's sub-array.

Arrays have their names in the data models: ``data``, ``err``, ``dq``, ``coeffs``. Flags are JWST's own bits, whatever
bits the file has: those that its DQ_DEF names. Tables and keywords are nodes: ``phot_table``,
``meta.photometry.pixelarea_steradians``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.products.io.reading import Reading

__all__ = ["ARRAYS", "EXTENSIONS", "TABLES", "JwstSource", "in_tree"]

ARRAYS = {"SCI": "data", "ERR": "err", "DQ": "dq", "COEFFS": "coeffs", "NRM": "nrm"}
"""EXTNAME of an image to the name of its array in the data models."""

TABLES = {
    "DQ_DEF": "dq_def",
    "PHOTOM": "phot_table",
    "APCORR": "apcorr_table",
    "THROUGHPUT": "filter_table",
    "RSCD_GROUP_SKIP": "rscd_group_skip_table",
    "TIMECOEFF_LINEAR": "timecoeff_linear",
    "TIMECOEFF_EXPONENTIAL": "timecoeff_exponential",
    "TIMECOEFF_POWERLAW": "timecoeff_powerlaw",
}
"""EXTNAME of a table to its name in the data models."""

EXTENSIONS = {name: extension for extension, name in {**ARRAYS, **TABLES}.items()}


class JwstSource:
    """What a file and a nominal reference do alike, as `rtools.reference.source.ReferenceSource`.

    Attributes
    ----------
    type : str
        Reference type.
    origin : str
        ``file``, ``crds`` or ``builtin``.
    """

    type: str
    origin: str

    def has(self, array: str) -> bool:
        """Whether it has an array of this name."""
        raise NotImplementedError

    def shape(self, array: str) -> tuple[int, ...]:
        """Shape of an array."""
        raise NotImplementedError

    def dtype(self, array: str) -> np.dtype:
        """numpy dtype of an array."""
        raise NotImplementedError

    def read(self, array: str, index: tuple[Any, ...]) -> np.ndarray:
        """A part of an array, in native byte order, flags as JWST has them."""
        raise NotImplementedError

    def columns(self, array: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """``array[..., start:stop]``, own and contiguous."""
        return self.read(array, (..., slice(start, stop)))

    def rows(self, array: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """``array[start:stop]`` along the leading axis."""
        return self.read(array, (slice(start, stop),))

    def section(self, array: str, rows: slice, columns: slice) -> np.ndarray:
        """``array[..., rows, columns]``; nothing else is read."""
        return self.read(array, (..., rows, columns))

    def spans(self, array: str, spans: Sequence[tuple[int, int]]) -> Reading:
        """A `rtools.products.io.reading.Reading` of the columns [start, stop) of each span."""
        from rtools.products.io.reading import one_by_one

        shapes = [(*self.shape(array)[:-1], stop - start) for start, stop in spans]
        return one_by_one(partial(self.columns, array), spans, shapes, self.dtype(array))

    def row_spans(self, array: str, spans: Sequence[tuple[int, int]]) -> Reading:
        """Likewise along the leading axis."""
        from rtools.products.io.reading import one_by_one

        shapes = [(stop - start, *self.shape(array)[1:]) for start, stop in spans]
        return one_by_one(partial(self.rows, array), spans, shapes, self.dtype(array))

    def array(self, array: str, work: Work = ALONE) -> np.ndarray:
        """The whole array."""
        return self.read(array, (...,))

    def part(self, array: str, index: tuple[int, ...]) -> np.ndarray:
        """``array[index]`` for a tuple of leading indices."""
        return self.read(array, tuple(index))

    def checks(self, arrays: Iterable[str]) -> list[Callable[[], None]]:
        """Nothing: FITS files of the mission keep no checksums of their arrays."""
        return []


def in_tree(tree: Any, path: str) -> Any:
    """Part of a tree.

    Parameters
    ----------
    tree : mapping
        Nested.
    path : str
        Dotted.

    Returns
    -------
    object

    Raises
    ------
    KeyError
        There is nothing there.
    """
    for key in path.split("."):
        tree = tree[key]
    return tree
