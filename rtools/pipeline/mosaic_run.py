"""A group of images through the steps of a mosaic, to images or to coadds with their catalogs."""

import resource
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from rtools.exposure.statistics import image_statistics
from rtools.mosaic.coverage import coverage_of, total_coverage
from rtools.mosaic.drizzle import band_rows
from rtools.mosaic.grid import Grid
from rtools.mosaic.variance import finish
from rtools.pipeline.compiling import announced
from rtools.pipeline.journal import Journal
from rtools.pipeline.mosaic_drizzle import Workers
from rtools.pipeline.mosaic_flag import fill_value
from rtools.pipeline.mosaic_images import stage_image
from rtools.pipeline.mosaic_plan import STEPS
from rtools.pipeline.mosaic_sky import match_sky
from rtools.pipeline.mosaic_stack import find_outliers, stack
from rtools.pipeline.process import settled
from rtools.products import history
from rtools.products.mosaic_meta import mosaic_meta, wcsinfo
from rtools.products.mosaic_writer import stage_mosaic

__all__ = ["Result", "run_mosaic"]

NEEDED = ("err", "var_poisson", "var_rnoise")
"""Planes that every mosaic has, NaN where they were not wanted."""


@dataclass
class Result:
    """What a run did: paths in the order in which they appeared, cal_step, seconds of each part, peak memory."""

    outputs: list = field(default_factory=list)
    statuses: dict = field(default_factory=dict)
    seconds: dict = field(default_factory=dict)
    peak_memory: int = 0


def run_mosaic(plan, request, log, *, progress=lambda text: None):
    """Carry out a plan.

    Parameters
    ----------
    plan : rtools.pipeline.mosaic_plan.Plan
    request : rtools.pipeline.mosaic_plan.Request
    log : callable
        ``log(level, text)`` of the console.
    progress : callable
        ``progress(text)``.

    Returns
    -------
    Result
    """
    journal = Journal(log, plan.name)
    with settled(), ThreadPoolExecutor(request.threads) as pool, announced(journal.tell):
        run = _Run(plan, request, journal, Workers(pool, request.threads, journal.log))
        run.log = log
        return run.carry_out(progress)


class _Run:
    """State of one run; the methods are its stages, in order."""

    def __init__(self, plan, request, journal, workers):
        self.plan, self.request, self.journal, self.workers = plan, request, journal, workers
        self.result = Result()
        self.staged = []

    def carry_out(self, progress):
        plan, started = self.plan, time.perf_counter()
        for text in plan.warnings:
            self.journal.log("warning", text)

        def told(text, member):
            progress(f"{text} {member.number + 1}/{len(plan.members)}")

        try:
            if "skymatch" in plan.steps:
                with self._timed("skymatch"):
                    match_sky(plan.members, self.request.options("skymatch"), self.workers,
                              lambda member: told("sky", member))  # fmt: skip
            for mosaic in plan.mosaics or ([None] if "outlier" in plan.steps else []):
                self._mosaic(mosaic, told)
            if "resample" not in plan.steps:
                with self._timed("write"):
                    self._write_images()
        except BaseException:
            for stage in self.staged:
                stage.discard()
            raise
        finally:
            for member in plan.members:
                member.product.close()
        self.result.seconds["total"] = time.perf_counter() - started
        self.result.peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return self.result

    def _timed(self, name):
        return _Timed(self.result.seconds, name)

    # -- images ---------------------------------------------------------------------------------------------------

    def _write_images(self):
        for member, path in zip(self.plan.members, self.plan.images, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            journal = Journal(self.log, member.name)
            step = STEPS[self.request.single]
            journal.log("info", f"{step.name}: {member.meta['cal_step'][step.cal_step]}")
            self.staged.append(stage_image(member, path, self.request, self.workers, journal))
        self._commit()

    def _commit(self):
        while self.staged:
            self.result.outputs.append(self.staged[0].commit())
            del self.staged[0]

    # -- mosaics --------------------------------------------------------------------------------------------------

    def _mosaic(self, mosaic, told):
        """Outliers, coadd, catalog on one grid."""
        steps, members = self.plan.steps, self.plan.members
        for member in members:
            member.flagged = member.flagged[:0]
        outlier, totals = "outlier" in steps, None
        recipe = self.plan.recipe(self.request, "resample", mosaic) if "resample" in steps else None
        if mosaic is not None:
            self.journal.log("info", f"{mosaic.frame.said()}; pixel scale {mosaic.frame.ratio:.6g} of the exposures'")
        if outlier and len(members) < 2:
            self.journal.log("warning", "outlier: SKIPPED: there is one image only")
            members[0].meta["cal_step"]["outlier_detection"] = "SKIPPED"
            outlier = False
        with self._timed("outlier and resample" if outlier and recipe else "outlier" if outlier else "resample"):
            if outlier:
                looked = self.plan.recipe(self.request, "outlier", mosaic) if mosaic else None
                how = {"totals_of": recipe, "progress": told}
                options = self.request.options("outlier")
                totals = find_outliers(members, looked, self.workers, options, self._folder(mosaic), **how)
            elif recipe is not None:
                totals = stack(members, recipe, self.workers, told)
        if totals is not None:
            self._finish(mosaic, recipe, totals)

    def _folder(self, mosaic):
        """Where large temporary files go: beside the products."""
        outputs = [*self.plan.images, *(mosaic.outputs.values() if mosaic else ())]
        outputs[0].parent.mkdir(parents=True, exist_ok=True)
        return outputs[0].parent

    def _finish(self, mosaic, recipe, totals):
        """Planes, metadata and files of a mosaic from its totals."""
        options, members = self.request.options("resample"), self.plan.members
        with self._timed("write"):
            planes = finish(totals, mosaic.frame.ratio)
            fill = fill_value(options["fillval"])
            if not np.isnan(fill):
                planes["data"][planes["weight"] == 0] = fill
            asked = {word.strip() for word in options["planes"].split(",")} | {"data", "weight", "context", "var_flat"}
            planes = {name: plane for name, plane in planes.items() if name in asked}
            nothing = np.broadcast_to(np.float32(np.nan), planes["data"].shape)
            planes |= {name: nothing for name in NEEDED if name not in planes}
            meta = self._meta(mosaic, recipe, planes)
            path = mosaic.outputs["coadd"]
            path.parent.mkdir(parents=True, exist_ok=True)
            coadd = stage_mosaic(
                path,
                meta,
                planes,
                [member.meta for member in members],
                profile=self.request.profile or members[0].product.profile,
                compression=self.request.compression or "lz4",
                history=[self._history()],
                threads=self.workers.threads,
            )
            self.staged.append(coadd)
        self.result.statuses = dict(meta["cal_step"])
        self._commit()

    def _history(self):
        steps = {name: self.request.options(name) for name in self.plan.steps if name in STEPS}
        inputs = [member.name for member in self.plan.members]
        return history.entry(self.request.tool, parameters=steps, inputs=inputs)

    def _meta(self, mosaic, recipe, planes):
        options, frame, members = self.request.options("resample"), mosaic.frame, self.plan.members
        times = [member.exposure_time for member in members]
        bands = band_rows(frame.grid.shape)
        parts = self.workers.pool.map(lambda rows: coverage_of(planes["context"][:, rows], times), bands)
        err = planes["err"] if np.any(planes["err"].strides) else (planes["weight"] > 0).astype(np.float32)
        association = self.plan.association
        return mosaic_meta(
            [member.meta for member in members],
            wcs=frame.grid.wcs(),
            where=wcsinfo(frame.grid.to_sky, frame.grid.shape, skycell=frame.skycell,
                          reference=tuple(frame.grid[1:]) if isinstance(frame.grid, Grid) else None),
            resample={
                "good_bits": options["good_bits"],
                "pixel_scale_ratio": float(frame.ratio),
                "pixfrac": float(options["pixfrac"]),
                "weight_type": options["weight_type"],
                "pointings": len({member.group for member in members}),
                "pixmap_stepsize": 64,
                "pixmap_order": 5,
            },
            coverage=total_coverage(parts),
            statistics=image_statistics(planes["data"], None, err, self.workers.threads),
            filename=mosaic.outputs["coadd"].name,
            association=association.path.rpartition("/")[2] if association else None,
            release=association.release if association else None,
            cal_logs=self.journal.lines,
        )  # fmt: skip


class _Timed:
    """Adds the seconds of a block to a dict."""

    def __init__(self, seconds, name):
        self.seconds, self.name = seconds, name

    def __enter__(self):
        self.started = time.perf_counter()

    def __exit__(self, *_error):
        self.seconds[self.name] = self.seconds.get(self.name, 0.0) + time.perf_counter() - self.started
