"""Members drizzled one by one into the totals of a mosaic and into images of their exposures.

The unit of work is a member times a band of output rows. A band of the totals belongs to one thread at a time and takes
the members in their order, so the result does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rtools.errors import InputError
from rtools.mosaic.drizzle.drizzle import MemberPlanes, add_image, band_rows, drizzle_band, touched
from rtools.mosaic.drizzle.variance import add_band
from rtools.mosaic.drizzle.weights import read_noise_variance, sky_variance, typical_noise, weight_map
from rtools.mosaic.grid.pixmap import pixel_map
from rtools.mosaic.outlier.outlier import level_of
from rtools.pipeline.mosaic.members import read_planes, without_bits
from rtools.work.loops import in_rows

if TYPE_CHECKING:
    from rtools.mosaic.drizzle.drizzle import Kernel
    from rtools.mosaic.drizzle.variance import Totals
    from rtools.mosaic.grid.freegrid import FreeGrid
    from rtools.mosaic.grid.grid import Grid
    from rtools.mosaic.grid.pixmap import PixMap
    from rtools.pipeline.mosaic.grid import Frame
    from rtools.pipeline.mosaic.members import Member
    from rtools.pipeline.mosaic.workers import Workers
__all__ = ["Recipe", "drizzle_exposures", "drizzle_totals", "exposures_of", "in_turn", "map_of", "planes_of"]

ENOUGH = 0.01
"""Share of pixels without any flag that is needed to learn from them alone."""


class Recipe(NamedTuple):
    """How members are drizzled.

    Attributes
    ----------
    frame : rtools.pipeline.mosaic.grid.Frame or None
        The grid; None where images are compared on the detector.
    kernel : rtools.mosaic.drizzle.drizzle.Kernel
        How pixels are spread.
    weight : str
        Of `rtools.mosaic.drizzle.options.WEIGHTS`.
    bad_bits : int
        DQ bits of pixels that are left out.
    backg : float
        Sky in the data of members whose metadata do not say it, MJy/sr.
    names : tuple of str
        Variances that the mosaic will have.
    dq : bool
        Whether flags are wanted.
    """

    frame: Frame | None
    kernel: Kernel
    weight: str
    bad_bits: int
    backg: float = 0.0
    names: tuple[str, ...] = ()
    dq: bool = False

    @property
    def grid(self) -> Grid | FreeGrid:
        """The grid of the frame; ValueError without one."""
        if self.frame is None:
            raise ValueError("a recipe without a grid")
        return self.frame.grid

    @property
    def ratio(self) -> float:
        """Pixel scale of the grid over that of the exposures; 1 without a grid."""
        return 1.0 if self.frame is None else self.frame.ratio

    def same_images(self, other: Recipe) -> bool:
        """Whether images of exposures come out alike on one frame; what else a kernel holds follows from it.

        Parameters
        ----------
        other : Recipe
            On the same frame.

        Returns
        -------
        bool
            False where kernel, weights, flags or sky differ; variances and flags of the mosaic do not matter.
        """
        return (self.kernel[:2], *self[2:5]) == (other.kernel[:2], *other[2:5])


def map_of(member: Member, recipe: Recipe, workers: Workers) -> PixMap:
    """Pixel map of a member, which is kept for a while.

    Parameters
    ----------
    member : rtools.pipeline.mosaic.members.Member
        Its WCS; the places of its nodes on the sky are kept in it.
    recipe : Recipe
        Its grid.
    workers : rtools.pipeline.mosaic.workers.Workers
        It holds the maps that were made lately.

    Returns
    -------
    rtools.mosaic.grid.pixmap.PixMap
        From pixels of the member to those of the grid.

    Raises
    ------
    InputError
        The WCS cannot be mapped on the grid.
    """
    grid, nodes = recipe.grid, member.nodes
    try:
        return workers.recent((member.number, id(grid)),
                              lambda: pixel_map(member.wcs, member.shape, grid.to_pixel, known=nodes))  # fmt: skip
    except InputError as error:
        error.path = error.path or member.name
        raise


def planes_of(member: Member, recipe: Recipe, workers: Workers, names: Sequence[str] | None = None) -> MemberPlanes:
    """What is drizzled of a member.

    Parameters
    ----------
    member : rtools.pipeline.mosaic.members.Member
        What is learned of its sky and its read noise is kept in it.
    recipe : Recipe
        Its weights, the flags of pixels that are left out, and the sky that is taken off.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.
    names : sequence of str, optional
        Variances wanted, by default those of the recipe.

    Returns
    -------
    rtools.mosaic.drizzle.drizzle.MemberPlanes
        Valid until the planes of another member are read.
    """
    names = recipe.names if names is None else names
    need_noise = recipe.weight != "exptime" or bool(names)
    need_sky = "var_sky" in names or recipe.weight == "ivm-sky"
    wanted = {"data": True, "dq": True, "var_rnoise": need_noise, "var_poisson": "var_poisson" in names or need_sky,
              "var_flat": "var_flat" in names}  # fmt: skip
    planes = read_planes(member, [name for name, use in wanted.items() if use], workers)
    if need_noise and not _holds(planes.get("var_rnoise")):
        planes["var_rnoise"] = _rebuilt(member, planes, workers)
    if need_sky and member.sky_variance is None:
        learn = _plain(planes["dq"], member, workers)
        member.sky_variance = sky_variance(planes["data"], planes["var_poisson"], learn)
    sky = member.sky_variance or 0.0 if need_sky else 0.0
    data, dq, noise = planes["data"], planes["dq"], planes.get("var_rnoise")
    weight = workers.plane("weight", data.shape)
    level = np.float32(level_of(member.meta.get("background"), recipe.backg))
    bits = np.uint32(recipe.bad_bits)
    weights = partial(weight_map, recipe.weight, sky=sky, exposure_time=member.share)

    def weigh(rows):
        if level:
            data[rows] -= level
        part = None if noise is None else noise[rows]
        weight[rows] = weights(data[rows], (dq[rows] & bits) == 0, var_rnoise=part)

    in_rows(workers.work, weigh, len(data))
    variances = noise, planes.get("var_poisson"), planes.get("var_flat")
    return MemberPlanes(data, weight, *variances, sky, dq if recipe.dq else None)


def _plain(dq, member, workers):
    """Pixels to learn from: without any flag but those of outliers, which may come or go without a change here."""
    plain = without_bits(dq, ~member.mission.outlier_bits, workers)
    return plain if np.count_nonzero(plain) > ENOUGH * plain.size else np.ones_like(plain)


def _holds(variance):
    """Whether there is a variance, and more in it than zeros."""
    return variance is not None and any(np.any(row > 0) for row in variance)


def _rebuilt(member, planes, workers):
    """Read-noise variance of a member that does not hold it."""
    needed = [name for name in ("err", "var_poisson", "var_flat") if name not in planes]
    held = read_planes(member, needed, workers)
    others = [plane for name in ("var_poisson", "var_flat") for plane in (planes.get(name, held.get(name)),)
              if plane is not None]  # fmt: skip
    err, out = held["err"], workers.plane("var_rnoise", member.shape)
    if member.read_noise is None:
        member.read_noise = typical_noise(err, others, _plain(planes["dq"], member, workers))
    typical = member.read_noise

    def rebuild(rows):
        out[rows] = read_noise_variance(err[rows], [plane[rows] for plane in others], typical)

    in_rows(workers.work, rebuild, len(out))
    return out


def drizzle_totals(
    member: Member,
    recipe: Recipe,
    workers: Workers,
    totals: Totals,
    *,
    first: int = 0,
    wanted: np.ndarray | None = None,
    image: Sequence[np.ndarray] | None = None,
) -> None:
    """Add a member to the totals, and to the image of its exposure.

    Parameters
    ----------
    member : rtools.pipeline.mosaic.members.Member
        Its number is its bit in the context.
    recipe : Recipe
        How it is drizzled.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.
    totals : rtools.mosaic.drizzle.variance.Totals
        Of rows of the mosaic from `first` on; changed.
    first : int
        Row of the mosaic with which the totals begin.
    wanted : ndarray bool or uint8 (rows, columns), optional
        Pixels of the totals that are made anew (not 0); all by default.
    image : (ndarray, ndarray), optional
        Image and weight of the exposure, float32, of the same pixels as the totals; changed.
    """
    exposure = member.share if recipe.weight == "exptime" else None

    def add(band):
        moved = _moved(band, first)
        part = None if wanted is None else wanted[moved.rows, band.columns]
        add_band(totals, moved, member.number, exposure, part)
        if image is not None:
            add_image(band, image[0], image[1], first)

    _spread(member, recipe, workers, add, slice(first, first + totals.data.shape[0]), wanted)


def drizzle_exposures(
    member: Member, recipe: Recipe, workers: Workers, image: Sequence[np.ndarray] | np.ndarray, *, first: int = 0
) -> None:
    """Add a member to the image of its exposure alone.

    Parameters
    ----------
    member, recipe, workers
        As in `drizzle_totals`; variances and flags are left out.
    image : (ndarray, ndarray), or ndarray (2, rows, columns)
        Image and weight of the exposure, float32; changed.
    first : int
        Row of the mosaic with which they begin.
    """
    _spread(
        member,
        recipe._replace(names=(), dq=False),
        workers,
        lambda band: add_image(band, image[0], image[1], first),
        slice(first, first + len(image[0])),
    )


def _moved(band, first):
    return band._replace(rows=slice(band.rows.start - first, band.rows.stop - first))


def _spread(member, recipe, workers, add, within, wanted=None):
    """Drizzle a member into bands of some rows of the mosaic, and ``add`` each."""
    grid, kernel = recipe.grid, recipe.kernel

    def rows_of(member):
        return touched(map_of(member, recipe, workers), grid.shape, kernel, within)[0]

    pixmap, reached = map_of(member, recipe, workers), rows_of(member)
    _tell_error(member, pixmap, grid, workers)
    if reached.start >= reached.stop:
        return
    planes = planes_of(member, recipe, workers)

    def spread(rows):
        rows, columns = touched(pixmap, grid.shape, kernel, rows)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        part = None
        if wanted is not None:
            part = wanted[rows.start - within.start : rows.stop - within.start, columns]
            if not part.any():
                return
        count = (rows.stop - rows.start) * (columns.stop - columns.start) * (2 + len(recipe.names))
        settings = {"names": recipe.names, "wanted": part, "scratch": workers.scratch(count)}
        add(drizzle_band(planes, pixmap, rows, columns, kernel, **settings))

    bands = [slice(max(band.start, reached.start), min(band.stop, reached.stop)) for band in band_rows(grid.shape)]
    done = workers.work.each(spread, [band for band in bands if band.start < band.stop])
    workers.look_ahead(lambda following: rows_of(following).start < rows_of(following).stop)
    for _ in done:
        pass


def _tell_error(member, pixmap, grid, workers):
    """How good the map is, once for each grid."""
    if member.mapped_to is not grid:
        member.mapped_to = grid
        workers.log("info", f"{member.name}: pixel map is right to {pixmap.error:.1g} pixel between its nodes")


def exposures_of(members: Iterable[Member]) -> list[list[Member]]:
    """Members of each exposure, exposures as they first come.

    Parameters
    ----------
    members : iterable of rtools.pipeline.mosaic.members.Member
        Their `group` says which exposure they are of.

    Returns
    -------
    list of list of rtools.pipeline.mosaic.members.Member
        Within an exposure in the order of the members.
    """
    found: dict[str, list[Member]] = {}
    for member in members:
        found.setdefault(member.group, []).append(member)
    return list(found.values())


def in_turn(members: Sequence[Member]) -> bool:
    """Whether the members of each exposure follow each other.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member
        At least one.

    Returns
    -------
    bool
        False where another exposure's member stands between two of one exposure.
    """
    changes = sum(one.group != other.group for one, other in pairwise(members))
    return changes + 1 == len({member.group for member in members})
