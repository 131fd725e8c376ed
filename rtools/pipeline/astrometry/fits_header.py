"""The WCS of a product as cards of a FITS header."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.astrometry import sip
from rtools.errors import RtoolsError
from rtools.products import names
from rtools.products.edit.wcs import load_wcs
from rtools.work.work import silent

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["sky_cards"]


def sky_cards(
    product: Product,
    wcs: str | None = None,
    limit: float | None = sip.LIMIT,
    log: Callable[[str, str], None] = silent,
) -> list[tuple[str, Any, str]]:
    """Cards of the WCS of a product's image.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.
    wcs : str, optional
        File of the WCS, where the product does not hold it.
    limit : float or None
        Largest error allowed, pixels; None takes any.
    log : callable
        ``log(level, text)``: is told how good the header is.

    Returns
    -------
    list of (str, value, str)
        Keyword, value and comment of each card; empty where nothing is known of its place on the sky.

    Raises
    ------
    QualityError
        No header is as good as `limit` says.
    """
    info, shape = product.meta.get("wcsinfo") or {}, _shape(product)
    known = sip.mosaic_cards(info)
    if shape is None:
        return []
    if not wcs and not _has_wcs(product):
        return known
    try:
        found = sip.sky_header(load_wcs(product, wcs), shape, limit=limit, known=known)
    except RtoolsError as error:
        error.path = error.path or product.path
        raise
    grade = "warning" if found.worst > sip.LIMIT else "info"
    log(grade, f"{product.path}: WCS of order {found.order}, largest error {found.worst:.2g} pixel")
    return found.cards


def _has_wcs(product):
    """Whether a product has a WCS, or the _wcs file beside it."""
    beside = Path(product.path).with_name(f"{names.split_suffix(product.path)[0]}_wcs.asdf")
    return isinstance(product.meta.get("wcs"), dict) or (product.kind != "reference" and beside.exists())


def _shape(product):
    """(rows, columns) of SCI, or None."""
    info = product.arrays.get("data")
    return None if info is None or len(info.shape) < 2 else info.shape[-2:]
