"""The job of one simulated exposure of JWST."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from rtools.errors import RtoolsError
from rtools.pipeline.job.job import Cost
from rtools.pipeline.job.process import PROCESS_BYTES
from rtools.pipeline.job.request import Request
from rtools.pipeline.simulation.job import Simulated, SimulationWriting
from rtools.simulate.jwst.request import JwstRequest
from rtools.work import Work

__all__ = ["JwstOutput", "JwstSimulationJob", "plan_jwst"]

RAW, PIXEL, PLANE = 2, 90, 40
"""Bytes for each pixel of a group, of what is read, and of a plane of an image."""


@dataclass(frozen=True)
class JwstOutput:
    """Names of what is written.

    Attributes
    ----------
    product : Path
        The exposure.
    truth_image : Path or None
        The true rate and the cosmic rays, FITS; None if it is not written.
    truth_table : Path or None
        Sources, light curve or visibilities, ECSV; None if it is not written.
    """

    product: Path
    truth_image: Path | None = None
    truth_table: Path | None = None

    def paths(self) -> list[Path]:
        """Those that are written, the main product last."""
        return [path for path in (self.truth_table, self.truth_image, self.product) if path is not None]


@dataclass(frozen=True, eq=False)
class JwstSimulationJob(Simulated):
    """Simulate one exposure of JWST.

    Attributes
    ----------
    exposure : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    output : JwstOutput
        Names of its files.
    """

    exposure: JwstRequest
    output: JwstOutput

    def cost(self) -> Cost:
        """Memory by the pixels that are read, and groups or planes of them."""
        asked = self.exposure
        planes = asked.integrations if asked.has_integrations or asked.varies else 1
        each = PIXEL + RAW * asked.groups * asked.integrations + PLANE * planes
        return Cost(bytes=int(PROCESS_BYTES + each * asked.part.rows * asked.part.columns))

    def moved_to(self, folder: Path) -> JwstSimulationJob:
        """The same job with the exposure alone, in a directory."""
        return replace(self, output=JwstOutput(folder / self.output.product.name))

    def _simulate(self, how: SimulationWriting, work: Work) -> None:
        from rtools.pipeline.simulation.jwst_files import simulate_to_files

        simulate_to_files(self.exposure, self.output, how.config, label=self.name, words=how.words, work=work)


def plan_jwst(name: str, exposure: JwstRequest, request: Request, *, truth: bool = True) -> JwstSimulationJob:
    """Decide which files one simulated exposure of JWST becomes, or refuse it.

    Parameters
    ----------
    name : str
        The name, as it was typed.
    exposure : rtools.simulate.jwst.request.JwstRequest
        What is simulated.
    request : rtools.pipeline.job.request.Request
        Where files go, and which references are taken.
    truth : bool
        Write the truth beside it: ROOT_truth.fits, and ROOT_truth.ecsv where there is a sky.

    Returns
    -------
    JwstSimulationJob
        Nothing is written yet.

    Raises
    ------
    RtoolsError
        One of the files exists, and may not be replaced.
    """
    path = Path(name) if request.outdir is None else Path(request.outdir) / Path(name).name
    dark = exposure.exposure_type.endswith("_DARK")
    image = path.with_name(f"{exposure.root}_truth.fits") if truth else None
    table = path.with_name(f"{exposure.root}_truth.ecsv") if truth and not dark else None
    output = JwstOutput(path, image, table)
    for each in output.paths():
        if each.exists() and not request.overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=each)
    return JwstSimulationJob(name, request, exposure, output)
