"""Catalogs in files: parquet, ECSV, CSV, FITS and VOTable, with units, descriptions and metadata.

In memory a catalog is an `astropy.table.Table`. The archive's metadata are its `meta`, flat as in the archive's parquet
files: ``roman.meta.exposure.type``. What is not known is NaN in a column of floats, masked in others.
"""

import io
import warnings
from pathlib import Path

import numpy as np

from rtools.errors import InputError, RtoolsError, UsageError
from rtools.products import catalog_exchange, flatmeta, history
from rtools.products.flatmeta import FLAT, flatten
from rtools.products.parquet_files import parquet_source
from rtools.products.tablemeta import NOT_OURS, TABLE_KEY

__all__ = ["EXTENSIONS", "form_of_name", "read_catalog", "stage_catalog", "stamp"]

EXTENSIONS = {
    "parquet": (".parquet", ".parq"),
    "ecsv": (".ecsv",),
    "csv": (".csv",),
    "fits": (".fits", ".fit"),
    "votable": (".vot", ".votable", ".xml"),
}
"""Extensions of each format, the first the one that is written."""


def form_of_name(path, *, option=None):
    """Format that a file's name says.

    Parameters
    ----------
    path : str or os.PathLike
    option : str, optional
        What says the format, too.

    Raises
    ------
    UsageError
        It says none.
    """
    for form, extensions in EXTENSIONS.items():
        if str(path).lower().endswith(extensions):
            return form
    known = " ".join(extension for extensions in EXTENSIONS.values() for extension in extensions)
    raise UsageError(
        "its extension says no format of tables",
        mend=f"{option} does, or one of {known}" if option else f"give one of {known}",
        path=path,
    )


def read_catalog(path):
    """Read a catalog; its format is told by its content.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    astropy.table.Table

    Raises
    ------
    InputError
        Missing, empty, damaged, or no table.
    """
    form = _form_of_content(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _plain(_READERS[form](path))
    except Exception as error:  # readers of five formats raise whatever they like
        reason = " ".join(str(error).split())[:160]
        raise InputError(f"no {_NAMES[form]} table that can be read ({reason})", path=path) from error


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
    if head.startswith(b"# %ECSV"):
        return "ecsv"
    if b"<VOTABLE" in head:
        return "votable"
    named = str(path).lower().endswith(EXTENSIONS["csv"]) and head.strip()
    if b"\0" not in head and (named or b"," in head.partition(b"\n")[0]):
        return "csv"
    raise InputError("no table: parquet, ECSV, CSV, FITS or VOTable expected", path=path)


def stage_catalog(path, table, form):
    """Write a catalog under a temporary name.

    Parameters
    ----------
    path : str or os.PathLike
    table : astropy.table.Table
    form : str
        A key of `EXTENSIONS`.

    Returns
    -------
    rtools.products.staging.Stage
        Its `messages` say what the format has no place for.

    Raises
    ------
    RtoolsError
        The format cannot hold the table, or the file cannot be written.
    """
    from rtools.products.staging import Stage

    stage = Stage(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = _WRITERS[form](table, stage.messages)
    except Exception as error:
        reason = " ".join(str(error).split())[:160]
        raise RtoolsError(f"cannot be written as {_NAMES[form]} ({reason})", path=path) from error
    with stage.open() as file:
        file.write(data)
    return stage


def stamp(table, filename, entry):
    """Let a product's catalog say what it is called, when it was written and what was done to it; others stay."""
    named = "roman.meta.filename"
    if named in table.meta:
        said = {named: str(filename), "roman.meta.file_date": history.stamp()}
        table.meta = flatmeta.record(dict(table.meta) | said, entry)


def _ours(meta):
    """The part of a table's metadata that stands under flat keys."""
    return {key: value for key, value in meta.items() if str(key).partition(".")[0] in FLAT}


def _plain(table):
    """A table as the module says: flat metadata, NaN for what is not known, text as str, no mask without a use."""
    from astropy.table import Column, MaskedColumn
    from astropy.table.serialize import represent_mixins_as_columns

    if not all(isinstance(column, Column) for column in table.itercols()):  # coordinates, times
        table = represent_mixins_as_columns(table, exclude_classes=(Column,))
        table.meta.pop("__serialized_columns__", None)
    table.convert_bytestring_to_unicode()
    nested = _ours(table.meta)
    table.meta = flatten(nested) | {key: value for key, value in table.meta.items() if key not in nested}
    for name in table.colnames:
        column = table[name]
        about = {"unit": column.unit, "description": column.description, "name": name}
        if isinstance(column, MaskedColumn):
            values = column.filled(np.nan) if column.dtype.kind == "f" else column
            masked = np.any(column.mask) and column.dtype.kind != "f"
            column = MaskedColumn(values, **about) if masked else Column(np.asarray(values), **about)
        if column.dtype.kind == "O" and all(isinstance(value, str) for value in column):
            column = Column(np.array(list(column), dtype=str), **about)
        if not column.dtype.isnative:
            column = column.byteswap().view(column.dtype.newbyteorder("="))
        table[name] = column
    return table


def _without_coordinates(table):
    """A table in which a column of sky positions is two of numbers, called as astropy calls them in files."""
    from astropy.coordinates import SkyCoord
    from astropy.table import Column, Table

    if not any(isinstance(column, SkyCoord) for column in table.itercols()):
        return table
    plain = Table(meta=table.meta)
    for name, column in table.items():
        if isinstance(column, SkyCoord):
            plain[f"{name}.ra"] = Column(column.icrs.ra.deg, unit="deg")
            plain[f"{name}.dec"] = Column(column.icrs.dec.deg, unit="deg")
        else:
            plain[name] = column
    return plain


# -- parquet ----------------------------------------------------------------------------------------------------------


def _read_parquet(path):
    """astropy's own reader wants pandas, and knows neither units of fields nor the archive's metadata."""
    from astropy import units
    from astropy.table import Table
    from pyarrow import parquet

    with parquet.ParquetFile(parquet_source(path)) as file:
        arrow = file.read()
    said = {key.decode(): value.decode("utf-8", "replace") for key, value in (arrow.schema.metadata or {}).items()}
    header = _yaml_header(said.get(TABLE_KEY))
    described = {entry["name"]: entry for entry in header.get("datatype", ())}
    meta = {key: value for key, value in (header.get("meta") or {}).items() if not key.startswith("__")}
    meta |= {key: value for key, value in said.items() if key not in NOT_OURS}
    table = Table(meta=meta)
    for field, column in zip(arrow.schema, arrow.columns, strict=True):
        entry = described.get(field.name, {})
        unit = (field.metadata or {}).get(b"unit", b"").decode()
        unit = entry.get("unit") if unit in ("", "None") else unit
        table[field.name] = _from_arrow(column)
        table[field.name].unit = None if unit is None else units.Unit(unit, parse_strict="silent")
        table[field.name].description = entry.get("description")
    return table


def _yaml_header(text):
    from astropy.table.meta import YamlParseError, get_header_from_yaml

    try:
        return get_header_from_yaml(text.splitlines()) if text else {}
    except YamlParseError:
        return {}


def _from_arrow(column):
    """A column of numbers, text or lists of one length, masked where it has nulls."""
    import pyarrow
    from astropy.table import Column, MaskedColumn

    if pyarrow.types.is_list(column.type) or pyarrow.types.is_fixed_size_list(column.type):
        return Column(np.array(column.to_pylist()))
    missing = column.is_null().to_numpy()
    if pyarrow.types.is_string(column.type) or pyarrow.types.is_large_string(column.type):
        values = np.array([text or "" for text in column.to_pylist()], dtype=str)
    elif pyarrow.types.is_floating(column.type):
        return Column(column.to_numpy())
    else:
        values = np.asarray((column.fill_null(0) if missing.any() else column).to_numpy())
    return MaskedColumn(values, mask=missing) if missing.any() else Column(values)


def _write_parquet(table, _messages):
    import pyarrow
    from astropy.table import Table
    from astropy.table.meta import get_yaml_from_table
    from pyarrow import parquet

    flat = flatten(_ours(table.meta))
    rest = {key: value for key, value in table.meta.items() if key.partition(".")[0] not in FLAT}
    described = Table(table.columns, copy=False)
    described.meta = rest
    flat[TABLE_KEY] = "\n".join(get_yaml_from_table(described))
    arrays = [_to_arrow(table[name]) for name in table.colnames]
    fields = [
        pyarrow.field(name, array.type, metadata={"unit": str(table[name].unit or "None")})
        for name, array in zip(table.colnames, arrays, strict=True)
    ]
    out = io.BytesIO()
    schema = pyarrow.schema(fields, metadata=flat)
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=schema), out, compression="none")
    return out.getvalue()


def _to_arrow(column):
    import pyarrow

    mask = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else None
    values = np.asarray(column)
    if values.dtype.kind in "UO" or values.ndim > 1:
        return pyarrow.array(values.tolist() if mask is None else column.tolist())
    return pyarrow.array(values, mask=mask)


# -- text -------------------------------------------------------------------------------------------------------------


def _text_of(path):
    """Text of a file with a line end, or astropy would take it for the name of one."""
    text = Path(path).read_text(encoding="utf-8-sig")
    return text if text.endswith("\n") else f"{text}\n"


def _read_ecsv(path):
    from astropy.table import Table

    return Table.read(_text_of(path), format="ascii.ecsv")


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

    arrays = [_to_arrow(table[name]) for name in table.colnames]
    out = io.BytesIO()
    options = csv.WriteOptions(include_header=False, quoting_style="needed")
    csv.write_csv(pyarrow.Table.from_arrays(arrays, names=table.colnames), out, options)
    names = [f'"{name}"' if set(name) & set(',"') else name for name in table.colnames]
    return ",".join(names).encode() + b"\n" + out.getvalue()


_NAMES = {"parquet": "parquet", "ecsv": "ECSV", "csv": "CSV", "fits": "FITS", "votable": "VOTable"}
_READERS = {
    "parquet": _read_parquet,
    "ecsv": _read_ecsv,
    "csv": _read_csv,
    "fits": catalog_exchange.read_fits,
    "votable": catalog_exchange.read_votable,
}
_WRITERS = {
    "parquet": _write_parquet,
    "ecsv": _write_ecsv,
    "csv": _write_csv,
    "fits": catalog_exchange.write_fits,
    "votable": catalog_exchange.write_votable,
}
