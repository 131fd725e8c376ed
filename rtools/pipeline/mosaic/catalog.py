"""The catalog of a mosaic: of one that has just been made, or of a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtools.errors import InputError, with_article
from rtools.pipeline.catalog import files as catalog_files
from rtools.pipeline.catalog import jwst as jwst_cataloging
from rtools.pipeline.catalog import single as cataloging
from rtools.pipeline.catalog.references import find_references
from rtools.pipeline.job.compiling import announced
from rtools.pipeline.job.job import Cost, Description, Job, Messages, Outcome, PlannedStep, Result
from rtools.pipeline.job.journal import Journal
from rtools.pipeline.job.outputs import check_outputs, make_directory, name_outputs
from rtools.pipeline.job.process import PROCESS_BYTES, peak_memory, settled
from rtools.pipeline.job.records import options_of, record_of
from rtools.pipeline.job.request import Request
from rtools.pipeline.job.settings import check_options
from rtools.pipeline.job.steps import StepPlan, step_of, uses_of
from rtools.pipeline.mosaic.missions import mission_named
from rtools.pipeline.mosaic.outputs import catalog_extensions
from rtools.products import names
from rtools.products.io import open_product
from rtools.products.jwst import JwstProduct, open_jwst
from rtools.products.opening import mission_of
from rtools.products.schema import history, profiles
from rtools.products.schema.blocks import stamp_file
from rtools.products.schema.record import JobRecord
from rtools.wfi import metadata
from rtools.work import Work

if TYPE_CHECKING:
    from rtools.pipeline.mosaic.coadd import Coadd
    from rtools.products.io.product import Product
    from rtools.products.io.staging import Stage

__all__ = [
    "MosaicCatalogJob",
    "plan_catalog",
    "plan_catalog_step",
    "stage_catalog",
    "stage_catalog_of_i2d",
    "takes",
]

KIND = "l3_coadd"

PIXEL = 33
"""Bytes for each pixel of a mosaic, as measured: 1.48 GiB for 37 million pixels."""


def plan_catalog_step(
    meta: Mapping[str, Any],
    request: Request,
    log: Callable[[str, str], None],
    *,
    simulated: bool,
    mission: str = "roman",
) -> StepPlan:
    """Options and references of the catalog of a mosaic; refused before any work where a reference is missing.

    Parameters
    ----------
    meta : mapping
        Of the mosaic, as far as references are chosen by it: of Roman `coadd_info.time_first` and `instrument`.
    request : rtools.pipeline.job.request.Request
        What is asked.
    log : callable
        ``log(level, text)``.
    simulated : bool
        Whether all data of the mosaic are.
    mission : str
        Whose mosaic it is.

    Returns
    -------
    rtools.pipeline.job.steps.StepPlan
    """
    step = step_of("catalog", mission)
    options = step.defaults() | check_options(step, request.settings.get("catalog", {}))
    uses, config = uses_of(step, options), request.references
    if mission == "jwst":
        found = jwst_cataloging.find_jwst_references(meta, uses, options, config, log, simulated=simulated)
    else:
        found = find_references(meta, KIND, uses, config, log, simulated=simulated)
    return StepPlan(step, options, found)


def stage_catalog(
    files: catalog_files.CatalogFiles, coadd: Coadd, request: Request, work: Work
) -> tuple[list[Stage], cataloging.CatalogSummary]:
    """Find the sources of a mosaic that is in memory, and write them under temporary names.

    Parameters
    ----------
    files : rtools.pipeline.catalog.files.CatalogFiles
        Their names, and what they say; among them ``coadd``, the mosaic.
    coadd : rtools.pipeline.mosaic.coadd.Coadd
        The mosaic, with its planes.
    request : rtools.pipeline.job.request.Request
        What is asked.
    work : rtools.work.Work
        Threads and log.

    Returns
    -------
    stages : list of rtools.products.io.staging.Stage
        The segmentation map first.
    summary : rtools.pipeline.catalog.single.CatalogSummary
    """
    meta = stamp_file(KIND, coadd.meta, files.outputs["coadd"])
    made = cataloging.make_planes(coadd.planes, meta, meta["wcs"])
    return _find_and_stage(files, made, meta, request, work)


def stage_catalog_of_i2d(
    files: catalog_files.CatalogFiles, coadd: Coadd, request: Request, work: Work
) -> tuple[list[Stage], cataloging.CatalogSummary]:
    """The same for a mosaic of JWST, which is read from its file, as it has no name yet.

    Parameters
    ----------
    files, coadd, request, work
        As `stage_catalog`; the planes are not needed.
    """
    with open_jwst(coadd.stage.temporary) as product:
        return jwst_cataloging.stage_jwst_catalog(files, request, product, work)


def _find_and_stage(files, planes, meta, request, work):
    options = dict(files.options)  # what is asked for, and then what was done
    found = cataloging.find_sources(planes, meta, options, files.references, work)
    stages = catalog_files.stage(replace(files, options=options), request, found, meta, work)
    return stages, cataloging.summary_of(found, options)


def takes(path: str | Path, request: Request) -> bool:
    """Whether a request for a catalog is of a mosaic; refuses what is neither that nor an image.

    Parameters
    ----------
    path : str or Path
        The input, which is opened where a catalog is asked for.
    request : rtools.pipeline.job.request.Request
        Its `single` names the step.

    Returns
    -------
    bool
        False also where another step is asked for, or a chain. True for all files of JWST.

    Raises
    ------
    InputError
        A catalog is asked for, and the file is neither an image nor a mosaic.
    """
    if request.single != "catalog":
        return False
    return mission_of(path) == "jwst" or open_product(path, ("l2_image", KIND)).kind == KIND


@dataclass(frozen=True, eq=False)
class MosaicCatalogJob(Job):
    """Make the catalog of a mosaic.

    Attributes
    ----------
    path : str
        The file to open.
    called : str
        What the input calls itself: its path, or the name that standard input gives itself.
    product : rtools.products.io.product.Product or rtools.products.jwst.JwstProduct
        The mosaic.
    step : rtools.pipeline.job.steps.StepPlan
        Options and references.
    files : rtools.pipeline.catalog.files.CatalogFiles
        What is written.
    messages : Messages
        What is to be said before the work.
    """

    path: str
    called: str
    product: Product | JwstProduct
    step: StepPlan
    files: catalog_files.CatalogFiles
    messages: Messages

    kind = "catalog"

    def __reduce__(self):
        return plan_catalog, (self.name, self.path, self.request, self.called)

    @cached_property
    def record(self) -> JobRecord:
        """The mosaic, and the step of the plan."""
        return record_of(
            self.request,
            [self.path],
            options_of([self.step]),
            mission=self.step.step.mission,
            references=self.step.references,
            folder=self.files.outputs["cat"].parent,
        )

    @property
    def reads(self) -> tuple[str, ...]:
        """The mosaic."""
        return (self.path,)

    @property
    def writes(self) -> tuple[Path, ...]:
        """Segmentation map and catalog."""
        return tuple(self.files.outputs.values())

    def cost(self) -> Cost:
        """Memory by the pixels of the mosaic."""
        rows, columns = self.product.arrays["data"].shape[-2:]
        return Cost(bytes=int(PROCESS_BYTES + PIXEL * rows * columns))

    def describe(self) -> Description:
        """The step with its options and references."""
        found = {kind: reference.label if reference else None for kind, reference in self.step.references.items()}
        step = self.step.step
        return Description(
            input=self.name,
            steps=(PlannedStep(step.name, self.step.status, self.step.options, found, step.mission),),
            outputs=("-",) if self.request.to_stdout else tuple(map(str, self.writes)),
            warnings=(*self.messages.cautions, *self.messages.warnings),
        )

    def moved_to(self, folder: Path) -> Job:
        """The same job with its catalog alone, in a directory."""
        outputs = {"cat": folder / self.files.outputs["cat"].name}
        return replace(self, files=replace(self.files, outputs=outputs))

    def carry_out(self, work: Work, before: Mapping[str, Sequence[Outcome]]) -> Sequence[Outcome]:
        """Make the catalog and write it; it waits for nothing."""
        started, journal = time.perf_counter(), Journal(work.log, self.called)
        work = work.with_log(journal.log)
        for folder in {path.parent for path in self.writes}:
            make_directory(folder)
        with settled(), self.product, announced(journal.tell):
            journal.begin(self.messages)
            staged, summary = self._made(work)
        outputs = tuple(stage.commit() for stage in staged)
        seconds = time.perf_counter() - started
        return [
            Result(
                input=self.name,
                outputs=outputs,
                seconds={"catalog": seconds, "total": seconds},
                peak_memory=peak_memory(),
                catalogs=(summary,),
                warnings=tuple(journal.warned),
            )
        ]

    def _made(self, work):
        product = self.product
        if isinstance(product, JwstProduct):
            return jwst_cataloging.stage_jwst_catalog(self.files, self.asked, product, work)
        return _find_and_stage(self.files, cataloging.planes_of(product, work), product.meta, self.asked, work)


def plan_catalog(name: str, path: str, request: Request, called: str | None = None) -> MosaicCatalogJob:
    """Decide how the catalog of a mosaic is made, or refuse it.

    Parameters
    ----------
    name : str
        The input, as it was typed.
    path : str
        The file to open.
    request : rtools.pipeline.job.request.Request
        What is asked.
    called : str, optional
        The name that output names are made of, where it is not `path` (standard input).

    Returns
    -------
    MosaicCatalogJob
    """
    mission, messages, called = mission_of(path), Messages(), str(called or path)
    product = open_jwst(path) if mission == "jwst" else open_product(path, (KIND,))
    _refuse_other(product)
    simulated = history.is_simulated(product.history)
    step = plan_catalog_step(product.meta, request, messages.log, simulated=simulated, mission=mission)
    stem = names.split_suffix(Path(called).name)[0]
    extensions = catalog_extensions(mission_named(mission), request)
    outputs = name_outputs(request, Path(called).parent, stem, extensions, "cat")
    messages.warnings += check_outputs(outputs, "cat", request, [called])
    profile = ""
    if mission == "roman":
        profile, changes = profiles.kept(request.profile, [product])
        messages.warnings += changes
    past = tuple(product.history)
    files = catalog_files.CatalogFiles(outputs, product.kind, profile, step.options, step.references, (called,), past)
    return MosaicCatalogJob(name, request, path, called, product, step, files, messages)


def _refuse_other(product):
    """Refuse a mosaic that does not say what references are chosen by, and what is none."""
    if not isinstance(product, JwstProduct):
        metadata.require(product.meta, "instrument.optical_element", "coadd_info.time_first", path=product.path)
    elif product.kind not in jwst_cataloging.KINDS:
        wanted = " or ".join(jwst_cataloging.KINDS)
        raise InputError(
            f"is {with_article(product.kind)}, wanted {wanted}", mend="rt-run makes mosaics", path=product.path
        )
