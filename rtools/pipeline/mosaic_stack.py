"""A mosaic from its members: totals, with outliers taken out on the way."""

from contextlib import closing

import numpy as np

from rtools.mosaic.drizzle import touched
from rtools.mosaic.variance import new_totals
from rtools.pipeline.mosaic_drizzle import drizzle_exposures, drizzle_totals, exposures_of, in_turn, map_of
from rtools.pipeline.mosaic_flag import flag_members, flag_on_detector, repair
from rtools.pipeline.mosaic_spool import Spool, median_plane

__all__ = ["find_outliers", "stack"]


def stack(members, recipe, workers, progress=lambda text, member: None):
    """Totals of a mosaic.

    Parameters
    ----------
    members : list of rtools.pipeline.mosaic_members.Member
    recipe : rtools.pipeline.mosaic_drizzle.Recipe
    workers : rtools.pipeline.mosaic_drizzle.Workers
    progress : callable
        ``progress(text, member)``, before each member.

    Returns
    -------
    rtools.mosaic.variance.Totals
    """
    totals = new_totals(recipe.frame.grid.shape, len(members), recipe.names)
    for member in members:
        progress("drizzle", member)
        drizzle_totals(member, recipe, workers, totals)
    return totals


def find_outliers(members, recipe, workers, options, folder, *, totals_of=None, progress=lambda text, member: None):
    """Flag the outliers of members, and make the totals of the mosaic, if it is wanted, on the way.

    Parameters
    ----------
    members : list of rtools.pipeline.mosaic_members.Member
    recipe : rtools.pipeline.mosaic_drizzle.Recipe
        Of the images that are compared.
    workers : rtools.pipeline.mosaic_drizzle.Workers
    options : dict
        Of the step.
    folder : str or Path
        Where images are kept meanwhile.
    totals_of : rtools.pipeline.mosaic_drizzle.Recipe, optional
        Of the mosaic.
    progress : callable

    Returns
    -------
    rtools.mosaic.variance.Totals or None
    """
    if not options["resample_data"]:
        flag_on_detector(members, recipe, workers, options, folder)
        return None if totals_of is None else stack(members, totals_of, workers, progress)
    together = totals_of is not None and recipe.same_images(totals_of) and in_turn(members)
    shape = recipe.frame.grid.shape
    totals = new_totals(shape, len(members), totals_of.names) if together else None
    with closing(Spool(folder, shape)) as spool:
        image = np.empty((2, *shape), np.float32)
        for exposure in exposures_of(members):
            _spool(exposure, totals_of if together else recipe, workers, image, totals, spool, options, progress)
        del image
        workers.log("info", f"outlier: {len(spool)} images in {folder}, {spool.size / 2**20:.0f} MiB on disk meanwhile")
        progress("median", members[0])
        median = median_plane(spool, workers)
    mark = np.zeros(shape, np.uint8) if together else None
    flag_members(members, recipe, workers, median, options, mark=mark)
    if together:
        repair(members, totals_of, workers, totals, mark)
    elif totals_of is not None:
        totals = stack(members, totals_of, workers, progress)
    return totals


def _spool(exposure, recipe, workers, image, totals, spool, options, progress):
    """Drizzle the members of an exposure into an image, and into the totals if there are any; spool the image."""
    box = _box([touched(map_of(member, recipe), spool.shape, recipe.kernel) for member in exposure])
    image[:, *box] = 0
    for member in exposure:
        progress("drizzle", member)
        if totals is None:
            drizzle_exposures(member, recipe, workers, image)
        else:
            drizzle_totals(member, recipe, workers, totals, image=image)
    place = tuple(each.start for each in box)
    spool.put(*(plane[box] for plane in image), options["maskpt"], place)


def _box(parts):
    """Rows and columns that hold all these."""
    parts = [part for part in parts if all(each.start < each.stop for each in part)]
    if not parts:
        return slice(0, 0), slice(0, 0)
    return tuple(slice(min(each.start for each in side), max(each.stop for each in side))
                 for side in zip(*parts, strict=True))  # fmt: skip
