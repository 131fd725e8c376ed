"""From totals to the file of a mosaic: planes, metadata, writing in one go or slab by slab."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtools.mosaic.drizzle.coverage import coverage_of, total_coverage
from rtools.mosaic.drizzle.drizzle import band_rows
from rtools.mosaic.drizzle.variance import finish
from rtools.mosaic.grid.grid import Grid
from rtools.mosaic.grid.pixmap import ORDER, STEP
from rtools.pipeline.mosaic.members import exposed
from rtools.products.mosaic.metadata import mosaic_meta, wcsinfo
from rtools.products.mosaic.writer import MosaicWriter, stage_mosaic
from rtools.work.statistics import image_statistics

if TYPE_CHECKING:
    from rtools.mosaic.drizzle.variance import Totals
    from rtools.pipeline.mosaic.members import Member
    from rtools.pipeline.mosaic.plan import Mosaic, MosaicPlan
    from rtools.pipeline.mosaic.request import MosaicRequest
    from rtools.pipeline.mosaic.workers import Workers
    from rtools.products.io.staging import Stage

__all__ = ["Coadd", "CoaddSource", "finished_planes", "write_slabs", "write_whole"]

NEEDED = ("err", "var_poisson", "var_rnoise")
"""Planes that every mosaic has, NaN where they were not wanted."""

ALWAYS = ("data", "weight", "context", "var_flat", "dq")


@dataclass(frozen=True)
class CoaddSource:
    """What a coadd is made of, beside its pixels.

    Attributes
    ----------
    plan : rtools.pipeline.mosaic.plan.MosaicPlan
        What was decided.
    mosaic : rtools.pipeline.mosaic.plan.Mosaic
        The mosaic of the plan.
    members : sequence of rtools.pipeline.mosaic.members.Member
        The images as the steps leave them.
    history : sequence of dict
        What was done.
    logs : sequence of str
        Lines of `meta.cal_logs`.
    """

    plan: MosaicPlan
    mosaic: Mosaic
    members: Sequence[Member]
    history: Sequence[dict]
    logs: Sequence[str]

    @property
    def metas(self) -> list[dict]:
        """``meta`` of each member, those that the mosaic has already first."""
        joined = self.plan.joined
        return [*(joined.metas if joined else ()), *(member.meta for member in self.members)]

    @property
    def pointings(self) -> int:
        """Exposures of the mosaic."""
        joined = self.plan.joined
        return joined.pointings(self.members) if joined else len({member.group for member in self.members})


@dataclass(frozen=True)
class Coadd:
    """A mosaic that was written and has no name yet.

    Attributes
    ----------
    stage : rtools.products.io.staging.Stage
        Its file.
    planes : mapping of str to ndarray
        Its arrays.
    meta : dict
        Its metadata.
    """

    stage: Stage
    planes: Mapping[str, Any]
    meta: dict


def finished_planes(totals: Totals, source: CoaddSource, workers: Workers) -> dict[str, np.ndarray]:
    """Planes of a mosaic from its totals.

    Parameters
    ----------
    totals : rtools.mosaic.drizzle.variance.Totals
        Of the whole mosaic or of some of its rows; of no use afterwards.
    source : CoaddSource
        What it is made of.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads.

    Returns
    -------
    dict of str to ndarray
        By name; what every mosaic has and nobody asked for is NaN.
    """
    options = source.plan.options.resample
    planes = finish(totals, source.mosaic.frame.ratio, workers.work)
    if not np.isnan(options.drizzle.fill):
        planes["data"][planes["weight"] == 0] = options.drizzle.fill
    asked = options.planes | set(ALWAYS)
    planes = {name: plane for name, plane in planes.items() if name in asked}
    nothing = np.broadcast_to(np.float32(np.nan), planes["data"].shape)
    return planes | {name: nothing for name in NEEDED if name not in planes}


def write_whole(totals: Totals, source: CoaddSource, request: MosaicRequest, workers: Workers) -> Coadd:
    """Write a mosaic whose totals are in memory.

    Parameters
    ----------
    totals : rtools.mosaic.drizzle.variance.Totals
        Of no use afterwards.
    source : CoaddSource
        What it is made of.
    request : rtools.pipeline.mosaic.request.MosaicRequest
        What is asked.
    workers : rtools.pipeline.mosaic.workers.Workers
        Threads and memory.

    Returns
    -------
    Coadd
    """
    planes = finished_planes(totals, source, workers)
    coverage = _coverage(planes["context"], source, workers)
    meta = _meta(source, workers, planes, total_coverage(coverage))
    stage = stage_mosaic(
        source.mosaic.path,
        meta,
        planes,
        source.metas,
        profile=source.plan.profile,
        compression=request.compression or "lz4",
        history=list(source.history),
        work=workers.work,
    )
    return Coadd(stage, planes, meta)


def write_slabs(
    slabs: Iterable[tuple[slice, Totals]], source: CoaddSource, request: MosaicRequest, workers: Workers
) -> Coadd:
    """The same where slabs of totals are made one after the other.

    Parameters
    ----------
    slabs : iterable of (slice, Totals)
        Rows and their totals.
    source, request, workers
        As `write_whole`.

    Returns
    -------
    Coadd
    """
    coverage: list = []
    frame = source.mosaic.frame
    recipe = source.plan.recipe("resample", frame)
    names = [*dict.fromkeys(("data", "weight", *NEEDED, *recipe.names)), *(("dq",) if recipe.dq else ())]
    path, profile = source.mosaic.path, source.plan.profile
    file = MosaicWriter(path, frame.grid.shape, source.metas, names, profile=profile)
    try:
        for rows, totals in slabs:
            planes = finished_planes(totals, source, workers)
            coverage += _coverage(planes["context"], source, workers)
            file.put(rows.start, {name: planes[name] for name in (*names, "context")})
            del totals, planes
        held = {name: file.mapped(name) for name in (*names, "context")}
        meta = _meta(source, workers, held, total_coverage(coverage))
        stage = file.finish(meta, history=list(source.history), compression=request.compression, work=workers.work)
    except BaseException:
        file.discard()
        raise
    return Coadd(stage, held, meta)


def _coverage(context, source, workers):
    """Exposure of the rows of a context, band by band."""
    times = [exposed(meta) for meta in source.metas]
    return workers.work.map(lambda rows: coverage_of(context[:, rows], times), band_rows(context.shape[1:]))


def _meta(source, workers, planes, coverage):
    plan, frame = source.plan, source.mosaic.frame
    typed, resample = plan.typed["resample"], plan.options.resample
    err = planes["err"] if "err" in resample.planes else (planes["weight"] > 0).astype(np.float32)  # weight: good
    association, grid = plan.association, frame.grid
    return mosaic_meta(
        source.metas,
        wcs=grid.wcs(),
        where=wcsinfo(
            grid.to_sky,
            grid.shape,
            skycell=frame.skycell,
            reference=tuple(grid[1:]) if isinstance(grid, Grid) else None,
        ),
        resample={
            "good_bits": typed["good_bits"],
            "pixel_scale_ratio": float(frame.ratio),
            "pixfrac": float(resample.drizzle.pixfrac),
            "weight_type": resample.drizzle.weight_type,
            "pointings": source.pointings,
            "pixmap_stepsize": STEP,
            "pixmap_order": ORDER - 1,
        },
        coverage=coverage,
        statistics=image_statistics(planes["data"], None, err, workers.work),
        filename=source.mosaic.path.name,
        association=association.path.rpartition("/")[2] if association else None,
        release=association.release if association else None,
        cal_logs=list(source.logs),
    )
