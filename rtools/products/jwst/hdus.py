"""One HDU of a JWST file: what its header says, where its bytes lie, and its pixels."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.products.fits import pixel_types
from rtools.products.io.mapping import map_array
from rtools.products.tables.metadata import ColumnInfo, columns_of
from rtools.remote import parts

if TYPE_CHECKING:
    from astropy.io import fits

__all__ = ["JwstHdu", "Part", "StoredTable", "read_lines", "read_pixels", "read_spans", "read_stored"]

UNSIGNED = {(pixel_types.STORED[name], zero): name for name, zero in pixel_types.ZEROS.items()}
"""Type that pixels stand for, by the type that is stored and BZERO."""

Part = tuple[Any, ...]
"""Which part of an array, as numpy takes it: whole numbers, slices, an ellipsis."""


class StoredTable(NamedTuple):
    """What is known of a table before it is read.

    Attributes
    ----------
    columns : tuple of ColumnInfo
        In order, with units.
    rows : int
        Their number.
    """

    columns: tuple[ColumnInfo, ...]
    rows: int


@dataclass(frozen=True)
class JwstHdu:
    """One HDU.

    Attributes
    ----------
    number : int
        Its place in the file, 0 for the primary one.
    name, version : str, int
        EXTNAME (``PRIMARY`` for the primary one) and EXTVER (1 where it is not given).
    values : mapping of str to object
        What its cards say, by keyword in capitals, as `rtools.products.io.fits_headers.header_values` gives it.
    text : bytes
        Its header as it stands in the file.
    start, data, end : int
        Offsets in the file of the header, of the data and of what follows the HDU.
    """

    number: int
    name: str
    version: int
    values: Mapping[str, Any]
    text: bytes
    start: int
    data: int
    end: int

    @cached_property
    def header(self) -> fits.Header:
        """All cards in order with their comments; not to be changed. To look at values, `values` is much faster."""
        from astropy.io import fits

        return fits.Header.fromstring(self.text)

    @property
    def is_table(self) -> bool:
        """Whether it is a table."""
        return self.values.get("XTENSION") in ("BINTABLE", "TABLE")

    @property
    def is_image(self) -> bool:
        """Whether it holds pixels."""
        return not self.is_table and self.values.get("XTENSION", "IMAGE") == "IMAGE" and self.values["NAXIS"] > 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of an image, slowest axis first; () without pixels."""
        count = self.values["NAXIS"] if self.is_image else 0
        return tuple(self.values[f"NAXIS{axis}"] for axis in range(count, 0, -1))

    @property
    def stored(self) -> np.dtype:
        """Type of the pixels in the file, big-endian."""
        return pixel_types.BY_BITPIX[self.values["BITPIX"]]

    @property
    def is_unsigned(self) -> bool:
        """Whether BZERO makes the other sign of the pixels, and nothing else scales them."""
        return self.values.get("BSCALE", 1) == 1 and (self.stored.str[1:], self.values.get("BZERO", 0)) in UNSIGNED

    @property
    def is_scaled(self) -> bool:
        """Whether BSCALE or BZERO make other numbers of the pixels."""
        plain = self.values.get("BSCALE", 1) == 1 and self.values.get("BZERO", 0) == 0
        return not plain and not self.is_unsigned

    @property
    def dtype(self) -> np.dtype | None:
        """Type of an image as `read_pixels` gives it, in native byte order; None without pixels."""
        if not self.is_image:
            return None
        if self.is_unsigned:
            return np.dtype(UNSIGNED[self.stored.str[1:], self.values["BZERO"]])
        return np.dtype("float64") if self.is_scaled else self.stored.newbyteorder("=")

    @property
    def unit(self) -> str | None:
        """BUNIT, None where the header has none."""
        return self.values.get("BUNIT")

    @property
    def rows(self) -> int:
        """Number of rows of a table, 0 for an image."""
        return self.values["NAXIS2"] if self.is_table else 0

    @property
    def columns(self) -> tuple[ColumnInfo, ...]:
        """Columns of a table in order, with units; none for an image."""
        return columns_of(self.values) if self.is_table else ()

    @property
    def size(self) -> int:
        """Bytes of the data without what fills up the last block: those of the axes and of the heap."""
        axes = [self.values[f"NAXIS{axis}"] for axis in range(1, self.values["NAXIS"] + 1)]
        values = math.prod(axes) if axes else 0
        return abs(self.values["BITPIX"]) // 8 * (values + self.values.get("PCOUNT", 0))


def read_pixels(path: str | Path, hdu: JwstHdu, part: Part = ()) -> np.ndarray:
    """Pixels of an image or of a part of it; nothing else of the file is read.

    Parameters
    ----------
    path : str or Path
        The file.
    hdu : JwstHdu
        One of its HDUs.
    part : tuple of int or slice
        Which part, slowest axis first; the whole by default.

    Returns
    -------
    ndarray
        In native byte order, of the type `JwstHdu.dtype`; unsigned integers are those that BZERO makes.

    Raises
    ------
    InputError
        The HDU has no pixels, or the file is no longer what it was.
    """
    return _read(path, hdu, hdu.shape, part)


def read_lines(path: str | Path, hdu: JwstHdu, start: int, stop: int) -> np.ndarray:
    """Some lines of an image: those of all axes but the last counted through; nothing else of the file is read.

    Parameters
    ----------
    path : str or Path
        The file.
    hdu : JwstHdu
        One of its HDUs.
    start, stop : int
        First line, and the one behind the last.

    Returns
    -------
    ndarray
        (lines, columns), else as `read_pixels`.

    Raises
    ------
    InputError
        The HDU has no pixels, or the file is no longer what it was.
    """
    lines = (math.prod(hdu.shape[:-1]), *hdu.shape[-1:])
    return _read(path, hdu, lines, (slice(start, stop),))


def _read(path: str | Path, hdu: JwstHdu, shape: tuple[int, ...], part: Part) -> np.ndarray:
    """A part of the pixels as if they had another shape of the same size."""
    if not hdu.is_image:
        raise InputError(f"its extension {hdu.name} is not an image", path=path)
    if 0 in shape:
        return np.zeros(shape, hdu.dtype)[part]
    raw = _as_stored(path, hdu, shape, part)
    if hdu.is_scaled:
        return raw * np.float64(hdu.values.get("BSCALE", 1)) + hdu.values.get("BZERO", 0)
    wanted = raw.shape
    return pixel_types.decode(np.atleast_1d(raw), hdu.dtype, flipped=hdu.is_unsigned).reshape(wanted)


def read_stored(path: str | Path, hdu: JwstHdu, part: Part) -> np.ndarray:
    """A part of the pixels of an image as they are stored.

    Parameters
    ----------
    path : str or Path
        The file.
    hdu : JwstHdu
        An image that is not empty.
    part : tuple
        Which part, as numpy takes it.

    Returns
    -------
    ndarray

    Raises
    ------
    InputError
        It cannot be read.
    """
    return _as_stored(path, hdu, hdu.shape, part)


def _as_stored(path, hdu, shape, part):
    numbers = [isinstance(one, int | np.integer) and one >= 0 for one in part]
    spans = _spans_of(
        tuple(slice(one, one + 1) if single else one for one, single in zip(part, numbers, strict=True)), shape
    )
    try:
        if spans is None:
            return np.array(map_array(path, hdu.stored, hdu.data, shape)[part], order="C")
        section = _read_section(path, hdu, shape, spans)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read ({' '.join(str(error).split())})", path=path) from None
    if not any(numbers):
        return section
    chosen = (
        0 if single else one if one is Ellipsis else slice(None) for one, single in zip(part, numbers, strict=True)
    )
    return np.array(section[tuple(chosen)], order="C", copy=None)


def _spans_of(part: Part, shape: tuple[int, ...]) -> list[range] | None:
    """What a part takes of each axis, where that is a span of two axes or more; else None."""
    place = part.index(Ellipsis) if Ellipsis in part else len(part)
    filled = (*part[:place], *[slice(None)] * (len(shape) - len(part) + (place < len(part))), *part[place + 1 :])
    if len(shape) < 2 or len(filled) != len(shape) or not all(isinstance(one, slice) for one in filled):
        return None
    spans = [range(*one.indices(size)) for one, size in zip(filled, shape, strict=True)]
    return spans if all(one.step == 1 and len(one) for one in spans) else None


def _read_section(path, hdu, shape, spans):
    """A section of an array as it is stored, plane by plane.

    A mapped file would be simpler, but its pages count as memory of the process, far more of them than are read.
    """
    *leading, rows, columns = spans
    width = shape[-1] * hdu.stored.itemsize
    raw = np.empty(tuple(map(len, spans)), hdu.stored)
    planes = raw.reshape(-1, len(rows), len(columns))
    buffer = np.empty((len(rows), shape[-1]), hdu.stored)
    numbers = np.zeros(1, np.int64)
    for size, span in zip(shape, leading, strict=False):
        numbers = (numbers[:, None] * size + np.arange(span.start, span.stop)).ravel()
    with parts.open_raw(path) as file:
        for plane, number in zip(planes, numbers.tolist(), strict=True):
            into = plane if len(columns) == shape[-1] else buffer
            _fill(file.fileno(), into, hdu.data + (number * shape[-2] + rows.start) * width)
            if into is buffer:
                plane[:] = buffer[:, columns.start : columns.stop]
    return raw


def _fill(descriptor, array, offset):
    """Fill an array with the bytes from an offset on."""
    room = memoryview(array.view(np.uint8).reshape(-1))
    parts.want(descriptor, offset, offset + len(room))
    while len(room):
        count = os.preadv(descriptor, [room], offset)
        if count == 0:
            raise ValueError("it is shorter than its headers say")
        room, offset = room[count:], offset + count


def read_spans(path: str | Path, spans: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    """Bytes of a file from offset to offset.

    Parameters
    ----------
    path : str or Path
        The file.
    spans : iterable of (int, int)
        First byte, and the one behind the last.

    Yields
    ------
    bytes

    Raises
    ------
    InputError
        The file cannot be read any more.
    """
    try:
        with parts.open_parts(path) as file:
            for start, end in spans:
                file.seek(start)
                yield file.read(end - start)
    except OSError as error:
        raise InputError(f"can no longer be read ({(error.strerror or str(error)).lower()})", path=path) from None
