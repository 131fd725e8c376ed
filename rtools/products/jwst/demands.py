"""What is about to become a JWST product fits its layout: HDUs, axes, types of pixels and columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import UsageError
from rtools.jwst.layout import SEVERAL_TABLES, ColumnLayout, HduLayout, ProductLayout
from rtools.products.fits import pixel_types

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["NewHdu", "fitting_hdus", "fitting_table"]


@dataclass(frozen=True)
class NewHdu:
    """One HDU of a new file.

    Attributes
    ----------
    name : str
        Its EXTNAME; ``PRIMARY`` for cards of the primary header.
    data : ndarray, astropy.table.Table or None
        Pixels, slowest axis first, in any byte order; or a table, which may be a structured array. None for
        ``PRIMARY``.
    version : int
        EXTVER; several sets of slits or spectra count from 1.
    unit : str or None
        BUNIT of an image. Without it SCI and ERR get that of the layout, where it is one unit.
    units : mapping of str to str
        Units of columns, beside those that the table has. Other columns get those of the layout.
    cards : mapping of str to value
        Further keywords. The tree gets them, too: at the place that the data model has for them, else in
        ``extra_fits``.
    """

    name: str
    data: Any = None
    version: int = 1
    unit: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    cards: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_table(self) -> bool:
        """Whether it is a table, and no image."""
        return hasattr(self.data, "colnames") or getattr(getattr(self.data, "dtype", None), "names", None) is not None


FORMER_COLUMNS = ("nelem",)
"""Columns that older releases wrote, and that stdatamodels 6 does not read: the length of the wavelengths beside it."""

OTHER_TYPES = {"N_ALONGDISP": "uint32"}
"""Types of columns in the data models that are others than in the documentation; either is written."""


def fitting_hdus(layout: ProductLayout, hdus: Iterable[NewHdu], without: Collection[str] = ()) -> list[NewHdu]:
    """HDUs in the order of the file, with the types of the layout.

    Parameters
    ----------
    layout : rtools.jwst.ProductLayout
        Of a FITS product.
    hdus : iterable of NewHdu
        In any order, without that of the tree.
    without : collection of str
        EXTNAMEs that may be missing, although the layout has them in every file.

    Returns
    -------
    list of NewHdu
        Set by set; within a set as the layout has them, what it does not know at the end. Without ``PRIMARY``.

    Raises
    ------
    UsageError
        One is missing or twice there, or an array or column does not have the axes or the type that it must have.
    """
    given = [one for one in hdus if one.name != "PRIMARY"]
    keys = [(one.name, one.version) for one in given]
    for name, version in keys:
        if name == "ASDF" or keys.count((name, version)) > 1 or version < 1:
            raise UsageError(f"{layout.suffix}: the extension {name},{version} cannot be given, or only once")
    repeated = [name for name, version in keys if version > 1]
    several = layout.repeats or layout.suffix in SEVERAL_TABLES
    if repeated and not several and (known := [name for name in repeated if layout.hdu(name)]):
        raise UsageError(f"{layout.suffix} has one extension {known[0]}")
    last = max((version for name, version in keys if name in layout.required), default=1)
    for name in layout.required:
        if name == "ASDF" or name in without:
            continue
        wanted = [version for version in range(1, last + 1) if (name, version) not in keys]
        if wanted:
            raise UsageError(f"{layout.suffix} needs an extension {name}" + (f",{wanted[0]}" if last > 1 else ""))
    order = [told.name for told in layout.hdus]
    place = {name: number for number, name in enumerate(order)}
    given.sort(key=lambda one: (one.version, place.get(one.name, len(order))))
    return [_fitting(layout, one) for one in given]


def _fitting(layout, one):
    told = layout.hdu(one.name)
    if told is not None and told.is_table != one.is_table:
        raise UsageError(f"{layout.suffix}: {one.name} is {'a table' if told.is_table else 'an image'}")
    if told is None and one.is_table and isinstance(one.data, np.ndarray):
        return one
    if one.is_table:
        columns = told.columns if told else ()
        if one.name == "WCS-TABLE":
            one = replace(one, data=_with_axis(one.data))
        units = {column.name: column.unit for column in columns if column.unit} | dict(one.units)
        if isinstance(one.data, np.ndarray):
            return replace(one, data=_fitting_rows(one.name, one.data, columns), units=units)
        return replace(one, data=fitting_table(one.name, one.data, columns, one.units), units=units)
    if not isinstance(one.data, np.ndarray):
        raise UsageError(f"{layout.suffix}: {one.name} is neither an array nor a table")
    return replace(one, data=_fitting_image(layout.suffix, one, told))


def _fitting_rows(name, rows, told: Sequence[ColumnLayout]) -> np.ndarray:
    """Rows with the columns and types of their layout, as `fitting_table` makes a table, but without astropy.table."""
    wanted = [column for column in told if column.name not in FORMER_COLUMNS]
    if missing := [column.name for column in wanted if column.name not in rows.dtype.names]:
        raise UsageError(f"{name} needs a column {missing[0]}")
    columns = {column.name: _fitting_column(name, rows[column.name], column) for column in wanted}
    columns |= {key: rows[key] for key in rows.dtype.names if key not in {*columns, *FORMER_COLUMNS}}
    made = np.empty(len(rows), [(key, values.dtype, values.shape[1:]) for key, values in columns.items()])
    for key, values in columns.items():
        made[key] = values
    return made


def _with_axis(data):
    """Wavelengths of a cube with the axis of length one that WCS-TAB asks for (Greisen et al. 2006, section 6.1.2)."""
    from astropy.table import Table

    table = Table(data)
    if "wavelength" in table.colnames and table["wavelength"].ndim == 2:
        table["wavelength"] = table["wavelength"][..., None]
    return table


def _fitting_image(suffix, one: NewHdu, told: HduLayout | None) -> np.ndarray:
    """The array, with the context's bits as signed numbers."""
    array = one.data
    if one.name == "CON" and array.dtype == np.uint32:
        array = array.view("i4" if array.dtype.isnative else ">i4")
    name = array.dtype.newbyteorder("=").name
    wanted = (told.dtypes or ("float32",)) if told else tuple(pixel_types.STORED)
    if name not in wanted or name == "float16":
        raise UsageError(f"{suffix}: {one.name} is {' or '.join(wanted)}, not {name}")
    axes = {len(shape) for shape in told.shapes} if told else ()
    if array.ndim < 1 or (axes and array.ndim not in axes):
        raise UsageError(
            f"{suffix}: {one.name} has {' or '.join(map(str, sorted(axes or (1,))))} axes, not {array.ndim}"
        )
    return array


def fitting_table(
    name: str, data: Any, told: Sequence[ColumnLayout], units: Mapping[str, str], *, partly: bool = False
) -> Table:
    """A table with the columns, types and units of its layout.

    Parameters
    ----------
    name : str
        What an error calls it.
    data : astropy.table.Table or structured ndarray
        The rows; not changed.
    told : sequence of ColumnLayout
        Columns that it must have; further ones stay behind them.
    units : mapping of str to str
        Units of columns that are told apart from the data.
    partly : bool
        Columns of the layout may be missing.

    Returns
    -------
    astropy.table.Table
        Without masks: what is missing is NaN, 0, False or empty.

    Raises
    ------
    UsageError
        A column is missing, or cannot be of its type.
    """
    from astropy.table import Table

    table = Table(data, copy=False)
    columns: dict[str, Any] = {}
    for column in told:
        if column.dtype == "SkyCoord":
            columns |= _sky(name, column.name, table, partly)
            continue
        if column.name in FORMER_COLUMNS or (partly and column.name not in table.colnames):
            continue
        if column.name not in table.colnames:
            raise UsageError(f"{name} needs a column {column.name}")
        columns[column.name] = _fitting_column(name, table[column.name], column)
    taken = {*columns, *FORMER_COLUMNS, *(column.name for column in told if column.dtype == "SkyCoord")}
    columns |= {key: table[key] for key in table.colnames if key not in taken}
    made = Table({key: _unmasked(column) for key, column in columns.items()}, copy=False)
    layout_units = {column.name: column.unit for column in told}
    for key in made.colnames:
        unit = units.get(key) or made[key].unit or layout_units.get(key)
        made[key].unit = unit
    made.meta = dict(table.meta)
    return made


def _sky(name, key, table, partly):
    """The columns of a position's two angles, which is how a file has it; the table may have one of positions."""
    from astropy.table import Column

    parts = [f"{key}.ra", f"{key}.dec"]
    if key in table.colnames:
        sky = table[key].icrs
        return {part: Column(values.deg, unit="deg") for part, values in zip(parts, (sky.ra, sky.dec), strict=True)}
    if not set(parts) <= set(table.colnames):
        if partly:
            return {}
        raise UsageError(f"{name} needs a column {key}")
    return {part: table[part] for part in parts}


def _unmasked(column):
    """Values without a mask."""
    if not hasattr(column, "filled"):
        return column
    kind = column.dtype.kind
    return column.filled({"f": np.nan, "U": "", "S": b""}.get(kind, 0) if kind != "O" else None)


def _fitting_column(name, column, told: ColumnLayout):
    """A column of the type of the layout, if its values fit."""
    have, wanted = column.dtype, np.dtype(told.dtype)
    if wanted.kind in "SU":
        if have.kind in "SU":
            return column
    elif wanted.kind == "b":
        if have.kind == "b" or (have.kind in "iu" and np.isin(column, (0, 1)).all()):
            return column.astype(bool)
    elif have.newbyteorder("=").name in (wanted.name, OTHER_TYPES.get(told.name)):
        return column
    elif wanted.kind == "f" and have.kind in "fiu":
        return column.astype(wanted)
    elif wanted.kind in "iu" and have.kind in "iu":
        cast = column.astype(wanted)
        if np.array_equal(np.asarray(cast, "O" if have == np.uint64 else "i8"), np.asarray(column)):
            return cast
    raise UsageError(f"{name}: the column {told.name} is {told.dtype}, not {have.name}")
