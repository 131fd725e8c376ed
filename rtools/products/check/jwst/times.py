"""C5: the table of the times of integrations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rtools.findings import Finding, error
from rtools.jwst.layout import ProductLayout
from rtools.products.check.jwst.pieces import count_of, table_of
from rtools.products.jwst.product import JwstProduct
from rtools.wfi.units import DAY_S

__all__ = ["check_times"]

LIGHT = (-440.0, 580.0)
"""Seconds by which time at the barycentre of the solar system, in TDB, differs from UTC here: 69.2 s between the two
scales, and at most 508 s of light travel (1.02 astronomical units), in round numbers."""

SCALES = ("MJD_UTC", "BJD_TDB")

OVERLAP = 1e-3
"""Seconds by which an integration may begin before the end of the one before it; a day in double precision has 1e-6."""

AXIS_OF = {"uncal": 0, "ramp": 0, "rateints": 0, "bsubints": 0, "calints": 0, "crfints": 0, "psfsub": 0}
"""Products whose SCI has the integrations on the first axis."""


def check_times(product: JwstProduct, layout: ProductLayout) -> Iterator[Finding]:
    """C5, where the file has INT_TIMES.

    Parameters
    ----------
    product : JwstProduct
        Opened.
    layout : ProductLayout
        Of its kind.

    Yields
    ------
    Finding
        Errors.
    """
    hdu = table_of(product, "INT_TIMES")
    if hdu is None:
        return
    yield from _rows(product, layout, hdu)
    if not hdu.rows:
        return
    table = product.table("INT_TIMES")
    columns = {name: np.asarray(table[name]) for name in table.colnames}
    if "integration_number" in columns:
        yield from _numbers(product, columns["integration_number"])
    for scale in SCALES:
        names = [f"int_{when}_{scale}" for when in ("start", "mid", "end")]
        if set(names) <= set(columns):
            yield from _order(scale, *(columns[name].astype(float) for name in names))
    for when in ("start", "mid", "end"):
        names = [f"int_{when}_{scale}" for scale in SCALES]
        if set(names) <= set(columns):
            yield from _difference(when, *(columns[name].astype(float) for name in names))


def _rows(product, layout, hdu):
    science = product.arrays.get("data")
    if layout.suffix in AXIS_OF and science is not None and len(science.shape) > 2 and hdu.rows != science.shape[0]:
        yield error("C5", "INT_TIMES", f"{hdu.rows} rows, but SCI has {science.shape[0]} integrations")


def _numbers(product, numbers):
    first = count_of(product, "INTSTART") or numbers[0]
    wrong = np.flatnonzero(numbers != first + np.arange(numbers.size))
    if wrong.size:
        row = wrong[0]
        yield error("C5", "INT_TIMES", f"row {row + 1} is integration {numbers[row]}, not {first + row}")


def _order(scale, start, middle, end):
    """Start, middle and end of each, and the next one after it; times that are unknown are not compared."""
    told = np.isfinite(start) & np.isfinite(middle) & np.isfinite(end)
    wrong = np.flatnonzero(told & ~((start < middle) & (middle < end)))
    if wrong.size:
        yield error("C5", f"INT_TIMES.{scale}", f"{wrong.size} rows are not start < mid < end (row {wrong[0] + 1})")
        return
    overlap = (end[:-1] - start[1:]) * DAY_S
    wrong = np.flatnonzero(overlap > OVERLAP)
    if wrong.size:
        worst = f"by {overlap[wrong].max():.3g} s"
        yield error("C5", f"INT_TIMES.{scale}", f"{wrong.size} integrations begin before the one before ends ({worst})")


def _difference(when, here, there):
    """Time at the barycentre less time here."""
    seconds = (there - here) * DAY_S
    wrong = np.flatnonzero((seconds < LIGHT[0]) | (seconds > LIGHT[1]))
    if wrong.size:
        low, high = LIGHT
        about = f"{seconds[wrong[0]]:.4g} s from UTC, outside of {low:g} to {high:g}"
        yield error("C5", f"INT_TIMES.int_{when}_BJD_TDB", f"{wrong.size} rows are wrong: {about}")
