"""Carrying out the plan of one JWST exposure: what steps need of the whole image, blocks, products."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from rtools import __version__
from rtools.declare import NotApplicable, Skip
from rtools.exposure.jwst import refpix
from rtools.exposure.jwst.images import RatePlanes
from rtools.jwst.instrument import REFERENCE_WIDTH
from rtools.pipeline.exposure.request import ExposureRequest
from rtools.pipeline.job.job import Result
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.process import PROCESS_BYTES, peak_memory, settled
from rtools.pipeline.job.steps import StepPlan
from rtools.pipeline.jwst import engine, source
from rtools.pipeline.jwst.background import BackgroundBlocks
from rtools.pipeline.jwst.forms import ProductFile, form_of
from rtools.pipeline.jwst.plan import RAMPS, JwstPlan, suffix_of
from rtools.pipeline.jwst.references import CutReference
from rtools.pipeline.jwst.revision import FlagFile, revision_of, touched
from rtools.pipeline.jwst.sky import sky_of_image
from rtools.products.schema.history import stamp
from rtools.work import Work

__all__ = ["BUDGET", "budget_of", "execute"]

BUDGET = 320 << 20
"""Bytes of all blocks that are worked on at a time, at most: with more nothing is quicker."""

LEAST = 8 << 20
"""And at least, however little memory is allowed: a process takes many times that without any block."""


def budget_of(max_memory: float) -> int:
    """Bytes of all blocks that are worked on at a time.

    Parameters
    ----------
    max_memory : float
        GiB that the process may use, about.

    Returns
    -------
    int
    """
    return min(max(int(max_memory * 2**30 - PROCESS_BYTES), LEAST), BUDGET)


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
        self.started, self.budget = time.perf_counter(), budget_of(request.max_memory)
        self.exposure = replace(plan.exposure, log=self.journal.log)
        self.sources: dict[str, engine.BlockReference] = dict(_cut_references(plan.steps))
        if plan.backgrounds:
            self.sources["background"] = BackgroundBlocks(plan.product, plan.backgrounds)
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
        outputs = [one.commit() for one in files.values()]
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
            if step.name == "refpix" and not isinstance(prepared, Skip):
                prepared = self._offsets(ramps, prepared)
            if isinstance(prepared, Skip | NotApplicable):
                self._settle(planned, prepared)
                continue
            if not step.works_on_strips:
                self._place_on_sky(planned)
            also = ("background",) if step.name == "bsub" else ()
            made = engine.BlockStep(step, options, prepared, (*planned.references, *also))
            (ramps if step.reads_ramp else images).append(made)
            if step.name == "photom":
                self._note_photometry(prepared)
        return ramps, images

    def _settle(self, planned: StepPlan, reason: Skip | NotApplicable) -> None:
        self.statuses[planned.step.cal_step] = "SKIPPED"  # also of what is not needed, as the mission's pipeline says
        self.journal.log("warning" if isinstance(reason, Skip) else "info", f"{planned.step.name}: {reason.reason}")

    def _offsets(self, before: Sequence[engine.BlockStep], how: Any) -> Any:
        """What the reference pixels of the whole image show, after the steps before; `how` is what refpix prepared."""
        integrations, groups, rows, columns = self.exposure.shape
        if min(rows, columns) < 2 * REFERENCE_WIDTH:
            return Skip("the image has no room for reference pixels")
        at_a_time = self.budget // 4 // self.work.threads
        most = max(at_a_time // (2 * (rows + columns) * REFERENCE_WIDTH * groups * engine.BYTES_OF_SAMPLE), 1)

        def measure(some: slice) -> Any:
            return refpix.measure_offsets(self._edges(before, some), *how)

        found = self.work.map(measure, list(engine.spans(integrations, most)))
        return refpix.joined(found) if found[0] is not None else Skip("there are no reference pixels")

    def _edges(self, before, integrations):
        """The image's first and last rows, and its first and last columns, of some integrations."""
        whole, first, last = slice(None), slice(None, REFERENCE_WIDTH), slice(-REFERENCE_WIDTH, None)
        blocks = []
        for rows, columns in ((first, whole), (last, whole), (whole, first), (whole, last)):
            block = source.ramp_block(self.plan.product, rows, columns, integrations)
            cut = engine.BlockCut(self.sources, block.rows, block.columns)
            for one in before:
                one.apply(block, cut.of(one.references))
            blocks.append(block)
        return tuple(blocks)

    def _place_on_sky(self, planned: StepPlan) -> None:
        tree, cards = sky_of_image(planned, self.exposure)
        if self.plan.product.tree_bytes() is None:
            self.journal.log("warning", "assignwcs: the file has no extension ASDF; only its header gets coordinates")
            tree.pop("meta.wcs")
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
        """All products, laid out, but for those of steps that turned out not to be done."""
        made: dict[str, ProductFile] = {}
        idle = {one.step.suffix for one in self.plan.steps if self.statuses[one.step.cal_step] != "COMPLETE"}
        try:
            for suffix, path in self.plan.outputs.items():
                if suffix in idle and suffix != self.plan.main:
                    continue
                made[suffix] = self._file(suffix, path, [one.file.stage.path.name for one in made.values()])
        except BaseException:
            for one in made.values():
                one.discard()
            raise
        return made

    def _file(self, suffix: str, path: Path, beside: Sequence[str]) -> ProductFile:
        """A product, laid out; the main one knows those beside it."""
        steps = self._steps_until(suffix)
        done = {one.step.name for one in steps if self.statuses[one.step.cal_step] == "COMPLETE"}
        ramp = self.plan.product.kind in RAMPS and not any(one.step.fits_ramp for one in steps)
        product = self.plan.product
        apart = suffix.endswith("ints") or (self.plan.apart and suffix != "rate")
        what = "ramp" if ramp else "integrations" if apart else "image"
        form = form_of(what, self.exposure.shape, self._further(done))
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
        inputs = [self.plan.name, *(str(other.path) for other in self.plan.backgrounds if "bsub" in done)]
        entry = self.request.entry(parameters=parameters, references=references, inputs=inputs)
        main = self.plan.main
        entry |= {"companions": beside} if suffix == main else {"main": self.plan.outputs[main].name}
        return ProductFile(path, product, form, tree, cards=cards, history=[entry])

    def _further(self, done: set[str]) -> set[str]:
        """Images that not all products of a kind have."""
        product = self.plan.product
        there = {
            "VAR_FLAT": product.has("var_flat") or "flat" in done,
            "AREA": product.has("area") or ("photom" in done and "area" in self.sources),
            "ZEROFRAME": product.has("zeroframe"),
            "AVDRKCUR": product.has("average_dark_current") or ("dark" in done and self._dark_rate() > 0),
        }
        return {name for name, is_there in there.items() if is_there}

    def _dark_rate(self) -> float:
        return max((one.options["average_dark"] for one in self.plan.steps if one.step.name == "dark"), default=0.0)

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
        scale = [one for one in images if one.step.name == "gainscale"]
        later = [one for one in images if one.step.name != "gainscale"]

        def keep(what: str, place: engine.Place, made: Any) -> None:
            if isinstance(made, RatePlanes):
                self._keep_rates(what, place, made, (scale, later), files)
            elif (file := self._file_of(what, files)) is not None:
                file.take_ramp(place, made)

        blocks = self._blocks(engine.halo_of(ramps))
        revised = revision_of(ramps)
        if revised is None:
            self._carry_ramps(blocks, ramps, keep)
            return
        store = FlagFile(files[self.plan.main].file.stage.path.parent, self.exposure.shape, revised.search.kinds)
        with closing(store):
            self._carry_ramps(blocks, ramps, revised.keeping(store, keep))
            found = revised.find(store, self.work, self.budget)
        areas = [one for each in found for one in each]
        self.journal.log("info", f"{revised.step.step.name}: {len(areas)} areas flagged for large events")
        self._carry_ramps(touched(blocks, areas, self.exposure.shape[2:]), revised.informed(ramps, found), keep)

    def _carry_ramps(self, blocks, steps, keep) -> None:
        def carry(place: engine.Place) -> None:
            engine.carry_ramp(partial(source.ramp_block, self.plan.product), steps, self.sources, place, keep)

        self._in_blocks(blocks, carry, engine.halo_of(steps))

    def _blocks(self, halo) -> list[engine.Place]:
        """Blocks of the image that all threads together have room for."""
        return engine.blocks_for(self.exposure.shape, halo, self.budget // self.work.threads, self._planes())

    def _planes(self) -> int:
        return sum(one.planes for one in self.sources.values())

    def _in_blocks(self, blocks, carry, halo) -> None:
        """Call ``carry(place)`` for blocks of the image."""
        if not blocks:
            return
        size = max(engine.bytes_of(self.exposure.shape, one, halo, self._planes()) for one in blocks)
        room = BoundedSemaphore(max(self.budget // size, 1))
        with self.work.progress(self.plan.name, len(blocks)) as progress:

            def carried(place: engine.Place) -> None:
                with room:
                    carry(place)
                progress.advance(1)

            self.work.map(carried, blocks)

    def _file_of(self, suffix, files):
        """The file that takes what a step on ramps makes; what there is at last is the main product."""
        if suffix == engine.LAST:
            return files[self.plan.main]
        return files.get(suffix) if suffix != self.plan.main else None

    def _keep_rates(self, what, place, image, steps, files) -> None:
        """Write a rate, and go on to the image where it is made of this one."""
        scale, later = steps
        engine.carry_image(image, scale, self.sources, place, lambda *_: None)
        if what in files:
            files[what].take_image(place, image)
        goes_on = what == ("rateints" if self.plan.apart else "rate")
        if goes_on and self.plan.main not in ("rate", "rateints"):
            self._finish_image(image, later, place, files)

    def _finish_image(self, image, steps, place, files) -> None:
        called = {one.step.suffix: suffix_of(one.step, apart=self.plan.apart) for one in steps}

        def keep(suffix, place, made):
            suffix = called[suffix]
            if suffix in files and suffix != self.plan.main:
                files[suffix].take_image(place, made)

        engine.carry_image(image, steps, self.sources, place, keep)
        if self.plan.main in files:
            files[self.plan.main].take_image(place, image)

    def _through_images(self, images, files) -> None:
        def carry(place: engine.Place) -> None:
            self._finish_image(source.image_block(self.plan.product, place), images, place, files)

        self._in_blocks(self._blocks(0), carry, 0)


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
