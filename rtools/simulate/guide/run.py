"""Guide windows, FACE and their truth, from a request to files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rtools.errors import RtoolsError
from rtools.simulate import light
from rtools.simulate import metadata as exposure_metadata
from rtools.simulate.guide.acquire import Sky, acquire
from rtools.simulate.guide.arrays import face_arrays, stage_arrays
from rtools.simulate.guide.metadata import AcquisitionNames, begin_of, face_metadata, window_metadata
from rtools.simulate.guide.plan import AcquisitionPlan, plan_acquisition, smear_of
from rtools.simulate.guide.star import GuideStar, brightened, edge_offset, find_star, with_star
from rtools.simulate.guide.truth import exposures_of, stage_truth, table_of
from rtools.simulate.references import find_all, typical
from rtools.simulate.seen import find_sources, star_at
from rtools.wfi.frame import BORDER
from rtools.work import ALONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rtools.products.io.writer import Stage
    from rtools.products.schema.record import JobWord
    from rtools.reference.find import Config
    from rtools.reference.source import References
    from rtools.simulate.request import SimulationRequest
    from rtools.simulate.scene import Sources
    from rtools.work import Work

__all__ = ["Aim", "GuideOutput", "Writing", "aim", "guide_outputs", "simulate_windows", "stage_windows"]


@dataclass(frozen=True)
class GuideOutput:
    """Names of what is written.

    Attributes
    ----------
    windows : Path
        The guide windows.
    face : Path or None
        FACE; None if another detector's run writes it.
    truth : Path or None
        The pairs, parquet; None if it is not written.
    names : rtools.simulate.guide.metadata.AcquisitionNames
        Files of the whole acquisition.
    """

    windows: Path
    face: Path | None
    truth: Path | None
    names: AcquisitionNames

    def paths(self) -> list[Path]:
        """Those that are written, the main product last."""
        return [path for path in (self.truth, self.face, self.windows) if path is not None]


def guide_outputs(
    windows: Path, detector: str, *, truth: bool = True, names: AcquisitionNames | None = None, overwrite: bool = False
) -> GuideOutput:
    """Names beside a guide-window file: ROOT_face.asdf and ROOT_truth.parquet.

    Parameters
    ----------
    windows : Path
        ``…_gw.asdf``.
    detector : str
        Whose windows they are.
    truth : bool
        Whether the truth is written.
    names : AcquisitionNames, optional
        Files of the whole acquisition, where it has several detectors; FACE is written with that whose root it has.
    overwrite : bool
        Files that exist may be replaced.

    Returns
    -------
    GuideOutput
        Nothing is written yet.

    Raises
    ------
    RtoolsError
        One of them exists, and `overwrite` is false.
    """
    stem = windows.name.removesuffix("_gw.asdf")
    face = f"{stem}_face.asdf"
    names = names or AcquisitionNames({detector: windows.name}, face)
    listed = windows.with_name(f"{stem}_truth.parquet") if truth else None
    output = GuideOutput(windows, windows.with_name(face) if names.face == face else None, listed, names)
    for path in output.paths():
        if path.exists() and not overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=path)
    return output


class Aim(NamedTuple):
    """What is looked at, and what is guided on.

    Attributes
    ----------
    sky : Sky
        The sources, the guide star as bright as it was asked to be.
    star : GuideStar
        One of them, or a place.
    plan : AcquisitionPlan or None
        Of the acquisition; None where no windows are made.
    """

    sky: Sky
    star: GuideStar
    plan: AcquisitionPlan | None

    def smeared(self, request: SimulationRequest) -> SimulationRequest:
        """The request of an exposure with the jitter that its windows see.

        Parameters
        ----------
        request : rtools.simulate.request.SimulationRequest
            Of the exposure.

        Returns
        -------
        rtools.simulate.request.SimulationRequest
            As it was where no windows are made.
        """
        return request if self.plan is None else replace(request, jitter=smear_of(self.plan, 0).kernel)


def aim(
    request: SimulationRequest,
    meta: dict[str, Any],
    references: References,
    *,
    table: Sources | None = None,
    work: Work = ALONE,
) -> Aim:
    """Find the sources and the guide star, and plan the acquisition.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        What is simulated; its `guide` may give the star another magnitude.
    meta : dict
        Metadata of the exposure, from `rtools.simulate.metadata.build`.
    references : mapping of str to ReferenceSource or None
        References, from `rtools.simulate.references.find_all`.
    table : rtools.simulate.scene.Sources, optional
        Instead of drawn sources.
    work : rtools.work.Work
        Its log.

    Returns
    -------
    Aim
        No pixel is made yet.
    """
    sky, star = _look(request, meta, references, table, work)
    plan = None if request.guide is None else plan_acquisition(request, request.guide, star)
    return Aim(sky, star, plan)


def _look(request, meta, references, table, work):
    """The sources and the guide star."""
    usual = typical(references, request.size)
    view = light.view_of(meta, references, request.size)
    if not request.has_sky:
        return Sky(view, None, usual), find_star(request, None, usual[0], 0.0)
    found = find_sources(view, request, references, gain=usual[0], table=table, work=work)
    star = find_star(request, found, usual[0], light.stamp_of(references, None, work).peak)
    magnitude = None if request.guide is None else request.guide.magnitude
    if magnitude is not None and star.source is not None:
        found = brightened(found, star.source, magnitude)
    elif magnitude is not None:
        row = star.y - (edge_offset(request.element) if request.dispersed else 0)
        place = star.x - BORDER, row - BORDER
        found = with_star(found, star_at(*place, magnitude, view, request, references=references, gain=usual[0]))
        star = star._replace(source=len(found.x) - 1)
    return Sky(view, found, usual), star


def simulate_windows(
    request: SimulationRequest,
    output: GuideOutput,
    config: Config,
    *,
    profile: str,
    compression: str,
    table: Sources | None = None,
    words: Sequence[JobWord] = (),
    work: Work = ALONE,
) -> None:
    """Simulate an acquisition and write its files: all, or none.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        Of the first exposure, with `guide`.
    output : GuideOutput
        Names of the files.
    config : rtools.reference.find.Config
        Where references are looked for.
    profile : str
        Which version of the schemas the products have (`rtools.products.schema.layout`).
    compression : str
        Of the arrays, as asdf calls it, or ``none``.
    table : rtools.simulate.scene.Sources, optional
        Instead of drawn sources; magnitudes in the simulated element.
    words : sequence of JobWord
        What was said to the tool, for the record.
    work : rtools.work.Work
        Threads and log.

    Raises
    ------
    RtoolsError
        A file cannot be written, a reference is missing, or the date is none.
    """
    from rtools.products.schema import history

    meta = exposure_metadata.build(request, profile)
    references = find_all(meta, request, config, work.log)
    aimed = aim(request, meta, references, table=table, work=work)
    used = {kind: reference for kind, reference in references.items() if reference is not None}
    entry = history.entry("rt-sim", parameters=request.as_parameters(), references=used, words=words)
    stages: list[Stage] = []
    try:
        writing = Writing(profile, compression, entry)
        stages += stage_windows(request, aimed, references, output=output, writing=writing, work=work)
        for stage in stages:
            stage.commit()
    except BaseException:
        for stage in stages:
            stage.discard()
        raise


@dataclass(frozen=True)
class Writing:
    """How files are written.

    Attributes
    ----------
    profile : str
        Which version of the schemas the products have (`rtools.products.schema.layout`).
    compression : str
        Of the arrays, as asdf calls it, or ``none``.
    entry : dict
        Of the history.
    """

    profile: str
    compression: str
    entry: dict[str, Any]


def stage_windows(
    request: SimulationRequest,
    aimed: Aim,
    references: References,
    *,
    output: GuideOutput,
    writing: Writing,
    work: Work = ALONE,
) -> list[Stage]:
    """Make pixels, centroids and FACE, and write them under temporary names.

    Parameters
    ----------
    request : rtools.simulate.request.SimulationRequest
        Of the first exposure, with `guide`.
    aimed : Aim
        What is looked at, with a plan.
    references : mapping of str to ReferenceSource or None
        References.
    output : GuideOutput
        Names of the files.
    writing : Writing
        How they are written.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    list of Stage
        Truth, FACE and windows, as far as they are written.
    """
    sky, plan = aimed.sky, aimed.plan
    assert plan is not None
    made = acquire(request, plan, sky, references, work)
    begin = begin_of(exposure_metadata.moment_of(request.date), plan)
    used = {kind: reference.label for kind, reference in references.items() if reference is not None}
    about = {"simulation": exposure_metadata.simulation_of(request) | {"references": used}}
    stages: list[Stage] = []
    try:
        if output.truth is not None:
            stages.append(_stage_truth(request, plan, made, sky, _place(output, writing)))
        if output.face is not None:
            stages.append(_stage_face(request, plan, made, begin, output=output, writing=writing, about=about))
        stages.append(
            _stage_gw(request, plan, made, begin, sky=sky, output=output, writing=writing, about=about, work=work)
        )
    except BaseException:
        for stage in stages:
            stage.discard()
        raise
    return stages


def _place(output, writing):
    """Where the truth goes, and what it says of its job."""
    from rtools.products.io.recording import job_beside

    return output.truth, job_beside(writing.entry, output.truth, output.windows)


def _stage_truth(request, plan, made, sky, place):
    """The pairs; in the metadata of the table the exposures and the star."""
    guide, star = request.guide, plan.star
    about: dict[str, Any] = {
        "guide_window_id": f"{request.identity['observation.visit_id']}{guide.acquisition}",
        "detector": request.detector,
        "optical_element": request.element,
        "star": {"x": star.x, "y": star.y, "flux": made.flux},
        "exposures": exposures_of(plan),
    }
    if star.source is not None:
        about["star"]["magnitude"] = float(sky.found.magnitude[star.source])
    columns = table_of(plan, made.flux, made.background, [read.hits for read in made.reads])
    return stage_truth(place[0], columns, about, place[1])


def _stage_face(request, plan, made, begin, *, output, writing, about):
    """FACE."""
    from rtools.products.io import writer

    names = output.names
    meta = face_metadata(request, request.guide, plan, begin=begin, names=names, profile=writing.profile)
    meta["rtools"] = about
    arrays = face_arrays(made.attitude, begin)
    settings = {"profile": writing.profile, "compression": writing.compression, "history": [writing.entry]}
    return writer.stage_product(output.face, "l1_face", meta, arrays, **settings)


def _stage_gw(request, plan, made, begin, *, sky, output, writing, about, work):
    """The windows."""
    from rtools.products.io import writer

    known = {"begin": begin, "names": output.names, "rate": made.flux, "profile": writing.profile}
    meta = window_metadata(request, request.guide, plan, sky.found, **known)
    meta["rtools"] = about
    arrays: dict[str, Any] = {}
    for each, read, sent in zip(plan.stages, made.reads, made.sent, strict=True):
        arrays |= stage_arrays(each, read, sent, begin)
    settings = {"profile": writing.profile, "compression": writing.compression, "history": [writing.entry]}
    return writer.stage_product(output.windows, "l1_gw", meta, arrays, work=work, **settings)
