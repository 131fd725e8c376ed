"""What an opened product of any mission answers: what looking tools and cutouts may ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rtools.work import ALONE, Work

if TYPE_CHECKING:
    import numpy as np

    from rtools.products.io.arrays import ArrayInfo

__all__ = ["ProductFace"]


class ProductFace(Protocol):
    """An opened product: `rtools.products.io.Product` of Roman, `rtools.products.jwst.JwstProduct` of JWST.

    Attributes
    ----------
    path : str or Path
        The file.
    mission : str
        ``roman`` or ``jwst``.
    kind : str
        Which product it is, in the words of its mission: ``l2_image``, ``rate``.
    reftype : str or None
        What a Roman reference is a reference of: ``flat``; None for a product.
    meta : dict
        Metadata by the names of the mission's data model, nested.
    arrays : mapping of str to rtools.products.io.ArrayInfo
        Every array, by its name in the data model: ``data``, ``err``, ``dq``.
    history : list of dict
        What was done to the file, oldest first.
    """

    @property
    def path(self) -> str | Path: ...
    @property
    def mission(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def reftype(self) -> str | None: ...
    @property
    def meta(self) -> dict[str, Any]: ...
    @property
    def arrays(self) -> Mapping[str, ArrayInfo]: ...
    @property
    def history(self) -> list[dict[str, Any]]: ...

    def has(self, name: str) -> bool:
        """Whether there is an array of this name."""

    def array(self, name: str, work: Work = ALONE, *, part: bool = False) -> np.ndarray:
        """A whole array; `part` says that only a part of it is looked at, so that it may be mapped."""

    def rows(self, name: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """Items of the leading axis, ``array[start:stop]``."""

    def columns(self, name: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """Columns of an array, ``array[..., start:stop]``."""

    def section(self, name: str, rows: slice, columns: slice, work: Work = ALONE) -> np.ndarray:
        """A section of the last two axes, ``array[..., rows, columns]``."""

    def plane(self, name: str, number: int, rows: slice = slice(None)) -> np.ndarray:
        """Rows of one plane; planes of more than one leading axis are counted through, the last of these fastest."""

    def flag_bits(self, name: str) -> dict[str, int] | None:
        """Names of the bits of an array of flags; None for any other array."""

    def node(self, path: str) -> Any:
        """Part of the tree, converted; KeyError where there is nothing."""
