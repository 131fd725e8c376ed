"""Headers of FITS files without astropy: keywords and values, and where the data lie.

The import of astropy.io.fits takes longer than all else that a look at a file needs. Only what is looked at comes from
here; what is written again goes through astropy, which keeps every card.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from rtools.errors import InputError
from rtools.remote import parts

__all__ = ["BLOCK", "StoredHeader", "header_values", "read_headers"]

BLOCK = 2880
"""Bytes of a block; a header and its data fill whole ones."""

CARD = 80
"""Bytes of a card."""

END = b"END" + b" " * 77

LONGEST = 1 << 26
"""Bytes of a header; the longest ones, of files with many members, have some megabytes."""

BITPIX = (8, 16, 32, 64, -32, -64)
"""What may stand there: bits of an integer, or of a float with a minus."""

MOST = 999
"""Axes and columns that there can be: the numbers behind their keywords have three digits."""

COMMENTARY = ("COMMENT", "HISTORY", "")
"""Keywords without a value, whose texts may be many."""

TEXT = re.compile(r" *'((?:[^']|'')*)'")
INTEGER = re.compile(r"[+-]?\d+")
REAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[EeDd][+-]?\d+)?")
HIERARCH = re.compile(r"HIERARCH +([^=]*?) *=(.*)")


class StoredHeader(NamedTuple):
    """The header of one HDU as it stands in a file.

    Attributes
    ----------
    text : bytes
        All its blocks.
    values : dict of str to object
        By keyword, as `header_values` gives them.
    start, data, end : int
        Offsets in the file of the header, of the data and of what follows the HDU.
    """

    text: bytes
    values: dict[str, Any]
    start: int
    data: int
    end: int


def read_headers(path: str | Path) -> tuple[StoredHeader, ...]:
    """All headers of a FITS file; the data are passed over.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    tuple of StoredHeader
        In the order of the file, the primary one first.

    Raises
    ------
    InputError
        Missing, not FITS, truncated, or with a header that does not say how large its data are.
    """
    try:
        with parts.open_parts(path) as file:
            return tuple(_headers(file, os.fstat(file.fileno()).st_size, path))
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else (error.strerror or str(error)).lower()
        raise InputError(reason, path=path) from None


def _headers(file: BinaryIO, size: int, path: str | Path) -> Iterator[StoredHeader]:
    end = 0
    while end < size:
        start = end
        file.seek(start)
        text = _text(file, path, extension=start > 0)
        if text is None:  # what follows the last HDU is no HDU
            return
        values = header_values(text)
        data = start + len(text)
        end = data + _data_size(values, path)
        if end > size:
            raise InputError(f"truncated: {end - size} bytes are missing", path=path)
        yield StoredHeader(text, values, start, data, end)


def _text(file, path, *, extension):
    """The blocks up to the one with the card END; None where no extension begins."""
    text = b""
    while True:
        block = file.read(BLOCK)
        if not text and not block.startswith(b"XTENSION" if extension else b"SIMPLE  ="):
            if extension:
                return None
            raise InputError("cannot be read as FITS (its first card is not SIMPLE)", path=path)
        text += block
        if len(block) < BLOCK or len(text) > LONGEST:
            where = "the header of an extension" if extension else "the primary header"
            raise InputError(f"cannot be read as FITS: truncated in {where}, which has no END", path=path)
        if any(block.startswith(END, place) for place in range(0, BLOCK, CARD)):
            return text


def _data_size(values, path):
    """Bytes of the data with what fills up their last block."""
    name = str(values.get("EXTNAME") or "PRIMARY")
    dimensions, fields = _whole(values, "NAXIS", name, path), _whole(values, "TFIELDS", name, path, 0)
    if not (0 <= dimensions <= MOST and 0 <= fields <= MOST):
        raise InputError(f"a bad header: NAXIS or TFIELDS of {name} cannot be", path=path)
    axes = [_whole(values, f"NAXIS{axis}", name, path) for axis in range(1, dimensions + 1)]
    if _whole(values, "BITPIX", name, path) not in BITPIX or min(axes, default=0) < 0:
        raise InputError(f"a bad header: BITPIX or NAXIS of {name} cannot be", path=path)
    heap, groups = _whole(values, "PCOUNT", name, path, 0), _whole(values, "GCOUNT", name, path, 1)
    if heap < 0 or groups < 1:  # without groups a header could state any size
        raise InputError(f"a bad header: PCOUNT or GCOUNT of {name} cannot be", path=path)
    size = abs(values["BITPIX"]) // 8 * ((math.prod(axes) if axes else 0) + heap) * groups
    return -(-size // BLOCK) * BLOCK


def _whole(values, keyword, name, path, otherwise=None):
    value = values.get(keyword, otherwise)
    if not isinstance(value, int) or isinstance(value, bool):
        problem = f"is {value!r}" if keyword in values else "is missing"
        raise InputError(f"a bad header: {keyword} of {name} {problem}", path=path)
    return value


def header_values(text: bytes) -> dict[str, Any]:
    """Values of a header by keyword.

    Parameters
    ----------
    text : bytes
        Its cards, up to END or to the end.

    Returns
    -------
    dict of str to object
        bool, int, float, complex, or str without blanks at its end; None of a card without a value; a value that is
        none of FITS, as the text that stands there. Of a keyword that stands there twice, the first. Texts of COMMENT,
        HISTORY and of cards without a keyword are a tuple. Strings that go on in CONTINUE cards are whole.
    """
    values: dict[str, Any] = {}
    going_on: str | None = None
    for place in range(0, len(text), CARD):
        card = text[place : place + CARD].decode("latin-1")
        keyword = card[:8].rstrip()
        if keyword == "END":
            break
        if keyword == "CONTINUE" and going_on is not None:
            more = _value(card[8:])
            values[going_on] = (values[going_on][:-1] + (more if isinstance(more, str) else "")).rstrip()
        elif keyword in COMMENTARY:
            values[keyword] = (*values.get(keyword, ()), card[8:].rstrip())
            continue
        else:
            going_on = _put(values, keyword, card)
        if going_on is not None and not str(values[going_on]).endswith("&"):
            going_on = None
    return values


def _put(values, keyword, card):
    """Set the value of a card that stands there for the first time; its keyword where that is a string."""
    if card[8:10] == "= ":
        written = card[10:]
    elif found := HIERARCH.fullmatch(card):
        keyword, written = found[1], found[2]
    else:
        return None
    if keyword in values:
        return None
    values[keyword] = _value(written)
    return keyword if isinstance(values[keyword], str) else None


def _value(written: str) -> Any:
    """The value in what follows the keyword of a card."""
    if found := TEXT.match(written):
        return found[1].replace("''", "'").rstrip()
    word = written.partition("/")[0].strip()
    if word in ("T", "F"):
        return word == "T"
    if INTEGER.fullmatch(word):
        return int(word)
    if REAL.fullmatch(word):
        return float(word.upper().replace("D", "E"))
    pair = word[1:-1].split(",") if word.startswith("(") and word.endswith(")") else ()
    if len(pair) == 2 and all(REAL.fullmatch(part.strip()) for part in pair):
        return complex(*(float(part.upper().replace("D", "E")) for part in pair))
    return word or None
