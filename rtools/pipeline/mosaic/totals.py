"""A mosaic from its members: totals, with outliers taken out on the way; in slabs of rows where memory is short."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rtools.mosaic.drizzle.drizzle import BAND_ROWS, touched
from rtools.mosaic.drizzle.variance import BITS, new_totals
from rtools.pipeline.mosaic.drizzle import drizzle_exposures, drizzle_totals, exposures_of, in_turn, map_of
from rtools.pipeline.mosaic.flag import flag_members, flag_on_detector, repair
from rtools.pipeline.mosaic.spool import Spool, median_plane

if TYPE_CHECKING:
    from rtools.mosaic.drizzle.variance import Totals
    from rtools.mosaic.options import OutlierOptions
    from rtools.pipeline.mosaic.drizzle import Recipe
    from rtools.pipeline.mosaic.members import Member
    from rtools.pipeline.mosaic.workers import Workers
__all__ = ["drizzle_members", "find_outliers", "slabs_of"]


def slabs_of(recipe: Recipe, members: int, room: float, *, images: bool = False) -> list[slice]:
    """Slices of rows whose totals fit into so many bytes.

    Parameters
    ----------
    recipe : rtools.pipeline.mosaic.drizzle.Recipe
        Its grid, variances and flags.
    members : int
        Members of the mosaic, for the planes of its context.
    room : float
        Bytes; a slab has at least one band of rows, whatever it takes.
    images : bool
        Whether an exposure's image and weight are in memory, too.

    Returns
    -------
    list of slice
        Together all rows; a whole number of bands in each but the last.
    """
    rows, columns = recipe.grid.shape
    planes = 4 + max(members - 1, 0) // BITS + len(recipe.names) + images + recipe.dq
    height = max(int(room // (4 * columns * planes)) // BAND_ROWS, 1) * BAND_ROWS
    return [slice(first, min(first + height, rows)) for first in range(0, rows, height)]


def drizzle_members(
    members: Sequence[Member],
    recipe: Recipe,
    workers: Workers,
    *,
    rows: slice | None = None,
    begin: Callable[[slice], Totals] | None = None,
) -> Totals:
    """Totals of a mosaic, or of some of its rows.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member
        Added in this order.
    recipe : rtools.pipeline.mosaic.drizzle.Recipe
        How they are drizzled.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.
    rows : slice, optional
        Rows of the mosaic; all by default.
    begin : callable, optional
        ``begin(rows)``: totals that the members are added to.

    Returns
    -------
    rtools.mosaic.drizzle.variance.Totals
        Of these rows and all columns.
    """
    shape = recipe.grid.shape
    rows = slice(0, shape[0]) if rows is None else rows
    if begin is None:
        totals = new_totals((rows.stop - rows.start, shape[1]), len(members), recipe.names, dq=recipe.dq)
    else:
        totals = begin(rows)
    workers.follow(members if rows.stop - rows.start == shape[0] else ())
    with workers.progress("drizzle", len(members)) as progress:
        for member in members:
            drizzle_totals(member, recipe, workers, totals, first=rows.start)
            progress.advance()
    return totals


def find_outliers(
    members: Sequence[Member],
    recipe: Recipe,
    workers: Workers,
    options: OutlierOptions,
    folder: str | Path,
    *,
    slabs: Sequence[slice] | None = None,
    totals_of: Recipe | None = None,
    room: int = 0,
) -> Totals | None:
    """Flag the outliers of members, and make the totals of the mosaic, if they are wanted, on the way.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member
        What is found is kept in `Member.flagged`.
    recipe : rtools.pipeline.mosaic.drizzle.Recipe
        Of the images that are compared.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.
    options : rtools.mosaic.options.OutlierOptions
        Of the step.
    folder : str or Path
        Where images are kept meanwhile, if there is no room for them.
    slabs : sequence of slice, optional
        Rows of which an image is in memory at a time, by default all.
    totals_of : rtools.pipeline.mosaic.drizzle.Recipe, optional
        Of the mosaic.
    room : int
        Bytes of memory for images and totals.

    Returns
    -------
    rtools.mosaic.drizzle.variance.Totals or None
        None also where they cannot be made on the way: with several slabs, where exposures are drizzled otherwise than
        the mosaic, or where the members of an exposure do not follow each other.
    """
    if not options.resample_data:
        flag_on_detector(members, recipe, workers, options, folder)
        return None
    shape, whole = recipe.grid.shape, slabs is None or len(slabs) == 1
    fits = whole and totals_of is not None and recipe.same_images(totals_of) and in_turn(members)
    joint = totals_of if fits else None
    totals = None if joint is None else new_totals(shape, len(members), joint.names, dq=joint.dq)
    exposures = exposures_of(members)
    taken = (len(exposures) + 2) * 4 * shape[0] * shape[1] + (0 if totals is None else _touched(totals))
    in_memory = whole and taken <= room
    with closing(Spool(None if in_memory else folder, shape, workers.work)) as spool:
        weight = np.empty(shape, np.float32) if whole else None
        image = np.empty(shape, np.float32) if whole and not in_memory else None
        workers.follow([member for exposure in exposures for member in exposure] if whole else ())
        with workers.progress("drizzle", len(members) * (1 if whole else len(slabs or ()))) as progress:
            for exposure in exposures:
                if whole:
                    how = recipe if joint is None else joint
                    _spool(exposure, how, workers, (image, weight), totals, spool, options, progress)
                else:
                    spool.put_pieces(_pieces(exposure, recipe, workers, slabs, progress), options.maskpt)
        del image, weight
        where = f"in {folder}, {spool.size / 2**20:.0f} MiB on disk meanwhile"
        workers.log("info", f"outlier: {len(spool)} images {'in memory' if in_memory else where}")
        median = median_plane(spool, workers, on_disk=not whole)
    mark = None if joint is None else np.zeros(shape, np.uint8)
    flag_members(members, recipe, workers, median, options, mark=mark)
    if joint is not None and totals is not None and mark is not None:
        del median
        repair(members, joint, workers, totals, mark)
    return totals


def _touched(totals):
    """Bytes of totals that are used: all but what is missing in them."""
    return sum(each.nbytes for each in totals[:-1] if each is not totals.missing)


def _spool(exposure, recipe, workers, planes, totals, spool, options, progress):
    """Drizzle the members of an exposure into an image, and into the totals if there are any; spool the image.

    `planes` are memory for image and weight; without any for the image it gets its own.
    """
    box = _box(exposure, recipe, workers)
    image, weight = planes
    weight[box] = 0
    if image is None:
        image = np.zeros_like(weight)
    else:
        image[box] = 0
    for member in exposure:
        if totals is None:
            drizzle_exposures(member, recipe, workers, (image, weight))
        else:
            drizzle_totals(member, recipe, workers, totals, image=(image, weight))
        progress.advance()
    spool.put(image[box], weight[box], options.maskpt, tuple(side.start for side in box))


def _pieces(exposure, recipe, workers, slabs, progress):
    """Image and weight of an exposure, slab by slab, and their places."""
    reached = _box(exposure, recipe, workers)[0]
    for slab in slabs:
        rows = slice(max(slab.start, reached.start), min(slab.stop, reached.stop))
        if rows.start < rows.stop:
            image = np.zeros((2, rows.stop - rows.start, recipe.grid.shape[1]), np.float32)
            for member in exposure:
                drizzle_exposures(member, recipe, workers, image, first=rows.start)
                progress.advance()
            yield *image, (rows.start, 0)


def _box(exposure, recipe, workers):
    """Rows and columns that the members of an exposure may touch."""
    parts = [touched(map_of(member, recipe, workers), recipe.grid.shape, recipe.kernel) for member in exposure]
    parts = [part for part in parts if all(side.start < side.stop for side in part)]
    if not parts:
        return slice(0, 0), slice(0, 0)
    return tuple(slice(min(each.start for each in side), max(each.stop for each in side))
                 for side in zip(*parts, strict=True))  # fmt: skip
