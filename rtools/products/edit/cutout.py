"""Cutouts: the same product with fewer rows and columns.

Arrays of the size of the image are cut, jump positions shifted; of what belongs to the frame as a whole (reference
pixels, the 33rd amplifier) nothing is kept unless that is asked for. Axes before the last two stay whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.products.io.edges import filled, value_beyond, within
from rtools.products.schema import nodes
from rtools.wfi import metadata
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace
    from rtools.products.io.product import Product

__all__ = ["cut_arrays", "cut_metadata", "image_shape"]

IMAGES = ("data", "dq", "coeffs", "dark_slope", "centered_image")
"""Where the image of a product or reference file is; the first that there is."""

WHOLE = ("amp33", "reference_amp33", "reset_amp33")
"""Arrays that belong to no pixel of the image, besides the border_ref_pix and dq_border_ref_pix ones."""


def image_shape(product: ProductFace) -> tuple[int, int]:
    """Rows and columns of a product's image.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.

    Returns
    -------
    (int, int)

    Raises
    ------
    InputError
        It has none.
    """
    for name in IMAGES:
        info = product.arrays.get(name)
        if info is not None and len(info.shape) >= 2 and 0 not in info.shape:
            rows, columns = info.shape[-2:]
            return rows, columns
    what = f"{product.reftype} reference" if product.reftype else product.kind
    raise InputError(f"no image to cut in this {what}", path=product.path)


def cut_arrays(
    product: Product, rows: slice, columns: slice, work: Work = ALONE, *, whole_frame: bool = False
) -> dict[str, Any]:
    """What a cutout holds below ``roman`` besides ``meta``.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        What is cut, opened.
    rows, columns : slice
        Of its image; what begins before it or ends behind it is filled.
    work : rtools.work.Work
        Its threads decode.
    whole_frame : bool
        Keep the border of reference pixels and amp33 whole; otherwise they are there without any pixel, so that the
        product keeps its form.

    Returns
    -------
    dict
        Key to array or, where the tree has more than arrays, to what it has.
    """
    shape = image_shape(product)
    lines, places = within(rows, shape[0]), within(columns, shape[1])

    def part(node, path):
        if path in product.arrays:
            info = product.arrays[path]
            if _is_cut(path, info, shape):
                found = product.section(path, lines, places, work)
                beyond = value_beyond(path, found.dtype, product.flag_bits(path))
                return filled(found, (rows, columns), shape, beyond)
            if _is_of_frame(path) and not whole_frame:
                return np.zeros(_without_pixels(path, info.shape), info.dtype.newbyteorder("="))
            whole = product.array(path, work)
            return _cut_jumps(whole, rows, columns) if path == "jump_indices" else whole
        if isinstance(node, dict) and not nodes.is_foreign(node):
            return {key: part(value, f"{path}.{key}") for key, value in node.items()}
        if isinstance(node, dict | list) and nodes.is_foreign(node):
            return product.node(path)
        return node

    return {key: part(node, key) for key, node in product.tree.items() if key != "meta"}


def _is_cut(path, info, shape):
    """Whether an array has the pixels of the image."""
    return info.shape[-2:] == shape and path not in WHOLE and "border_ref_pix" not in path


def _is_of_frame(path):
    """Whether an array belongs to the frame as a whole, not to pixels of the image."""
    return path in WHOLE or "border_ref_pix" in path


def _without_pixels(path, shape):
    """The shape of an array of the frame of which no row, or no column, is kept."""
    axis = len(shape) - (1 if path.endswith(("top", "bottom")) else 2)
    return tuple(0 if number == axis else length for number, length in enumerate(shape))


def _cut_jumps(jumps, rows, columns):
    """Rows (resultant, y, x) of the jumps in the cutout, in its own pixels."""
    y, x = jumps[:, 1], jumps[:, 2]
    inside = (y >= rows.start) & (y < rows.stop) & (x >= columns.start) & (x < columns.stop)
    return (jumps[inside] - np.array([0, rows.start, columns.start], jumps.dtype)).astype(jumps.dtype)


def cut_metadata(meta: Mapping[str, Any], rows: slice, columns: slice, shape: tuple[int, int]) -> dict[str, Any]:
    """Metadata that speak of pixels, for a cutout; where it was cut from stands in ``meta.rtools.cutout``.

    That is the pixels of the whole product, also for a cutout of a cutout.

    Parameters
    ----------
    meta : mapping
        Below ``meta``; not changed.
    rows, columns : slice
        What is kept of the image.
    shape : (int, int)
        Rows and columns of the whole product.

    Returns
    -------
    dict
        A new mapping; other blocks are those of `meta`.
    """
    meta = dict(meta)
    known = meta.get("rtools") or {}
    source = str(meta["filename"]) if "filename" in meta else None
    place = known.get("cutout") or {"filename": source, "columns": [0], "rows": [0], "shape": list(shape)}
    for axis, span in (("columns", columns), ("rows", rows)):
        place = {**place, axis: [place[axis][0] + span.start, place[axis][0] + span.stop]}
    meta["rtools"] = {**known, "cutout": {key: value for key, value in place.items() if value is not None}}
    info = meta.get("wcsinfo")
    if isinstance(info, dict) and "image_shape" in info:
        meta["wcsinfo"] = info = dict(info)
        info["image_shape"] = [rows.stop - rows.start, columns.stop - columns.start]
        for key, start in (("x_ref", columns.start), ("y_ref", rows.start)):
            if metadata.usable(meta, f"wcsinfo.{key}") is not None:  # a placeholder stays one
                info[key] = info[key] - start
    return meta
