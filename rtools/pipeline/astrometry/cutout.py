"""A product cut out together with its coordinates and its statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.astrometry.cutout_wcs import cutout_wcs, sky_metadata
from rtools.products.edit.cutout import cut_arrays, cut_metadata, image_shape
from rtools.work import ALONE, Work
from rtools.work.statistics import image_statistics

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["cut_product"]


def cut_product(
    product: Product, rows: slice, columns: slice, work: Work = ALONE, *, whole_frame: bool = False
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Metadata and arrays of a cutout.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        What is cut, opened.
    rows, columns : slice
        Of its image; what begins before it or ends behind it is filled.
    work : rtools.work.Work
        Its threads decode.
    whole_frame : bool
        Keep the border of reference pixels and amp33, whole.

    Returns
    -------
    meta, arrays : dict
        What `rtools.products.io.write_product` takes.
    """
    arrays = cut_arrays(product, rows, columns, work, whole_frame=whole_frame)
    meta = cut_metadata(product.meta, rows, columns, image_shape(product))
    if isinstance(meta.get("wcs"), dict):
        meta["wcs"] = cutout_wcs(product.node("meta.wcs"), rows, columns)
        if isinstance(meta.get("wcsinfo"), dict):
            shape = rows.stop - rows.start, columns.stop - columns.start
            meta["wcsinfo"] = sky_metadata(meta["wcsinfo"], meta["wcs"], shape)
    if meta.get("statistics"):
        meta["statistics"] = meta["statistics"] | _statistics(arrays, meta["statistics"], work)
    return meta, arrays


def _statistics(arrays, known, work):
    """What `meta.statistics` says of the image, of the cutout."""
    dq = arrays.get("dq", np.zeros(arrays["data"].shape, np.uint32))
    found = image_statistics(arrays["data"], dq, arrays["err"], work)
    return {key: value for key, value in found.items() if key in known}
