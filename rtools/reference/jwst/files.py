"""A reference file of JWST as a source: FITS, of which only what is asked for is read; ASDF; JSON."""

from __future__ import annotations

from functools import cached_property
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np

from rtools.errors import InputError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.jwst.keywords import keyword_at
from rtools.jwst.readout import Subarray
from rtools.products.io import header
from rtools.products.jwst.flag_names import own_flags
from rtools.products.jwst.tables import read_hdu_rows
from rtools.reference.jwst.index import jwst_candidate_of
from rtools.reference.jwst.nominal import NominalReference
from rtools.reference.jwst.source import ARRAYS, EXTENSIONS, JwstSource, in_tree
from rtools.reference.jwst.types import JWST_TYPES

__all__ = ["JwstFileSource"]


ABOUT = ("asdf_library", "history", "meta", "reftype", "telescope", "instrument", "exp_type")
"""Keys of a tree that say what it is, not what it holds."""


class JwstFileSource(JwstSource):
    """One reference file, opened.

    Parameters
    ----------
    reftype : str
        The type it must be of.
    path : str or Path
        The reference file.
    origin : str
        ``file`` or ``crds``.
    part : Subarray, optional
        What of the detector is wanted of its planes; all that the file has by default.

    Raises
    ------
    InputError
        It cannot be read, is of another type, or does not have these pixels.
    """

    def __init__(self, reftype: str, path: str | Path, *, origin: str = "file", part: Subarray | None = None) -> None:
        self.type, self.origin, self.path = reftype, origin, Path(path).resolve()
        self.candidate = jwst_candidate_of(path)
        if self.candidate.type != reftype:
            found = f"reference of type {self.candidate.type}" if self.candidate.type else "no reference of JWST"
            raise InputError(f"{'a ' if self.candidate.type else ''}{found}, not {reftype}", path=path)
        self._cut = self._cut_to(part)

    def _cut_to(self, part):
        """Rows and columns of the file's planes that are wanted; None for all."""
        kind, place = JWST_TYPES[self.type], self.candidate.place
        if not kind.is_plane or part is None:
            return None
        if place is None:
            raise InputError("this reference does not say where its pixels lie", path=self.path)
        x, y, columns, rows = place
        left, low = part.x - x, part.y - y
        inside = left >= 0 and low >= 0 and left + part.columns <= columns and low + part.rows <= rows
        if not inside or (kind.exact and (part.columns, part.rows) != (columns, rows)):
            what = "does not have" if not inside else "has more than"
            has, read = f"{columns} x {rows} from {x}, {y}", f"{part.columns} x {part.rows} from {part.x}, {part.y}"
            raise InputError(
                f"this {self.type} reference {what} the pixels of {part.name}: it has {has}, of which {read} are read",
                path=self.path,
            )
        return slice(low, low + part.rows), slice(left, left + part.columns)

    @cached_property
    def _product(self):
        from rtools.products.jwst.opening import open_jwst

        return open_jwst(self.path, others=True)

    @property
    def _is_fits(self):
        return self.path.suffix.lower() == ".fits"

    @property
    def label(self) -> str:
        """For `meta.ref_file`: the absolute path, or ``crds://NAME``."""
        return f"crds://{self.path.name}" if self.origin == "crds" else str(self.path)

    @cached_property
    def checksum(self) -> str:
        """MD5 of the headers of a FITS file with its size and time, of the whole of a small file."""
        if not self._is_fits:
            return md5(self.path.read_bytes(), usedforsecurity=False).hexdigest()
        digest = md5(usedforsecurity=False)
        for hdu in self._product.hdus:
            digest.update(hdu.text)
        told = self.path.stat()
        digest.update(f"{told.st_size} {told.st_mtime_ns}".encode())
        return digest.hexdigest()

    def describe(self) -> str:
        """One line for a table."""
        useafter = self.candidate.useafter[:10]
        return f"{self.label} (useafter {useafter})" if useafter else self.label

    def listed(self) -> dict[str, dict[str, str]]:
        """What it holds, for a list: ``arrays`` and ``tables`` by EXTNAME, names of ``flags``; ``nodes`` of a tree."""
        if not self._is_fits:
            told = {key: value for key, value in self._tree.items() if key not in ABOUT}
            return {"nodes": {str(key): _in_words(value) for key, value in told.items()}}
        images = {hdu.name: hdu for hdu in self._product.hdus if hdu.is_image}
        tables = {name: f"{one.rows} rows: {' '.join(column.name for column in one.columns)}"
                  for name, one in self._product.tables.items()}  # fmt: skip
        found = {"arrays": {name: f"{hdu.dtype} {hdu.shape}" for name, hdu in images.items()}, "tables": tables}
        return found | ({"flags": {"DQ": "|".join(name for name, _value in self._bits)}} if self._bits else {})

    def has(self, array: str) -> bool:
        """Whether it has an array of this name."""
        return self._is_fits and array in self._product.arrays

    def _info(self, array):
        try:
            return self._product.arrays[array]
        except KeyError:
            raise InputError(f"this {self.type} reference has no array {array}", path=self.path) from None

    def shape(self, array: str) -> tuple[int, ...]:
        """Shape of an array, of the pixels that are wanted."""
        shape = tuple(self._info(array).shape)
        if self._cut is None:
            return shape
        rows, columns = self._cut
        return (*shape[:-2], rows.stop - rows.start, columns.stop - columns.start)

    def dtype(self, array: str) -> np.dtype:
        """numpy dtype of an array."""
        return np.dtype(self._info(array).dtype)

    def read(self, array: str, index: tuple[Any, ...]) -> np.ndarray:
        """A part of an array; of a file nothing else is read."""
        info = self._info(array)
        where = _composed(self._cut, index, len(info.shape), self.shape(array))
        values = self._product.pixels(array, part=where)
        return self._flags(values) if array == "dq" else values

    def _flags(self, stored):
        """Flags of the file as JWST's own bits; those that DQ_DEF names otherwise are left out."""
        if not self._bits:
            return stored.astype(np.uint32, copy=False)
        if all(value == PIXEL_FLAGS.get(name) for name, value in self._bits):
            return stored.astype(np.uint32, copy=False)
        flags = np.zeros(stored.shape, np.uint32)
        for name, value in self._bits:
            if name in PIXEL_FLAGS:
                flags[(stored & np.array(value, stored.dtype)) != 0] |= np.uint32(PIXEL_FLAGS[name])
        return flags

    @cached_property
    def _bits(self):
        """Names and values of the bits, as DQ_DEF has them; none where there is no such table."""
        if "DQ_DEF" not in self._product.tables:
            return ()
        return tuple(own_flags(self._rows_of("DQ_DEF")).items())

    def table_rows(self, path: str) -> np.ndarray | None:
        """Rows of a table of FITS.

        Parameters
        ----------
        path : str
            ``phot_table``.

        Returns
        -------
        structured ndarray or None
            None where it has none.
        """
        name = EXTENSIONS.get(path)
        return self._rows_of(name) if self._is_fits and name in self._product.tables else None

    def _rows_of(self, name):
        return read_hdu_rows(self.path, self._product.hdu(name))

    def node(self, path: str) -> Any:
        """A table, a keyword by its path in the data models, or part of an ASDF tree.

        Parameters
        ----------
        path : str
            ``phot_table``, ``meta.photometry.pixelarea_steradians``, ``model``.

        Returns
        -------
        object
            A table as an astropy.table.Table; the model of a distortion as an astropy model with its inverse.

        Raises
        ------
        InputError
            There is no such node.
        """
        try:
            return self._node(path)
        except KeyError:
            raise InputError(f"this {self.type} reference has no {path}", path=self.path) from None

    def _node(self, path):
        if self._is_fits:
            if EXTENSIONS.get(path) in self._product.tables:
                return self._product.table(EXTENSIONS[path])
            return self._keyword(path)
        return in_tree(self._tree, path)

    def _keyword(self, path):
        """What a keyword says: in the primary header, where reference files have it, else where products do."""
        known = keyword_at(path)
        value = self._product.hdus[0].values.get(known.keyword if known else path)
        value = self._product.value(path) if value is None else value
        if value is None:
            raise KeyError(path)
        return value

    @cached_property
    def _tree(self):
        import json

        if self.path.suffix.lower() == ".json":
            return json.loads(self.path.read_text(encoding="utf-8"))
        import asdf

        from rtools.products.io.extensions import find_extensions

        header.refuse_links(header.read_header(self.path, cut_loops=True)[0], self.path)
        find_extensions()
        with asdf.open(self.path, memmap=False, lazy_load=False) as file:
            return dict(file.tree)

    def contents(self) -> NominalReference:
        """All that the file holds of the wanted pixels, in memory.

        Returns
        -------
        NominalReference
            Arrays and tables by EXTNAME, keywords of the primary header.
        """
        if not self._is_fits:
            return NominalReference(self.type, "", tree=self._tree)
        names = [name for name in ARRAYS.values() if self.has(name)]
        tables = {name: self._product.table(name).as_array() for name in self._product.tables}
        cards = dict(self._product.hdus[0].values)
        arrays = {EXTENSIONS[name]: self.array(name) for name in names}
        if "DQ" in arrays and "DQ_DEF" in tables:  # the flags are JWST's own now
            from rtools.reference.jwst.tables import dq_def

            tables["DQ_DEF"] = dq_def(name for name, _value in self._bits if name in PIXEL_FLAGS)
        for key in ("SUBSTRT1", "SUBSTRT2", "SUBSIZE1", "SUBSIZE2"):
            cards.pop(key, None)
        return NominalReference(self.type, self.candidate.detectors[0] if self.candidate.detectors else "",
                                arrays=arrays, tables=tables, cards=cards)  # fmt: skip


def _composed(cut, index, ndim, shape):
    """An index of the wanted pixels as one of the file's array: an ellipsis spelled out, pixels moved by the cut."""
    if cut is None:
        return index
    if Ellipsis in index:
        place = index.index(Ellipsis)
        index = (*index[:place], *[slice(None)] * (ndim - len(index) + 1), *index[place + 1 :])
    index = (*index, *[slice(None)] * (ndim - len(index)))
    moved = []
    for axis, one in enumerate(index):
        offset = cut[axis - (ndim - 2)].start if axis >= ndim - 2 else 0
        if isinstance(one, slice):
            start, stop, _step = one.indices(shape[axis])
            moved.append(slice(start + offset, stop + offset))
        else:
            moved.append(one + offset if one >= 0 else one + offset + shape[axis])
    return tuple(moved)


def _in_words(value):
    """What a node of a tree is."""
    if isinstance(value, str | int | float | bool) or value is None:
        return str(value)
    if hasattr(value, "colnames"):
        return f"{len(value)} rows: {' '.join(value.colnames)}"
    return f"{len(value)} entries" if isinstance(value, list | tuple | dict) else type(value).__name__
