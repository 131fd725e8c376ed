"""A JWST file is put together: HDUs one behind the other, at the end the tree that knows the hash of their headers."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from rtools.products.fits import pixel_types
from rtools.products.fits.hdu_headers import table_hdu, tree_header
from rtools.products.fits.keywords import ascii_text
from rtools.products.jwst.sealing import DataSpan, seal
from rtools.products.schema import nodes

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.table import Table

__all__ = [
    "BLOCK",
    "FilePart",
    "array_node",
    "encoded",
    "headers_hash",
    "image_part",
    "table_part",
    "tree_part",
    "write_part",
    "write_parts",
]

BLOCK = 2880
"""Bytes of a block of FITS; header and data fill whole ones."""

PIECE = 1 << 24
"""Bytes encoded at a time."""

COLUMN = re.compile(r"(?P<count>\d*)(?P<letter>[LXBIJKAED])")
"""TFORM of a column whose cells have one length."""

DATATYPES = {
    "L": "int8",
    "X": "uint8",
    "B": "uint8",
    "I": "int16",
    "J": "int32",
    "K": "int64",
    "E": "float32",
    "D": "float64",
}
"""Type of numbers by the letter of TFORM; the mission calls logical values so."""


@dataclass(frozen=True)
class FilePart:
    """One HDU of the file to be.

    Attributes
    ----------
    name, version : str, int
        EXTNAME and EXTVER.
    header : astropy.io.fits.Header
        As it will be written.
    write : callable
        ``write(file)`` writes the data with what fills up their last block.
    text : bytes or None
        The header as it stands in the file it is copied from; None where it is new.
    """

    name: str
    version: int
    header: fits.Header
    write: Callable[[BinaryIO], None]
    text: bytes | None = None

    @classmethod
    def of_header(cls, name: str, header: fits.Header) -> FilePart:
        """An HDU without data."""
        return cls(name, 1, header, lambda _file: None)

    @property
    def header_text(self) -> bytes:
        """The header as it will stand in the file."""
        return self.header.tostring().encode("ascii") if self.text is None else self.text


def headers_hash(parts: Sequence[FilePart]) -> str:
    """SHA-256 of the text of all headers but that of the extension ASDF.

    Parameters
    ----------
    parts : sequence of FilePart
        In the order of the file.

    Returns
    -------
    str
        In hexadecimal digits.
    """
    digest = hashlib.sha256()
    for part in parts:
        if part.name != "ASDF":
            digest.update(part.header_text)
    return digest.hexdigest()


def write_parts(file: BinaryIO, parts: Sequence[FilePart]) -> None:
    """Write HDUs one behind the other, and the checksum of the data into the tree.

    Parameters
    ----------
    file : binary file object
        At its end.
    parts : sequence of FilePart
        In the order of the file.
    """
    seal(file, [write_part(file, part) for part in parts])


def write_part(file: BinaryIO, part: FilePart) -> DataSpan:
    """Write one HDU.

    Parameters
    ----------
    file : binary file object
        At its end.
    part : FilePart
        The HDU.

    Returns
    -------
    DataSpan
        Where its data are.
    """
    file.write(part.header_text)
    start = file.tell()
    part.write(file)
    return DataSpan(part.name, start, file.tell())


def image_part(name: str, version: int, header: fits.Header, array: np.ndarray, *, flipped: bool) -> FilePart:
    """An image; its pixels are encoded piece by piece while they are written.

    Parameters
    ----------
    name, version : str, int
        EXTNAME and EXTVER.
    header : astropy.io.fits.Header
        Complete.
    array : ndarray
        The pixels, of a type in `pixel_types.STORED`.
    flipped : bool
        The sign of the pixels is shifted by BZERO.

    Returns
    -------
    FilePart
    """

    def write(file: BinaryIO) -> None:
        written = 0
        for piece in encoded(array, flipped=flipped):
            written += file.write(piece)
        file.write(bytes(-written % BLOCK))

    return FilePart(name, version, header, write)


def encoded(array: np.ndarray, *, flipped: bool) -> Iterator[bytes]:
    """Pixels as the file has them, piece by piece; no copy of the whole is made.

    Parameters
    ----------
    array : ndarray
        Of any order in memory.
    flipped : bool
        The sign of the pixels is shifted by BZERO.

    Yields
    ------
    bytes
    """
    if array.ndim > 1 and not array.flags.c_contiguous:
        for item in array:
            yield from encoded(item, flipped=flipped)
        return
    flat = array.reshape(-1)
    count = max(1, PIECE // array.dtype.itemsize)
    for start in range(0, flat.size, count):
        piece = np.ascontiguousarray(flat[start : start + count])
        yield pixel_types.encode(piece, flipped=flipped).tobytes()


def table_part(name: str, version: int, table: Table | np.ndarray, units: Mapping[str, str | None]) -> FilePart:
    """A table with its units; unsigned columns get TZERO, truth values are logical ones.

    Parameters
    ----------
    name, version : str, int
        EXTNAME and EXTVER.
    table : astropy.table.Table or structured ndarray
        Cells may be vectors; its own metadata are left out.
    units : mapping of str to str or None
        How units of columns are written, where the column has none or one that means the same.

    Returns
    -------
    FilePart
    """
    from astropy.io import fits

    if isinstance(table, np.ndarray):
        made, told = table_hdu(table), dict(units)
    else:
        made, told = _hdu_of(table), {key: _unit_text(table[key].unit, units.get(key)) for key in table.colnames}
    for key in made.columns.names:
        if text := told.get(key):
            made.columns.change_unit(key, text)
    made.header["EXTNAME"], made.header["EXTVER"] = name, version
    buffer = io.BytesIO()
    hdus = fits.HDUList([fits.PrimaryHDU(), made])
    hdus.writeto(buffer)
    data = buffer.getbuffer()[len(hdus[0].header.tostring()) + len(made.header.tostring()) :]
    return FilePart(name, version, made.header, lambda file: _write_all(file, data))


def _hdu_of(table):
    """A table without its metadata and units, of which astropy would write another form."""
    from astropy.io import fits

    bare = table.copy(copy_data=False)
    bare.meta = {}
    for column in bare.columns.values():
        column.unit = None
    return fits.table_to_hdu(bare)


def _unit_text(unit, written):
    """A unit in a header: as it is written elsewhere where that means the same."""
    from astropy.units import Unit

    if written and (unit is None or Unit(written.replace("^", "**"), parse_strict="silent") == unit):
        return written
    return None if unit is None else re.sub(r"\s*/\s*", "/", ascii_text(str(unit)))


def _write_all(file, data):
    file.write(data)


def tree_part(content: bytes) -> FilePart:
    """The extension ASDF.

    Parameters
    ----------
    content : bytes
        An ASDF file.

    Returns
    -------
    FilePart
    """
    header = tree_header(len(content), version=None)
    filled = content + bytes(-len(content) % BLOCK)
    return FilePart("ASDF", 1, header, lambda file: _write_all(file, filled))


def array_node(part: FilePart) -> nodes.TaggedDict | None:
    """The node of the tree that stands for the array or table of an HDU.

    Parameters
    ----------
    part : FilePart
        An HDU.

    Returns
    -------
    TaggedDict or None
        None where the tree cannot say what it is: no data, or cells of any length.
    """
    header = part.header
    if header.get("XTENSION") == "BINTABLE":
        columns = [_column(header, number) for number in range(1, header["TFIELDS"] + 1)]
        datatype: Any = columns
        shape = [header["NAXIS2"]]
        if not columns or None in columns:
            return None
    elif header["NAXIS"]:
        datatype = _datatype(header)
        shape = [header[f"NAXIS{axis}"] for axis in range(header["NAXIS"], 0, -1)]
    else:
        return None
    fields = {"source": f"fits:{part.name},{part.version}", "datatype": datatype, "byteorder": "big", "shape": shape}
    return nodes.TaggedDict(fields, nodes.NDARRAY_TAG)


def _datatype(header):
    """Name of the type of pixels."""
    size = header["BITPIX"]
    if size < 0:
        return f"float{-size}"
    unsigned = (size == 8) != (header.get("BZERO", 0) != 0)  # BZERO makes the other sign
    return f"{'u' if unsigned else ''}int{size}"


def _column(header, number):
    """One column in the datatype of a table; None where its cells are of any length."""
    form = COLUMN.fullmatch(str(header[f"TFORM{number}"]).strip())
    if form is None:
        return None
    count = int(form["count"] or 1)
    told: dict[str, Any] = {"byteorder": "big"}
    if form["letter"] == "A":
        told["datatype"] = ["ascii", count]
    else:
        name = DATATYPES[form["letter"]]
        told["datatype"] = f"u{name}" if name.startswith("int") and header.get(f"TZERO{number}", 0) > 0 else name
    told["name"] = str(header.get(f"TTYPE{number}", f"f{number - 1}"))
    cell = re.findall(r"\d+", str(header.get(f"TDIM{number}", "")))
    if form["letter"] != "A" and (cell or count != 1):
        told["shape"] = [int(axis) for axis in reversed(cell)] or [count]
    return told
