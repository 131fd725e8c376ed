"""Images in compressed tiles (FITS 4.0, section 10): a table with a row for each tile, whose bytes stand in its heap.

Tiles are written by GZIP_2 without quantisation, which loses nothing: the first bytes of all pixels, then the second
ones, go through gzip together. What floats of 16 bits leave empty in 32 thus weighs nothing. astropy, cfitsio and DS9
read it as an image. DS9 takes all tiles for equally large, so no tile is cut off at the upper edge.
"""

from __future__ import annotations

import gzip
import math
import operator
import os
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from rtools.errors import InputError
from rtools.products.fits.pixel_types import BY_BITPIX
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from pathlib import Path

    from astropy.io import fits

__all__ = ["image_type", "is_compressed", "read_tiles", "write_tiles"]

BLOCK = 2880

LARGEST = 1 << 18
"""Pixels of a tile, unless a line has more."""

LEVEL = 6
"""Of gzip: higher ones take ten times as long for a percent less."""

LIMIT = 1 << 31
"""Bytes of a heap that descriptors of 32 bits can point into."""

READ = ("GZIP_1", "GZIP_2")
"""Ways of compression that are read."""

STRUCTURE = ("XTENSION", "BITPIX", "PCOUNT", "GCOUNT", "CHECKSUM", "DATASUM")


def is_compressed(hdu: Any) -> bool:
    """Whether an HDU is an image in compressed tiles.

    Parameters
    ----------
    hdu : astropy.io.fits HDU
        Of a file that was opened with its tables as tables.

    Returns
    -------
    bool
    """
    return hdu.header.get("XTENSION") == "BINTABLE" and hdu.header.get("ZIMAGE", False) is True


def image_type(hdu: Any) -> tuple[np.dtype, tuple[int, ...]]:
    """Type and shape of an image, compressed or not, as it is stored without compression.

    Parameters
    ----------
    hdu : astropy.io.fits HDU
        An image, or one in tiles.

    Returns
    -------
    (numpy.dtype, tuple of int)
        The former big-endian.

    Raises
    ------
    InputError
        The header does not tell.
    """
    before = "Z" if is_compressed(hdu) else ""
    try:
        count = hdu.header[f"{before}NAXIS"]
        shape = tuple(operator.index(hdu.header[f"{before}NAXIS{axis}"]) for axis in range(count, 0, -1))
        return BY_BITPIX[hdu.header[f"{before}BITPIX"]], shape
    except (KeyError, TypeError):
        raise InputError(f"{hdu.name} is damaged: {before}BITPIX and {before}NAXIS do not say what it is") from None


def write_tiles(file: BinaryIO, image: fits.Header, pieces: Iterable[np.ndarray], *, work: Work = ALONE) -> None:
    """Write an image in compressed tiles.

    Parameters
    ----------
    file : binary file object
        At its end; it can be sought.
    image : astropy.io.fits.Header
        Of the image as it would be without compression.
    pieces : iterable of ndarray
        Its pixels as FITS has them, one or several whole planes of two axes at a time, in order.
    work : rtools.work.Work
        Its threads compress.
    """
    shape = tuple(image[f"NAXIS{axis}"] for axis in range(image["NAXIS"], 0, -1))
    rows, columns = _tile_rows(shape), shape[-1]
    count = math.prod(shape) // (rows * columns)
    stored = abs(image["BITPIX"]) // 8 * math.prod(shape)
    wide = stored + 64 * count >= LIMIT  # more than what cannot be compressed takes
    place = file.tell()
    _write_header(file, image, (rows, count), np.zeros(count, int), wide=wide)
    start = file.tell()
    file.write(bytes(count * (16 if wide else 8)))
    sizes = []
    for piece in pieces:
        for packed in work.each(_packed, np.ascontiguousarray(piece).reshape(-1, rows, columns)):
            file.write(packed)
            sizes.append(len(packed))
    file.write(bytes((start - file.tell()) % BLOCK))
    end = file.tell()
    file.seek(place)
    _write_header(file, image, (rows, count), np.array(sizes), wide=wide)
    offsets = np.cumsum([0, *sizes[:-1]])
    file.write(np.stack([sizes, offsets], axis=1).astype(">i8" if wide else ">i4").tobytes())
    file.seek(end)


def _tile_rows(shape):
    """Rows of a tile, so that a plane has a whole number of them."""
    lines, columns = (1, *shape)[-2:]
    fitting = [rows for rows in range(1, lines + 1) if lines % rows == 0 and rows * columns <= LARGEST]
    return max(fitting, default=1)


def _packed(tile):
    """A tile byte by byte of its pixels, compressed; without a time, so that two runs write the same."""
    bytes_of_pixels = tile.reshape(-1).view(np.uint8).reshape(-1, tile.dtype.itemsize)
    return gzip.compress(np.ascontiguousarray(bytes_of_pixels.T).tobytes(), LEVEL, mtime=0)


def _write_header(file, image, tiles, sizes, *, wide):
    """Cards of the table, of the image that it stands for, and all others."""
    from astropy.io import fits

    (rows, count), letter = tiles, "Q" if wide else "P"
    made = fits.Header()
    made["XTENSION"] = "BINTABLE", "an image in compressed tiles"
    made["BITPIX"], made["NAXIS"] = 8, 2
    made["NAXIS1"], made["NAXIS2"] = 16 if wide else 8, count
    made["PCOUNT"], made["GCOUNT"], made["TFIELDS"] = int(sizes.sum()), 1, 1
    made["TTYPE1"], made["TFORM1"] = "COMPRESSED_DATA", f"1{letter}B({sizes.max()})"
    made["ZIMAGE"] = True, "this table is an image"
    made["ZTENSION"], made["ZBITPIX"], made["ZNAXIS"] = "IMAGE", image["BITPIX"], image["NAXIS"]
    for axis in range(1, image["NAXIS"] + 1):
        made[f"ZNAXIS{axis}"] = image[f"NAXIS{axis}"]
    made["ZPCOUNT"], made["ZGCOUNT"] = 0, 1
    for axis in range(1, image["NAXIS"] + 1):
        made[f"ZTILE{axis}"] = image["NAXIS1"] if axis == 1 else rows if axis == 2 else 1
    made["ZCMPTYPE"] = "GZIP_2", "lossless"
    if image["BITPIX"] < 0:
        made["ZQUANTIZ"] = "NONE", "lossless"
        made["ZNAME1"], made["ZVAL1"] = "NOISEBIT", 0  # without it astropy quantises when it writes edited pixels
    for card in image.cards:
        if card.keyword not in STRUCTURE and not card.keyword.startswith("NAXIS"):
            made.append(card, end=True)
    made["CHECKSUM"], made["DATASUM"] = "0" * 16, "0" * 10
    file.write(made.tostring().encode("ascii"))


def read_tiles(hdu: Any, descriptor: int, source: str | Path) -> np.ndarray:
    """Pixels of an image in compressed tiles, as an image without compression would have them.

    Parameters
    ----------
    hdu : astropy.io.fits.BinTableHDU
        One for which `is_compressed` is true.
    descriptor : int
        Of the FITS file, opened for reading.
    source : str or Path
        Its name, for messages.

    Returns
    -------
    ndarray
        Big-endian, whole, of all its axes.

    Raises
    ------
    InputError
        The way of compression is not one that loses nothing, or the table is damaged.
    """
    header, (dtype, shape) = hdu.header, image_type(hdu)
    way, quantised = str(header.get("ZCMPTYPE")).strip(), str(header.get("ZQUANTIZ", "NONE")).strip() != "NONE"
    columns = [str(header.get(f"TTYPE{number}")).strip() for number in range(1, header.get("TFIELDS", 0) + 1)]
    if way not in READ or columns != ["COMPRESSED_DATA"] or (header["ZBITPIX"] < 0 and quantised):
        how = "with loss, as ZQUANTIZ says" if quantised and way in READ else f"by {way}"
        raise InputError(f"{hdu.name} is compressed {how}", mend="funpack it first", path=source)
    try:
        out = np.empty(shape, dtype)
        for place, data in _tiles_of(header, shape, hdu.fileinfo()["datLoc"], descriptor):
            out[place] = _unpacked(data, out[place].shape, dtype, shuffled=way == "GZIP_2")
    except (ValueError, TypeError, KeyError, LookupError, OverflowError, MemoryError, OSError, zlib.error) as error:
        raise InputError(f"{hdu.name} is damaged ({' '.join(str(error).split())})", path=source) from None
    return out


def _tiles_of(header, shape, start, descriptor) -> Iterator[tuple[tuple[slice, ...], bytes]]:
    """Place and bytes of each tile."""
    width, count = header["NAXIS1"], header["NAXIS2"]
    tile = [header.get(f"ZTILE{axis}", header["ZNAXIS1"] if axis == 1 else 1) for axis in range(len(shape), 0, -1)]
    if min(tile, default=0) < 1 or width not in (8, 16):
        raise ValueError("its tiles have no size")
    grid = [range(0, length, step) for length, step in zip(shape, tile, strict=True)]
    if math.prod(map(len, grid)) != count:
        raise ValueError(f"it has {count} tiles")
    table = os.pread(descriptor, width * count, start)
    heap = start + header.get("THEAP", width * count)
    pairs = np.frombuffer(table, ">i8" if width == 16 else ">i4").reshape(count, 2).tolist()
    for (size, offset), number in zip(pairs, np.ndindex(*map(len, grid)), strict=True):
        if size < 0 or offset < 0 or offset + size > header["PCOUNT"]:
            raise ValueError("a tile lies outside of it")
        first = [axis[place] for axis, place in zip(grid, number, strict=True)]
        yield (
            tuple(slice(one, one + step) for one, step in zip(first, tile, strict=True)),
            os.pread(descriptor, size, heap + offset),
        )


def _unpacked(data, shape, dtype, *, shuffled):
    """The pixels of a tile."""
    wanted = math.prod(shape) * dtype.itemsize
    found = zlib.decompressobj(wbits=47).decompress(data, wanted + 1)  # 47: of zlib or gzip
    if len(found) != wanted:
        raise ValueError("a tile has another size")
    plain = np.frombuffer(found, np.uint8)
    if shuffled:
        plain = np.ascontiguousarray(plain.reshape(dtype.itemsize, -1).T)
    return plain.reshape(-1).view(dtype).reshape(shape)
