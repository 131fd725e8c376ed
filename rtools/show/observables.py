"""Interferometric observables of JWST: squared visibilities and closure phases against the baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.show.chart import Chart, Panel, Series, error_note
from rtools.show.names import shown_name

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import NDArray

    from rtools.products.jwst import JwstProduct

__all__ = ["OBSERVABLES", "chart_observables"]

OBSERVABLES = ("ami-oi", "amimulti-oi", "aminorm-oi")
"""Kinds of products that are OIFITS files."""

NAMED = 6
"""At most so many integrations have a colour and a name of their own."""


def chart_observables(product: JwstProduct, *, integration: int | None = None) -> Chart:
    """Squared visibilities and closure phases with their errors.

    The baseline of a visibility is sqrt(u² + v²); a triangle stands at the longest of its three, whose third side has
    u = -(u1 + u2) (OIFITS 2, Duvert et al. 2017). Observables with FLAG are marked.

    Parameters
    ----------
    product : JwstProduct
        Of a kind of `OBSERVABLES`, opened.
    integration : int, optional
        Of observables per integration, from the end where negative; all by default.

    Returns
    -------
    rtools.show.chart.Chart

    Raises
    ------
    InputError
        A table is missing, or there is no such integration.
    """
    pairs, triangles = product.table("OI_VIS2"), product.table("OI_T3")
    along = _lengths(pairs, "UCOORD", "VCOORD")
    sides = [_lengths(triangles, f"U{one}COORD", f"V{one}COORD") for one in "12"]
    third = np.hypot(*(_column(triangles, f"{axis}1COORD") + _column(triangles, f"{axis}2COORD") for axis in "UV"))
    longest = np.maximum(np.maximum(*sides), third)
    squares = _series(product, pairs, along, ("VIS2DATA", "VIS2ERR"), integration)
    phases = _series(product, triangles, longest, ("T3PHI", "T3PHIERR"), integration)
    unnamed = tuple(one if one.flagged else one._replace(label="") for one in phases)  # of the same colours
    panels = (
        Panel("V²", squares, note=error_note(squares)),
        Panel("closure phase [deg]", unnamed, note=error_note(phases)),
    )
    title = shown_name(product)
    count = _integrations(pairs, "VIS2DATA")
    if count > 1:
        title += f"  {count} integrations" if integration is None else f"  integration {integration % count} of {count}"
    return Chart(title, "baseline, of triangles the longest [m]", panels)


def _column(table: Table, name: str) -> NDArray[np.float64]:
    return np.asarray(table[name], np.float64)


def _lengths(table, u, v):
    return np.hypot(_column(table, u), _column(table, v))


def _integrations(table, name):
    """How many integrations the observables are of; 1 for their mean."""
    return table[name].shape[1] if table[name].ndim > 1 else 1


def _series(product, table, x, names, wanted):
    """A series for each integration, and one of the observables that are flagged."""
    values, errors = (_column(table, name).reshape(len(table), -1) for name in names)
    count = values.shape[1]
    chosen = range(count)
    if wanted is not None:
        if not -count <= wanted < count:
            raise InputError(f"--integration {wanted}: there are {count}", path=product.path)
        chosen = range(wanted % count, wanted % count + 1)
    flagged = np.asarray(table["FLAG"]).astype(bool) if "FLAG" in table.colnames else np.zeros(len(table), bool)
    flagged = np.broadcast_to(flagged.reshape(len(table), -1), values.shape)
    named = 1 < len(chosen) <= NAMED
    found = []
    for number in chosen:
        good = ~flagged[:, number]
        label = f"integration {number}" if named else ""
        found.append(Series(label, x[good], values[good, number], errors[good, number]))
    bad = flagged[:, list(chosen)]
    if bad.any():
        where, which = np.nonzero(bad)
        found.append(Series("flagged", x[where], values[:, list(chosen)][where, which], flagged=True))
    return tuple(found)
