"""Outliers of the members of a mosaic: median of their exposures, blot, flag; and totals without them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.mosaic.drizzle.variance import clear
from rtools.mosaic.outlier.outlier import InspectedImage as Image
from rtools.mosaic.outlier.outlier import Reach, flag_rows, flag_stack, level_of
from rtools.pipeline.mosaic.drizzle import drizzle_totals, map_of, planes_of
from rtools.pipeline.mosaic.members import read_planes, without_bits
from rtools.pipeline.mosaic.spool import Spool, median_plane
from rtools.work.loops import in_rows

if TYPE_CHECKING:
    from rtools.mosaic.drizzle.variance import Totals
    from rtools.mosaic.options import OutlierOptions
    from rtools.pipeline.mosaic.drizzle import Recipe
    from rtools.pipeline.mosaic.members import Member
    from rtools.pipeline.mosaic.spool import SpooledPlane
    from rtools.pipeline.mosaic.workers import Workers
__all__ = ["flag_members", "flag_on_detector", "repair"]

MOSTLY = 0.05
"""Share of touched pixels from which on totals are made anew as a whole."""


def flag_members(
    members: Sequence[Member],
    recipe: Recipe,
    workers: Workers,
    median: np.ndarray | SpooledPlane,
    options: OutlierOptions,
    *,
    mark: np.ndarray | None = None,
) -> int:
    """Find the outliers of members; they are kept in `Member.flagged`.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member
        Each is compared with the median, blotted to its pixels; its `cal_step.outlier_detection` becomes COMPLETE.
    recipe : rtools.pipeline.mosaic.drizzle.Recipe
        Its grid is that of the median; its flags are those of pixels that are no part of the mosaic.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.
    median : ndarray float32 (rows, columns), or rtools.pipeline.mosaic.spool.SpooledPlane
        Median of the exposures on the grid, MJy/sr; NaN where nothing is known.
    options : rtools.mosaic.options.OutlierOptions
        Of the step.
    mark : ndarray uint8 (rows, columns), optional
        Plane of the mosaic; 1 is set where newly flagged pixels touch it.

    Returns
    -------
    int
        Number of outliers.
    """
    limits, fill = options.limits, options.drizzle.fill
    touched = None if mark is None else (mark, Reach.of(recipe.kernel))
    bits, total = np.uint32(recipe.bad_bits), 0

    def flag(member):
        pixmap = map_of(member, recipe, workers)
        names = ("data", "err") if mark is None else ("data", "err", "dq")
        planes = read_planes(member, names, workers)
        used = None if mark is None else without_bits(planes["dq"], bits, workers)
        image = Image(planes["data"], planes["err"], level_of(member.meta.get("background"), options.backg), used)
        found = np.zeros(member.shape, bool)

        def flag_part(rows):
            found[rows] = flag_rows(image, pixmap, median, rows, limits=limits, fill=fill, touched=touched)

        in_rows(workers.work, flag_part, member.shape[0], then=workers.look_ahead)
        return _keep(member, found, workers)

    workers.follow(members)
    with workers.progress("flag", len(members)) as progress:
        for member in members:
            total += flag(member)
            progress.advance()
    return total


def _keep(member, found, workers):
    member.flagged = np.flatnonzero(found).astype(np.uint32)
    member.meta["cal_step"]["outlier_detection"] = "COMPLETE"
    workers.log("info", f"{member.name}: {member.flagged.size} outliers")
    return member.flagged.size


def flag_on_detector(
    members: Sequence[Member], recipe: Recipe, workers: Workers, options: OutlierOptions, folder: str | Path
) -> int:
    """As `flag_members` where images are compared pixel by pixel; all have one shape.

    Parameters
    ----------
    members, recipe, workers, options
        As in `flag_members`; the recipe needs no grid.
    folder : str or Path
        Where the images are kept meanwhile.

    Returns
    -------
    int
        Number of outliers.
    """
    limit, total = options.limits.snr[0], 0
    with closing(Spool(folder, members[0].shape, workers.work)) as spool:
        for member in members:
            weight = planes_of(member, recipe, workers, names=()).weight
            data = read_planes(member, ("data",), workers)["data"]
            spool.put(data, weight, options.maskpt)
        median = median_plane(spool, workers)[:]
    for member in members:
        planes = read_planes(member, ("data", "err"), workers)
        total += _keep(member, flag_stack(planes["data"], planes["err"], median, limit), workers)
    return total


def repair(members: Sequence[Member], recipe: Recipe, workers: Workers, totals: Totals, mark: np.ndarray) -> None:
    """Take the outliers of the members out of totals that hold them.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member
        All that are in the totals.
    recipe : rtools.pipeline.mosaic.drizzle.Recipe
        How they were drizzled.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.
    totals : rtools.mosaic.drizzle.variance.Totals
        Of the whole mosaic; changed.
    mark : ndarray uint8 (rows, columns)
        Where outliers touch it, as `flag_members` sets it.
    """
    share = np.count_nonzero(mark) / mark.size
    workers.log("info", f"{share:.2%} of the mosaic touched by outliers")
    if not share:
        return
    anew = share > MOSTLY
    if anew:
        clear(totals)
    else:
        in_rows(workers.work, lambda rows: clear(totals.at(rows), mark[rows]), len(mark))
    workers.follow(members)
    with workers.progress("repair", len(members)) as progress:
        for member in members:
            drizzle_totals(member, recipe, workers, totals, wanted=None if anew else mark)
            progress.advance()
