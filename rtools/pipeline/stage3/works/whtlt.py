"""rt-whtlt on files: _x1dints to _whtlt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.pipeline.stage3.spectra_files import series_of
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import NewHdu
from rtools.timeseries.steps.whtlt import STEP
from rtools.timeseries.white_light import SeriesOfSpectra, bins_of, white_light
from rtools.wfi import metadata

if TYPE_CHECKING:
    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK"]

TOLD = {
    "instrument": "instrument.name",
    "exp_type": "exposure.type",
    "subarray": "subarray.name",
    "filter": "instrument.filter",
    "pupil": "instrument.pupil",
    "target_name": "target.catalog_name",
}
"""What the table says of the exposure, and where that is said."""

MOST_BINS = 100_000
"""No spectrum has as many wavelengths."""


def _make(making: ProductMaking) -> None:
    from astropy.table import Table

    product = making.products[0]
    series = [one.at_distinct_times() for one in series_of(product)]
    if not any(len(one.mjd) for one in series):
        raise InputError("no integration has a time (MJD-AVG)", path=product.path)
    columns: dict[str, Any] = {}
    meta: dict[str, Any] = {key: metadata.get(product.meta, path) for key, path in TOLD.items()}
    units = _unit_of(product)
    for one, ending in zip(series, _endings(series), strict=True):
        columns |= {f"MJD_UTC{ending}": one.mjd, f"BJD_TDB{ending}": one.bjd}
        low, high = _range(making.options)
        columns |= _curve(one, low, high, ending)
        edges = _edges(making.options["bins"], one, low, high)
        if len(edges) - 1 > (most := one.wavelength.shape[-1]):
            raise UsageError(f"--bins {making.options['bins']}: more bins than the {most} wavelengths of the spectra",
                             path=product.path)  # fmt: skip
        for number, (start, stop) in enumerate(pairwise(edges), 1):
            columns |= _curve(one, start, np.nextafter(stop, start) if number < len(edges) - 1 else stop,
                              f"{ending}_bin{number}")  # fmt: skip
        if len(edges):
            meta[f"bin_edges{ending}"] = [float(edge) for edge in edges]
    length = max(len(column) for column in columns.values())
    table = Table({name: _as_long(column, length) for name, column in columns.items()})
    flux = {name: units for name in table.colnames if name.startswith("whitelight_flux")}
    making.write_new("whtlt", meta, [NewHdu("TABLE", table, units=flux)])


def _curve(series, low, high, ending):
    found = white_light(series, low, high)
    return {
        f"whitelight_flux{ending}": found.flux,
        f"whitelight_flux_err{ending}": found.error,
        f"n_pix{ending}": found.n_pix,
    }


def _as_long(column, length):
    """Orders may have integrations of their own; what one has less is NaN, or nothing counted."""
    if len(column) == length:
        return column
    return np.pad(column, (0, length - len(column)), constant_values=0 if column.dtype.kind == "i" else np.nan)


def _range(options: Mapping[str, Any]) -> tuple[float, float]:
    low, high = options["min_wavelength"], options["max_wavelength"]
    low, high = -np.inf if low is None else float(low), np.inf if high is None else float(high)
    if low >= high:
        raise UsageError(f"--min-wavelength {low:g} is not below --max-wavelength {high:g}")
    return low, high


def _edges(word, series, low, high):
    """Edges of the bins, in micrometres; none where none are asked for."""
    if word is None:
        return np.zeros(0)
    try:
        numbers = [float(part) for part in str(word).split(",")]
    except ValueError:
        numbers = []
    if len(numbers) == 1 and 1 <= numbers[0] <= MOST_BINS and numbers[0] == int(numbers[0]):
        seen = series.wavelength[np.isfinite(series.wavelength)]
        return bins_of(int(numbers[0]), max(low, seen.min(initial=np.inf)), min(high, seen.max(initial=-np.inf)))
    edges = np.array(numbers)
    if len(edges) < 2 or not (np.diff(edges) > 0).all() or not np.isfinite(edges).all():
        raise UsageError(f"--bins {word}: a number of bins, or rising edges with commas between, expected")
    return edges


def _endings(series: Sequence[SeriesOfSpectra]) -> list[str]:
    """What the names of columns end in, where there are several orders or detectors."""
    orders, detectors = {one.order for one in series}, {one.detector for one in series}
    return [
        (f"_order_{one.order}" if len(orders) > 1 else "") + (f"_{one.detector.lower()}" if len(detectors) > 1 else "")
        for one in series
    ]


def _unit_of(product):
    unit = product.table("EXTRACT1D")["FLUX"].unit
    return "Jy" if unit is None else str(unit)


def _foresee(_kind: str, _products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    _range(options)
    if options["bins"] is not None:
        nothing = np.ones((1, 1))
        _edges(options["bins"], SeriesOfSpectra(nothing, nothing, nothing, nothing > 0, nothing[0], nothing[0]), 0, 2)


WORK = ProductWork(
    step=STEP, takes=("x1dints",), gives=lambda kind, options: ("whtlt",), make=_make, foresee=_foresee, copies=4
)
