"""The SKYCELLS reference file: written row by row as it is made, for all of it is 1.3 GB."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.products.io import open_product
from rtools.products.io.arrays import array_node
from rtools.products.io.encode import ArrayBytes, BlockSource
from rtools.products.io.staging import Stage, build_tree, serialise, write_file
from rtools.products.schema import layout, nodes
from rtools.products.schema.blocks import stamp_file
from rtools.wfi.instrument import NAME
from rtools.work import ALONE, Work

__all__ = ["read_meta", "read_tables", "write_tables"]

KIND = "reference/skycells"

DESCRIPTION = "Skycells of the whole sky, made from the closed form of the tessellation."


class RowBytes:
    """The bytes of a table that is made in parts, from the first to the last, none of it twice.

    Parameters
    ----------
    parts : iterable of ndarray
        Rows that follow one another; each is made when it is written.
    nbytes : int
        Of all parts.
    """

    compression: str | None = None

    def __init__(self, parts: Iterable[np.ndarray], nbytes: int) -> None:
        self.nbytes = nbytes
        self._parts = iter(parts)
        self._waiting = b""
        self._place = 0

    def __getitem__(self, span: slice) -> bytes:
        start, stop, _step = span.indices(self.nbytes)
        if start != self._place:
            raise ValueError("a table in the making is written from its beginning")
        pieces, missing = [self._waiting], stop - start - len(self._waiting)
        while missing > 0:
            pieces.append(next(self._parts).tobytes())
            missing -= len(pieces[-1])
        data = b"".join(pieces)
        self._waiting, self._place = data[stop - start :], stop
        return data[: stop - start]


def write_tables(
    path: str | Path,
    regions: np.ndarray,
    parts: Iterable[np.ndarray],
    *,
    count: int,
    compression: str = "none",
    work: Work = ALONE,
    history: Iterable[Mapping[str, Any]] = (),
    meta: Mapping[str, Any] | None = None,
) -> Path:
    """Write a SKYCELLS reference file.

    Parameters
    ----------
    path : str or Path
        Of the reference file.
    regions : ndarray, structured
        The table ``projection_regions``.
    parts : iterable of ndarray, structured
        The table ``skycells`` in parts, of which one is in memory at a time.
    count : int
        Rows of all parts.
    compression : str
        none can be mapped by its readers.
    work : rtools.work.Work
        Its threads compress and write.
    history : iterable of mapping
        Entries, oldest first.
    meta : mapping, optional
        nxy_skycell, skycell_border_pixels, pixel_scale [arcsec].

    Returns
    -------
    Path
        Of the file, which has its name.
    """
    parts = iter(parts)
    first = next(parts)
    row = np.broadcast_to(np.zeros((), first.dtype), (count,))
    blocks: list[BlockSource] = [ArrayBytes(regions), RowBytes(_chained(first, parts), row.nbytes)]
    about = {
        "reftype": "SKYCELLS",
        "pedigree": "GROUND",
        "description": DESCRIPTION,
        "author": "rtools",
        "useafter": nodes.time("2025-01-01T00:00:00.000"),
        "telescope": "ROMAN",
        "origin": "rtools",
        "instrument": {"name": NAME},
    }
    stage = Stage(path)
    about = stamp_file(KIND, {**about, **(meta or {})}, path)
    tables = {"projection_regions": array_node(regions, 0), "skycells": array_node(row, 1)}
    head, inner, sources = serialise(
        build_tree(KIND, about, tables, layout.DEFAULT_PROFILE), layout.DEFAULT_PROFILE, history, blocks
    )
    with stage.open() as file:
        write_file(file, head, inner, sources, compression=compression, work=work)
    return stage.commit()


def _chained(first, rest):
    yield first
    yield from rest


def read_tables(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """The tables of a SKYCELLS reference file: projection regions and skycells.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    (ndarray, ndarray)
        The two structured tables.

    Raises
    ------
    InputError
        It is another file, or lacks them.
    """
    product = open_product(path, ("reference",))
    if product.reftype != "skycells":
        raise InputError(f"a {product.reftype} reference, wanted skycells", path=path)
    for name, column in (("projection_regions", "skycell_start"), ("skycells", "name")):
        if not product.has(name) or column not in (product.arrays[name].dtype.names or ()):
            raise InputError(f"has no table {name}", path=path)
    return product.array("projection_regions"), product.array("skycells")


def read_meta(path: str | Path) -> dict[str, Any]:
    """The metadata of a SKYCELLS reference file.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    dict
        Below ``roman.meta``.

    Raises
    ------
    InputError
        It is not a reference file.
    """
    return open_product(path, ("reference",)).meta
