"""A group of images through the steps of a mosaic, to images or to coadds with their catalogs."""

import resource
import shutil
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rtools.pipeline.job.compiling import announced
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.process import settled
from rtools.pipeline.mosaic.add import flag_against, sky_of, totals_of
from rtools.pipeline.mosaic.catalog import stage_catalog
from rtools.pipeline.mosaic.coadd import write_slabs, write_whole
from rtools.pipeline.mosaic.drizzle import exposures_of
from rtools.pipeline.mosaic.images import PLANES, stage_image
from rtools.pipeline.mosaic.plan import STEPS
from rtools.pipeline.mosaic.sky import match_sky
from rtools.pipeline.mosaic.stack import find_outliers, slabs_of, stack
from rtools.pipeline.mosaic.workers import Workers
from rtools.products.io import temporary
from rtools.products.schema import history

__all__ = ["MosaicResult", "run_mosaic"]

BASE = 0.35 * 2**30
"""Bytes that a process has without any image."""

PIXEL = 40
"""Bytes for each pixel of a member at work: its planes, what they are decoded from, and the same of the next."""


@dataclass
class MosaicResult:
    """What a run did: paths in the order in which they appeared, cal_step, seconds of each part, peak memory.

    `catalogs`: what is told of the catalogs (`rtools.pipeline.catalog.single.told_of`), in the order of the mosaics.
    """

    outputs: list = field(default_factory=list)
    statuses: dict = field(default_factory=dict)
    seconds: dict = field(default_factory=dict)
    peak_memory: int = 0
    catalogs: list = field(default_factory=list)


def run_mosaic(plan, request, work):
    """Carry out a plan.

    Parameters
    ----------
    plan : rtools.pipeline.mosaic.plan.MosaicPlan
    request : rtools.pipeline.mosaic.plan.MosaicRequest
    work : rtools.work.Work
        Threads, the log of the console, progress.

    Returns
    -------
    MosaicResult
    """
    with settled():
        run = _Run(plan, request, work)
        with announced(run.journal.tell):
            return run.carry_out()


class _Run:
    """State of one run; the methods are its stages, in order."""

    def __init__(self, plan, request, work):
        self.plan, self.request, self.log = plan, request, work.log
        self.journal = Journal(work.log, plan.name)
        self.workers = Workers(work.with_log(self.journal.log), label=str(plan.name))
        self.result = MosaicResult()
        self.staged = []

    def carry_out(self):
        plan, started = self.plan, time.perf_counter()
        self.journal.begin(plan)
        try:
            if self.request.output == "-":
                with temporary.directory() as scratch:
                    self._to_stdout(Path(scratch))
                    self._steps()
            else:
                self._steps()
        except BaseException:
            self.workers.work.close()  # nothing computes any more when the products are given up
            for stage in self.staged:
                stage.discard()
            raise
        finally:
            for member in plan.members:
                member.product.close()
        self.result.seconds["total"] = time.perf_counter() - started
        self.result.catalogs = self.journal.catalogs
        self.result.peak_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return self.result

    def _to_stdout(self, scratch):
        """Have products written into a directory, from which the main one is copied at the end."""
        self.plan.images = [scratch / path.name for path in self.plan.images]
        for mosaic in self.plan.mosaics:
            mosaic.outputs = {suffix: scratch / f"mosaic_{suffix}.asdf" for suffix in mosaic.outputs}

    def _steps(self):
        plan = self.plan
        room = int(self.request.max_memory * 2**30 - BASE - PIXEL * max(_pixels(member) for member in plan.members))
        self.room = max(room, 0)
        left = self.room - max((self._bytes(mosaic) for mosaic in plan.mosaics), default=0)
        # Unless all can be kept, decoding again is faster than new memory (docs/speed.md).
        decoded = sum(_decoded(member) for member in plan.members)
        self.kept = self.workers.room = decoded if left > decoded else 0
        if "skymatch" in plan.steps:
            with self._timed("skymatch"):
                options = self.request.options("skymatch")
                joined = sky_of(plan.stack, options, self.workers) if plan.stack else None
                match_sky(plan.members, options, self.workers, joined=joined)
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
        self.result.seconds[name] = self.result.seconds.get(name, 0.0) + time.perf_counter() - started

    def _commit(self):
        while self.staged:
            path = self.staged[0].commit()
            del self.staged[0]
            if self.request.output == "-":
                with open(path, "rb") as file:
                    shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                self.result.outputs.append(path)

    # -- images ---------------------------------------------------------------------------------------------------

    def _write_images(self):
        step = STEPS[self.request.single]
        for member, path in zip(self.plan.members, self.plan.images, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            journal = Journal(self.log, member.name)
            journal.log("info", f"{step.name}: {member.meta['cal_step'][step.cal_step]}")
            self.result.statuses[member.name] = dict(member.meta["cal_step"])
            self.staged.append(stage_image(member, path, self.request, self.workers, journal))
        self._commit()

    # -- mosaics --------------------------------------------------------------------------------------------------

    def _bytes(self, mosaic):
        """Bytes that the totals of a mosaic take at most."""
        recipe = self.plan.recipe(self.request, "resample", mosaic)
        columns = mosaic.frame.grid.shape[1]
        (slab, *_rest) = slabs_of(recipe, self.plan.count, self.room, images="outlier" in self.plan.steps)
        return (slab.stop - slab.start) * columns * 4 * (6 + len(recipe.names) + recipe.dq)

    def _mosaic(self, mosaic):
        """Outliers, coadd, catalog on one grid."""
        plan, members = self.plan, self.plan.members
        for member in members:
            member.flagged = member.flagged[:0]
        self.others = len(self.journal.lines) - self.common
        recipe = plan.recipe(self.request, "resample", mosaic) if "resample" in plan.steps else None
        slabs, totals = None, None
        if mosaic is not None:
            self.journal.log("info", f"{mosaic.frame.said()}; pixel scale {mosaic.frame.ratio:.6g} of the exposures'")
            slabs = slabs_of(recipe or plan.recipe(self.request, "outlier", mosaic), plan.count, self.room,
                             images="outlier" in plan.steps)  # fmt: skip
            self.journal.log("info", f"{len(slabs)} slabs of {slabs[0].stop} rows" if slabs[1:] else "in memory")
        if "outlier" in plan.steps:
            totals = self._outliers(mosaic, recipe, slabs)
        if recipe is not None:
            self._coadd(mosaic, recipe, totals, slabs)

    def _outliers(self, mosaic, recipe, slabs):
        members = self.plan.members
        if self.plan.stack:
            return self._against_stack(mosaic, recipe, slabs)
        if len(exposures_of(members)) < 2:
            level = "warning" if self.request.single == "outlier" else "info"
            self.journal.log(level, "outlier: SKIPPED: there is one exposure only")
            for member in members:
                member.meta["cal_step"]["outlier_detection"] = "SKIPPED"
            return None
        looked = self.plan.recipe(self.request, "outlier", mosaic)
        how = {"totals_of": recipe, "slabs": slabs, "room": self.room - self.kept}
        with self._timed("outlier, with the first pass of resample" if recipe else "outlier"):
            options, folder = self.request.options("outlier"), self._folder(mosaic)
            return find_outliers(members, looked, self.workers, options, folder, **how)

    def _against_stack(self, mosaic, recipe, slabs):
        """Outliers of members that join a mosaic."""
        folder, options = self._folder(mosaic) if slabs[1:] else None, self.request.options("outlier")
        with self._timed("outlier"):
            flag_against(self.plan.stack, self.plan.members, recipe, self.workers, options, folder=folder)

    def _folder(self, mosaic):
        """Where large temporary files go: beside the products; with -o - among the temporary files."""
        outputs = [*self.plan.images, *(mosaic.outputs.values() if mosaic else ())]
        outputs[0].parent.mkdir(parents=True, exist_ok=True)
        return outputs[0].parent

    def _coadd(self, mosaic, recipe, totals, slabs):
        """The coadd, and its catalog."""
        members = self.plan.members
        self._folder(mosaic)
        logs = [*self.journal.lines[: self.common], *self.journal.lines[self.common + self.others :]]
        how, begin = {"history": [self._history()], "logs": logs}, None
        if self.plan.stack:
            before = self.plan.stack.product
            how = {"history": [*before.history, *how["history"]], "logs": [*before.meta.get("cal_logs", ()), *logs]}
            begin = partial(totals_of, self.plan.stack, recipe, self.plan.count, self.workers)
        if slabs[1:]:
            parts = ((rows, stack(members, recipe, self.workers, rows=rows, begin=begin)) for rows in slabs)
            with self._timed("resample and write"):
                made = write_slabs(mosaic, parts, self.plan, self.request, self.workers, **how)
        else:
            if totals is None:
                with self._timed("resample"):
                    totals = stack(members, recipe, self.workers, begin=begin)
            if mosaic is self.plan.mosaics[-1]:
                self.workers.release()
            with self._timed("write"):
                made = write_whole(mosaic, totals, self.plan, self.request, self.workers, **how)
        coadd, planes, meta = made
        del totals, made
        self.staged.append(coadd)
        if "cat" in mosaic.outputs and self.request.output != "-":
            with self._timed("catalog"):
                image = planes, meta, how["history"]
                self.staged[:0] = stage_catalog(mosaic, image, self.plan, self.request, self.journal, self.workers.work)
        self.result.statuses = dict(meta["cal_step"])
        self._commit()

    def _history(self):
        steps = {name: self.request.options(name) for name in self.plan.steps if name in STEPS}
        return history.entry(self.request.tool, parameters=steps, inputs=self.plan.names, made_of=self.plan.records)


def _pixels(member):
    return member.shape[0] * member.shape[1]


def _decoded(member):
    """Bytes of the arrays of a member that a mosaic is made of."""
    held = member.product.arrays
    return sum(held[name].dtype.itemsize * _pixels(member) for name in PLANES if name in held)
