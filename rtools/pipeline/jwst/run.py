"""Carrying out the plan of one JWST exposure: what steps need of the whole image, blocks, products."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from rtools import __version__
from rtools.declare import NotApplicable, Skip
from rtools.exposure.jwst import refpix
from rtools.exposure.jwst.images import RatePlanes
from rtools.jwst.instrument import REFERENCE_WIDTH
from rtools.pipeline.exposure.request import ExposureRequest
from rtools.pipeline.job.job import Result
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.process import peak_memory, settled
from rtools.pipeline.job.steps import StepPlan
from rtools.pipeline.jwst import engine, source
from rtools.pipeline.jwst.background import BackgroundBlocks
from rtools.pipeline.jwst.forms import ProductFile, form_of
from rtools.pipeline.jwst.plan import RAMPS, JwstPlan, suffix_of
from rtools.pipeline.jwst.references import CutReference
from rtools.pipeline.jwst.sky import sky_of_image
from rtools.products.schema.history import entry, stamp
from rtools.work import Work

__all__ = ["BUDGET", "execute"]

BUDGET = 256 << 20
"""Bytes of all blocks that are worked on at a time."""


def execute(plan: JwstPlan, request: ExposureRequest, work: Work) -> Result:
    """Carry out a plan and write its products.

    Parameters
    ----------
    plan : JwstPlan
        What was decided.
    request : ExposureRequest
        What was asked.
    work : rtools.work.Work
        Threads, log and progress.

    Returns
    -------
    Result
    """
    with settled():
        return _Run(plan, request, work).carry_out()


class _Run:
    """State of one run; the methods are its stages."""

    def __init__(self, plan: JwstPlan, request: ExposureRequest, work: Work):
        self.plan, self.request = plan, request
        self.journal = Journal(work.log, plan.name)
        self.work = work.with_log(self.journal.log)
        self.started = time.perf_counter()
        self.exposure = replace(plan.exposure, log=self.journal.log)
        self.sources: dict[str, engine.BlockReference] = dict(_cut_references(plan.steps))
        self.integrations = plan.exposure.shape[0]
        if plan.backgrounds:
            shown = BackgroundBlocks(plan.product, plan.backgrounds)
            self.sources["background"] = shown
            self.integrations += shown.integrations
        self.statuses: dict[str, str] = {one.step.cal_step: one.status for one in plan.steps}
        self.facts: dict[str, Any] = {}
        self.cards: dict[str, Any] = {}

    def carry_out(self) -> Result:
        """Prepare, go through blocks, give products their names."""
        self.journal.begin(self.plan)
        ramp_steps, image_steps = self._prepared()
        with ExitStack() as stack:
            files = self._files()
            for one in files.values():
                stack.callback(one.discard)
            if self.plan.product.kind in RAMPS:
                self._through_ramps(ramp_steps, image_steps, files)
            else:
                self._through_images(image_steps, files)
            stack.pop_all()
        outputs = [files[suffix].commit() for suffix in self.plan.outputs]
        return Result(
            input=self.plan.name,
            outputs=tuple(outputs),
            statuses=self.statuses,
            seconds={"total": time.perf_counter() - self.started},
            peak_memory=peak_memory(),
            warnings=tuple(self.journal.warned),
        )

    def _prepared(self):
        """Steps on ramps and steps on images, each with what it prepared; those that cannot be done are left out."""
        ramps: list[engine.BlockStep] = []
        images: list[engine.BlockStep] = []
        for planned in self.plan.steps:
            if not planned.active:
                continue
            step, options = planned.step, dict(planned.options)
            prepared = step.prepare(self.exposure, options) if step.prepare else None
            if step.name == "refpix":
                prepared = self._offsets(ramps, prepared)
            if isinstance(prepared, Skip | NotApplicable):
                self._settle(planned, prepared)
                continue
            if not step.works_on_strips:
                self._place_on_sky(planned)
                continue
            also = ("background",) if step.name == "bsub" else ()
            made = engine.BlockStep(step, options, prepared, (*planned.references, *also))
            (ramps if step.reads_ramp else images).append(made)
            if step.name == "photom":
                self._note_photometry(prepared)
        return ramps, images

    def _settle(self, planned: StepPlan, reason: Skip | NotApplicable) -> None:
        skipped = isinstance(reason, Skip)
        self.statuses[planned.step.cal_step] = "SKIPPED" if skipped else "COMPLETE"
        self.journal.log("warning" if skipped else "info", f"{planned.step.name}: {reason.reason}")

    def _offsets(self, before: Sequence[engine.BlockStep], how: Any) -> Any:
        """What the reference pixels of the whole image show, after the steps before; `how` is what refpix prepared."""
        rows, columns = self.exposure.shape[2:]
        whole, edge = slice(None), REFERENCE_WIDTH
        if min(rows, columns) < 2 * edge:
            return Skip("the image has no room for reference pixels")
        bottom, top = (self._edge(before, part, whole) for part in (slice(0, edge), slice(rows - edge, rows)))
        left, right = (self._edge(before, whole, part) for part in (slice(0, edge), slice(columns - edge, columns)))
        found = refpix.measure_offsets((bottom, top, left, right), *how)
        return found if found is not None else Skip("there are no reference pixels")

    def _edge(self, before, rows, columns):
        block = source.ramp_block(self.plan.product, rows, columns)
        cut = engine.BlockCut(self.sources, block.rows, block.columns)
        for one in before:
            one.apply(block, cut.of(one.references))
        return block

    def _place_on_sky(self, planned: StepPlan) -> None:
        tree, cards = sky_of_image(planned, self.exposure)
        self.facts |= tree
        self.cards |= cards

    def _note_photometry(self, found) -> None:
        from rtools.wfi.units import ARCSEC

        self.facts |= {
            "meta.photometry.conversion_megajanskys": found.factor,
            "meta.photometry.conversion_microjanskys": found.factor * 1e12 * ARCSEC**2,
            "meta.photometry.pixelarea_steradians": found.pixel_area_sr,
            "meta.photometry.pixelarea_arcsecsq": found.pixel_area_arcsec2,
        }

    def _files(self) -> dict[str, ProductFile]:
        """All products, laid out."""
        made: dict[str, ProductFile] = {}
        try:
            for suffix, path in self.plan.outputs.items():
                made[suffix] = self._file(suffix, path)
        except BaseException:
            for one in made.values():
                one.discard()
            raise
        return made

    def _file(self, suffix: str, path: Path) -> ProductFile:
        steps = self._steps_until(suffix)
        done = {one.step.name for one in steps if self.statuses[one.step.cal_step] == "COMPLETE"}
        ramp = self.plan.product.kind in RAMPS and not any(one.step.fits_ramp for one in steps)
        product = self.plan.product
        flat = product.has("var_flat") or "flat" in done
        area = product.has("area") or ("photom" in done and "area" in self.sources)
        apart = suffix.endswith("ints") or (self.plan.apart and suffix != "rate")
        what = "ramp" if ramp else "integrations" if apart else "image"
        form = form_of(what, self.exposure.shape, flat=flat, area=area, zero=product.has("zeroframe"))
        tree: dict[str, Any] = {f"meta.cal_step.{one.step.cal_step}": self.statuses[one.step.cal_step] for one in steps}
        for one in steps:
            tree |= {f"meta.ref_file.{kind}.name": found.label for kind, found in one.references.items() if found}
        unit = _unit(what, done)
        tree |= {"meta.date": stamp(), "meta.calibration_software_version": f"rtools {__version__}"}
        tree |= {"meta.bunit_data": unit} | ({"meta.bunit_err": unit} if what != "ramp" else {})
        if "assignwcs" in {one.step.name for one in steps}:
            tree |= {key: value for key, value in self.facts.items() if not key.startswith("meta.photometry")}
        if "photom" in done:
            tree |= {key: value for key, value in self.facts.items() if key.startswith("meta.photometry")}
        cards = self.cards if "assignwcs" in done else {}
        parameters = {f"{one.step.name}.{key}": value for one in steps for key, value in one.options.items()}
        references = {kind: found.label for one in steps for kind, found in one.references.items() if found}
        inputs = [product.path.name, *(other.path.name for other in self.plan.backgrounds if "bsub" in done)]
        record = entry(self.request.tool, parameters=parameters, references=references, inputs=inputs)
        return ProductFile(path, product, form, tree, cards=cards, history=[record])

    def _steps_until(self, suffix: str) -> list[StepPlan]:
        """Steps that a product has gone through."""
        steps = list(self.plan.steps)
        if suffix in ("rate", "rateints"):
            return [one for one in steps if one.step.reads_ramp or one.step.name == "gainscale"]
        for number, one in enumerate(steps):
            if suffix_of(one.step, apart=self.plan.apart) == suffix and suffix != self.plan.main:
                return steps[: number + 1]
        return steps

    def _through_ramps(self, ramps, images, files) -> None:
        shape, product = self.exposure.shape, self.plan.product
        halo = engine.halo_of(ramps)
        height = engine.height_for(shape, halo, BUDGET // max(self.work.threads, 1))
        scale = [one for one in images if one.step.name == "gainscale"]
        later = [one for one in images if one.step.name != "gainscale"]

        def keep(what: str, rows: slice, made: Any) -> None:
            if isinstance(made, RatePlanes):
                self._keep_rates(what, rows, made, (scale, later), files)
            elif (file := self._file_of(what, files)) is not None:
                file.take_ramp(rows, made)

        def carry(rows: slice) -> None:
            engine.carry_ramp(lambda part: source.ramp_block(product, part), ramps, self.sources, rows, shape[2], keep)
            progress.advance(rows.stop - rows.start)

        with self.work.progress(self.plan.name, shape[2]) as progress:
            self.work.map(carry, list(engine.spans(shape[2], height)))

    def _file_of(self, suffix, files):
        """The file that takes what a step on ramps makes; the last step makes the main product."""
        if suffix in files:
            return files[suffix]
        last = self.plan.steps[-1].step
        return files[self.plan.main] if last.writes_ramp and suffix == last.suffix else None

    def _keep_rates(self, what, rows, image, steps, files) -> None:
        """Write a rate, and go on to the image where it is made of this one."""
        scale, later = steps
        place = rows, slice(0, self.exposure.shape[3])
        engine.carry_image(image, scale, self.sources, place, lambda *_: None)
        if what in files:
            files[what].take_image(rows, image)
        goes_on = what == ("rateints" if self.plan.apart else "rate")
        if goes_on and self.plan.main not in ("rate", "rateints"):
            self._finish_image(image, later, place, files)

    def _finish_image(self, image, steps, place, files) -> None:
        called = {one.step.suffix: suffix_of(one.step, apart=self.plan.apart) for one in steps}

        def keep(suffix, rows, made):
            suffix = called[suffix]
            if suffix in files and suffix != self.plan.main:
                files[suffix].take_image(rows, made)

        engine.carry_image(image, steps, self.sources, place, keep)
        if self.plan.main in files:
            files[self.plan.main].take_image(place[0], image)

    def _through_images(self, images, files) -> None:
        rows, columns = self.exposure.shape[2:]
        height = max(engine.SMALLEST, (BUDGET // self.work.threads) // (self.integrations * columns * 64))

        def carry(part: slice) -> None:
            image = source.image_block(self.plan.product, part)
            self._finish_image(image, images, (part, slice(0, columns)), files)
            progress.advance(part.stop - part.start)

        with self.work.progress(self.plan.name, rows) as progress:
            self.work.map(carry, list(engine.spans(rows, height)))


def _cut_references(steps: Sequence[StepPlan]) -> Mapping[str, CutReference]:
    """References by type, with the arrays that any step reads."""
    names: dict[str, tuple[str, ...]] = {}
    found: dict[str, Any] = {}
    for one in steps:
        for use in one.step.references:
            if one.active and one.references.get(use.type) is not None:
                names[use.type] = tuple(dict.fromkeys((*names.get(use.type, ()), *use.planes)))
                found[use.type] = one.references[use.type]
    return {kind: CutReference(source, names[kind]) for kind, source in found.items() if names[kind]}


def _unit(what: str, done: set[str]) -> str:
    if what == "ramp":
        return "DN"
    return "MJy/sr" if "photom" in done else "DN/s"
