"""Resampled images: C6 which inputs each pixel has, C7 weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from rtools.findings import Finding, error, warning
from rtools.products.check.jwst.pieces import (
    count_of,
    counted,
    image_of,
    named,
    number_of,
    pieces,
    table_of,
    versions_of,
)
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import JwstProduct

__all__ = ["check_context", "check_weights"]

BITS = 32
"""Inputs of a plane of CON."""


def check_context(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """C6: CON against the number of inputs, which NDRIZ and the rows of HDRTAB say, and against WHT.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    stated, table = count_of(product, "NDRIZ"), table_of(product, "HDRTAB")
    if stated is not None and table is not None and stated != table.rows:
        yield error("C6", "NDRIZ", f"{stated} inputs, but HDRTAB has {table.rows} rows")
    inputs = stated if stated is not None else table.rows if table is not None else None
    for version in versions_of(product, "CON"):
        hdu = image_of(product, "CON", version)
        if hdu is None or len(hdu.shape) != 3 or hdu.dtype is None or hdu.dtype.kind not in "iu":
            continue
        if inputs is not None and hdu.shape[0] != -(-inputs // BITS):
            about = f"{hdu.shape[0]} planes, not {-(-inputs // BITS)}, for {inputs} inputs"
            yield error("C6", named("CON", version), about)
        yield from _context(product, hdu, inputs)


def _context(product: JwstProduct, hdu: JwstHdu, inputs: int | None) -> Iterator[Finding]:
    """Bits of inputs that there are not, and pixels that have inputs and no weight, or the other way round."""
    tally: Counter[Finding] = Counter()
    planes, where = hdu.shape[0], named("CON", hdu.version)
    weight = image_of(product, "WHT", hdu.version)
    for start, rows in _rows_of_context(product, hdu):
        if inputs is not None and 0 < inputs - BITS * (planes - 1) < BITS:
            allowed = np.uint32((1 << (inputs - BITS * (planes - 1))) - 1)
            found = error("C6", where, f"{{}} pixels have inputs beyond the {inputs} that there are")
            tally[found] += number_of(rows[-1] & ~allowed)
        if weight is not None and weight.shape == hdu.shape[-2:]:
            weights = product.pixels("WHT", hdu.version, (slice(start, start + rows.shape[1]),))
            differ = (rows != 0).any(axis=0) != (weights != 0)
            found = warning("C6", where, "{} pixels have inputs and no weight, or the other way round")
            tally[found] += number_of(differ)
    yield from counted(tally)


def _rows_of_context(product, hdu):
    """(first row, all planes of some rows as unsigned bits)."""
    planes, height, width = hdu.shape
    step = max(1, (1 << 20) // max(1, planes * width))
    for start in range(0, height, step):
        rows = product.pixels("CON", hdu.version, (slice(None), slice(start, start + step)))
        yield start, np.ascontiguousarray(rows).astype(np.int64).astype(np.uint32)


def check_weights(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """C7: no weight is negative, and a pixel without weight is NaN or what fills such pixels.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    for version in versions_of(product, "WHT"):
        negative, empty = 0, 0
        filled: set[float] = set()
        for piece in pieces(product, ("WHT", "SCI"), version):
            weights = piece.arrays["WHT"]
            negative += number_of(weights < 0)
            if "SCI" in piece.arrays:
                values = piece.arrays["SCI"][weights == 0]
                values = values[~np.isnan(values)]
                empty += values.size
                filled |= {float(value) for value in np.unique(values)[:2]}
        if negative:
            yield error("C7", named("WHT", version), f"{negative} values are negative")
        if len(filled) > 1:
            yield error("C7", named("SCI", version), f"{empty} pixels without weight have values that are not one fill")
