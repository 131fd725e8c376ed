"""Spectra out of dispersed images of Roman, as a chart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import UsageError
from rtools.show.chart import Chart, Panel, error_note
from rtools.show.spectrum import TOGETHER, DrawnSpectrum, spectrum_series
from rtools.wfi.dq import PIXEL

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["chart_dispersed"]


def chart_dispersed(found: Sequence[tuple[str, Table]]) -> Chart:
    """Fluxes against wavelength, or against the pixel along the dispersion where a wavelength is not known.

    Parameters
    ----------
    found : sequence of (str, astropy.table.Table)
        Names of the images, and tables from `rtools.pipeline.stage3.dispersed.spectrum_of_dispersed`.

    Returns
    -------
    rtools.show.chart.Chart

    Raises
    ------
    UsageError
        There are too many, or their fluxes are in different units.
    """
    if len(found) > TOGETHER:
        raise UsageError(f"--plot: {len(found)} spectra; a picture takes {TOGETHER} at most")
    units = dict.fromkeys(str(table["flux"].unit).replace(" ", "") for _name, table in found)
    if len(units) > 1:
        raise UsageError(f"--plot: the spectra are in {' and '.join(units)}, and a picture has one unit")
    known = all(np.isfinite(table["wavelength"]).any() for _name, table in found)
    axis, label = ("wavelength", "wavelength [um]") if known else ("pixel", "pixel along the dispersion")
    alone = len(found) == 1
    series = [part for name, table in found for part in spectrum_series(_spectrum(name, table, axis), alone=alone)]
    series.sort(key=lambda one: one.flagged)  # colours go to the spectra
    title = Path(found[0][0]).name if alone else f"{len(found)} spectra"
    return Chart(title, label, (Panel(f"flux [{next(iter(units))}]", tuple(series), note=error_note(series)),))


def _spectrum(name, table, axis):
    flux, error = (np.asarray(table[key], np.float64) for key in ("flux", "flux_err"))
    flagged = np.asarray(table["dq"]) & np.uint32(PIXEL["DO_NOT_USE"]) != 0
    return DrawnSpectrum(Path(name).stem, np.asarray(table[axis], np.float64), flux, error, flagged)
