"""The file as such and its primary header: F1 standard, F2 what it is, F3 names."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from math import inf
from typing import Any

import numpy as np

from rtools.errors import with_article
from rtools.findings import Finding, error, info, warning
from rtools.jwst.kinds import suffix_of
from rtools.jwst.layout import SUFFIXES
from rtools.products import names
from rtools.products.check.jwst.pieces import meta_value
from rtools.products.fits.read import open_fits
from rtools.products.jwst.hdus import read_spans
from rtools.products.jwst.product import JwstProduct

__all__ = ["check_name", "check_primary", "check_standard", "check_sums"]

BLOCK = 2880
"""Bytes of a block of FITS."""

CARD = 80
"""Bytes of a card."""

PRINTABLE = re.compile(rb"[ -~]*")
KEYWORD = re.compile(rb"[A-Z0-9_-]* *$")
"""The first eight characters of a card."""

SUMMED = 1 << 24
"""Bytes of which a checksum is made at a time, whole blocks."""

WANTED = ("TELESCOP", "INSTRUME", "DETECTOR", "DATAMODL", "EXP_TYPE")

FIELDS = {
    "program": "PROGRAM",
    "observation": "OBSERVTN",
    "visit": "VISIT",
    "visit_group": "VISITGRP",
    "parallel_seq": "SEQ_ID",
    "activity": "ACT_ID",
    "exposure": "EXPOSURE",
    "segment": "EXSEGNUM",
    "detector": "DETECTOR",
}
"""Fields of a name, and the keywords that say the same."""

SAID_AROUND = ("Verification reported", "Note:", "HDU ", "Card ")
"""How lines begin that only lead to what astropy found."""

MEANT = re.compile(r"jw\d{5,}", re.IGNORECASE)
"""How names begin that are meant to be those of the archive."""


def check_standard(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """F1: the file is as long as its HDUs, and its headers follow the standard of FITS; no data are read.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    size, end = os.path.getsize(product.path), product.hdus[-1].end
    if size % BLOCK:
        yield error("F1", "the file", f"{size} bytes, which is no multiple of {BLOCK}")
    elif size > end:
        yield error("F1", "the file", f"{size - end} bytes follow the last extension")
    with open_fits(product.path) as hdus:
        if len(hdus) < len(product.hdus):
            yield error("F1", f"HDU {len(hdus)}", "astropy does not take it for an HDU")
        for hdu, mine in zip(hdus, product.hdus, strict=False):
            for problem in (*_wrong_cards(mine), *_against_standard(hdu)):
                yield error("F1", mine.name or f"HDU {mine.number}", problem)


def _wrong_cards(hdu):
    """Cards with other characters than FITS has, and keywords that are none, of which the first is told."""
    cards = [hdu.text[start : start + CARD] for start in range(0, len(hdu.text), CARD)]
    unprintable = [number for number, card in enumerate(cards, 1) if not PRINTABLE.fullmatch(card)]
    misnamed = [card[:8].decode("latin-1").rstrip() for card in cards if not KEYWORD.match(card[:8])]
    if unprintable:
        yield f"{len(unprintable)} cards hold other characters than printable ASCII (card {unprintable[0]})"
    if misnamed and not unprintable:
        yield f"{len(misnamed)} keywords have other characters than A-Z, 0-9, - and _ ({misnamed[0]})"


def _against_standard(hdu):
    """What astropy says of an HDU, each thing once; values that are neither texts nor numbers are told when read."""
    from astropy.io import fits

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            hdu.verify("warn")
            values = [(card.keyword, card.value) for card in hdu.header.cards]  # parsed here
        except (fits.VerifyError, ValueError, TypeError, LookupError, AttributeError) as problem:
            return [" ".join(str(problem).split())]
    texts = [" ".join(str(one.message).split()) for one in caught]
    texts += [f"{keyword}: a number that is too large" for keyword, value in values if value in (inf, -inf)]
    return list(dict.fromkeys(text for text in texts if text and not text.startswith(SAID_AROUND)))


def check_sums(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """F1: CHECKSUM and DATASUM of each HDU that has them, read piece by piece.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    for hdu in product.hdus:
        told = hdu.values.get("DATASUM"), hdu.values.get("CHECKSUM")
        if told == (None, None):
            continue
        data = _sum(product, hdu.data, hdu.end)
        if told[0] is not None and str(told[0]).strip() != str(data):
            yield error("F1", hdu.name, f"DATASUM is {told[0]}, but that of the data is {data}")
        if told[1] is not None and _added(_sum(product, hdu.start, hdu.data), data) not in (0, 0xFFFFFFFF):
            yield error("F1", hdu.name, "CHECKSUM does not agree with the HDU")


def _sum(product, start, end):
    """The sum of 32-bit words in ones' complement (FITS standard 4.0, appendix J)."""
    total = 0
    for data in read_spans(product.path, ((one, min(one + SUMMED, end)) for one in range(start, end, SUMMED))):
        total = _added(total, int(np.frombuffer(data, ">u4").sum(dtype=np.uint64)))
    return total


def _added(one, two):
    total = one + two
    while total > 0xFFFFFFFF:
        total = (total & 0xFFFFFFFF) + (total >> 32)
    return total


def check_primary(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """F2: the primary HDU has no data, and says what the file is.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    primary = product.hdus[0].values
    if primary["NAXIS"]:
        yield error("F2", "PRIMARY", f"it has data (NAXIS is {primary['NAXIS']})")
    for keyword in WANTED:
        if not str(primary.get(keyword) or "").strip():
            yield error("F2", keyword, "the keyword is missing")


def check_name(product: JwstProduct, path: str) -> Iterator[Finding]:
    """F3: the name of the file against FILENAME, the kind of product, and the keywords.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    path : str
        What the file is called, with or without directories.

    Yields
    ------
    Finding
    """
    base = os.path.basename(path)
    stated = meta_value(product, "FILENAME") if product.hdus else None
    if stated and stated != base:
        yield warning("F3", "FILENAME", f"{stated}, but the file is {base}")
    suffix = suffix_of(base)
    if suffix in SUFFIXES and suffix != product.kind:
        yield warning("F3", "file name", f"the suffix is _{suffix}, but the file is {with_article(product.kind)}")
    try:
        name = names.parse(base, forms=("name",), mission="jwst")
    except names.InvalidName as problem:
        made = warning if MEANT.match(base) else info
        about = f": {problem.message}" if MEANT.match(base) else ""
        yield made("F3", "file name", f"not a name of the archive{about}")
        return
    for remark in names.remarks(name):
        yield warning("F3", "file name", remark)
    yield from _disagreements(product, name)


def _disagreements(product, name):
    """Fields of a name that are not those of the keywords; an exposure may be numbered without zeros."""
    for field, keyword in FIELDS.items():
        value, stated = getattr(name, field, None), meta_value(product, keyword) if product.hdus else None
        of_stage3 = name.exposure is None and field != "program"
        if value is None or stated is None or of_stage3:
            continue
        if _plain(value) != _plain(stated):
            yield warning("F3", keyword, f"{stated}, but the name says {value}")


def _plain(value):
    text = str(value).strip().lower()
    return text.lstrip("0") or "0"
