"""The job of one simulated spectrum of a slit of JWST."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.errors import RtoolsError, UsageError
from rtools.pipeline.job.job import Cost
from rtools.pipeline.job.process import PROCESS_BYTES
from rtools.pipeline.simulation.job import Simulated, SimulationWriting
from rtools.pipeline.simulation.jwst import JwstOutput
from rtools.products import names
from rtools.products.io import Stage
from rtools.products.io.recording import JOB_OF_TABLE, job_beside
from rtools.products.jwst.new import NewHdu, stage_new
from rtools.products.schema import history
from rtools.simulate.jwst.slit import GROUPS, MAGNITUDE, SLIT_TYPE, SimulatedSlit, SlitRequest, simulate_slit

if TYPE_CHECKING:
    from rtools.pipeline.job.request import Request
    from rtools.work import Work

__all__ = ["SlitSimulationJob", "plan_slit"]

MADE_OF = ("ra", "dec", "pa", "date", "seed")
"""Settings that a spectrum has as any exposure has them."""

OTHERS = ("transit", "drift", "companion", "filter_", "pupil", "part", "readpatt", "nints", "crowded")
"""Settings that say nothing of it."""


@dataclass(frozen=True, eq=False)
class SlitSimulationJob(Simulated):
    """Simulate one spectrum.

    Attributes
    ----------
    exposure : rtools.simulate.jwst.slit.SlitRequest
        What is simulated.
    output : rtools.pipeline.simulation.jwst.JwstOutput
        Names of its files.
    """

    exposure: SlitRequest
    output: JwstOutput

    def cost(self) -> Cost:
        """A small image."""
        return Cost(bytes=int(PROCESS_BYTES))

    def moved_to(self, folder: Path) -> SlitSimulationJob:
        """The same job with the image alone, in a directory."""
        return replace(self, output=JwstOutput(folder / self.output.product.name))

    def _simulate(self, how: SimulationWriting, work: Work) -> None:
        made = simulate_slit(self.exposure)
        entry = history.entry("rt-sim", parameters=self.exposure.as_parameters(), words=how.words)
        stages: list[Stage] = []
        try:
            stages.extend(_staged(made, self.output, entry))
            for stage in stages:
                stage.commit()
        except BaseException:
            for stage in stages:
                stage.discard()
            raise


def _staged(made: SimulatedSlit, output: JwstOutput, entry: dict[str, Any]) -> Iterator[Stage]:
    """Files under temporary names, the main product last."""
    from astropy.table import Table

    if output.truth_table is not None:
        table = Table({name: values for name, (values, _unit) in made.truth.items()})
        for name, (_values, unit) in made.truth.items():
            table[name].unit = unit
        job = job_beside(entry, output.truth_table, output.product)
        table.meta.update({"content": "spectrum", JOB_OF_TABLE: json.dumps(job)})
        text, stage = io.StringIO(), Stage(output.truth_table)
        table.write(text, format="ascii.ecsv")
        with stage.open() as file:
            file.write(text.getvalue().encode())
        yield stage
    hdus = [NewHdu(name, array) for name, array in made.arrays.items()]
    yield stage_new(output.product, "cal", made.meta, hdus, tree=made.tree, history=[entry])


def plan_slit(name: str, settings: dict[str, Any], request: Request, *, truth: bool = True) -> SlitSimulationJob:
    """Decide which files one simulated spectrum becomes, or refuse it.

    Parameters
    ----------
    name : str
        As it was typed: ``jw…_mirimage_cal.fits``.
    settings : dict of str to object
        As `rtools.simulate.jwst.naming.request_of_jwst` takes them.
    request : rtools.pipeline.job.request.Request
        Where files go.
    truth : bool
        Write the true spectrum beside it: ROOT_truth.ecsv.

    Returns
    -------
    SlitSimulationJob

    Raises
    ------
    UsageError
        The name is another one, or a setting says nothing of a spectrum.
    RtoolsError
        One of the files exists, and may not be replaced.
    """
    try:
        parsed = names.parse(name, forms=("name",), mission="jwst")
    except names.InvalidName as error:
        raise UsageError(f"not a file name of the mission ({str(error).splitlines()[0]})") from None
    if (parsed.detector, parsed.suffix, parsed.extension) != ("mirimage", "cal", "fits"):
        raise UsageError(f"--exp-type {SLIT_TYPE} makes jw…_mirimage_cal.fits, and no {Path(name).name}")
    for key in OTHERS:
        if settings.get(key) is not None:
            raise UsageError(f"--{key.strip('_').replace('part', 'subarray')} says nothing of {SLIT_TYPE}")
    offset, magnitude = settings.get("offset"), settings.get("magnitude")
    exposure = SlitRequest(
        root=parsed.root,
        identity=names.metadata(parsed),
        magnitude=MAGNITUDE if magnitude is None else magnitude,
        groups=settings.get("ngroups") or GROUPS,
        offset=float(str(offset).split(",")[0]) if offset else 0.0,
        **{key: settings[key] for key in MADE_OF},
    )
    path = Path(name) if request.outdir is None else Path(request.outdir) / Path(name).name
    output = JwstOutput(path, truth_table=path.with_name(f"{parsed.root}_truth.ecsv") if truth else None)
    for each in output.paths():
        if each.exists() and not request.overwrite:
            raise RtoolsError("exists already", mend="--overwrite replaces it", path=each)
    return SlitSimulationJob(name, request, exposure, output)
