"""Catalogs and segmentation maps: what a catalog must hold, and whether the labels of the two are the same."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, RtoolsError
from rtools.findings import Finding, error, info, warning
from rtools.products import names
from rtools.products.check.columns import check_columns
from rtools.products.forms import form_of
from rtools.products.io import open_product
from rtools.products.tables.metadata import read_table
from rtools.products.tables.parquet import from_arrow
from rtools.products.tables.parquet_files import parquet_source
from rtools.wfi.labels import labels_of

if TYPE_CHECKING:
    from rtools.products.io.product import Product

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

CATALOGS = (
    "cat_exposure",
    "cat_mosaic",
    "cat_multiband",
    "cat_forced_exposure",
    "cat_forced_mosaic",
    "cat_time_domain",
)
"""Catalogs in ASDF files."""

POSITION = re.compile(r"(forced_)?(ra|dec)(?!.*_err)(_\w+)?")
"""Columns of places on the sky."""

SEGMENTATION = ("segm_exposure", "segm_mosaic", "segm_multiband")


class Catalog:
    """One catalog that was read: where it is, its metadata, columns, labels and history.

    Attributes
    ----------
    path : str or Path
        The file that was read.
    meta : dict
        Below ``roman.meta``, typed.
    columns : dict of str to str
        Name to numpy dtype.
    labels : ndarray or None
        Label of each row, 0 where a row has none; None without such a column.
    positions : dict of str to ndarray
        Columns of right ascensions and declinations, degrees.
    history : list of dict
        What was done to it, oldest first.
    """

    kind = "catalog"
    profile = None

    def __init__(
        self,
        path: str | Path,
        meta: Mapping[str, Any],
        columns: Mapping[str, str],
        values: Mapping[str, np.ndarray],
        history: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self.path, self.meta, self.columns, self.history = path, meta, columns, list(history)
        self.labels = np.ma.filled(values["label"], 0) if "label" in values else None  # 0 is not a label
        self.positions = {name: _floats(column) for name, column in values.items() if name != "label"}


def is_catalog(path: str | Path) -> bool:
    """Whether a file begins as parquet or ECSV does.

    Parameters
    ----------
    path : str or Path
        The file; its first eight bytes are read.

    Raises
    ------
    InputError
        It cannot be opened.
    """
    try:
        with open(path, "rb") as file:
            return file.read(8).startswith(MAGIC)
    except OSError as problem:
        reason = "no such file" if isinstance(problem, FileNotFoundError) else (problem.strerror or "").lower()
        raise InputError(reason, path=path) from None


def read_catalog(path: str | Path) -> Catalog:
    """Read the labels, columns and metadata of a parquet or ECSV catalog.

    Parameters
    ----------
    path : str or Path
        A parquet or ECSV file.

    Returns
    -------
    Catalog
        With the labels and the positions, not the other columns.

    Raises
    ------
    InputError
        It cannot be read.
    """
    form = form_of(path)
    table = read_table(path, form)
    columns = {column.name: column.dtype for column in table.columns}
    try:
        values = _values(path, form, _checked(columns))
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InputError(f"not a readable catalog ({' '.join(str(problem).split())})", path=path) from None
    return Catalog(path, table.tree.get("meta") or {}, columns, values, table.history)


def _checked(columns):
    """Names of columns whose values are looked at."""
    return [name for name in columns if name == "label" or POSITION.fullmatch(name)]


def _values(path, form, names):
    """Some columns of a parquet or ECSV file, by name."""
    if form == "parquet":
        from pyarrow import parquet

        with parquet.ParquetFile(parquet_source(path)) as file:
            read = file.read(columns=names)
            return {name: from_arrow(read[name]) for name in names}
    from astropy.table import Table

    read = Table.read(path, format="ascii.ecsv")
    return {name: np.ma.asarray(read[name]) for name in names}


def _floats(column):
    """A column as float64, NaN where it has nothing; all NaN where it has no numbers."""
    try:
        return np.ma.filled(np.ma.asarray(column, float), np.nan)
    except (TypeError, ValueError):
        return np.full(len(column), np.nan)


def catalog_of(product: Product) -> Catalog:
    """The catalog that an ASDF file of one holds.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened; its ``source_catalog`` is converted by asdf.

    Returns
    -------
    Catalog
        With the metadata of the file, and no history.

    Raises
    ------
    InputError
        It holds no table that can be read.
    """
    try:
        table = product.node("source_catalog")
        columns = {name: table[name].dtype.name for name in table.colnames}
        values = {name: np.ma.asarray(table[name]) for name in _checked(columns)}
    except Exception as problem:  # what converters of other packages raise is not known
        reason = " ".join(str(problem).split())
        raise InputError(f"source_catalog is not a table that can be read ({reason})", path=product.path) from None
    return Catalog(product.path, product.meta, columns, values)


def check_catalog(catalog: Catalog) -> Iterator[Finding]:
    """Columns that a source catalog has, and their types; places on the sky; labels, positive and all different.

    Parameters
    ----------
    catalog : Catalog
        As `read_catalog` or `catalog_of` gives it.

    Returns
    -------
    iterator of Finding
        An error for each column that is missing or of a wrong type, for positions that cannot be, and for labels.
    """
    yield from check_columns(str(catalog.meta.get("model_type") or ""), catalog.columns)
    for name, degrees in catalog.positions.items():
        most = 360 if "ra" in name.split("_") else 90
        wrong = degrees[np.abs(degrees) > most]
        if wrong.size:
            yield error("values", name, f"{wrong.size} that are not on the sky ({wrong[0]:g} degrees)")
    if catalog.labels is None:
        return
    unique, counts = np.unique(catalog.labels, return_counts=True)
    if unique.size and unique[0] <= 0:
        yield error("catalog", "label", f"{int(counts[unique <= 0].sum())} labels are not positive")
    if (counts > 1).any():
        yield error("catalog", "label", f"{_listed(unique[counts > 1])} more than once")


def partner_of(path: str | Path, kind: str) -> Path | None:
    """The catalog of a segmentation map, or the other way round: the sibling by root name, or None.

    Parameters
    ----------
    path : str or Path
        The catalog or the segmentation map.
    kind : str
        Kind of that file.

    Returns
    -------
    Path or None
        The first file that exists, parquet before ECSV before ASDF.
    """
    stem, suffix = names.split_suffix(path)
    wanted = ("cat", ("parquet", "ecsv", "asdf")) if kind in SEGMENTATION else ("segm", ("asdf",))
    if suffix is None:
        return None
    candidates = (Path(path).parent / f"{stem}_{wanted[0]}.{extension}" for extension in wanted[1])
    return next((found for found in candidates if found.is_file()), None)


def check_labels(opened: Catalog | Product, partner: str | Path) -> list[Finding]:
    """Whether a catalog and a segmentation map have the same labels.

    Parameters
    ----------
    opened : Catalog or rtools.products.io.product.Product
        The catalog or the segmentation map, as it was opened.
    partner : str or Path
        File of the other one.

    Returns
    -------
    list of rtools.findings.Finding
        Labels that only one of the two has, or why they were not compared.

    Raises
    ------
    InputError
        The partner cannot be read, or is not the other one.
    """
    if isinstance(opened, Catalog):
        catalog, segmentation = opened, open_product(partner, kinds=SEGMENTATION)
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
    with open_product(path, kinds=CATALOGS) as product:
        return catalog_of(product)


def _listed(labels):
    few = " ".join(str(label) for label in labels[:5]) + (" …" if len(labels) > 5 else "")
    return f"{len(labels)} label{'s' * (len(labels) != 1)} ({few})"
