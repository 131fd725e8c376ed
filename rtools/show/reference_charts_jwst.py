"""Tables of JWST's reference files as charts: photometry, aperture corrections, throughputs, offsets of filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError
from rtools.show.chart import Chart, Panel, Series
from rtools.show.columns import column_values
from rtools.show.names import shown_name
from rtools.wfi import AB_ZERO_MJY

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.products.io.face import ProductFace

__all__ = ["JWST_CHARTS", "chart_jwst_reference", "jwst_reference_type"]

MOST_NAMED = 12
"""Lines that have a name each; more would fill the picture with names."""

ANGSTROM_UM = 1e-4

Made = tuple[str, tuple[Panel, ...]]


def jwst_reference_type(product: ProductFace) -> str | None:
    """The type of a reference file of JWST, in either of its forms.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened; ASDF files of JWST are no products of Roman, and are opened as such all the same.

    Returns
    -------
    str or None
        In small letters; None for any other file.
    """
    if product.mission == "jwst":
        first, _slash, reftype = product.kind.partition("/")
        return reftype if first == "reference" else None
    meta = product.content.get("meta") if product.kind == "other" else None  # type: ignore[attr-defined]
    if not isinstance(meta, Mapping) or str(meta.get("telescope")).upper() != "JWST":
        return None
    return str(meta["reftype"]).lower() if meta.get("reftype") else None


def chart_jwst_reference(product: ProductFace, reftype: str) -> Chart:
    """The chart of a reference file of JWST that holds a table.

    Parameters
    ----------
    product : rtools.products.io.ProductFace
        Opened.
    reftype : str
        Its type, one of `JWST_CHARTS`.

    Returns
    -------
    rtools.show.chart.Chart

    Raises
    ------
    InputError
        The file has no such table, or not the columns of images.
    """
    node, make = JWST_CHARTS[reftype]
    table = _table(product, reftype, node)
    try:
        label, panels = make(table, product)
    except KeyError as error:
        raise InputError(f"its {node} has no {error.args[0]}, and is not drawn", path=product.path) from None
    if not any(np.isfinite(series.y).any() for panel in panels for series in panel.series):
        raise InputError(f"its {node} holds nothing to be drawn", path=product.path)
    return Chart(shown_name(product), label, panels, is_map=reftype == "filteroffset")


def _table(product, reftype, node):
    """A table of a FITS file, or of the tree of an ASDF file."""
    from astropy.table import Table

    from rtools.reference.jwst import JwstFileSource

    if product.mission == "jwst":
        if node not in product.tables:
            raise InputError(f"the table {node} is missing", path=product.path)
        return product.table(node)
    found = JwstFileSource(reftype, product.path).node(node)
    if isinstance(found, Table):
        return found
    rows = [dict(row) for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []
    if not rows:
        raise InputError(f"its {node} holds nothing to be drawn", path=product.path)
    return Table(rows=rows)


def _elements(table: Table) -> list[str]:
    """Filter and pupil of each row, as far as the table says them; a pupil that is clear is not said."""
    columns = [[str(value).strip() for value in table[name]] for name in ("filter", "pupil") if name in table.colnames]
    if not columns:
        return [""] * len(table)
    return [" ".join(word for word in words if not word.startswith("CLEAR")) for words in zip(*columns, strict=True)]


def _wavelength(element: str) -> float:
    """Micron, as the name of a filter has it: F200W, and of two the one that is narrower; NaN where it has none."""
    numbers = re.findall(r"F(\d{3,4})([A-Z])", element)
    narrow = [float(digits) for digits, width in numbers if width != "W"] or [float(digits) for digits, _ in numbers]
    return narrow[-1] / 100 if narrow else np.nan


def _lines(elements: Iterable[str], x: np.ndarray, y: np.ndarray) -> tuple[Series, ...]:
    """A line for each element, its points from left to right."""
    rows: dict[str, list[int]] = {}
    for number, element in enumerate(elements):
        rows.setdefault(element, []).append(number)
    made = []
    for element, numbers in rows.items():
        order = np.array(numbers)[np.argsort(x[numbers], kind="stable")]
        made.append(Series(element if len(rows) <= MOST_NAMED else "", x[order], y[order], line=True))
    return tuple(made)


def _photom(table: Table, product: Any) -> Made:
    """Conversion to surface brightness by filter, and the magnitude that it means for a pixel."""
    if {"wavelength", "relresponse"} <= set(table.colnames) and table["wavelength"].ndim == 2:
        return _responses(table)
    wave = np.array([_wavelength(element) for element in _elements(table)])
    value, error = (column_values(table, name) for name in ("photmjsr", "uncertainty"))
    panels = [Panel("MJy/sr of 1 DN/s", (Series("", wave, value, error),), logarithmic=True)]
    area = product.hdus[0].values.get("PIXAR_SR")
    if isinstance(area, float) and area > 0:
        with np.errstate(invalid="ignore", divide="ignore"):
            magnitude = -2.5 * np.log10(value * area / AB_ZERO_MJY)
        panels.append(Panel("AB magnitude of 1 DN/s", (Series("", wave, magnitude),)))
    return "wavelength in the filter's name [um]", tuple(panels)


def _responses(table: Table) -> Made:
    """Of spectra the response by wavelength, each row as long as it says."""
    counts = column_values(table, "nelem").astype(int)
    factor = column_values(table, next(name for name in table.colnames if name.startswith("phot")))
    waves, responses = (np.asarray(table[name], float) for name in ("wavelength", "relresponse"))
    named = _elements(table) if len(table) <= MOST_NAMED else [""] * len(table)
    series = tuple(Series(name, waves[row, :count], scale * responses[row, :count], line=True)
                   for row, (name, count, scale) in enumerate(zip(named, counts, factor, strict=True)))  # fmt: skip
    return "wavelength [um]", (Panel("conversion of 1 DN/s", series, logarithmic=True),)


def _apcorr(table: Table, _product: Any) -> Made:
    radius, names = column_values(table, "radius"), _elements(table)
    panels = [
        Panel(label, _lines(names, radius, column_values(table, column)), logarithmic=column == "apcorr")
        for column, label in (("eefraction", "share of light within"), ("apcorr", "aperture correction"))
    ]
    unnamed = tuple(one._replace(label="") for one in panels[1].series)
    return "radius [pixel]", (panels[0], panels[1]._replace(series=unnamed))


def _throughput(table: Table, _product: Any) -> Made:
    wave, share = (column_values(table, name) for name in ("wavelength", "throughput"))
    return "wavelength [um]", (Panel("throughput", (Series("", wave * ANGSTROM_UM, share, line=True),)),)


def _filteroffset(table: Table, _product: Any) -> Made:
    names = _elements(table)
    across, up = (column_values(table, name) for name in ("column_offset", "row_offset"))
    named = names if len(names) <= MOST_NAMED else [""] * len(names)
    series = tuple(Series(name, across[n : n + 1], up[n : n + 1]) for n, name in enumerate(named))
    return "offset along columns [pixel]", (Panel("offset along rows [pixel]", series),)


def _abvegaoffset(table: Table, _product: Any) -> Made:
    wave = np.array([_wavelength(element) for element in _elements(table)])
    offset = Series("", wave, column_values(table, "abvega_offset"))
    return "wavelength in the filter's name [um]", (Panel("AB - Vega [mag]", (offset,)),)


JWST_CHARTS: dict[str, tuple[str, Callable[[Table, Any], Made]]] = {
    "photom": ("PHOTOM", _photom),
    "apcorr": ("APCORR", _apcorr),
    "throughput": ("THROUGHPUT", _throughput),
    "filteroffset": ("filters", _filteroffset),
    "abvegaoffset": ("abvega_offset", _abvegaoffset),
}
"""Types of references that are drawn as charts, the table that they hold, and what makes panels of it."""
