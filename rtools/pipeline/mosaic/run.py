"""A group of images through the steps of a mosaic, to images or to coadds with their catalogs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from rtools.pipeline.catalog.files import CatalogFiles
from rtools.pipeline.job.compiling import announced
from rtools.pipeline.job.job import Result
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.outputs import make_directory
from rtools.pipeline.job.process import PROCESS_BYTES, peak_memory, settled
from rtools.pipeline.job.steps import step_of
from rtools.pipeline.mosaic.catalog import stage_catalog, stage_catalog_of_i2d
from rtools.pipeline.mosaic.coadd import CoaddSource, write_slabs, write_whole
from rtools.pipeline.mosaic.drizzle import exposures_of
from rtools.pipeline.mosaic.i2d import write_i2d, write_i2d_slabs
from rtools.pipeline.mosaic.images import PLANES, stage_image
from rtools.pipeline.mosaic.joined import flag_against, sky_of, totals_of
from rtools.pipeline.mosaic.jwst_files import stage_jwst_image
from rtools.pipeline.mosaic.records import record_of_image
from rtools.pipeline.mosaic.request import STEPS
from rtools.pipeline.mosaic.sky import match_sky
from rtools.pipeline.mosaic.totals import drizzle_members, find_outliers, slabs_of
from rtools.pipeline.mosaic.workers import Workers

if TYPE_CHECKING:
    from rtools.pipeline.mosaic.plan import MosaicPlan
    from rtools.pipeline.mosaic.request import MosaicRequest
    from rtools.work import Work

__all__ = ["run_mosaic"]

WRITERS = {
    "roman": (write_whole, write_slabs, stage_image, stage_catalog),
    "jwst": (write_i2d, write_i2d_slabs, stage_jwst_image, stage_catalog_of_i2d),
}
"""What writes a mosaic whose totals are in memory, one that comes in slabs, an image, and a catalog, by mission."""

PIXEL = 40
"""Bytes for each pixel of a member at work: its planes, what they are decoded from, and the same of the next."""


def run_mosaic(plan: MosaicPlan, request: MosaicRequest, work: Work) -> Result:
    """Carry out a plan.

    Parameters
    ----------
    plan : rtools.pipeline.mosaic.plan.MosaicPlan
        What was decided.
    request : rtools.pipeline.mosaic.request.MosaicRequest
        What was asked.
    work : rtools.work.Work
        Threads, log, progress.

    Returns
    -------
    rtools.pipeline.job.job.Result
    """
    with settled():
        run = _Run(plan, request, work)
        with announced(run.journal.tell):
            return run.carry_out()


class _Run:
    """State of one run; the methods are its stages, in order."""

    def __init__(self, plan, request, work):
        self.plan, self.request, self.log = plan, request, work.log
        self.write_whole, self.write_slabs, self.stage_image, self.stage_catalog = WRITERS[plan.mission.name]
        self.members = [member.fresh() for member in plan.members]
        self.journal = Journal(work.log, plan.name)
        self.workers = Workers(work.with_log(self.journal.log), label=str(plan.name))
        self.staged, self.outputs, self.catalogs = [], [], []
        self.seconds: dict[str, float] = {}
        self.statuses: Mapping = {}

    def carry_out(self):
        """All stages; the `Result`."""
        plan, started = self.plan, time.perf_counter()
        self.journal.begin(plan)
        try:
            self._steps()
        except BaseException:
            self.workers.work.close()  # nothing computes any more when the products are given up
            for stage in self.staged:
                stage.discard()
            raise
        finally:
            for member in self.members:
                member.product.close()
        self.seconds["total"] = time.perf_counter() - started
        return Result(
            input=plan.name,
            outputs=tuple(self.outputs),
            statuses=self.statuses,
            seconds=self.seconds,
            peak_memory=peak_memory(),
            catalogs=tuple(self.catalogs),
            members=tuple(member.name for member in self.members),
            warnings=tuple(self.journal.warned),
        )

    def _steps(self):
        plan = self.plan
        room = int(
            self.request.max_memory * 2**30 - PROCESS_BYTES - PIXEL * max(_pixels(member) for member in self.members)
        )
        self.room = max(room, 0)
        left = self.room - max((self._bytes(mosaic) for mosaic in plan.mosaics), default=0)
        # Unless all can be kept, decoding again is faster than new memory (docs/speed.md).
        decoded = sum(_decoded(member) for member in self.members)
        self.kept = self.workers.room = decoded if plan.mission.packed and left > decoded else 0
        self._save("flux")
        if "skymatch" in plan.steps:
            with self._timed("skymatch"):
                options = plan.options.skymatch
                joined = sky_of(plan.joined, options, self.workers) if plan.joined else None
                match_sky(self.members, options, self.workers, joined=joined)
            self._save("skymatch")
        self.common = len(self.journal.lines)
        for mosaic in plan.mosaics or ([None] if "outlier" in plan.steps else []):
            self._mosaic(mosaic)
        if "resample" not in plan.steps:
            with self._timed("write"):
                self._write_images()

    @contextmanager
    def _timed(self, name):
        started = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

    def _commit(self):
        while self.staged:
            self.outputs.append(self.staged[0].commit())
            del self.staged[0]

    # -- images ---------------------------------------------------------------------------------------------------

    def _write_images(self):
        self._stage_images(self.request.single, zip(self.members, self.plan.images, strict=True))
        self.statuses = {member.name: dict(member.meta["cal_step"]) for member in self.members}
        self._commit()

    def _stage_images(self, name, images):
        """Write members as a step leaves them; the files wait for their names."""
        step = step_of(name)
        request = replace(self.request, single=name, settings={name: dict(self.plan.typed[name])})
        for member, path in images:
            make_directory(path.parent)
            journal = Journal(self.log, member.name)
            journal.log("info", f"{name}: {member.meta['cal_step'][step.cal_step]}")
            alone = replace(request, record=record_of_image(request.record, member))
            self.staged.append(self.stage_image(member.fresh(), path, alone, self.workers, journal))

    def _save(self, name):
        """The images that a step on the way to a mosaic has changed, where they are wanted, too."""
        paths = self.plan.saved.get(name)
        if not paths:
            return
        key = step_of(name).cal_step
        images = [(member, path) for member, path in zip(self.members, paths, strict=True)
                  if member.meta["cal_step"].get(key) == "COMPLETE"]  # fmt: skip
        with self._timed("write"):
            self._stage_images(name, images)

    # -- mosaics --------------------------------------------------------------------------------------------------

    def _bytes(self, mosaic):
        """Bytes that the totals of a mosaic take at most."""
        recipe = self.plan.recipe("resample", mosaic.frame)
        columns = mosaic.frame.grid.shape[1]
        (slab, *_rest) = slabs_of(recipe, self.plan.count, self.room, images="outlier" in self.plan.steps)
        return (slab.stop - slab.start) * columns * 4 * (6 + len(recipe.names) + recipe.dq)

    def _mosaic(self, mosaic):
        """Outliers, coadd, catalog on one grid."""
        plan = self.plan
        for member in self.members:
            member.flagged = member.flagged[:0]
        self.others = len(self.journal.lines) - self.common
        frame = None if mosaic is None else mosaic.frame
        recipe = plan.recipe("resample", frame) if "resample" in plan.steps else None
        slabs, totals = None, None
        if frame is not None:
            self.journal.log("info", f"{frame.said()}; pixel scale {frame.ratio:.6g} of the exposures'")
            looked = recipe or plan.recipe("outlier", frame)
            slabs = slabs_of(looked, plan.count, self.room, images="outlier" in plan.steps)
            self.journal.log("info", f"{len(slabs)} slabs of {slabs[0].stop} rows" if slabs[1:] else "in memory")
        if "outlier" in plan.steps:
            totals = self._outliers(mosaic, recipe, slabs)
            self._save("outlier")
        if recipe is not None:
            self._coadd(mosaic, recipe, totals, slabs)

    def _outliers(self, mosaic, recipe, slabs):
        """Flag outliers; totals of the mosaic if they were made on the way."""
        plan, options = self.plan, self.plan.options.outlier
        if plan.joined:
            folder = self._folder(mosaic) if slabs[1:] else None
            with self._timed("outlier"):
                return flag_against(plan.joined, self.members, recipe, self.workers, options, folder=folder)
        if len(exposures_of(self.members)) < 2:
            level = "warning" if self.request.single == "outlier" else "info"
            self.journal.log(level, "outlier: SKIPPED: there is one exposure only")
            for member in self.members:
                member.meta["cal_step"]["outlier_detection"] = "SKIPPED"
            return None
        looked = plan.recipe("outlier", None if mosaic is None else mosaic.frame)
        with self._timed("outlier, with the first pass of resample" if recipe else "outlier"):
            return find_outliers(
                self.members, looked, self.workers, options, self._folder(mosaic),
                totals_of=recipe, slabs=slabs, room=self.room - self.kept,
            )  # fmt: skip

    def _folder(self, mosaic):
        """Where large temporary files go: beside the products."""
        outputs = [*self.plan.images, *(mosaic.outputs.values() if mosaic else ())]
        make_directory(outputs[0].parent)
        return outputs[0].parent

    def _coadd(self, mosaic, recipe, totals, slabs):
        """The coadd, and its catalog."""
        self._folder(mosaic)
        source, begin = self._source(mosaic), None
        if self.plan.joined:
            begin = partial(totals_of, self.plan.joined, recipe, self.plan.count, self.workers)
        if slabs[1:]:
            parts = (
                (rows, drizzle_members(self.members, recipe, self.workers, rows=rows, begin=begin)) for rows in slabs
            )
            with self._timed("resample and write"):
                coadd = self.write_slabs(parts, source, self.request, self.workers)
        else:
            if totals is None:
                with self._timed("resample"):
                    totals = drizzle_members(self.members, recipe, self.workers, begin=begin)
            if mosaic is self.plan.mosaics[-1]:
                self.workers.release()
            with self._timed("write"):
                coadd = self.write_whole(totals, source, self.request, self.workers)
        del totals
        self.staged.append(coadd.stage)
        if "cat" in mosaic.outputs:
            self._catalog(mosaic, coadd, source)
        self.statuses = dict(coadd.meta["cal_step"])
        self._commit()

    def _catalog(self, mosaic, coadd, source):
        step, plan = self.plan.catalog, self.plan
        files = CatalogFiles(
            outputs=mosaic.outputs,
            image_kind="l3_coadd" if plan.mission.name == "roman" else plan.mission.suffix,
            profile=plan.profile,
            options=step.options,
            references=step.references,
            inputs=(str(mosaic.path), *plan.names),
            history=tuple(source.history),
        )
        with self._timed("catalog"):
            stages, summary = self.stage_catalog(files, coadd, self.request, self.workers.work)
        self.staged[:0] = stages
        self.catalogs.append(summary)

    def _source(self, mosaic):
        """What the coadd is made of; of a mosaic that is joined its history and log go before."""
        plan = self.plan
        logs = [*self.journal.lines[: self.common], *self.journal.lines[self.common + self.others :]]
        steps = {name: dict(plan.typed[name]) for name in plan.steps if name in STEPS}
        done = [self.request.entry(parameters=steps, inputs=plan.names, made_of=plan.records)]
        saved = [stage.path for stage in self.staged]  # images, as the steps before have left them
        done[0]["companions"] = [path.name for path in (*mosaic.outputs.values(), *saved) if path != mosaic.path]
        if plan.joined:
            before = plan.joined.product
            done = [*before.history, *done]
            logs = [*before.meta.get("cal_logs", ()), *logs]
        return CoaddSource(plan, mosaic, self.members, done, logs)


def _pixels(member):
    return member.shape[0] * member.shape[1]


def _decoded(member):
    """Bytes of the arrays of a member that a mosaic is made of."""
    held = member.product.arrays
    return sum(held[name].dtype.itemsize * _pixels(member) for name in PLANES if name in held)
