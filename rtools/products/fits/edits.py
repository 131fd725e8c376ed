"""Keywords that somebody edited in a FITS file: found by a hash of what was written, applied to the tree if wanted."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rtools.errors import InputError, UsageError
from rtools.products.fits import keywords as fits_keywords
from rtools.products.io import serial
from rtools.products.schema import keys, tags
from rtools.wfi import metadata

if TYPE_CHECKING:
    from astropy.io import fits
    from astropy.io.fits import Header

    from rtools.products.io.product import Product

__all__ = ["HASH", "SKY_HASH", "Edited", "apply", "edited", "fingerprint", "sky_edited", "sky_fingerprint"]

HASH, SKY_HASH = "RT_HASH", "RT_WCSHA"

_TIMES = {"DATE-BEG": ("start_time", "time_first", "t_start"), "DATE-END": ("end_time", "time_last", "t_stop")}
"""Keyword to the last key in the metadata of an exposure, of a mosaic, and of a guide-window or FACE file."""

_DERIVED = ("TIMESYS", "DATE-OBS", "TIME-OBS", "EXPSTART", "EXPMID", "EXPEND", "NINTS", "NFRAMES", "GROUPGAP", "TGROUP")
_DERIVED_SCIENCE = ("PIXAR_A2", "DATE-BEG", "DATE-AVG", "DATE-END", "MJD-BEG", "MJD-AVG", "MJD-END")

_SKY = re.compile(
    r"(WCSAXES|CTYPE|CUNIT|CRPIX|CRVAL|CDELT|CROTA|LONPOLE|LATPOLE|RADESYS|EQUINOX)\d*"
    r"|(CD|PC)\d_\d|PV\d_\d+|[AB]P?_(ORDER|\d_\d)"
)


class Edited(dict):
    """Keyword to its value in the file, None where it was deleted; `paths` has where in ``meta`` it belongs."""

    def __init__(self, values: Mapping[str, Any], paths: Mapping[str, str]) -> None:
        super().__init__(values)
        self.paths = paths


def fingerprint(primary: Header, science: Header) -> str:
    """Hash of the keywords that are made from the tree, in HDU 0 and in SCI.

    Parameters
    ----------
    primary : astropy.io.fits.Header
        Of HDU 0.
    science : astropy.io.fits.Header
        Of the extension SCI.

    Returns
    -------
    str
        Hexadecimal.
    """
    return _hash(_values(primary, 0) | _values(science, 1))


def sky_fingerprint(header: Header) -> str | None:
    """Hash of the keywords of a WCS; None without one.

    Parameters
    ----------
    header : astropy.io.fits.Header
        Of an image extension.

    Returns
    -------
    str or None
        Hexadecimal.
    """
    written = _written(header)
    values = {(1, key): _plain(written[key]) for key in written if _SKY.fullmatch(key)}
    return _hash(values) if values else None


def sky_edited(hdus: fits.HDUList) -> bool:
    """Whether the WCS of SCI is another than the one that was written.

    Parameters
    ----------
    hdus : astropy.io.fits.HDUList
        The whole FITS file, opened.

    Returns
    -------
    bool
        True where the hash in the header is not that of its keywords.
    """
    header = _science(hdus)
    return sky_fingerprint(header) != header.get(SKY_HASH)


def edited(product: Product, hdus: fits.HDUList) -> Edited:
    """Keywords that disagree with the tree.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Of `fits_read.embedded`.
    hdus : astropy.io.fits.HDUList
        The whole FITS file, opened.

    Returns
    -------
    Edited
        Empty, too, where the hash says that nothing was edited.
    """
    from astropy.io.fits import Header

    headers = hdus[0].header, _science(hdus)
    if fingerprint(*headers) == hdus[0].header.get(HASH):
        return Edited({}, {})
    cards = fits_keywords.primary_cards(product.meta), fits_keywords.science_cards(product.meta)
    found: dict[tuple[int, str], object] = {}
    known: dict[tuple[int, str], object] = {}
    for place, (header, made) in enumerate(zip(headers, cards, strict=True)):
        if place and "SCI" not in hdus:
            break
        found |= _values(header, place)
        known |= _values(Header(made), place)
    differing = [key for key in {**known, **found} if found.get(key) != known.get(key)]
    values = {key: headers[place].get(key) for place, key in differing}
    return Edited(values, {key: path for key in values if (path := _path(key, product.meta))})


def apply(product: Product, changes: Edited) -> dict[str, tuple[str, Any]]:
    """Put the edited keywords into the tree of a product, as far as they stand for a single item of it.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Its tree is changed.
    changes : Edited
        What `edited` found.

    Returns
    -------
    dict of str to (str, object)
        Keyword to the key in the tree and its new value; deleted and derived keywords are not applied.

    Raises
    ------
    InputError
        A value does not fit the schema.
    """
    manifest = tags.manifest_of(product.tag)
    before = set(serial.problems(product.tree, manifest)) if manifest else set()
    applied = {}
    for key, value in changes.items():
        path = changes.paths.get(key)
        if value is None or path is None:
            continue
        value = value.rstrip() if isinstance(value, str) else value
        try:
            keys.assign(product.tree, ("meta", *path.split(".")), value, is_time=key in _TIMES)
        except UsageError as error:
            raise InputError(f"{key}: {error.message}") from None
        applied[key] = f"meta.{path}", value
    product.__dict__.pop("meta", None)
    caused = [one for one in (serial.problems(product.tree, manifest) if manifest else ()) if one not in before]
    if caused:
        raise InputError(f"its edited keywords do not fit the schema: {caused[0]}")
    return applied


def _path(key, meta):
    """Where below ``meta`` the value of a keyword stands, None for one that is derived."""
    if key in _TIMES:
        exposure, coadd, guide = _TIMES[key]
        if guide in meta:
            return guide
        return f"exposure.{exposure}" if "exposure" in meta else f"coadd_info.{coadd}"
    tables = (*fits_keywords.PRIMARY, *fits_keywords.GUIDE, *fits_keywords.SCIENCE)
    paths = [path for keyword, path, _ in tables if keyword == key]
    path = next((path for path in paths if metadata.get(meta, path) is not None), next(iter(paths), None))
    if path is None or (path == "photometry.pixel_area" and metadata.get(meta, path) is None):
        return None
    return path


def _mapped(place):
    if place == 0:
        return [keyword for keyword, *_ in (*fits_keywords.PRIMARY, *fits_keywords.GUIDE)] + [*_TIMES, *_DERIVED]
    return [keyword for keyword, *_ in fits_keywords.SCIENCE] + [*_DERIVED_SCIENCE]


def _values(header, place):
    """(place, keyword) to value, of the keywords that are made from the tree in HDU 0 or, place 1, in SCI."""
    header = _written(header)
    return {(place, key): _plain(header[key]) for key in _mapped(place) if key in header}


def _written(header):
    """A header as it is once it was written: floats have fewer digits."""
    return type(header).fromstring(header.tostring())


def _plain(value):
    if isinstance(value, str):
        return value.rstrip()
    return value if isinstance(value, bool) or value is None else float(value)


def _hash(values):
    lines = [f"{place} {key} {value!r}\n" for (place, key), value in sorted(values.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


def _science(hdus):
    from astropy.io.fits import Header

    return hdus["SCI"].header if "SCI" in hdus else Header()
