"""Jobs of exposures: calibrate one, align several together."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rtools.errors import RtoolsError
from rtools.pipeline.astrometry.align import catalog_of
from rtools.pipeline.exposure.plan import ExposurePlan, make_plan
from rtools.pipeline.exposure.request import ExposureRequest
from rtools.pipeline.exposure.run import execute
from rtools.pipeline.exposure.workplace import ALIGNED, copy_catalog, find_made, workplace_of
from rtools.pipeline.job.job import (
    Cost,
    Description,
    Failure,
    Job,
    JobProducts,
    Outcome,
    PlannedMember,
    PlannedStep,
    Result,
)
from rtools.pipeline.job.outputs import make_directory
from rtools.pipeline.job.process import PROCESS_BYTES
from rtools.pipeline.job.records import options_of, read_file, record_of, references_of
from rtools.products.io import temporary
from rtools.products.schema.record import JobRecord, JobWord
from rtools.wfi.frame import CHANNELS
from rtools.work import Work

__all__ = ["AlignJob", "ExposureJob", "aligned_together", "plan_exposure"]

ARRAYS = 3
"""Memory beside the process in units of the input's arrays, as measured: nine resultants 1.24 GiB."""


@dataclass(frozen=True, eq=False)
class ExposureJob(Job):
    """Calibrate one exposure, or do one step of its chain.

    Attributes
    ----------
    path : str
        The file to open: the input, or the copy of a stream.
    plan : ExposurePlan
        What is to be done.
    workplace : Path or None
        A directory that takes all products until the exposure is aligned with others; the alignment is left to them.
    """

    request: ExposureRequest
    path: str
    plan: ExposurePlan
    workplace: Path | None = None

    kind = "calibrate"

    def __reduce__(self):
        return plan_exposure, (self.name, self.path, self.request, self.plan.name, self.workplace)

    @cached_property
    def record(self) -> JobRecord:
        """The exposure, the steps of the plan, and the catalog or the guide windows that are read beside it."""
        plan, files, words = self.plan, dict[str, str | Path](), list[JobWord]()
        catalog = catalog_of(plan, self.request)
        if catalog is not None:
            files["catalog of the image"] = catalog
        if self.request.single and self.request.catalogs.get(plan.name):
            words.append(JobWord("--catalog", os.path.abspath(self.request.catalogs[plan.name]), names_file=True))
        if plan.guide is not None:
            files["--guide"] = plan.guide
        return record_of(
            self.request,
            [self.path],
            options_of(plan.steps),
            references=references_of(plan.steps),
            files=files,
            words=words,
            folder=plan.outputs[plan.main].parent,
        )

    @property
    def reads(self) -> tuple[str, ...]:
        """The exposure."""
        return (self.path,)

    @property
    def outputs(self) -> Mapping[str, Path]:
        """Suffix to path of what this job writes: in the workplace where there is one."""
        outputs = self.plan.outputs
        if self.workplace is None:
            return outputs
        return {suffix: self.workplace / path.name for suffix, path in outputs.items() if suffix != "tweakregstep"}

    @property
    def writes(self) -> tuple[Path, ...]:
        """Its `outputs`, the main product last."""
        return tuple(self.outputs.values())

    @property
    def finishes(self) -> bool:
        """Whether the image is not aligned with others."""
        return self.workplace is None

    @property
    def wants_all(self) -> bool:
        """Whether ``--save-steps`` is asked for."""
        return self.request.save_steps

    def cost(self) -> Cost:
        """A thread for each channel, and memory by the size of the arrays of the input."""
        arrays = sum(_bytes(info) for info in self.plan.product.arrays.values())
        return Cost(threads=CHANNELS, bytes=int(PROCESS_BYTES + ARRAYS * arrays))

    def describe(self) -> Description:
        """The steps with their options and references, and the outputs under their own names."""
        plan = self.plan
        return Description(
            input=self.name,
            steps=tuple(_described(step) for step in plan.steps),
            outputs=("-",) if self.request.to_stdout else tuple(map(str, plan.outputs.values())),
            warnings=(*plan.cautions, *plan.warnings),
        )

    def moved_to(self, folder: Path) -> ExposureJob:
        """The same job with its main product alone, in a directory."""
        main = self.plan.outputs[self.plan.main]
        return replace(self, plan=replace(self.plan, outputs={self.plan.main: folder / main.name}))

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Calibrate the exposure; in a workplace without its alignment, which makes the result unfinished."""
        plan = replace(self.plan, outputs=self.outputs)
        if self.workplace is not None:
            plan = replace(plan, steps=tuple(_put_off(step) for step in plan.steps))
        for folder in {path.parent for path in (*plan.outputs.values(), *self.plan.outputs.values())}:
            make_directory(folder)
        if self.workplace is not None:
            temporary.sweep(self.workplace.parent)
        with plan.product:
            result = execute(plan, self.asked, work)
        return [replace(result, input=self.name, finished=self.workplace is None)]

    def discard(self) -> None:
        """Remove the workplace."""
        if self.workplace is not None:
            shutil.rmtree(self.workplace, ignore_errors=True)


def plan_exposure(
    name: str,
    path: str,
    request: ExposureRequest,
    called: str | None = None,
    workplace: Path | None = None,
) -> ExposureJob:
    """Decide what to do with one exposure, or refuse it.

    Parameters
    ----------
    name : str
        The input, as it was typed.
    path : str
        The file to open.
    request : ExposureRequest
        What is asked.
    called : str, optional
        The name that output names are made of, where it is not `path` (standard input).
    workplace : Path, optional
        As `ExposureJob` has it.

    Returns
    -------
    ExposureJob
    """
    return ExposureJob(name, request, path, make_plan(path, request, name=called), workplace)


def _bytes(info):
    size = info.dtype.itemsize
    for side in info.shape:
        size *= side
    return size


def _described(step):
    found = {kind: reference.label if reference else None for kind, reference in step.references.items()}
    return PlannedStep(step.step.name, step.status, step.options, found)


def _put_off(step):
    """A step as it is without the alignment, which is done for the group."""
    return replace(step, status="INCOMPLETE", active=False) if step.step.aligns else step


@dataclass(frozen=True, eq=False)
class AlignJob(Job):
    """Align several images by one correction, and write each.

    Attributes
    ----------
    members : tuple of ExposureJob
        In order. One with a workplace is calibrated there first, by that job; any other is aligned as its file is.
    """

    request: ExposureRequest
    members: tuple[ExposureJob, ...]

    kind = "align"

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Keys of the members that are calibrated into a workplace first."""
        return tuple(member.key for member in self.members if member.workplace is not None)

    @property
    def reads(self) -> tuple[str, ...]:
        """The inputs of all members."""
        return tuple(member.path for member in self.members)

    @property
    def writes(self) -> tuple[Path, ...]:
        """The products of all members."""
        return tuple(path for member in self.members for path in member.plan.outputs.values())

    def describe(self) -> Description:
        """The alignment with its options, as the first member has it, and the members."""
        first = next(step for step in self.members[0].plan.steps if step.step.aligns)
        return Description(
            input=self.name,
            steps=(_described(first),),
            members=tuple(PlannedMember(member.name) for member in self.members),
            outputs=tuple(map(str, self.writes)),
            waits_for=tuple(member.name for member in self.members if member.workplace is not None),
        )

    def record_of(self, member: ExposureJob) -> JobRecord:
        """What the image of a member says: what makes it alone, and all images of the group."""
        words = (*member.record.words, JobWord("--together"))
        inputs = tuple(read_file(path) for path in self.reads)
        files = {**member.record.files, "this image": read_file(member.path)}
        return replace(member.record, inputs=inputs, files=files, words=words)

    def made(self) -> Sequence[JobProducts]:
        """Images with the record of the group; what was made before the alignment may say what made it alone."""
        found = []
        for member in self.members:
            outputs, main = member.plan.outputs, member.plan.main
            beside = tuple(path for suffix, path in outputs.items() if suffix != main)
            found.append(JobProducts(outputs[main], beside, (self.record_of(member),), (member.record,)))
        return found

    @property
    def parts(self) -> tuple[str, ...]:
        """The members that are calibrated for it."""
        return self.waits_for

    @property
    def wants_all(self) -> bool:
        """Whether ``--save-steps`` is asked for."""
        return self.request.save_steps

    def moved_to(self, folder: Path) -> Job:
        """Not possible: several images do not go to standard output.

        Raises
        ------
        NotImplementedError
            Always.
        """
        raise NotImplementedError("standard output takes one image, which is aligned by itself")

    def cost(self) -> Cost:
        """Images are written one after another, which takes less than their calibration."""
        return Cost(bytes=max(member.cost().bytes for member in self.members))

    def again(self) -> Job:
        """The same job, whose members replace what was cut off."""
        return replace(self, members=tuple(replace(one, request=replace(one.request, overwrite=True))
                                           for one in self.members))  # fmt: skip

    def claims(self) -> Sequence[tuple[str, Path]]:
        """Every product with the member that it is of."""
        return [(member.name, path) for member in self.members for path in member.plan.outputs.values()]

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Align the members that were calibrated, and write each.

        A member whose calibration failed is left out, for that has been told. What goes wrong with one member is a
        failure of that one; what goes wrong with the alignment is a failure of all.
        """
        from rtools.pipeline.astrometry.align import align_group

        members = [member for member in self.members if not _failed(member, before)]
        plans, failures, catalogs = {}, [], dict(self.request.catalogs)
        for member in members:
            try:
                plans[member.name] = member.plan if member.workplace is None else _rest_of(member, self.request)
                if (catalog := copy_catalog(member.workplace, member.plan.outputs)) is not None:
                    catalogs[member.name] = catalog
            except Exception as error:
                failures.append(Failure(member.name, error))
        try:
            asked = replace(self.request, catalogs=catalogs)
            outcomes = align_group(plans, asked, work) if plans else {}
        except (RtoolsError, OSError) as error:
            return [*failures, *(Failure(name, copy(error)) for name in plans)]
        done = []
        for member in members:
            if member.name in plans:
                calibrated = before[member.key][0] if member.workplace is not None else None
                recorded = replace(member, request=replace(member.request, record=self.record_of(member)))
                done.append(_finished(recorded, plans[member.name], outcomes.get(member.name), calibrated, work))
        return [*failures, *done]


def _failed(member, before):
    """Whether a member that was to be calibrated first was not; that has been told."""
    return member.workplace is not None and not isinstance(before[member.key][0], Result)


def _rest_of(member, request):
    """The plan of the alignment of an image that was calibrated into a workplace."""
    folder = member.workplace / ALIGNED
    folder.mkdir(exist_ok=True)
    again = replace(request, outdir=str(folder), output=None, catalogs={}, update_catalog=True)
    rest = make_plan(str(member.outputs["cal"]), again)
    return replace(rest, name=member.plan.name, warnings=(), cautions=())


def _finished(member, plan, outcome, calibrated, work):
    """Write an aligned image; of one that was calibrated before, give all products their names."""
    request = member.request if calibrated is None else replace(member.request, update_catalog=True)
    try:
        for folder in {path.parent for path in member.plan.outputs.values()}:
            make_directory(folder)
        with plan.product:
            result = execute(plan, request, work, alignment=outcome)
        result = replace(result, input=member.name)
        return result if calibrated is None else _named(member, result, calibrated)
    except Exception as error:
        return Failure(member.name, error)


def _named(member, result, calibrated):
    """Give all products of an exposure their names, the image last; the result of both jobs."""
    outputs = member.plan.outputs
    made = find_made(member.workplace, outputs)
    names = [suffix for suffix in outputs if suffix != member.plan.main and made[suffix].exists()] + [member.plan.main]
    for suffix in names:
        os.replace(made[suffix], outputs[suffix])
    return replace(
        result,
        outputs=tuple(outputs[suffix] for suffix in names),
        seconds={**calibrated.seconds, "tweakreg": result.seconds.get("tweakreg", 0.0)},
        catalogs=calibrated.catalogs,
        warnings=(*calibrated.warnings, *result.warnings),
    )


def aligned_together(jobs: Sequence[Job], groups: Mapping[str, str], request: ExposureRequest) -> list[Job]:
    """Jobs of exposures with those that align groups of them.

    Parameters
    ----------
    jobs : sequence of Job
        In order; what is not an exposure stays alone.
    groups : mapping of str to str
        Name of a job to the group that it is aligned with.
    request : ExposureRequest
        What is asked of the groups.

    Returns
    -------
    list of Job
        Each group's alignment follows its exposures.
    """
    found: dict[str, list] = {}
    for job in jobs:
        joins = isinstance(job, ExposureJob) and (request.single == "tweakreg" or job.plan.wants_alignment)
        found.setdefault(job.name if not joins else f"group {groups[job.name]}", []).append(job)
    made: list[Job] = []
    for name, members in found.items():
        if len(members) == 1:
            made += members
            continue
        if not request.single:
            members = [
                replace(member, workplace=workplace_of(member.plan.outputs[member.plan.main])) for member in members
            ]
            made += members
        made.append(AlignJob(name.removeprefix("group "), request, tuple(members)))
    return made
