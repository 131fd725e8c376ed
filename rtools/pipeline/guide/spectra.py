"""Spectra of the motion as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.pipeline.guide.columns import BANDS, LINES, SPECTRUM, make_table
from rtools.pipeline.guide.request import GuideRequest
from rtools.pipeline.guide.series import Motions
from rtools.pipeline.guide.tables import about

if TYPE_CHECKING:
    from astropy.table import Table

    from rtools.products.guide import Guide

__all__ = ["TABLES", "bands_table", "lines_table", "spectrum_table", "summary_of"]


def spectrum_table(guide: Guide, motions: Sequence[Motions], request: GuideRequest) -> Table:
    """A row a frequency.

    Parameters
    ----------
    guide : rtools.products.guide.Guide
        The file.
    motions : sequence of Motions
        Its spectra.
    request : GuideRequest
        How it was measured.

    Returns
    -------
    astropy.table.Table
        Columns as `columns.SPECTRUM`.
    """
    columns = ("exposure", "frequency", "power_x", "power_y", "power_radial", "floor_x", "floor_y")
    parts = [
        (np.full(len(one.x.frequency), one.exposure), one.x.frequency, one.x.power, one.y.power, one.radial.power,
         one.x.floor, one.y.floor)
        for one in motions
    ]  # fmt: skip
    values = (
        {name: np.concatenate(found) for name, found in zip(columns, zip(*parts, strict=True), strict=True)}
        if parts
        else {}
    )
    return make_table(SPECTRUM, values, about(guide, request))


def bands_table(guide: Guide, motions: Sequence[Motions], request: GuideRequest) -> Table:
    """A row a band of frequencies.

    Parameters
    ----------
    guide, motions, request
        As `spectrum_table`.

    Returns
    -------
    astropy.table.Table
        Columns as `columns.BANDS`.
    """
    rows = [
        {"exposure": one.exposure, "low": x.low, "high": x.high, "rms_x": x.rms, "rms_y": y.rms,
         "rms_radial": radial.rms, "variance_x": x.variance, "variance_y": y.variance}
        for one in motions
        for x, y, radial in zip(*one.bands, strict=True)
    ]  # fmt: skip
    return make_table(BANDS, rows, about(guide, request))


def lines_table(guide: Guide, motions: Sequence[Motions], request: GuideRequest) -> Table:
    """A row for each frequency that a line can have.

    Parameters
    ----------
    guide, motions, request
        As `spectrum_table`.

    Returns
    -------
    astropy.table.Table
        Columns as `columns.LINES`.
    """
    rows = [
        {"exposure": one.exposure, "axis": axis, "frequency": line.frequency, "frequency_err": line.frequency_err,
         "rms": line.rms, "rms_err": line.rms_err, "above": line.above, "partner": partner.frequency,
         "amplitude": partner.amplitude, "rms_partner": partner.rms}
        for one in motions
        for axis, lines in zip("xy", one.lines, strict=True)
        for line in lines
        for partner in line.partners
    ]  # fmt: skip
    return make_table(LINES, rows, about(guide, request))


def summary_of(motions: Sequence[Motions]) -> list[dict[str, Any]]:
    """What ``--json`` says of spectra.

    Parameters
    ----------
    motions : sequence of Motions
        Of one file.

    Returns
    -------
    list of dict
        Variance, noise and bands of each.
    """
    return [
        {
            "exposure": one.exposure,
            "variance_x": one.x.variance,
            "variance_y": one.y.variance,
            "noise_x": one.x.noise,
            "noise_y": one.y.noise,
            "bands": [{"low": band.low, "high": band.high, "rms": band.rms} for band in one.bands[2]],
        }
        for one in motions
    ]


TABLES = {"spectrum": spectrum_table, "bands": bands_table, "lines": lines_table}
"""What ``--show`` says to the function that makes it."""
