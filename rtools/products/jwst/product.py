"""A JWST file as an opened product: headers are there at once, arrays, tables and the tree when they are asked for."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.jwst.dq import flags_of
from rtools.jwst.keywords import REFERENCE_KEYWORDS, MetadataKeyword, keyword_at, keywords
from rtools.jwst.models import EXTENSIONS, NODE_NAMES
from rtools.products.io.arrays import ArrayInfo
from rtools.products.io.reading import Reading, one_by_one
from rtools.products.jwst.flag_names import own_flags
from rtools.products.jwst.hdus import JwstHdu, Part, StoredTable, read_lines, read_pixels, read_spans
from rtools.products.jwst.sealing import MARK
from rtools.products.jwst.tables import read_ecsv_table, read_hdu_rows, read_hdu_table
from rtools.products.jwst.trees import bytes_of_tree, count_cards, in_tree, node_of, parsed_tree
from rtools.products.schema import keys
from rtools.wfi import metadata
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["JwstProduct"]

TREE = "ASDF"
"""EXTNAME of the extension that holds the tree of the data model."""

TABLE = "TABLE"
"""What the one table of an ECSV file is called."""


@dataclass(frozen=True)
class JwstProduct:
    """An opened JWST product, with the face of `rtools.products.io.ProductFace`.

    It keeps no file open; each call reads what it needs. Arrays have their names in the data model: ``data``, ``err``,
    ``groupdq``; of a product with several sets (EXTVER 1 to N) ``slits.0.data`` to ``slits.N-1.data``.

    Attributes
    ----------
    path : Path
        The file.
    kind : str
        One of `rtools.jwst.SUFFIXES`; of a file that is none of these products, what `open_jwst` calls it.
    form : str
        ``fits`` or ``ecsv``.
    hdus : tuple of JwstHdu
        In the order of the file, the primary one first; none for ECSV.
    ecsv : StoredTable or None
        The table of an ECSV file.
    table_meta : mapping
        What an ECSV table says of itself.
    table_history : sequence of dict
        What it says was done to it.
    """

    path: Path
    kind: str
    form: str
    hdus: tuple[JwstHdu, ...] = ()
    ecsv: StoredTable | None = None
    table_meta: Mapping[str, Any] = field(default_factory=dict)
    table_history: Sequence[dict[str, Any]] = ()

    mission = "jwst"
    reftype = None

    @cached_property
    def arrays(self) -> dict[str, ArrayInfo]:
        """Name of every array in the data model to what it is, in the order of the file; not the extension ASDF."""
        return {
            name: ArrayInfo(hdu.shape, hdu.dtype, unit=hdu.unit)
            for name, hdu in self._named.items()
            if hdu.dtype is not None
        }

    @cached_property
    def tables(self) -> dict[str, StoredTable]:
        """Every table by its EXTNAME, ``EXTRACT1D,2`` after the first of a name; of ECSV one, ``TABLE``."""
        if self.ecsv is not None:
            return {TABLE: self.ecsv}
        found = [hdu for hdu in self.hdus if hdu.is_table and hdu.name != TREE]
        return {
            hdu.name if hdu.version == 1 else f"{hdu.name},{hdu.version}": StoredTable(hdu.columns, hdu.rows)
            for hdu in found
        }

    @cached_property
    def history(self) -> list[dict[str, Any]]:
        """What was done to the file: HISTORY cards of the primary header, those that the tree has, too, as there.

        Entries of the tree have times. Where a card was edited since, the cards alone hold. Of ECSV, its entries.
        """
        if self.ecsv is not None:
            return list(self.table_history)
        cards = self.hdus[0].values.get("HISTORY", ()) if self.hdus else ()
        cards = [card for card in cards if not str(card).startswith(MARK)]
        told = self.tree.get("history") or {}
        entries = keys.bare(told.get("entries") or [] if isinstance(told, dict) else told)
        covered = count_cards(entries, cards)
        if covered is None:
            entries, covered = [], 0
        cards = cards[covered:]
        return [*entries, *({"description": text} for text in cards)]

    @cached_property
    def _numbered(self) -> dict[tuple[str, int], JwstHdu]:
        return {(hdu.name, hdu.version): hdu for hdu in reversed(self.hdus)}  # of twins the first

    @cached_property
    def _named(self) -> dict[str, JwstHdu]:
        images = [hdu for hdu in self.hdus if hdu.is_image and hdu.name != TREE]
        several = len(self.versions("SCI")) > 1
        found: dict[str, JwstHdu] = {}
        for hdu in images:
            name = NODE_NAMES.get(hdu.name, hdu.name.lower())
            found.setdefault(f"slits.{hdu.version - 1}.{name}" if several else name, hdu)
        return found

    def hdu(self, name: str, version: int = 1) -> JwstHdu:
        """One HDU.

        Parameters
        ----------
        name : str
            Its EXTNAME in any letter case (``SCI``, ``SCI,2``), ``PRIMARY``, or the name of its array in the data
            model: ``data``, ``err``, ``slits.1.dq`` (the set after the first, EXTVER 2).
        version : int
            EXTVER, unless the name says it.

        Returns
        -------
        JwstHdu

        Raises
        ------
        InputError
            There is no such HDU.
        """
        if version == 1 and name in self._named:
            return self._named[name]
        member, numbered = re.fullmatch(r"slits\.(\d+)\.(\w+)", name), re.fullmatch(r"(.+),(\d+)", name)
        if member:
            name, version = member[2], int(member[1]) + 1
        elif numbered:
            name, version = numbered[1], int(numbered[2])
        wanted = EXTENSIONS.get(name, name.upper())
        if (wanted, version) in self._numbered:
            return self._numbered[wanted, version]
        which = wanted if version == 1 else f"{wanted},{version}"
        raise InputError(f"the extension {which} is missing", path=self.path)

    def versions(self, name: str) -> tuple[int, ...]:
        """EXTVER of every HDU of a name, in the order of the file.

        Parameters
        ----------
        name : str
            An EXTNAME; a product of several sources or slits has each as often as there are of them.
        """
        return tuple(hdu.version for hdu in self.hdus if hdu.name == name)

    def has(self, name: str) -> bool:
        """Whether there is an array of this name."""
        return name in self.arrays

    def flag_bits(self, name: str) -> dict[str, int] | None:
        """Names of the bits of an array of flags, JWST's, of a reference its own; None for any other array."""
        if name == "dq" and "DQ_DEF" in self.tables:
            return own_flags(read_hdu_rows(self.path, self.hdu("DQ_DEF"))) or flags_of(name)
        return flags_of(name)

    def pixels(self, name: str, version: int = 1, part: Part = ()) -> np.ndarray:
        """Pixels of an image or of a part of it; nothing else is read.

        Parameters
        ----------
        name, version : str, int
            As `hdu` takes them.
        part : tuple of int or slice
            Which part, slowest axis first; the whole by default.

        Returns
        -------
        ndarray
            In native byte order; unsigned integers where BZERO makes them.

        Raises
        ------
        InputError
            There is no such image.
        """
        return read_pixels(self.path, self._named.get(name) or self.hdu(name, version), part)

    def lines(self, name: str, start: int, stop: int) -> np.ndarray:
        """Lines of an array, those of all axes but the last counted through, as two axes; nothing else is read."""
        return read_lines(self.path, self.hdu(name), start, stop)

    def array(self, name: str, work: Work = ALONE, *, part: bool = False) -> np.ndarray:
        """A whole array, in memory and in native byte order; `work` and `part` change nothing here.

        Raises InputError if it is missing.
        """
        return self.pixels(name)

    def rows(self, name: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """Items of the leading axis, ``array[start:stop]``; nothing else is read."""
        return self.pixels(name, part=(slice(start, stop),))

    def row_spans(self, name: str, spans: Iterable[tuple[int, int]]) -> Reading:
        """Items of the leading axis that are being read, ``array[start:stop]`` for each (start, stop)."""
        info, cuts = self.arrays[name], [tuple(span) for span in spans]
        shapes = [(max(stop - start, 0), *info.shape[1:]) for start, stop in cuts]
        return one_by_one(partial(self.rows, name), cuts, shapes, info.dtype)

    def columns(self, name: str, start: int, stop: int, work: Work = ALONE) -> np.ndarray:
        """Columns of an array, ``array[..., start:stop]``."""
        return self.pixels(name, part=(..., slice(start, stop)))

    def section(self, name: str, rows: slice, columns: slice, work: Work = ALONE) -> np.ndarray:
        """A section of the last two axes, ``array[..., rows, columns]``; nothing else is read."""
        return self.pixels(name, part=(..., rows, columns))

    def plane(self, name: str, number: int, rows: slice = slice(None)) -> np.ndarray:
        """Rows of one plane of an array of three axes or more.

        Parameters
        ----------
        name : str
            Of the array.
        number : int
            Planes are counted through: of a ramp, number is ``integration * ngroups + group``.
        rows : slice
            Rows of the plane; all by default.

        Returns
        -------
        ndarray
            Two axes.
        """
        leading = self._named[name].shape[:-2] if name in self._named else self.hdu(name).shape[:-2]
        if not 0 <= number < math.prod(leading):
            raise InputError(f"{name} has no plane {number}", path=self.path)
        return self.pixels(name, part=(*map(int, np.unravel_index(number, leading)), rows))

    def table(self, name: str | None = None, version: int = 1) -> Table:
        """A table with the units of its columns.

        Parameters
        ----------
        name, version : str, int
            As `hdu` takes them; not needed for ECSV, which is one table.

        Returns
        -------
        astropy.table.Table
            In memory; vector cells as further dimensions of a column.

        Raises
        ------
        InputError
            There is no such table, or it is damaged.
        """
        if self.form == "ecsv":
            return read_ecsv_table(self.path)
        return read_hdu_table(self.path, self.hdu(name or "", version))

    def tree_bytes(self) -> bytes | None:
        """The ASDF file in the extension ASDF, from a table of one cell or from an image of bytes.

        Returns
        -------
        bytes or None
            None where the file has no such extension.

        Raises
        ------
        InputError
            The extension is neither of the two.
        """
        found = [hdu for hdu in self.hdus if hdu.name == TREE]
        return bytes_of_tree(self.path, found[-1]) if found else None

    @cached_property
    def tree(self) -> dict[str, Any]:
        """The tree of the data model as it is written, without its arrays; nodes keep their tags.

        It has ``meta`` in it; arrays that are HDUs are nodes whose source is ``fits:NAME,VERSION``. A transform that is
        the inverse of its inverse is empty there. Without an extension ASDF the whole is empty. Raises InputError
        where the extension is damaged.
        """
        content = self.tree_bytes()
        return {} if content is None else parsed_tree(content, self.path)

    def node(self, path: str) -> Any:
        """Part of the tree, converted: plain values, or what asdf makes of a tagged node.

        Parameters
        ----------
        path : str
            Dotted, from the root of the tree: ``meta.wcs``, ``slits.1.meta.wcs``.

        Returns
        -------
        object
            A gwcs.WCS for ``meta.wcs``.

        Raises
        ------
        KeyError
            There is nothing there.
        InputError
            It cannot be converted, as transforms that only stdatamodels knows.
        """
        content = self.tree_bytes()
        if content is None or in_tree(self.tree, path) is None:
            raise KeyError(path)
        return node_of(content, path, self.path)

    @cached_property
    def meta(self) -> dict[str, Any]:
        """All metadata: what keywords say, and what only the tree has; for ECSV what the table says of itself.

        Nested as below ``meta`` in the data model, plain values. Where both have a value, it is that of the keyword,
        which may have been edited. Raises InputError where the extension ASDF is damaged.
        """
        if self.form == "ecsv":
            return dict(self.table_meta)
        told = keys.bare(self.tree.get("meta") or {})
        for one in (*keywords(), *REFERENCE_KEYWORDS):
            value = self._keyword_value(one)
            if value is not None:
                metadata.put(told, one.path, value)
        return told

    def value(self, name: str) -> Any:
        """One value of the metadata.

        Parameters
        ----------
        name : str
            A path below ``meta``, with or without it (``exposure.type``), or a keyword (``EXP_TYPE``). Keywords that
            the data model does not know are looked for in the primary header and then in SCI.

        Returns
        -------
        Any
            None where the file has no such value. The tree is read only where no keyword has it.
        """
        known = keyword_at(name)
        if known is not None and (value := self._keyword_value(known)) is not None:
            return value
        if known is None:
            plain = MetadataKeyword(name, name.upper(), "PRIMARY", "string")
            for one in (plain, plain._replace(hdu="SCI")):
                if (value := self._keyword_value(one)) is not None:
                    return value
        path = known.path if known else name.removeprefix("meta.")
        return metadata.get(self.table_meta or keys.bare(self.tree.get("meta") or {}), path)

    def _keyword_value(self, one: MetadataKeyword) -> Any:
        """What the header of the first HDU of this name says; None where it has no such card or one without value."""
        found = self._numbered.get((one.hdu, 1))
        value = found.values.get(one.keyword) if found else None
        return value.strip() if isinstance(value, str) else value

    def header_hash(self) -> str:
        """SHA-256 of all headers but that of the extension ASDF, which the tree keeps as ``_fits_hash``.

        Returns
        -------
        str
            In hexadecimal digits. Where it differs from that of the tree, a header was edited after the tree was
            written, and the keywords are right.
        """
        headers = [(hdu.start, hdu.data) for hdu in self.hdus if hdu.name != TREE]
        digest = hashlib.sha256()
        for text in read_spans(self.path, headers):
            digest.update(text)
        return digest.hexdigest()

    def close(self) -> None:
        """Nothing is open; this is for those who close any product."""

    def __enter__(self) -> JwstProduct:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
