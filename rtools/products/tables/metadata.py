"""What catalogs say of themselves: metadata and columns of parquet, ECSV and FITS files, without reading their rows."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from rtools.errors import InputError
from rtools.products.schema.yamltext import FastLoader, load_bounded
from rtools.products.tables import flat as flatmeta
from rtools.products.tables.parquet_files import parquet_source

__all__ = ["TABLE_KEY", "ColumnInfo", "PlainLoader", "Table", "columns_of", "read_table"]

TABLE_KEY = "table_meta_yaml"
"""Key of astropy's description of a table in a parquet file."""

NOT_OURS = ("ARROW:schema", "pandas", TABLE_KEY)

ARROW = {"double": "float64", "float": "float32", "halffloat": "float16", "large_string": "string"}
"""Types that Arrow calls otherwise than numpy."""

FITS_TYPES = {"L": "bool", "B": "uint8", "I": "int16", "J": "int32", "K": "int64", "E": "float32", "D": "float64",
              "A": "string"}  # fmt: skip
"""Letter of TFORM to numpy's name."""


@dataclass(frozen=True)
class ColumnInfo:
    """One column: name, type as numpy names it, unit and description or None."""

    name: str
    dtype: str
    unit: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Table:
    """What a catalog says of itself.

    Attributes
    ----------
    tree : dict
        As below ``roman`` of an ASDF file.
    columns : tuple of ColumnInfo
        In the order of the file.
    rows : int
        Their number.
    compression : str
        As the form names it; empty for none.
    history : list of dict
        What was done to it, oldest first.
    """

    tree: dict[str, Any]
    columns: tuple[ColumnInfo, ...]
    rows: int
    compression: str = ""
    history: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kind(self) -> str | None:
        """Kind of product, by `meta.model_type`; None for a table that is not a product."""
        return flatmeta.kind_of(self.tree.get("meta"))


def read_table(path: str | Path, form: str) -> Table:
    """Metadata and columns of a catalog.

    Parameters
    ----------
    path : str or Path
        The file; its rows are not read.
    form : str
        ``parquet``, ``ecsv`` or ``fits``.

    Returns
    -------
    Table

    Raises
    ------
    InputError
        The file is damaged, or a FITS file without a table.
    """
    return {"parquet": _parquet, "ecsv": _ecsv, "fits": _fits}[form](path)


def _table(tree, columns, rows, compression=""):
    history = flatmeta.history_of(tree.pop(flatmeta.HISTORY, None))
    return Table(tree, columns, rows, compression, history)


def _parquet(path):
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(parquet_source(path)) as file:
            about, schema = file.metadata, file.schema_arrow
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise InputError(f"a damaged or truncated parquet file ({' '.join(str(error).split())})", path=path) from None
    texts = {_text(key): _text(value) for key, value in (schema.metadata or {}).items()}
    described = _described(texts.get(TABLE_KEY))
    columns = tuple(_parquet_column(field, described.get(field.name, {})) for field in schema)
    tree = flatmeta.to_tree({key: value for key, value in texts.items() if key not in NOT_OURS})
    compression = ""
    if about.num_row_groups and about.num_columns:
        compression = about.row_group(0).column(0).compression.lower().replace("uncompressed", "")
    return _table(tree, columns, about.num_rows, compression)


def _text(data):
    return data.decode("utf-8", "replace")


def _described(text):
    """Name of each column to astropy's description of it."""
    try:
        listed = load_bounded(text or "", PlainLoader)
        return {entry["name"]: entry for entry in listed["datatype"]}
    except (yaml.YAMLError, KeyError, TypeError):
        return {}


def _parquet_column(field, described):
    unit = _text((field.metadata or {}).get(b"unit", b""))
    unit = described.get("unit") if unit in ("", "None") else unit
    held = field.type.value_type if str(field.type).startswith("dictionary<") else field.type
    dtype = ARROW.get(str(held), str(held))
    return ColumnInfo(field.name, dtype, unit and str(unit), described.get("description"))


def _ecsv(path):
    lines, rows = [], -1  # the line of names is not a row
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.startswith("#") and rows < 0:
                    lines.append(line[1:].removeprefix(" "))
                elif line.strip():
                    rows += 1
        head = load_bounded("".join(line for line in lines if not line.startswith("%")), PlainLoader)
        columns = tuple(
            ColumnInfo(str(one["name"]), str(one["datatype"]), one.get("unit"), one.get("description"))
            for one in head["datatype"]
        )
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        problem = getattr(error, "problem", None) or f"{type(error).__name__}: {error}"
        raise InputError(f"a damaged ECSV header ({' '.join(str(problem).split())})", path=path) from None
    if rows < 0:
        raise InputError("truncated: the line of column names is missing", path=path)
    meta = head.get("meta") or {}
    meta = {} if not isinstance(meta, dict) else meta
    roman = meta.pop("roman", {})
    tree = flatmeta.to_tree({str(key): value for key, value in meta.items()})
    return _table(tree | (roman if isinstance(roman, dict) else {}), columns, rows)


def _fits(path):
    """The first table of a FITS file, its metadata in HIERARCH cards."""
    from rtools.products.fits.read import open_fits

    with open_fits(path) as hdus:
        found = next((hdu for hdu in hdus if hdu.header.get("XTENSION") in ("BINTABLE", "TABLE")), None)
        if found is None:
            raise InputError(
                "a FITS file with neither an extension ASDF nor a table", mend="rt-fits writes the former", path=path
            )
        head = found.header
        columns = columns_of(head)
        texts = {key.lower(): str(head[key]) for key in head if key.partition(".")[0].lower() in flatmeta.FLAT}
        texts = {key: value for key, value in texts.items() if "." in key}
        return _table(flatmeta.to_tree(texts), columns, head.get("NAXIS2", 0))


def columns_of(head: Mapping[str, Any]) -> tuple[ColumnInfo, ...]:
    """Columns of a table in a FITS file.

    Parameters
    ----------
    head : astropy.io.fits.Header
        Of the extension.

    Returns
    -------
    tuple of ColumnInfo
        In order.
    """
    return tuple(_fits_column(head, number) for number in range(1, head.get("TFIELDS", 0) + 1))


def _fits_column(head, number):
    form = str(head.get(f"TFORM{number}", ""))
    repeat = form[: len(form) - len(form.lstrip("0123456789"))]
    dtype = FITS_TYPES.get(form[len(repeat) :][:1], form)
    if dtype.startswith("int") and head.get(f"TZERO{number}", 0) > 0:
        dtype = f"u{dtype}"
    if repeat not in ("", "1") and dtype != "string":
        dtype += f"[{repeat}]"
    unit, comment = head.get(f"TUNIT{number}"), head.get(f"TCOMM{number}")
    return ColumnInfo(str(head.get(f"TTYPE{number}", number)), dtype, unit, comment)


class PlainLoader(FastLoader):
    """A safe loader that drops tags which it does not know and keeps times as they are written."""


def _untagged(loader, _suffix, node):
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


def _omap(loader, node):
    """A list of pairs, or of mappings with one key, as one mapping; it keeps their order."""
    return {key: value for pair in loader.construct_sequence(node, deep=True) for key, value in pair.items()}


def _array(loader, node):
    """Numbers of an array of numpy, which astropy writes as its bytes in base 64, as lists."""
    told = loader.construct_mapping(node, deep=True)
    try:
        dtype = np.dtype(told["dtype"])
        values = np.frombuffer(base64.b64decode(told["buffer"]), dtype if dtype.kind in "biufSU" else None)
        return values.reshape(told["shape"], order=told.get("order", "C")).tolist()
    except (KeyError, TypeError, ValueError):
        return str(told)


PlainLoader.add_constructor("!numpy.ndarray", _array)
PlainLoader.add_constructor("tag:yaml.org,2002:timestamp", lambda _loader, node: node.value)
PlainLoader.add_constructor("tag:yaml.org,2002:omap", _omap)
PlainLoader.add_multi_constructor(None, _untagged)
