"""A FITS file of `fits_write` as the ASDF product it was: images back in their places in the tree.

Pixels come from the image extensions, chunk by chunk; everything else from the ASDF extension. A FITS file without it
has lost its tree (`fits_lossy`).
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.products.fits import layout, pixel_types, tiles
from rtools.products.io import foreign, open_product, serial, staging, temporary
from rtools.products.io.arrays import array_node, dtype_of
from rtools.products.io.encode import ArrayBytes
from rtools.products.io.fits_headers import read_headers
from rtools.products.schema import history, nodes
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from astropy.io import fits

    from rtools.products.io.product import Product
    from rtools.products.io.staging import Stage

__all__ = ["embedded", "image_of", "is_picture", "open_fits", "pixels_of", "stage_asdf"]

COPIED = 1 << 24
"""Bytes copied at a time."""


@contextlib.contextmanager
def open_fits(path: str | Path) -> Iterator[fits.HDUList]:
    """The HDUs of a FITS file, pixels as they are stored.

    Parameters
    ----------
    path : str or Path
        The FITS file.

    Yields
    ------
    astropy.io.fits.HDUList

    Raises
    ------
    InputError
        Not FITS, truncated, or a header says what cannot be.
    """
    from astropy.io import fits

    read_headers(path)  # astropy believes what stands there: it would count two billion axes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            hdus = fits.open(path, do_not_scale_image_data=True, lazy_load_hdus=False, disable_image_compression=True)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, fits.VerifyError) as error:
            raise InputError(f"cannot be read as FITS ({' '.join(str(error).split())})", path=path) from None
    with hdus:
        _refuse_truncated(path, hdus)
        try:
            yield hdus
        except fits.VerifyError as error:  # a card is parsed when it is asked for
            raise InputError(f"a bad header: {' '.join(str(error).split())}", path=path) from None


def _refuse_truncated(path, hdus):
    """Every HDU is whole, with what fills up its last block of 2880 bytes, and no piece of a further one follows."""
    lost = [number for number, hdu in enumerate(hdus) if not hasattr(hdu, "fileinfo")]  # astropy could not make it out
    if lost:
        raise InputError(f"the header of its extension {lost[0]} is damaged", path=path)
    places = [hdu.fileinfo() for hdu in hdus]
    size, end = os.path.getsize(path), max(place["datLoc"] + place["datSpan"] for place in places)
    if end > size:
        raise InputError(f"truncated: {end - size} bytes are missing", path=path)
    with open(path, "rb") as file:
        file.seek(end)
        if file.read(8) == b"XTENSION":
            raise InputError("truncated in the header of an extension", path=path)


def stage_asdf(
    path: str | Path,
    source: str | Path,
    hdus: fits.HDUList,
    product: Product,
    *,
    parameters: Mapping[str, Any] | None = None,
    compression: str | None = None,
    work: Work = ALONE,
) -> Stage:
    """Write the product that a FITS file holds to a temporary ASDF file next to its place.

    Parameters
    ----------
    path, source : str or Path
        The ASDF file to be, and the FITS file.
    hdus : astropy.io.fits.HDUList
        Of `open_fits`.
    product : rtools.products.io.product.Product
        Of `embedded`.
    parameters : mapping, optional
        For the entry of the history.
    compression : str, optional
        By default lz4, none for ramps.
    work : rtools.work.Work
        Its threads compress and write.

    Returns
    -------
    rtools.products.io.staging.Stage

    Raises
    ------
    InputError
        The images are not those that the tree wants.
    """
    with open(source, "rb") as pixels:
        tree, sources = _tree(product, hdus, pixels.fileno(), source)
        roman = tree.pop("roman")
        _stamp(roman["meta"], path)
        continued = layout.continued_history(product, source, parameters)
        head, _inner = serial.dump(
            serial.to_asdf(roman, None, raw=True),
            beside=serial.to_asdf(tree, None, raw=True),
            history=continued.entries,
            extensions=continued.extensions,
        )
        compression = compression or ("none" if product.kind in ("l1_uncal", "ramp") else "lz4")
        stage = staging.Stage(path)
        with stage.open() as file:
            staging.write_file(file, head, b"", sources, compression=compression, work=work)
        return stage


@contextlib.contextmanager
def embedded(source: str | Path, hdus: fits.HDUList) -> Iterator[Product]:
    """The ASDF extension as an opened product; its arrays that are images have string sources.

    Parameters
    ----------
    source : str or Path
        The FITS file.
    hdus : astropy.io.fits.HDUList
        Of `open_fits`.

    Returns
    -------
    Product
        Of a temporary copy that is removed at the end.

    Raises
    ------
    InputError
        There is none, or it is damaged.
    """
    from astropy.io import fits

    foreign.refuse_jwst(source)
    found = [hdu for hdu in hdus if hdu.name == "ASDF"]
    if not found:
        only_tables = not any(is_picture(hdu) for hdu in hdus)
        mend = layout.CATALOGS if only_tables else "--lossy makes a product of its keywords"
        raise InputError("a FITS file without the extension ASDF", mend=mend, path=source)
    if not isinstance(found[-1], fits.BinTableHDU | fits.ImageHDU):
        raise InputError("its extension ASDF is not a table", path=source)
    with temporary.file(".asdf") as file, open(source, "rb") as stored:
        _copy_tree(file, stored, found[-1], source)
        file.flush()
        try:
            with open_product(file.name) as product:
                yield product
        except InputError as error:
            if str(error.path) == file.name:
                raise InputError(f"its extension ASDF: {error.message}", path=source) from None
            raise


def _copy_tree(file, stored, hdu, source):
    """Write the ASDF file that an extension holds, which may be compressed."""
    if tiles.is_compressed(hdu):
        file.write(tiles.read_tiles(hdu, stored.fileno(), source).tobytes())
        return
    stored.seek(hdu.fileinfo()["datLoc"])
    count = math.prod(tiles.image_type(hdu)[1])
    while count > 0 and (data := stored.read(min(COPIED, count))):
        file.write(data)
        count -= len(data)


def is_picture(hdu: Any) -> bool:
    """Whether an HDU has pixels, compressed or not; the extension ASDF has none.

    Parameters
    ----------
    hdu : astropy.io.fits HDU
        Of `open_fits`.

    Returns
    -------
    bool
    """
    from astropy.io import fits

    if hdu.name == "ASDF":
        return False
    return tiles.is_compressed(hdu) or (isinstance(hdu, fits.ImageHDU | fits.PrimaryHDU) and bool(hdu.shape))


def _tree(product, hdus, descriptor, source):
    """The whole tree with arrays in blocks of its own, and the sources of these."""
    from rtools.products.io import header

    sources = []

    def place(node, path):
        if isinstance(node.get("source"), str):
            made, shape, dtype = _image(node, hdus, descriptor, source)
        elif "source" in node:
            array = node.load()
            array = array.astype(array.dtype.newbyteorder("="), copy=False)
            made, shape, dtype = ArrayBytes(array), array.shape, array.dtype
        else:
            return node
        sources.append(made)
        kept = {key: value for key, value in node.items() if key not in ("offset", "strides")}
        like = np.broadcast_to(np.zeros((), dtype), shape)
        return nodes.TaggedDict(kept | array_node(like, len(sources) - 1), node.tag)

    whole = header.read_header(product.path)[0] | {"roman": product.tree}
    product.attach(whole)
    return layout.rewritten(whole, place), sources


def _image(node, hdus, descriptor, source):
    """Bytes, shape and type of the array that a node with a source like ``fits:SCI,1`` stands for."""
    hdu = _resolve(node["source"], hdus, source)
    made = _Pixels(hdu, descriptor, source)
    told = dtype_of(node["datatype"])
    if made.told != told or list(node["shape"]) != list(made.axes):
        raise InputError(
            f"{hdu.name} is {made.told} {made.axes}, its tree wants {told} {tuple(node['shape'])}",
            mend="keep the type and shape of the images",
            path=source,
        )
    return made, made.shape, made.dtype


def image_of(node: nodes.TaggedDict, hdus: fits.HDUList, descriptor: int, source: str | Path) -> np.ndarray:
    """The array that a node with a source like ``fits:SCI,1`` stands for, whole.

    Parameters
    ----------
    node : nodes.TaggedDict
        ndarray node of the extension ASDF.
    hdus : astropy.io.fits.HDUList
        Of `open_fits`.
    descriptor : int
        Of the FITS file, opened for reading.
    source : str or Path
        Its name, for messages.

    Returns
    -------
    ndarray
        With the type and shape that it had, in native byte order.

    Raises
    ------
    InputError
        There is no such image, or it is not what the node says.
    """
    pixels, shape, dtype = _image(node, hdus, descriptor, source)
    return np.frombuffer(pixels[:], dtype).reshape(shape)


def _resolve(text, hdus, source):
    name, _, version = text.removeprefix("fits:").rpartition(",")
    name, version = (name, version) if name else (version, "")
    try:
        return hdus[int(name)] if name.isdigit() and not version else hdus[name, int(version or 1)]
    except (KeyError, IndexError, ValueError):
        raise InputError(f"the extension {text.removeprefix('fits:')} is missing", path=source) from None


def pixels_of(hdu: Any, descriptor: int, source: str | Path) -> np.ndarray:
    """The array of an image extension, with the type and dimensions that it had.

    Parameters
    ----------
    hdu : astropy.io.fits.ImageHDU
        Image extension of `open_fits`.
    descriptor : int
        Of the FITS file, opened for reading.
    source : str or Path
        Its name, for messages.

    Returns
    -------
    ndarray
        In native byte order.

    Raises
    ------
    InputError
        It is no image, or is scaled.
    """
    pixels = _Pixels(hdu, descriptor, source)
    return np.frombuffer(pixels[:], pixels.dtype).reshape(pixels.shape)


class _Pixels:
    """The bytes of an image extension as those of the array it was made of, decoded piece by piece.

    Attributes
    ----------
    told : dtype
        What a reader of FITS takes the pixels for.
    axes : tuple of int
        Shape of the image.
    dtype, shape
        Of the array.
    """

    compression = None

    def __init__(self, hdu, descriptor, source):
        if not is_picture(hdu):
            raise InputError(f"{hdu.name} is not an image", path=source)
        made, (self.stored, self.axes) = hdu.header, tiles.image_type(hdu)
        native = self.stored.newbyteorder("=").name
        zero = made.get("BZERO", 0)
        shifted = {(pixel_types.STORED[name], value): name for name, value in pixel_types.ZEROS.items()}
        self.flipped = (self.stored.str[1:], zero) in shifted
        if made.get("BSCALE", 1) != 1 or (zero != 0 and not self.flipped):
            raise InputError(f"{hdu.name} is scaled by BSCALE, BZERO", mend="store the values themselves", path=source)
        self.told = np.dtype(shifted[self.stored.str[1:], zero] if self.flipped else native)
        self.dtype = np.dtype(made.get("RT_DTYPE", self.told.name))
        self.shape = tuple(self.axes[len(self.axes) - made.get("RT_NDIM", len(self.axes)) :])
        self.nbytes = int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize
        self._place = hdu, descriptor, source

    def __getitem__(self, span):
        start, stop = (place // self.dtype.itemsize for place in span.indices(self.nbytes)[:2])
        raw = self._stored(start, stop)
        return pixel_types.decode(raw, self.dtype, flipped=self.flipped).view(np.uint8).data

    def _stored(self, start, stop):
        """Pixels as they are stored."""
        hdu, descriptor, source = self._place
        if tiles.is_compressed(hdu):
            return tiles.read_tiles(hdu, descriptor, source, (start, stop))
        width = self.stored.itemsize
        raw = os.pread(descriptor, (stop - start) * width, hdu.fileinfo()["datLoc"] + start * width)
        return np.frombuffer(raw, self.stored)


def _stamp(meta, path):
    """Name and date of the file, where its kind has them."""
    for key, value in (("filename", os.path.basename(path)), ("file_date", history.stamp())):
        if isinstance(meta.get(key), str):
            tag = getattr(meta[key], "tag", None)
            meta[key] = nodes.TaggedStr(value, tag) if tag else value
        elif key in meta:
            meta[key] = nodes.time(value)
