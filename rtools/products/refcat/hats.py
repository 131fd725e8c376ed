"""Writing a reference catalog as a HATS tree: parquet files by nested healpix cells; `refcat_files` reads it.

A cell with more rows than a file shall have is divided into its four children. Rows are sorted by `_healpix_29`, and
row groups are small, so that a reader gets a cone without reading whole files.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools import __version__
from rtools.errors import RtoolsError
from rtools.products.io import temporary
from rtools.products.refcat.files import DEEPEST, PARTITIONS
from rtools.products.schema import history
from rtools.products.tables.parquet import to_arrow
from rtools.products.tables.parquet_files import parquet_source

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable
    from numpy.typing import ArrayLike

__all__ = ["ROWS", "cells", "partition", "refuse", "write_tree"]

ROWS = 1_000_000
"""Most rows of a file."""

ROW_GROUP = 20_000

DEEPEST_PARTITION = 12
"""Cells are not divided any further (0.9 arcmin), however many rows they have."""

CELL = "_healpix_29"


def cells(ra: ArrayLike, dec: ArrayLike, order: int = DEEPEST) -> np.ndarray:
    """Nested healpix cells at positions on the sky.

    Parameters
    ----------
    ra, dec : array_like
        Degrees.
    order : int
        Healpix order; a cell is a part in 12 · 4^order of the sky.

    Returns
    -------
    ndarray int64
        Nested numbers.
    """
    from astropy import units
    from astropy_healpix import HEALPix

    healpix = HEALPix(nside=2**order, order="nested")
    return np.asarray(healpix.lonlat_to_healpix(np.asarray(ra) * units.deg, np.asarray(dec) * units.deg), np.int64)


def partition(sorted_cells: np.ndarray, rows: int) -> list[tuple[int, int, slice]]:
    """Files of a tree.

    Parameters
    ----------
    sorted_cells : ndarray int64
        `cells` of all rows, ascending.
    rows : int
        Most rows of a file.

    Returns
    -------
    list of (int, int, slice)
        Order, cell and rows of each file that is not empty, by place on the sky.
    """
    files, todo = [], [(0, pixel) for pixel in reversed(range(12))]
    while todo:
        order, pixel = todo.pop()
        shift = 2 * (DEEPEST - order)
        first, stop = np.searchsorted(sorted_cells, [pixel << shift, (pixel + 1) << shift])
        if stop - first <= rows or order == DEEPEST_PARTITION:
            files += [(order, pixel, slice(int(first), int(stop)))] if stop > first else []
        else:
            todo += [(order + 1, 4 * pixel + child) for child in (3, 2, 1, 0)]
    return files


def refuse(path: str | Path, *, overwrite: bool) -> None:
    """Refuse to write a tree where something is that may not be replaced: with `overwrite` only another tree may.

    Parameters
    ----------
    path : str or Path
        Directory that would be written.
    overwrite : bool
        A tree that is there may be replaced.

    Raises
    ------
    RtoolsError
        Something is there that may not be replaced.
    """
    path = Path(path)
    if not path.exists():
        return
    if path.is_dir() and not (path / PARTITIONS).exists() and any(path.iterdir()):
        raise RtoolsError(f"a directory that is not a reference catalog (it has no {PARTITIONS})", path=path)
    if not overwrite:
        raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)


def write_tree(
    path: str | Path,
    table: AstropyTable,
    *,
    rows: int = ROWS,
    overwrite: bool = False,
    entry: Mapping[str, Any] | None = None,
) -> Path:
    """Write a reference catalog as a HATS tree: complete, or not at all.

    Parameters
    ----------
    path : str or Path
        The directory, new unless `overwrite`.
    table : astropy.table.Table
        With columns `ra` and `dec`, degrees.
    rows : int
        Most rows of a file.
    overwrite : bool
        Replace a tree that is there.
    entry : mapping, optional
        Of `rtools.products.schema.history`: what was done.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    RtoolsError
        It exists already, or cannot be written.
    """
    path = Path(path)
    refuse(path, overwrite=overwrite)
    unfinished = temporary.name_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.mkdir()
        _write(unfinished, path.name, table, rows, entry)
        _put(unfinished, path)
    except OSError as error:
        raise RtoolsError(f"cannot be written ({(error.strerror or str(error)).lower()})", path=path) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return path


def _write(root, name, table, rows, entry):
    from pyarrow import parquet

    place = cells(table["ra"], table["dec"])
    order = np.argsort(place, kind="stable")
    arrow = _to_arrow(table[order], place[order])
    files = partition(place[order], rows)
    listed = []
    for level, pixel, part in files:
        inside = f"Norder={level}/Dir={pixel // 10000 * 10000}/Npix={pixel}.parquet"
        target = root / "dataset" / inside
        target.parent.mkdir(parents=True, exist_ok=True)
        footers: list[Any] = []
        chunk = arrow.slice(part.start, part.stop - part.start)
        parquet.write_table(chunk, parquet_source(target, "wb"), row_group_size=ROW_GROUP, metadata_collector=footers)
        footers[0].set_file_path(inside)
        listed += footers
    (root / "dataset").mkdir(exist_ok=True)
    for called, listing in (("_common_metadata", None), ("_metadata", listed)):
        with open(root / "dataset" / called, "w+b") as file:
            parquet.write_metadata(arrow.schema, file, metadata_collector=listing)
    lines = [f"{level},{pixel}" for level, pixel, _part in files]
    (root / PARTITIONS).write_text("\n".join(["Norder,Npix", *lines]) + "\n")
    (root / "hats.properties").write_text(_properties(name, len(table), rows, files, entry))
    for file in root.rglob("*"):
        if file.is_file():
            with open(file, "rb") as written:
                os.fsync(written.fileno())


def _to_arrow(table, place):
    import pyarrow

    arrays, fields = [pyarrow.array(place)], [pyarrow.field(CELL, pyarrow.int64())]
    for name in table.colnames:
        column = table[name]
        if name == CELL:
            continue
        array = to_arrow(column)
        arrays.append(array)
        fields.append(pyarrow.field(name, array.type, metadata={"unit": str(column.unit or "None")}))
    return pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields))


def _properties(name, count, rows, files, entry):
    """What a HATS tree says of itself, and how it was made."""
    properties = {
        "obs_collection": name,
        "dataproduct_type": "object",
        "hats_nrows": count,
        "hats_col_ra": "ra",
        "hats_col_dec": "dec",
        "hats_max_rows": rows,
        "hats_order": max((level for level, _pixel, _part in files), default=0),
        "hats_npix_suffix": ".parquet",
        "hats_builder": f"rtools {__version__}",
        "hats_creation_date": f"{history.stamp()}Z",
    }
    if entry:
        properties |= {"rtools_tool": entry["tool"], "rtools_inputs": " ".join(entry["inputs"])}
        properties |= {f"rtools_{key}": value for key, value in entry["parameters"].items() if value is not None}
    return "".join(f"{key}={value}\n" for key, value in properties.items())


def _put(unfinished, path):
    """Give the tree its name; what had it goes away after."""
    if not path.exists():
        unfinished.rename(path)
        return
    old = temporary.name_beside(path, ".old")
    path.rename(old)
    try:
        unfinished.rename(path)
    except OSError:
        old.rename(path)
        raise
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)
