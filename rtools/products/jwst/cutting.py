"""What a cutout of a JWST product changes: pixels, rows of tables, and the keywords that speak of pixels.

Every image that has the pixels of the main one is cut. REFOUT has one column for four of it. What belongs to no pixel
(tables, the extension ASDF) stays, and so do planes; integrations are chosen apart from pixels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.jwst.kinds import ON_DETECTOR
from rtools.products.io.edges import filled, value_beyond, within
from rtools.products.jwst.changes import HduChange
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import TREE, JwstProduct
from rtools.products.jwst.spectra import wave_changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["JwstRegion", "integration_count", "main_image", "pixel_changes", "pixel_metadata"]

IMAGES = ("SCI", "CTRD")
"""EXTNAMEs of the main image, the first that there is."""

REFOUT, FOUR = "REFOUT", 4
"""The output of reference pixels, and how many columns of the image stand beside one of it."""

ALONE = "ZEROFRAME"
"""An image with a plane for each integration, whose axes are fewer than those of the main one."""

FRAMES = (*ON_DETECTOR, "psfstack", "psfalign", "psfsub")
"""Kinds whose pixels are those of the detector, which keywords SUBSTRT and SUBSIZE count."""

NO_INTEGRATIONS = ("psfstack", "i2d", "s2d", "s3d", "segm")
"""Kinds whose planes are not integrations."""

POSITIONS = re.compile(r"CRPIX([12])[A-Z]?|SLTSTRT([12])")
"""Keywords of an image that count its pixels along an axis, from that of the first one."""

SIGNS = {"C": -1, "S": 1}
"""By their first letter: a reference pixel has a lower number in the cutout, the first pixel a higher one outside."""

NUMBER = "integration_number"


@dataclass(frozen=True)
class JwstRegion:
    """What is kept of a product.

    Attributes
    ----------
    rows, columns : slice or None
        Of its image; what begins before it or ends behind it is filled. None keeps all; both or none.
    integrations : slice or None
        Counted from 0 in the file, within it.
    wavelengths : (float, float) or None
        Shortest and longest of spectra, micrometres.
    """

    rows: slice | None = None
    columns: slice | None = None
    integrations: slice | None = None
    wavelengths: tuple[float, float] | None = None


def main_image(product: JwstProduct) -> JwstHdu:
    """The image that the pixels of a cutout are counted in.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Returns
    -------
    JwstHdu

    Raises
    ------
    InputError
        It has none, or several.
    """
    for name in IMAGES:
        found = product.versions(name)
        if len(found) > 1:
            raise InputError(f"its {len(found)} sources have an image each, none of all", path=product.path)
        if found and product.hdu(name, found[0]).is_image:
            return product.hdu(name, found[0])
    raise InputError(f"no image to cut in this {product.kind}", path=product.path)


def integration_count(product: JwstProduct) -> int:
    """Number of integrations in a file.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Returns
    -------
    int

    Raises
    ------
    InputError
        It is not of integrations, or each of them is an extension of its own.
    """
    none = InputError(f"this {product.kind} has no integrations to choose from", path=product.path)
    if product.kind in NO_INTEGRATIONS:
        raise none
    if product.kind == "x1dints":
        tables = [product.hdu("EXTRACT1D", version) for version in product.versions("EXTRACT1D")]
        if not tables or any("INT_NUM" not in _names(one) for one in tables):
            raise InputError("its integrations are extensions of their own", path=product.path)
        return tables[0].rows
    try:
        shape = main_image(product).shape
    except InputError:
        raise none from None
    if len(shape) < 3 or (product.kind == "psfalign" and len(shape) < 4):
        raise none
    return shape[0]


def _names(hdu):
    return [column.name for column in hdu.columns]


def pixel_changes(product: JwstProduct, region: JwstRegion) -> list[HduChange]:
    """Changes of the HDUs of a product.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    region : JwstRegion
        What is kept.

    Returns
    -------
    list of HduChange
        Pixels are read when they are written.

    Raises
    ------
    InputError
        There is nothing that could be cut so.
    UsageError
        The columns are not those of whole columns of REFOUT.
    """
    if region.wavelengths is not None:
        changes = wave_changes(product, region.wavelengths, region.integrations)
    else:
        changes = [] if product.kind == "x1dints" else _image_changes(product, region)
    changed = {(one.name, one.version) for one in changes}
    rows = _row_changes(product, region.integrations) if region.integrations is not None else []
    return [*changes, *(one for one in rows if (one.name, one.version) not in changed)]


def _image_changes(product, region):
    main = main_image(product)
    changes = []
    for hdu in product.hdus:
        if not hdu.is_image or hdu.name == TREE or len(hdu.shape) < 2 or 0 in hdu.shape:
            continue
        part = _part(product, hdu, main, region)
        if part is not None:
            cards = _positions(hdu, region) if region.rows is not None else {}
            changes.append(_kept(product, hdu, part, cards))
    return changes


def _kept(product, hdu, part, cards):
    """The change of an image of which a part stays; what lies beyond its edges is filled."""
    spans, shape = part[-2:], hdu.shape[-2:]
    inside = part
    if part[-1] is not ...:
        inside = *part[:-2], *(within(span, length) for span, length in zip(spans, shape, strict=True))
    if inside == part:
        return HduChange(hdu.name, hdu.version, part=part, cards=cards)
    pixels = product.pixels(hdu.name, hdu.version, inside)
    value = value_beyond(hdu.name, pixels.dtype, product.flag_bits(hdu.name.lower()))
    return HduChange(hdu.name, hdu.version, array=filled(pixels, spans, shape, value), cards=cards)


def _part(product, hdu, main, region):
    """Which part of an image is kept; None where it is not cut."""
    pixels = _columns_of(product, hdu, main, region)
    own = len(hdu.shape) == len(main.shape) or hdu.name == ALONE
    planes = region.integrations if own and len(hdu.shape) > 2 and hdu.shape[0] == main.shape[0] else None
    if pixels is None and planes is None:
        return None
    return (slice(None) if planes is None else planes, ..., *(pixels or ())) if len(hdu.shape) > 2 else pixels


def _columns_of(product, hdu, main, region):
    """Rows and columns of an image that are kept; None where these are all."""
    if region.rows is None:
        return None
    if hdu.shape[-2:] == main.shape[-2:]:
        return region.rows, region.columns
    if hdu.name != REFOUT or hdu.shape[-2:] != (main.shape[-2], main.shape[-1] // FOUR):
        return None
    ends = region.columns.start, region.columns.stop
    if any(end % FOUR for end in ends):
        first, stop = ends[0] // FOUR * FOUR, -(-ends[1] // FOUR) * FOUR
        raise UsageError(
            f"{REFOUT} has one column for {FOUR}, so columns must begin and end at multiples of {FOUR}",
            mend=f"{first}:{stop} would do",
            path=product.path,
        )
    return region.rows, slice(ends[0] // FOUR, ends[1] // FOUR)


def _positions(hdu, region):
    """Cards of an image that count pixels, for the cutout."""
    starts = {"1": region.columns.start, "2": region.rows.start}
    sizes = {"1": region.columns, "2": region.rows}
    cards: dict[str, Any] = {}
    for key, value in hdu.values.items():
        found = POSITIONS.fullmatch(key)
        if found and isinstance(value, int | float):
            cards[key] = value + SIGNS[key[0]] * starts[found[1] or found[2]]
        elif key in ("SLTSIZE1", "SLTSIZE2"):
            cards[key] = sizes[key[-1]].stop - sizes[key[-1]].start
    return cards


def _row_changes(product, span):
    """Rows of tables that belong to the integrations."""
    count, changes = integration_count(product), []
    kept = _numbers(product, span)
    for hdu in product.hdus:
        if not hdu.is_table or hdu.name == TREE:
            continue
        rows = _rows(product, hdu, count, span, kept)
        if rows is not None:
            changes.append(HduChange(hdu.name, hdu.version, rows=rows))
    return changes


def _numbers(product: JwstProduct, span: slice) -> NDArray[np.int64]:
    first = product.value("INTSTART")
    return np.arange(span.start, span.stop) + (first if isinstance(first, int) else 1)


def _rows(product, hdu, count, span, kept):
    """Rows of a table that stay: by their number of an integration, else so many for each."""
    if hdu.name == "EXTRACT1D":
        return span
    if hdu.name not in ("INT_TIMES", "GROUP", "SOLNS"):
        return None
    if NUMBER in _names(hdu):
        chosen = np.isin(np.asarray(product.table(hdu.name, hdu.version)[NUMBER]), kept)
        if np.count_nonzero(chosen) >= len(kept):
            return chosen
    if hdu.rows % count:
        return None
    each = hdu.rows // count
    return slice(span.start * each, span.stop * each)


def pixel_metadata(product: JwstProduct, region: JwstRegion) -> Mapping[str, Any]:
    """Metadata of a cutout that speak of pixels and integrations; where it was cut from is ``meta.rtools.cutout``.

    That counts in the whole product, also for a cutout of a cutout. NINTS stays, which is of the exposure.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    region : JwstRegion
        What is kept.

    Returns
    -------
    mapping of str to object
        Dotted path from the root to value.
    """
    told: dict[str, Any] = {}
    if region.integrations is not None:
        kept = _numbers(product, region.integrations)
        told |= {"meta.exposure.integration_start": int(kept[0]), "meta.exposure.integration_end": int(kept[-1])}
    if region.rows is None or region.columns is None:
        return told
    for axis, span in (("x", region.columns), ("y", region.rows)):
        if product.kind not in FRAMES:
            continue
        start = product.value(f"subarray.{axis}start")
        told[f"meta.subarray.{axis}start"] = (start if isinstance(start, int) else 1) + span.start
        told[f"meta.subarray.{axis}size"] = span.stop - span.start
        aperture = product.value(f"wcsinfo.siaf_{axis}ref_sci")
        if isinstance(aperture, int | float):
            told[f"meta.wcsinfo.siaf_{axis}ref_sci"] = aperture - span.start
    return told
