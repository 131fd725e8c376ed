"""A JWST file as an opened product: headers are read at once, arrays, tables and the tree when they are asked for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.jwst.keywords import MetadataKeyword, keyword_at, keywords
from rtools.jwst.kinds import described, kind_of, kind_of_columns, seen_hdu, suffix_of
from rtools.products.fits.read import open_fits
from rtools.products.io import header, temporary
from rtools.products.jwst.hdus import JwstHdu, Part, read_pixels
from rtools.products.schema import keys
from rtools.products.tables.metadata import ColumnInfo, read_table
from rtools.wfi import metadata

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["JwstProduct", "open_jwst"]

TREE = "ASDF"
"""EXTNAME of the extension that holds the tree of the data model."""

MODEL_NAMES = {
    "data": "SCI",
    "weightmap": "WMAP",
    "pathloss_point": "PATHLOSS_PS",
    "pathloss_uniform": "PATHLOSS_UN",
    "centered_image": "CTRD",
    "norm_centered_image": "N_CTRD",
    "fit_image": "FIT",
    "norm_fit_image": "N_FIT",
    "resid_image": "RESID",
    "norm_resid_image": "N_RESID",
}
"""Names in the data models whose EXTNAME is not the same in capitals."""


@dataclass(frozen=True)
class JwstProduct:
    """An opened JWST product. It keeps no file open; each call reads what it needs.

    Attributes
    ----------
    path : Path
        The file.
    kind : str
        One of `rtools.jwst.SUFFIXES`.
    form : str
        ``fits`` or ``ecsv``.
    hdus : tuple of JwstHdu
        In the order of the file, the primary one first; none for ECSV.
    columns : tuple of ColumnInfo
        Of an ECSV table.
    rows : int
        Of an ECSV table.
    table_meta : mapping
        What an ECSV table says of itself.
    """

    path: Path
    kind: str
    form: str
    hdus: tuple[JwstHdu, ...] = ()
    columns: tuple[ColumnInfo, ...] = ()
    rows: int = 0
    table_meta: Mapping[str, Any] = field(default_factory=dict)

    def hdu(self, name: str, version: int = 1) -> JwstHdu:
        """One HDU.

        Parameters
        ----------
        name : str
            Its EXTNAME in any letter case, ``PRIMARY``, or the name of its array in the data model: ``data``,
            ``err``, ``slits.1.dq`` (the set after the first, EXTVER 2).
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
        member = re.fullmatch(r"slits\.(\d+)\.(\w+)", name)
        if member:
            name, version = member[2], int(member[1]) + 1
        wanted = MODEL_NAMES.get(name, name.upper())
        for hdu in self.hdus:
            if (hdu.name, hdu.version) == (wanted, version):
                return hdu
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

    def array(self, name: str, version: int = 1, part: Part = ()) -> np.ndarray:
        """Pixels of an image or of a part of it.

        Parameters
        ----------
        name, version : str, int
            As `hdu` takes them.
        part : tuple of int or slice
            Which part, slowest axis first; the whole by default. Nothing else is read.

        Returns
        -------
        ndarray
            In native byte order; unsigned integers where BZERO makes them.

        Raises
        ------
        InputError
            There is no such image.
        """
        return read_pixels(self.path, self.hdu(name, version), part)

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
            return _read_rows(self.path, {"format": "ascii.ecsv"})
        hdu = self.hdu(name or "", version)
        if not hdu.is_table:
            raise InputError(f"its extension {hdu.name} is not a table", path=self.path)
        with open_fits(self.path) as hdus:
            options = {"mask_invalid": False, "unit_parse_strict": "silent"}
            return _read_rows(self.path, options, hdus[hdu.number])

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
        if not found:
            return None
        hdu = found[-1]
        forms = [hdu.header.get("TFORM1", "")] if hdu.is_table else []
        if hdu.is_table and not (len(hdu.columns) == hdu.rows == 1 and re.fullmatch(r"\d*B", forms[0])):
            raise InputError("its extension ASDF is not a table of one cell of bytes", path=self.path)
        if not hdu.is_table and hdu.dtype != np.uint8:
            raise InputError("its extension ASDF is not an image of bytes", path=self.path)
        return b"".join(_spans(self.path, [(hdu.data, hdu.data + hdu.size)]))

    def tree(self) -> dict[str, Any]:
        """The tree of the data model as it is written, without its arrays; nodes keep their tags.

        Returns
        -------
        dict
            With ``meta`` in it; arrays that are HDUs are nodes whose source is ``fits:NAME,VERSION``. A transform
            that is the inverse of its inverse is empty there. Without an extension ASDF the whole is empty.

        Raises
        ------
        InputError
            The extension is damaged.
        """
        content = self.tree_bytes()
        if content is None:
            return {}
        with temporary.file(".asdf") as file:
            file.write(content)
            file.flush()
            try:
                return header.read_header(file.name, cut_loops=True)[0]
            except InputError as error:
                raise InputError(f"its extension ASDF: {error.message}", path=self.path) from None

    def meta(self) -> dict[str, Any]:
        """All metadata: what keywords say, and what only the tree has; for ECSV what the table says of itself.

        Returns
        -------
        dict
            Nested as below ``meta`` in the data model, plain values. Where both have a value, it is that of the
            keyword, which may have been edited.

        Raises
        ------
        InputError
            The extension ASDF is damaged.
        """
        if self.form == "ecsv":
            return dict(self.table_meta)
        told = keys.bare(self.tree().get("meta") or {})
        for one in keywords():
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
        return metadata.get(self.table_meta or keys.bare(self.tree().get("meta") or {}), path)

    def _keyword_value(self, one: MetadataKeyword) -> Any:
        """What the header of the first HDU of this name says; None where it has no such card or one without value."""
        from astropy.io.fits.card import Undefined

        found = next((hdu for hdu in self.hdus if (hdu.name, hdu.version) == (one.hdu, 1)), None)
        value = found.header.get(one.keyword) if found else None
        if isinstance(value, Undefined):
            return None
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
        for text in _spans(self.path, headers):
            digest.update(text)
        return digest.hexdigest()


def open_jwst(path: str | Path) -> JwstProduct:
    """Open a JWST product; of a FITS file the headers alone are read.

    Parameters
    ----------
    path : str or Path
        A FITS file, or an ECSV table.

    Returns
    -------
    JwstProduct

    Raises
    ------
    InputError
        Missing, damaged, truncated, neither FITS nor ECSV, not of JWST, or none of the products of JWST.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            first = file.read(9)
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise InputError(reason, path=path) from None
    if not first:
        raise InputError("an empty file", path=path)
    if first.startswith(b"# %ECSV"):
        return _open_table(path)
    if first != b"SIMPLE  =":
        raise InputError("neither FITS nor ECSV, so not a JWST product", path=path)
    return _open_hdus(path)


def _open_table(path):
    table = read_table(path, "ecsv")
    kind = None if table.kind else kind_of_columns(column.name for column in table.columns)
    if kind is None:
        raise InputError("an ECSV table that is not a JWST product", path=path)
    return JwstProduct(path, kind, "ecsv", (), table.columns, table.rows, table.tree)


def _open_hdus(path):
    with open_fits(path) as opened:
        hdus = tuple(_hdu(number, one) for number, one in enumerate(opened))
    primary = hdus[0].header
    telescope = str(primary.get("TELESCOP", "")).strip()
    if telescope != "JWST":
        told = f"TELESCOP is {telescope}" if telescope else "it has no TELESCOP"
        raise InputError(f"not a JWST product: {told}", path=path)
    kind = kind_of(primary, [seen_hdu(hdu.header) for hdu in hdus[1:]], suffix_of(path.name))
    if kind is None:
        raise InputError(f"{described(primary, None)}, which is none of the JWST products", path=path)
    return JwstProduct(path, kind, "fits", hdus)


def _hdu(number, opened):
    place = opened.fileinfo()
    start, data = place["hdrLoc"], place["datLoc"]
    name = opened.header.get("EXTNAME", "") if number else "PRIMARY"
    version = opened.header.get("EXTVER", 1) if number else 1
    return JwstHdu(number, str(name).strip().upper(), version, opened.header, start, data, data + place["datSpan"])


def _spans(path: Path, spans: Iterable[tuple[int, int]]) -> Iterator[bytes]:
    """Bytes of a file from offset to offset."""
    try:
        with open(path, "rb") as file:
            for start, end in spans:
                file.seek(start)
                yield file.read(end - start)
    except OSError as error:
        raise InputError(f"can no longer be read ({(error.strerror or str(error)).lower()})", path=path) from None


def _read_rows(path, options, *source):
    from astropy.table import Table

    try:
        return Table.read(*(source or (path,)), **options).copy()
    except (OSError, ValueError, TypeError, KeyError, IndexError) as error:
        raise InputError(f"its table cannot be read ({' '.join(str(error).split())})", path=path) from None
