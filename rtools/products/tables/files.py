"""Catalogs in files: parquet, ECSV, CSV, FITS, VOTable and (read only) ASDF, with units, descriptions and metadata.

In memory a catalog is an `astropy.table.Table`. The archive's metadata are its `meta`, flat as in the archive's parquet
files: ``roman.meta.exposure.type``. What is not known is NaN in a column of floats, masked in others.
"""

from __future__ import annotations

import io
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, RtoolsError
from rtools.products.names.extensions import TABLES
from rtools.products.schema import history, keys
from rtools.products.schema.nodes import readable
from rtools.products.tables import exchange as catalog_exchange
from rtools.products.tables import flat as flatmeta
from rtools.products.tables import parquet as catalog_parquet
from rtools.products.tables.ecsv import ecsv_table, plain_values
from rtools.products.tables.flat import flatten
from rtools.products.tables.in_trees import table_at
from rtools.products.tables.parquet import to_arrow
from rtools.products.tables.plain_forms import write_json
from rtools.products.tables.regions import write_regions

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

    from rtools.products.io.staging import Stage

__all__ = ["read_catalog", "stage_catalog", "stamp"]

NESTING = ("parquet", "ecsv", "json")
"""Formats with columns of lists whose lengths differ."""


def read_catalog(
    path: str | Path,
    stage: str | None = None,
    hdu: str | None = None,
    wanted: Callable[[str], bool] | None = None,
) -> AstropyTable:
    """Read a catalog, or a guide-window or FACE file as one; its format is told by its content.

    Parameters
    ----------
    path : str or Path
        The file.
    stage : str, optional
        ``acq``, ``edge`` or ``track`` of a guide-window file, which has a table for each; tracking by default.
    hdu : str, optional
        Table of a FITS file, ``EXTNAME`` or ``EXTNAME,EXTVER``, or dotted path of one in the tree of an ASDF file;
        the main one by default.
    wanted : callable, optional
        Whether a column of this name is needed: of parquet no others are read.

    Returns
    -------
    astropy.table.Table
        With units and descriptions; the archive's metadata under flat keys.

    Raises
    ------
    InputError
        Missing, empty, damaged, or no table.
    """
    form = _form_of_content(path)
    if stage is not None and form != "asdf":
        raise InputError("only guide-window files have stages", path=path)
    if hdu is not None and form not in ("fits", "asdf"):
        raise InputError("only FITS and ASDF files have tables by name", path=path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _plain(_read(path, form, stage, hdu, wanted))
    except Exception as error:  # readers of six formats raise whatever they like
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"not a {_NAMES[form]} table that can be read ({reason})", path=path) from error


def _read(path, form, stage, hdu, wanted):
    if form == "asdf":
        return _read_asdf(path, stage, hdu)
    if form == "parquet":
        return catalog_parquet.read_parquet(path, wanted)
    return catalog_exchange.read_fits(path, hdu) if form == "fits" else _READERS[form](path)


def _form_of_content(path):
    try:
        with open(path, "rb") as file:
            head = file.read(4096)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise InputError(reason, path=path) from None
    if not head:
        raise InputError("an empty file", path=path)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SIMPLE  ="):
        return "fits"
    if head.startswith(b"#ASDF"):
        return "asdf"
    if head.startswith(b"# %ECSV"):
        return "ecsv"
    if b"<VOTABLE" in head:
        return "votable"
    named = str(path).lower().endswith(TABLES["csv"]) and head.strip()
    if b"\0" not in head and (named or b"," in head.partition(b"\n")[0]):
        return "csv"
    raise InputError("not a table: parquet, ECSV, CSV, FITS, VOTable or a catalog in ASDF expected", path=path)


def stage_catalog(path: str | Path, table: AstropyTable, form: str) -> Stage:
    """Write a catalog under a temporary name.

    Parameters
    ----------
    path : str or Path
        Where the file will appear.
    table : astropy.table.Table
        With units, descriptions and metadata.
    form : str
        One of `rtools.products.names.extensions.WRITTEN_TABLES`.

    Returns
    -------
    rtools.products.io.staging.Stage
        Its `messages` say what the format has no place for.

    Raises
    ------
    RtoolsError
        The format cannot hold the table, or the file cannot be written.
    """
    from rtools.products.io.staging import Stage

    stage = Stage(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = _WRITERS[form](_without_lists(table, form, stage.messages), stage.messages)
    except InputError:
        stage.discard()
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise RtoolsError(f"cannot be written as {_NAMES[form]} ({reason})", path=path) from error
    with stage.open() as file:
        file.write(data)
    return stage


def stamp(table: AstropyTable, path: str | Path, entry: Mapping[str, Any]) -> None:
    """Let a table say what was done to it; that of a product also what it is called, and when it was written.

    Parameters
    ----------
    table : astropy.table.Table
        Its metadata are changed.
    path : str or Path
        Where it will appear.
    entry : mapping
        Entry of the history, as `rtools.products.schema.history.entry` makes it.
    """
    named = "roman.meta.filename"
    stamps = {named: readable(Path(path).name), "roman.meta.file_date": history.stamp()} if named in table.meta else {}
    table.meta = flatmeta.record(dict(table.meta) | stamps, entry, path)


def _plain(table):
    """A table as the module says: flat metadata, NaN for what is not known, text as str, no mask without a use."""
    from astropy.table import Column, MaskedColumn
    from astropy.table.serialize import represent_mixins_as_columns

    if not all(isinstance(column, Column) for column in table.itercols()):  # coordinates, times
        table = represent_mixins_as_columns(table, exclude_classes=(Column,))
        table.meta.pop("__serialized_columns__", None)
    table.convert_bytestring_to_unicode()
    nested = flatmeta.ours(table.meta)
    table.meta = flatten(nested) | {key: plain_values(value) for key, value in table.meta.items() if key not in nested}
    for name in table.colnames:
        column = table[name]
        described = {"unit": column.unit, "description": column.description, "name": name}
        if isinstance(column, MaskedColumn):
            values = column.filled(np.nan) if column.dtype.kind == "f" else column
            masked = np.any(column.mask) and column.dtype.kind != "f"
            column = MaskedColumn(values, **described) if masked else Column(np.asarray(values), **described)
        if column.dtype.kind == "O":
            column = _plain_objects(column, described)
        if not column.dtype.isnative:
            column = column.byteswap().view(column.dtype.newbyteorder("="))
        table[name] = column
    return table


def _plain_objects(column, described):
    """A column of objects: text where all are text, else plain lists."""
    from astropy.table import Column

    if all(isinstance(value, str) for value in column):
        return Column(np.array(list(column), dtype=str), **described)
    for number, value in enumerate(np.ma.getdata(column)):
        if isinstance(value, np.ndarray):
            text = value.dtype.kind in "SU"  # FITS has texts of any length as arrays of characters
            column[number] = "".join(value.astype(str).ravel()) if text else value.tolist()
    return column


def _without_lists(table, form, messages):
    """A table whose lists are text, for formats that have no place for them."""
    from astropy.table import Column

    if form in NESTING:
        return table
    odd = [name for name in table.colnames if table[name].dtype.kind == "O" or (form == "csv" and table[name].ndim > 1)]
    if odd:
        table = table.copy(copy_data=False)
        messages.append(f"lists are text in {_NAMES[form]}: {' '.join(odd)}")
    for name in odd:
        values = ["" if _unknown(value) else " ".join(map(str, np.ravel(value))) for value in table[name]]
        table[name] = Column(np.array(values, dtype=str), description=table[name].description)
    return table


def _unknown(value):
    return value is None or value is np.ma.masked


# -- ASDF -------------------------------------------------------------------------------------------------------------


def _read_asdf(path, stage, name):
    """The table of a catalog product or of guiding, or one that any other tree has, with its metadata."""
    from rtools.products.guide import kind_of_product
    from rtools.products.io import open_product

    with open_product(path, others=True) as product:
        guiding = kind_of_product(product)
        if stage is not None and guiding != "gw":
            raise InputError("only guide-window files have stages", path=path)
        if name is not None or (guiding is None and "source_catalog" not in product.tree):
            return table_at(product, name)
        if guiding is None and product.problem:
            raise InputError(product.problem, path=path)
        table, meta = _of_guiding(path, guiding, stage) if guiding else (product.node("source_catalog"), product.meta)
        entries = [json.dumps(entry, ensure_ascii=False) for entry in product.history]
        table.meta = {"roman": {"meta": keys.bare(meta)}, flatmeta.HISTORY: entries}
    return table


def _of_guiding(path, kind, stage):
    """Table and metadata of a guide-window or FACE file."""
    from rtools.products import guide

    if kind == "face":
        with guide.open_face(path) as face:
            return guide.face_table(face), face.meta
    with guide.open_guide(path) as windows:
        return guide.guide_table(windows, stage), windows.meta


# -- text -------------------------------------------------------------------------------------------------------------


def _text_of(path):
    """Text of a file with a line end, or astropy would take it for the name of one."""
    text = Path(path).read_text(encoding="utf-8-sig")
    return text if text.endswith("\n") else f"{text}\n"


def _read_ecsv(path):
    return ecsv_table(_text_of(path))


def _read_csv(path):
    from astropy.table import Column, Table

    table = Table.read(_text_of(path), format="ascii.csv", guess=False)
    for name in table.colnames:
        if len(table) and {str(value).lower() for value in set(table[name].tolist())} <= {"true", "false"}:
            table[name] = Column(np.char.lower(np.asarray(table[name], str)) == "true")
    return table


def _write_ecsv(table, _messages):
    out = io.StringIO()
    table.write(out, format="ascii.ecsv")
    return out.getvalue().encode()


def _write_csv(table, messages):
    if any(column.unit or column.description for column in table.itercols()):
        messages.append("CSV has no place for units and descriptions; ECSV has")
    import pyarrow
    from pyarrow import csv

    arrays = [to_arrow(table[name]) for name in table.colnames]
    out = io.BytesIO()
    options = csv.WriteOptions(include_header=False, quoting_style="needed")
    csv.write_csv(pyarrow.Table.from_arrays(arrays, names=table.colnames), out, options)
    names = [f'"{name}"' if set(name) & set(',"') else name for name in table.colnames]
    return ",".join(names).encode() + b"\n" + out.getvalue()


_NAMES = {
    "asdf": "ASDF",
    "parquet": "parquet",
    "ecsv": "ECSV",
    "csv": "CSV",
    "fits": "FITS",
    "votable": "VOTable",
    "reg": "DS9 regions",
    "json": "JSON",
}
_READERS = {
    "parquet": catalog_parquet.read_parquet,
    "ecsv": _read_ecsv,
    "csv": _read_csv,
    "votable": catalog_exchange.read_votable,
}
_WRITERS = {
    "parquet": catalog_parquet.write_parquet,
    "ecsv": _write_ecsv,
    "csv": _write_csv,
    "fits": catalog_exchange.write_fits,
    "votable": catalog_exchange.write_votable,
    "reg": write_regions,
    "json": write_json,
}
