"""rt-c1d on files: several _x1d to one _c1d."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import InputError, UsageError
from rtools.pipeline.stage3.extracted_files import ExtractedSpectrum, spectra_of
from rtools.pipeline.stage3.making import exposed_together, passed_on, refuse_other
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import NewHdu
from rtools.spectra.choices import GRIDS
from rtools.spectra.combine import SourceSpectrum, combine, first_grid, logarithmic_grid, merged_grid
from rtools.spectra.steps.c1d import STEP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK"]

TIMES = {"exposure_time": "EFFEXPTM", "integration_time": "EFFINTTM"}
"""Keywords of the weights."""

UNITS = {"FLUX": ("FLUX", "ERROR"), "SURF_BRIGHT": ("SURF_BRIGHT", "SB_ERROR")}
"""Columns of extracted spectra whose unit goes to columns of the combined one."""

PASSED = ("SLTNAME", "SPORDER", "DISPAXIS", "SRCTYPE", "SOURCEID")


def _make(making: ProductMaking) -> None:
    from astropy.table import Table

    found = [one for product in making.products for one in spectra_of(product)]
    groups: dict[tuple[Any, ...], list[ExtractedSpectrum]] = {}
    for one in found:
        groups.setdefault(one.target, []).append(one)
    given = _grid_of_file(making.options["grid"])
    tables, overlap = [], making.options["method"] == "overlap"
    for version, same in enumerate(groups.values(), 1):
        _refuse_other_units(same)
        spectra = [_weighed(one, making.options) for one in same]
        grid = _grid(making.options["grid"], spectra, same[0].product) if given is None else given
        made = combine(spectra, grid, overlap=overlap, clip=making.options["sigma_clip"])
        if not len(made.wavelength):
            raise InputError("no good point of its spectra comes to the grid", path=same[0].product.path)
        if made.clipped:
            making.log("info", f"{made.clipped} fluxes stood out")
        (flux, brightness), (error, sb_error) = made.values, made.errors
        columns = {"WAVELENGTH": made.wavelength, "FLUX": flux, "ERROR": error, "SURF_BRIGHT": brightness,
                   "SB_ERROR": sb_error, "DQ": made.flags, "WEIGHT": made.weight,
                   "N_INPUT": made.count.astype(np.float64)}  # fmt: skip
        units = {name: unit for key, unit in same[0].units.items() for name in UNITS[key] if unit}
        cards = {key: same[0].header[key] for key in PASSED if same[0].header.get(key) is not None}
        if len({one.slit for one in same}) > 1:
            cards.pop("SLTNAME", None)
        tables.append(NewHdu("COMBINE1D", Table(columns), version, units=units, cards=cards))
    told = passed_on(making.products[0], combine_1d="COMPLETE") | {"model_type": "MultiCombinedSpecModel"}
    making.write_new("c1d", told | {"exposure": exposed_together(making.products)}, tables)


def _weighed(one: ExtractedSpectrum, options: Mapping[str, Any]) -> SourceSpectrum:
    keyword = TIMES.get(options["exptime_key"])
    weight = 1.0
    if keyword is not None:
        value = one.header.get(keyword) or one.product.value(keyword)
        if not isinstance(value, int | float) or not value > 0:
            raise InputError(f"does not say {keyword}, with which it is weighted", path=one.product.path,
                             mend="--exptime-key unit_weight weights all alike")  # fmt: skip
        weight = float(value)
    return one.spectrum._replace(weight=weight)


def _grid(word, spectra, product):
    made = {"merged": merged_grid, "first": first_grid, "log": logarithmic_grid}[word]
    try:
        return made([one.wavelength for one in spectra])
    except UsageError as error:
        raise InputError(error.message, path=product.path) from None


def _grid_of_file(word: str) -> NDArray[np.float64] | None:
    """Wavelengths of a file; None where the word is a grid that follows from the spectra."""
    from rtools.products.tables.files import read_catalog

    if word in GRIDS:
        return None
    path = Path(word)
    if not path.exists():
        raise UsageError(f"--grid {word}: {', '.join(GRIDS)}, or a file with a column WAVELENGTH expected")
    table = read_catalog(path)
    name = next((one for one in table.colnames if one.upper() == "WAVELENGTH"), None)
    if name is None:
        raise InputError("has no column WAVELENGTH", path=path)
    values = np.asarray(table[name], np.float64).ravel() * _micrometres(table[name].unit, path)
    grid = np.unique(values[np.isfinite(values)])
    if not len(grid):
        raise InputError("its column WAVELENGTH has no wavelengths", path=path)
    return grid


def _micrometres(unit: Any, path: Path) -> float:
    """In a unit of wavelengths; without any they are micrometres, as those of spectra."""
    from astropy import units

    if not unit:
        return 1.0
    try:
        return float(units.Unit(str(unit)).to(units.um))
    except ValueError:
        raise InputError(f"its column WAVELENGTH is in {unit}, which is no length", path=path) from None


def _refuse_other_units(same):
    for one in same[1:]:
        if one.units["FLUX"] != same[0].units["FLUX"]:
            raise InputError(
                f"its fluxes are in {one.units['FLUX']}, those of {same[0].product.path} in {same[0].units['FLUX']}",
                path=one.product.path,
            )


def _foresee(_kind: str, products: Sequence[JwstProduct], options: Mapping[str, Any]) -> None:
    _grid_of_file(options["grid"])
    refuse_other(products, "instrument.name")


WORK = ProductWork(
    step=STEP,
    takes=("x1d",),
    gives=lambda kind, options: ("c1d",),
    make=_make,
    foresee=_foresee,
    together=True,
    copies=10.0,
)
