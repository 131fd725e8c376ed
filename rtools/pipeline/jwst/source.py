"""Blocks of a JWST file: parts of the detector with all groups of all integrations, or of an image."""

from __future__ import annotations

import numpy as np

from rtools.errors import InputError, with_article
from rtools.exposure.jwst.block import RampBlock
from rtools.exposure.jwst.images import RatePlanes
from rtools.jwst.dq import GROUP_FLAGS
from rtools.products.jwst import JwstProduct

__all__ = ["groups_left_out", "image_block", "ramp_block", "ramp_shape", "refuse_strange_readout"]

ALL = slice(None)
DO_NOT_USE = np.uint8(GROUP_FLAGS["DO_NOT_USE"])


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
    if "IRS2" in pattern or (columns is not None and shape[-1] != columns and shape[-2] != columns):
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
        raise InputError(f"has no ramp (it is {with_article(product.kind)})", path=product.path)
    return info.shape  # type: ignore[return-value]


def ramp_block(product: JwstProduct, rows: slice, columns: slice, integrations: slice = ALL) -> RampBlock:
    """Read a part of a ramp; nothing else of the file is read.

    Parameters
    ----------
    product : JwstProduct
        An `uncal` or `ramp`.
    rows, columns : slice
        Which part, as far as the image goes.
    integrations : slice
        Which integrations.

    Returns
    -------
    RampBlock
        Flags that the file does not have are zero.
    """

    def read(name, *leading):
        return product.pixels(name, part=(*leading, ..., rows, columns)) if product.has(name) else None

    data = np.asarray(read("data", integrations), np.float32)
    flags, pixels, zero = read("groupdq", integrations), read("pixeldq"), read("zeroframe", integrations)
    height, width = product.arrays["data"].shape[-2:]
    return RampBlock(
        data,
        np.zeros(data.shape, np.uint8) if flags is None else flags,
        np.zeros(data.shape[2:], np.uint32) if pixels is None else pixels,
        slice(*rows.indices(height)[:2]),
        slice(*columns.indices(width)[:2]),
        None if zero is None else np.asarray(zero, np.float32),
        read("average_dark_current"),
        integrations.start or 0,
    )


def groups_left_out(product: JwstProduct) -> set[int]:
    """Groups that no pixel of any integration uses.

    Parameters
    ----------
    product : JwstProduct
        An `uncal` or `ramp`.

    Returns
    -------
    set of int
        None for a file without flags.
    """
    if not product.has("groupdq"):
        return set()
    integrations, groups = ramp_shape(product)[:2]
    return {
        group
        for group in range(groups)
        if all(_is_left_out(product, number * groups + group) for number in range(integrations))
    }


def _is_left_out(product, plane):
    """Whether all pixels of a plane are DO_NOT_USE; the first row says no for most."""
    first = product.plane("groupdq", plane, slice(0, 1))
    return bool((first & DO_NOT_USE).all() and (product.plane("groupdq", plane) & DO_NOT_USE).all())


def image_block(product: JwstProduct, place: tuple[slice, slice]) -> RatePlanes:
    """Read a part of an image, or of all integrations.

    Parameters
    ----------
    product : JwstProduct
        A `rate`, `rateints` or what is made of it.
    place : (slice, slice)
        Rows and columns.

    Returns
    -------
    RatePlanes
        Variances that the file does not have are zero.
    """

    def read(name):
        return product.section(name, *place) if product.has(name) else None

    data, flat = product.section("data", *place), read("var_flat")
    err, photons, reading = (
        np.zeros_like(data) if (one := read(name)) is None else one for name in ("err", "var_poisson", "var_rnoise")
    )
    return RatePlanes(data, err, product.section("dq", *place), photons, reading, flat)
