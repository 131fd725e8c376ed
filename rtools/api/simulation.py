"""Simulated exposures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.api.asking import carried_out, reference_places
from rtools.errors import UsageError
from rtools.wfi.frame import FRAME

if TYPE_CHECKING:
    from rtools.pipeline.job.job import Result

__all__ = ["simulate_exposure"]


def simulate_exposure(
    name: str | Path,
    *,
    outdir: str | Path | None = None,
    sources: str | Path | None = None,
    truth: bool = True,
    refdir: str | Path | None = None,
    references: Mapping[str, str | None] | None = None,
    overwrite: bool = False,
    threads: int = 1,
    size: int = FRAME,
    **settings: Any,
) -> Result:
    """Simulate a raw exposure, as rt-sim does, and the truth beside it.

    Parameters
    ----------
    name : str or Path
        Of the raw exposure: it says detector and optical element, and is part of what the noise is drawn from.
    outdir : str or Path, optional
        Where files go; by default where the name says.
    sources : str or Path, optional
        A table of positions and magnitudes; by default sources are drawn.
    truth : bool
        Write the truth beside the exposure.
    refdir, references
        As `find_references`; what is found nowhere is of the nominal instrument.
    overwrite : bool
        Replace files that exist.
    threads : int
        Threads that share the work; 0 means all cores. The result does not depend on it.
    size : int
        Rows and columns of the frame, a multiple of 128; less than 4096 is for tests.
    **settings
        Of rt-sim, with underscores: ``ra=150.1``, ``dec=2.2``, ``pa=0``, ``seed=3``, ``read_pattern="1;2-3;4-7"``,
        ``crowded=60000``, ``cosmic_rays=False`` …

    Returns
    -------
    rtools.pipeline.job.job.Result
        `outputs`, the raw exposure first; `warnings`; `seconds`.

    Raises
    ------
    UsageError
        The name is not that of a raw exposure, or a setting does not exist or cannot be.
    RtoolsError
        A file exists, or cannot be written.

    Examples
    --------
    >>> import rtools
    >>> name = "r0000101001001001001_0009_wfi01_f158_uncal.asdf"
    >>> made = rtools.simulate_exposure(name, size=256, read_pattern="1;2-3;4-7", outdir="sim")
    >>> [path.name.rpartition("_")[2] for path in made.outputs]
    ['uncal.asdf', 'truth.asdf', 'truth.parquet']
    """
    from dataclasses import fields

    from rtools.pipeline.job.request import Request
    from rtools.pipeline.simulation.job import plan_simulation
    from rtools.simulate.files import read_sources
    from rtools.simulate.naming import request_of
    from rtools.simulate.request import SimulationRequest

    known = {field.name for field in fields(SimulationRequest)} | {"read_pattern"}
    unknown = [key for key in settings if key not in known]
    if unknown:
        raise UsageError(f"a simulation has no setting {unknown[0]}", mend="rt-sim --help lists them")
    exposure = request_of(str(name), size=size, **settings)
    request = Request(
        tool="rt-sim",
        references=reference_places(refdir, references, None),
        outdir=None if outdir is None else str(outdir),
        overwrite=overwrite,
        said=_words(settings, size, sources, truth=truth),
    )
    table = read_sources(sources, exposure.element) if sources is not None and exposure.has_sky else None
    return carried_out(plan_simulation(str(name), exposure, request, truth=truth, table=table), threads)


def _words(settings, size, sources, *, truth):
    """What was asked as words of rt-sim, for the record of the products."""
    from os.path import abspath

    from rtools.products.schema.record import JobWord

    words = [JobWord(f"--{key.replace('_', '-')}" if value is not False else f"--no-{key.replace('_', '-')}",
                  None if isinstance(value, bool) else str(value))
             for key, value in settings.items() if value is not None]  # fmt: skip
    words.append(JobWord("--size", str(size)))
    words += [] if sources is None else [JobWord("--sources", abspath(sources), names_file=True)]
    return (*words, *([] if truth else [JobWord("--no-truth")]))
