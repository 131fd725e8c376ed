"""A JWST product as a file again: what is not changed is copied byte by byte, cards, data and unknown extensions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.products.fits import pixel_types
from rtools.products.io import Stage
from rtools.products.jwst.product import JwstProduct

__all__ = ["HduChange", "stage_jwst"]

BLOCK = 2880
"""Bytes of a block of FITS; header and data fill whole ones."""

COPIED = 1 << 24
"""Bytes copied or encoded at a time."""

STRUCTURE = re.compile(r"SIMPLE|XTENSION|BITPIX|NAXIS\d*|PCOUNT|GCOUNT|TFIELDS|TFORM\d+|BSCALE|BZERO|END")
"""Keywords that say how the data are stored, which no change may set."""


@dataclass(frozen=True)
class HduChange:
    """What becomes different in one HDU.

    Attributes
    ----------
    name, version : str, int
        Which HDU, as `JwstProduct.hdu` takes them.
    array : ndarray or None
        New pixels, of the type that they had; another shape is allowed. None keeps them.
    cards : mapping of str to value
        Keywords that get another value, or are added at the end of the header.
    """

    name: str
    version: int = 1
    array: np.ndarray | None = None
    cards: Mapping[str, Any] = field(default_factory=dict)


def stage_jwst(path: str | Path, product: JwstProduct, changes: Sequence[HduChange] = ()) -> Stage:
    """Write a product to a temporary file next to its place.

    The extension ASDF stays as it is. Where cards change, its ``_fits_hash`` no longer agrees with the headers: this
    is how a reader of the tree knows that the keywords hold.

    Parameters
    ----------
    path : str or Path
        The file to be.
    product : JwstProduct
        Opened; its file must still be there.
    changes : sequence of HduChange
        At most one for each HDU; none for ECSV.

    Returns
    -------
    rtools.products.io.Stage
        To be committed or discarded.

    Raises
    ------
    InputError
        An HDU is missing, or the file is no longer what it was.
    UsageError
        A change does not fit its HDU.
    RtoolsError
        The file cannot be written.
    """
    changed = {product.hdu(one.name, one.version).number: one for one in changes}
    if len(changed) < len(changes):
        raise UsageError("two changes of one HDU")
    for number, change in changed.items():
        _refuse(product.hdus[number], change)
    stage = Stage(path)
    with _opened(product.path) as source, stage.open() as file:
        end = 0
        for hdu in product.hdus:
            if hdu.number in changed:
                _write_changed(file, source, hdu, changed[hdu.number])
            else:
                _copy(file, source, (hdu.start, hdu.end), product.path)
            end = hdu.end
        _copy_rest(file, source, end)
    return stage


def _opened(path):
    try:
        return open(path, "rb")
    except OSError as error:
        raise InputError(f"can no longer be read ({(error.strerror or str(error)).lower()})", path=path) from None


def _refuse(hdu, change):
    """Raise UsageError where a change does not fit its HDU."""
    for key in change.cards:
        if STRUCTURE.fullmatch(key.upper()):
            raise UsageError(f"the keyword {key} of {hdu.name} follows from the data")
    if change.array is None:
        return
    if not hdu.is_image or hdu.is_scaled:
        raise UsageError(f"{hdu.name} has no pixels that can be replaced")
    if change.array.dtype.newbyteorder("=") != hdu.dtype:
        raise UsageError(f"{hdu.name} is {hdu.dtype}, not {change.array.dtype}")
    if change.array.ndim < 1:
        raise UsageError(f"{hdu.name} needs an array with axes")


def _write_changed(file, source, hdu, change):
    header = hdu.header.copy()
    if change.array is not None:
        _reshape(header, change.array.shape)
    for key, value in change.cards.items():
        header[key] = value
    file.write(header.tostring().encode("ascii"))
    if change.array is None:
        _copy(file, source, (hdu.data, hdu.end), source.name)
        return
    written = 0
    for piece in _encoded(change.array, flipped=hdu.is_unsigned):
        file.write(piece)
        written += len(piece)
    file.write(bytes(-written % BLOCK))


def _reshape(header, shape):
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


def _encoded(array: np.ndarray, *, flipped: bool) -> Iterator[bytes]:
    """Pixels as the file has them, piece by piece."""
    flat = np.ascontiguousarray(array).reshape(-1)
    count = max(1, COPIED // array.dtype.itemsize)
    for start in range(0, flat.size, count):
        yield pixel_types.encode(flat[start : start + count], flipped=flipped).tobytes()


def _copy(file: BinaryIO, source: BinaryIO, span: tuple[int, int], path: str | Path) -> None:
    """Copy a span of the source."""
    source.seek(span[0])
    left = span[1] - span[0]
    while left > 0:
        data = source.read(min(COPIED, left))
        if not data:
            raise InputError("has become shorter while it was read", path=path)
        file.write(data)
        left -= len(data)


def _copy_rest(file: BinaryIO, source: BinaryIO, start: int) -> None:
    """Copy what follows the last HDU: for ECSV all."""
    source.seek(start)
    while data := source.read(COPIED):
        file.write(data)
