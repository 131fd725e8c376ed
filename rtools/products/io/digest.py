"""Digests of files: what stands for their content where one asks whether it is still the same.

Where a file keeps checksums of its data, as ASDF does of its blocks, these are taken, and the data are not read. What a
file says of when and how it was written is left out, so that a product that is made again with the same numbers has the
same digest. Digests that need all bytes are remembered for the file as it is, by size and time, in the cache directory.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache
from hashlib import md5, sha256
from pathlib import Path

from rtools.errors import InputError
from rtools.machine import cache_home
from rtools.products.io import checksums, header
from rtools.products.io.fits_headers import StoredHeader, read_headers
from rtools.remote import parts

__all__ = ["digest_of", "find_data_digest", "sha256_of", "sum_of_spans", "switch"]

VOLATILE_BLOCKS = re.compile(
    rb"^(?:asdf_library|history):.*?(?=^[^\s-])"
    rb"|^    (?:file_date|filename|calibration_software_version|cal_logs|rtools):.*?(?=^ {0,3}\S|^    [^\s-])"
    rb"|^  individual_image_cal_logs:.*?(?=^ {0,1}\S|^  [^\s-])",
    re.MULTILINE | re.DOTALL,
)
"""Of the tree of an ASDF file what tells of its making, not of its content."""

VOLATILE_CARDS = (
    b"DATE    ",
    b"FILENAME",
    b"CAL_VER ",
    b"CAL_VCS ",
    b"CHECKSUM",
    b"DATASUM ",
    b"HISTORY ",
    b"COMMENT ",
)

DATA = re.compile(rb"\n +data: '([0-9a-f]{32})'")
"""What `sum_of_spans` gives of the data of all HDUs, as a FITS file of rtools keeps it in `meta.rtools.job`."""

PIECE = 1 << 20
DIGITS = 32
CARD = 80


_state = {"remembering": True}


def switch(on: bool) -> None:
    """Let digests that are remembered be taken, or not, in this process.

    Parameters
    ----------
    on : bool
        Whether they are from now on.
    """
    _state["remembering"] = bool(on)
    _of_file.cache_clear()


def digest_of(path: str | Path) -> str:
    """The digest of a file, or of a directory by the names, sizes and times of what is in it.

    Parameters
    ----------
    path : str or Path
        Of any form.

    Returns
    -------
    str
        32 hexadecimal digits; empty where there is no such file.
    """
    try:
        state = os.stat(path)
    except OSError:
        return ""
    if os.path.isdir(path):
        return _of_directory(path)
    return _of_file(os.path.realpath(path), state.st_size, state.st_mtime_ns)


def _of_directory(path):
    found = md5(usedforsecurity=False)
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            with suppress(OSError):
                state = os.stat(os.path.join(folder, name))
                told = f"{os.path.relpath(os.path.join(folder, name), path)} {state.st_size} {state.st_mtime_ns}\n"
                found.update(os.fsencode(told))
    return found.hexdigest()


@lru_cache(10_000)
def _of_file(path, size, time):
    try:
        with parts.open_parts(path) as file:
            first = file.read(9)
        if first.startswith(b"#ASDF"):
            return _of_asdf(path, size, time)
        if first == b"SIMPLE  =":
            return _of_fits(path, size, time)
    except (OSError, InputError):
        pass  # what is damaged has a digest, too
    return _content(path, size, time, None)


def _of_asdf(path, size, time):
    text, blocks = header.read_outline(path)
    if any(block.checksum == checksums.NO_CHECKSUM for block in blocks):
        return _content(path, size, time, None)
    found = md5(VOLATILE_BLOCKS.sub(b"", text), usedforsecurity=False)
    for block in blocks:
        found.update(block.checksum)
    return found.hexdigest()


def _of_fits(path, size, time):
    hdus = read_headers(path)
    found, spans = md5(usedforsecurity=False), []
    for hdu in hdus:
        if str(hdu.values.get("EXTNAME", "")).strip().upper() != "ASDF":
            found.update(_stable_cards(hdu.text))
            spans.append((hdu.data, hdu.end))
    known = find_data_digest(path, hdus)
    found.update((known or _content(path, size, time, spans)).encode())
    return found.hexdigest()


def _stable_cards(text):
    """Cards of a header but for those that tell when and how the file was written."""
    cards = (text[start : start + CARD] for start in range(0, len(text), CARD))
    return b"".join(card for card in cards if card[:8] not in VOLATILE_CARDS)


def find_data_digest(path: str | Path, hdus: Sequence[StoredHeader]) -> str | None:
    """The sum of its data that a FITS file of rtools keeps; None where it keeps none.

    Parameters
    ----------
    path : str or Path
        The file.
    hdus : sequence of StoredHeader
        From `rtools.products.io.fits_headers.read_headers`.

    Returns
    -------
    str or None
    """
    for hdu in reversed(hdus):
        if str(hdu.values.get("EXTNAME", "")).strip().upper() == "ASDF":
            with parts.open_parts(path) as file:
                file.seek(hdu.data)
                match = DATA.search(file.read(hdu.end - hdu.data))
            return match[1].decode() if match and match[1].strip(b"0") else None
    return None


def sha256_of(path: str | Path) -> str:
    """The SHA-256 of all bytes of a file, as `sha256sum` prints it; remembered by size and time.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        It cannot be read.
    """
    state = os.stat(path)
    return _content(os.path.realpath(path), state.st_size, state.st_mtime_ns, None, digits=64)


def _content(path, size, time, spans, digits=DIGITS):
    """The sum of all bytes, or of some spans of them; remembered."""
    told = f"{path} {size} {time} {spans}{'' if digits == DIGITS else ' whole'}".encode("utf-8", "surrogateescape")
    note = cache_home() / "digests" / md5(told, usedforsecurity=False).hexdigest()
    if _state["remembering"]:
        with suppress(OSError):
            if len(known := note.read_text("ascii", "replace")) == digits:
                return known
    digest = _sha256(path, spans or [(0, size)])[:digits]
    with suppress(OSError):  # no home, or none that can be written
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(digest, "ascii")
    return digest


def sum_of_spans(path: str | Path, spans: Iterable[tuple[int, int]]) -> str:
    """The first half of the SHA-256 of parts of a file, which processors have instructions for: thrice as fast as MD5.

    Parameters
    ----------
    path : str or Path
        The file.
    spans : iterable of (int, int)
        First byte of each, and the one behind its last.

    Returns
    -------
    str
        32 hexadecimal digits.
    """
    return _sha256(path, spans)[:DIGITS]


def _sha256(path, spans):
    found = sha256(usedforsecurity=False)
    with open(path, "rb") as file:
        for start, stop in spans:
            file.seek(start)
            while start < stop and (piece := file.read(min(PIECE, stop - start))):
                found.update(piece)
                start += len(piece)
    return found.hexdigest()
