"""The catalog of a mosaic that has just been made."""

from types import SimpleNamespace

from rtools.pipeline.catalog import single as cataloging
from rtools.pipeline.exposure import chain
from rtools.pipeline.exposure.engine import StripTask
from rtools.products.schema.blocks import stamp_file

__all__ = ["catalog_task", "stage_catalog"]

KIND = "l3_coadd"


def catalog_task(members, request, log, *, simulated):
    """The catalog's options and references; refused before any work where a reference is missing.

    Parameters
    ----------
    members : list of rtools.pipeline.mosaic.members.Member
    request : rtools.pipeline.mosaic.plan.MosaicRequest
    log : callable
    simulated : bool
        Whether all data of the mosaic are.

    Returns
    -------
    rtools.pipeline.exposure.engine.StripTask
    """
    step = chain.step_of("catalog")
    task = StripTask(step, step.defaults() | request.settings.get("catalog", {}))
    meta = members[0].meta
    about = {"coadd_info": {"time_first": meta["exposure"]["start_time"]}, "instrument": meta["instrument"]}
    psf = task.options.get("fit_psf", True) or task.options.get("deep")
    uses = [use for use in step.references if psf or use.type != "epsf"]
    task.sources = cataloging.references(about, KIND, uses, request.references, log, simulated=simulated)
    return task


def stage_catalog(mosaic, image, plan, request, journal, work):
    """Write catalog and segmentation map of a mosaic.

    Parameters
    ----------
    mosaic : rtools.pipeline.mosaic.plan.Mosaic
    image : (dict, dict, list)
        Planes of the mosaic by name, its metadata, its history.
    plan : rtools.pipeline.mosaic.plan.MosaicPlan
    request : rtools.pipeline.mosaic.plan.MosaicRequest
    journal : rtools.pipeline.job.journal.Journal
    work : rtools.work.Work

    Returns
    -------
    list of rtools.products.io.staging.Stage
    """
    planes, meta, history = image
    meta = stamp_file(KIND, meta, mosaic.outputs["coadd"])
    image = cataloging.make_planes(planes, meta, meta["wcs"])
    found = cataloging.find_sources(image, meta, plan.catalog.options, plan.catalog.sources, work)
    journal.catalogs.append(cataloging.told_of(found, plan.catalog.options))
    about = SimpleNamespace(
        tasks=[plan.catalog],
        product=SimpleNamespace(kind=KIND, history=history),
        outputs=mosaic.outputs,
        profile=plan.profile(request),
        inputs=[str(mosaic.outputs["coadd"]), *plan.names],
    )
    return cataloging.stage(about, request, found, meta, work)
