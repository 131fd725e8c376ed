"""The job of a catalog of several filters."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rtools.catalog.steps.multiband import STEP
from rtools.pipeline.catalog.multiband import MultibandPlan, carry_out, make_plan
from rtools.pipeline.job.job import Cost, Description, Job, Outcome, PlannedMember, PlannedStep, Result
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.outputs import make_directory
from rtools.pipeline.job.process import PROCESS_BYTES, peak_memory
from rtools.pipeline.job.records import record_of
from rtools.pipeline.job.request import Request
from rtools.products.schema.record import JobRecord
from rtools.work import Work

__all__ = ["MultibandJob", "plan_multiband"]


PIXEL = 62
"""Bytes for each pixel of a mosaic, as measured with two filters: 2.46 GiB for 37 million pixels."""


@dataclass(frozen=True, eq=False)
class MultibandJob(Job):
    """Make one catalog of mosaics in several filters.

    Attributes
    ----------
    files : tuple of str
        Mosaics, or one association.
    copies : mapping of str to str
        Files among them that are copies of streams, and what the user called these.
    plan : rtools.pipeline.catalog.multiband.MultibandPlan
        What was decided.
    """

    files: tuple[str, ...]
    copies: Mapping[str, str]
    plan: MultibandPlan

    kind = "multiband"

    def __reduce__(self):
        seed = {"inject_seed": self.plan.options["inject_seed"]}  # it may have been drawn
        settings = {**self.request.settings, STEP.name: {**self.request.settings.get(STEP.name, {}), **seed}}
        return plan_multiband, (self.name, self.files, replace(self.request, settings=settings), self.copies)

    @cached_property
    def record(self) -> JobRecord:
        """The mosaics, with the references of each, and the options."""
        plan, references = self.plan, dict[str, Any]()
        for member in plan.members:
            references |= {f"{kind} {member.element}": one for kind, one in member.references.items()}
        members = {f"member {number}": path for number, path in enumerate(self.reads)}
        return record_of(
            self.request,
            self.files,
            {STEP.name: dict(plan.options)},
            references=references,
            files=members if self.files != self.reads else {},
            folder=plan.outputs["cat"].parent,
        )

    @property
    def reads(self) -> tuple[str, ...]:
        """The mosaics, in the order in which they were named."""
        return tuple(str(member.product.path) for member in self.plan.members)

    @property
    def writes(self) -> tuple[Path, ...]:
        """Segmentation map and catalog."""
        return tuple(self.plan.outputs.values())

    def cost(self) -> Cost:
        """Memory by the pixels of one mosaic."""
        rows, columns = self.plan.members[0].product.arrays["data"].shape
        return Cost(bytes=int(PROCESS_BYTES + PIXEL * rows * columns))

    def describe(self) -> Description:
        """The step with its options, and each mosaic with its filter and references."""
        plan = self.plan
        return Description(
            input=self.name,
            steps=(PlannedStep(STEP.name, options=plan.options),),
            outputs=("-",) if self.request.to_stdout else tuple(map(str, self.writes)),
            warnings=(*plan.cautions, *plan.warnings),
            members=tuple(_described(member) for member in plan.members),
        )

    def moved_to(self, folder: Path) -> MultibandJob:
        """The same job with its catalog alone, in a directory."""
        outputs = {"cat": folder / self.plan.outputs["cat"].name}
        return replace(self, plan=replace(self.plan, outputs=outputs))

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Make the catalog and write it; it waits for nothing."""
        started, journal = time.perf_counter(), Journal(work.log, self.name)
        for level, texts in (("caution", self.plan.cautions), ("warning", self.plan.warnings)):
            for text in texts:
                work.log(level, text)
        for folder in {path.parent for path in self.writes}:
            make_directory(folder)
        outputs = carry_out(self.plan, self.asked, work)
        warned = (*self.plan.cautions, *self.plan.warnings, *journal.warned)
        seconds = {"total": time.perf_counter() - started}
        return [Result(self.name, tuple(outputs), seconds=seconds, peak_memory=peak_memory(), warnings=warned,
                       members=tuple(member.name for member in self.plan.members))]  # fmt: skip


def _described(member):
    """What ``--dry-run`` tells of one mosaic."""
    found = {kind: reference.label if reference else None for kind, reference in member.references.items()}
    return PlannedMember(member.name, member.element, member.sed_weight, found)


def plan_multiband(
    name: str, files: Sequence[str], request: Request, copies: Mapping[str, str] | None = None
) -> MultibandJob:
    """Decide what to do with a group of mosaics, or refuse it.

    Parameters
    ----------
    name : str
        What the group is called.
    files : sequence of str
        Mosaics, or one association of them.
    request : rtools.pipeline.job.request.Request
        Its settings of ``multiband`` are the options.
    copies : mapping of str to str, optional
        Files among them that are copies of streams, and what the user called these.

    Returns
    -------
    MultibandJob
    """
    copies = dict(copies or {})
    return MultibandJob(name, request, tuple(files), copies, make_plan(list(files), request, copies=copies))
