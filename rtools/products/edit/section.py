"""Regions of an image as they are typed: ``x1:x2,y1:y2``, x first, counted from 0, ends exclusive."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rtools.errors import InputError, OutsideError, UsageError
from rtools.jwst.kinds import ON_DETECTOR
from rtools.products.io.edges import within
from rtools.wfi.frame import BORDER

if TYPE_CHECKING:
    import numpy as np

    from rtools.products.io.face import ProductFace

__all__ = [
    "FRAMES",
    "cutout_of",
    "frame_of",
    "origin_of",
    "parse_section",
    "part_of_image",
    "read_plane",
    "select",
    "shift_between",
]

FRAMES = ("l1", "l2")
"""Pixel frames of a detector: with its border of reference pixels, and without."""

L1_KINDS = ("l1_uncal", "ramp", "reference")
L2_KINDS = ("l2_image", "segm_exposure")

_TEXT = re.compile(r"\s*([+-]?\d*)\s*:\s*([+-]?\d*)\s*,\s*([+-]?\d*)\s*:\s*([+-]?\d*)\s*", re.ASCII)


def parse_section(
    text: str, shape: Sequence[int], frame: str | None = None, own: str | None = None
) -> tuple[slice, slice]:
    """Rows and columns of a section of an image.

    Parameters
    ----------
    text : str
        ``x1:x2,y1:y2``; what is left out reaches to the edge. Ends beyond an edge are clipped.
    shape : (int, int)
        Rows and columns of the image.
    frame : {"l1", "l2"}, optional
        Frame that `text` counts in; by default the pixels of the image itself.
    own : {"l1", "l2"}, optional
        Frame of the image, as `frame_of` says it; needed only with `frame`.

    Returns
    -------
    (slice, slice)
        Rows and columns.

    Raises
    ------
    UsageError
        The text is not a valid section, or the image has no such frame.
    OutsideError
        The section is wholly outside.
    """
    ends = _TEXT.fullmatch(text)
    if ends is None or any(end in ("+", "-") for end in ends.groups()):
        raise UsageError(f"{text!r} is not a valid section", mend="x1:x2,y1:y2 is one, as 0:100,2000:2100")
    shift = _shift(frame, own)
    x1, x2, y1, y2 = (int(end) + shift if end else None for end in ends.groups())
    rows, columns = _clip(y1, y2, shape[0]), _clip(x1, x2, shape[1])
    for axis, first, stop in (("x", x1, x2), ("y", y1, y2)):
        if first is not None and stop is not None and first >= stop:
            raise UsageError(f"{text!r} is not a valid section: it has no {axis}", mend="the end is exclusive")
    if rows is None or columns is None:
        raise OutsideError(f"the section {text} is outside of the {shape[1]} x {shape[0]} pixels")
    return rows, columns


def frame_of(product: ProductFace) -> str | None:
    """Frame of an opened product's images: ``l1``, ``l2``, or None where neither applies (mosaics, tables, JWST).

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.

    Returns
    -------
    str or None
        The word.
    """
    if product.mission != "roman":
        return None
    if product.kind == "reference" and product.reftype == "flat":
        return "l2"
    return "l1" if product.kind in L1_KINDS else "l2" if product.kind in L2_KINDS else None


def shift_between(product: ProductFace, other: ProductFace) -> tuple[int, int]:
    """How far the pixels of one product's image are numbered from those of another's of the same exposure.

    Parameters
    ----------
    product, other : rtools.products.io.ProductFace
        Each of a frame of its own, whole or cut out of it.

    Returns
    -------
    (int, int)
        To be added to x and y of `product` to have those of `other`.
    """
    (x, y), (other_x, other_y) = origin_of(product), origin_of(other)
    return x - other_x, y - other_y


def origin_of(product: ProductFace) -> tuple[int, int]:
    """Column and row of a product's first pixel, counted in the whole frame without border; of JWST in the detector.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened; whole, or cut out.

    Returns
    -------
    (int, int)
        Column and row, negative for a whole frame with its border.
    """
    if product.mission == "jwst" and product.kind in ON_DETECTOR:
        subarray = product.meta.get("subarray") or {}
        return int(subarray.get("xstart", 1)) - 1, int(subarray.get("ystart", 1)) - 1
    cut = cutout_of(product)
    border = BORDER if frame_of(product) == "l1" else 0
    return (cut["columns"][0] if cut else 0) - border, (cut["rows"][0] if cut else 0) - border


def cutout_of(product: ProductFace) -> dict[str, Any] | None:
    """Where a product was cut from (filename, columns, rows), as ``meta.rtools.cutout`` says; None for a whole one.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.

    Returns
    -------
    dict or None
        Mapping with ``filename``, ``columns`` and ``rows``, the last two as [first, end].
    """
    return (product.meta.get("rtools") or {}).get("cutout")


def part_of_image(product: ProductFace) -> tuple[slice, slice] | None:
    """Which pixels of a filled cutout its image had.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.

    Returns
    -------
    (slice, slice) or None
        Rows and columns, in pixels of the cutout; None where nothing is filled.
    """
    cut = cutout_of(product) or {}
    pairs: list[Any] = [cut.get(key) for key in ("rows", "columns", "shape")]
    if not all(isinstance(pair, list) and [type(one) for one in pair] == [int, int] for pair in pairs):
        return None
    wanted, shape = [slice(*pair) for pair in pairs[:2]], pairs[2]
    inside = [within(span, length) for span, length in zip(wanted, shape, strict=True)]
    if inside == wanted:
        return None
    rows, columns = (
        slice(found.start - span.start, found.stop - span.start) for span, found in zip(wanted, inside, strict=True)
    )
    return rows, columns


def _shift(frame, own):
    if frame is None or frame == own:
        return 0
    if frame not in FRAMES:
        raise UsageError(f"no frame is called {frame}", mend=f"there are {' '.join(FRAMES)}")
    if own is None:
        raise UsageError(f"--frame {frame}: pixels of this product belong to no detector frame")
    return BORDER if own == "l1" else -BORDER


def _clip(first, stop, length):
    """The slice from `first` to `stop` within a length, or None where nothing is left."""
    first = 0 if first is None else max(first, 0)
    stop = length if stop is None else min(stop, length)
    return slice(first, stop) if first < stop else None


def select(product: ProductFace, name: str, text: str | None, frame: str | None = None) -> tuple[slice, slice]:
    """Rows and columns of an array of a product that a section means; everything where `text` is None.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    name : str
        Dotted path of the array.
    text : str or None
        As `parse_section` takes it.
    frame : str, optional
        Frame that `text` counts in; by default the pixels of the array itself.

    Returns
    -------
    (slice, slice)
        Rows and columns.

    Raises
    ------
    UsageError, InputError
        As `parse_section`; also for an array of fewer than two axes.
    UsageError
        As `parse_section`; also for a frame without a section.
    InputError
        As `parse_section`; also for an array of fewer than two axes.
    """
    if text is None:
        if frame is not None:
            raise UsageError("--frame goes with --section")
        return slice(None), slice(None)
    shape = product.arrays[name].shape
    if len(shape) < 2:
        raise InputError(f"{name} has no rows and columns to take a section of", path=product.path)
    try:
        return parse_section(text, shape[-2:], frame, frame_of(product))
    except InputError as error:
        error.path = product.path
        raise


def read_plane(
    product: ProductFace, name: str, number: int = 0, rows: slice = slice(None), columns: slice = slice(None)
) -> np.ndarray:
    """Part of one plane of an array; no more than the plane is read.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    name : str
        Dotted path of the array.
    number : int
        Along the leading axis of a cube, of JWST through all leading axes; ignored for fewer than three axes.
    rows, columns : slice
        Of the last two axes; ignored for an array of fewer than two.

    Returns
    -------
    ndarray
        Of two axes, or of as many as the array has if these are fewer.
    """
    shape = product.arrays[name].shape
    if len(shape) < 2:
        return product.array(name)
    if len(shape) == 2:
        first, stop, _step = rows.indices(shape[0])
        return product.rows(name, first, stop)[:, columns]
    if len(shape) == 3 or product.mission == "jwst":
        return product.plane(name, number, rows)[:, columns]
    return product.rows(name, number, number + 1)[0][..., rows, columns]
