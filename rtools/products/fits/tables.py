"""Tables of a FITS file that show what only the tree holds: metadata, read pattern, times, meaning of flags.

They are for people and other programs; nothing is read back from them while the ASDF extension is there.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.products.fits import flags as fits_flags
from rtools.products.fits.guide_tables import guide_tables
from rtools.products.fits.keywords import ascii_text, times
from rtools.products.schema import nodes
from rtools.wfi import dq, metadata
from rtools.wfi.barycentre import light_delay
from rtools.wfi.units import DAY_S

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from rtools.products.io.product import Product

__all__ = ["metadata_rows", "reserve_checksum", "table_bytes"]

LONGEST = 999
"""Characters of a value in the table META."""

LONGEST_NAME = 68
"""Characters that the card of a column's name has room for."""


def table_bytes(product: Product, translated: Collection[str] = (), *, meta: bool = True) -> bytes:
    """The HDUs of all tables that a product has, as they stand in the file.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened; tables are made of its metadata.
    translated : collection of str
        Arrays of flags that are there in JWST's bits, too.
    meta : bool
        Have the table META among them.

    Returns
    -------
    bytes
        A multiple of 2880 bytes, empty without tables.
    """
    from astropy.io import fits

    tables = [
        _reads(product.meta),
        _int_times(product.meta),
        *_flags(product, translated),
        _members(product),
        *guide_tables(product),
        _meta(product.meta) if meta else None,
    ]
    buffer = io.BytesIO()
    hdus = fits.HDUList([fits.PrimaryHDU(), *(table for table in tables if table is not None)])
    for hdu in hdus[1:]:
        reserve_checksum(hdu.header)
    hdus.writeto(buffer)
    return buffer.getvalue()[len(hdus[0].header.tostring()) :]


def reserve_checksum(header: Header) -> None:
    """Cards for the checksums, so that they can be filled in without moving anything.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Gets CHECKSUM and DATASUM; changed in place.
    """
    header["CHECKSUM"], header["DATASUM"] = "0" * 16, "0" * 10


def _table(name, *columns):
    """A table of (name, format, values, unit) columns."""
    from astropy.io import fits

    made = [fits.Column(name=key, format=form, array=values, unit=unit) for key, form, values, unit in columns]
    return fits.BinTableHDU.from_columns(made, name=name, ver=1)


def _reads(meta):
    """READPATT: what the resultants are made of."""
    pattern, frame_time = (metadata.usable(meta, f"exposure.{key}") for key in ("read_pattern", "frame_time"))
    if pattern is None or frame_time is None:
        return None
    reads = [np.array(entry, "i4") for entry in pattern]
    weights = [2 * len(entry) - 1 - 2 * np.arange(len(entry)) for entry in reads]  # of a read, in the variance
    tau = [np.sum(w * r) * frame_time / len(r) ** 2 for w, r in zip(weights, reads, strict=True)]
    listed = np.empty(len(reads), object)
    listed[:] = reads
    return _table(
        "READPATT",
        ("RESULTANT", "J", np.arange(1, len(reads) + 1), None),
        ("NREADS", "J", [len(entry) for entry in reads], None),
        ("FIRST", "J", [entry[0] for entry in reads], None),
        ("LAST", "J", [entry[-1] for entry in reads], None),
        ("TBAR", "D", [entry.mean() * frame_time for entry in reads], "s"),
        ("TAU", "D", tau, "s"),
        ("READS", "PJ()", listed, None),
    )


def _int_times(meta):
    """INT_TIMES: one integration, begin, middle and end as MJD UTC and as barycentric JD TDB."""
    span = times(meta)
    if not span or "exposure" not in meta:
        return None
    words = ("start", "mid", "end")
    columns: list[tuple] = [("integration_number", "J", [1], None)]
    columns += [(f"int_{word}_MJD_UTC", "D", [value], "d") for word, value in zip(words, span, strict=True)]
    barycentric = zip(words, _barycentric(meta, span), strict=True)
    return _table("INT_TIMES", *columns, *((f"int_{word}_BJD_TDB", "D", [value], "d") for word, value in barycentric))


def _barycentric(meta, span):
    """JD TDB at the barycentre of light that arrives at MJD UTC: t + r.n / c; NaN without ephemeris or target."""
    place = [metadata.usable(meta, f"ephemeris.spatial_{axis}") for axis in "xyz"]
    target = [metadata.usable(meta, f"pointing.target_{axis}") for axis in ("ra", "dec")]
    if None in place + target or not any(place):
        return [np.nan] * len(span)
    from astropy.time import Time

    delay = light_delay(place, *target) / DAY_S
    return (Time(span, format="mjd", scale="utc").tdb.jd + delay).tolist()


def _flags(product, translated):
    """DQ_DEF, and GROUPDQ_DEF where there are flags of single resultants; DQ_ROMAN_DEF … of originals."""
    kinds = {"DQ": (("dq", "pixeldq"), dq.PIXEL, fits_flags.PIXEL)}
    kinds["GROUPDQ"] = (("groupdq", "resultantdq"), dq.GROUP, fits_flags.GROUP)
    for name, (paths, roman, jwst) in kinds.items():
        known = [path for path in paths if path in product.arrays]
        if any(path in translated for path in known):
            yield _definitions(f"{name}_DEF", jwst)
            yield _definitions(f"{name}_ROMAN_DEF", roman)
        elif known:
            yield _definitions(f"{name}_DEF", roman)


def _definitions(name, bits):
    """What the bits of flags mean."""
    described = [flag.replace("_", " ").lower() for flag in bits]
    return _table(
        name,
        ("BIT", "J", [flag.bit_length() - 1 for flag in bits.values()], None),
        ("VALUE", "K", list(bits.values()), None),
        ("NAME", f"{max(map(len, bits))}A", list(bits), None),
        ("DESCRIPTION", f"{max(map(len, described))}A", described, None),
    )


def _members(product):
    """HDRTAB: one row per member of a mosaic, a column TABLE_COLUMN for each of its metadata; None without members."""
    from astropy.io import fits
    from astropy.table import Table

    individual = product.tree["meta"].get("individual_image_meta")
    if not isinstance(individual, dict):
        return None
    found = {}
    for name in individual:
        with contextlib.suppress(InputError):
            found[name] = product.node(f"meta.individual_image_meta.{name}")
    tables = {name: table for name, table in found.items() if isinstance(table, Table) and len(table)}
    length = max(map(len, tables.values()), default=0)  # the rows of a shorter one belong to nobody knows whom
    columns = {
        _column_name(f"{name}_{key}"): _plain_column(np.asarray(table[key]))
        for name, table in tables.items()
        if len(table) == length
        for key in table.colnames
    }
    if not columns:
        return None
    hdu = fits.table_to_hdu(Table(columns))
    hdu.name, hdu.ver = "HDRTAB", 1
    return hdu


def _column_name(text):
    return ascii_text(text)[:LONGEST_NAME]


def _plain_column(values):
    """A column as FITS can hold it: text in ASCII."""
    return np.array([ascii_text(str(value)) for value in values]) if values.dtype.kind in "OUS" else values


def _meta(meta):
    """META: path, type and value of every scalar of the metadata."""
    rows = metadata_rows(meta)
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    named = zip(("PATH", "TYPE", "VALUE"), columns, strict=True)
    return _table(
        "META", *((name, f"{max(map(len, text), default=1) or 1}A", list(text), None) for name, text in named)
    )


def metadata_rows(meta: Any) -> list[tuple[str, str, str]]:
    """Every scalar below ``meta`` as ASCII text; tagged nodes but times are left out.

    Parameters
    ----------
    meta : mapping
        Below ``meta``, as `Product.meta`.

    Returns
    -------
    list of (str, str, str)
        Path, type and value, of 999 characters at most.
    """
    rows, stack = [], [("", meta)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, str) or node is None or isinstance(node, bool | int | float):
            kind = "time" if isinstance(node, nodes.TaggedStr) else "null" if node is None else type(node).__name__
            rows.append((path, kind, (ascii_text(str(node)) if node is not None else "")[:LONGEST]))
        elif not nodes.is_foreign(node) and isinstance(node, dict | list):
            items = node.items() if isinstance(node, dict) else enumerate(node)
            below = [
                (f"{path}.{ascii_text(str(key))}" if path else ascii_text(str(key)), value) for key, value in items
            ]
            stack.extend(reversed(below))
    return rows
