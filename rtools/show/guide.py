"""Charts of what guide windows and FACE give: one description for a picture and for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.show.chart import Chart, Panel, Series
from rtools.wfi.guide import DROPPED_BY_JITTER, DROPPED_BY_PHOTOMETRY
from rtools.wfi.units import ARCSEC, MAS

if TYPE_CHECKING:
    from astropy.table import Table
    from numpy.typing import NDArray

__all__ = ["chart_attitude", "chart_face", "chart_jitter", "chart_light_curve", "chart_pairs", "chart_spectrum"]

Tables = Sequence[tuple[str, "Table"]]
"""Name of each input, and its table."""

SCALE = 110.0
"""mas per pixel: only for the axis of a chart."""


def _title(tables: Tables, what: str) -> str:
    """What is drawn, and of what."""
    return f"{what}: {Path(tables[0][0]).name}" + (f" and {len(tables) - 1} more" if len(tables) > 1 else "")


def _label(tables: Tables, name: str, word: str = "") -> str:
    """The name of a series: its file where there are several."""
    return " ".join(part for part in (Path(name).stem if len(tables) > 1 else "", word) if part)


def _values(table: Table, name: str) -> NDArray[np.float64]:
    return np.asarray(table[name], float)


def chart_pairs(tables: Tables) -> Chart:
    """Centroids and fluxes against time.

    Parameters
    ----------
    tables : sequence of (str, astropy.table.Table)
        Of `rt-gw measure`.

    Returns
    -------
    rtools.show.chart.Chart
        Motion about the median of each exposure along x and y, flux, chi-square; pairs that are not used apart.
    """
    panels: dict[str, list[Series]] = {"x [mas]": [], "y [mas]": [], "flux [e-/s]": [], "chi2": []}
    for name, table in tables:
        used = (np.asarray(table["use"]) & int(DROPPED_BY_JITTER)) == 0
        for axis in "xy":
            moved = _about_median(_values(table, axis), np.asarray(table["exposure"]), used) * SCALE
            error = _values(table, f"{axis}_err") * SCALE
            panels[f"{axis} [mas]"] += _apart(tables, name, _values(table, "t"), moved, used, error)
        light = (np.asarray(table["use"]) & int(DROPPED_BY_PHOTOMETRY)) == 0
        panels["flux [e-/s]"] += _apart(tables, name, _values(table, "t"), _values(table, "flux"), light)
        panels["chi2"] += _apart(tables, name, _values(table, "t"), _values(table, "chi2"), light)
    made = tuple(Panel(label, tuple(series)) for label, series in panels.items())
    return Chart(_title(tables, "Guide star"), "seconds since t_start", made)


def _about_median(values, exposures, used):
    """Values less the median of those of their exposure that are used."""
    moved = np.full(len(values), np.nan)
    for number in np.unique(exposures):
        mine = exposures == number
        good = values[mine & used]
        if good.size:
            moved[mine] = values[mine] - np.median(good)
    return moved


def _apart(tables, name, t, values, used, error=None):
    """Series of what is used and of what is not; the latter only as far as it fits the range of the former."""
    series = [Series(_label(tables, name), t[used], values[used], None if error is None else error[used])]
    good = values[used & np.isfinite(values)]
    if (~used).any() and good.size:
        low, high = good.min(), good.max()
        near = ~used & (values > low - (high - low)) & (values < high + (high - low))
        series.append(Series(_label(tables, name, "not used"), t[near], values[near]))
    return series


def chart_jitter(tables: Tables) -> Chart:
    """Motion of each exposure.

    Parameters
    ----------
    tables : sequence of (str, astropy.table.Table)
        Of `rt-gw jitter`.

    Returns
    -------
    rtools.show.chart.Chart
        Rms along both axes and of the kernel, drift, light against time.
    """
    rms, drift, light = [], [], []
    for name, table in tables:
        t = (_values(table, "start") + _values(table, "stop")) / 2
        for word, column in (("rms x", "rms_x"), ("rms y", "rms_y"), ("kernel, major", "jitter_major")):
            rms.append(Series(_label(tables, name, word), t, _values(table, column)))
        for axis in "xy":
            slope, error = _values(table, f"drift_{axis}"), _values(table, f"drift_{axis}_err")
            drift.append(Series(_label(tables, name, axis), t, slope, error))
        light.append(Series(_label(tables, name), t, _values(table, "flux")))
    panels = Panel("mas", tuple(rms)), Panel("drift [mas/s]", tuple(drift)), Panel("flux [e-/s]", tuple(light))
    return Chart(_title(tables, "Jitter"), "MJD", panels)


def chart_light_curve(tables: Tables) -> Chart:
    """Flux against time.

    Parameters
    ----------
    tables : sequence of (str, astropy.table.Table)
        Of `rt-gw lightcurve`.

    Returns
    -------
    rtools.show.chart.Chart
    """
    series = []
    for name, table in tables:
        date = _values(table, "bjd_tdb" if "bjd_tdb" in table.colnames else "mjd")
        used = (np.asarray(table["use"]) & int(DROPPED_BY_PHOTOMETRY)) == 0
        error = _values(table, "flux_err")[used]
        series.append(Series(_label(tables, name), date[used], _values(table, "flux")[used], error))
    label = "BJD (TDB)" if tables and "bjd_tdb" in tables[0][1].colnames else "MJD"
    return Chart(_title(tables, "Light curve"), label, (Panel("flux [e-/s]", tuple(series)),))


def chart_spectrum(tables: Tables) -> Chart:
    """Variance of the motion against frequency.

    Parameters
    ----------
    tables : sequence of (str, astropy.table.Table)
        Of `rt-gw spectrum`.

    Returns
    -------
    rtools.show.chart.Chart
        Both axes with the noise, logarithmic.
    """
    panels: list[Panel] = []
    for axis in "xy":
        series = []
        for name, table in tables:
            for number in np.unique(np.asarray(table["exposure"])):
                mine = table[np.asarray(table["exposure"]) == number]
                word = f"exposure {number}" if number else ""
                f = _values(mine, "frequency")
                series.append(Series(_label(tables, name, word), f, _values(mine, f"power_{axis}"), line=True))
                series.append(Series("noise" if not panels else "", f, _values(mine, f"floor_{axis}"), line=True))
        panels.append(Panel(f"{axis} [mas2]", tuple(series), logarithmic=True))
    return Chart(_title(tables, "Spectrum of the motion"), "Hz", tuple(panels))


def chart_face(tables: Tables) -> Chart:
    """Rotations of FACE against time.

    Parameters
    ----------
    tables : sequence of (str, astropy.table.Table)
        Of `rt-gw face`.

    Returns
    -------
    rtools.show.chart.Chart
        About the three axes, and the motion at a place where the table has it; solutions that are not good apart.
    """
    columns = [("delta [mas]", "delta_mas"), ("epsilon [mas]", "epsilon_mas"), ("zeta [arcsec]", "zeta_arcsec"),
               ("dx [pixel]", "dx"), ("dy [pixel]", "dy")]  # fmt: skip
    panels = []
    for label, column in columns:
        series = []
        for name, table in tables:
            if column in table.colnames:
                good = np.asarray(table["good"], bool)
                series += _apart(tables, name, _values(table, "t"), _values(table, column), good)
        if series:
            panels.append(Panel(label, tuple(series)))
    return Chart(_title(tables, "FACE"), "seconds since t_start", tuple(panels))


def chart_attitude(tables: Tables) -> Chart:
    """Rotations of guide stars against time.

    Parameters
    ----------
    tables : sequence of (str, astropy.table.Table)
        Of `rt-gw attitude`.

    Returns
    -------
    rtools.show.chart.Chart
        About the three axes with their errors; stars that were used.
    """
    units = {"delta": ("mas", MAS), "epsilon": ("mas", MAS), "zeta": ("arcsec", ARCSEC)}
    labels = (*(f"{turn} [{unit}]" for turn, (unit, _) in units.items()), "stars")
    panels: dict[str, list[Series]] = {label: [] for label in labels}
    for name, table in tables:
        t = _values(table, "t")
        for turn, (unit, scale) in units.items():
            error = np.sqrt(_values(table, f"{turn}_var")) / scale
            panels[f"{turn} [{unit}]"].append(Series(_label(tables, name), t, _values(table, turn) / scale, error))
        panels["stars"].append(Series(_label(tables, name), t, _values(table, "stars")))
    made = tuple(Panel(label, tuple(series)) for label, series in panels.items())
    return Chart(_title(tables, "Attitude"), "seconds since t_start", made)
