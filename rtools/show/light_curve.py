"""Light curves of JWST: fluxes of an aperture or of all wavelengths against time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.products.tables.files import read_catalog
from rtools.show.chart import Chart, Panel, Series, error_note
from rtools.show.columns import column_values
from rtools.show.names import shown_name

if TYPE_CHECKING:
    from rtools.products.jwst import JwstProduct

__all__ = ["LIGHT_CURVES", "chart_light_curve"]

LIGHT_CURVES = ("phot", "whtlt")
"""Kinds of products that are light curves."""

TIMES = {"BJD_TDB": "BJD (TDB)", "MJD": "MJD (UTC)", "MJD_UTC": "MJD (UTC)"}
"""Columns of times, the first that is known counts, and what they are."""

PANELS = {
    "phot": (
        ("net_aperture_sum", "net flux"),
        ("annulus_mean", "background"),
        ("centroid_x", "x"),
        ("centroid_y", "y"),
    ),
    "whtlt": (("whitelight_flux", "flux"),),
}
"""Columns that are drawn, each in a panel, and what they are."""


def chart_light_curve(product: JwstProduct, *, array: str | None = None) -> Chart:
    """Fluxes, background and centroids against time, with their errors.

    Parameters
    ----------
    product : JwstProduct
        Of a kind of `LIGHT_CURVES`, opened.
    array : str, optional
        The one column to draw instead of those of its kind.

    Returns
    -------
    rtools.show.chart.Chart
        Times since a whole day. A white light curve has a series for each order or detector.

    Raises
    ------
    InputError
        There is no such column, or no time.
    """
    table = read_catalog(product.path)
    time = next(
        (name for name in TIMES if name in table.colnames and np.isfinite(column_values(table, name)).any()), None
    )
    if time is None:
        raise InputError("has no times", mend=f"one of {', '.join(TIMES)} is expected", path=product.path)
    wanted = PANELS[product.kind]
    if array is not None:
        if array not in table.colnames or table[array].dtype.kind not in "iuf":
            numbers = [name for name in table.colnames if table[name].dtype.kind in "iuf"]
            raise InputError(
                f"the column {array} is missing", mend=f"there are {', '.join(numbers)}", path=product.path
            )
        wanted = ((array, array),)
    day = float(np.floor(np.nanmin(column_values(table, time))))
    panels = [panel for name, word in wanted if (panel := _panel(table, name, word, column_values(table, time) - day))]
    if not panels:
        raise InputError(f"has no column {wanted[0][0]}", path=product.path)
    return Chart(shown_name(product), f"{TIMES[time]} - {day:.0f} [d]", tuple(panels))


def _panel(table, name, word, time):
    """A panel of a column, and of those that go on after its name, as ``_order_1``; None where there is none."""
    names = [name] if name in table.colnames else []
    if name == "whitelight_flux":
        names = [one for one in table.colnames if one.startswith(name) and not one.endswith("_err")]
    if not names:
        return None
    series = []
    for one in names:
        error = f"{one}_err"
        label = one.removeprefix(name).strip("_").replace("_", " ") if len(names) > 1 else ""
        series.append(
            Series(
                label, time, column_values(table, one), column_values(table, error) if error in table.colnames else None
            )
        )
    unit = table[names[0]].unit
    return Panel(f"{word} [{unit}]" if unit else word, tuple(series), note=error_note(series))
