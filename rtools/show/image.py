"""What is to be shown of a product: one plane, or a part of it, with bad pixels left out.

Only the rows, columns and resultant that are shown are read, as far as the file's compression allows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.products.edit.section import read_plane, select
from rtools.products.schema import layout
from rtools.wfi import dq

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["ShownPlane", "default_array", "load_image", "unit_of"]

MOST_CLASSES = 9
"""Flags that get a colour of their own; the rest shares one."""

UNITS = {
    "DN / s": "DN/s",
    "DN2 / s2": "(DN/s)²",
    "MJy.sr**-1": "MJy/sr",
    "MJy**2.sr**-2": "(MJy/sr)²",
    "electron / s": "electron/s",
}
"""Units of the schemas as one reads them."""


@dataclass
class ShownPlane:
    """A plane to be shown.

    Attributes
    ----------
    data : ndarray float32, (rows, columns)
        NaN where nothing is known or the pixel is bad; for flags the number of a class, 0 for none.
    x, y : int
        Of its first pixel in the file.
    frame : (int, int)
        Rows and columns of the whole plane.
    kind : {"image", "flags", "labels"}
    name, unit, title : str
        The array with its plane, its unit or "", and the file.
    classes : list of (str, int)
        Of flags: name and number of pixels; the first is class 1.
    bad : int
        Pixels that are left out.
    """

    data: np.ndarray
    x: int = 0
    y: int = 0
    frame: tuple[int, ...] = ()
    kind: str = "image"
    name: str = "data"
    unit: str = ""
    title: str = ""
    classes: list[tuple[str, int]] = field(default_factory=list)
    bad: int = 0

    @property
    def region(self) -> str:
        """``x 0:4088, y 0:4088``."""
        rows, columns = self.data.shape
        return f"x {self.x}:{self.x + columns}, y {self.y}:{self.y + rows}"


def load_image(
    product: Product,
    *,
    array: str | None = None,
    resultant: int | None = None,
    section: str | None = None,
    frame: str | None = None,
    flags: str | None = None,
    called: str | None = None,
) -> ShownPlane:
    """Read what is to be shown.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.
    array : str, optional
        ``data``, or what the product has in its place, by default.
    resultant : int, optional
        Plane of a cube, from the end where negative; the last one by default.
    section, frame : str, optional
        As `rtools.products.edit.section.parse_section` takes them; all by default.
    flags : str, optional
        Names of flags: pixels that have one are left out (DO_NOT_USE by default; ``none``: no pixel is), or in an
        array of flags the ones that are shown (by default all).
    called : str, optional
        What the picture calls the file, if not by its name.

    Returns
    -------
    ShownPlane

    Raises
    ------
    InputError
        There is no such array or resultant, it is not an image, the section is outside of it.
    """
    name = array or default_array(product)
    info = _image_info(product, name)
    plane, label = _plane_number(product, name, info.shape, resultant)
    rows, columns = select(product, name, section, frame)
    pixels = _read(product, name, plane, rows, columns)
    image = ShownPlane(pixels, columns.start or 0, rows.start or 0, info.shape[-2:], name=label)
    image.unit = unit_of(product, name)
    image.title = called or Path(product.path).name
    if dq.bits_of(name) is not None and pixels.dtype.kind == "u":
        return _classify(image, dq.bits_of(name), flags)
    if "segm" in product.kind and pixels.dtype.kind in "iu":
        image.kind = "labels"
        number = (pixels.astype(np.uint64) % 192).astype(np.int32)
        image.data = np.where(pixels > 0, 64 + number * 101 % 192, 0).astype(np.float32)  # neighbours differ
        return image
    image.data = np.abs(pixels).astype(np.float32) if pixels.dtype.kind == "c" else pixels.astype(np.float32)
    bad = _bad_pixels(product, name, plane, (rows, columns), flags) | ~np.isfinite(image.data)
    image.data[bad] = np.nan
    image.bad = int(np.count_nonzero(bad))
    return image


def default_array(product: Product) -> str:
    """The array that is shown when none is named: ``data``, else the first that can be shown, flags last.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.

    Returns
    -------
    str
        Its dotted path.

    Raises
    ------
    InputError
        There is none.
    """
    if product.has("data") and len(product.arrays["data"].shape) >= 2:
        return "data"
    for name, info in sorted(product.arrays.items(), key=lambda item: dq.bits_of(item[0]) is not None):
        if len(info.shape) >= 2 and info.dtype.names is None and info.dtype.kind in "biufc":
            return name
    raise InputError(f"has no image (its kind is {product.reftype or product.kind})", path=product.path)


def _image_info(product, name):
    if name not in product.arrays:
        there = ", ".join(product.arrays) or "none"
        raise InputError(f"the array {name} is missing", mend=f"there are {there}", path=product.path)
    info = product.arrays[name]
    if len(info.shape) < 2 or 0 in info.shape or info.dtype.names or info.dtype.kind not in "biufc":
        raise InputError(f"the array {name} of shape {info.shape} is not an image", path=product.path)
    return info


def _plane_number(product, name, shape, wanted):
    """Number of the plane, axes before the last two taken as one; and a label that says it."""
    if len(shape) == 2:
        if wanted not in (None, 0, -1):
            raise InputError(f"--resultant {wanted}: the array {name} has two axes", path=product.path)
        return None, name
    count = int(np.prod(shape[:-2]))
    plane = count - 1 if wanted is None else wanted + count * (wanted < 0)
    if not 0 <= plane < count:
        raise InputError(f"--resultant {wanted}: the array {name} has {count}", path=product.path)
    word = "resultant" if product.kind in ("l1_uncal", "ramp") else "plane"
    return plane, f"{name}, {word} {plane} of {count}"


def _read(product, name, plane, rows, columns):
    """A part of one plane; axes before the last two are taken as one."""
    shape = product.arrays[name].shape
    if len(shape) > 3:
        return np.array(product.array(name, part=True).reshape(-1, *shape[-2:])[plane, rows, columns])
    return read_plane(product, name, plane or 0, rows, columns)


def _classify(image, table, wanted):
    """Flags as classes, the rarest on top: one bad pixel is not to be lost."""
    pixels = image.data
    present = int(np.bitwise_or.reduce(pixels, axis=None))
    if wanted and wanted.lower() != "none":
        present &= dq.value(wanted, table)
    counts = {}
    for bit in range(present.bit_length()):
        if present >> bit & 1:
            counts[1 << bit] = int(np.count_nonzero(pixels & pixels.dtype.type(1 << bit)))
    order = sorted(counts, key=counts.__getitem__, reverse=True)
    shared = order[: max(0, len(order) - MOST_CLASSES + 1)] if len(order) > MOST_CLASSES else []
    groups = ([shared] if shared else []) + [[bit] for bit in order if bit not in shared]
    image.data = np.zeros(pixels.shape, np.float32)
    for number, bits in enumerate(groups, 1):
        hit = (pixels & pixels.dtype.type(sum(bits))) != 0
        image.data[hit] = number
        name = dq.names(bits[0], table)[0] if len(bits) == 1 else f"{len(bits)} other flags"
        image.classes.append((name, int(np.count_nonzero(hit))))
    image.kind = "flags"
    return image


def _bad_pixels(product, name, plane, region, flags):
    """Pixels that have one of the flags in the arrays of flags that go with an array."""
    words = flags or "DO_NOT_USE"
    shape = product.arrays[name].shape[-2:]
    if words.lower() == "none":
        return False
    bad = False
    for other in ("dq", "pixeldq", "groupdq", "resultantdq"):
        info = product.arrays.get(other)
        if info is None or info.shape[-2:] != shape or (len(info.shape) == 3 and plane is None):
            continue
        bits = _bits(words, dq.GROUP if len(info.shape) == 3 else dq.PIXEL)
        if bits:
            number = plane if len(info.shape) == 3 else None
            pixels = _read(product, other, number, *region)
            bad = bad | ((pixels & pixels.dtype.type(bits)) != 0)
    return bad


def _bits(words, table):
    """Value of those flags that a table has; a name that no table has is a UsageError."""
    total = 0
    for word in words.replace("|", ",").replace("+", ",").split(","):
        try:
            total |= dq.value(word, table)
        except UsageError:
            dq.value(word, {**dq.PIXEL, **dq.GROUP})
    return total & (0xFF if table is dq.GROUP else 0xFFFFFFFF)


def unit_of(product: Product, name: str) -> str:
    """Unit of an array as text, empty where there is none.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.
    name : str
        Dotted path of the array.

    Returns
    -------
    str
        As one reads it, such as ``DN/s``.
    """
    info = product.arrays.get(name)
    unit: str | list[str] | None = info.unit if info is not None else None
    if not unit:
        kind = f"reference/{product.reftype}" if product.reftype else product.kind
        known = layout.arrays(kind, product.profile).get(name)
        unit = known.unit if known else None
    if isinstance(unit, list):
        unit = unit[product.kind == "l2_image" and (product.meta.get("cal_step") or {}).get("flux") == "COMPLETE"]
    return UNITS.get(unit or "", unit or "")
