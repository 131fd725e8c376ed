"""A reference file as a source of references."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.errors import InputError, with_article
from rtools.reference.index import candidate_of
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    import numpy as np

    from rtools.products.io.reading import Reading

__all__ = ["FileSource"]


class FileSource:
    """One reference file, opened.

    Parameters
    ----------
    reftype : str
        The type it must be of.
    path : str or Path
        The reference file.
    origin : str
        ``file`` or ``crds``.

    Raises
    ------
    InputError
        It cannot be read, or is of another type.
    """

    def __init__(self, reftype: str, path: Path | str, *, origin: str = "file") -> None:
        from rtools.products.io import open_product

        self.type = reftype
        self.origin = origin
        self.path = Path(path).resolve()
        self.product = open_product(path)
        self.candidate = candidate_of(path)
        if self.candidate.type != reftype:
            found = f"{self.candidate.type} reference" if self.candidate.type else "no reference of the exposure chain"
            what = found if found.startswith("no ") else with_article(found)
            raise InputError(f"{what}, not {reftype}", path=path)

    @property
    def label(self) -> str:
        """For `meta.ref_file`: the absolute path, or ``crds://NAME``."""
        return f"crds://{self.path.name}" if self.origin == "crds" else str(self.path)

    @cached_property
    def checksum(self) -> str:
        """MD5 of the file's YAML tree followed by the MD5 that the file itself keeps of each of its blocks.

        It identifies the contents without reading gigabytes; `md5sum` of the file gives another number.
        """
        from rtools.products.io import header

        digest = md5(usedforsecurity=False)
        with open(self.path, "rb") as file:
            tree, end = file.read(65536), b"\n...\n"
            while end not in tree and (more := file.read(1 << 20)):
                tree += more
        digest.update(tree[: tree.find(end) + len(end)] if end in tree else tree)
        for block in header.read_header(self.path)[2]:
            digest.update(block.checksum)
        return digest.hexdigest()

    def describe(self) -> str:
        """One line for a table."""
        useafter = self.candidate.useafter[:10]
        return f"{self.label} (useafter {useafter})" if useafter else self.label

    def listed(self) -> dict[str, dict[str, str]]:
        """What it holds, for a list: ``arrays`` by name, with their types and shapes."""
        return {"arrays": {name: f"{info.dtype} {tuple(info.shape)}" for name, info in self.product.arrays.items()}}

    def has(self, array: str) -> bool:
        """Whether it has an array of this name."""
        return self.product.has(array)

    def shape(self, array: str) -> tuple[int, ...]:
        """Shape of an array."""
        return tuple(self._info(array).shape)

    def dtype(self, array: str) -> np.dtype:
        """numpy dtype of an array."""
        import numpy as np

        return np.dtype(self._info(array).dtype)

    def columns(self, array: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """``array[..., start:stop]``, own and contiguous."""
        self._info(array)
        return self.product.columns(array, start, stop, work=work)

    def rows(self, array: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """``array[start:stop]`` along the leading axis."""
        self._info(array)
        return self.product.rows(array, start, stop, work=work)

    def spans(self, array: str, spans: Sequence[tuple[int, int]]) -> Reading:
        """A `rtools.products.io.reading.Reading` of the columns [start, stop) of each span."""
        self._info(array)
        return self.product.spans(array, spans)

    def row_spans(self, array: str, spans: Sequence[tuple[int, int]]) -> Reading:
        """Likewise along the leading axis."""
        self._info(array)
        return self.product.row_spans(array, spans)

    def array(self, array: str, work: Work = ALONE) -> np.ndarray:
        """The whole array."""
        self._info(array)
        return self.product.array(array, work=work)

    def part(self, array: str, index: tuple[int, ...]) -> np.ndarray:
        """``array[index]`` for a tuple of leading indices."""
        return self.array(array)[index]

    def checks(self, arrays: Iterable[str]) -> list[Callable[[], None]]:
        """Jobs that compare arrays with their checksums, as `rtools.products.io.product.Product.checks`."""
        return self.product.checks(arrays)

    def node(self, path: str) -> Any:
        """Part of the tree by its dotted path, converted."""
        try:
            return self.product.node(path)
        except KeyError:
            raise InputError(f"this {self.type} reference has no {path}", path=self.path) from None

    def _info(self, array):
        try:
            return self.product.arrays[array]
        except KeyError:
            raise InputError(f"this {self.type} reference has no array {array}", path=self.path) from None
