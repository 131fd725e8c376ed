"""Images behind coronagraphs in files of JWST: which belong together, and which of their pixels are bad."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError, RtoolsError
from rtools.jwst.dq import PIXEL_FLAGS
from rtools.pipeline.stage3.making import refuse_other

if TYPE_CHECKING:
    from rtools.products.jwst import JwstProduct

__all__ = ["BAD", "BLANK", "TARGETS", "is_bad", "refuse_other_frames", "refuse_other_images"]

TARGETS = ("calints", "crfints")
"""Kinds of exposures of targets and of reference stars."""

BAD, BLANK = PIXEL_FLAGS["DO_NOT_USE"], PIXEL_FLAGS["NON_SCIENCE"]


def refuse_other_frames(products: Sequence[JwstProduct]) -> None:
    """Refuse exposures that do not lie pixel on pixel, by what exposures that they are made of say, too.

    Parameters
    ----------
    products : sequence of JwstProduct
        Of which one product is made.

    Raises
    ------
    InputError
        One was taken with another instrument, filter or mask than the first.
    RtoolsError
        One has other rows or columns than the first.
    """
    shapes = [product.hdu("SCI").shape[-2:] if product.has("data") else None for product in products]
    for product, shape in zip(products, shapes, strict=True):
        if shape and shapes[0] and shape != shapes[0]:
            (rows, columns), first = shape, shapes[0]
            raise RtoolsError(
                f"its images have {columns} x {rows} pixels, those of {products[0].path} {first[1]} x {first[0]}",
                path=product.path,
            )
    refuse_other(products, "instrument.name", "instrument.filter", "instrument.pupil", "instrument.coronagraph")


def refuse_other_images(products: Sequence[JwstProduct]) -> None:
    """Refuse files of which no images of several integrations can be taken together.

    Parameters
    ----------
    products : sequence of JwstProduct
        Of which one product is made.

    Raises
    ------
    InputError
        One has no images, or not as many of errors and flags, or another unit than the first.
    """
    for product in products:
        if not product.has("data") or len(product.hdu("SCI").shape) < 3:
            raise InputError("has no images of several integrations", path=product.path)
        for name in ("ERR", "DQ"):
            if product.versions(name) and product.hdu(name).shape != product.hdu("SCI").shape:
                raise InputError(f"its {name} and SCI have different shapes", path=product.path)
    units = [product.hdu("SCI").unit for product in products]
    for product, unit in zip(products, units, strict=True):
        if unit and units[0] and unit != units[0]:
            raise InputError(f"its images are in {unit}, those of {products[0].path} in {units[0]}", path=product.path)


def is_bad(dq: np.ndarray) -> np.ndarray:
    """Where flags say that a pixel is not to be used.

    Parameters
    ----------
    dq : ndarray of uint32
        Flags.

    Returns
    -------
    ndarray of bool
    """
    return dq & np.uint32(BAD) != 0
