"""Fluxes at given places against time, as a chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.show.chart import Chart, Panel, Series, error_note

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["MOST_SOURCES", "chart_flux_curve"]

MOST_SOURCES = 8
"""Sources that one chart takes: each has a panel."""


def chart_flux_curve(table: Table, name: str, flux: str, *, title: str, limit: float) -> tuple[Chart, list[str]]:
    """Fluxes of sources against time: a panel for each source, a colour for each optical element.

    Parameters
    ----------
    table : astropy.table.Table
        From `rtools.pipeline.catalog.places_table.light_table`.
    name : str
        The column of the sources' ids.
    flux : str
        The column of fluxes that is drawn, with its errors.
    title : str
        Above the chart.
    limit : float
        Fluxes below so many times their errors are marked as those that are no detections.

    Returns
    -------
    (rtools.show.chart.Chart, list of str)
        The chart, and what is not in it.

    Raises
    ------
    InputError
        No row has both a time and a flux.
    """
    good = np.ma.filled(np.isfinite(table["mjd"]) & np.isfinite(table[flux]), False)
    if not good.any():
        raise InputError("no row has a time and a flux: nothing to draw")
    rows = table[good]
    called = np.array(["" if one is None else str(one) for one in rows[name].tolist()])
    ids = list(dict.fromkeys(called.tolist()))
    notes = [f"the first {MOST_SOURCES} of {len(ids)} sources are drawn"] if len(ids) > MOST_SOURCES else []
    day = float(np.floor(np.min(rows["mjd"])))
    elements = sorted(set(np.asarray(rows["element"]).tolist()))
    panels = []
    for one in ids[:MOST_SOURCES]:
        mine = rows[called == one]
        named = {element: element if len(elements) > 1 else "" for element in elements}
        series = [
            part
            for element in elements
            for part in _series(mine, element, flux, day, label=named[element], limit=limit)
        ]
        series.sort(key=lambda part: part.flagged)  # colours go to the elements
        panels.append(Panel(f"{one} [nJy]", tuple(series), note=error_note(series)))
    title = f"{title}, {elements[0]}" if len(elements) == 1 and elements[0] else title
    return Chart(title, f"MJD (UTC) - {day:.0f} [d]", tuple(panels)), notes


def _series(rows, element, flux, day, *, label, limit):
    """The points of a source through one element, in the order of time, and which of them are no detections."""
    mine = rows[np.asarray(rows["element"]) == element]
    if not len(mine):
        return
    mine = mine[np.argsort(mine["mjd"], kind="stable")]
    time, value, error = (np.asarray(mine[key], float) for key in ("mjd", flux, f"{flux}_err"))
    yield Series(label, time - day, value, error)
    faint = value < limit * error
    if faint.any():
        yield Series("", (time - day)[faint], value[faint], flagged=True)
