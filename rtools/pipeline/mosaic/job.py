"""The job of a mosaic: images, or exposures that are calibrated in the same run, become coadds or images again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from rtools.errors import InputError
from rtools.pipeline.job.job import (
    Addition,
    Cost,
    Description,
    Job,
    JobProducts,
    Outcome,
    PlannedMember,
    PlannedStep,
    Result,
)
from rtools.pipeline.job.outputs import check_outputs, refuse_several
from rtools.pipeline.mosaic.add import open_joined, refuse_options
from rtools.pipeline.mosaic.choices import parse_options, refuse_foreign
from rtools.pipeline.mosaic.grid import check_words, weight_of
from rtools.pipeline.mosaic.members import refuse_elements
from rtools.pipeline.mosaic.outputs import mosaic_outputs, mosaic_root, step_outputs
from rtools.pipeline.mosaic.plan import Mosaic, MosaicPlan, make_plan, plan_catalog
from rtools.pipeline.mosaic.records import record_of_group, record_of_image
from rtools.pipeline.mosaic.request import MosaicRequest
from rtools.pipeline.mosaic.run import run_mosaic
from rtools.products.io.face import ProductFace
from rtools.products.mosaic.association import Association
from rtools.products.schema import history
from rtools.products.schema.record import JobRecord
from rtools.wfi.skycell_names import pad_skycell
from rtools.work import Work

__all__ = ["FutureImage", "FutureMosaicJob", "MosaicJob", "plan_future_mosaic", "plan_mosaic"]


@dataclass(frozen=True, eq=False)
class MosaicJob(Job):
    """Carry out steps of a mosaic on images that exist.

    Attributes
    ----------
    files : tuple of str
        Images, or one association.
    plan : rtools.pipeline.mosaic.plan.MosaicPlan
        What was decided.
    association : rtools.products.mosaic.association.Association or None
        What the association among the files says, where its members lie elsewhere than beside it.
    """

    request: MosaicRequest
    files: tuple[str, ...]
    plan: MosaicPlan
    association: Association | None = None

    kind = "mosaic"

    def __reduce__(self):
        return plan_mosaic, (self.name, self.files, self.request, self.association)

    @cached_property
    def record(self) -> JobRecord:
        """The images, and the steps of the plan."""
        return record_of_group(self.request, self.files, self.plan)

    def made(self) -> Sequence[JobProducts]:
        """Mosaics with the record of the group, images each with its own; those of steps stand beside the mosaics."""
        images = zip(self.plan.images, self.plan.members, strict=False)
        found = [JobProducts(path, (), (record_of_image(self.record, member),)) for path, member in images]
        saved = _all_of(self.plan.saved)
        of_images = tuple(record_of_image(self.record, member) for member in self.plan.members) if saved else ()
        for mosaic in self.plan.mosaics:
            *beside, main = mosaic.outputs.values()
            found.append(JobProducts(main, (*beside, *saved), (self.record,), of_images))
        return found

    @property
    def wants_all(self) -> bool:
        """Whether images are wanted as each step leaves them."""
        return bool(self.plan.saved)

    @property
    def reads(self) -> tuple[str, ...]:
        """The images that are part of it."""
        return tuple(str(member.product.path) for member in self.plan.members)

    @property
    def writes(self) -> tuple[Path, ...]:
        """The images as steps leave them, the products of each mosaic, its coadd last."""
        images = (*self.plan.images, *_all_of(self.plan.saved))
        return (*images, *(path for mosaic in self.plan.mosaics for path in mosaic.outputs.values()))

    def cost(self) -> Cost:
        """The memory that the user allows."""
        return Cost(bytes=int(self.request.max_memory * 2**30))

    def describe(self) -> Description:
        """Steps with their options, members, grids and outputs."""
        plan, joined = self.plan, self.plan.joined
        mission = plan.mission.name
        steps = [PlannedStep(name, options=plan.typed[name], mission=mission) for name in plan.steps]
        if plan.catalog is not None:
            steps.append(PlannedStep("catalog", options=plan.catalog.options, mission=mission))
        return Description(
            input=self.name,
            steps=tuple(steps),
            outputs=("-",) if self.request.to_stdout else tuple(map(str, self.writes)),
            warnings=(*plan.cautions, *plan.warnings),
            members=tuple(PlannedMember(member.name) for member in plan.members),
            add=Addition(joined.name, joined.count) if joined else None,
            grids=tuple(mosaic.frame.said() for mosaic in plan.mosaics),
        )

    def moved_to(self, folder: Path) -> MosaicJob:
        """The same job with all that it writes in a directory."""
        mosaics = tuple(Mosaic(one.frame, {key: folder / path.name for key, path in one.outputs.items()})
                        for one in self.plan.mosaics)  # fmt: skip
        images = tuple(folder / path.name for path in self.plan.images)
        return replace(self, plan=replace(self.plan, mosaics=mosaics, images=images))

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Do the steps and write what comes of them; it waits for nothing."""
        return [replace(run_mosaic(self.plan, self.asked, work), input=self.name)]


def plan_mosaic(
    name: str, files: Sequence[str], request: MosaicRequest, association: Association | None = None
) -> MosaicJob:
    """Decide what to do with a group of images, or refuse it.

    Parameters
    ----------
    name : str
        What the group is called.
    files : sequence of str
        Images, or one association.
    request : MosaicRequest
        What is asked.
    association : rtools.products.mosaic.association.Association, optional
        As `MosaicJob` has it.

    Returns
    -------
    MosaicJob
    """
    plan = make_plan(files, request, association=association)
    return MosaicJob(name, request, tuple(map(str, files)), plan, association)


def _all_of(saved):
    """Files of all steps."""
    return [path for paths in saved.values() for path in paths]


@dataclass(frozen=True)
class FutureImage:
    """An image that a mosaic will be made of.

    Attributes
    ----------
    path : str
        Where it is, or will be.
    name : str
        The input that it comes from.
    after : str or None
        Key of the job that makes it; None where it exists.
    group : str or None
        Exposure that an association puts it in.
    """

    path: str
    name: str
    after: str | None = None
    group: str | None = None


@dataclass(frozen=True, eq=False)
class FutureMosaicJob(Job):
    """Make a mosaic of exposures that are calibrated in the same run.

    What can be decided before the exposures have coordinates is decided: options, names of outputs, references. The
    grid is chosen, and the images are looked at, when they are there.

    Attributes
    ----------
    images : tuple of FutureImage
        In order.
    outputs : tuple of mapping of str to Path
        Products of each mosaic by suffix, the coadd last.
    association : rtools.products.mosaic.association.Association or None
        That names the exposures.
    warnings : tuple of str
        What is to be said before the work.
    saved : mapping of str to tuple of Path
        As `rtools.pipeline.mosaic.plan.MosaicPlan` has them, if all images are made.
    """

    request: MosaicRequest
    images: tuple[FutureImage, ...]
    outputs: tuple[Mapping[str, Path], ...]
    association: Association | None = None
    warnings: tuple[str, ...] = ()
    saved: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    kind = "mosaic"

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Keys of the jobs that make its images."""
        return tuple(dict.fromkeys(image.after for image in self.images if image.after is not None))

    @property
    def reads(self) -> tuple[str, ...]:
        """The images that it is made of."""
        return tuple(image.path for image in self.images)

    @property
    def writes(self) -> tuple[Path, ...]:
        """The images as steps leave them, the products of each mosaic, its coadd last."""
        return (*_all_of(self.saved), *(path for outputs in self.outputs for path in outputs.values()))

    def cost(self) -> Cost:
        """The memory that the user allows."""
        return Cost(bytes=int(self.request.max_memory * 2**30))

    def describe(self) -> Description:
        """Steps with their options, images, outputs, and what is known of the grids."""
        request, mission = self.request, self.request.mission
        names = (request.single,) if request.single else request.rules.steps
        steps = tuple(PlannedStep(name, options=request.options(name), mission=mission) for name in names
                      if name not in request.skip)  # fmt: skip
        if any("cat" in outputs for outputs in self.outputs):
            steps += (PlannedStep("catalog", options=request.options("catalog"), mission=mission),)
        return Description(
            input=self.name,
            steps=steps,
            outputs=("-",) if self.request.to_stdout else tuple(map(str, self.writes)),
            warnings=self.warnings,
            members=tuple(PlannedMember(image.path) for image in self.images),
            grids=self._grids(),
            waits_for=self.waits_for,
        )

    def _grids(self):
        """The grids, as far as they are known."""
        wanted = self.request.wanted
        if self.request.skycells:
            return tuple(f"skycell {cell}" for cell in self.request.skycells)
        if wanted.like:
            return (f"the grid of {wanted.like}",)
        return ("a grid as asked for" if wanted.free else "a grid that covers all images",)

    def moved_to(self, folder: Path) -> FutureMosaicJob:
        """The same job with the coadds alone, in a directory."""
        suffix = self.request.rules.suffix
        return replace(self, outputs=tuple({suffix: folder / one[suffix].name} for one in self.outputs))

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Plan the mosaic of those images that were made, and carry the plan out."""
        return self.settled(before).carry_out(work, before)

    @property
    def is_future(self) -> bool:
        """Its images are made in the same run."""
        return True

    def settled(self, before: Mapping[str, Sequence[Outcome]], *, whole: bool = False) -> MosaicJob:
        """The job of those images that were made."""
        done = {outcome.input for outcomes in before.values() for outcome in outcomes if isinstance(outcome, Result)}
        images = [image for image in self.images if whole or image.after is None or image.name in done]
        if not images:
            raise InputError("none of its exposures was calibrated")
        request = self.request
        if len(self.outputs) == 1:  # the name is settled, whichever way it was found
            skip = request.skip | ({"catalog"} if request.to_stdout else set())
            request = replace(request, output=str(self.outputs[0][request.rules.suffix]), outdir=None, skip=skip)
        groups = {image.path: image.group for image in images if image.group}
        files = [image.path for image in images]
        plan = make_plan(files, request, association=self.association, groups=groups)
        return MosaicJob(self.name, request, tuple(files), plan)


def plan_future_mosaic(
    name: str,
    images: Sequence[FutureImage],
    request: MosaicRequest,
    exposures: Sequence[ProductFace],
    association: Association | None = None,
) -> FutureMosaicJob:
    """Decide what can be decided of a mosaic before its exposures are calibrated, or refuse it.

    Parameters
    ----------
    name : str
        What the group is called.
    images : sequence of FutureImage
        In order.
    request : MosaicRequest
        What is asked.
    exposures : sequence of rtools.products.io.face.ProductFace
        Files of the exposures as they are now, in the same order.
    association : rtools.products.mosaic.association.Association, optional
        That names them.

    Returns
    -------
    FutureMosaicJob

    Raises
    ------
    InputError, UsageError, MissingReferenceError, RtoolsError
        As `plan_mosaic`, where the images are not needed to know it.
    """
    refuse_several(request, len(request.skycells))
    request = replace(request, mission=exposures[0].mission)
    rules = request.rules
    refuse_foreign(request, [image.name for image in images])
    parse_options(request)
    cells = tuple(dict.fromkeys(map(pad_skycell, request.skycells))) or (None,)
    for cell in cells:
        check_words(request.wanted._replace(skycell=cell) if cell else request.wanted)
    if request.add:
        refuse_options(request)
        open_joined(request.add)
    elif request.wanted.like:
        weight_of(request.wanted.like, rules.name, rules.weight)
    of_sky = {image: one for image, one in zip(images, exposures, strict=True)
              if not rules.why_left_out(one.meta)}  # fmt: skip
    if not of_sky:
        raise InputError("no image of the sky among the files")
    refuse_elements({image.name: rules.element_of(one.meta) for image, one in of_sky.items()})
    meta, made, warnings = next(iter(of_sky.values())).meta, [], []
    for cell in cells:
        root = mosaic_root([image.path for image in images], request, association, cell, rules.element_of(meta))
        outputs = mosaic_outputs(root, request)
        warnings += check_outputs(outputs, rules.suffix, request, [str(outputs[rules.suffix])])
        made.append(outputs)
    if any("cat" in outputs for outputs in made):
        simulated = all(history.is_simulated(one.history) for one in of_sky.values())
        plan_catalog(meta, request, lambda level, text: None, simulated=simulated)
    saved = step_outputs([image.path for image in of_sky], request, _changing(of_sky, request), association)
    return FutureMosaicJob(name, request, tuple(images), tuple(made), association, tuple(warnings), saved)


def _changing(exposures, request):
    """Steps that will change images, as far as their exposures say."""
    rules = request.rules
    groups = {rules.group_of(one.meta, number, image.group) for number, (image, one) in enumerate(exposures.items())}
    idle = {"resample", *request.skip} | (set() if len(groups) > 1 or request.add else {"outlier"})
    return [name for name in rules.steps if name not in idle]
