"""rt-run on the way to a mosaic: of images, or of exposures that it calibrates first."""

import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rtools.commands.kit.associations import association_of, members_in
from rtools.commands.kit.executors import executor_of, with_memory
from rtools.commands.kit.exposures import members_of, plans_of
from rtools.commands.kit.grid_options import GRID_KEYS
from rtools.commands.kit.inputs import is_association, local_path
from rtools.commands.kit.missions import options_by_mission
from rtools.commands.kit.mosaic_requests import requests_of
from rtools.commands.kit.mosaics import groups_of, run_groups
from rtools.commands.kit.reports import RunReport
from rtools.commands.kit.resuming import resume_of
from rtools.commands.kit.tool import typed
from rtools.errors import InputError, RtoolsError, UsageError
from rtools.pipeline.job.outputs import refuse_combinations, refuse_several
from rtools.pipeline.job.status import shared_status

__all__ = ["makes_mosaic", "run_to_mosaic"]

KEYS = {"first": "from", "last": "until", "also": "with"}
"""Options of `rt-run` by the names of their parameters, where these differ."""

OF_EXPOSURES = ("first", "last", "also", "refcat", "strict")
"""Options that say nothing of images that are calibrated already."""


def makes_mosaic(inputs, options):
    """Whether these inputs and options ask `rt-run` for a mosaic: a grid, --mosaic, --add, or an association of images.

    An association of images that comes with --refcat is one whose images are to be aligned.
    """
    if options["mosaic"] or options["add"] or any(options[key] not in (None, ()) for key in GRID_KEYS):
        return True
    if typed("refcat") or not all(is_association(name) for name in inputs):
        return False
    found = {_of_images(_files([name])): name for name in inputs}
    if True in found and False in found:
        raise UsageError(f"{found[True]} is of images, {found[False]} is not", mend="run one after the other")
    return True in found


def _files(inputs):
    """All inputs, and in the place of associations their members."""
    files = []
    for name in inputs:
        with suppress(RtoolsError):  # told where each input is planned
            files += members_in(name) if is_association(name) else [local_path(name)]
    return files


def _of_images(files):
    """Whether all files are images; None if none of them can be read."""
    from rtools.pipeline.mosaic.missions import IMAGES
    from rtools.products.opening import open_any

    kinds = []
    for file in files:
        with suppress(RtoolsError):  # told where each input is planned
            kinds.append(open_any(file).kind)
    return all(kind in IMAGES for kind in kinds) if kinds else None


def run_to_mosaic(console, inputs, options, flags, *, references, catalog):
    """A mosaic of images, or of exposures that are calibrated first; returns the exit status.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages.
    inputs : list of str
        Images, exposures, associations.
    options : dict
        Of `rt-run`.
    flags : rtools.commands.kit.reports.RunFlags
        How the run goes and what it prints.
    references : rtools.reference.find.Config
        Where reference files are looked for.
    catalog : dict
        Options of the catalog by key that environment or configuration give.

    Returns
    -------
    int
    """
    from rtools.pipeline.mosaic.missions import mission_of_images

    jobs, files = options.pop("jobs"), _files(inputs)
    options.pop("mosaic")
    mission = mission_of_images(files)
    options = options_by_mission(console, options, {mission})[mission]
    images = _of_images(files) is not False
    if images:
        for key in OF_EXPOSURES:
            if options.get(key) and typed(key):
                raise UsageError(f"--{KEYS.get(key, key).replace('_', '-')} is for exposures, and this makes a mosaic")
    exposures, mosaic = requests_of(options, mission, references, catalog, of_images=images)
    exposures, mosaic = with_memory(exposures, flags), _settle_saving(with_memory(mosaic, flags))
    exposures, mosaic = replace(exposures, resume=flags.resume), replace(mosaic, resume=flags.resume)
    if typed("keep_values") and not mosaic.save_steps:
        raise UsageError("--keep-values goes with --save-steps")
    if images:
        return run_groups(console, inputs, {mission: mosaic}, jobs, flags)
    return _run_both(console, inputs, exposures, mosaic, jobs, flags)


def _settle_saving(mosaic):
    """The request without images of steps where they have no place; if they are asked for in this call, a refusal."""
    several = len(mosaic.skycells) > 1
    if not mosaic.save_steps or not (several or mosaic.to_stdout):
        return mosaic
    if not typed("save_steps"):
        return replace(mosaic, save_steps=False)
    if several:
        raise UsageError("--save-steps: outliers are looked for on one skycell", mend="make one mosaic after the other")
    raise UsageError("--save-steps and -o - do not go together", mend="standard output holds one product")


def _run_both(console, inputs, exposures, mosaic, jobs, flags):
    """Calibrate what is not calibrated, align it if that is asked for, and make the mosaic."""
    from rtools.pipeline.exposure.job import aligned_together
    from rtools.pipeline.job.run import run_jobs

    executor = executor_of(console, jobs, flags)
    refuse_combinations(mosaic, as_json=flags.as_json, dry_run=flags.dry_run, terminal=sys.stdout.isatty())
    report = RunReport(console, flags)
    groups = groups_of(inputs)
    refuse_several(mosaic, len(groups))
    members, catalogs, status = members_of(inputs, exposures, report, console.log, fail_fast=flags.fail_fast)
    exposures = replace(exposures, catalogs={**exposures.catalogs, **catalogs})
    if status and flags.fail_fast:
        return status
    ready, todo = _parted(members, exposures)

    def arrange(made):
        graph = aligned_together(made, members, exposures)
        return [*graph, *_mosaics(groups, graph, ready, mosaic)]

    with console.gathering(members):
        done = run_jobs(
            plans_of(todo, {mosaic.mission: exposures}),
            executor,
            report,
            arrange=arrange,
            dry_run=flags.dry_run,
            fail_fast=flags.fail_fast,
            resume=resume_of(flags, executor, console),
        )
    return shared_status(status, done)


def _parted(members, request):
    """Inputs that are images with nothing left to do, and those that a job calibrates or aligns first."""
    from rtools.pipeline.exposure.choice import statuses_of
    from rtools.pipeline.mosaic.missions import IMAGES
    from rtools.products.opening import open_any

    ready, todo = [], {}
    aligns = request.settings.get("tweakreg", {}).get("refcat") is not None
    for name, group in members.items():
        with suppress(RtoolsError):  # told where it is planned
            product = open_any(local_path(name))
            if product.kind in IMAGES:
                left = aligns and statuses_of(product.meta)["tweakreg"] == "INCOMPLETE"
                if not left:
                    ready.append(name)
                    continue
        todo[name] = group
    return ready, todo


def _mosaics(groups, graph, ready, request):
    """The job of each mosaic, which waits for those of its exposures."""
    from rtools.pipeline.exposure.job import AlignJob, ExposureJob
    from rtools.pipeline.jwst.job import JwstJob
    from rtools.pipeline.mosaic.job import FutureImage, plan_future_mosaic
    from rtools.products.opening import open_any

    made = {}
    for job in graph:
        if isinstance(job, AlignJob):
            made |= {member.name: (member, job.key) for member in job.members}
        elif isinstance(job, JwstJob) or (isinstance(job, ExposureJob) and job.workplace is None):
            made[job.name] = job, job.key
    jobs = []
    for group, inputs in groups.items():
        association = association_of(group) if is_association(group) else None
        names = inputs if association is None else [member.path for member in association.science]
        known = {} if association is None else {member.path: member.group_id for member in association.science}
        images, products = [], []
        for name in names:
            if name in made:
                job, key = made[name]
                _refuse_unfit(job)
                images.append(FutureImage(str(job.plan.outputs[job.plan.main]), name, key, known.get(name)))
                products.append(job.plan.product)
            elif name in ready:
                images.append(FutureImage(local_path(name), name, None, known.get(name)))
                products.append(open_any(local_path(name)))
        if images:
            jobs.append(plan_future_mosaic(_name(group, images), images, request, products, association))
    return jobs


def _name(group, images):
    """What a mosaic is called in messages: not as one of its exposures."""
    return group if is_association(group) else f"mosaic of {Path(images[0].name).name}" if len(images) == 1 else group


def _refuse_unfit(job):
    """Refuse exposures whose product is not an image with a place on the sky; of JWST, one that is not calibrated."""
    from rtools.pipeline.jwst.job import JwstJob

    plan = job.plan
    done = {step.step.name for step in plan.steps if step.active}
    placed = plan.product.meta.get("wcs") is not None or "assignwcs" in done
    ramp = bool(plan.steps) and plan.steps[-1].step.writes_ramp
    if ramp or not placed:
        raise UsageError(f"{job.name} has no place on the sky at the end of its steps", mend="a mosaic needs assignwcs")
    if not isinstance(job, JwstJob):
        return
    if plan.apart:
        raise InputError("of several integrations: a mosaic is made of images", path=job.name)
    if plan.main != "cal":
        raise UsageError(f"{job.name} becomes {plan.main}: a mosaic is made of cal", mend="leave --until out")
    if "photom" not in done and (plan.product.meta.get("cal_step") or {}).get("photom") != "COMPLETE":
        raise UsageError(f"{job.name} is not in MJy/sr at the end of its steps", mend="a mosaic needs photom")
