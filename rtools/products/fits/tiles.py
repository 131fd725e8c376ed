"""Images in compressed tiles (FITS 4.0, section 10): a table with a row for each tile, whose bytes stand in its heap.

Tiles are written by GZIP_2 without quantisation, which loses nothing: the first bytes of all pixels, then the second
ones, go through gzip together. What floats of 16 bits leave empty in 32 thus weighs nothing. astropy and cfitsio
read it as an image. DS9's source takes all tiles for equally large, so no tile is cut off at the upper edge.
"""

from __future__ import annotations

import gzip
import itertools
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


def read_tiles(hdu: Any, descriptor: int, source: str | Path, span: tuple[int, int] | None = None) -> np.ndarray:
    """Pixels of an image in compressed tiles, as an image without compression would have them.

    Parameters
    ----------
    hdu : astropy.io.fits.BinTableHDU
        One for which `is_compressed` is true.
    descriptor : int
        Of the FITS file, opened for reading.
    source : str or Path
        Its name, for messages.
    span : (int, int), optional
        The first pixel and the one behind the last, counted through; only their tiles are read. By default all.

    Returns
    -------
    ndarray
        Big-endian: the image with all its axes, or the pixels of the span on one.

    Raises
    ------
    InputError
        The way of compression is not one that loses nothing, or the table is damaged.
    """
    dtype, shape = image_type(hdu)
    shuffled = _way_of(hdu, source) == "GZIP_2"
    try:
        tile, whole = _tile_of(hdu.header, shape), (0, math.prod(shape))
        along = span is not None and _in_order(tile, shape)
        start, stop = span if span is not None and along else whole
        out = np.empty(stop - start if along else shape, dtype)
        for place, first, data in _tiles_of(hdu, tile, shape, (start, stop), descriptor):
            found = _unpacked(data, [one.stop - one.start for one in place], dtype, shuffled=shuffled)
            if along:
                begin, end = max(first, start), min(first + found.size, stop)
                out[begin - start : end - start] = found.reshape(-1)[begin - first : end - first]
            else:
                out[place] = found
    except (ValueError, TypeError, KeyError, LookupError, OverflowError, MemoryError, OSError, zlib.error) as error:
        raise InputError(f"{hdu.name} is damaged ({' '.join(str(error).split())})", path=source) from None
    return out if span is None or along else out.reshape(-1)[slice(*span)]


def _way_of(hdu, source):
    """How an image is compressed, if that loses nothing."""
    header = hdu.header
    way, quantised = str(header.get("ZCMPTYPE")).strip(), str(header.get("ZQUANTIZ", "NONE")).strip() != "NONE"
    columns = [str(header.get(f"TTYPE{number}")).strip() for number in range(1, header.get("TFIELDS", 0) + 1)]
    if way not in READ or columns != ["COMPRESSED_DATA"] or (header["ZBITPIX"] < 0 and quantised):
        how = "with loss, as ZQUANTIZ says" if quantised and way in READ else f"by {way}"
        raise InputError(f"{hdu.name} is compressed {how}", mend="funpack it first", path=source)
    return way


def _tile_of(header, shape):
    """Lengths of a tile along the axes of its image, slowest first."""
    lengths = [header.get(f"ZTILE{axis}", header["ZNAXIS1"] if axis == 1 else 1) for axis in range(len(shape), 0, -1)]
    if min(lengths, default=0) < 1:
        raise ValueError("its tiles have no size")
    return lengths


def _in_order(tile, shape):
    """Whether a tile holds pixels that follow each other in the image: whole lines, or whole planes."""
    axis = next((number for number, length in enumerate(tile) if length > 1), len(tile))
    return all(tile[number] >= shape[number] for number in range(axis + 1, len(tile)))


def _tiles_of(hdu, tile, shape, wanted, descriptor) -> Iterator[tuple[tuple[slice, ...], int, bytes]]:
    """Place, number of the first pixel, and bytes of each tile in which there are pixels of a span."""
    header, start = hdu.header, hdu.fileinfo()["datLoc"]
    width, count = header["NAXIS1"], header["NAXIS2"]
    grid = [range(0, length, step) for length, step in zip(shape, tile, strict=True)]
    if math.prod(map(len, grid)) != count or width not in (8, 16):
        raise ValueError(f"it has {count} tiles")
    table = os.pread(descriptor, width * count, start)
    heap = start + header.get("THEAP", width * count)
    pairs = np.frombuffer(table, ">i8" if width == 16 else ">i4").reshape(count, 2).tolist()
    steps = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    for (size, offset), corner in zip(pairs, itertools.product(*grid), strict=True):
        place = tuple(
            slice(one, min(one + step, length)) for one, step, length in zip(corner, tile, shape, strict=True)
        )
        first = sum(one * step for one, step in zip(corner, steps, strict=True))
        if first >= wanted[1] or first + math.prod(one.stop - one.start for one in place) <= wanted[0]:
            continue
        if size < 0 or offset < 0 or offset + size > header["PCOUNT"]:
            raise ValueError("a tile lies outside of it")
        yield place, first, os.pread(descriptor, size, heap + offset)


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
