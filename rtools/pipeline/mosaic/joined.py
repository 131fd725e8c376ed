"""The pixels of a mosaic that new exposures join: its sums, its sky, and outliers that it does not show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.mosaic.adding import joined_cells, put_back, seen_well, strips
from rtools.mosaic.drizzle.drizzle import band_rows
from rtools.mosaic.drizzle.variance import new_totals
from rtools.mosaic.grid.scale import mean_pixel_area
from rtools.pipeline.mosaic.flag import flag_members
from rtools.pipeline.mosaic.spool import SpooledPlane
from rtools.work.loops import in_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtools.mosaic.drizzle.variance import Totals
    from rtools.mosaic.options import OutlierOptions, SkyMatchOptions
    from rtools.mosaic.sky.cells import SkyCells
    from rtools.pipeline.mosaic.add import JoinedMosaic
    from rtools.pipeline.mosaic.drizzle import Recipe
    from rtools.pipeline.mosaic.members import Member
    from rtools.pipeline.mosaic.workers import Workers
__all__ = ["flag_against", "sky_of", "totals_of"]

PIECE = 16
"""Rows whose sums are recovered at a time, in float64."""


def totals_of(joined: JoinedMosaic, recipe: Recipe, count: int, workers: Workers, rows: slice) -> Totals:
    """Totals of some rows of the mosaic as it is, to which members can be added.

    Parameters
    ----------
    joined : JoinedMosaic
        The mosaic; its file is opened for it.
    recipe : rtools.pipeline.mosaic.drizzle.Recipe
        How members will be drizzled, on the mosaic's own frame.
    count : int
        Members for which the context has room: those of the mosaic and those that join.
    workers : rtools.pipeline.mosaic.workers.Workers
        Its threads share the rows.
    rows : slice
        Rows of the mosaic.

    Returns
    -------
    rtools.mosaic.drizzle.variance.Totals
        Recovered as `rtools.mosaic.adding.put_back` does it.
    """
    width, ratio = recipe.grid.shape[1], recipe.ratio
    totals = new_totals((rows.stop - rows.start, width), count, recipe.names, dq=recipe.dq)
    times = joined.shares if recipe.weight == "exptime" else None
    wanted = ("data", "weight", "context", *recipe.names, *(("dq",) if recipe.dq else ()))

    def fill(band):
        held = joined.rows(wanted, slice(rows.start + band.start, rows.start + band.stop))
        for first in range(0, band.stop - band.start, PIECE):
            part = slice(first, first + PIECE)
            planes = {name: plane[..., part, :] for name, plane in held.items()}
            put_back(totals.at(band).at(part), planes, ratio, times)

    with joined.product:
        in_rows(workers.work, fill, rows.stop - rows.start)
    return totals


def sky_of(joined: JoinedMosaic, options: SkyMatchOptions, workers: Workers) -> SkyCells:
    """The sky of the mosaic in cells.

    Parameters
    ----------
    joined : JoinedMosaic
        The mosaic; its file is opened for it.
    options : rtools.mosaic.options.SkyMatchOptions
        Its limits of usable values are those of exposures, whose sky is not subtracted.
    workers : rtools.pipeline.mosaic.workers.Workers
        Its threads reduce one strip of rows after the other.

    Returns
    -------
    rtools.mosaic.sky.cells.SkyCells
        MJy/sr, as the mosaic.
    """
    grid = joined.frame.grid
    statistic = options.statistic._replace(lower=None, upper=None)
    scale = np.rad2deg(np.sqrt(mean_pixel_area(grid.to_sky, grid.shape)))

    def parts():
        for rows in strips(grid.shape[0], scale):
            planes = joined.rows(("data", "weight"), rows)
            yield rows.start, planes["data"], planes["weight"] != 0

    with joined.product:
        return joined_cells(
            parts(), grid.to_sky, statistic=statistic, mask_sources=options.mask_sources, work=workers.work
        )


def flag_against(
    joined: JoinedMosaic,
    members: Sequence[Member],
    recipe: Recipe,
    workers: Workers,
    options: OutlierOptions,
    *,
    folder: str | Path | None = None,
) -> None:
    """Flag what members show and the mosaic does not; where the mosaic has nothing, or too little, nothing is flagged.

    Parameters
    ----------
    joined : JoinedMosaic
        The mosaic; its file is opened for it.
    members : sequence of rtools.pipeline.mosaic.members.Member
        Those that join; what is found is kept in `Member.flagged`.
    recipe : rtools.pipeline.mosaic.drizzle.Recipe
        How they will be drizzled, on the mosaic's own frame.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.
    options : rtools.mosaic.options.OutlierOptions
        Of the step.
    folder : str or Path, optional
        Where what is needed of the mosaic is kept meanwhile; in memory by default.
    """
    with joined.product:
        median = _seen_well(joined, options.maskpt, workers, folder)
    flag_members(members, recipe, workers, median, options)


def _seen_well(joined, maskpt, workers, folder):
    """Data of the mosaic where its weight is enough, NaN elsewhere: ndarray, or a `SpooledPlane` in a folder."""
    shape = joined.frame.grid.shape
    bands = band_rows(shape)
    parts = (joined.rows(("weight", "context"), rows).values() for rows in bands)
    threshold = np.float32(seen_well(parts, maskpt))
    median = np.empty(shape, np.float32) if folder is None else SpooledPlane(folder, shape)

    def fill(rows):
        data, weight = joined.rows(("data", "weight"), rows).values()
        median[rows] = np.where((weight != 0) & (weight >= threshold), data, np.float32(np.nan))

    workers.work.map(fill, bands)
    return median
