"""A product as a FITS file with everything in it: images, tables, and the tree in an ASDF extension.

Arrays go through memory one plane at a time; what stays inside the ASDF extension is in memory while it is written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools import __version__
from rtools.products.fits import edits as fits_edits
from rtools.products.fits import flags as fits_flags
from rtools.products.fits import keywords as fits_keywords
from rtools.products.fits import layout, pixel_types, tiles
from rtools.products.fits import tables as fits_tables
from rtools.products.fits.hdu_headers import image_header, tree_header
from rtools.products.io import encode, header, serial, temporary
from rtools.products.io.arrays import array_node
from rtools.products.io.encode import ArrayBytes
from rtools.products.io.reading import run_all
from rtools.products.io.staging import Stage
from rtools.products.schema import history, nodes
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["stage_fits"]

BLOCK = 2880

WINDOW = 1 << 24
"""Bytes of a cube that are read at a time where its planes are smaller."""

WITH_SKY = ("ERR", "DQ", "DQ2", "VAR_POISSON", "VAR_RNOISE", "VAR_FLAT", "VAR_SKY", "PIXELDQ", "CON", "WHT")
"""Planes beside SCI that may be given its WCS."""


def stage_fits(
    path: str | Path,
    product: Product,
    *,
    sky: Sequence[tuple[str, Any, str]] = (),
    sky_everywhere: bool = False,
    compressed: bool = False,
    told: bool = True,
    work: Work = ALONE,
    **layout_options: Any,
) -> Stage:
    """Write a product to a temporary FITS file next to its place.

    Parameters
    ----------
    path : str or Path
        Of the FITS file.
    product : rtools.products.io.product.Product
        Opened.
    sky : list of (str, value, str)
        Cards of the celestial WCS, for SCI.
    sky_everywhere : bool
        Repeat them in the other planes of the image.
    compressed : bool
        Store images and tree in compressed tiles (`fits_tiles`) and leave out the table META, which the tree repeats.
    told : bool
        Have the history say that this was done; not where the product has no file of its own.
    work : rtools.work.Work
        Its threads decode.
    **layout_options
        Of `fits_layout.extensions`.

    Returns
    -------
    rtools.products.io.staging.Stage
        To be committed or discarded; its `messages` are for the caller to tell.

    Raises
    ------
    InputError
        A kind of product without a FITS form, or a damaged one.
    RtoolsError
        The file cannot be written.
    """
    extensions = layout.extensions(product, **layout_options)
    translated = [extension.path for extension in extensions if extension.translated]
    tables = fits_tables.table_bytes(product, translated, meta=not compressed)
    science = fits_keywords.science_cards(product.meta) if any(one.name == "SCI" for one in extensions) else []
    stage = Stage(path)
    with stage.open() as file:
        _write_header(file, _primary(product, stage.path.name, science))
        dropped = set()
        for extension in extensions:
            cards = list(science) if extension.name == "SCI" else []
            if extension.name == "SCI" or (sky_everywhere and extension.name in WITH_SKY):
                cards = _marked(cards + _sky_cards(sky, len(extension.shape)))
            made = _image_cards(extension, cards)
            dropped |= _write_image(file, product, extension, made, work, compressed=compressed)
        if dropped:
            stage.messages.append(f"JWST has no like of the flags {', '.join(sorted(dropped))}")
        file.write(tables)
        _write_tree(file, *_tree(product, extensions, told=told), compressed=compressed)
        file.flush()
        _add_checksums(stage.temporary)
    return stage


def _primary(product, name, science):
    from astropy.io import fits

    made = fits.PrimaryHDU().header
    made.append(fits_keywords.card("FILENAME", name, "name of this file"), end=True)
    made["DATE"] = history.stamp(), "when it was written, UTC"
    for card in fits_keywords.primary_cards(product.meta):
        made.append(card, end=True)
    made[fits_edits.HASH] = fits_edits.fingerprint(made, fits.Header(science)), "of the keywords made from the tree"
    made.add_history(
        f"rt-fits (rtools {__version__}): FITS form of an ASDF product, whose tree is in the extension ASDF"
    )
    return made


def _sky_cards(sky, naxis):
    if not sky or naxis == 2:
        return list(sky)
    first, *more = fits_keywords.cube_cards(naxis)
    return [first, *(card for card in sky if card[0] != first[0]), *more]


def _marked(cards):
    """Cards of the WCS with what tells later whether somebody edited them."""
    from astropy.io import fits

    mark = fits_edits.sky_fingerprint(fits.Header(cards))
    return [*cards, (fits_edits.SKY_HASH, mark, "of the WCS")] if mark else cards


def _write_header(file, made):
    """A header with room for its checksums."""
    fits_tables.reserve_checksum(made)
    file.write(made.tostring().encode("ascii"))


def _image_cards(extension, cards):
    """Header of one array."""
    made = image_header(extension.name, extension.dtype, extension.shape, flipped=extension.flipped)
    if np.dtype(extension.dtype) == np.float16 or (extension.dtype in pixel_types.ZEROS and not extension.flipped):
        made["RT_DTYPE"] = extension.dtype, "type of the array in the ASDF product"
    if extension.ndim != len(extension.shape):
        made["RT_NDIM"] = extension.ndim, "dimensions of the array there"
    if extension.unit:
        made["BUNIT"] = fits_keywords.card_value(extension.unit), "unit of the pixels"
    for card in cards:
        made.append(card, end=True)
    return made


def _write_image(file, product, extension, made, work, *, compressed):
    """Header and planes of one array; the names of flags that were lost in translation."""
    run_all(product.checks([extension.path]), work)
    dropped: set[str] = set()
    planes = _planes(product, extension, dropped, work)
    if compressed and _can_be_compressed(made):
        tiles.write_tiles(file, made, planes, work=work)
        return dropped
    _write_header(file, made)
    start = file.tell()
    for plane in planes:
        file.write(plane.data)
    _pad(file, start)
    return dropped


def _can_be_compressed(made):
    """Whether tiles make it smaller, and other programs read them: cfitsio has none of integers of 64 bits."""
    if made["NAXIS"] < 2 or made["BITPIX"] == 64:
        return False
    return abs(made["BITPIX"]) // 8 * math.prod(made[f"NAXIS{axis}"] for axis in range(1, made["NAXIS"] + 1)) > BLOCK


def _planes(product, extension, dropped, work):
    """Pixels of an array as the file has them, some planes at a time; adds names of flags that are lost to a set."""
    stored = pixel_types.stored_dtype(extension.dtype)
    lines = product.arrays[extension.path].shape[0]
    step = lines if extension.ndim < 3 else max(1, WINDOW // (math.prod(extension.shape[-2:]) * stored.itemsize))
    for line in range(0, lines, step):
        plane = np.ascontiguousarray(product.rows(extension.path, line, min(line + step, lines), work))
        if extension.translated:
            dropped |= set(fits_flags.lost(plane))
            plane = fits_flags.translate(plane)
        yield pixel_types.encode(plane, flipped=extension.flipped)


def _pad(file, start):
    file.write(bytes((start - file.tell()) % BLOCK))


def _write_tree(file, head, blocks, *, compressed):
    """The extension ASDF: a table of one row that is an ASDF file, or its bytes as an image in one compressed tile."""
    if compressed:
        with temporary.file(".asdf") as whole:
            whole.write(head)
            encode.write_blocks(whole, blocks, compression="none")
            whole.seek(0)
            content = np.frombuffer(whole.read(), np.uint8)
        made = image_header("ASDF", content.dtype, content.shape, flipped=False)
        tiles.write_tiles(file, made, [content])
        return
    place = file.tell()
    _write_header(file, tree_header(0))
    start = file.tell()
    file.write(head)
    encode.write_blocks(file, blocks, compression="none")
    size = file.tell() - start
    _pad(file, start)
    end = file.tell()
    file.seek(place)
    _write_header(file, tree_header(size))
    file.seek(end)


def _tree(product, extensions, *, told):
    """YAML of the whole tree, and the blocks of the arrays that stay inside."""
    exported = {extension.path: extension for extension in extensions if not extension.translated}
    blocks = []

    def place(node, path):
        if path.startswith("roman.") and path[6:] in exported:
            return exported[path[6:]].node
        if "source" not in node:
            return node
        array = node.load()
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        blocks.append(ArrayBytes(array))
        kept = {key: value for key, value in node.items() if key not in ("offset", "strides")}
        return nodes.TaggedDict(kept | array_node(array, len(blocks) - 1), node.tag)

    whole = header.read_header(product.path)[0] | {"roman": product.tree}
    product.attach(whole)
    tree = layout.rewritten(whole, place)
    continued = layout.continued_history(product, product.path, told=told)
    head, _inner = serial.dump(
        serial.to_asdf(tree.pop("roman"), None, raw=True),
        beside=serial.to_asdf(tree, None, raw=True),
        history=continued.entries,
        extensions=continued.extensions,
    )
    return head, blocks


def _add_checksums(path):
    """Fill in CHECKSUM and DATASUM of every HDU, in place."""
    from astropy.io import fits

    with fits.open(
        path, mode="update", memmap=False, do_not_scale_image_data=True, disable_image_compression=True
    ) as hdus:
        for hdu in hdus:
            hdu.add_checksum()
