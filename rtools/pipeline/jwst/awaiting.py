"""Exposures of JWST whose background, or whose own rate, is made in the same run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rtools.errors import InputError
from rtools.pipeline.exposure.request import ExposureRequest
from rtools.pipeline.job.job import Cost, Description, Job, Outcome
from rtools.pipeline.jwst.association import AssociatedExposure, FoundMember
from rtools.pipeline.jwst.job import JwstJob, plan_jwst_job
from rtools.pipeline.jwst.plan import RAMPS
from rtools.work import Work

__all__ = ["AwaitingJob", "RatesToMake", "plan_associated"]

RATES = ("rate", "rateints")

LAST = "gainscale"
"""The step behind which an exposure is a rate."""


@dataclass(frozen=True, eq=False)
class AwaitingJob(Job):
    """Calibrate an exposure when the rates that it needs are there.

    Attributes
    ----------
    path : str
        The file that will be opened.
    called : str
        The name that output names are made of.
    preview : JwstJob
        The same, planned with the files that the rates are made of.
    makers : mapping of str to str
        Rate that is made first, and the key of the job that makes it.
    """

    request: ExposureRequest
    path: str
    called: str
    preview: JwstJob
    makers: Mapping[str, str]

    kind = "calibrate"

    def __reduce__(self):  # where it arrives, the rates are there
        return plan_jwst_job, (self.name, self.path, self.request, self.called)

    @property
    def waits_for(self) -> tuple[str, ...]:
        """Keys of the jobs that make rates."""
        return tuple(dict.fromkeys(self.makers.values()))

    @property
    def reads(self) -> tuple[str, ...]:
        """The exposure."""
        return (self.path,)

    @property
    def writes(self) -> tuple[Path, ...]:
        """Its products, the main one last."""
        return self.preview.writes

    def cost(self) -> Cost:
        """As that of an exposure whose rates are there."""
        return self.preview.cost()

    def describe(self) -> Description:
        """Steps and outputs, and what it waits for."""
        return replace(self.preview.describe(), input=self.name, waits_for=self.waits_for)

    def moved_to(self, folder: Path) -> Job:
        """Not possible: rates are written on the way.

        Raises
        ------
        NotImplementedError
            Always.
        """
        raise NotImplementedError("standard output takes one product")

    @property
    def is_future(self) -> bool:
        """Its rates are made in the same run."""
        return True

    def settled(self, before: Mapping[str, Sequence[Outcome]], *, whole: bool = False) -> JwstJob:
        """The job of the exposure with its rates."""
        for path in self.makers:
            if not Path(path).exists():
                raise InputError(f"{path} was not made, which it needs")
        return plan_jwst_job(self.name, self.path, self.request, self.called)

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Plan the exposure with the rates, and calibrate it."""
        return self.settled(before).carry_out(work, before)


class RatesToMake:
    """Rates that exposures of associations need and of which only ramps are there.

    Parameters
    ----------
    request : ExposureRequest
        What is asked of the exposures.

    Attributes
    ----------
    jobs : dict of str to JwstJob
        Path of each rate that will be made, and the job that makes it.
    """

    def __init__(self, request: ExposureRequest):
        self.request = replace(request, first=None, last=LAST, save_steps=False, output=None)
        self.jobs: dict[str, JwstJob] = {}

    @property
    def ramps(self) -> dict[str, str]:
        """Path of each of these rates, and the ramp that it is made of."""
        return {path: job.path for path, job in self.jobs.items()}

    def path_of(self, member: FoundMember) -> str:
        """Where the rate of a member is, or will be.

        Parameters
        ----------
        member : FoundMember
            Of an association.
        """
        made = member.there != member.wanted and self.request.outdir is not None
        return str(Path(self.request.outdir or "") / member.wanted.name if made else member.wanted)

    def _stays(self, path):
        """Whether a rate that is there is taken as it is; a run that goes on looks at it."""
        return Path(path).exists() and not (self.request.overwrite or self.request.resume)

    def plan(self, member: FoundMember) -> list[Job]:
        """Decide how the rate of a member is made, or refuse it.

        Parameters
        ----------
        member : FoundMember
            Of an association.

        Returns
        -------
        list of Job
            None where it is there, or decided already.
        """
        path, ramp = self.path_of(member), str(member.there)
        if member.there == member.wanted or path in self.jobs or self._stays(path):
            return []
        self.jobs[path] = plan_jwst_job(ramp, ramp, self.request)
        return [self.jobs[path]]


def plan_associated(exposure: AssociatedExposure, request: ExposureRequest, rates: RatesToMake) -> Job:
    """Decide what to do with an exposure of an association, or refuse it.

    Parameters
    ----------
    exposure : AssociatedExposure
        The exposure, and those that show its background.
    request : ExposureRequest
        What is asked.
    rates : RatesToMake
        Has the rates that its background is taken from. Where its own rate is among them, it goes on from that.

    Returns
    -------
    Job

    Raises
    ------
    InputError, MissingReferenceError, UsageError, RtoolsError
        As `rtools.pipeline.jwst.plan.plan_jwst`; or a rate of its background can not be made.
    """
    now, backgrounds = str(exposure.science.there), [rates.path_of(member) for member in exposure.backgrounds]
    for background in backgrounds:
        if background not in rates.jobs and not Path(background).exists():
            raise InputError(f"its background {background} cannot be made", path=now)
    path = next((path for path, ramp in rates.ramps.items() if ramp == now), now)
    request = replace(request, backgrounds=tuple(backgrounds))
    needed = {one: rates.jobs[one].key for one in (path, *backgrounds) if one in rates.jobs}
    if not needed:
        return plan_jwst_job(path, path, request, exposure.called)
    preview = plan_jwst_job(now, now, request, exposure.called, rates.ramps)
    if path != now:
        preview = _from_rate(preview)
    return AwaitingJob(path, request, path, exposure.called, preview, needed)


def _from_rate(job: JwstJob) -> JwstJob:
    """The same job without what makes the rate."""
    steps = tuple(one for one in job.plan.steps if not (one.step.reads_ramp or one.step.name == LAST))
    outputs = {suffix: path for suffix, path in job.plan.outputs.items() if suffix not in (*RATES, *RAMPS)}
    return replace(job, plan=replace(job.plan, steps=steps, outputs=outputs))
