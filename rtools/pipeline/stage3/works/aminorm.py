"""rt-aminorm on files: _ami-oi of a target and of one star, or several, to _aminorm-oi."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rtools.errors import RtoolsError
from rtools.interferometry.calibrators import StarMean, mean_of_phases, mean_of_stars
from rtools.interferometry.normalise import difference, ratio, rows_alike
from rtools.interferometry.steps.aminorm import STEP
from rtools.pipeline.stage3.making import passed_on
from rtools.pipeline.stage3.oifits_tables import Q4_UNITS
from rtools.pipeline.stage3.work import ProductWork
from rtools.products.jwst import NewHdu
from rtools.wfi import metadata

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.pipeline.stage3.making import ProductMaking
    from rtools.products.jwst import JwstProduct

__all__ = ["WORK"]

KEPT = ("OI_TARGET", "OI_WAVELENGTH")
"""Tables that are the target's."""

LONGEST = 68
"""Characters of a keyword."""


class Calibrated(NamedTuple):
    """A column that the stars calibrate.

    Attributes
    ----------
    value, error : str
        The column and that of its errors.
    done : callable
        What is done with the values and errors of target and star.
    mean : callable
        Which mean is taken of several stars.
    """

    value: str
    error: str
    done: Callable[..., tuple[np.ndarray, np.ndarray]]
    mean: Callable[..., StarMean]


CALIBRATED = {
    "OI_T3": Calibrated("T3PHI", "T3PHIERR", difference, mean_of_phases),
    "OI_VIS": Calibrated("VISAMP", "VISAMPERR", ratio, mean_of_stars),
    "OI_VIS2": Calibrated("VIS2DATA", "VIS2ERR", ratio, mean_of_stars),
}
"""What is calibrated in each table."""


def _make(making: ProductMaking) -> None:
    target, *stars = making.products
    hdus = [NewHdu("OI_ARRAY", _array(target, stars))]
    hdus += [NewHdu(name, target.table(name)) for name in KEPT]
    between = []
    for name, column in CALIBRATED.items():
        table, others = _alike(target, stars, name)
        star = _of_stars(others, column.value, column.error, column.mean)
        measured = _measured(table, column.value, column.error)
        table[column.value], table[column.error] = column.done(measured, (star.value, star.error))
        table["FLAG"] = _flags(table, others)
        between.append(star.between)
        hdus.append(NewHdu(name, table))
    if all("OI_Q4" in product.tables for product in making.products):
        hdus.append(NewHdu("OI_Q4", _quads(target, stars), units=Q4_UNITS))
    if called := _called(stars):
        hdus.append(NewHdu("PRIMARY", cards={"CALIB": called}))
    if len(stars) > 1:
        phases, _amplitudes, squares = between
        making.log("info", f"{len(stars)} stars scatter beyond their errors by {squares:.2g} in V² and "
                   f"{phases:.2g} deg in closure phases")  # fmt: skip
    making.write_new("aminorm-oi", passed_on(target, ami_normalize="COMPLETE"), hdus)


def _measured(table: Table, column: str, error: str) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(table[column], float), np.asarray(table[error], float)


def _alike(target: JwstProduct, stars: Sequence[JwstProduct], name: str) -> tuple[Table, list[Table]]:
    """A table of the target, and those of the stars with their rows in the same order."""
    table, others = target.table(name), []
    for star in stars:
        other = star.table(name)
        paths = (str(target.path), str(star.path))
        others.append(other[rows_alike(np.asarray(table["STA_INDEX"]), np.asarray(other["STA_INDEX"]), name, paths)])
    return table, others


def _of_stars(tables, value, error, mean):
    """A column of one star as it is, of several their mean without rows that are flagged."""
    if len(tables) == 1:
        return StarMean(*_measured(tables[0], value, error), 0.0)
    values, errors = (np.array([np.asarray(table[name], float) for table in tables]) for name in (value, error))
    flagged = [np.asarray(table["FLAG"], bool) if "FLAG" in table.colnames else np.zeros(len(table), bool)
               for table in tables]  # fmt: skip
    return mean(np.where(flagged, np.nan, values), errors)


def _flags(table, others):
    """Rows that the target has flagged, or all stars."""
    return np.asarray(table["FLAG"], bool) | np.all([np.asarray(other["FLAG"], bool) for other in others], axis=0)


def _called(stars):
    """Names of the stars, each once."""
    names = [metadata.get(star.meta, "target.proposer_name") for star in stars]
    return ", ".join(dict.fromkeys(str(name) for name in names if name is not None))[:LONGEST]


def _array(target, stars):
    """Stations of the target, with the pistons of both."""
    table, others = _alike(target, stars, "OI_ARRAY")
    star = _of_stars(others, "PISTONS", "PIST_ERR", mean_of_phases)
    table["PISTON_T"], table["PISTON_C"] = table["PISTONS"], star.value
    table["PIST_ERR"] = np.hypot(np.asarray(table["PIST_ERR"]), star.error)
    order = [name for name in table.colnames if name not in ("PISTONS", "PISTON_T", "PISTON_C", "PIST_ERR")]
    return table[[*order, "PISTON_T", "PISTON_C", "PIST_ERR"]]


def _quads(target, stars):
    """Logarithm of the quotient of closure amplitudes, and its error; phases are the target's."""
    table, others = _alike(target, stars, "OI_Q4")
    star = _of_stars(others, "Q4AMP", "Q4AMPERR", mean_of_stars)
    value, error = ratio(_measured(table, "Q4AMP", "Q4AMPERR"), (star.value, star.error))
    with np.errstate(divide="ignore", invalid="ignore"):
        table["Q4AMP"], table["Q4AMPERR"] = np.log(value), error / value
    table["FLAG"] = _flags(table, others)
    return table


def _foresee(_kind: str, products: Sequence[JwstProduct], _options: Mapping[str, Any]) -> None:
    """Refuse files that were not observed alike (exit 1)."""
    target, *stars = products
    for key in ("instrument.name", "instrument.filter", "instrument.pupil"):
        one = metadata.get(target.meta, key)
        for star in stars:
            two = metadata.get(star.meta, key)
            if one != two:
                raise RtoolsError(f"its {key} is {two}, that of {target.path} is {one}", path=star.path)


def _check(products: Sequence[JwstProduct], _options: Mapping[str, Any]) -> None:
    """Refuse files that do not have the same stations (exit 1)."""
    target, *stars = products
    for name in ("OI_ARRAY", *CALIBRATED):
        _alike(target, stars, name)


WORK = ProductWork(
    step=STEP,
    takes=("ami-oi",),
    gives=lambda kind, options: ("aminorm-oi",),
    make=_make,
    foresee=_foresee,
    check=_check,
    beside=("ami-oi",),
    beside_called="the star's _ami-oi",
    several_beside=True,
    copies=3,
)
