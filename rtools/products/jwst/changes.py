"""What becomes different in a JWST file when it is written again, and the HDUs that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.products.fits import pixel_types
from rtools.products.fits.hdu_headers import image_header
from rtools.products.io.mapping import map_array
from rtools.products.jwst.agreement import STRUCTURE
from rtools.products.jwst.assembly import BLOCK, PIECE, FilePart, image_part, table_part
from rtools.products.jwst.hdus import JwstHdu, Part, read_stored
from rtools.remote import parts

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.table import Table

__all__ = ["HduChange", "changed_part", "copy_span", "kept_part", "refuse_misfit"]


@dataclass(frozen=True)
class HduChange:
    """What becomes different in one HDU.

    Attributes
    ----------
    name, version : str, int
        Which HDU, as `JwstProduct.hdu` takes them.
    array : ndarray or None
        New pixels, of the type that they had unless `retyped`; another shape is allowed. None keeps them.
    retyped : bool
        The pixels may be of another type.
    part : tuple of slice or ellipsis, or None
        Part of the pixels that stays, as numpy takes it, byte by byte; it is read while it is written.
    cards : mapping of str to value
        Keywords that get another value, or are added at the end of the header; None takes one away. What the data
        model knows changes in the tree, too.
    table : astropy.table.Table or None
        New rows and columns in place of those of a table. Cards that do not follow from them stay.
    rows : slice, ndarray of int or of bool, or None
        Rows of a table that stay, in this order, byte by byte.
    removed : bool
        The HDU is left out, and its node in the tree.
    """

    name: str
    version: int = 1
    array: np.ndarray | None = None
    cards: Mapping[str, Any] = field(default_factory=dict)
    table: Table | None = None
    rows: Any = None
    removed: bool = False
    part: Part | None = None
    retyped: bool = False


def refuse_misfit(hdu: JwstHdu, change: HduChange) -> None:
    """Refuse a change that does not fit its HDU.

    Parameters
    ----------
    hdu : JwstHdu
        As it is.
    change : HduChange
        What is to become of it.

    Raises
    ------
    UsageError
        Keywords that follow from the data, pixels of another type, rows of an image, …
    """
    for key in change.cards:
        if STRUCTURE.fullmatch(key.upper()):
            raise UsageError(f"the keyword {key} of {hdu.name} follows from the data")
    if change.removed and hdu.number == 0:
        raise UsageError("the primary header cannot be left out")
    if (change.table is not None or change.rows is not None) and not hdu.is_table:
        raise UsageError(f"{hdu.name} is not a table")
    if change.rows is not None and hdu.header.get("PCOUNT", 0):
        raise UsageError(f"{hdu.name} has cells of any length, so its rows cannot be chosen")
    if change.part is not None and (not hdu.is_image or 0 in hdu.shape):
        raise UsageError(f"{hdu.name} has no pixels that can be chosen")
    if change.array is None:
        return
    if not hdu.is_image or hdu.is_scaled:
        raise UsageError(f"{hdu.name} has no pixels that can be replaced")
    if change.array.dtype.newbyteorder("=") != hdu.dtype and not change.retyped:
        raise UsageError(f"{hdu.name} is {hdu.dtype}, not {change.array.dtype}")
    if change.array.ndim < 1:
        raise UsageError(f"{hdu.name} needs an array with axes")


def kept_part(source: BinaryIO, hdu: JwstHdu) -> FilePart:
    """An HDU as it is, with a header that may still be changed.

    Parameters
    ----------
    source : binary file object
        The file of the product, open until the new one is written.
    hdu : JwstHdu
        One of its HDUs.

    Returns
    -------
    FilePart
    """
    return FilePart(
        hdu.name, hdu.version, hdu.header.copy(), lambda file: copy_span(file, source, (hdu.data, hdu.end), source.name)
    )


def changed_part(source: BinaryIO, hdu: JwstHdu, change: HduChange) -> FilePart:
    """An HDU with new pixels or rows; cards are not changed yet.

    Parameters
    ----------
    source : binary file object
        The file of the product, open until the new one is written.
    hdu : JwstHdu
        One of its HDUs.
    change : HduChange
        That fits it.

    Returns
    -------
    FilePart
    """
    kept = kept_part(source, hdu)
    if change.array is not None and change.retyped:
        dtype = change.array.dtype.newbyteorder("=")
        flipped = dtype.name in pixel_types.ZEROS
        header = image_header(hdu.name, dtype, change.array.shape, flipped=flipped, version=hdu.version)
        _carry_over(header, kept.header)
        return image_part(hdu.name, hdu.version, header, change.array, flipped=flipped)
    if change.array is not None:
        _reshape(kept.header, change.array.shape)
        return image_part(hdu.name, hdu.version, kept.header, change.array, flipped=hdu.is_unsigned)
    if change.part is not None:
        if parts.want_of(source.name, 0, 0):
            stored = read_stored(source.name, hdu, change.part)
        else:
            stored = np.memmap(source.name, hdu.stored, "r", hdu.data, hdu.shape)[change.part]
        _reshape(kept.header, stored.shape)
        return image_part(hdu.name, hdu.version, kept.header, stored, flipped=False)
    if change.table is not None:
        made = table_part(hdu.name, hdu.version, change.table, {column.name: column.unit for column in hdu.columns})
        _carry_over(made.header, kept.header)
        return made
    if change.rows is not None:
        return _with_rows(source.name, hdu, kept.header, change.rows)
    return kept


def _reshape(header: fits.Header, shape: tuple[int, ...]) -> None:
    """Set the axes of an image; cards of axes that are gone go with them."""
    for axis in range(len(shape) + 1, header["NAXIS"] + 1):
        del header[f"NAXIS{axis}"]
    header["NAXIS"] = len(shape)
    for axis, length in enumerate(reversed(shape), start=1):
        before = "NAXIS" if axis == 1 else f"NAXIS{axis - 1}"
        if f"NAXIS{axis}" in header:
            header[f"NAXIS{axis}"] = length
        else:
            header.set(f"NAXIS{axis}", length, after=before)


def _carry_over(header: fits.Header, old: fits.Header) -> None:
    """Cards of an old header that say nothing of how its data were stored."""
    for card in old.cards:
        if not STRUCTURE.fullmatch(card.keyword) or card.keyword in ("COMMENT", "HISTORY", ""):
            header.append(card, end=True)


def _with_rows(path: str, hdu: JwstHdu, header: fits.Header, rows: Any) -> FilePart:
    """A table with some of its rows."""
    width = header["NAXIS1"]
    chosen = np.arange(hdu.rows)[rows]
    header["NAXIS2"] = len(chosen)

    def write(file: BinaryIO) -> None:
        stored = map_array(path, np.uint8, hdu.data, (hdu.rows, width)) if chosen.size else np.empty((0, width))
        count = max(1, PIECE // max(1, width))
        for start in range(0, len(chosen), count):
            file.write(stored[chosen[start : start + count]].tobytes())
        file.write(bytes(-len(chosen) * width % BLOCK))

    return FilePart(hdu.name, hdu.version, header, write)


def copy_span(file: BinaryIO, source: BinaryIO, span: tuple[int, int | None], path: str | Path) -> None:
    """Copy bytes from one file to the end of another.

    Parameters
    ----------
    file : binary file object
        Where they are written.
    source : binary file object
        Where they are read.
    span : (int, int or None)
        First byte, and the one behind the last; None means the end of the source.
    path : str or Path
        What an error names.

    Raises
    ------
    InputError
        The source has fewer bytes.
    """
    source.seek(span[0])
    left = span[1] - span[0] if span[1] is not None else None
    while left is None or left > 0:
        data = source.read(PIECE if left is None else min(PIECE, left))
        if not data and left is not None:
            raise InputError("has become shorter while it was read", path=path)
        if not data:
            return
        file.write(data)
        left = left if left is None else left - len(data)
