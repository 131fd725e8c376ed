"""The jobs of one simulated exposure and of one acquisition's guide windows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rtools.pipeline.job.job import Cost, Description, Job, Outcome, Result
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.outputs import make_directory
from rtools.pipeline.job.process import PROCESS_BYTES, peak_memory
from rtools.pipeline.job.request import Request
from rtools.products import names
from rtools.products.schema import layout
from rtools.products.schema.record import JobWord
from rtools.reference.find import Config
from rtools.simulate.guide.metadata import AcquisitionNames
from rtools.simulate.guide.run import GuideOutput, guide_outputs, simulate_windows
from rtools.simulate.naming import windows_of
from rtools.simulate.request import SimulationRequest
from rtools.simulate.run import Output, outputs, simulate_to_files
from rtools.simulate.scene import Sources
from rtools.work import Work

__all__ = ["Simulated", "SimulatedFiles", "SimulationJob", "SimulationWriting", "WindowsJob", "plan_simulation"]


RESULTANT, PIXEL = 3, 19
"""Bytes for each pixel of a resultant and of the frame, as measured: 1.07 GiB with 9 resultants, 1.60 with 20."""


COLUMNS = 60000
"""Bytes for each row of the frame that guide windows take: references are read by channels, over all rows."""


class SimulationWriting(NamedTuple):
    """How the files of a simulation are written, as `simulate_to_files` and `simulate_windows` take it."""

    config: Config
    profile: str
    compression: str
    words: tuple[JobWord, ...] = ()


class SimulatedFiles(Protocol):
    """Names of what a simulation writes."""

    def paths(self) -> list[Path]:
        """Those that are written, the main product last."""


@dataclass(frozen=True, eq=False)
class Simulated(Job):
    """What simulations have in common; `_simulate` makes the files, the main one is the last of `output.paths()`."""

    exposure: Any
    output: SimulatedFiles

    kind = "simulate"

    @property
    def reads(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    @property
    def writes(self) -> tuple[Path, ...]:
        """The product, and the truth beside it where that is wanted."""
        return tuple(self.output.paths())

    def describe(self) -> Description:
        """The files that it will write, the product last."""
        return Description(input=self.name, outputs=tuple(map(str, reversed(self.writes))))

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Simulate and write; it waits for nothing."""
        started, journal = time.perf_counter(), Journal(work.log, self.name)
        make_directory(self.writes[-1].parent)
        asked = self.request
        words = JobWord("", Path(self.name).name), *asked.said
        profile, compression = asked.profile or layout.DEFAULT_PROFILE, asked.compression or "none"
        how = SimulationWriting(asked.references, profile, compression, words)
        self._simulate(how, work.with_log(journal.log))
        seconds = {"total": time.perf_counter() - started}
        return [Result(self.name, tuple(reversed(self.writes)), seconds=seconds, peak_memory=peak_memory(),
                       warnings=tuple(journal.warned))]  # fmt: skip

    def _simulate(self, how: SimulationWriting, work: Work) -> None:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class SimulationJob(Simulated):
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

    def cost(self) -> Cost:
        """Memory by the pixels of the frame and the number of resultants."""
        resultants = len(self.exposure.table.read_pattern)
        return Cost(bytes=int(PROCESS_BYTES + (RESULTANT * resultants + PIXEL) * self.exposure.size**2))

    def moved_to(self, folder: Path) -> SimulationJob:
        """The same job with the raw exposure alone, in a directory."""
        return replace(self, output=Output(folder / self.output.uncal.name, None, None))

    def _simulate(self, how: SimulationWriting, work: Work) -> None:
        simulate_to_files(self.exposure, self.output, how.config, profile=how.profile, compression=how.compression,
                          table=self.table, label=self.name, words=how.words,
                          work=work)  # fmt: skip


@dataclass(frozen=True, eq=False)
class WindowsJob(Simulated):
    """Simulate the guide windows of one detector and acquisition.

    Attributes
    ----------
    exposure : rtools.simulate.request.SimulationRequest
        The first exposure that is tracked, and what is asked of its windows.
    output : rtools.simulate.guide.run.GuideOutput
        Names of the files.
    table : rtools.simulate.scene.Sources or None
        Sources that are given instead of drawn.
    """

    exposure: SimulationRequest
    output: GuideOutput
    table: Sources | None = None

    def cost(self) -> Cost:
        """Memory by the rows of the frame."""
        return Cost(bytes=int(PROCESS_BYTES + COLUMNS * self.exposure.size))

    def moved_to(self, folder: Path) -> WindowsJob:
        """The same job with the windows alone, in a directory."""
        alone = replace(self.output, windows=folder / self.output.windows.name, face=None, truth=None)
        return replace(self, output=alone)

    def _simulate(self, how: SimulationWriting, work: Work) -> None:
        simulate_windows(self.exposure, self.output, how.config, profile=how.profile, compression=how.compression,
                         table=self.table, words=how.words, work=work)  # fmt: skip


def plan_simulation(
    name: str,
    exposure: SimulationRequest,
    request: Request,
    *,
    truth: bool = True,
    table: Sources | None = None,
    acquisition: AcquisitionNames | None = None,
) -> SimulationJob | WindowsJob:
    """Decide which files one simulated exposure, or its guide windows alone, become, or refuse it.

    Parameters
    ----------
    name : str
        The name, as it was typed: of the raw exposure, or of guide windows.
    exposure : rtools.simulate.request.SimulationRequest
        What is simulated.
    request : rtools.pipeline.job.request.Request
        Where files go, and how they are written.
    truth : bool
        Write the truth beside it.
    table : rtools.simulate.scene.Sources, optional
        Sources that are given instead of drawn.
    acquisition : rtools.simulate.guide.metadata.AcquisitionNames, optional
        Files of the acquisition, where windows of several detectors are made.

    Returns
    -------
    SimulationJob or WindowsJob
        The latter for a name that ends in _gw.asdf.
    """
    path = Path(name) if request.outdir is None else Path(request.outdir) / Path(name).name
    overwrite = request.overwrite
    windows = None
    if exposure.guide is not None:
        own = path.with_name(windows_of(names.parse(path.name), exposure.guide.acquisition))
        windows = guide_outputs(own, exposure.detector, truth=truth, names=acquisition, overwrite=overwrite)
    if windows is not None and windows.windows == path:
        return WindowsJob(name, request, exposure, windows, table)
    output = outputs(path, truth=truth, table=exposure.has_sky, guide=windows, overwrite=overwrite)
    return SimulationJob(name, request, exposure, output, table)
