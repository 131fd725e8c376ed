"""Opening a JWST file: its headers are read, and which product it is is told by them."""

from __future__ import annotations

from pathlib import Path

from rtools.errors import InputError
from rtools.jwst.kinds import described, kind_of, kind_of_columns, seen_hdu, suffix_of
from rtools.products.io.fits_headers import read_headers
from rtools.products.jwst.hdus import JwstHdu, StoredTable
from rtools.products.jwst.product import JwstProduct
from rtools.products.tables.metadata import read_table
from rtools.remote import parts

__all__ = ["open_jwst"]


def open_jwst(path: str | Path, *, others: bool = False) -> JwstProduct:
    """Open a JWST product; of a FITS file the headers alone are read.

    Parameters
    ----------
    path : str or Path
        A FITS file, or an ECSV table.
    others : bool
        Open other FITS files of JWST, too: the kind of a reference file is ``reference/flat``, that of the rest
        ``other``.

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
        with parts.open_parts(path) as file:
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
    return _open_hdus(path, others=others)


def _open_table(path):
    table = read_table(path, "ecsv")
    kind = None if table.kind else kind_of_columns(column.name for column in table.columns)
    if kind is None:
        raise InputError("an ECSV table that is not a JWST product", path=path)
    stored = StoredTable(tuple(table.columns), table.rows)
    return JwstProduct(path, kind, "ecsv", (), stored, table.tree, table.history)


def _open_hdus(path, *, others):
    hdus = tuple(_hdu(number, one) for number, one in enumerate(read_headers(path)))
    primary = hdus[0].values
    telescope = str(primary.get("TELESCOP", "")).strip()
    if telescope != "JWST":
        told = f"TELESCOP is {telescope}" if telescope else "it has no TELESCOP"
        mend = "rt-fits makes ASDF of it" if telescope == "ROMAN" else None
        raise InputError(f"not a JWST product: {told}", mend=mend, path=path)
    suffix = suffix_of(path.name) or suffix_of(str(primary.get("FILENAME", "")))
    kind = kind_of(primary, [seen_hdu(hdu.values) for hdu in hdus[1:]], suffix)
    if kind is None and others:
        reftype = str(primary.get("REFTYPE") or "").strip()
        kind = f"reference/{reftype.lower()}" if reftype else "other"
    if kind is None:
        raise InputError(f"{described(primary, None)}, which is none of the JWST products", path=path)
    return JwstProduct(path, kind, "fits", hdus)


def _hdu(number, stored):
    name = str(stored.values.get("EXTNAME") or "").strip().upper() if number else "PRIMARY"
    version = stored.values.get("EXTVER", 1) if number else 1
    return JwstHdu(number, name, version, stored.values, stored.text, stored.start, stored.data, stored.end)
