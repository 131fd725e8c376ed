"""What a reference is to those that read it, wherever it comes from.

`rtools.reference.files.FileSource` reads a file, `rtools.reference.builtin.Builtin` computes the nominal instrument,
`rtools.reference.part.Part` cuts either to a section. Who reads a reference knows no more of it than stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    from rtools.products.io.reading import Reading
    from rtools.work import Work

__all__ = ["ReferenceSource", "References"]


class ReferenceSource(Protocol):
    """One reference of an exposure: arrays that are read in parts, nodes of its tree, and words that name it."""

    @property
    def type(self) -> str:
        """The reference type, a key of `rtools.reference.types.TYPES`."""

    @property
    def origin(self) -> str:
        """Where it comes from: ``file``, ``crds`` or ``builtin``."""

    @property
    def label(self) -> str:
        """What `meta.ref_file` says of it."""

    @property
    def checksum(self) -> str:
        """32 hexadecimal digits that identify the contents."""

    def describe(self) -> str:
        """One line for a table."""

    def has(self, array: str) -> bool:
        """Whether it has an array of this name."""

    def shape(self, array: str) -> tuple[int, ...]:
        """Shape of an array."""

    def dtype(self, array: str) -> np.dtype:
        """numpy dtype of an array."""

    def columns(self, array: str, start: int, stop: int, work: Work = ...) -> np.ndarray:
        """``array[..., start:stop]``, own and contiguous."""

    def rows(self, array: str, start: int, stop: int, work: Work = ...) -> np.ndarray:
        """``array[start:stop]`` along the leading axis."""

    def spans(self, array: str, spans: Sequence[tuple[int, int]]) -> Reading:
        """A `rtools.products.io.reading.Reading` of the columns [start, stop) of each span."""

    def row_spans(self, array: str, spans: Sequence[tuple[int, int]]) -> Reading:
        """Likewise along the leading axis."""

    def array(self, array: str, work: Work = ...) -> np.ndarray:
        """The whole array."""

    def part(self, array: str, index: tuple[int, ...]) -> np.ndarray:
        """``array[index]`` for a tuple of leading indices."""

    def checks(self, arrays: Iterable[str]) -> list[Callable[[], None]]:
        """Jobs that compare arrays with the checksums that the file keeps of them; none where nothing is kept."""

    def node(self, path: str) -> Any:
        """Part of the tree by its dotted path, converted."""


References = Mapping[str, ReferenceSource | None]
"""References of an exposure by type; None where the user refused one, or where one may be absent and is."""
