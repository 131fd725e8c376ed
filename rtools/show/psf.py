"""Profiles of PSFs and stars, and depths of images, as charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rtools.show.chart import Chart, Panel, Picture, Series

if TYPE_CHECKING:
    from astropy.table import Table

__all__ = ["chart_depths", "chart_profiles"]

KINDS = ("psf", "star", "measured")
"""First words of the columns of profiles (`rtools.pipeline.catalog.psf.WORDS`)."""


def chart_profiles(found: Sequence[tuple[str, Table]], pictures: Sequence[Picture] = ()) -> Chart:
    """Brightness and encircled energy against the radius.

    Parameters
    ----------
    found : sequence of (str, Table)
        What each table is of, and the table, from `rtools.pipeline.catalog.psf.profile_table`.
    pictures : sequence of Picture
        Images of what the profiles are of.

    Returns
    -------
    rtools.show.chart.Chart
    """
    panels: list[Panel] = []
    for kind, x, label in (
        ("brightness", "middle", "share of light [1/arcsec²]"),
        ("energy", "radius", "share of light within"),
    ):
        series = []
        for name, table in found:
            for word in KINDS:
                if f"{word}_{kind}" in table.colnames:
                    title = word if len(found) == 1 else f"{name} {word}"
                    title = "" if panels else title  # a legend is enough
                    series.append(_series(title, table, x, f"{word}_{kind}"))
        panels.append(Panel(label, tuple(series), logarithmic=kind == "brightness"))
    title = found[0][0] if len(found) == 1 else f"{len(found)} PSFs"
    return Chart(title, "radius [arcsec]", tuple(panels), pictures=tuple(pictures))


def chart_depths(found: Sequence[tuple[str, Table]]) -> Chart:
    """Depths by blank sky and by the errors of the pixels, against the radius of the aperture.

    Parameters
    ----------
    found : sequence of (str, Table)
        What each table is of, and the table, from `rtools.pipeline.catalog.depth_table.depth_table`.

    Returns
    -------
    rtools.show.chart.Chart
    """
    depths, ratios = [], []
    for name, table in found:
        prefix = "" if len(found) == 1 else f"{name} "
        for word, told in (("blank", "blank sky"), ("error", "errors of the pixels")):
            depths.append(_series(f"{prefix}{told}", table, "radius", f"{word}_abmag"))
        ratios.append(_series(prefix.strip(), table, "radius", "ratio"))
    title = found[0][0] if len(found) == 1 else f"{len(found)} images"
    panels = Panel("5 sigma [mag(AB)]", tuple(depths)), Panel("scatter / error", tuple(ratios))
    return Chart(title, "radius of the aperture [arcsec]", panels)


def _series(title, table, x, y):
    error = np.asarray(table[f"{y}_err"], float) if f"{y}_err" in table.colnames else None
    return Series(title, np.asarray(table[x], float), np.asarray(table[y], float), error, line=True)
