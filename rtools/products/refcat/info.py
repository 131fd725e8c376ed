"""What a reference catalog has."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products.refcat import cones
from rtools.products.refcat import files as refcat_files
from rtools.products.tables.parquet_files import parquet_source

__all__ = ["ColumnDescription", "RefCatDescription", "describe"]

MANY = 5_000_000
"""Rows from which on a tree is only counted, not read."""

MEDIANS = ("ra_error", "dec_error", "parallax_error", "pmra_error", "pmdec_error")


class ColumnDescription(NamedTuple):
    """A column of a reference catalog.

    Attributes
    ----------
    name : str
        As the file has it.
    unit : str or None
        None where it has none.
    """

    name: str
    unit: str | None


class RefCatDescription(NamedTuple):
    """What a reference catalog has.

    Attributes
    ----------
    form : str
        ``table`` or ``HATS tree``.
    rows : int
        Stars.
    files : int or None
        Partitions of a tree; None for a table.
    orders : tuple of int
        Healpix orders of the partitions of a tree.
    columns : tuple of ColumnDescription or None
        Those that are used; None, as all that follows, where there are too many rows to read.
    other_columns : tuple of str
        Names of those that are not used.
    cone : tuple of float or None
        Right ascension, declination and radius of a cone around all rows, degrees; None if they are all over the sky.
    ref_epoch, magnitude : tuple of float or None
        Least and largest, in years and in G; None where no row has it.
    with_proper_motion : int or None
        Rows that have one; None without the column.
    median_errors : dict of str to float or None
        Column of errors to its median; None where no row has it.
    """

    form: str
    rows: int
    files: int | None = None
    orders: tuple[int, ...] = ()
    columns: tuple[ColumnDescription, ...] | None = None
    other_columns: tuple[str, ...] = ()
    cone: tuple[float, ...] | None = None
    ref_epoch: tuple[float, float] | None = None
    magnitude: tuple[float, float] | None = None
    with_proper_motion: int | None = None
    median_errors: dict[str, float | None] = {}  # noqa: RUF012  never changed

    def record(self) -> dict[str, Any]:
        """The same for JSON, without what the catalog has no columns for."""
        found: dict[str, Any] = {"form": self.form, "rows": self.rows}
        if self.files is not None:
            found |= {"files": self.files, "orders": self.orders}
        if self.columns is None:
            return found
        found |= {
            "columns": [column._asdict() for column in self.columns],
            "other_columns": self.other_columns,
            "cone": self.cone,
        }
        names = {column.name for column in self.columns}
        found |= {"ref_epoch": self.ref_epoch} if "ref_epoch" in names else {}
        found |= {"magnitude": self.magnitude} if "phot_g_mean_mag" in names else {}
        found |= {} if self.with_proper_motion is None else {"with_proper_motion": self.with_proper_motion}
        return found | {"median_errors": self.median_errors}


def describe(path: str | Path, asked: Mapping[str, str] | None = None) -> RefCatDescription:
    """Form, rows, columns, and unless there are too many, place on the sky, epoch, magnitudes and errors.

    Parameters
    ----------
    path : str or Path
        A table, or the directory of a HATS tree.
    asked : mapping of str to str, optional
        Which columns mean what, as `rtools.products.tables.column_names.parse_columns` gives it.

    Returns
    -------
    RefCatDescription
        Of a tree with more than `MANY` rows only what the footers of its files say.

    Raises
    ------
    InputError
        It is not a reference catalog.
    """
    found = _tree(path) if refcat_files.is_tree(path) else RefCatDescription("table", 0)
    if found.rows > MANY:
        return found
    table = refcat_files.read(path, everything=True, asked=asked)
    ours = [name for name in refcat_files.COLUMNS if name in table.colnames]
    return found._replace(
        rows=len(table),
        columns=tuple(ColumnDescription(name, str(table[name].unit or "") or None) for name in ours),
        other_columns=tuple(name for name in table.colnames if name not in ours),
        cone=_cone(table),
        ref_epoch=_range(table["ref_epoch"]) if "ref_epoch" in ours else None,
        magnitude=_range(table["phot_g_mean_mag"]) if "phot_g_mean_mag" in ours else None,
        with_proper_motion=int(np.count_nonzero(np.isfinite(table["pmra"]))) if "pmra" in ours else None,
        median_errors={name: _median(table[name]) for name in MEDIANS if name in ours},
    )


def _tree(path):
    """What the footers of a tree's files say."""
    from pyarrow import ArrowException, parquet

    rows, listed = 0, refcat_files.partitions(path)
    for cell in listed:
        file = refcat_files.partition_file(Path(path), cell)
        try:
            rows += parquet.read_metadata(parquet_source(file)).num_rows
        except FileNotFoundError:
            raise InputError(f"is in {refcat_files.PARTITIONS}, but there is no such file", path=file) from None
        except (OSError, ArrowException) as error:
            raise InputError(f"not a parquet file ({' '.join(str(error).split())[:160]})", path=file) from None
    orders = tuple(sorted({order for order, _pixel in listed}))
    return RefCatDescription("HATS tree", rows, len(listed), orders)


def _cone(table):
    """Right ascension, declination, radius of a cone around all rows, degrees; None if they are all over the sky."""
    if len(table) == 0:
        return None
    try:
        return tuple(cones.around(np.stack([table["ra"], table["dec"]], axis=1), 0.0))
    except InputError:
        return None


def _range(column):
    known = np.asarray(column)[np.isfinite(column)]
    return (float(known.min()), float(known.max())) if known.size else None


def _median(column):
    known = np.asarray(column)[np.isfinite(column)]
    return float(np.median(known)) if known.size else None
