"""From a request to files: references, the exposure, its truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rtools.errors import RtoolsError
from rtools.simulate.metadata import ASSUMED_NOTE
from rtools.simulate.references import find_all
from rtools.work import ALONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtools.products.schema.record import JobWord
    from rtools.reference.find import Config
    from rtools.simulate.exposure import SimulatedExposure
    from rtools.simulate.guide.run import GuideOutput
    from rtools.simulate.request import SimulationRequest
    from rtools.simulate.scene import Sources
    from rtools.work import Work

__all__ = ["Output", "outputs", "simulate_to_files"]


@dataclass(frozen=True)
class Output:
    """Names of what is written.

    Attributes
    ----------
    uncal : Path
        The raw exposure.
    truth_image : Path or None
        The true rate and the cosmic rays, ASDF; None if it is not written.
    truth_table : Path or None
        The sources, parquet; None if it is not written.
    guide : rtools.simulate.guide.run.GuideOutput or None
        Guide windows of the exposure; None if they are not made.
    """

    uncal: Path
    truth_image: Path | None
    truth_table: Path | None
    guide: GuideOutput | None = None

    def paths(self) -> list[Path]:
        """Those that are written, the main product last."""
        guide = [] if self.guide is None else self.guide.paths()
        own = self.truth_table, self.truth_image, self.uncal
        return guide + [path for path in own if path is not None]


def outputs(
    uncal: Path,
    *,
    truth: bool = True,
    table: bool = True,
    guide: GuideOutput | None = None,
    overwrite: bool = False,
) -> Output:
    """Names beside an L1 file: ROOT_truth.asdf and, where there are sources, ROOT_truth.parquet.

    Parameters
    ----------
    uncal : Path
        The raw exposure, ``…_uncal.asdf``.
    truth : bool
        Whether the truth is written.
    table : bool
        Whether there are sources, whose table belongs to the truth.
    guide : rtools.simulate.guide.run.GuideOutput, optional
        Guide windows of the exposure.
    overwrite : bool
        Files that exist may be replaced.

    Returns
    -------
    Output
        Nothing is written yet.

    Raises
    ------
    RtoolsError
        One of them exists, and `overwrite` is false.
    """
    stem = uncal.name.removesuffix("_uncal.asdf")
    image = uncal.with_name(f"{stem}_truth.asdf") if truth else None
    listed = uncal.with_name(f"{stem}_truth.parquet") if truth and table else None
    output = Output(uncal, image, listed, guide)
    for path in output.paths():
        if path.exists() and not overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
    return output


def simulate_to_files(
    request: SimulationRequest,
    output: Output,
    config: Config,
    *,
    profile: str,
    compression: str,
    table: Sources | None = None,
    label: str = "",
    words: Sequence[JobWord] = (),
    work: Work = ALONE,
) -> SimulatedExposure:
    """Simulate and write: all files, or none.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        What is simulated.
    output : Output
        Names of the files.
    config : rtools.reference.find.Config
        Where references are looked for.
    profile : str
        Which version of the schemas the product has (`rtools.products.schema.layout`).
    compression : str
        Of the arrays, as asdf calls it, or ``none``.
    table : rtools.simulate.scene.Sources, optional
        Instead of drawn sources; magnitudes in the simulated element.
    label : str
        What progress calls the exposure.
    words : sequence of JobWord
        What was said to the tool, for the record.
    work : rtools.work.Work
        Threads, log and progress.

    Returns
    -------
    rtools.simulate.exposure.SimulatedExposure
        What was written.

    Raises
    ------
    RtoolsError
        A file cannot be written, a reference is missing, or the date is not valid.
    """
    from rtools.products.io import writer
    from rtools.products.schema import history
    from rtools.simulate import exposure, metadata
    from rtools.simulate.guide import run as guide

    meta = metadata.build(request, profile)
    references = find_all(meta, request, config, work.log)
    aim = guide.aim(request, meta, references, table=table, work=work)
    result = exposure.simulate(aim.smeared(request), meta, references, aim=aim, label=label, work=work)
    result.meta["filename"] = output.uncal.name
    used = {kind: reference for kind, reference in references.items() if reference is not None}
    entry = history.entry("rt-sim", parameters=request.as_parameters(), references=used, words=words)
    stages = []
    try:
        if output.guide is not None:
            writing = guide.Writing(profile, compression, entry)
            stages += guide.stage_windows(request, aim, references, output=output.guide, writing=writing, work=work)
        # One by one: what was staged before a failure is in the list, and is discarded.
        stages.extend(_staged_truth(output, result, entry, flattened=request.flattened, compression=compression))
        stages.append(
            writer.stage_product(
                output.uncal,
                "l1_uncal",
                result.meta,
                result.arrays,
                profile=profile,
                compression=compression,
                history=[entry],
                work=work,
            )
        )
        for stage in stages:
            stage.commit()
    except BaseException:
        for stage in stages:
            stage.discard()
        raise
    return result


def _staged_truth(output, result, entry, *, flattened, compression):
    """The truth under temporary names: table of sources and image, where they are wanted."""
    from rtools.products.io.recording import job_beside
    from rtools.simulate import files

    if output.truth_table is not None:
        job = job_beside(entry, output.truth_table, output.uncal)
        yield files.stage_truth_table(output.truth_table, result, job=job)
    if output.truth_image is not None:
        job, packed = (
            job_beside(entry, output.truth_image, output.uncal),
            None if compression == "none" else compression,
        )
        yield files.stage_truth_image(
            output.truth_image, result, ASSUMED_NOTE, flattened=flattened, job=job, compression=packed
        )
