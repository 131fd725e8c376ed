"""Blocks of a JWST file: parts of the detector with all groups of all integrations, or of an image."""

from __future__ import annotations

import numpy as np

from rtools.errors import InputError
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.images import RatePlanes
from rtools.products.jwst import JwstProduct

__all__ = ["image_block", "ramp_block", "ramp_shape", "refuse_strange_readout"]

ALL = slice(None)


def refuse_strange_readout(product: JwstProduct) -> None:
    """Refuse ramps whose pixels are not simply those of a part of the detector.

    Parameters
    ----------
    product : JwstProduct
        An `uncal` or `ramp`.

    Raises
    ------
    InputError
        It was read by IRS2 or in several stripes.
    """
    pattern = str(product.value("READPATT") or "")
    columns = product.value("SUBSIZE1")
    shape = product.arrays["data"].shape
    if pattern.endswith("IRS2") or (columns is not None and shape[-1] != columns and shape[-2] != columns):
        raise InputError("read by IRS2, whose reference pixels lie among the others: not supported", path=product.path)
    primary = product.hdus[0].values
    if any(key.startswith(("MSTR_", "SSTR_")) for key in primary):
        raise InputError("read in several stripes: not supported", path=product.path)


def ramp_shape(product: JwstProduct) -> tuple[int, int, int, int]:
    """Integrations, groups, rows, columns of a ramp.

    Parameters
    ----------
    product : JwstProduct
        An `uncal` or `ramp`.

    Returns
    -------
    tuple of int

    Raises
    ------
    InputError
        It has no ramp.
    """
    info = product.arrays.get("data")
    if info is None or len(info.shape) != 4:
        raise InputError(f"has no ramp (it is a {product.kind})", path=product.path)
    return info.shape  # type: ignore[return-value]


def ramp_block(product: JwstProduct, rows: slice, columns: slice = ALL) -> RampBlock:
    """Read a part of a ramp; nothing else of the file is read.

    Parameters
    ----------
    product : JwstProduct
        An `uncal` or `ramp`.
    rows, columns : slice
        Which part.

    Returns
    -------
    RampBlock
        Flags that the file does not have are zero.
    """
    data = product.section("data", rows, columns).astype(np.float32)
    flags = np.zeros(data.shape, np.uint8)
    if product.has("groupdq"):
        flags = product.section("groupdq", rows, columns)
    pixels = np.zeros(data.shape[2:], np.uint32)
    if product.has("pixeldq"):
        pixels = product.section("pixeldq", rows, columns)
    zero = product.section("zeroframe", rows, columns).astype(np.float32) if product.has("zeroframe") else None
    _count, _groups, height, width = product.arrays["data"].shape
    return RampBlock(data, flags, pixels, slice(*rows.indices(height)[:2]), slice(*columns.indices(width)[:2]), zero)


def image_block(product: JwstProduct, rows: slice) -> RatePlanes:
    """Read rows of an image, or of all integrations.

    Parameters
    ----------
    product : JwstProduct
        A `rate`, `rateints` or what is made of it.
    rows : slice
        Which rows.

    Returns
    -------
    RatePlanes
        Variances that the file does not have are zero.
    """
    planes = {}
    for name in ("data", "err", "var_poisson", "var_rnoise"):
        shape = product.arrays["data"].shape
        shape = (*shape[:-2], len(range(*rows.indices(shape[-2]))), shape[-1])
        there = product.has(name)
        planes[name] = product.section(name, rows, ALL) if there else np.zeros(shape, np.float32)
    dq = product.section("dq", rows, ALL)
    flat = product.section("var_flat", rows, ALL) if product.has("var_flat") else None
    return RatePlanes(planes["data"], planes["err"], dq, planes["var_poisson"], planes["var_rnoise"], flat)
