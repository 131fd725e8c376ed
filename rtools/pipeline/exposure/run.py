"""Carrying out a plan: engine, metadata, provenance, products.

The main product appears last, and nothing appears before all of it is written.
"""

import copy
import resource
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from rtools.catalog import source_catalog
from rtools.declare import NotApplicable, Skip
from rtools.errors import InputError
from rtools.exposure.steps.dqinit import ramp_meta
from rtools.pipeline.astrometry import align as aligning
from rtools.pipeline.catalog import single as cataloging
from rtools.pipeline.exposure import chain, warm
from rtools.pipeline.exposure.engine import Engine
from rtools.pipeline.exposure.sinks import ImageSink, RampSink
from rtools.pipeline.exposure.source import IMAGE_PLANES, open_exposure
from rtools.pipeline.job.compiling import announced
from rtools.pipeline.job.process import settled
from rtools.products.io import writer
from rtools.products.schema import history, layout
from rtools.products.schema.blocks import stamp_file
from rtools.wfi.frame import CHANNEL
from rtools.wfi.gwcs_frames import level1_wcs
from rtools.work.statistics import image_statistics

__all__ = ["ExposureResult", "execute"]


@dataclass
class ExposureResult:
    """What a run did.

    Attributes
    ----------
    outputs : list of Path
        In the order in which they appeared, the main product last.
    statuses : dict
        cal_step key to status.
    seconds : dict
        Step, "read", "write", "total" to seconds; steps are summed over threads.
    peak_memory : int
        ru_maxrss of the process in bytes.
    failure : str
        Why an alignment was refused; empty otherwise.
    catalog : dict or None
        What is told of the catalog that was made (`rtools.pipeline.catalog.single.told_of`).
    """

    outputs: list = field(default_factory=list)
    statuses: dict = field(default_factory=dict)
    seconds: dict = field(default_factory=dict)
    peak_memory: int = 0
    failure: str = ""
    catalog: dict | None = None


def execute(plan, request, journal, work):
    """Run a plan and write its products.

    Parameters
    ----------
    plan : rtools.pipeline.exposure.plan.ExposurePlan
    request : rtools.pipeline.exposure.plan.ExposureRequest
    journal : rtools.pipeline.job.journal.Journal
        Takes messages; its lines end in `meta.cal_logs`.
    work : rtools.work.Work
        Threads, and progress in strips.

    Returns
    -------
    ExposureResult
    """
    with settled():
        if plan.product.kind == "l3_coadd":
            return _mosaic_catalog(plan, request, journal, work.with_log(journal.log))
        return ExposureRun(plan, request, journal, work.with_log(journal.log)).carry_out()


def _mosaic_catalog(plan, request, journal, work):
    """The catalog of a mosaic, which is not an exposure."""
    started, task = time.perf_counter(), plan.tasks[0]
    journal.begin(plan)
    planes = cataloging.planes_of(plan.product, work)
    with announced(journal.tell):
        found = cataloging.find_sources(planes, plan.product.meta, task.options, task.sources, work)
    staged = cataloging.stage(plan, request, found, plan.product.meta, work)
    outputs = [stage.commit() for stage in staged]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seconds = time.perf_counter() - started
    return ExposureResult(outputs, {}, {"catalog": seconds, "total": seconds}, peak,
                  catalog=cataloging.told_of(found, task.options))  # fmt: skip


class ExposureRun:
    """State of one run; the methods are its stages, in order.

    `apply_to_frame`, `find_sources` and `align` are what a step that works on the whole image asks for
    (`rtools.declare.Step.carry_out`).
    """

    def __init__(self, plan, request, journal, work):
        self.plan = plan
        self.request = request
        self.journal = journal
        self.work = work
        self.started = time.perf_counter()
        self.meta = copy.deepcopy(plan.product.meta)
        self.exposure = open_exposure(plan.source, self.meta, journal.log)
        self.strip_tasks = [task for task in plan.tasks if task.step.works_on_strips]
        self.saturation = next(step for step in map(chain.step_of, chain.order()) if step.is_saturated)
        self.image_sink = None
        self.found = None
        self.told = None
        self.failure = ""
        self.ramp_writers = {}
        self.staged = []
        self.said = set()
        self.write_seconds = 0.0

    def carry_out(self):
        plan = self.plan
        aside = None
        self.journal.begin(plan)
        try:
            with (
                Engine(plan.source, self.exposure, self.strip_tasks, self.work, label=plan.name) as engine,
                ExitStack() as stack,
            ):
                if self.strip_tasks:
                    engine.read_ahead()
                    stack.enter_context(announced(self.journal.tell))
                saturated = self._prepare(engine)
                if self.work.threads > 1:
                    aside = warm.begin(plan.tasks)
                self._begin()
                self._open_sinks()
                if self.strip_tasks:
                    engine.run()
            if aside is not None:
                aside.join()
            for task in plan.tasks:
                self._finish(task, saturated)
            if self.found is not None and "cat" in plan.outputs:
                self._stage_sources()
            if plan.main == "cal":
                self._write_cal()
            main = plan.outputs[plan.main]
            outputs = [stage.commit() for stage in sorted(self.staged, key=lambda stage: stage.path == main)]
        except BaseException:
            for stage in [*self.ramp_writers.values(), *self.staged]:
                stage.discard()
            raise
        return self._result(outputs)

    # -- before the strips ----------------------------------------------------------------------------------------

    def _prepare(self, engine):
        """Prepare the strip tasks; find out on the way whether everything is saturated."""
        tasks = self.strip_tasks
        boundary = self._saturation_boundary()
        engine.prepare(0, boundary)
        saturated = self._all_saturated(engine, boundary)
        if saturated and self.request.single and any(step.finds_sources or step.aligns for step in self._steps()):
            raise InputError("every science pixel is saturated: there is no image", path=self.plan.product.path)
        if saturated:
            self.journal.log("warning", "every science pixel is saturated in every resultant; no slopes are fitted")
            for task in self.plan.tasks:
                if task in tasks[:boundary]:
                    continue
                task.stop("SKIPPED")
                task.sources = dict.fromkeys(task.sources)
                if task.step.apply_saturated is not None:
                    task.apply, task.active = task.step.apply_saturated, True
        engine.prepare(boundary, len(tasks))
        return saturated

    def _steps(self):
        """Declarations of the steps of this run."""
        return [task.step for task in self.plan.tasks]

    def _saturation_boundary(self):
        """How many of the strip tasks are done when saturation has been flagged."""
        order = chain.order()
        flagging = order.index(self.saturation.name)
        return sum(order.index(task.step.name) <= flagging for task in self.strip_tasks)

    def _all_saturated(self, engine, boundary):
        if self.plan.source.kind == "l2_image":
            return (self.meta.get("cal_step") or {}).get("ramp_fit") == "SKIPPED"
        if boundary == len(self.strip_tasks):
            return False
        done = (self.meta.get("cal_step") or {}).get(self.saturation.cal_step)
        ran = any(task.step.is_saturated and task.active for task in self.strip_tasks[:boundary])
        if not ran and done != "COMPLETE":
            return False
        spans = ((c * CHANNEL, (c + 1) * CHANNEL) for c in range(engine.channels))
        is_saturated = self.saturation.is_saturated
        return all(is_saturated(engine.strip(boundary, *span, keep=span[0] == 0)) for span in spans)

    def _begin(self):
        """Metadata of a product of this chain: every cal_step key, log, reference entries."""
        recorded = self.meta.get("cal_step") or {}
        self.meta["cal_step"] = {key: str(recorded.get(key, "INCOMPLETE")) for key in chain.cal_steps()} | {
            key: str(value) for key, value in recorded.items()
        }
        self.meta["cal_logs"] = [str(line) for line in self.meta.get("cal_logs") or []]
        if self.plan.product.kind == "l1_uncal":
            self.meta = self.exposure.meta = ramp_meta(self.meta)

    def _open_sinks(self):
        plan = self.plan
        dtypes = layout.dtypes("l2_image", plan.profile)
        image_tasks = [task for task in self.strip_tasks if not task.step.writes_ramp]
        for task in self.strip_tasks:
            wanted = task.step.suffix in plan.outputs and (task.active or task.step.suffix == plan.main)
            if task.step.writes_ramp and wanted:
                self.ramp_writers[task.step.name] = self._ramp_writer(plan.outputs[task.step.suffix])
                task.sinks.append(RampSink(self.ramp_writers[task.step.name]))
            elif not task.step.writes_ramp and (wanted or task is image_tasks[-1]):
                task.sinks.append(ImageSink(self.exposure.shape[1:], dtypes))

    def _ramp_writer(self, path):
        return writer.RampWriter(path, self.meta, self.exposure.shape, profile=self.plan.profile)

    # -- after the strips -----------------------------------------------------------------------------------------

    def _finish(self, task, saturated):
        """Metadata of one step, in the order of the chain, and its product where it is wanted."""
        step, meta = task.step, self.meta
        if task.active and not step.works_on_strips:
            started = time.perf_counter()
            step.carry_out(self, task)
            task.times.append(time.perf_counter() - started)
        if step.fits_ramp:
            self._become_image()
        elif not step.writes_ramp and saturated:
            meta["wcs"] = None
        for use in step.references:
            if use.type in task.sources:
                source = task.sources[use.type]
                meta.setdefault("ref_file", {})[use.type] = "N/A" if source is None else source.label
        if step.report is not None and task.active:
            for level, text in step.report(task.total(), task.options):
                self.journal.log(level, f"{step.name}: {text}")
        for sink in task.sinks:
            if isinstance(sink, ImageSink):
                self.image_sink = sink
        meta["cal_step"][step.cal_step] = task.status
        if not task.reason:
            self.journal.log("info", f"{step.name}: {task.status}" + (f" {task.note}" if task.note else ""))
        if step.suffix in self.plan.outputs and (task.active or step.suffix == self.plan.main):
            if step.writes_ramp:
                self._write_ramp(task)
            else:
                self._write_image(step.suffix)

    def apply_to_frame(self, task):
        """Call the functions of a step that changes metadata of the frame."""
        prepared = None
        if task.step.prepare is not None:
            prepared = task.step.prepare(self.exposure, None, task.nodes(), task.options)
        if isinstance(prepared, Skip | NotApplicable):
            task.stop("SKIPPED" if isinstance(prepared, Skip) else "N/A", prepared.reason)
            self.journal.log("warning", f"{task.step.name}: {task.status}: {prepared.reason}")
        else:
            task.apply(self.exposure, task.nodes(), task.options, prepared)

    def _wcs(self):
        """The WCS as a gwcs object, whether made here or read from the file; None where there is none."""
        wcs = self.meta.get("wcs")
        return self.plan.product.node("meta.wcs") if isinstance(wcs, dict) else wcs

    def find_sources(self, task):
        """The catalog; its files are written when the WCS is final."""
        reason = cataloging.without_calibration(self.meta) or ("no WCS" if self._wcs() is None else None)
        if reason and self.request.single:
            raise InputError(reason, mend="run rt-assignwcs and rt-photom first", path=self.plan.product.path)
        if reason:
            task.stop("SKIPPED")
            self.plan.outputs = {key: path for key, path in self.plan.outputs.items() if key not in ("cat", "segm")}
            self.journal.log("warning", f"catalog: SKIPPED: {reason}")
            return
        planes = cataloging.make_planes(self._planes()[0], self.meta, self._wcs())
        with announced(self.journal.tell):
            self.found = cataloging.find_sources(planes, self.meta, task.options, task.sources, self.work)
        task.status = "COMPLETE" if self.found.complete else "INCOMPLETE"
        self.told = cataloging.told_of(self.found, task.options)
        if "cat" in self.plan.outputs:
            self.meta["source_catalog"] = {"tweakreg_catalog_name": self.plan.outputs["cat"].name}

    def _become_image(self):
        """What an L2 image says and a ramp does not."""
        self.meta["product_type"] = "l2"
        self.meta.setdefault("wcs", None)
        for block, values in layout.image_defaults().items():
            self.meta.setdefault(block, values)
        self.meta["photometry"] = layout.image_defaults()["photometry"]  # raw files carry fill values

    # -- products -------------------------------------------------------------------------------------------------

    def _history(self):
        request, plan = self.request, self.plan
        mine = history.entry(
            request.tool,
            parameters={task.step.name: task.options for task in plan.tasks},
            references={
                kind: source for task in plan.tasks for kind, source in task.sources.items() if source is not None
            },
            inputs=[plan.name],
        )
        return [*plan.product.history, mine]

    def _write_ramp(self, task):
        started = time.perf_counter()
        ramp = self.ramp_writers.pop(task.step.name)
        extra = {"amp33": self.exposure.amp33, **self.exposure.borders}
        self.meta["cal_logs"] = self._logs()
        self._keep(
            ramp.finish(self.meta, extra, history=self._history(), compression=self.request.compression, work=self.work)
        )
        self.write_seconds += time.perf_counter() - started

    def _write_image(self, suffix):
        started = time.perf_counter()
        planes, jumps = self._planes()
        extra = {"amp33": self.exposure.amp33, **self.exposure.borders}
        if jumps is not None:
            extra["jump_indices"] = jumps
        if suffix == self.plan.main and self.image_sink is not None:
            for name, count in self.image_sink.overflows().items():
                self.journal.log("warning", f"{count} values of {name} are beyond its dtype and became infinite")
        good = image_statistics(planes["data"], planes["dq"], planes["err"], self.work)
        self.meta["statistics"] = {"zodiacal_light": -1.0, **good}
        self.meta["cal_logs"] = self._logs()
        arrays = planes | {name: array for name, array in extra.items() if array is not None}
        self._stage(suffix, "l2_image", self.meta, arrays)
        self.write_seconds += time.perf_counter() - started

    def _write_cal(self):
        self.meta["cal_step"].update(self.plan.untouched)
        wcs = self._wcs()
        transforms = {} if wcs is None else {"wcs_l2": wcs, "wcs_l1": level1_wcs(wcs)}
        if "wcs" in self.plan.outputs:
            blocks = {field.path.split(".")[0] for field in layout.fields("wcs", self.plan.profile)}
            meta = {name: value for name, value in self.meta.items() if name in blocks}
            self._stage("wcs", "wcs", meta, {}, transforms)
        self._write_image("cal")

    def align(self, task):
        """The outcome for this image of an alignment, which may have been found for a group already."""
        outcome = task.prepared or self._aligned(task)
        if isinstance(outcome, str):
            task.stop("SKIPPED")
            self.journal.log("warning", f"tweakreg: SKIPPED: {outcome}")
            return
        alignment = outcome.alignment
        aligning.record(self.meta, alignment, outcome.number)
        task.status = alignment.status
        level = "warning" if alignment.status == "FAILED" and not self.request.strict else "info"
        self.journal.log(level, aligning.told(alignment))
        self.failure = alignment.reason
        if alignment.status == "COMPLETE" and self.found is not None:
            source_catalog.place_on_sky(self.found.values, self.meta["wcs"])
        elif alignment.status == "COMPLETE" and self.request.update_catalog:
            self._keep(aligning.stage_updated(outcome, self.meta["wcs"], self.request.tool))
        if self.request.matches and outcome.number == 0:
            self._keep(aligning.stage_matches(self.request.matches, outcome))

    def _aligned(self, task):
        """This image alone, its sources those just found or those of its catalog file; or why not."""
        wcs = self._wcs()
        if wcs is None:
            return "no WCS"
        columns = None if self.found is None else self.found.values
        member = aligning.member_of(self.plan, self.request, self.meta, wcs, columns=columns, log=self.journal.log)
        if member is None:
            return "the image has no catalog"
        return aligning.align([member], task.options, self.work)[0]

    def _stage_sources(self):
        """Catalog and segmentation map, when the WCS is final."""
        meta = self.meta
        if self.plan.main != "cat":  # the image is written, too
            meta = stamp_file("l2_image", meta, self.plan.outputs[self.plan.main])
        for stage in cataloging.stage(self.plan, self.request, self.found, meta, self.work):
            self._keep(stage)

    def _stage(self, suffix, kind, meta, arrays, extra=None):
        stage = writer.stage_product(
            self.plan.outputs[suffix],
            kind,
            meta,
            arrays,
            extra=extra,
            profile=self.plan.profile,
            compression=self.request.compression or "lz4",
            history=self._history(),
            work=self.work,
        )
        self._keep(stage)

    def _keep(self, stage):
        """Hold a written file for the end of the run; say what the profile made drop or replace."""
        self.staged.append(stage)
        for text in stage.messages:
            if text not in self.said:
                self.said.add(text)
                self.journal.log("warning", text)

    def _planes(self):
        """Planes and jump positions of the image as it stands."""
        product = self.plan.product
        jumps = product.array("jump_indices") if product.has("jump_indices") else None
        if self.image_sink is not None:
            found = self.image_sink.jumps()
            return self.image_sink.planes, jumps if found is None else found
        planes = {name: product.array(name, self.work) for name in IMAGE_PLANES if product.has(name)}
        return planes, jumps

    def _logs(self):
        old = self.plan.product.meta.get("cal_logs") or []
        return [*map(str, old), *self.journal.lines]

    def _result(self, outputs):
        seconds = {task.step.name: sum(task.times) for task in self.plan.tasks}
        seconds |= {"write": self.write_seconds, "total": time.perf_counter() - self.started}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return ExposureResult(outputs, dict(self.meta["cal_step"]), seconds, peak, self.failure, self.told)
