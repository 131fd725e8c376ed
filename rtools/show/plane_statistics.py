"""Statistics of a product's arrays, plane by plane."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import UsageError
from rtools.products.edit.planes import EVERY_PLANE, ArrayPlane, Choice, planes_of
from rtools.products.edit.section import read_plane, select
from rtools.products.io.reading import run_all
from rtools.products.schema import layout
from rtools.products.schema.flag_tables import check_flags
from rtools.show.statistics import PlaneStatistics, describe_good
from rtools.wfi import dq
from rtools.work import ALONE, Work

if TYPE_CHECKING:
    from rtools.products.io.face import ProductFace

__all__ = ["arrays_by_default", "bits_of_words", "measure_planes", "real_arrays"]


def real_arrays(product: ProductFace) -> list[str]:
    """Names of a product's arrays of real numbers.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.

    Returns
    -------
    list of str
        Dotted paths, in the order of the file.
    """
    return [name for name, info in product.arrays.items() if info.dtype.kind in "fiub"]


def arrays_by_default(product: ProductFace) -> list[str]:
    """Names of the arrays that are described where none is named.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.

    Returns
    -------
    list of str
        The planes and cubes of the image's frame that hold no flags, of a product of several sets those of each; of a
        file without such all arrays of real numbers but flags.
    """
    shapes = {name: product.arrays[name].shape for name in real_arrays(product) if product.flag_bits(name) is None}
    planes = {name: shape for name, shape in shapes.items() if len(shape) > 1}
    if not planes:
        return list(shapes)
    frames = {}
    for part in dict.fromkeys(map(_set_of, planes)):
        mine = {name: shape for name, shape in planes.items() if _set_of(name) == part}
        science = mine.get(f"{part}data")
        frames[part] = (science or max(mine.values(), key=lambda shape: np.prod(shape[-2:])))[-2:]
    return [name for name, shape in planes.items() if shape[-2:] == frames[_set_of(name)]]


def _set_of(name):
    """``slits.3.`` of an array of a product of several sets, else nothing."""
    found = re.match(r"slits\.\d+\.", name)
    return found[0] if found else ""


def measure_planes(
    product: ProductFace,
    names: Iterable[str],
    *,
    wanted: Sequence[str],
    section: str | None = None,
    frame: str | None = None,
    flags: str | None = None,
    choice: Choice = EVERY_PLANE,
    sigma: float = 3.0,
    work: Work = ALONE,
) -> Iterator[PlaneStatistics]:
    """Statistics of each plane of some arrays.

    Parameters
    ----------
    product : rtools.products.io.face.ProductFace
        Opened.
    names : iterable of str
        Dotted paths of the arrays.
    wanted : iterable of str
        Some of `columns`.
    section, frame : str, optional
        As `rtools.products.edit.section.parse_section`.
    flags : str, optional
        Flags whose pixels are left out; by default DO_NOT_USE, and of ``data`` of Roman also what has no positive err,
        as in `meta.statistics`; ``none`` to leave out nothing but what is not finite.
    choice : rtools.products.edit.planes.Choice
        Only these planes.
    sigma : float
        As in `describe`.
    work : rtools.work.Work
        Its threads take a plane each, held whole.

    Yields
    ------
    PlaneStatistics
        One for each plane, in the order of the arrays.
    """
    jobs: list[_Job] = []
    for name in names:
        rows, cols = select(product, name, section, frame)
        masks = _masks(product, name, flags)
        masks += [("err", None)] if _is_strict(product, name, flags) else []
        whole = section is None and choice == EVERY_PLANE
        parts = _columns(product, name) if whole else ()
        jobs += [_Job(name, ArrayPlane(0, ()), rows, cols, [], column) for column in parts]
        jobs += [_Job(name, plane, rows, cols, masks) for plane in planes_of(product, name, choice) if not parts]
    if section is None and choice == EVERY_PLANE:
        read = {one for job in jobs for one in (job.array, *(mask for mask, _value in job.masks))}
        run_all(_checks(product, read), work)
    measured = partial(_of_plane, product, wanted=wanted, sigma=sigma)
    yield from map(measured, jobs) if work.threads == 1 or len(jobs) < 2 else work.each(measured, jobs)


class _Job(NamedTuple):
    """A plane, or a column, that is to be described: which part of it, and what masks it."""

    array: str
    plane: ArrayPlane
    rows: slice
    columns: slice
    masks: list
    column: str | None = None


def _checks(product, names):
    """Jobs that compare arrays with the checksums of their file, which FITS files of JWST do not have."""
    return product.checks(names) if product.mission == "roman" else []


def _of_plane(product, job, *, wanted, sigma):
    """Statistics of one plane, or of one column."""
    name, (number, place), rows, cols, masks, column = job
    if column is not None:
        plane = np.array(product.array(name)[..., _columns(product, name).index(column)])
    else:
        plane = read_plane(product, name, number, rows, cols)
    good = np.isfinite(plane) if plane.dtype.kind == "f" else np.ones(plane.shape, bool)
    for mask, value in masks:
        other = read_plane(product, mask, number, rows, cols)
        good &= other > 0 if value is None else (other & value) == 0
    return PlaneStatistics(
        name, number if place else None, describe_good(plane, good, wanted, sigma=sigma), column, place
    )


def _columns(product, name):
    """Names of what stands beside each other along the last axis of an array, where that is no axis of the image."""
    if product.mission != "roman" or not layout.is_product(product.kind) or product.kind == "reference":
        return ()
    described = layout.arrays(product.kind, product.profile)
    found = described.get(name) or described.get(name.replace("centroids.", "centroid.", 1))
    shape = product.arrays[name].shape
    return found.columns if found is not None and len(shape) > 1 and shape[-1] == len(found.columns) else ()


def _is_strict(product, name, flags):
    """Whether pixels without a positive err are left out: of Roman images, whose metadata are made so."""
    shapes = [product.arrays[one].shape for one in (name, "err") if one in product.arrays]
    return flags is None and product.mission == "roman" and name == "data" and shapes[1:] == shapes[:1]


def _masks(product, name, flags):
    """Arrays of flags that speak of an array's pixels, and the bits of each that are looked at."""
    if flags == "none":
        return []
    shape = product.arrays[name].shape
    own = f"dq_{name}"
    part = _set_of(name)
    near = [own] if own in product.arrays else [f"{part}{one}" for one in ("dq", "pixeldq", "groupdq", "resultantdq")]
    near = [one for one in near if one in product.arrays and _fits(product.arrays[one].shape, shape)]
    types = {one: product.arrays[one].dtype for one in near}
    bits = {one: bits_of_words(flags, product.flag_bits(one), product.mission) for one in near}
    values = {one: value & (1 << 8 * types[one].itemsize) - 1 for one, value in bits.items()}
    return [(one, types[one].type(value)) for one, value in values.items() if value]


def _fits(flags, shape):
    """Whether flags of one shape are for the pixels of another."""
    return len(shape) > 1 and flags[-2:] == shape[-2:] and (len(flags) == 2 or flags == shape)


def bits_of_words(flags: str | None, bits: Mapping[str, int], mission: str) -> int:
    """Bits of an array of flags whose pixels are left out.

    Parameters
    ----------
    flags : str or None
        Names and numbers; DO_NOT_USE if None.
    bits : mapping of str to int
        Those that the array has; names of other flags of the mission are passed over.
    mission : str
        Whose flags they are.

    Returns
    -------
    int
        All together, as `rtools.wfi.dq.value` gives them.

    Raises
    ------
    UsageError
        Files of this mission have no such flag.
    """
    words = ["DO_NOT_USE"] if flags is None else flags.replace("|", ",").replace("+", ",").split(",")
    total = 0
    for word in words:
        try:
            total |= dq.value(word, bits)
        except UsageError:
            check_flags(word, (mission,))
    return total
