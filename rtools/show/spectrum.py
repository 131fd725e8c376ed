"""Spectra of JWST: flux against wavelength with its error, several orders or sources, integrations of a time series."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.jwst import PIXEL_FLAGS
from rtools.show.chart import Chart, Panel, Series, error_note
from rtools.show.flag_classes import flag_words
from rtools.show.image import ShownPlane
from rtools.show.names import shown_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astropy.table import Table
    from numpy.typing import NDArray

    from rtools.products.jwst import JwstProduct

__all__ = ["SPECTRA", "DrawnSpectrum", "chart_spectra", "load_integrations", "spectrum_series"]

SPECTRA = {"x1d": "EXTRACT1D", "x1dints": "EXTRACT1D", "c1d": "COMBINE1D"}
"""Kinds of products that are spectra, and their tables."""

QUANTITIES = {"FLUX": ("FLUX_ERROR", "ERROR"), "SURF_BRIGHT": ("SB_ERROR",), "BACKGROUND": ("BKGD_ERROR",)}
"""Columns that can be drawn, and those of their errors."""

TOGETHER = 6
"""At most so many spectra in one chart, unless one is chosen."""


class DrawnSpectrum(NamedTuple):
    """One spectrum.

    Attributes
    ----------
    label : str
        Its name; empty where there is none.
    wavelength, value : ndarray float64 (n,)
        What is drawn against what.
    error : ndarray float64 (n,) or None
        Of the values, 1σ.
    flagged : ndarray bool (n,)
        Where the line is broken.
    """

    label: str
    wavelength: NDArray[np.float64]
    value: NDArray[np.float64]
    error: NDArray[np.float64] | None
    flagged: NDArray[np.bool_]


def chart_spectra(
    product: JwstProduct,
    *,
    array: str | None = None,
    hdu: str | None = None,
    row: int | None = None,
    flags: str | None = None,
) -> tuple[Chart, list[str]]:
    """Spectra of a product.

    Parameters
    ----------
    product : JwstProduct
        Of a kind of `SPECTRA`, opened.
    array : str, optional
        Column: ``FLUX``, ``SURF_BRIGHT``, ``BACKGROUND`` or any other with a number for each wavelength. By default
        the flux, or the surface brightness where the flux is nowhere known.
    hdu : str, optional
        The table of one order or source: its EXTVER, or ``EXTRACT1D,2``. By default all, if these are no more than
        `TOGETHER`, else the first.
    row : int, optional
        Where the rows of a table are spectra: which one, from the end where negative; the first by default.
    flags : str, optional
        Flags of points that are marked; DO_NOT_USE by default, ``none`` for none.

    Returns
    -------
    (rtools.show.chart.Chart, list of str)
        The chart; what is not in it, and how it is chosen.

    Raises
    ------
    InputError
        There is no such table, row or column.
    UsageError
        A row is asked for where a table is one spectrum.
    """
    tables, notes = _tables(product, hdu)
    found = []
    for name in tables:
        table = product.table(name)
        one, note = _spectrum(product, name, table, row=row, array=array, flags=flags)
        found.append(one)
        notes += [note] if note else []
    column = _column(product, product.table(tables[0]), array)
    unit = _unit(product.table(tables[0]), column)
    series = [part for one in found for part in spectrum_series(one, alone=len(found) == 1)]
    if len(found) > 1:
        series = sorted(series, key=lambda one: one.flagged)  # colours go to the spectra
    title = f"{shown_name(product)}  {', '.join(tables)}"
    if len(found) == 1 and found[0].label:
        title += f", {found[0].label}"
    label = f"{_WORDS.get(column, column.lower())} [{unit}]" if unit else _WORDS.get(column, column.lower())
    wave = _unit(product.table(tables[0]), "WAVELENGTH") or "um"
    return Chart(title, f"wavelength [{wave}]", (Panel(label, tuple(series), note=error_note(series)),)), notes


_WORDS = {"FLUX": "flux", "SURF_BRIGHT": "surface brightness", "BACKGROUND": "background"}


def _tables(product, wanted):
    """Names of the tables that are drawn, and what is to be said of others."""
    base = SPECTRA[product.kind]
    there = [name for name in product.tables if name.partition(",")[0] == base]
    if not there:
        raise InputError(f"has no table {base}", path=product.path)
    if wanted is not None:
        name = wanted.upper() if not wanted.isdigit() else (base if wanted == "1" else f"{base},{wanted}")
        name = name.removesuffix(",1")
        if name not in there:
            raise InputError(f"--hdu {wanted}: there is no such spectrum", mend=f"there are {' '.join(there)}",
                             path=product.path)  # fmt: skip
        return [name], []
    if len(there) > TOGETHER:
        return there[:1], [f"the first of {len(there)} spectra: --hdu 1 to {len(there)} chooses one"]
    return there, []


def _spectrum(product, name, table, *, row, array, flags):
    """One spectrum of a table: the whole table, or one of its rows."""
    column = _column(product, table, array)
    wavelength = np.asarray(table["WAVELENGTH"], np.float64)
    label, note = _label(product, name), ""
    if wavelength.ndim == 1:
        if row is not None:
            raise UsageError("--row: the table is one spectrum", path=product.path)
        index, length = slice(None), len(wavelength)
    else:
        index = _row(product, name, row, len(table))
        length = int(table["N_ALONGDISP"][index]) if "N_ALONGDISP" in table.colnames else wavelength.shape[1]
        wavelength = wavelength[index]
        label = ", ".join(part for part in (label, _label_of_row(table, index)) if part)
        if row is None and len(table) > 1:
            note = f"{name}: the first of {len(table)} spectra: --row 0 to {len(table) - 1} chooses one"
    part = slice(0, length)
    error = next((word for word in QUANTITIES.get(column, ()) if word in table.colnames), None)
    quality = np.asarray(table["DQ"][index])[part] if "DQ" in table.colnames else np.zeros(length, np.uint32)
    bits = flag_words(flags, PIXEL_FLAGS)
    return DrawnSpectrum(
        label,
        wavelength[part],
        np.asarray(table[column][index], np.float64)[part],
        None if error is None else np.asarray(table[error][index], np.float64)[part],
        (quality.astype(np.uint32) & np.uint32(bits)) != 0,
    ), note


def _row(product, name, row, count):
    number = 0 if row is None else row + count * (row < 0)
    if not 0 <= number < count:
        raise InputError(f"--row {row}: {name} has {count} rows", path=product.path)
    return number


def _label(product, name):
    """The order and the source of a table, as its header says."""
    values, words = product.hdu(name).values, []
    source, order = values.get("SOURCEID"), values.get("SPORDER")
    if source:
        words.append(f"source {source}")
    if order:
        words.append(f"order {order}")
    return " ".join(words)


def _label_of_row(table, number):
    if "INT_NUM" in table.colnames:
        return f"integration {number} of {len(table)}"
    if "SOURCE_ID" in table.colnames:
        return f"row {number} of {len(table)}, source {int(table['SOURCE_ID'][number])}"
    return f"row {number} of {len(table)}"


def _column(product, table, wanted):
    """The column that is drawn."""
    shape = np.shape(table["WAVELENGTH"])
    drawn = [name for name in table.colnames if name not in ("WAVELENGTH", "DQ")
             and np.shape(table[name]) == shape and table[name].dtype.kind in "iuf"]  # fmt: skip
    if wanted is not None:
        name = wanted.upper()
        if name not in drawn:
            raise InputError(f"the column {wanted} is missing", mend=f"there are {', '.join(drawn)}", path=product.path)
        return name
    for name in ("FLUX", "SURF_BRIGHT"):
        if name in drawn and np.any(np.nan_to_num(np.asarray(table[name], np.float64)) != 0):
            return name
    if not drawn:
        raise InputError("its table has no spectrum", path=product.path)
    return drawn[0]


def _unit(table, name):
    unit = table[name].unit
    return "" if unit is None else _AS_READ.get(str(unit), str(unit))


_AS_READ = {"MJy / sr": "MJy/sr", "MJy2 / sr2": "(MJy/sr)²", "Jy2": "Jy²", "DN / s": "DN/s"}


def spectrum_series(one: DrawnSpectrum, *, alone: bool) -> Iterator[Series]:
    """The line of a spectrum with its band, broken at flagged points and at gaps between wavelengths, and these points.

    Parameters
    ----------
    one : DrawnSpectrum
        What is drawn.
    alone : bool
        Whether it is the only one in its chart.

    Yields
    ------
    rtools.show.chart.Series
    """
    value = np.where(one.flagged, np.nan, one.value)
    name = one.label if not alone else ""
    gaps = _gaps(one.wavelength)
    wavelength = np.insert(one.wavelength, gaps, one.wavelength[gaps - 1])
    error = None if one.error is None else np.insert(one.error, gaps, np.nan)
    broken = np.insert(value, gaps, np.nan)
    yield Series(name or ("" if alone else "spectrum"), wavelength, broken, error, line=True, band=True)
    if one.flagged.any():
        yield Series("flagged" if alone else "", one.wavelength[one.flagged], one.value[one.flagged], flagged=True)


GAP = 8
"""A step of wavelengths so many times as large as both beside it is a gap: nothing was measured there."""


def _gaps(wavelength):
    """Numbers of the points behind gaps."""
    steps = np.abs(np.diff(wavelength))
    if len(steps) < 3:
        return np.zeros(0, int)
    beside = np.fmax(np.append(steps[1:], 0), np.insert(steps[:-1], 0, 0))
    return np.flatnonzero(steps > GAP * beside) + 1


def load_integrations(
    product: JwstProduct,
    *,
    array: str | None = None,
    hdu: str | None = None,
    flags: str | None = None,
) -> tuple[ShownPlane, list[str]]:
    """The spectra of a time series as an image: a row for each integration, a column for each wavelength.

    Parameters
    ----------
    product : JwstProduct
        An x1dints, opened.
    array, hdu : str, optional
        As `chart_spectra` takes them; the table of the first order by default.
    flags : str, optional
        Points with these flags are left out; DO_NOT_USE by default, ``none`` leaves none out.

    Returns
    -------
    (rtools.show.image.ShownPlane, list of str)
        The image; what is not in it, and how it is chosen.

    Raises
    ------
    InputError
        There is no such table or column.
    """
    base = SPECTRA[product.kind]
    there = [name for name in product.tables if name.partition(",")[0] == base]
    old = bool(there) and "INT_NUM" not in [one.name for one in product.tables[there[0]].columns]
    names, notes = (there, []) if old and hdu is None else _tables(product, hdu)
    if not names:
        raise InputError(f"has no table {base}", path=product.path)
    if len(names) > 1 and not old:
        notes = [f"the first of {len(names)} spectra: --hdu 1 to {len(names)} chooses one"]
        names = names[:1]
    tables = [product.table(name) for name in names]
    column = _column(product, tables[0], array)
    values = _rows_of(tables, column)
    if "DQ" in tables[0].colnames:
        quality = _rows_of(tables, "DQ")
        bits = flag_words(flags, PIXEL_FLAGS)
        values[(np.nan_to_num(quality).astype(np.uint32) & np.uint32(bits)) != 0] = np.nan
    image = ShownPlane(values.astype(np.float32), frame=values.shape)
    image.bad = int(np.count_nonzero(~np.isfinite(image.data)))
    image.places = np.nanmedian(_rows_of(tables, "WAVELENGTH"), axis=0)
    image.axes = (f"wavelength [{_unit(tables[0], 'WAVELENGTH') or 'um'}]", "integration")
    image.name = ", ".join(part for part in (_WORDS.get(column, column.lower()), _label(product, names[0])) if part)
    image.unit, image.title = _unit(tables[0], column), shown_name(product)
    return image, notes


def _rows_of(tables: list[Table], name: str) -> NDArray[np.float64]:
    """A column as an array of a row for each spectrum, NaN behind its end."""
    found = []
    for table in tables:
        values = np.atleast_2d(np.asarray(table[name], np.float64))
        lengths = np.asarray(table["N_ALONGDISP"]) if "N_ALONGDISP" in table.colnames else None
        if lengths is not None and lengths.ndim == 1 and len(lengths) == len(values):
            values = np.where(np.arange(values.shape[1]) < lengths[:, None], values, np.nan)
        found.append(values)
    width = max(part.shape[1] for part in found)
    return np.concatenate(
        [np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=np.nan) for part in found]
    )
