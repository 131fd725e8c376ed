"""Catalogs and segmentation maps: what a catalog must hold, and whether the labels of the two are the same."""

import os
import re
from pathlib import Path

import numpy as np

from rtools.errors import InputError, RtoolsError
from rtools.products import layout, names, reader
from rtools.products.findings import error, info, warning

__all__ = ["Catalog", "check_catalog", "check_labels", "is_catalog", "partner_of", "read_catalog"]

MAGIC = (b"PAR1", b"# %ECSV")

SEGMENTATION = ("segm_exposure", "segm_mosaic", "segm_multiband")

ARROW = {"double": "float64", "float": "float32", "halffloat": "float16"}
"""Types that Arrow calls otherwise than numpy."""

LARGEST_TABLE = 1 << 28
"""Labels up to here are counted in a table, which is faster than sorting pixels."""


class Catalog:
    """One catalog that was read: where it is, its metadata, names and types of its columns, its labels.

    Attributes
    ----------
    path : str or os.PathLike
    meta : dict of str to str
        By dotted path below ``meta``.
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
    with open(path, "rb") as file:
        parquet = file.read(4) == MAGIC[0]
    try:
        return _read_parquet(path) if parquet else _read_ecsv(path)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise InputError(f"not a readable catalog ({' '.join(str(problem).split())})", path=path) from None


def _read_parquet(path):
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        schema = file.schema_arrow
        labels = file.read(columns=["label"])["label"].to_numpy() if "label" in schema.names else None
    prefix = "roman.meta."
    pairs = {key.decode(): value.decode() for key, value in (schema.metadata or {}).items()}
    meta = {key.removeprefix(prefix): value for key, value in pairs.items() if key.startswith(prefix)}
    columns = {field.name: ARROW.get(str(field.type), str(field.type)) for field in schema}
    return Catalog(path, meta, columns, labels)


def _read_ecsv(path):
    from astropy.table import Table

    table = Table.read(path, format="ascii.ecsv")
    labels = np.asarray(table["label"]) if "label" in table.colnames else None
    return Catalog(path, {}, {name: str(table[name].dtype) for name in table.colnames}, labels)


def check_catalog(catalog):
    """Columns that every source catalog has, and their types; labels that are positive and all different."""
    required = layout.facts()["catalog"]["prompt_required"]
    several = "multiband" in str(catalog.meta.get("model_type", "")).lower()
    forced = any(name.startswith("forced_") for name in catalog.columns)
    for pattern in () if several or forced else required:
        if not any(re.search(pattern, name) for name in catalog.columns):
            yield error("schema", pattern.strip("^$").replace("[0-9]{2}", "NN"), "column missing")
    types = {name: dtype for name, dtype, *_more in layout.facts()["catalog"]["columns"]}
    for name, dtype in catalog.columns.items():
        if name in types and dtype != types[name] and types[name] not in ("bool", "bool8"):
            yield error("schema", name, f"{dtype}, not {types[name]}")
    if catalog.labels is None:
        if several or forced:
            yield error("schema", "label", "column missing")
        return
    unique, counts = np.unique(catalog.labels, return_counts=True)
    if unique.size and unique[0] <= 0:
        yield error("catalog", "label", f"{int(counts[unique <= 0].sum())} labels are not positive")
    if (counts > 1).any():
        yield error("catalog", "label", f"{_listed(unique[counts > 1])} more than once")


def partner_of(path, kind):
    """The catalog of a segmentation map, or the other way round: the sibling by root name, or None."""
    stem, suffix = names.split_suffix(path)
    wanted = ("segm", ("asdf",)) if kind == "catalog" else ("cat", ("parquet", "ecsv"))
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
        if not is_catalog(partner):
            raise InputError("not a catalog (parquet or ECSV)", path=partner)
        catalog, segmentation = read_catalog(partner), opened
    if catalog.labels is None:
        return [info("catalog", "label", f"not compared: {os.path.basename(catalog.path)} has no column label")]
    try:
        in_map = _labels(segmentation.array("data"))
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


def _labels(data):
    """The labels of a map but for 0, in order."""
    largest = int(data.max(initial=0))
    if largest >= LARGEST_TABLE:
        return np.setdiff1d(data, [0])
    seen = np.zeros(largest + 1, bool)
    seen[data] = True
    seen[0] = False
    return np.flatnonzero(seen)


def _listed(labels):
    few = " ".join(str(label) for label in labels[:5]) + (" …" if len(labels) > 5 else "")
    return f"{len(labels)} label{'s' * (len(labels) != 1)} ({few})"
