"""What a reference catalog has, as plain values."""

from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.products.refcat import cones
from rtools.products.refcat import files as refcat_files
from rtools.products.tables.parquet_files import parquet_source

__all__ = ["describe"]

MANY = 5_000_000
"""Rows from which on a tree is only counted, not read."""

MEDIANS = ("ra_error", "dec_error", "parallax_error", "pmra_error", "pmdec_error")


def describe(path):
    """Form, rows, columns, and unless there are too many, place on the sky, epoch, magnitudes and errors.

    Returns
    -------
    dict
        For JSON.

    Raises
    ------
    InputError
        No reference catalog.
    """
    found: dict[str, Any] = _tree(path) if refcat_files.is_tree(path) else {"form": "table"}
    if found.get("rows", 0) > MANY:
        return found
    table = refcat_files.read(path, everything=True)
    ours = [name for name in refcat_files.COLUMNS if name in table.colnames]
    found |= {
        "rows": len(table),
        "columns": [{"name": name, "unit": str(table[name].unit or "") or None} for name in ours],
        "other_columns": [name for name in table.colnames if name not in ours],
    }
    return found | _statistics(table, ours)


def _statistics(table, ours):
    found = {"cone": _cone(table)}
    if "ref_epoch" in ours:
        found["ref_epoch"] = _range(table["ref_epoch"])
    if "phot_g_mean_mag" in ours:
        found["magnitude"] = _range(table["phot_g_mean_mag"])
    if "pmra" in ours:
        found["with_proper_motion"] = int(np.count_nonzero(np.isfinite(table["pmra"])))
    found["median_errors"] = {name: _median(table[name]) for name in MEDIANS if name in ours}
    return found


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
    orders = sorted({order for order, _pixel in listed})
    return {"form": "HATS tree", "rows": rows, "files": len(listed), "orders": orders}


def _cone(table):
    """Right ascension, declination, radius of a cone around all rows, degrees; None if they are all over the sky."""
    if len(table) == 0:
        return None
    try:
        return list(cones.around(np.stack([table["ra"], table["dec"]], axis=1), 0.0))
    except InputError:
        return None


def _range(column):
    known = np.asarray(column)[np.isfinite(column)]
    return [float(known.min()), float(known.max())] if known.size else None


def _median(column):
    known = np.asarray(column)[np.isfinite(column)]
    return float(np.median(known)) if known.size else None
