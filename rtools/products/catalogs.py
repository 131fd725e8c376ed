"""Catalogs in files: parquet, ECSV, CSV, FITS and VOTable, with units, descriptions and metadata.

In memory a catalog is an `astropy.table.Table`. The archive's metadata are its `meta`, flat as in the archive's parquet
files: ``roman.meta.exposure.type``. What is not known is NaN in a column of floats, masked in others.
"""

import io
import os
import warnings
from pathlib import Path

import numpy as np

from rtools.errors import InputError, RtoolsError, UsageError

__all__ = ["EXTENSIONS", "form_of_name", "read_catalog", "stage_catalog"]

EXTENSIONS = {
    "parquet": (".parquet", ".parq"),
    "ecsv": (".ecsv",),
    "csv": (".csv",),
    "fits": (".fits", ".fit"),
    "votable": (".vot", ".votable", ".xml"),
}
"""Extensions of each format, the first the one that is written."""

TABLE_KEY = "table_meta_yaml"
FLAT = ("roman", "source_catalog")
"""First words of the metadata that stand in a parquet file under flat keys."""


def form_of_name(path):
    """Format that a file's name says.

    Raises
    ------
    UsageError
        It says none.
    """
    for form, extensions in EXTENSIONS.items():
        if str(path).lower().endswith(extensions):
            return form
    known = " ".join(extension for extensions in EXTENSIONS.values() for extension in extensions)
    raise UsageError("its extension says no format of tables", mend=f"--format does, or one of {known}", path=path)


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


def _plain(table):
    """A table as the module says: NaN for what is not known, text as str, no mask without a use."""
    from astropy.table import Column, MaskedColumn

    table.convert_bytestring_to_unicode()
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


# -- parquet ----------------------------------------------------------------------------------------------------------


def _read_parquet(path):
    """astropy's own reader wants pandas, and knows neither units of fields nor the archive's metadata."""
    from astropy import units
    from astropy.table import Table
    from pyarrow import parquet

    with parquet.ParquetFile(os.fspath(path)) as file:
        arrow = file.read()
    said = {key.decode(): value.decode("utf-8", "replace") for key, value in (arrow.schema.metadata or {}).items()}
    header = _yaml_header(said.pop(TABLE_KEY, None))
    described = {entry["name"]: entry for entry in header.get("datatype", ())}
    meta = {key: value for key, value in (header.get("meta") or {}).items() if not key.startswith("__")}
    meta |= {key: value for key, value in said.items() if key.partition(".")[0] in FLAT}
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

    flat = _flat({key: value for key, value in table.meta.items() if key.partition(".")[0] in FLAT})
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


def _flat(meta, root=""):
    """Dotted keys and texts of a tree; what is None is left out, as the archive does."""
    found = {}
    for key, value in meta.items() if isinstance(meta, dict) else enumerate(meta):
        path = f"{root}{key}"
        if isinstance(value, dict | list):
            found |= _flat(value, f"{path}.")
        elif value is not None:
            found[path] = str(value)
    return found


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


# -- FITS and VOTable -------------------------------------------------------------------------------------------------


def _read_fits(path):
    from astropy.io import fits
    from astropy.table import Table

    with fits.open(path) as file:
        hdu = next((hdu for hdu in file if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)), None)
        if hdu is None:
            raise ValueError("no HDU with a table")
        table = Table.read(hdu, mask_invalid=False, unit_parse_strict="silent")
        for number, name in enumerate(hdu.columns.names, 1):
            if f"TCOMM{number}" in hdu.header and name in table.colnames:
                table[name].description = str(hdu.header[f"TCOMM{number}"])
    kept = {key: value for key, value in table.meta.items() if key != "comments" and not key.startswith("TCOMM")}
    table.meta = {_fits_key(key): value for key, value in kept.items()}
    return table


def _fits_key(key):
    return key.lower() if key.partition(".")[0].lower() in FLAT else key


def _write_fits(table, messages):
    """A binary table; descriptions in TCOMMn, where TOPCAT looks for them, too, metadata in HIERARCH cards."""
    from astropy.io import fits

    told = _standard_units(table)
    told.meta = {}
    for name in [name for name in told.colnames if told[name].dtype.kind == "U"]:
        if not all(str(text).isascii() for text in told[name].flat):
            messages.append(f"FITS has ASCII only: ? for other characters of the column {name}")
            told.replace_column(name, _ascii_column(told[name]))
    hdu = fits.table_to_hdu(told)
    for number, name in enumerate(table.colnames, 1):
        if table[name].description:
            hdu.header[f"TCOMM{number}"] = _ascii(table[name].description)
    lost = 0
    for key, value in _flat(dict(table.meta)).items():
        try:
            card = fits.Card(key.upper() if len(key) <= 8 and "." not in key else f"HIERARCH {key}", _ascii(value))
            str(card)
            hdu.header.append(card, end=True)
        except ValueError:
            lost += 1
    if lost:
        messages.append(f"{lost} metadata are longer than a FITS card: left out")
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(out)
    return out.getvalue()


def _ascii_column(column):
    from astropy.table import Column

    return Column(
        np.char.encode(np.asarray(column), "ascii", "replace"), unit=column.unit, description=column.description
    )


def _ascii(text):
    return " ".join(str(text).encode("ascii", "replace").decode().split())


def _standard_units(table):
    """A table with the units and types that FITS and VOTable know: mag for mag(AB), float32 for float16."""
    from astropy import units

    told = table.copy(copy_data=False)
    for name in told.colnames:
        unit = told[name].unit
        if unit is not None and not isinstance(unit, units.UnitBase):  # a magnitude of something
            physical = unit.physical_unit
            told[name].unit = units.mag / units.arcsec**2 if physical.is_equivalent(_per_area()) else units.mag
        if told[name].dtype == np.float16:
            told[name] = told[name].astype(np.float32)
    return told


def _per_area():
    from astropy import units

    return units.Jy / units.arcsec**2


def _read_votable(path):
    from astropy.io import votable

    first = votable.parse(os.fspath(path), verify="ignore").get_first_table()
    table = first.to_table(use_names_over_ids=True)
    table.meta = {info.name: info.value for info in first.infos}
    return table


def _write_votable(table, _messages):
    from astropy.io import votable
    from astropy.io.votable.tree import Info

    told = _standard_units(table)
    told.meta = {}
    file = votable.from_table(told)
    infos = file.get_first_table().infos
    infos.extend(Info(name=key, value=value) for key, value in _flat(dict(table.meta)).items())
    out = io.BytesIO()
    file.to_xml(out)
    return out.getvalue()


_NAMES = {"parquet": "parquet", "ecsv": "ECSV", "csv": "CSV", "fits": "FITS", "votable": "VOTable"}
_READERS = {
    "parquet": _read_parquet,
    "ecsv": _read_ecsv,
    "csv": _read_csv,
    "fits": _read_fits,
    "votable": _read_votable,
}
_WRITERS = {
    "parquet": _write_parquet,
    "ecsv": _write_ecsv,
    "csv": _write_csv,
    "fits": _write_fits,
    "votable": _write_votable,
}
