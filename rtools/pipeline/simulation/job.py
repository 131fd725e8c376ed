"""The job of one simulated exposure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rtools.pipeline.job.job import Cost, Description, Job, Outcome, Result
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.outputs import make_directory
from rtools.pipeline.job.process import PROCESS_BYTES, peak_memory
from rtools.pipeline.job.request import Request
from rtools.products.schema import layout
from rtools.simulate.request import SimulationRequest
from rtools.simulate.run import Output, outputs, simulate_to_files
from rtools.simulate.scene import Sources
from rtools.work import Work

__all__ = ["SimulationJob", "plan_simulation"]


RESULTANT, PIXEL = 3, 19
"""Bytes for each pixel of a resultant and of the frame, as measured: 1.07 GiB with 9 resultants, 1.60 with 20."""


@dataclass(frozen=True, eq=False)
class SimulationJob(Job):
    """Simulate one exposure.

    Attributes
    ----------
    exposure : rtools.simulate.request.SimulationRequest
        What is simulated.
    output : rtools.simulate.run.Output
        Names of its files.
    table : rtools.simulate.scene.Sources or None
        Sources that are given instead of drawn.
    """

    exposure: SimulationRequest
    output: Output
    table: Sources | None = None

    kind = "simulate"

    @property
    def reads(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    @property
    def writes(self) -> tuple[Path, ...]:
        """The raw exposure, and the truth beside it where that is wanted."""
        return tuple(self.output.paths())

    def cost(self) -> Cost:
        """Memory by the pixels of the frame and the number of resultants."""
        resultants = len(self.exposure.table.read_pattern)
        return Cost(bytes=int(PROCESS_BYTES + (RESULTANT * resultants + PIXEL) * self.exposure.size**2))

    def describe(self) -> Description:
        """The files that it will write, the raw exposure last."""
        return Description(input=self.name, outputs=tuple(map(str, reversed(self.writes))))

    def moved_to(self, folder: Path) -> SimulationJob:
        """The same job with the raw exposure alone, in a directory."""
        return replace(self, output=Output(folder / self.output.uncal.name, None, None))

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Simulate the exposure and write it; it waits for nothing."""
        started, journal = time.perf_counter(), Journal(work.log, self.name)
        make_directory(self.output.uncal.parent)
        simulate_to_files(
            self.exposure,
            self.output,
            self.request.references,
            profile=self.request.profile or layout.DEFAULT_PROFILE,
            compression=self.request.compression or "none",
            table=self.table,
            label=self.name,
            work=work.with_log(journal.log),
        )
        seconds = {"total": time.perf_counter() - started}
        return [Result(self.name, tuple(reversed(self.writes)), seconds=seconds, peak_memory=peak_memory(),
                       warnings=tuple(journal.warned))]  # fmt: skip


def plan_simulation(
    name: str, exposure: SimulationRequest, request: Request, *, truth: bool = True, table: Sources | None = None
) -> SimulationJob:
    """Decide which files one simulated exposure becomes, or refuse it.

    Parameters
    ----------
    name : str
        The name, as it was typed: of the raw exposure.
    exposure : rtools.simulate.request.SimulationRequest
        What is simulated.
    request : rtools.pipeline.job.request.Request
        Where files go, and how they are written.
    truth : bool
        Write the truth beside it.
    table : rtools.simulate.scene.Sources, optional
        Sources that are given instead of drawn.

    Returns
    -------
    SimulationJob
    """
    path = Path(name) if request.outdir is None else Path(request.outdir) / Path(name).name
    output = outputs(path, truth=truth, table=exposure.has_sky, overwrite=request.overwrite)
    return SimulationJob(name, request, exposure, output, table)
