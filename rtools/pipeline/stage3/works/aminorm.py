"""rt-aminorm on files: two _ami-oi, of a target and of a star, to _aminorm-oi."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.errors import RtoolsError
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

CALIBRATED = {
    "OI_T3": (("T3PHI", "T3PHIERR", difference),),
    "OI_VIS": (("VISAMP", "VISAMPERR", ratio),),
    "OI_VIS2": (("VIS2DATA", "VIS2ERR", ratio),),
}
"""Columns of each table, their errors, and what is done with those of target and star."""


def _make(making: ProductMaking) -> None:
    target, star = making.products
    _check(making.products, making.options)
    hdus = [NewHdu("OI_ARRAY", _array(target, star))]
    hdus += [NewHdu(name, target.table(name)) for name in KEPT]
    for name, columns in CALIBRATED.items():
        table, other = _alike(target, star, name)
        for column, error, done in columns:
            table[column], table[error] = done(_measured(table, column, error), _measured(other, column, error))
        table["FLAG"] = np.asarray(table["FLAG"], bool) | np.asarray(other["FLAG"], bool)
        hdus.append(NewHdu(name, table))
    if all("OI_Q4" in product.tables for product in making.products):
        hdus.append(NewHdu("OI_Q4", _quads(target, star), units=Q4_UNITS))
    calibrator = metadata.get(star.meta, "target.proposer_name")
    if calibrator is not None:
        hdus.append(NewHdu("PRIMARY", cards={"CALIB": str(calibrator)}))
    making.write_new("aminorm-oi", passed_on(target, ami_normalize="COMPLETE"), hdus)


def _measured(table: Table, column: str, error: str) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(table[column], float), np.asarray(table[error], float)


def _alike(target: JwstProduct, star: JwstProduct, name: str) -> tuple[Table, Table]:
    """A table of the target, and that of the star with its rows in the same order."""
    table, other = target.table(name), star.table(name)
    paths = (str(target.path), str(star.path))
    return table, other[rows_alike(np.asarray(table["STA_INDEX"]), np.asarray(other["STA_INDEX"]), name, paths)]


def _array(target, star):
    """Stations of the target, with the pistons of both."""
    table, other = _alike(target, star, "OI_ARRAY")
    table["PISTON_T"], table["PISTON_C"] = table["PISTONS"], other["PISTONS"]
    table["PIST_ERR"] = np.hypot(np.asarray(table["PIST_ERR"]), np.asarray(other["PIST_ERR"]))
    order = [name for name in table.colnames if name not in ("PISTONS", "PISTON_T", "PISTON_C", "PIST_ERR")]
    return table[[*order, "PISTON_T", "PISTON_C", "PIST_ERR"]]


def _quads(target, star):
    """Logarithm of the quotient of closure amplitudes, and its error; phases are the target's."""
    table, other = _alike(target, star, "OI_Q4")
    value, error = ratio(_measured(table, "Q4AMP", "Q4AMPERR"), _measured(other, "Q4AMP", "Q4AMPERR"))
    with np.errstate(divide="ignore", invalid="ignore"):
        table["Q4AMP"], table["Q4AMPERR"] = np.log(value), error / value
    table["FLAG"] = np.asarray(table["FLAG"], bool) | np.asarray(other["FLAG"], bool)
    return table


def _check(products: Sequence[JwstProduct], _options: Mapping[str, Any]) -> None:
    """Refuse two files that were not observed alike (exit 1)."""
    target, star = products
    for key in ("instrument.name", "instrument.filter", "instrument.pupil"):
        one, two = (metadata.get(product.meta, key) for product in products)
        if one != two:
            raise RtoolsError(f"its {key} is {two}, that of {target.path} is {one}", path=star.path)
    for name in ("OI_ARRAY", *CALIBRATED):
        _alike(target, star, name)


WORK = ProductWork(
    step=STEP,
    takes=("ami-oi",),
    gives=lambda kind, options: ("aminorm-oi",),
    make=_make,
    check=_check,
    beside=("ami-oi",),
    beside_called="the star's _ami-oi",
    copies=3,
)
