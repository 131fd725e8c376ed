"""Statistics of what differs between two products or catalogs, for rt-diff: measured, and as lines of text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools import quality
from rtools.errors import InputError
from rtools.quality import BEYOND, DifferenceStatistics
from rtools.show.columns import column_values
from rtools.show.image_pairs import ImagePair
from rtools.show.pixel import frame_numbers, pixels_shape
from rtools.show.table import aligned
from rtools.wfi.sphere import signed_turn
from rtools.wfi.units import DEGREE_ARCSEC

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.products.io.face import ProductFace

__all__ = ["ImageDifference", "add_frames", "column_lines", "image_lines", "measure_columns", "measure_image"]


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
        Every so many pixels were measured along rows and columns.
    unit : str
        Of the array, or nothing.
    takes_errors : bool
        Whether such an array has errors beside it, where a product has any.
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
    takes_errors: bool
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
    one, two, err, shared = pair.one, pair.two, pair.err, pair.shared
    usable = None if pair.usable is None else np.broadcast_to(pair.usable, one.shape)
    good = quality.measure_difference(one, two, err=err, usable=usable)
    flags, regions = [], []
    if "dq" in by and pair.flags is not None:
        flags = list(quality.differences_by_flag(one, two, pair.flags, shared.table, err=err))
    if "region" in by:
        found = quality.differences_by_region(one, two, err=err, usable=usable)
        rows, columns = shared.shape[-2:]
        regions = [(_scaled(up, pair.step, rows), _scaled(across, pair.step, columns), part)
                   for up, across, part in found]  # fmt: skip
    one_step_of = one.dtype.name if quality.within_one_step(one, two) else ""
    error_of = shared.error_of if good.beyond else ""
    return ImageDifference(good, error_of, one_step_of, pair.step, shared.unit, shared.takes_errors, flags, regions)


def _scaled(part, step, length):
    """A part of thinned pixels in those of the whole."""
    return slice(part.start * step, min(part.stop * step, length))


def add_frames(entry: dict[str, Any], product: ProductFace) -> None:
    """Put the numbers of pixels in both frames of the detector beside those in the file.

    Parameters
    ----------
    entry : dict
        How an array differs; its ``worst`` get ``l1`` and ``l2``, each x and y, where these are pixels of a detector.
    product : rtools.products.io.ProductFace
        One of the two that are compared.
    """
    info = product.arrays.get(entry["array"])
    try:
        shape = pixels_shape(product)
    except InputError:
        return
    if product.mission != "roman" or info is None or len(info.shape) < 2 or info.shape[-2:] != shape:
        return
    for pixel in entry.get("worst", ()):
        y, x = pixel["index"][-2:]
        pixel |= {frame: list(place) for frame, place in frame_numbers(product, x, y).items()}


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
    if found.good.beyond:
        line += f"; {_beyond_text(found)}"
    elif found.takes_errors:
        line += "; there are no errors to compare it with"
    lines = [line]
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
    unknown = ["-"] * len(found.good.beyond)  # pixels of a class may have no errors
    shares = [f"{100 * share:.3g}" for share in part.beyond] or unknown
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
