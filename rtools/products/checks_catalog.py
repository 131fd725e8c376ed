"""Catalogs and segmentation maps: what a catalog must hold, and whether the labels of the two are the same."""

import os
from pathlib import Path

import numpy as np

from rtools.errors import InputError, RtoolsError
from rtools.products import keys, names, reader
from rtools.products.catalog_parquet import from_arrow
from rtools.products.checks_columns import check_columns
from rtools.products.findings import error, info, warning
from rtools.products.labels import labels_of
from rtools.products.parquet_files import parquet_source
from rtools.products.tablemeta import read_table

__all__ = [
    "CATALOGS",
    "Catalog",
    "catalog_of",
    "check_catalog",
    "check_labels",
    "is_catalog",
    "partner_of",
    "read_catalog",
]

MAGIC = (b"PAR1", b"# %ECSV")

CATALOGS = ("cat_exposure", "cat_mosaic", "cat_multiband")
"""Catalogs in ASDF files."""

SEGMENTATION = ("segm_exposure", "segm_mosaic", "segm_multiband")


class Catalog:
    """One catalog that was read: where it is, its metadata, names and types of its columns, its labels.

    Attributes
    ----------
    path : str or os.PathLike
    meta : dict
        Below ``roman.meta``, typed.
    columns : dict of str to str
        Name to numpy dtype.
    labels : ndarray or None
    """

    kind = "catalog"
    profile = None

    def __init__(self, path, meta, columns, labels):
        self.path, self.meta, self.columns, self.labels = path, meta, columns, labels


def is_catalog(path):
    """Whether a file begins as parquet or ECSV does."""
    try:
        with open(path, "rb") as file:
            return file.read(8).startswith(MAGIC)
    except OSError as problem:
        reason = "no such file" if isinstance(problem, FileNotFoundError) else (problem.strerror or "").lower()
        raise InputError(reason, path=path) from None


def read_catalog(path):
    """Read the labels, columns and metadata of a parquet or ECSV catalog.

    Raises
    ------
    InputError
        It cannot be read.
    """
    form = keys.form_of(path)
    table = read_table(path, form)
    columns = {column.name: column.dtype for column in table.columns}
    try:
        labels = _column(path, form, "label") if "label" in columns else None
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InputError(f"not a readable catalog ({' '.join(str(problem).split())})", path=path) from None
    return Catalog(path, table.tree.get("meta") or {}, columns, labels)


def _column(path, form, name):
    """Values of one column of a parquet or ECSV file."""
    if form == "parquet":
        from pyarrow import parquet

        with parquet.ParquetFile(parquet_source(path)) as file:
            return np.ma.filled(from_arrow(file.read(columns=[name])[name]), 0)  # 0 is no label
    from astropy.table import Table

    return np.asarray(Table.read(path, format="ascii.ecsv")[name])


def catalog_of(product):
    """The catalog that an ASDF file of one holds.

    Raises
    ------
    InputError
        It holds no table that can be read.
    """
    try:
        table = product.node("source_catalog")
        columns = {name: table[name].dtype.name for name in table.colnames}
        labels = np.asarray(table["label"]) if "label" in columns else None
    except Exception as problem:  # what converters of other packages raise is not known
        reason = " ".join(str(problem).split())
        raise InputError(f"source_catalog is no table that can be read ({reason})", path=product.path) from None
    return Catalog(product.path, product.meta, columns, labels)


def check_catalog(catalog):
    """Columns that a source catalog of its kind has, and their types; labels that are positive and all different."""
    yield from check_columns(str(catalog.meta.get("model_type") or ""), catalog.columns)
    if catalog.labels is None:
        return
    unique, counts = np.unique(catalog.labels, return_counts=True)
    if unique.size and unique[0] <= 0:
        yield error("catalog", "label", f"{int(counts[unique <= 0].sum())} labels are not positive")
    if (counts > 1).any():
        yield error("catalog", "label", f"{_listed(unique[counts > 1])} more than once")


def partner_of(path, kind):
    """The catalog of a segmentation map, or the other way round: the sibling by root name, or None."""
    stem, suffix = names.split_suffix(path)
    wanted = ("cat", ("parquet", "ecsv", "asdf")) if kind in SEGMENTATION else ("segm", ("asdf",))
    if suffix is None:
        return None
    candidates = (Path(path).parent / f"{stem}_{wanted[0]}.{extension}" for extension in wanted[1])
    return next((found for found in candidates if found.is_file()), None)


def check_labels(opened, partner):
    """Whether a catalog and a segmentation map have the same labels.

    Parameters
    ----------
    opened : Catalog or rtools.products.reader.Product
    partner : str or os.PathLike
        File of the other one.

    Raises
    ------
    InputError
        The partner cannot be read, or is not the other one.
    """
    if isinstance(opened, Catalog):
        catalog, segmentation = opened, reader.open_product(partner, kinds=SEGMENTATION)
    else:
        catalog, segmentation = _open_catalog(partner), opened
    if catalog.labels is None:
        return [info("catalog", "label", f"not compared: {os.path.basename(catalog.path)} has no column label")]
    try:
        with segmentation:
            in_map = labels_of(segmentation.array("data"))
    except RtoolsError as problem:
        return [warning("catalog", "data", f"not compared: {problem.message}")]
    listed = np.unique(catalog.labels)
    name = os.path.basename(partner)
    where = "label" if isinstance(opened, Catalog) else "data"
    found = []
    for labels, message in (
        (np.setdiff1d(listed, in_map), "in the catalog, not in the segmentation map"),
        (np.setdiff1d(in_map, listed), "in the segmentation map, not in the catalog"),
    ):
        if labels.size:
            found.append(error("catalog", where, f"{_listed(labels)} {message} ({name})"))
    return found


def _open_catalog(path):
    if is_catalog(path):
        return read_catalog(path)
    with reader.open_product(path, kinds=CATALOGS) as product:
        return catalog_of(product)


def _listed(labels):
    few = " ".join(str(label) for label in labels[:5]) + (" …" if len(labels) > 5 else "")
    return f"{len(labels)} label{'s' * (len(labels) != 1)} ({few})"
