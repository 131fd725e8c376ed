"""The job of one JWST exposure."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from rtools.pipeline.exposure.request import ExposureRequest
from rtools.pipeline.job.job import Cost, Description, Job, Outcome, PlannedStep
from rtools.pipeline.job.outputs import make_directory
from rtools.pipeline.job.process import PROCESS_BYTES
from rtools.pipeline.job.records import options_of, record_of, references_of
from rtools.pipeline.jwst.plan import JwstPlan, plan_jwst
from rtools.pipeline.jwst.run import budget_of, execute
from rtools.products.schema.record import JobRecord, JobWord
from rtools.work import Work

__all__ = ["JwstJob", "plan_jwst_job"]


@dataclass(frozen=True, eq=False)
class JwstJob(Job):
    """Calibrate one exposure of JWST, or do one step of its chain.

    Attributes
    ----------
    path : str
        The file to open: the input, or the copy of a stream.
    plan : JwstPlan
        What is to be done.
    """

    request: ExposureRequest
    path: str
    plan: JwstPlan

    kind = "calibrate"

    def __reduce__(self):
        return plan_jwst_job, (self.name, self.path, self.request, self.plan.name)

    @cached_property
    def record(self) -> JobRecord:
        """The exposure, those that show its background, and the steps of the plan."""
        plan, backgrounds = self.plan, [str(one.path) for one in self.plan.backgrounds]
        words, inputs = [], [self.path]
        if self.request.single:
            inputs += backgrounds
        else:
            words = [JobWord("--background", os.path.abspath(path), names_file=True) for path in backgrounds]
        return record_of(
            self.request,
            inputs,
            options_of(plan.steps),
            mission="jwst",
            references=references_of(plan.steps),
            files={f"background {number}": path for number, path in enumerate(backgrounds)},
            words=words,
            folder=plan.outputs[plan.main].parent,
        )

    @property
    def reads(self) -> tuple[str, ...]:
        """The exposure."""
        return (self.path,)

    @property
    def writes(self) -> tuple[Path, ...]:
        """Its products, the main one last."""
        return tuple(self.plan.outputs.values())

    @property
    def wants_all(self) -> bool:
        """Whether ``--save-steps`` is asked for."""
        return self.request.save_steps

    def cost(self) -> Cost:
        """Memory by the blocks that are worked on."""
        return Cost(threads=0, bytes=int(PROCESS_BYTES) + budget_of(self.request.max_memory))

    def describe(self) -> Description:
        """The steps with their options and references, and the outputs."""
        steps = tuple(
            PlannedStep(
                one.step.name,
                one.status,
                one.options,
                {kind: source.label if source else None for kind, source in one.references.items()},
                one.step.mission,
            )
            for one in self.plan.steps
        )
        outputs = ("-",) if self.request.to_stdout else tuple(map(str, self.plan.outputs.values()))
        return Description(self.name, steps, outputs, (*self.plan.cautions, *self.plan.warnings))

    def moved_to(self, folder: Path) -> JwstJob:
        """The same job with its main product alone, in a directory."""
        main = self.plan.outputs[self.plan.main]
        return replace(self, plan=replace(self.plan, outputs={self.plan.main: folder / main.name}))

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Calibrate the exposure."""
        for folder in {path.parent for path in self.plan.outputs.values()}:
            make_directory(folder)
        return [replace(execute(self.plan, self.asked, work), input=self.name)]


def plan_jwst_job(
    name: str,
    path: str,
    request: ExposureRequest,
    called: str | None = None,
    ramps: Mapping[str, str] | None = None,
) -> JwstJob:
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
        The name that output names are made of, where it is not `path`.
    ramps : mapping of str to str, optional
        As `rtools.pipeline.jwst.plan.plan_jwst` takes them; such a job is for its description alone.

    Returns
    -------
    JwstJob
    """
    return JwstJob(name, request, path, plan_jwst(path, request, name=called, ramps=ramps))
