"""What files are, from their headers alone: one row a file, for products and catalogs of both missions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rtools.errors import InputError, RtoolsError
from rtools.products import names
from rtools.products.forms import form_of
from rtools.products.io.fits_headers import read_headers
from rtools.products.io.glimpse import glimpse
from rtools.wfi.fill import FILL_NUMBER
from rtools.wfi.times import iso_time

__all__ = ["ManifestRow", "files_below", "manifest_row"]

EXTENSIONS = (".asdf", ".fits", ".parquet", ".ecsv")
"""Of files that are looked for in directories."""

BLOCKS = ("exposure", "instrument", "pointing", "wcsinfo", "cal_step", "coadd_info", "reftype", "useafter", "mosaic")
"""Parts of Roman metadata that a row is made of."""


class ManifestRow(NamedTuple):
    """What a file says of itself.

    Attributes
    ----------
    file : str
        Its path.
    root : str
        Its name without suffix and extension.
    product : str
        Its suffix, or ``ref-TYPE`` of a reference.
    detector, element, type : str
        Empty where it says nothing.
    start : str
        UTC, ISO 8601.
    exptime : float or None
        s.
    ra, dec : float or None
        Degrees: the middle of the footprint, else where the telescope pointed.
    footprint : str
        S_REGION.
    status : str
        ``ok``; steps that FAILED; or what is wrong with the file.
    """

    file: str
    root: str = ""
    product: str = ""
    detector: str = ""
    element: str = ""
    type: str = ""
    start: str = ""
    exptime: float | None = None
    ra: float | None = None
    dec: float | None = None
    footprint: str = ""
    status: str = "ok"

    @property
    def is_unreadable(self) -> bool:
        """Whether the status says what is wrong with the file."""
        return self.status != "ok" and not self.status.startswith("FAILED")


def files_below(places: Iterable[str]) -> Iterator[str]:
    """Files of directories and below them, and files that are named.

    Parameters
    ----------
    places : iterable of str
        Directories and files.

    Yields
    ------
    str
        Paths as they begin in `places`; of each directory sorted, without what begins with a dot.

        A directory that cannot be listed is yielded itself.
    """
    closed: list[str] = []
    for place in places:
        if not os.path.isdir(place):
            yield place
            continue
        for directory, below, files in os.walk(place, onerror=lambda error: closed.append(str(error.filename))):
            below[:] = sorted(name for name in below if not name.startswith("."))
            for name in sorted(files):
                if name.lower().endswith(EXTENSIONS) and not name.startswith("."):
                    yield os.path.join(directory, name)
        yield from closed
        closed.clear()


def manifest_row(path: str) -> ManifestRow:
    """What a file says of itself.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    ManifestRow
        One of a file that is not there or cannot be read says so in its status.
    """
    stem, suffix = names.split_suffix(path)
    row = ManifestRow(path, stem, suffix or "")
    if not os.path.isfile(path):  # a pipe would be waited for
        return row._replace(status=_missing(path))
    try:
        form = form_of(path)
        if form == "asdf":
            return _of_roman(row, glimpse(path, BLOCKS))
        if form == "fits":
            return _of_fits(row, path)
        if form in ("parquet", "ecsv"):
            from rtools.products.tables.metadata import read_table

            tree = read_table(path, form).tree
            meta = tree.get("meta")
            return _of_roman(row, meta) if isinstance(meta, dict) else row
    except RtoolsError as error:
        return row._replace(status=error.message)
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:  # metadata of other types
        return row._replace(status=f"its metadata cannot be read ({type(error).__name__})")
    return row


def _missing(path):
    """Why there is no file at a path."""
    if os.path.isdir(path):
        return "a directory that cannot be listed"
    if os.path.exists(path):
        return "not a file"
    return "a symbolic link to a file that is not there" if os.path.islink(path) else "no such file"


def _when(value):
    """A start as text, UTC; a text that is no time as it is."""
    try:
        return iso_time(value)
    except InputError:
        return str(value)


def _of_roman(row, meta):
    def said(block, key):
        value = (meta.get(block) or {}).get(key) if isinstance(meta.get(block) or {}, dict) else None
        return value if value not in (None, "?", "") else None

    footprint = str(said("wcsinfo", "s_region") or "")
    place = _middle_of(footprint) or _pair(said("wcsinfo", "ra_ref"), said("wcsinfo", "dec_ref"))
    place = place or _pair(said("pointing", "target_ra"), said("pointing", "target_dec")) or (None, None)
    failed = [step for step, status in (meta.get("cal_step") or {}).items() if status == "FAILED"]
    reftype = meta.get("reftype")
    return row._replace(
        product=f"ref-{str(reftype).lower()}" if reftype else row.product,
        detector=str(said("instrument", "detector") or ""),
        element=str(said("instrument", "optical_element") or ""),
        type=str(said("exposure", "type") or ""),
        start=_when(said("exposure", "start_time") or said("coadd_info", "time_first") or meta.get("useafter") or ""),
        exptime=_number(said("exposure", "effective_exposure_time") or said("coadd_info", "max_exposure_time")),
        ra=place[0],
        dec=place[1],
        footprint=footprint,
        status=f"FAILED {','.join(failed)}" if failed else "ok",
    )


def _of_fits(row, path):
    hdus = read_headers(path)
    said = dict(hdus[0].values)
    for hdu in hdus[1:]:
        if str(hdu.values.get("EXTNAME", "")).strip().upper() == "SCI":
            said = dict(hdu.values) | said
            break
    footprint = str(said.get("S_REGION") or "")
    place = _middle_of(footprint) or _pair(said.get("RA_REF"), said.get("DEC_REF"))
    place = place or _pair(said.get("TARG_RA"), said.get("TARG_DEC")) or (None, None)
    pupil = str(said.get("PUPIL") or "").strip()
    element = str(said.get("FILTER") or "").strip()
    failed = [key for key, value in said.items() if key.startswith("S_") and str(value).strip() == "FAILED"]
    day, time = (str(said.get(key) or "").strip() for key in ("DATE-OBS", "TIME-OBS"))
    reftype = str(said.get("REFTYPE") or "").strip()
    return row._replace(
        product=f"ref-{reftype.lower()}" if reftype else row.product,
        detector=str(said.get("DETECTOR") or "").strip(),
        element=f"{element}+{pupil}" if pupil not in ("", "CLEAR") and element else element or pupil,
        type=str(said.get("EXP_TYPE") or "").strip(),
        start=f"{day}T{time}" if day and time else str(said.get("DATE-BEG") or day),
        exptime=_number(said.get("EFFEXPTM")),
        ra=place[0],
        dec=place[1],
        footprint=footprint,
        status=f"FAILED {','.join(failed)}" if failed else "ok",
    )


def _middle_of(footprint: str) -> tuple[float, float] | None:
    """The middle of the corners of a footprint, degrees; None where there is none."""
    from rtools.wfi.sphere import positions_of, unit_vectors
    from rtools.wfi.sphere_regions import parse_region

    corners = parse_region(footprint)
    if corners is None:
        return None
    ra, dec = positions_of(unit_vectors(*corners).mean(axis=0))
    return float(ra), float(dec)


def _pair(ra, dec):
    found = _number(ra), _number(dec)
    return None if None in found or found == (0.0, 0.0) else found


def _number(value):
    """A number, or None where metadata have a placeholder."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < abs(FILL_NUMBER) else None
