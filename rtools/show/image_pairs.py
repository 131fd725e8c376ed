"""An array of two products that is compared: its pixels, with what says how good they are, whole rows or thinned."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.products.edit.section import read_plane
from rtools.show.flag_classes import flag_value, flags_beside
from rtools.show.units import unit_of

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["BLOCK", "ImagePair", "SharedArray", "pair_in", "rows_of_pair", "shared_array", "thinned_pair"]

LARGEST = 1 << 25
"""Pixels that are measured at most: of larger arrays every second, third … along rows and columns of all planes is."""

BLOCK = 1 << 22
"""Pixels of a block of rows."""


class SharedArray(NamedTuple):
    """An array that two products have in one shape, before any pixel is read.

    Attributes
    ----------
    products : (ProductFace, ProductFace)
        A and B, opened.
    name : str
        Of the array.
    shape : tuple of int
        In both.
    error : str
        Name of the array of errors that goes with it; empty without.
    error_of : str
        ``A`` or ``B``: whose errors these are; empty without.
    flags : str
        Name of the array of flags that goes with it in both; empty without.
    table : dict of str to int
        Names of the flags.
    unit : str
        Of the array, or nothing.
    """

    products: tuple[ProductFace, ProductFace]
    name: str
    shape: tuple[int, ...]
    error: str
    error_of: str
    flags: str
    table: dict[str, int]
    unit: str

    @property
    def takes_errors(self) -> bool:
        """Whether such an array has errors beside it, where a product has any."""
        return self.name.rpartition(".")[2] == "data"


class ImagePair(NamedTuple):
    """Pixels of an array of two products.

    Attributes
    ----------
    shared : SharedArray
        What they are of.
    one, two : ndarray
        Of A and B.
    err : ndarray or None
        Errors that go with it.
    flags : ndarray or None
        Flags of either, together.
    usable : ndarray of bool or None
        Pixels that neither flags as DO_NOT_USE.
    step : int
        Every so many pixels are there along rows and columns.
    """

    shared: SharedArray
    one: np.ndarray
    two: np.ndarray
    err: np.ndarray | None
    flags: np.ndarray | None
    usable: np.ndarray | None
    step: int = 1


def shared_array(first: ProductFace, second: ProductFace, name: str) -> SharedArray | None:
    """An array of two products that can be measured.

    Parameters
    ----------
    first, second : rtools.products.io.ProductFace
        Opened.
    name : str
        Of the array.

    Returns
    -------
    SharedArray or None
        None where it holds flags, is no image, or is not of one shape in both.
    """
    infos = [product.arrays[name] for product in (first, second) if name in product.arrays]
    if len(infos) < 2 or first.flag_bits(name) is not None or any(info.dtype.kind not in "fiu" for info in infos):
        return None
    shape = infos[0].shape
    if shape != infos[1].shape or len(shape) < 2 or 0 in shape:
        return None
    before, _dot, leaf = name.rpartition(".")
    error = f"{before}.err" if before else "err"
    holders = [side for side, product in zip("AB", (first, second), strict=True)
               if leaf == "data" and error in product.arrays and product.arrays[error].shape == shape]  # fmt: skip
    both = [flags_beside(product, name) for product in (first, second)]
    flags = next((other for other in both[0] if other in both[1]
                  and first.arrays[other].shape == second.arrays[other].shape), "")  # fmt: skip
    return SharedArray((first, second), name, shape, error if holders else "", holders[0] if holders else "", flags,
                       both[0].get(flags, {}), unit_of(first, name))  # fmt: skip


def thinned_pair(shared: SharedArray) -> ImagePair:
    """Pixels of an array, of large ones only some, for statistics.

    Parameters
    ----------
    shared : SharedArray
        As `shared_array` gives it.

    Returns
    -------
    ImagePair
        No more than about `LARGEST` pixels.
    """
    step = max(1, math.ceil(math.sqrt(math.prod(shared.shape) / LARGEST)))
    return _pair(shared, lambda product, name: _pixels(product, name, step), step)


def rows_of_pair(shared: SharedArray, multiple: int = 1) -> Iterator[tuple[slice, ImagePair]]:
    """All pixels of an image, some rows at a time.

    Parameters
    ----------
    shared : SharedArray
        As `shared_array` gives it, of two axes.
    multiple : int
        Blocks begin at multiples of so many rows.

    Yields
    ------
    (slice, ImagePair)
        Rows, from the first on, and the pixels there.
    """
    rows, columns = shared.shape
    step = multiple * max(1, BLOCK // (columns * multiple))
    for start in range(0, rows, step):
        part = slice(start, min(start + step, rows))
        yield part, pair_in(shared, part)


def pair_in(shared: SharedArray, rows: slice) -> ImagePair:
    """The pixels of some rows of an image.

    Parameters
    ----------
    shared : SharedArray
        As `shared_array` gives it, of two axes.
    rows : slice
        Without a step.

    Returns
    -------
    ImagePair
    """
    return _pair(shared, lambda product, name: read_plane(product, name, 0, rows), 1)


def _pair(shared, read, step):
    first, second = shared.products
    holder = second if shared.error_of == "B" else first
    err = read(holder, shared.error) if shared.error else None
    flags = usable = None
    if shared.flags:
        sides = [read(product, shared.flags) for product in (first, second)]
        sides = [side.astype(f"u{side.dtype.itemsize}") for side in sides]
        flags = sides[0] | sides[1]
        bits = flag_value(first, "DO_NOT_USE", shared.table) & np.iinfo(flags.dtype).max
        usable = (flags & flags.dtype.type(bits)) == 0
    return ImagePair(shared, read(first, shared.name), read(second, shared.name), err, flags, usable, step)


def _pixels(product, name, step):
    """An array, of cubes only some pixels of each plane."""
    shape = product.arrays[name].shape
    if len(shape) == 2:
        return read_plane(product, name)[::step, ::step]
    count = math.prod(shape[:-2])
    if product.mission == "roman" and len(shape) > 3:
        return product.array(name).reshape(-1, *shape[-2:])[:, ::step, ::step]
    return np.stack([read_plane(product, name, number)[::step, ::step] for number in range(count)])
