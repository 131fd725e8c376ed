"""A FITS file of JWST as an ASDF file with all that it holds, and how such a file is told.

Below the root ``jwst`` stands the tree of the data model (``meta`` …), with arrays and tables in the places where it
refers to HDUs; an HDU that it does not know has its name in the data model. ``fits_headers`` lists the HDUs in order:
``name``, ``version``, ``cards`` (texts of 80 characters without the blanks at their end), and ``data``, the same array
once more, which takes no room. What few files have is there where it is needed: ``heap`` of a table, ``fill`` (what
fills up the last block, where that is not zeros), ``text`` (a header whose end is not blanks). The extension ASDF is
an array of bytes, and stands as it was. `rtools.products.jwst.fits_form` is the way back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.products.fits import layout, pixel_types
from rtools.products.io import Product, header, serial, staging, temporary
from rtools.products.io.arrays import array_node
from rtools.products.io.encode import ArrayBytes, BlockSource, FileBytes
from rtools.products.io.fits_headers import BLOCK, CARD
from rtools.products.jwst.hdus import JwstHdu, read_spans
from rtools.products.jwst.product import TREE, JwstProduct
from rtools.products.jwst.records import as_records
from rtools.products.schema import history, nodes
from rtools.work import ALONE, Work

__all__ = ["HEADERS", "REST", "ROOT", "cards_of", "header_of", "stage_jwst_asdf"]

ROOT = "jwst"
"""Key of the root."""

HEADERS = "fits_headers"
"""Key of the list of HDUs below the root."""

REST = "fits_rest"
"""Key of the bytes behind the last HDU, in files that have any."""

EXTENSION = "asdf_extension"
"""Name of the bytes of the extension ASDF."""

RAMPS = ("uncal", "ramp")
"""Kinds that are not compressed unless it is asked for; what they hold does not become smaller."""


class _Pixels:
    """Pixels of an image, decoded piece by piece to the type that a reader sees; with BSCALE those that are stored."""

    compression = None

    def __init__(self, descriptor: int, hdu: JwstHdu) -> None:
        self.dtype = hdu.stored.newbyteorder("=") if hdu.is_scaled else hdu.dtype
        self.shape = hdu.shape
        self.nbytes = int(np.prod(hdu.shape, dtype=np.int64)) * hdu.stored.itemsize
        self._place = descriptor, hdu.data
        self._stored, self._flipped = hdu.stored, hdu.is_unsigned

    def __getitem__(self, span):
        start, stop, _step = span.indices(self.nbytes)
        descriptor, offset = self._place
        raw = np.frombuffer(os.pread(descriptor, stop - start, offset + start), self._stored)
        return pixel_types.decode(raw, self.dtype, flipped=self._flipped).view(np.uint8).data


def stage_jwst_asdf(
    path: str | Path, product: JwstProduct, *, compression: str | None = None, work: Work = ALONE
) -> staging.Stage:
    """Write a FITS file of JWST as ASDF to a temporary file next to its place.

    Parameters
    ----------
    path : str or Path
        The ASDF file to be.
    product : JwstProduct
        Opened; of FITS.
    compression : str, optional
        By default lz4, none for raw data and ramps.
    work : rtools.work.Work
        Its threads compress and write.

    Returns
    -------
    rtools.products.io.staging.Stage
        To be committed or discarded.

    Raises
    ------
    InputError
        The extension ASDF is damaged, or refers to an HDU that is not there.
    RtoolsError
        The file cannot be written.
    """
    sources: list[BlockSource] = []
    with open(product.path, "rb") as file, _tree_of(product) as (tree, about):
        entries = [_entry(hdu, file.fileno(), product, sources) for hdu in product.hdus]
        made = layout.rewritten(tree, lambda node, _path: _placed(node, entries, product, sources))
        _add_strangers(made, entries, product)
        made[HEADERS] = entries
        rest = _rest(product)
        if rest.size:
            made[REST] = _stored(rest, sources)
        told = about.get("history") or {}
        known = told.get("extensions", []) if isinstance(told, dict) else []
        entry = history.entry("rt-fits", inputs=[str(product.path)], is_edit=True)
        head, _inner = serial.dump(
            serial.to_asdf(made, None, raw=True), history=[*_entries(told), entry], extensions=known, root=ROOT
        )
        stage = staging.Stage(path)
        way = compression or ("none" if product.kind in RAMPS else "lz4")
        with stage.open() as written:
            staging.write_file(written, head, b"", sources, compression=way, work=work)
    return stage


@contextmanager
def _tree_of(product: JwstProduct) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Tree of the data model whose arrays load themselves, and its history; of keywords where there is no tree."""
    content = product.tree_bytes()
    if content is None:
        yield {"meta": product.meta}, {}
        return
    with temporary.file(".asdf") as file:
        file.write(content)
        file.flush()
        try:
            tree, about, blocks = header.read_header(file.name, cut_loops=True)
        except InputError as error:
            raise InputError(f"its extension ASDF: {error.message}", path=product.path) from None
        with Product(file.name, "other", "", tree, about, blocks) as inner:
            _drop_cut(tree, set())
            inner.attach(tree)
            yield dict(tree), about


def _drop_cut(node, seen):
    """Take out the empty nodes that stand where a transform is the inverse of its inverse.

    No such node could be read again. Of what is without one, the reader makes the inverse itself.
    """
    if id(node) in seen or not isinstance(node, dict | list):
        return
    seen.add(id(node))
    if isinstance(node, dict) and isinstance(node.get("inverse"), nodes.TaggedDict) and not node["inverse"]:
        del node["inverse"]
    for value in node.values() if isinstance(node, dict) else node:
        _drop_cut(value, seen)


def _entries(told):
    """Entries of a history as they can be written again."""
    listed = told.get("entries") or [] if isinstance(told, dict) else told
    return [nodes.plain(entry) for entry in listed]


def _entry(hdu, descriptor, product, sources):
    """What is kept of an HDU."""
    entry = {"name": hdu.name, "version": hdu.version, "cards": cards_of(hdu.text)}
    if header_of(entry["cards"]) != hdu.text:
        entry["text"] = _stored(np.frombuffer(hdu.text, np.uint8), sources)
    size = hdu.size
    if hdu.is_image and 0 not in hdu.shape:
        sources.append(_Pixels(descriptor, hdu))
        entry["data"] = array_node(np.broadcast_to(np.zeros((), sources[-1].dtype), hdu.shape), len(sources) - 1)
    elif hdu.is_table and hdu.name != TREE:
        width, count = hdu.values["NAXIS1"], hdu.values["NAXIS2"]
        rows = np.frombuffer(_bytes(product, hdu, 0, width * count), np.uint8).reshape(count, width)
        entry["data"] = _stored(as_records(rows, hdu.values), sources)
        if size > width * count:
            entry["heap"] = _stored(np.frombuffer(_bytes(product, hdu, width * count, size), np.uint8), sources)
    elif size:
        sources.append(FileBytes(descriptor, hdu.data, size))
        entry["data"] = array_node(np.broadcast_to(np.uint8(0), (size,)), len(sources) - 1)
    fill = _bytes(product, hdu, size, hdu.end - hdu.data)
    if fill.strip(b"\0"):
        entry["fill"] = _stored(np.frombuffer(fill, np.uint8), sources)
    return entry


def _bytes(product, hdu, start, stop):
    return b"".join(read_spans(product.path, [(hdu.data + start, hdu.data + stop)]))


def _stored(array, sources):
    """Node of an array in memory, which gets a block."""
    sources.append(ArrayBytes(array))
    return array_node(array, len(sources) - 1)


def _rest(product):
    size = os.path.getsize(product.path)
    return np.frombuffer(b"".join(read_spans(product.path, [(product.hdus[-1].end, size)])), np.uint8)


def cards_of(text: bytes) -> list[str]:
    """Cards of a header without END and without the blanks at their end.

    Parameters
    ----------
    text : bytes
        All blocks of the header.

    Returns
    -------
    list of str
    """
    cards = [text[place : place + CARD].decode("latin-1").rstrip(" ") for place in range(0, len(text), CARD)]
    return cards[: cards.index("END")]


def header_of(cards: list[str]) -> bytes:
    """The header that has these cards; the way back of `cards_of`.

    Parameters
    ----------
    cards : list of str
        Each of at most 80 characters.

    Returns
    -------
    bytes
        Whole blocks.
    """
    text = "".join(str(card).ljust(CARD) for card in [*cards, "END"]).encode("latin-1", "replace")
    return text + b" " * (-len(text) % BLOCK)


def _placed(node, entries, product, sources):
    """An array of the tree with its elements in this file."""
    source = node.get("source")
    if isinstance(source, str):
        entry = entries[_referred(source, product).number]
        if "data" not in entry:
            raise InputError(f"its tree refers to {source}, which has no data", path=product.path)
        return entry["data"]
    if source is None:
        return node
    array = node.load()
    made = _stored(array.astype(array.dtype.newbyteorder("="), copy=False), sources)
    return nodes.TaggedDict({key: node[key] for key in ("mask",) if key in node} | made, node.tag)


def _referred(source, product):
    """The HDU that a source like ``fits:SCI,1`` or, of older files, ``fits:3`` means."""
    name = source.removeprefix("fits:")
    if name.isdigit() and int(name) < len(product.hdus):
        return product.hdus[int(name)]
    return product.hdu(name.rpartition(",")[0] or name, int(name.rpartition(",")[2]) if "," in name else 1)


def _add_strangers(tree, entries, product):
    """Put what the tree does not refer to under its name in the data model, where nothing else has that."""
    placed: set[int] = set()
    layout.rewritten(tree, lambda node, _path: placed.add(id(node)))
    names = {product.hdu(name).number: name for name in product.arrays}
    for hdu, entry in zip(product.hdus, entries, strict=True):
        if "data" not in entry or id(entry["data"]) in placed:
            continue
        name = names.get(hdu.number) or (EXTENSION if hdu.name == TREE else hdu.name.lower())
        name = name if hdu.version == 1 or name.startswith("slits.") else f"{name}_{hdu.version}"
        tree.setdefault(name, entry["data"]) if not name.startswith("slits.") else _add_to_set(tree, name, entry)


def _add_to_set(tree, name, entry):
    """Put an array of a set (``slits.1.data``) into the list of sets, which grows where it is too short."""
    _slits, number, key = name.split(".")
    sets = tree.setdefault("slits", [])
    if isinstance(sets, list):
        sets += [{} for _ in range(int(number) + 1 - len(sets))]
        sets[int(number)].setdefault(key, entry["data"])
