"""Arrays of flags: pixels per flag, masks of pixels with any of some flags, and masks as files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from rtools.errors import InputError
from rtools.products.edit.array_names import names_that_fit
from rtools.products.edit.planes import ArrayPlane, leading_axes, planes_of
from rtools.products.edit.section import read_plane
from rtools.products.edit.table_columns import read_columns, table_columns
from rtools.products.names.extensions import form_of_name
from rtools.products.schema import history

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = [
    "count_flags",
    "default_arrays",
    "flag_arrays",
    "make_mask",
    "mask_form",
    "named_arrays",
    "write_mask",
]

EVERY = slice(None)

FITS_BLOCK = 2880


def flag_arrays(product: ProductFace) -> list[str]:
    """Names of an opened product's arrays of flags, and of the columns of its tables that hold flags.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.

    Returns
    -------
    list of str
        Dotted paths, in the order of the file; columns as `rtools.products.edit.table_columns.table_columns` calls
        them.
    """
    kinds = {name: info.dtype.kind for name, info in product.arrays.items()}
    held = [name for name, kind in kinds.items() if product.flag_bits(name) is not None and kind in "iu"]
    columns = [one for one in table_columns(product).values() if one.is_numeric]
    return held + [one.name for one in columns if product.flag_bits(one.name) is not None]


def default_arrays(product: ProductFace) -> list[str]:
    """The arrays of flags that are meant when none is named.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.

    Returns
    -------
    list of str
        Dotted paths: ``dq``, else ``pixeldq``, else ``resultantdq``, else the first; of JWST, where a product may have
        several sets and tables, all rather than the first.

    Raises
    ------
    InputError
        There is none.
    """
    found = flag_arrays(product)
    for name in ("dq", "pixeldq", "resultantdq"):
        if name in found:
            return [name]
    if not found:
        raise InputError("has no array of flags", path=product.path)
    return found if product.mission == "jwst" else found[:1]


def named_arrays(product: ProductFace, name: str) -> list[str]:
    """The arrays of flags that a name means.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.
    name : str
        Dotted path, as typed; of JWST also as `rtools.products.edit.array_names.names_that_fit` takes it.

    Returns
    -------
    list of str
        One for a Roman product; one for each set or table of a JWST product that it fits.

    Raises
    ------
    InputError
        The product has no array of flags of this name.
    """
    found = flag_arrays(product)
    if name in found:
        return [name]
    fitting = names_that_fit(product, name, found) if product.mission == "jwst" else []
    if fitting:
        return fitting
    mend = f"there are {' '.join(found)}" if found else None
    raise InputError(f"has no array of flags {name}", mend=mend, path=product.path)


def count_flags(
    product: ProductFace, name: str, rows: slice = EVERY, columns: slice = EVERY
) -> Iterator[tuple[ArrayPlane, tuple[int, int, dict[int, int]]]]:
    """Pixels per flag of each plane, one after another.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.
    name : str
        Of an array or a column of flags.
    rows, columns : slice
        Part of the array that is counted in.

    Yields
    ------
    (rtools.products.edit.planes.ArrayPlane, (int, int, dict of int to int))
        Which plane it is: the only one, a resultant, a group of an integration, or the row of a table whose cells hold
        several flags. Then pixels, pixels without a flag, pixels by bit that occurs.
    """
    for plane, values in _planes(product, name, rows, columns):
        yield plane, _count(values)


def make_mask(product: ProductFace, name: str, value: int, rows: slice = EVERY, columns: slice = EVERY) -> np.ndarray:
    """Where any of some bits is set.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.
    name : str
        Dotted path of an array of flags, or name of a column.
    value : int
        The bits, as one number.
    rows, columns : slice
        Part of the array that the mask is of; all of it by default.

    Returns
    -------
    ndarray uint8
        1 where a bit of `value` is set, else 0; of the array's axes.
    """
    if name not in product.arrays:
        return _any_of(_column(product, name), value)
    axes = leading_axes(product, name)
    mask = None
    for plane, values in _planes(product, name, rows, columns):
        if not axes:
            return _any_of(values, value)
        mask = np.empty((math.prod(axes), *values.shape), np.uint8) if mask is None else mask
        mask[plane.number] = _any_of(values, value)
    return np.zeros(product.arrays[name].shape, np.uint8) if mask is None else mask.reshape(*axes, *mask.shape[1:])


def write_mask(file: BinaryIO, mask: np.ndarray, about: Mapping[str, Any], form: str, path: str | Path) -> None:
    """Write a mask, which says what made it, to an open file.

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
    path : str or Path
        Where the file will appear.
    """
    from rtools.products.io.recording import recorded, settled_entry
    from rtools.products.io.staging import serialise, write_file

    entry = history.entry("rt-dq", parameters=about, inputs=[about["source"]])
    if form == "fits":
        _write_fits(file, mask, about, settled_entry(entry, path)[0])
        return
    meta, entries = recorded(about, [entry], path)
    head, inner, sources = serialise({"meta": meta, "mask": mask}, None, entries)
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


def _write_fits(file, mask, about, job):
    from astropy.io import fits

    from rtools.products.io.recording import JOB_OF_IMAGE

    hdu = fits.PrimaryHDU(mask)
    hdu.header["CREATOR"] = ("rt-dq", "rtools")
    hdu.header["DQARRAY"] = (about["array"], "array of flags")
    hdu.header["DQVALUE"] = (about["value"], "1 where any of these bits is set")
    hdu.header[JOB_OF_IMAGE] = json.dumps(job)
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
    if name not in product.arrays:
        yield from _cells(product, name)
        return
    for plane in planes_of(product, name):
        values = read_plane(product, name, plane.number, rows, columns)
        yield plane, values.astype(f"u{values.dtype.itemsize}", copy=False)


def _cells(product, name):
    """The rows of a column of vectors, or all of a column of single values as one plane."""
    values = _column(product, name)
    if values.ndim < 2:
        yield ArrayPlane(0, ()), values
        return
    for row, cell in enumerate(values):
        yield ArrayPlane(row, (row,)), cell


def _column(product, name):
    """A column of flags; logical ones are 1 where they are true."""
    ((_column, values),) = read_columns(product, [table_columns(product)[name]])
    values = np.ma.getdata(values)
    return values.astype(f"u{values.dtype.itemsize}", copy=False)


def _any_of(plane, value):
    wanted = plane.dtype.type(value & np.iinfo(plane.dtype).max)
    return ((plane & wanted) != 0).view(np.uint8)


def _count(plane):
    occurring = int(np.bitwise_or.reduce(plane, axis=None)) if plane.size else 0
    bits = [bit for bit in range(64) if occurring >> bit & 1]
    counts = {bit: int(np.count_nonzero(plane & plane.dtype.type(1 << bit))) for bit in bits}
    return plane.size, plane.size - int(np.count_nonzero(plane)), counts
