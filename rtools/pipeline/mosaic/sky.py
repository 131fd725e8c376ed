"""Sky levels of the members of a mosaic, each member reduced once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from rtools.errors import InputError
from rtools.mosaic.grid.footprint import footprint
from rtools.mosaic.sky.cells import NSIDE, good_values, nside_for, sky_cells, source_blocks
from rtools.mosaic.sky.pairs import overlap_values, points_of
from rtools.mosaic.sky.sky import background, check_background, match_cells, match_pairs, sky_levels
from rtools.mosaic.sky.statistics import sky_value
from rtools.pipeline.mosaic.members import sky_planes

if TYPE_CHECKING:
    from rtools.mosaic.options import SkyMatchOptions
    from rtools.mosaic.sky.cells import SkyCells
    from rtools.pipeline.mosaic.members import Member
    from rtools.pipeline.mosaic.workers import Workers
__all__ = ["match_sky"]


def match_sky(
    members: Sequence[Member], options: SkyMatchOptions, workers: Workers, *, joined: SkyCells | None = None
) -> None:
    """Find the sky levels of members; `meta.background` and `meta.cal_step` say them.

    Parameters
    ----------
    members : sequence of rtools.pipeline.mosaic.members.Member
        With ``subtract`` in the options the levels come off their data.
    options : rtools.mosaic.options.SkyMatchOptions
        Of the step.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.
    joined : rtools.mosaic.sky.cells.SkyCells, optional
        The sky of a mosaic that the members are to agree with: its level is 0.

    Raises
    ------
    InputError
        The sky of a member was subtracted before.
    """
    for member in members:
        try:
            check_background(member.meta, options.subtract)
        except InputError as error:
            error.path = member.name
            raise
    method = options.method
    if options.exact:
        matched, whole = _by_pairs(members, options, workers)
    else:
        matched, whole = _by_cells(members, options, workers, joined)
    anchor = None if joined is None else len(members)
    levels = sky_levels(matched, whole, method, match_down=options.match_down, anchor=anchor)
    others = "no other image" if joined is None else "nothing that is joined to the mosaic"
    for member, level in zip(members, levels.level, strict=False):  # one more is that of the mosaic
        block, status = background(level, method, subtract=options.subtract)
        member.meta["background"] = block
        member.meta["cal_step"]["skymatch"] = status
        if options.subtract and status == "COMPLETE":
            member.subtract = block["level"]
        workers.log("info" if status == "COMPLETE" else "warning",
                    f"{member.name}: sky level {block['level']:.6g}" if status == "COMPLETE" else
                    f"{member.name}: no sky level (SKIPPED): it overlaps with {others}")  # fmt: skip
    if joined is None:
        _tell_groups(matched, members, workers)


def _tell_groups(matched, members, workers):
    """A warning where members do not hang together."""
    groups = set() if matched is None else {int(number) for number in matched.group if number >= 0}
    if len(groups) > 1:
        workers.log("warning", f"skymatch: {len(groups)} groups of images do not touch: each is matched in itself")


def _by_cells(members, options, workers, joined):
    """Matched levels by cells, at the end that of a mosaic if there is one; and the statistic of each member."""
    found = []
    first = members[0]
    nside = nside_for(first.mission.scale_at(first.wcs, None)) if first.mission.cells_follow else NSIDE
    reduce = partial(sky_cells, statistic=options.statistic, mask_sources=options.mask_sources,
                     whole=options.wants_whole, nside=nside, work=workers.work)  # fmt: skip
    workers.follow(members)
    with workers.progress("sky", len(members)) as progress:
        for member in members:
            data, good = sky_planes(member, options.bad_bits, workers)
            workers.look_ahead()
            found.append(reduce(data, good, member.to_sky))
            progress.advance()
    whole = [each.whole for each in found]
    found += [] if joined is None else [joined]
    return (match_cells(found) if options.matches else None), whole


def _by_pairs(members, options, workers):
    """The same from one value for each overlap."""
    outlines = [footprint(member.wcs, member.shape, points=points_of(member.shape, options.stepsize))
                for member in members]  # fmt: skip
    values, pixels, whole = [], [], []

    def reduce(index, member):
        data, good = sky_planes(member, options.bad_bits, workers)
        workers.look_ahead()
        sources = source_blocks(data, good, workers.work) if options.mask_sources else None
        if options.wants_whole:
            whole.append(sky_value(good_values(data, good, sources), options.statistic).value)
        if options.matches:
            value, count = overlap_values(
                data, good, member.to_sky, outlines, index, statistic=options.statistic, sources=sources
            )
            values.append(value)
            pixels.append(count)

    workers.follow(members)
    with workers.progress("sky", len(members)) as progress:
        for index, member in enumerate(members):
            reduce(index, member)
            progress.advance()
    return (match_pairs(np.array(values), np.array(pixels)) if values else None), whole
