"""C14: interferometric observables, by OIFITS 2 (Duvert, Young and Hummel 2017) and by what stations make of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from rtools.findings import Finding, error, warning
from rtools.jwst.layout import ProductLayout, facts
from rtools.products.check.jwst.pieces import number_of, table_of
from rtools.products.check.jwst.rows import column_of, columns_of
from rtools.products.jwst.hdus import JwstHdu
from rtools.products.jwst.product import JwstProduct
from rtools.wfi.sphere import signed_turn

__all__ = ["check_observables"]

ROWS = {"OI_ARRAY": 7, "OI_VIS": 21, "OI_VIS2": 21, "OI_T3": 35}
"""Holes of the mask, baselines and triangles."""

DATA = ("OI_VIS", "OI_VIS2", "OI_T3")

EXACT = 1e-6
"""Metres by which a baseline may differ from its stations: those are in double precision, too."""

DEGREES = 1e-3
"""By which phases around a triangle may differ from its closure phase."""

SIGMAS = 5.0


def check_observables(product: JwstProduct, layout: ProductLayout) -> Iterator[Finding]:
    """C14 of the tables that are there.

    Parameters
    ----------
    product : JwstProduct
        Opened; ami-oi, amimulti-oi or aminorm-oi.
    layout : ProductLayout
        Of its kind.

    Yields
    ------
    Finding
    """
    tables = {name: table_of(product, name) for name in (*ROWS, "OI_TARGET", "OI_WAVELENGTH")}
    present = {name: table for name, table in tables.items() if table is not None}
    yield from _keywords(layout.suffix, present)
    for name, rows in ROWS.items():
        if name in present and present[name].rows != rows:
            yield error("C14", name, f"{present[name].rows} rows, not {rows}")
    if "OI_ARRAY" not in present:
        return
    stations = column_of(product, present["OI_ARRAY"], "STA_INDEX")
    centres = column_of(product, present["OI_ARRAY"], "CTRS_EQT")
    if stations is None or stations.ndim != 1:
        return
    for name in DATA:
        used = column_of(product, present[name], "STA_INDEX") if name in present else None
        if used is None:
            continue
        wrong = number_of(~np.isin(used, stations))
        if wrong:
            yield error("C14", f"{name}.STA_INDEX", f"{wrong} stations are not in OI_ARRAY")
        elif centres is not None and centres.ndim == 2 and used.ndim == 2:
            order = np.argsort(stations)
            places = centres[order[np.searchsorted(stations[order], used)]]
            yield from _baselines(product, present[name], places)
    if layout.suffix == "amimulti-oi":
        yield from _closures(product, present)
        yield from _amplitudes(product, present)


def _keywords(kind: str, present: Mapping[str, JwstHdu]) -> Iterator[Finding]:
    """Keywords that OIFITS demands, and the names by which tables refer to each other."""
    for tables, keywords in facts()[kind]["keywords"].items():
        for name in (one for one in tables.split("/") if one in present):
            for keyword in keywords:
                if keyword not in present[name].values:
                    yield error("C14", f"{name}.{keyword}", "the keyword is missing")
    for keyword, source in (("ARRNAME", "OI_ARRAY"), ("INSNAME", "OI_WAVELENGTH")):
        known = present[source].values.get(keyword) if source in present else None
        for name in DATA:
            stated = present[name].values.get(keyword) if name in present else None
            if None not in (known, stated) and stated != known:
                yield error("C14", f"{name}.{keyword}", f"{stated}, but {source} is called {known}")


def _baselines(product: JwstProduct, hdu: JwstHdu, places: np.ndarray) -> Iterator[Finding]:
    """Baselines from the places of stations: u from the second coordinate, v from the first."""
    pairs = (("UCOORD", "VCOORD"),) if hdu.name != "OI_T3" else (("U1COORD", "V1COORD"), ("U2COORD", "V2COORD"))
    for start, pair in enumerate(pairs):
        step = places[:, start] - places[:, start + 1]
        for name, stated, axis in zip(pair, columns_of(product, hdu, *pair), (1, 0), strict=False):
            wrong = number_of(~(np.abs(stated - step[:, axis]) <= EXACT))
            if wrong:
                yield warning("C14", f"{hdu.name}.{name}", f"{wrong} rows are not what CTRS_EQT of the stations makes")


def _closures(product: JwstProduct, present: Mapping[str, JwstHdu]) -> Iterator[Finding]:
    """Each integration alone: the closure phase is the sum of the phases around the triangle."""
    sides_of = columns_of(product, present.get("OI_VIS"), "VISPHI", "STA_INDEX")
    triangles = columns_of(product, present.get("OI_T3"), "T3PHI", "STA_INDEX")
    if not sides_of or not triangles or sides_of[0].shape[1:] != triangles[0].shape[1:]:
        return
    (phases, pairs), (closures, triples) = sides_of, triangles
    row_of = {tuple(pair): row for row, pair in enumerate(pairs.tolist())}
    wrong = 0
    for row, (i, j, k) in enumerate(triples.tolist()):
        sides = [row_of.get(side) for side in ((i, j), (j, k), (i, k))]
        if None in sides:
            continue
        first, second, third = (phases[side] for side in sides)
        away = signed_turn(first + second - third - closures[row])
        wrong += int((np.abs(away) > DEGREES).any())
    if wrong:
        yield warning("C14", "OI_T3.T3PHI", f"{wrong} triangles are not the sum of the phases of their sides")


def _amplitudes(product: JwstProduct, present: Mapping[str, JwstHdu]) -> Iterator[Finding]:
    """Each integration alone: the squared visibility is the square of the amplitude."""
    first = columns_of(product, present.get("OI_VIS"), "VISAMP", "VISAMPERR")
    second = columns_of(product, present.get("OI_VIS2"), "VIS2DATA", "VIS2ERR")
    if not first or not second or len({one.shape for one in (*first, *second)}) > 1:
        return
    (amplitude, spread), (squared, error_of) = first, second
    limit = EXACT + SIGMAS * np.hypot(np.nan_to_num(error_of), 2 * amplitude * np.nan_to_num(spread))
    wrong = number_of(np.abs(squared - amplitude**2) > limit)
    if wrong:
        yield warning("C14", "OI_VIS2.VIS2DATA", f"{wrong} values are not the squares of VISAMP within their errors")
