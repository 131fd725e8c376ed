"""C12: light curves, and C15: fits of fringes, each against itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from rtools.findings import Finding, warning
from rtools.products.check.jwst.pieces import image_of, number_of, table_of
from rtools.products.check.jwst.rows import column_of
from rtools.products.jwst.product import JwstProduct

__all__ = ["check_fringe_fit", "check_light_curve"]

DIGITS = 1e-6
"""Relative difference that the digits of a table in text, or single precision, explain."""


def check_light_curve(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """C12: net flux is that of the aperture less background, and times increase.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    table = product.table()
    columns = {name: _floats(table[name]) for name in table.colnames}
    parts = [columns.get(name) for name in ("aperture_sum", "aperture_bkg", "net_aperture_sum")]
    known = [part for part in parts if part is not None]
    if len(known) == len(parts):
        total, background, net = known
        limit = DIGITS * (np.abs(total) + np.abs(background))
        wrong = number_of(np.abs(net - (total - background)) > limit)
        if wrong:
            yield warning("C12", "net_aperture_sum", f"{wrong} rows are not aperture_sum - aperture_bkg")
    for name, values in columns.items():
        if name.startswith(("MJD", "BJD")) and values is not None:
            yield from _increasing(name, values, finite=product.kind == "whtlt")
        elif name.startswith("whitelight_flux") and values is not None:
            wrong = number_of(~np.isfinite(values))
            if wrong:
                yield warning("C12", name, f"{wrong} values are not finite")


def _floats(column):
    try:
        return np.ma.filled(np.ma.asarray(column, float), np.nan)
    except (TypeError, ValueError):
        return None


def _increasing(name, times, *, finite):
    unknown = ~np.isfinite(times)
    if unknown.any() and finite:
        yield warning("C12", name, f"{number_of(unknown)} values are not finite")
    wrong = np.flatnonzero(np.diff(times[~unknown]) <= 0)
    if wrong.size:
        yield warning("C12", name, f"does not increase after row {wrong[0] + 1}")


def check_fringe_fit(product: JwstProduct, _layout: Any) -> Iterator[Finding]:
    """C15: residuals, images over their peaks, and coefficients whose first is 1; an integration at a time.

    Parameters
    ----------
    product : JwstProduct
        Opened.

    Yields
    ------
    Finding
    """
    yield from _fringe_images(product)
    table = table_of(product, "SOLNS")
    coefficients = None if table is None else column_of(product, table, "coeffs")
    if coefficients is not None and coefficients.ndim == 2:
        wrong = number_of(np.abs(coefficients[:, 0] - 1) > DIGITS)
        if wrong:
            yield warning("C15", "SOLNS.coeffs", f"{wrong} rows do not begin with 1")


def _fringe_images(product: JwstProduct) -> Iterator[Finding]:
    names = ("CTRD", "FIT", "RESID", "N_CTRD", "N_FIT", "N_RESID")
    found = [image_of(product, name) for name in names]
    shapes = {hdu.shape if hdu else () for hdu in found}
    shape = shapes.pop()
    if shapes or len(shape) != 3:
        return
    wrong = dict.fromkeys(("RESID", "N_CTRD", "N_FIT", "N_RESID"), 0)
    for integration in range(shape[0]):
        planes = {name: product.pixels(name, 1, (integration,)).astype(float) for name in names}
        peak = np.nanmax(planes["CTRD"]) if np.isfinite(planes["CTRD"]).any() else np.nan
        limit = 10 * DIGITS * np.abs(peak)
        wrong["RESID"] += number_of(np.abs(planes["CTRD"] - planes["FIT"] - planes["RESID"]) > limit)
        for name in ("CTRD", "FIT", "RESID"):
            wrong[f"N_{name}"] += number_of(np.abs(planes[f"N_{name}"] * peak - planes[name]) > limit)
    for name, count in wrong.items():
        formula = "CTRD - FIT" if name == "RESID" else f"{name[2:]} over the peak of CTRD"
        if count:
            yield warning("C15", name, f"{count} pixels are not {formula}")
