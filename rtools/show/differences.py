"""Statistics of what differs between two products or catalogs, for rt-diff: measured, and as lines of text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools import quality
from rtools.products.edit.section import read_plane
from rtools.quality import BEYOND, DifferenceStatistics
from rtools.show.columns import column_values
from rtools.show.flag_classes import flag_value, flags_beside
from rtools.show.table import aligned
from rtools.show.units import unit_of
from rtools.wfi.sphere import signed_turn
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.products.io.face import ProductFace

__all__ = ["ImageDifference", "column_lines", "image_lines", "measure_columns", "measure_image", "pair_of_images"]

LARGEST = 1 << 25
"""Pixels that are measured at most: of cubes every second, third … pixel along rows and columns of all planes is."""


class ImagePair(NamedTuple):
    """An array of two products, with what says how good its pixels are.

    Attributes
    ----------
    one, two : ndarray
        Of A and B.
    err : ndarray or None
        Errors that go with it, of A or else of B.
    error_of : str
        ``A`` or ``B``: whose they are; empty without.
    flags : ndarray or None
        Flags of either, together.
    table : dict of str to int
        Names of the flags.
    usable : ndarray of bool or None
        Pixels that neither flags as DO_NOT_USE.
    step : int
        Every so many pixels are there along rows and columns.
    unit : str
        Of the array, or nothing.
    """

    one: np.ndarray
    two: np.ndarray
    err: np.ndarray | None
    error_of: str
    flags: np.ndarray | None
    table: dict[str, int]
    usable: np.ndarray | None
    step: int
    unit: str


class ImageDifference(NamedTuple):
    """How an array differs.

    Attributes
    ----------
    good : DifferenceStatistics
        Of the pixels that neither product calls DO_NOT_USE.
    error_of : str
        Whose errors are the unit of sigma: ``A``, ``B``, or empty.
    one_step_of : str
        Type of the numbers where no two are farther apart than neighbouring ones of it; else empty.
    step : int
        Of a cube, every so many pixels were measured along rows and columns.
    unit : str
        Of the array, or nothing.
    flags : list of (str, DifferenceStatistics)
        By class of flagged pixels.
    regions : list of (slice, slice, DifferenceStatistics)
        By rows and columns of the image.
    """

    good: DifferenceStatistics
    error_of: str
    one_step_of: str
    step: int
    unit: str
    flags: list[tuple[str, DifferenceStatistics]]
    regions: list[tuple[slice, slice, DifferenceStatistics]]

    def record(self) -> dict[str, Any]:
        """As --json tells it."""
        told: dict[str, Any] = _record(self.good) | {"error_of": self.error_of or None, "unit": self.unit}
        told |= {"one_step_of": self.one_step_of or None, "every": self.step}
        told["by_dq"] = [{"flag": name} | _record(found) for name, found in self.flags]
        told["by_region"] = [
            {"x": [columns.start, columns.stop], "y": [rows.start, rows.stop]} | _record(found)
            for rows, columns, found in self.regions
        ]
        return told


def _record(found):
    shares = {f"beyond_{times}_sigma": share for times, share in zip(BEYOND, found.beyond, strict=False)}
    return {"pixels": found.pixels, "median": found.median, "scatter": found.scatter} | shares


def pair_of_images(first: ProductFace, second: ProductFace, name: str) -> ImagePair | None:
    """An array of two products that can be measured.

    Parameters
    ----------
    first, second : rtools.products.io.ProductFace
        Opened.
    name : str
        Of the array.

    Returns
    -------
    ImagePair or None
        None where it holds flags, is no image, or is not of one shape in both.
    """
    infos = [product.arrays[name] for product in (first, second) if name in product.arrays]
    if len(infos) < 2 or first.flag_bits(name) is not None or any(info.dtype.kind not in "fiu" for info in infos):
        return None
    shape = infos[0].shape
    if shape != infos[1].shape or len(shape) < 2 or 0 in shape:
        return None
    step = max(1, math.ceil(math.sqrt(math.prod(shape) / LARGEST)))
    before, _dot, leaf = name.rpartition(".")
    error = f"{before}.err" if before else "err"
    holders = [(side, product) for side, product in (("A", first), ("B", second)) if leaf == "data"]
    holders = [pair for pair in holders if error in pair[1].arrays and pair[1].arrays[error].shape == shape]
    err = _pixels(holders[0][1], error, step) if holders else None
    flags, table, usable = _flags(first, second, name, step)
    one, two = (_pixels(product, name, step) for product in (first, second))
    whose = holders[0][0] if holders else ""
    return ImagePair(one, two, err, whose, flags, table, usable, step, unit_of(first, name))


def _pixels(product, name, step):
    """An array, of cubes only some pixels of each plane."""
    shape = product.arrays[name].shape
    if len(shape) == 2:
        return read_plane(product, name)[::step, ::step]
    count = math.prod(shape[:-2])
    if product.mission == "roman" and len(shape) > 3:
        return product.array(name).reshape(-1, *shape[-2:])[:, ::step, ::step]
    return np.stack([read_plane(product, name, number)[::step, ::step] for number in range(count)])


def _flags(first, second, name, step):
    """Flags of both together, the names of their bits, and where neither says DO_NOT_USE."""
    both = [flags_beside(product, name) for product in (first, second)]
    shared = next((other for other in both[0] if other in both[1]), None)
    if shared is None or first.arrays[shared].shape != second.arrays[shared].shape:
        return None, {}, None
    sides = [_pixels(product, shared, step) for product in (first, second)]
    sides = [side.astype(f"u{side.dtype.itemsize}") for side in sides]
    flags, table = sides[0] | sides[1], both[0][shared]
    unusable = flags.dtype.type(flag_value(first, "DO_NOT_USE", table) & np.iinfo(flags.dtype).max)
    return flags, table, (flags & unusable) == 0


def measure_image(pair: ImagePair, by: Iterable[str] = ()) -> ImageDifference:
    """How an array differs.

    Parameters
    ----------
    pair : ImagePair
        Of both products.
    by : iterable of str
        ``dq`` for a line of each flag, ``region`` for one of each of 4 x 4 parts of the frame.

    Returns
    -------
    ImageDifference
    """
    one, two, err = pair.one, pair.two, pair.err
    usable = None if pair.usable is None else np.broadcast_to(pair.usable, one.shape)
    good = quality.measure_difference(one, two, err=err, usable=usable)
    flags, regions = [], []
    if "dq" in by and pair.flags is not None:
        flags = list(quality.differences_by_flag(one, two, pair.flags, pair.table, err=err))
    if "region" in by:
        found = quality.differences_by_region(one, two, err=err, usable=usable)
        regions = [(_scaled(rows, pair.step), _scaled(columns, pair.step), part) for rows, columns, part in found]
    one_step_of = one.dtype.name if quality.within_one_step(one, two) else ""
    return ImageDifference(good, pair.error_of, one_step_of, pair.step, pair.unit, flags, regions)


def _scaled(part, step):
    return slice(part.start * step, part.stop * step)


def image_lines(found: ImageDifference) -> list[str]:
    """Lines that tell how an array differs.

    Parameters
    ----------
    found : ImageDifference
        What was measured.

    Returns
    -------
    list of str
        A line for all, and tables by flag and by region where these were asked for.
    """
    unit = f" {found.unit}" if found.unit else ""
    line = f"B - A: median {found.good.median:.4g}, scatter {found.good.scatter:.4g}{unit}"
    if found.one_step_of:
        line += f"; one step of {found.one_step_of} at most"
    lines = [f"{line}; {_beyond_text(found)}" if found.good.beyond else line]
    if found.step > 1:
        lines.append(f"measured in every {_ordinal(found.step)} row and column")
    head = ["pixels", "median", "scatter", *(f">{times} sigma %" for times in BEYOND if found.good.beyond)]
    if found.flags:
        rows = [[name, *_cells(part, found)] for name, part in found.flags]
        lines += aligned(["flag", *head], rows, labels=1, width=10**6)
    if found.regions:
        rows = [
            [f"{columns.start}:{columns.stop}", f"{rows.start}:{rows.stop}", *_cells(part, found)]
            for rows, columns, part in found.regions
        ]
        lines += aligned(["x", "y", *head], rows, labels=2, width=10**6)
    return lines


def _ordinal(number):
    return {2: "second", 3: "third"}.get(number, f"{number}th")


def _beyond_text(found):
    shares = ", ".join(f"{100 * share:.3g}" for share in found.good.beyond)
    times = ", ".join(map(str, BEYOND))
    return f"beyond {times} sigma of {found.error_of}: {shares} %"


def _cells(part, found):
    shares = [f"{100 * share:.3g}" for share in part.beyond] if found.good.beyond else []
    return [str(part.pixels), f"{part.median:.4g}", f"{part.scatter:.4g}", *shares]


# -- catalogs ---------------------------------------------------------------------------------------------------------


def measure_columns(
    tables: Sequence[Table], rows: Sequence[np.ndarray], names: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """How columns of numbers differ, over the rows that belong together.

    Parameters
    ----------
    tables : (astropy.table.Table, astropy.table.Table)
        Both catalogs.
    rows : (ndarray int, ndarray int)
        Rows of both that belong together.
    names : iterable of str
        Columns that differ; those that are texts, flags or vectors are left out.

    Returns
    -------
    dict of str to dict
        Column to rows, differing, median, scatter, pull_median, pull_scatter and unit. Right ascensions and
        declinations are told in arcsec on the sky.
    """
    found = {}
    for name in names:
        if not all(name in table.colnames and _is_measured(table[name]) for table in tables):
            continue
        one, two = (column_values(table, name)[part] for table, part in zip(tables, rows, strict=True))
        errors = _errors(tables, rows, name)
        scale, unit = _sky_scale(tables[0], rows[0], name)
        if unit == "arcsec":
            one, two = two * 0, signed_turn(two - one) * scale
        measured = quality.column_difference(one, two, errors)
        if measured.rows:
            found[name] = measured._asdict() | {"unit": unit}
    return found


def _is_measured(column):
    """Whether a column holds numbers of which differences mean something."""
    return column.ndim == 1 and np.ma.getdata(column).dtype.kind == "f"


def _sky_scale(table, rows, name):
    """Arcsec on the sky of a degree of a coordinate; else 1, and the column's own unit."""
    words = name.replace(".", "_").lower().split("_")
    unit = str(table[name].unit or "")
    if unit not in ("deg", "degree") or not {"ra", "dec"} & set(words):
        return 1.0, unit
    twin = name.replace("ra", "dec", 1) if "ra" in words else ""
    if twin in table.colnames:
        return DEGREE_ARCSEC * np.cos(np.radians(column_values(table, twin)[rows])), "arcsec"
    return DEGREE_ARCSEC, "arcsec"


def _errors(tables, rows, name):
    """Errors of a column in both catalogs, in its unit (of positions arcsec); None where one has none."""
    from astropy import units

    both = []
    for table, part in zip(tables, rows, strict=True):
        error = next((one for one in (f"{name}_err", f"e_{name}") if one in table.colnames), None)
        if error is None or not _is_measured(table[error]):
            return None
        wanted = _sky_scale(table, part[:0], name)[1]
        factor = 1.0
        if str(table[error].unit or "") != wanted:
            try:
                factor = units.Unit(str(table[error].unit)).to(units.Unit(wanted))
            except (ValueError, TypeError, units.UnitConversionError):
                return None
        both.append(column_values(table, error)[part] * factor)
    return tuple(both)


def column_lines(measured: dict[str, dict[str, Any]]) -> list[str]:
    """A table of how columns differ.

    Parameters
    ----------
    measured : dict
        As `measure_columns` gives it.

    Returns
    -------
    list of str
        None without a column.
    """
    if not measured:
        return []
    rows = []
    for name, found in measured.items():
        pulls = [found["pull_median"], found["pull_scatter"]]
        texts = ["-" if value is None or value != value else f"{value:.3g}" for value in pulls]
        numbers = [f"{found['median']:.4g}", f"{found['scatter']:.3g}", *texts]
        rows.append([name, found["unit"] or "-", str(found["rows"]), str(found["differing"]), *numbers])
    head = ["column", "unit", "rows", "differ", "median", "scatter", "pull", "its sd"]
    return aligned(head, rows, labels=2, width=10**6)
