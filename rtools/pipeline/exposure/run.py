"""Carrying out the plan of one exposure: engine, metadata, provenance, products."""

from __future__ import annotations

import copy
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from rtools.catalog import source_catalog
from rtools.declare import NotApplicable, Skip
from rtools.errors import InputError
from rtools.pipeline.astrometry import align as aligning
from rtools.pipeline.astrometry import aligned
from rtools.pipeline.catalog import files as catalog_files
from rtools.pipeline.catalog import single as cataloging
from rtools.pipeline.exposure import metadata, saturation, warm
from rtools.pipeline.exposure.engine import Engine
from rtools.pipeline.exposure.products import ExposureProducts
from rtools.pipeline.exposure.sinks import ImageSink, RampSink
from rtools.pipeline.exposure.source import IMAGE_PLANES, open_exposure
from rtools.pipeline.exposure.task import StripTask
from rtools.pipeline.job.compiling import announced
from rtools.pipeline.job.job import Result
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.process import give_back_memory, peak_memory, settled
from rtools.products.schema import layout
from rtools.products.schema.blocks import stamp_file

if TYPE_CHECKING:
    from rtools.pipeline.exposure.plan import ExposurePlan
    from rtools.pipeline.exposure.request import ExposureRequest
    from rtools.work import Work

__all__ = ["ExposureRun", "execute"]


def execute(
    plan: ExposurePlan,
    request: ExposureRequest,
    work: Work,
    *,
    alignment: aligning.Outcome | str | None = None,
) -> Result:
    """Carry out a plan and write its products.

    Parameters
    ----------
    plan : rtools.pipeline.exposure.plan.ExposurePlan
        What was decided.
    request : rtools.pipeline.exposure.request.ExposureRequest
        What was asked.
    work : rtools.work.Work
        Threads, log, and progress in strips.
    alignment : rtools.pipeline.astrometry.align.Outcome or str, optional
        What came of an alignment of this image with others; by default it is aligned by itself.

    Returns
    -------
    rtools.pipeline.job.job.Result
    """
    with settled():
        return ExposureRun(plan, request, work, alignment).carry_out()


class ExposureRun:
    """State of one run; the methods are its stages, in order.

    `apply_to_frame`, `find_sources` and `align` are what a step that works on the whole image asks for
    (`rtools.declare.Step.carry_out`).

    Parameters
    ----------
    plan, request, work, alignment
        As `execute` takes them.
    """

    def __init__(
        self,
        plan: ExposurePlan,
        request: ExposureRequest,
        work: Work,
        alignment: aligning.Outcome | str | None,
    ):
        self.plan = plan
        self.request = request
        self.journal = Journal(work.log, plan.name)
        self.work = work.with_log(self.journal.log)
        self.alignment = alignment
        self.started = time.perf_counter()
        self.meta = copy.deepcopy(plan.product.meta)
        self.exposure = open_exposure(plan.source, plan.place, self.meta, self.journal.log)
        self.tasks = [StripTask.of(step) for step in plan.steps]
        self.strip_tasks = [task for task in self.tasks if task.step.works_on_strips]
        self.products = ExposureProducts(plan, request, self.tasks, self.journal, self.work)
        self.image_sink: ImageSink | None = None
        self.found: source_catalog.Found | None = None
        self.summary: tuple[cataloging.CatalogSummary, ...] = ()
        self.failure = ""

    def carry_out(self) -> Result:
        """Do all stages.

        Returns
        -------
        rtools.pipeline.job.job.Result
            What was done, when all products have their names; nothing is left of a run that fails.
        """
        aside = None
        self.journal.begin(self.plan)
        try:
            with (
                Engine(self.plan.source, self.exposure, self.strip_tasks, self.work, label=self.plan.name) as engine,
                ExitStack() as stack,
            ):
                if self.strip_tasks:
                    engine.read_ahead()
                    stack.enter_context(announced(self.journal.tell))
                saturated = self._prepare(engine)
                if self.work.threads > 1:
                    aside = warm.begin(self.tasks)
                self._begin()
                self._open_sinks()
                if self.strip_tasks:
                    engine.run()
            give_back_memory()  # what strips were read into: sources are found in other arrays
            if aside is not None:
                aside.join()
            for task in self.tasks:
                self._finish(task, saturated)
            if self.found is not None and "cat" in self.products.outputs:
                self._stage_sources(self.found)
            if self.plan.main == "cal":
                self._write_cal()
            outputs = self.products.commit()
        except BaseException:
            self.products.discard()
            raise
        return self._result(outputs)

    # -- before the strips ----------------------------------------------------------------------------------------

    def _prepare(self, engine):
        """Prepare the strip tasks; find out on the way whether everything is saturated."""
        tasks = self.strip_tasks
        boundary = saturation.boundary(tasks)
        engine.prepare(0, boundary)
        saturated = saturation.is_everywhere(engine, tasks, self.plan.source.kind, self.meta)
        on_image = any(task.step.finds_sources or task.step.aligns for task in self.tasks)
        if saturated and self.request.single and on_image:
            raise InputError("every science pixel is saturated: there is no image", path=self.plan.product.path)
        if saturated:
            self.journal.log("warning", "every science pixel is saturated in every resultant; no slopes are fitted")
            for task in self.tasks:
                if task in tasks[:boundary]:
                    continue
                task.stop("SKIPPED")
                task.references = dict.fromkeys(task.references)
                if task.step.apply_saturated is not None:
                    task.apply, task.active = task.step.apply_saturated, True
        engine.prepare(boundary, len(tasks))
        return saturated

    def _begin(self):
        """Metadata of a product of this chain."""
        self.meta = self.exposure.meta = metadata.begun(self.meta, raw=self.plan.product.kind == "l1_uncal")
        if self.plan.guide is not None:
            metadata.take_jitter(self.meta, self.plan.guide, self.request, self.work)

    def _open_sinks(self):
        plan = self.plan
        dtypes = layout.dtypes("l2_image", plan.profile)
        image_tasks = [task for task in self.strip_tasks if not task.step.writes_ramp]
        for task in self.strip_tasks:
            suffix = task.step.suffix
            wanted = suffix in plan.outputs and (task.active or suffix == plan.main)
            if task.step.writes_ramp and wanted:
                ramp = self.products.begin_ramp(task.step.name, suffix, self.meta, self.exposure.shape)
                task.sinks.append(RampSink(ramp))
            elif not task.step.writes_ramp and (wanted or task is image_tasks[-1]):
                task.sinks.append(ImageSink(self.exposure.shape[1:], dtypes))

    # -- after the strips -----------------------------------------------------------------------------------------

    def _finish(self, task, saturated):
        """Metadata of one step, in the order of the chain, and its product where it is wanted."""
        step, meta = task.step, self.meta
        if task.active and not step.works_on_strips:
            started = time.perf_counter()
            step.carry_out(self, task)
            task.times.append(time.perf_counter() - started)
        if step.fits_ramp:
            metadata.become_image(meta)
        elif not step.writes_ramp and saturated:
            meta["wcs"] = None
        for use in step.references:
            if use.type in task.references:
                reference = task.references[use.type]
                meta.setdefault("ref_file", {})[use.type] = "N/A" if reference is None else reference.label
        if step.report is not None and task.active:
            for level, text in step.report(task.total(), task.options):
                self.journal.log(level, f"{step.name}: {text}")
        for sink in task.sinks:
            if isinstance(sink, ImageSink):
                self.image_sink = sink
        meta["cal_step"][step.cal_step] = task.status
        if not task.reason:
            self.journal.log("info", f"{step.name}: {task.status}" + (f" {task.note}" if task.note else ""))
        if step.suffix in self.products.outputs and (task.active or step.suffix == self.plan.main):
            if step.writes_ramp:
                self.products.finish_ramp(step.name, meta, self._beside())
            else:
                self._write_image(step.suffix)

    def apply_to_frame(self, task: StripTask) -> None:
        """Call the functions of a step that changes metadata of the frame."""
        prepared = None
        if task.step.prepare is not None:
            prepared = task.step.prepare(self.exposure, None, task.nodes(), task.options)
        if isinstance(prepared, Skip | NotApplicable):
            task.stop("SKIPPED" if isinstance(prepared, Skip) else "N/A", prepared.reason)
            self.journal.log("warning", f"{task.step.name}: {task.status}: {prepared.reason}")
        elif task.apply is not None:
            task.apply(self.exposure, task.nodes(), task.options, prepared)

    def _wcs(self):
        """The WCS as a gwcs object, whether made here or read from the file; None where there is none."""
        wcs = self.meta.get("wcs")
        return self.plan.product.node("meta.wcs") if isinstance(wcs, dict) else wcs

    def find_sources(self, task: StripTask) -> None:
        """Make the catalog; its files are written when the WCS is final."""
        outputs = self.products.outputs
        reason = cataloging.without_calibration(self.meta) or ("no WCS" if self._wcs() is None else None)
        if reason and self.request.single:
            raise InputError(reason, mend="run rt-assignwcs and rt-photom first", path=self.plan.product.path)
        if reason:
            task.stop("SKIPPED")
            for suffix in ("cat", "segm"):
                outputs.pop(suffix, None)
            self.journal.log("warning", f"{task.step.name}: SKIPPED: {reason}")
            return
        planes = cataloging.make_planes(self._planes()[0], self.meta, self._wcs())
        with announced(self.journal.tell):
            self.found = cataloging.find_sources(planes, self.meta, task.options, task.references, self.work)
        task.status = "COMPLETE" if self.found.complete else "INCOMPLETE"
        self.summary = (cataloging.summary_of(self.found, task.options),)
        if "cat" in outputs:
            self.meta["source_catalog"] = {"tweakreg_catalog_name": outputs["cat"].name}

    def align(self, task: StripTask) -> None:
        """Put the correction into the image: one that was found for a group, or its own."""
        outcome = self.alignment or self._aligned(task)
        if isinstance(outcome, str):
            task.stop("SKIPPED")
            self.journal.log("warning", f"{task.step.name}: SKIPPED: {outcome}")
            return
        alignment = outcome.alignment
        aligned.record(self.meta, alignment, outcome.number)
        task.status = alignment.status
        level = "warning" if alignment.status == "FAILED" and not self.request.strict else "info"
        self.journal.log(level, aligned.told(alignment))
        self.failure = alignment.reason
        if alignment.status == "COMPLETE" and self.found is not None:
            source_catalog.place_on_sky(self.found.values, self.meta["wcs"])
        elif alignment.status == "COMPLETE" and self.request.update_catalog:
            self.products.keep(aligned.stage_updated(outcome, self.meta["wcs"], self.request.tool))
        if self.request.matches and outcome.number == 0:
            self.products.keep(aligned.stage_matches(self.request.matches, outcome))

    def _aligned(self, task):
        """What comes of this image alone, its sources those just found or those of its catalog file; or why nothing."""
        wcs = self._wcs()
        if wcs is None:
            return "no WCS"
        columns = None if self.found is None else self.found.values
        member = aligning.member_of(self.plan, self.request, self.meta, wcs, columns=columns, log=self.journal.log)
        if member is None:
            return "the image has no catalog"
        return aligning.align([member], task.options, self.work)[0]

    # -- products -------------------------------------------------------------------------------------------------

    def _planes(self):
        """Planes and jump positions of the image as it stands."""
        product = self.plan.product
        jumps = product.array("jump_indices") if product.has("jump_indices") else None
        if self.image_sink is not None:
            found = self.image_sink.jumps()
            return self.image_sink.planes, jumps if found is None else found
        return {name: product.array(name, self.work) for name in IMAGE_PLANES if product.has(name)}, jumps

    def _beside(self) -> dict[str, Any]:
        """Arrays beside ramp or image."""
        return {"amp33": self.exposure.amp33, **self.exposure.borders}

    def _write_image(self, suffix):
        planes, jumps = self._planes()
        if suffix == self.plan.main and self.image_sink is not None:
            for name, count in self.image_sink.overflows().items():
                self.journal.log("warning", f"{count} values of {name} are beyond its dtype and became infinite")
        self.products.write_image(suffix, self.meta, planes, {**self._beside(), "jump_indices": jumps})

    def _write_cal(self):
        self.meta["cal_step"].update(self.plan.untouched)
        self.products.write_wcs(self.meta, self._wcs())
        self._write_image("cal")

    def _stage_sources(self, found):
        """Catalog and segmentation map, when the WCS is final."""
        plan, meta, outputs = self.plan, self.meta, self.products.outputs
        if plan.main != "cat":  # the image is written, too
            meta = stamp_file("l2_image", meta, outputs[plan.main])
        task = next(task for task in self.tasks if task.step.finds_sources)
        files = catalog_files.CatalogFiles(
            outputs=outputs,
            image_kind="l2_image",
            profile=plan.profile,
            options=task.options,
            references=task.references,
            inputs=(plan.name,),
            history=tuple(plan.product.history),
        )
        for stage in catalog_files.stage(files, self.request, found, meta, self.work):
            self.products.keep(stage)

    def _result(self, outputs):
        seconds = {task.step.name: sum(task.times) for task in self.tasks}
        seconds |= {"write": self.products.seconds, "total": time.perf_counter() - self.started}
        return Result(
            input=self.plan.name,
            outputs=tuple(outputs),
            statuses=dict(self.meta["cal_step"]),
            seconds=seconds,
            peak_memory=peak_memory(),
            failure=f"not aligned: {self.failure}" if self.failure and self.request.strict else "",
            catalogs=self.summary,
            warnings=tuple(self.journal.warned),
            measures=metadata.measures(self.meta),
        )
