"""Arrays of flags: pixels per flag, masks of pixels with any of some flags, and masks as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from rtools.errors import InputError
from rtools.products.edit.section import read_plane
from rtools.products.names.extensions import form_of_name
from rtools.products.schema import history
from rtools.wfi import dq

if TYPE_CHECKING:
    from rtools.products.io.product import Product

__all__ = ["check_array", "count_flags", "default_array", "flag_arrays", "make_mask", "mask_form", "write_mask"]

EVERY = slice(None)

FITS_BLOCK = 2880


def flag_arrays(product: Product) -> list[str]:
    """Names of an opened product's arrays of flags.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.

    Returns
    -------
    list of str
        Dotted paths, in the order of the file.
    """
    return [name for name, info in product.arrays.items() if dq.bits_of(name) is not None and info.dtype.kind in "iu"]


def default_array(product: Product) -> str:
    """The array of flags that is meant when none is named.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.

    Returns
    -------
    str
        Its dotted path: ``dq``, else ``pixeldq``, else ``resultantdq``, else the first.

    Raises
    ------
    InputError
        There is none.
    """
    found = flag_arrays(product)
    for name in ("dq", "pixeldq", "resultantdq", *found):
        if name in found:
            return name
    raise InputError("has no array of flags", path=product.path)


def check_array(product: Product, name: str) -> str:
    """The name of an array, if it is one of flags.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.
    name : str
        Dotted path, as typed.

    Returns
    -------
    str
        The same name.

    Raises
    ------
    InputError
        The product has no array of flags of this name.
    """
    found = flag_arrays(product)
    if name in found:
        return name
    mend = f"there are {' '.join(found)}" if found else None
    raise InputError(f"has no array of flags {name}", mend=mend, path=product.path)


def count_flags(
    product: Product, name: str, rows: slice = EVERY, columns: slice = EVERY
) -> list[tuple[int, int, dict[int, int]]]:
    """Pixels per flag of each plane.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.
    name : str
        Of an array of flags.
    rows, columns : slice
        Part of the array that is counted in.

    Returns
    -------
    list of (int, int, dict of int to int)
        For each plane (one, or the resultants of a cube): pixels, pixels without a flag, pixels by bit that occurs.
    """
    return [_count(plane) for plane in _planes(product, name, rows, columns)]


def make_mask(product: Product, name: str, value: int, rows: slice = EVERY, columns: slice = EVERY) -> np.ndarray:
    """Where any of some bits is set.

    Parameters
    ----------
    product : rtools.products.io.product.Product
        Opened.
    name : str
        Dotted path of an array of flags.
    value : int
        The bits, as one number.
    rows, columns : slice
        Part of the array that the mask is of; all of it by default.

    Returns
    -------
    ndarray uint8
        1 where a bit of `value` is set, else 0; of the array's axes.
    """
    masks = []
    for plane in _planes(product, name, rows, columns):
        wanted = plane.dtype.type(value & np.iinfo(plane.dtype).max)
        masks.append(((plane & wanted) != 0).view(np.uint8))
    return masks[0] if len(product.arrays[name].shape) < 3 else np.stack(masks)


def write_mask(file: BinaryIO, mask: np.ndarray, about: Mapping[str, Any], form: str) -> None:
    """Write a mask to an open file.

    Parameters
    ----------
    file : binary file
        Open for writing.
    mask : ndarray uint8
        Of the shape of the array of flags, or of the part of it that was asked for.
    about : mapping
        What the mask is of: source, array, flags, value, section.
    form : {"asdf", "fits"}
        ``roman.mask`` beside ``roman.meta`` with `about`; or the primary image, with `about` in its header.
    """
    if form == "fits":
        _write_fits(file, mask, about)
        return
    from rtools.products.io.staging import serialise, write_file

    entry = history.entry("rt-dq", parameters=about, inputs=[about["source"]])
    head, inner, sources = serialise({"meta": about, "mask": mask}, None, [entry])
    write_file(file, head, inner, sources, compression="lz4")


def mask_form(path: str | Path) -> str:
    """``asdf`` or ``fits``, by the name of an output; ``-`` is asdf.

    Parameters
    ----------
    path : str or Path
        Name of the output, or ``-``.

    Returns
    -------
    str
        The word; ``asdf``, too, where the extension says nothing.
    """
    return form_of_name(path) or "asdf"


def _write_fits(file, mask, about):
    from astropy.io import fits

    hdu = fits.PrimaryHDU(mask)
    hdu.header["CREATOR"] = ("rt-dq", "rtools")
    hdu.header["DQARRAY"] = (about["array"], "array of flags")
    hdu.header["DQVALUE"] = (about["value"], "1 where any of these bits is set")
    for line in (
        f"file {about['source']}",
        f"flags {','.join(about['flags'])}",
        f"section {about['section'] or 'all'}",
    ):
        hdu.header.add_comment("".join(letter if " " <= letter <= "~" else "?" for letter in line))
    file.write(hdu.header.tostring().encode("ascii"))
    file.write(np.ascontiguousarray(mask))
    file.write(bytes(-mask.nbytes % FITS_BLOCK))


def _planes(product, name, rows, columns):
    shape = product.arrays[name].shape
    for number in range(shape[0] if len(shape) > 2 else 1):
        plane = read_plane(product, name, number, rows, columns)
        yield plane.astype(f"u{plane.dtype.itemsize}", copy=False)


def _count(plane):
    occurring = int(np.bitwise_or.reduce(plane, axis=None)) if plane.size else 0
    bits = [bit for bit in range(64) if occurring >> bit & 1]
    counts = {bit: int(np.count_nonzero(plane & plane.dtype.type(1 << bit))) for bit in bits}
    return plane.size, plane.size - int(np.count_nonzero(plane)), counts
