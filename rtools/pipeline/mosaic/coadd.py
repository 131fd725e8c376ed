"""From totals to the file of a mosaic: planes, metadata, writing in one go or slab by slab."""

import numpy as np

from rtools.mosaic.drizzle.coverage import coverage_of, total_coverage
from rtools.mosaic.drizzle.drizzle import band_rows
from rtools.mosaic.drizzle.variance import finish
from rtools.mosaic.grid.grid import Grid
from rtools.mosaic.grid.pixmap import ORDER, STEP
from rtools.pipeline.mosaic.flag import fill_value
from rtools.pipeline.mosaic.members import exposed
from rtools.products.mosaic.metadata import mosaic_meta, wcsinfo
from rtools.products.mosaic.writer import MosaicWriter, stage_mosaic
from rtools.work.statistics import image_statistics

__all__ = ["write_slabs", "write_whole"]

NEEDED = ("err", "var_poisson", "var_rnoise")
"""Planes that every mosaic has, NaN where they were not wanted."""

ALWAYS = ("data", "weight", "context", "var_flat", "dq")


def _planes(totals, frame, options, workers):
    """Planes of a product, by name, from totals, which are of no use afterwards."""
    planes = finish(totals, frame.ratio, workers.work)
    fill = fill_value(options["fillval"])
    if not np.isnan(fill):
        planes["data"][planes["weight"] == 0] = fill
    asked = {word.strip() for word in options["planes"].split(",")} | set(ALWAYS)
    planes = {name: plane for name, plane in planes.items() if name in asked}
    nothing = np.broadcast_to(np.float32(np.nan), planes["data"].shape)
    return planes | {name: nothing for name in NEEDED if name not in planes}


def write_whole(mosaic, totals, plan, request, workers, *, history, logs):
    """Write a mosaic whose totals are in memory.

    Parameters
    ----------
    mosaic : rtools.pipeline.mosaic.plan.Mosaic
    totals : rtools.mosaic.drizzle.variance.Totals
    plan : rtools.pipeline.mosaic.plan.MosaicPlan
    request : rtools.pipeline.mosaic.plan.MosaicRequest
    workers : rtools.pipeline.mosaic.workers.Workers
    history : list of dict
    logs : list of str

    Returns
    -------
    stage : rtools.products.io.staging.Stage
    planes : dict of str to ndarray
    meta : dict
    """
    planes = _planes(totals, mosaic.frame, request.options("resample"), workers)
    coverage = _coverage(planes["context"], plan, workers)
    meta = _meta(mosaic, plan, request, workers, planes, total_coverage(coverage), logs)
    stage = stage_mosaic(
        mosaic.outputs["coadd"],
        meta,
        planes,
        plan.metas,
        profile=plan.profile(request),
        compression=request.compression or "lz4",
        history=history,
        work=workers.work,
    )
    return stage, planes, meta


def write_slabs(mosaic, slabs, plan, request, workers, *, history, logs):
    """The same where slabs of totals are made one after the other: an iterable of (slice of rows, Totals)."""
    options, coverage = request.options("resample"), []
    recipe = plan.recipe(request, "resample", mosaic)
    names = [*dict.fromkeys(("data", "weight", *NEEDED, *recipe.names)), *(("dq",) if recipe.dq else ())]
    shape, profile = mosaic.frame.grid.shape, plan.profile(request)
    file = MosaicWriter(mosaic.outputs["coadd"], shape, plan.metas, names, profile=profile)
    try:
        for rows, totals in slabs:
            planes = _planes(totals, mosaic.frame, options, workers)
            coverage += _coverage(planes["context"], plan, workers)
            file.put(rows.start, {name: planes[name] for name in (*names, "context")})
            del totals, planes
        held = {name: file.mapped(name) for name in (*names, "context")}
        meta = _meta(mosaic, plan, request, workers, held, total_coverage(coverage), logs)
        stage = file.finish(meta, history=history, compression=request.compression, work=workers.work)
    except BaseException:
        file.discard()
        raise
    return stage, held, meta


def _coverage(context, plan, workers):
    """Exposure of the rows of a context, band by band."""
    times = [exposed(meta) for meta in plan.metas]
    return workers.work.map(lambda rows: coverage_of(context[:, rows], times), band_rows(context.shape[1:]))


def _meta(mosaic, plan, request, workers, planes, coverage, logs):
    options, frame, members = request.options("resample"), mosaic.frame, plan.members
    pointings = plan.stack.pointings(members) if plan.stack else len({member.group for member in members})
    asked = {word.strip() for word in options["planes"].split(",")}
    err = planes["err"] if "err" in asked else (planes["weight"] > 0).astype(np.float32)  # what has weight is good
    association, grid = plan.association, frame.grid
    return mosaic_meta(
        plan.metas,
        wcs=grid.wcs(),
        where=wcsinfo(
            grid.to_sky,
            grid.shape,
            skycell=frame.skycell,
            reference=tuple(grid[1:]) if isinstance(grid, Grid) else None,
        ),
        resample={
            "good_bits": options["good_bits"],
            "pixel_scale_ratio": float(frame.ratio),
            "pixfrac": float(options["pixfrac"]),
            "weight_type": options["weight_type"],
            "pointings": pointings,
            "pixmap_stepsize": STEP,
            "pixmap_order": ORDER - 1,
        },
        coverage=coverage,
        statistics=image_statistics(planes["data"], None, err, workers.work),
        filename=mosaic.outputs["coadd"].name,
        association=association.path.rpartition("/")[2] if association else None,
        release=association.release if association else None,
        cal_logs=logs,
    )
