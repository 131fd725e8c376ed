"""Catalogs as FITS and VOTable, which are for other programs; see `rtools.products.tables.files`."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.products.tables.flat import HISTORY, flatten, history_of
from rtools.products.tables.hdus import read_hdu

if TYPE_CHECKING:
    from astropy.table import Table as AstropyTable

__all__ = ["read_fits", "read_votable", "write_fits", "write_votable"]

SIGNED = {"int8": "int16", "uint16": "int32", "uint32": "int64"}
"""Types that VOTable does not know to those that hold their values."""


def read_fits(path: str | Path, name: str | None = None) -> AstropyTable:
    """A table of a FITS file.

    Parameters
    ----------
    path : str or Path
        The file.
    name : str, optional
        Which table, as `rtools.products.tables.hdus.read_hdu` takes it.

    Returns
    -------
    astropy.table.Table
        With units, descriptions (TCOMMn) and metadata.

    Raises
    ------
    InputError
        It has no such table, or is an image of rt-fits.
    """
    table = read_hdu(path, name)
    strange = re.compile("comments|HISTORY|TCOMM.*")
    table.meta = {_fits_key(key): value for key, value in table.meta.items() if not strange.fullmatch(key)}
    return _roman_units(table)


def _fits_key(key):
    """A key as it was before it became a FITS keyword, as far as one can know."""
    return key.lower() if "." in key or len(key) > 8 else key


def write_fits(table: AstropyTable, messages: list[str]) -> bytes:
    """Bytes of a file with a binary table; descriptions in TCOMMn, as for TOPCAT, metadata in HIERARCH cards.

    Parameters
    ----------
    table : astropy.table.Table
        With units, descriptions and metadata; not changed.
    messages : list of str
        Gets a line for each thing that FITS has no place for.

    Returns
    -------
    bytes
        The whole file.
    """
    from astropy.io import fits

    standard = _standard_units(table)
    standard.meta = {}
    for name in [name for name in standard.colnames if standard[name].dtype.kind == "U"]:
        if not all(str(text).isascii() for text in standard[name].flat):
            messages.append(f"FITS has ASCII only: ? for other characters of the column {name}")
            standard.replace_column(name, _ascii_column(standard[name]))
    hdu = fits.table_to_hdu(standard)
    for number, name in enumerate(table.colnames, 1):
        if table[name].description:
            hdu.header[f"TCOMM{number}"] = _ascii(table[name].description)
        if standard[name].unit is not None and f"TUNIT{number}" not in hdu.header:  # FITS has no electron and no DN
            hdu.columns[number - 1].unit = str(standard[name].unit)
    lost = 0
    texts = flatten(dict(table.meta))
    for key in [key for key in texts if key.startswith(f"{HISTORY}.")]:
        for entry in history_of([texts.pop(key)]):
            hdu.header.add_history(_ascii(f"{entry.get('time', '')} {entry.get('description', '')}"))
    for key, value in texts.items():
        try:
            known = table.meta.get(key)
            told = known if isinstance(known, bool | int | float) else _ascii(value)
            card = fits.Card(key.upper() if len(key) <= 8 and "." not in key else f"HIERARCH {key}", told)
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
    """A text with the characters that FITS has."""
    return re.sub(r"[^ -~]", " ", str(text).encode("ascii", "replace").decode())


def _standard_units(table):
    """A table with the units and types that FITS and VOTable know: mag for mag(AB), float32 for float16."""
    from astropy import units

    standard = table.copy(copy_data=False)
    for name in standard.colnames:
        unit = standard[name].unit
        if unit is not None and not isinstance(unit, units.UnitBase):  # a magnitude of something
            physical = unit.physical_unit
            standard[name].unit = units.mag / units.arcsec**2 if physical.is_equivalent(_per_area()) else units.mag
        if standard[name].dtype == np.float16:
            standard[name] = standard[name].astype(np.float32)
    return standard


def _roman_units(table):
    """A table of FITS or VOTable with AB magnitudes where the names say so; the way back of `_standard_units`."""
    from astropy import units

    known = {units.mag: units.ABmag, units.mag / units.arcsec**2: units.mag(units.AB / units.arcsec**2)}
    for name in table.colnames:
        if isinstance(table[name].unit, units.UnrecognizedUnit):
            table[name].unit = units.Unit(str(table[name].unit), parse_strict="silent")
        if re.search(r"(^|_)abmag(_err)?$", name) and table[name].unit in known:
            table[name].unit = known[table[name].unit]
    return table


def _per_area():
    from astropy import units

    return units.Jy / units.arcsec**2


def read_votable(path: str | Path) -> AstropyTable:
    """The first table of a VOTable.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    astropy.table.Table
        With units, descriptions, and INFO elements as metadata.
    """
    from astropy.io import votable

    first = votable.parse(os.fspath(path), verify="ignore").get_first_table()
    table = first.to_table(use_names_over_ids=True)
    table.meta = {info.name: info.value for info in first.infos}
    for column in table.itercols():
        column.description = column.description and " ".join(column.description.split())  # astropy fills lines
    return _roman_units(table)


def write_votable(table: AstropyTable, _messages: list[str]) -> bytes:
    """Bytes of a VOTable of text; metadata in INFO elements.

    astropy writes the frame and the first row. The other rows are made column by column: it takes 7 µs for a value.

    Parameters
    ----------
    table : astropy.table.Table
        With units, descriptions and metadata; not changed.
    _messages : list of str
        Not used: VOTable has a place for all.

    Returns
    -------
    bytes
        The whole file.
    """
    from astropy.io import votable
    from astropy.io.votable.tree import Info

    standard = _standard_units(table)
    standard.meta = {}
    for name in standard.colnames:
        if standard[name].dtype.name in SIGNED:
            standard[name] = standard[name].astype(SIGNED[standard[name].dtype.name])
    simple = len(standard) > 1 and all(column.ndim == 1 for column in standard.itercols())
    file = votable.from_table(standard[:1] if simple else standard)
    infos = file.get_first_table().infos
    infos.extend(Info(name=key, value=value) for key, value in flatten(dict(table.meta)).items())
    out = io.BytesIO()
    file.to_xml(out)
    if not simple:
        return out.getvalue()
    before, begin, rest = out.getvalue().partition(b"<TABLEDATA>")
    _first, end, after = rest.partition(b"</TABLEDATA>")
    return b"".join((before, begin, b"\n", _rows(standard), end, after))


def _rows(table):
    """Rows of a table of simple columns as elements TR."""
    import pyarrow.compute

    cells = [_cells(column) for column in table.itercols()]
    joined = pyarrow.compute.binary_join_element_wise(*cells, "</TD><TD>")
    return "".join(f"<TR><TD>{row}</TD></TR>\n" for row in joined.to_pylist()).encode()


def _cells(column):
    """Values of a column as VOTable writes them; nothing for what is not known."""
    from xml.sax.saxutils import escape  # imports urllib

    import pyarrow
    from pyarrow import compute

    values = np.asarray(np.ma.getdata(column))
    if values.dtype.kind in "USO":
        texts = pyarrow.array([escape(str(text)) for text in values.tolist()], pyarrow.string())
    else:
        texts = compute.cast(pyarrow.array(values.astype("u1") if values.dtype.kind == "b" else values), "string")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        for word, written in (("nan", "NaN"), ("inf", "+Inf"), ("-inf", "-Inf")):
            texts = compute.replace_substring_regex(texts, f"^{word}$", written)
    if np.ma.isMaskedArray(column):
        texts = compute.if_else(pyarrow.array(np.ma.getmaskarray(column)), "", texts)
    return texts
