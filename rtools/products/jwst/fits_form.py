"""The FITS file that an ASDF file of `rtools.products.jwst.asdf_form` was made of, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError, RtoolsError
from rtools.products.fits import pixel_types
from rtools.products.io import Product, header, staging
from rtools.products.io.arrays import ArrayInfo, array_info
from rtools.products.io.fits_headers import BLOCK, header_values
from rtools.products.io.reading import run_all
from rtools.products.jwst.asdf_form import HEADERS, REST, ROOT, header_of
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.records import as_rows
from rtools.products.schema import nodes
from rtools.work import ALONE, Work

__all__ = ["require_same_bytes", "stage_jwst_fits", "tree_of_form"]

PIECE = 1 << 24
"""Bytes of an array that are in memory at a time, where its planes are smaller."""

PARTS = ("data", "heap", "fill", "text")
"""Keys of an entry of the list of headers that are arrays."""


def tree_of_form(path: str | Path) -> dict[str, Any] | None:
    """What stands below the root of an ASDF file that was made of a FITS file of JWST.

    Parameters
    ----------
    path : str or Path
        An ASDF file; its header is read.

    Returns
    -------
    dict or None
        None for any other ASDF file.

    Raises
    ------
    InputError
        The file is damaged, or its list of headers is.
    """
    tree = header.read_header(path, cut_loops=True)[0].get(ROOT)
    if not isinstance(tree, dict) or HEADERS not in tree:
        return None
    listed = tree[HEADERS]
    good = isinstance(listed, list) and all(isinstance(one, dict) and _has_cards(one) for one in listed)
    if not good or not listed:
        raise InputError(f"{ROOT}.{HEADERS} is no list of headers with their cards", path=path)
    return tree


def _has_cards(entry):
    cards = entry.get("cards")
    return isinstance(cards, list) and all(isinstance(card, str) and len(card) <= 80 for card in cards)


def stage_jwst_fits(path: str | Path, source: str | Path, work: Work = ALONE) -> staging.Stage:
    """Write the FITS file to a temporary file next to its place.

    Parameters
    ----------
    path : str or Path
        The FITS file to be.
    source : str or Path
        The ASDF file.
    work : rtools.work.Work
        Its threads decode.

    Returns
    -------
    rtools.products.io.staging.Stage
        To be committed or discarded.

    Raises
    ------
    InputError
        The ASDF file is damaged or none of JWST, or an array is not what its header says.
    RtoolsError
        The file cannot be written.
    """
    stage = staging.Stage(path)
    with stage.open() as file:
        for piece in _pieces(source, work):
            file.write(piece)
    return stage


def require_same_bytes(asdf_path: str | Path, fits_path: str | Path, work: Work = ALONE) -> None:
    """Make sure that an ASDF file gives a FITS file back, byte by byte; nothing is written.

    Parameters
    ----------
    asdf_path, fits_path : str or Path
        Both files.
    work : rtools.work.Work
        Its threads decode.

    Raises
    ------
    RtoolsError
        It does not; tells the first byte that differs.
    """
    place = 0
    with open(fits_path, "rb") as file:
        for piece in _pieces(asdf_path, work):
            known, made = np.frombuffer(file.read(len(piece)), np.uint8), np.frombuffer(piece, np.uint8)
            same = min(len(known), len(made))
            differs = np.flatnonzero(known[:same] != made[:same])
            if differs.size or len(known) < len(made):
                place += int(differs[0]) if differs.size else same
                break
            place += same
        else:
            if not file.read(1):
                return
    raise RtoolsError(f"does not come back as it was: byte {place} differs", mend="please report this")


def _pieces(source: str | Path, work: Work) -> Iterator[bytes]:
    """The whole FITS file, piece by piece."""
    tree = tree_of_form(source)
    if tree is None:
        raise InputError("no ASDF file that rt-fits made of a FITS file of JWST", path=source)
    blocks = header.read_header(source, cut_loops=True)[2]
    found = {f"{number}_{part}": entry[part] for number, entry in enumerate(tree[HEADERS]) for part in PARTS
             if nodes.is_array(entry.get(part))}  # fmt: skip
    if nodes.is_array(tree.get(REST)):
        found[REST] = tree[REST]
    with Product(source, "other", "", nodes.TaggedDict(found), {}, blocks) as arrays:
        infos = {name: array_info(node, blocks) for name, node in found.items()}
        for number, entry in enumerate(tree[HEADERS]):
            yield from _of_hdu(arrays, infos, number, entry, work)
        if REST in found:
            yield arrays.array(REST, work).tobytes()


def _of_hdu(arrays: Product, infos: dict[str, ArrayInfo], number: int, entry: dict, work: Work) -> Iterator[bytes]:
    """Header and data of one HDU."""

    def part(name):
        return arrays.array(f"{number}_{name}", work).tobytes() if f"{number}_{name}" in infos else b""

    text = part("text") or header_of(entry["cards"])
    yield text
    hdu = JwstHdu(number, str(entry.get("name")), 1, header_values(text), text, 0, 0, 0)
    name, size = f"{number}_data", 0
    pieces: Iterator[bytes] = iter(())
    if name in infos:
        run_all(arrays.checks([name]), work)
        pieces = (_image if hdu.is_image else _rows)(arrays, name, hdu, work)
    for piece in pieces:
        size += len(piece)
        yield piece
    heap = part("heap")
    yield heap
    size += len(heap)
    if size != hdu.size:
        raise InputError(f"{hdu.name}: {size} bytes of data, {hdu.size} by its header", path=arrays.path)
    yield part("fill") or bytes(-size % BLOCK)


def _image(arrays, name, hdu, work):
    """Pixels as the file has them, planes by planes."""
    wanted = hdu.stored.newbyteorder("=") if hdu.is_scaled else hdu.dtype
    info = arrays.arrays[name]
    if (info.dtype.newbyteorder("="), info.shape) != (wanted, hdu.shape):
        told = f"{hdu.name} is {info.dtype} {info.shape}, by its header {wanted} {hdu.shape}"
        raise InputError(told, mend="keep the types and shapes of the arrays", path=arrays.path)
    step = max(1, PIECE // max(1, info.nbytes // info.shape[0]))
    for first in range(0, info.shape[0], step):
        plane = np.ascontiguousarray(arrays.rows(name, first, min(first + step, info.shape[0]), work))
        yield pixel_types.encode(plane, flipped=hdu.is_unsigned).tobytes()


def _rows(arrays, name, hdu, work):
    """Rows of a table, or the bytes of what is neither table nor image."""
    stored = arrays.array(name, work)
    if not hdu.is_table or (stored.ndim == 1 and stored.dtype == np.uint8 and stored.dtype.names is None):
        yield stored.tobytes()
        return
    rows = as_rows(stored, hdu.values)
    if rows is None:
        raise InputError(f"{hdu.name}: its rows are not those that its header describes", path=arrays.path)
    yield rows.tobytes()
