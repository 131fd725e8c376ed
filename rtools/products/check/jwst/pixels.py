"""Images against their flags and errors: C1 bits, C2 what is not to be used, C3 errors and variances.

A set of images is read once, piece by piece, and all three are counted on the way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from rtools.findings import Finding, error, info, warning
from rtools.jwst.dq import GROUP_FLAGS, PIXEL_FLAGS
from rtools.jwst.instrument import REFERENCE_WIDTH
from rtools.jwst.layout import ProductLayout
from rtools.products.check.jwst.pieces import (
    PixelPiece,
    count_of,
    counted,
    image_of,
    meta_value,
    named,
    number_of,
    pieces,
    ramp_pieces,
    versions_of,
)
from rtools.products.jwst.product import JwstProduct

__all__ = ["check_flags_of_ramps", "check_images"]

VARIANCES = ("VAR_POISSON", "VAR_RNOISE", "VAR_FLAT")

RATES = ("rate", "rateints", "bsub", "bsubints")
"""Products before the flat field: NaN goes with no error."""

CALIBRATED = ("cal", "calints", "crf", "crfints")
"""Products from the flat field on: NaN in all planes alike."""

RESAMPLED = ("i2d", "s2d")

TOLERANCE = 1e-4
"""Relative difference of variances that single precision explains."""

DETECTOR_SIZES = {"MIRI": (1032, 1024)}
"""Columns and rows of a detector where they are not `DETECTOR_SIZE`."""

DETECTOR_SIZE = (2048, 2048)


def check_images(product: JwstProduct, layout: ProductLayout) -> Iterator[Finding]:
    """C1, C2 and C3 of every set of images.

    Parameters
    ----------
    product : JwstProduct
        Opened; images with flags or errors.
    layout : ProductLayout
        Of its kind.

    Yields
    ------
    Finding
    """
    for version in versions_of(product):
        yield from _set(product, layout, version)


def _set(product, layout, version):
    names = [name for name in ("SCI", "ERR", "DQ", *VARIANCES) if layout.hdu(name) or name == "VAR_FLAT"]
    tally: Counter[Finding] = Counter()
    sums: Counter[str] = Counter()
    place = _place(product, version)
    if image_of(product, "SCI", version) is None:
        return
    for piece in pieces(product, names, version):
        arrays = piece.arrays
        if "DQ" in arrays and arrays["DQ"].dtype.kind == "u":  # other types are L4
            _count_bits(tally, arrays["DQ"], PIXEL_FLAGS, named("DQ", version))
            if place is not None:
                _count_borders(tally, piece, place, named("DQ", version))
            _count_unused(tally, arrays, layout.suffix, version)
        _count_errors(tally, sums, arrays, layout.suffix, version)
    yield from counted(tally)
    if layout.suffix in RATES and meta_value(product, "S_CHGMIG") == "COMPLETE":
        return  # such groups make VAR_RNOISE smaller, ERR is left as it was, and DQ does not say of which pixels
    yield from _judge_sums(sums, layout.suffix, version)


def _count_bits(tally, flags, bits, where):
    """C1: bits without a meaning; RESERVED is a name for that."""
    known = sum(value for name, value in bits.items() if name != "RESERVED")
    unknown = int(np.bitwise_or.reduce(flags, axis=None)) & ~known
    for bit in range(flags.dtype.itemsize * 8):
        if unknown >> bit & 1:
            count = number_of(flags & flags.dtype.type(1 << bit))
            tally[warning("C1", where, f"{{}} values have bit {bit}, which has no meaning")] += count


def _place(product: JwstProduct, version: int) -> tuple[int, int, int, int] | None:
    """First column and row on the detector, and its size; None where the image is not one of the detector."""
    image = image_of(product, "SCI", version) or image_of(product, "PIXELDQ", version)
    if version > 1 or image is None:
        return None
    width, height = DETECTOR_SIZES.get(str(meta_value(product, "INSTRUME")), DETECTOR_SIZE)
    size = (count_of(product, "SUBSIZE1") or width, count_of(product, "SUBSIZE2") or height)
    if image.shape[-2:] != (size[1], size[0]):
        return None
    return (count_of(product, "SUBSTRT1") or 1) - 1, (count_of(product, "SUBSTRT2") or 1) - 1, width, height


def _count_borders(tally, piece: PixelPiece, place, where, name="DQ"):
    """C1: reference pixels lie in the border of the detector, of which MIRI has columns alone."""
    flags = piece.arrays[name]
    reference = (flags & flags.dtype.type(PIXEL_FLAGS["REFERENCE_PIXEL"])) != 0
    if not reference.any():
        return
    left, bottom, width, height = place
    columns = left + np.arange(flags.shape[-1])
    rows = bottom + np.arange(piece.rows.start, piece.rows.stop)
    inner_columns = (columns >= REFERENCE_WIDTH) & (columns < width - REFERENCE_WIDTH)
    inner_rows = (rows >= REFERENCE_WIDTH) & (rows < height - REFERENCE_WIDTH) | ((width, height) != DETECTOR_SIZE)
    inside = inner_rows[:, None] & inner_columns
    found = warning("C1", where, "{} values inside the border of the detector are REFERENCE_PIXEL")
    tally[found] += number_of(reference & inside)


def _count_unused(tally, arrays, kind, version):
    """C2: DO_NOT_USE and NaN."""
    if kind not in (*RATES, *CALIBRATED):
        return
    unused = (arrays["DQ"] & PIXEL_FLAGS["DO_NOT_USE"]) != 0
    lost = np.isnan(arrays["SCI"])
    where = named("SCI", version)
    tally[warning("C2", where, "{} pixels are NaN, but not DO_NOT_USE in DQ")] += number_of(lost & ~unused)
    if kind.startswith("bsub"):  # flags of the background are added, whose pixels keep their values
        return
    tally[warning("C2", where, "{} pixels are DO_NOT_USE in DQ, but not NaN")] += number_of(unused & ~lost)
    for name in ("ERR", *VARIANCES):
        if name not in arrays or arrays[name].dtype.kind != "f":
            continue
        values, where = arrays[name], named(name, version)
        if kind in RATES:
            found = warning("C2", where, "{} pixels that are DO_NOT_USE in DQ are not 0")
            tally[found] += number_of(unused & (values != 0) & ~np.isnan(values))
        else:
            void = np.isnan(values)
            found = warning("C2", where, "{} pixels are NaN here and not DO_NOT_USE in DQ, or the other way round")
            tally[found] += number_of(void != unused)


def _count_errors(tally, sums, arrays, kind, version):
    """C3: signs, and how far ERR is what the variances make it."""
    for name in ("ERR", *VARIANCES):
        if name in arrays:
            tally[error("C3", named(name, version), "{} values are negative")] += number_of(arrays[name] < 0)
    if kind not in (*RATES, *CALIBRATED, *RESAMPLED) or not {"ERR", "VAR_POISSON", "VAR_RNOISE"} <= set(arrays):
        return
    squared = arrays["ERR"].astype(float) ** 2
    both = arrays["VAR_POISSON"].astype(float) + arrays["VAR_RNOISE"]
    compared = np.isfinite(squared) & np.isfinite(both) & ((squared != 0) | (both != 0))
    if "DQ" in arrays and arrays["DQ"].dtype.kind == "u":
        compared &= (arrays["DQ"] & PIXEL_FLAGS["CHARGELOSS"]) == 0
    near = np.abs(squared - both) <= TOLERANCE * np.maximum(squared, both)
    sums["compared"] += number_of(compared)
    sums["other"] += number_of(compared & ~near)
    sums["smaller"] += number_of(compared & ~near & (squared < both))
    if "VAR_FLAT" in arrays:
        total = both + arrays["VAR_FLAT"]
        near = np.abs(squared - total) <= TOLERANCE * np.maximum(squared, total)
        sums["other with flat"] += number_of(compared & ~near & np.isfinite(total))
        sums["flat"] += 1


def _judge_sums(sums: Counter[str], kind: str, version: int) -> Iterator[Finding]:
    """C3: which sum of variances ERR is the root of."""
    where = named("ERR", version)
    if not sums["compared"]:
        return
    if kind in ("rateints", "bsubints"):  # several segments of a ramp make it larger
        if sums["smaller"]:
            yield warning(
                "C3", where, f"{sums['smaller']} values are smaller than VAR_POISSON and VAR_RNOISE make them"
            )
        return
    if sums["other"] == 0:
        yield info("C3", where, "its square is VAR_POISSON + VAR_RNOISE")
    elif kind not in RATES and sums["flat"] and sums["other with flat"] == 0:
        yield info("C3", where, "its square is VAR_POISSON + VAR_RNOISE + VAR_FLAT")
    else:
        least = min(sums["other"], sums["other with flat"]) if sums["flat"] else sums["other"]
        yield warning("C3", where, f"{least} values are not the root of the sum of the variances")


def check_flags_of_ramps(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """C1 of PIXELDQ and GROUPDQ, and C4: SATURATED is not taken back in a later group.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    tally: Counter[Finding] = Counter()
    place = _place(product, 1)
    for piece in pieces(product, ("PIXELDQ",)):
        if piece.arrays["PIXELDQ"].dtype.kind == "u":
            _count_bits(tally, piece.arrays["PIXELDQ"], PIXEL_FLAGS, "PIXELDQ")
            if place is not None:
                _count_borders(tally, piece, place, "PIXELDQ", "PIXELDQ")
    for _integration, flags in ramp_pieces(product, "GROUPDQ"):
        if flags.dtype.kind != "u":
            break
        _count_bits(tally, flags, GROUP_FLAGS, "GROUPDQ")
        saturated = (flags & GROUP_FLAGS["SATURATED"]) != 0
        cleared = number_of((saturated[:-1] & ~saturated[1:]).any(axis=0))
        tally[warning("C4", "GROUPDQ", "{} ramps are SATURATED in a group and not in the next")] += cleared
    yield from counted(tally)
