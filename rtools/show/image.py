"""What is to be shown of a product: one plane, or a part of it, with bad pixels left out.

Only the rows, columns and planes that are shown are read, as far as the file's compression allows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.products.edit.array_names import names_that_fit
from rtools.products.edit.planes import Choice
from rtools.products.edit.section import read_plane, select
from rtools.show.flag_classes import classify, flag_value, flags_beside
from rtools.show.names import shown_name
from rtools.show.planes import PickedPlane, pick_plane
from rtools.show.units import unit_of

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["ShownPlane", "default_array", "load_image", "named_array", "unit_of"]

STACK = 1 << 26
"""Bytes of a cube that are in memory while its planes become one."""


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
    axes : (str, str)
        What runs to the right and upwards.
    places : ndarray float64 (columns,) or None
        What the columns stand for, where the axis does not count pixels.
    look : (str, str) or None
        Stretch and limits that such numbers have unless others are asked for.
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
    axes: tuple[str, str] = ("x [pixel]", "y [pixel]")
    places: np.ndarray | None = None
    look: tuple[str, str] | None = None

    @property
    def region(self) -> str:
        """``x 0:4088, y 0:4088``."""
        rows, columns = self.data.shape
        return f"x {self.x}:{self.x + columns}, y {self.y}:{self.y + rows}"


def load_image(
    product: ProductFace,
    *,
    array: str | None = None,
    resultant: int | None = None,
    integration: int | None = None,
    group: int | None = None,
    wave: float | None = None,
    section: str | None = None,
    frame: str | None = None,
    flags: str | None = None,
) -> ShownPlane:
    """Read what is to be shown.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    array : str, optional
        ``data``, or what the product has in its place, by default; of JWST also its EXTNAME.
    resultant : int, optional
        Plane of a Roman cube, from the end where negative; the last one by default.
    integration, group, wave : int, int, float, optional
        Plane of a JWST cube, as `rtools.show.planes.pick_plane` takes them.
    section, frame : str, optional
        As `rtools.products.edit.section.parse_section` takes them; all by default.
    flags : str, optional
        Names of flags: pixels that have one are left out (DO_NOT_USE by default; ``none``: no pixel is), or in an
        array of flags the ones that are shown (by default all).

    Returns
    -------
    ShownPlane

    Raises
    ------
    InputError
        There is no such array or plane, it is not an image, the section is outside of it.
    UsageError
        An option is about what the product does not have.
    """
    name = named_array(product, array) if array else default_array(product)
    info = _image_info(product, name)
    picked = pick_plane(product, name, Choice(resultant, integration, group), wave)
    rows, columns = select(product, name, section, frame)
    image = ShownPlane(np.zeros(0), columns.start or 0, rows.start or 0, info.shape[-2:], name=picked.label)
    image.unit = unit_of(product, name)
    if picked.summary == "count":
        image.unit, image.look = "images", ("linear", "minmax")
    image.title = shown_name(product)
    if picked.summary:
        return _summed_up(product, name, picked, image, (rows, columns), flags)
    pixels = _read(product, name, picked.number, rows, columns)
    bits = product.flag_bits(name)
    if bits is not None and pixels.dtype.kind in "iu":
        image.kind = "flags"
        image.data, image.classes = classify(pixels.view(f"u{pixels.dtype.itemsize}"), bits, flags)
        return image
    if "segm" in product.kind and pixels.dtype.kind in "iu":
        image.kind = "labels"
        number = (pixels.astype(np.uint64) % 192).astype(np.int32)
        image.data = np.where(pixels > 0, 64 + number * 101 % 192, 0).astype(np.float32)  # neighbours differ
        return image
    values = np.abs(pixels).astype(np.float32) if pixels.dtype.kind == "c" else pixels.astype(np.float32)
    return _without_bad(image, values, _bad_pixels(product, name, picked.number, (rows, columns), flags))


def _without_bad(image, values, bad):
    image.data = values
    bad = bad | ~np.isfinite(values)
    image.data[bad] = np.nan
    image.bad = int(np.count_nonzero(bad))
    return image


def default_array(product: ProductFace) -> str:
    """The array that is shown when none is named: ``data``, else the first that can be shown, flags last.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
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
    for name, info in sorted(product.arrays.items(), key=lambda item: product.flag_bits(item[0]) is not None):
        if len(info.shape) >= 2 and info.dtype.names is None and info.dtype.kind in "biufc":
            return name
    raise InputError(f"has no image (its kind is {product.reftype or product.kind})", path=product.path)


def named_array(product: ProductFace, wanted: str) -> str:
    """The array that a name means.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    wanted : str
        As typed; of JWST in any letter case, and also as the extension is called: ``SCI``, ``DQ,2``.

    Returns
    -------
    str
        Its dotted path.

    Raises
    ------
    InputError
        There is none.
    """
    known = [name for name in (wanted, f"roman.{wanted}") if name in product.arrays]  # the latter in other files
    found = known or names_that_fit(product, wanted, product.arrays)
    if not found:
        there = ", ".join(product.arrays) or "none"
        raise InputError(f"the array {wanted} is missing", mend=f"there are {there}", path=product.path)
    return found[0]


def _image_info(product, name):
    info = product.arrays[name]
    if len(info.shape) < 2 or 0 in info.shape or info.dtype.names or info.dtype.kind not in "biufc":
        raise InputError(f"the array {name} of shape {info.shape} is not an image", path=product.path)
    return info


def _read(product, name, plane, rows, columns):
    """A part of one plane; axes before the last two are taken as one."""
    shape = product.arrays[name].shape
    if len(shape) > 3 and product.mission == "roman":
        return np.array(product.array(name, part=True).reshape(-1, *shape[-2:])[plane, rows, columns])
    return read_plane(product, name, plane or 0, rows, columns)


def _bad_pixels(product, name, plane, region, flags):
    """Pixels that have one of the flags in the arrays of flags that go with an array."""
    words = flags or "DO_NOT_USE"
    if words.lower() == "none":
        return False
    bad = False
    for other, table in flags_beside(product, name).items():
        number = plane if len(product.arrays[other].shape) > 2 else None
        bad = bad | _flagged(_read(product, other, number, *region), flag_value(product, words, table))
    return bad


def _flagged(pixels, bits):
    """Where any of some bits is set; those beyond the type's are set nowhere."""
    unsigned = pixels.view(f"u{pixels.dtype.itemsize}")
    return (unsigned & unsigned.dtype.type(bits & np.iinfo(unsigned.dtype).max)) != 0


def _summed_up(product, name, picked: PickedPlane, image, region, flags):
    """All planes as one: the median of what is not bad, or the number of bits that are set; some rows at a time."""
    rows, columns = region
    first, last, _step = rows.indices(image.frame[0])
    left, right, _step = columns.indices(image.frame[1])
    count = int(np.prod(product.arrays[name].shape[:-2]))
    step = max(1, STACK // (8 * count * (right - left)))
    found = np.empty((last - first, right - left), np.float32)
    for start in range(first, last, step):
        part = slice(start, min(start + step, last))
        stack = product.section(name, part, slice(left, right)).reshape(count, -1, right - left)
        if picked.summary == "count":
            value = np.bitwise_count(stack.view(f"u{stack.dtype.itemsize}")).sum(axis=0)
        else:
            value = _median(product, name, stack.astype(np.float32), (part, slice(left, right)), flags)
        found[part.start - first : part.stop - first] = value
    return _without_bad(image, found, False)


def _median(product, name, stack, region, flags):
    import warnings

    words = flags or "DO_NOT_USE"
    if words.lower() != "none":
        for other, table in flags_beside(product, name).items():
            stack[_flagged(product.section(other, *region), flag_value(product, words, table)).reshape(stack.shape)] = (
                np.nan
            )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a pixel without a good plane
        return np.nanmedian(stack, axis=0)
