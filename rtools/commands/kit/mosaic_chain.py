"""rt-run on the way to a mosaic: of images, or of exposures that it calibrates first."""

import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rtools.commands.kit.config import with_tables
from rtools.commands.kit.exposures import members_of, plans_of
from rtools.commands.kit.grid_options import GRID_KEYS, wanted_grid
from rtools.commands.kit.inputs import is_association, local_path
from rtools.commands.kit.mosaics import check_memory, groups_of, run_groups
from rtools.commands.kit.reports import RunReport
from rtools.commands.kit.step_options import read_settings
from rtools.commands.kit.tool import typed
from rtools.errors import InputError, RtoolsError, UsageError
from rtools.pipeline.job.outputs import refuse_combinations, refuse_several
from rtools.pipeline.job.status import shared_status

__all__ = ["makes_mosaic", "run_to_mosaic"]

KEYS = {"first": "from", "last": "until"}
"""Options of `rt-run` by the names of their parameters, where these differ."""

OF_EXPOSURES = ("first", "last", "refcat", "strict", "save_steps")
"""Options that say nothing of images that are calibrated already."""


def makes_mosaic(inputs, options):
    """Whether these inputs and options ask `rt-run` for a mosaic: a grid, --mosaic, --add, or an association of images.

    An association of images that comes with --refcat is one whose images are to be aligned.
    """
    if options["mosaic"] or options["add"] or any(options[key] not in (None, ()) for key in GRID_KEYS):
        return True
    if typed("refcat") or not all(is_association(name) for name in inputs):
        return False
    found = {_of_images([name]): name for name in inputs}
    if True in found and False in found:
        raise UsageError(f"{found[True]} is of images, {found[False]} is not", mend="run one after the other")
    return True in found


def _of_images(inputs):
    """Whether all inputs, and the members of associations among them, are images; None if none of them can be read."""
    from rtools.pipeline.mosaic.missions import IMAGES
    from rtools.products.mosaic.association import science_members
    from rtools.products.opening import open_any

    kinds = []
    for name in inputs:
        with suppress(RtoolsError):  # told where each input is planned
            path = local_path(name)
            members = science_members(path) if is_association(name) else [path]
            for member in members:
                with suppress(RtoolsError):
                    kinds.append(open_any(member).kind)
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
    jobs = options.pop("jobs")
    options.pop("mosaic")
    images = _of_images(inputs)
    if images is not False:
        for key in OF_EXPOSURES:
            if options[key] and typed(key):
                raise UsageError(f"--{KEYS.get(key, key).replace('_', '-')} is for exposures, and this makes a mosaic")
    exposures, mosaic = _requests(options, references, catalog, of_images=images is not False)
    check_memory(mosaic)
    if images is not False:
        return run_groups(console, inputs, mosaic, jobs, flags)
    _refuse_jwst_exposures(inputs)
    return _run_both(console, inputs, exposures, mosaic, jobs, flags)


def _refuse_jwst_exposures(inputs):
    """Refuse exposures of JWST that are not calibrated: a mosaic is made of images."""
    from rtools.pipeline.mosaic.missions import mission_of_images
    from rtools.products.mosaic.association import science_members

    for name in inputs:
        path = local_path(name)
        if mission_of_images(science_members(path) if is_association(name) else [path]) == "jwst":
            raise InputError("not all are calibrated images", mend="rt-run without a mosaic calibrates them", path=name)


def _requests(options, references, catalog, *, of_images):
    """What is asked of the exposures, and what of the mosaic."""
    from rtools.pipeline.exposure import chain
    from rtools.pipeline.exposure.request import ExposureRequest
    from rtools.pipeline.mosaic.request import STEPS, MosaicRequest

    steps = *STEPS, "catalog"
    wanted, cells = wanted_grid(options)
    step_of = _step_of_mosaic if of_images else _step_of
    named = read_settings(options["settings"], step_of)
    skip = frozenset(step_of(word).name for word in options["skip"])
    for name, why in (("flux", "a mosaic is in MJy/sr"), ("resample", "there is no mosaic without it")):
        if name in skip:
            raise UsageError(f"--skip {name}: {why}", mend="leave it out")
    shared = {key: options[key] for key in ("overwrite", "compression", "profile", "form") if key in options}
    shared |= {"tool": "rt-run", "references": references}
    mosaic = MosaicRequest(
        skip=skip & {*steps},
        settings=_with_catalog({key: named[key] for key in named if key in steps}, steps, catalog),
        wanted=wanted,
        skycells=cells,
        add=options["add"],
        max_memory=options["max_memory"],
        output=options["output"],
        outdir=None if options["output"] else options["outdir"],
        **shared,
    )
    named = {key: dict(values) for key, values in named.items() if key in chain.order()}
    if options["refcat"] is not None:
        named.setdefault("tweakreg", {}).setdefault("refcat", options["refcat"])
    exposures = ExposureRequest(
        first=_resolved(options["first"]),
        last=_resolved(options["last"]),
        skip=skip & {*chain.order()},
        settings=_with_catalog(named, chain.order(), catalog),
        named=named,
        save_steps=options["save_steps"],
        strict=options["strict"],
        guide=options["guide"],
        high_frequency=options["high_frequency"],
        together=True,
        outdir=options["outdir"],
        **shared,
    )
    return exposures, mosaic


def _with_catalog(settings, names, catalog):
    """Options of steps with those of the configuration's tables, and with those of the catalog that were given."""
    found = with_tables(settings, names)
    found["catalog"] = catalog | found.get("catalog", {})
    return found


def _resolved(word):
    from rtools.pipeline.exposure import chain

    return chain.resolve(word) if word else None


def _step_of_mosaic(word):
    """Declaration of a step of the mosaic chain, by tool name, cal_step key or suffix."""
    from rtools.pipeline.job.steps import step_of
    from rtools.pipeline.mosaic.request import STEPS

    plain = word.lower().removeprefix("rt-")
    for step in map(step_of, (*STEPS, "catalog")):
        if plain in (step.name, step.cal_step, step.suffix):
            return step
    raise UsageError(f"no step of a mosaic is called {word!r}", mend=f"steps: {' '.join(STEPS)} catalog")


def _step_of(word):
    """Declaration of a step of the exposures or of the mosaic, by tool name, cal_step key or suffix."""
    from rtools.pipeline.exposure import chain
    from rtools.pipeline.mosaic.request import STEPS

    try:
        return _step_of_mosaic(word)
    except UsageError:
        pass
    try:
        return chain.step_of(chain.resolve(word))
    except UsageError:
        known = " ".join([*chain.order(), *STEPS])
        raise UsageError(f"no step is called {word!r}", mend=f"steps: {known}") from None


def _run_both(console, inputs, exposures, mosaic, jobs, flags):
    """Calibrate what is not calibrated, align it if that is asked for, and make the mosaic."""
    from rtools.pipeline.exposure.job import aligned_together
    from rtools.pipeline.job.run import Local, run_jobs

    work = console.work(jobs)
    refuse_combinations(mosaic, as_json=flags.as_json, dry_run=flags.dry_run, terminal=sys.stdout.isatty())
    report = RunReport(console, as_json=flags.as_json, timings=flags.timings)
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
            plans_of(todo, {"roman": exposures}),
            Local(work),
            report,
            arrange=arrange,
            dry_run=flags.dry_run,
            fail_fast=flags.fail_fast,
        )
    report.close()
    return shared_status(status, done)


def _parted(members, request):
    """Inputs that are images with nothing left to do, and those that a job calibrates or aligns first."""
    from rtools.pipeline.exposure.choice import statuses_of
    from rtools.products.io import open_product

    ready, todo = [], {}
    aligns = request.settings.get("tweakreg", {}).get("refcat") is not None
    for name, group in members.items():
        with suppress(RtoolsError):  # told where it is planned
            product = open_product(local_path(name))
            if product.kind == "l2_image":
                left = aligns and statuses_of(product.meta)["tweakreg"] == "INCOMPLETE"
                if not left:
                    ready.append(name)
                    continue
        todo[name] = group
    return ready, todo


def _mosaics(groups, graph, ready, request):
    """The job of each mosaic, which waits for those of its exposures."""
    from rtools.pipeline.exposure.job import AlignJob, ExposureJob
    from rtools.pipeline.mosaic.job import FutureImage, plan_future_mosaic
    from rtools.products.io import open_product
    from rtools.products.mosaic.association import read_association

    made = {}
    for job in graph:
        if isinstance(job, AlignJob):
            made |= {member.name: (member, job.key) for member in job.members}
        elif isinstance(job, ExposureJob) and job.workplace is None:
            made[job.name] = job, job.key
    jobs = []
    for group, inputs in groups.items():
        association = read_association(local_path(group)) if is_association(group) else None
        names = inputs if association is None else [member.path for member in association.science]
        known = {} if association is None else {member.path: member.group_id for member in association.science}
        images, products = [], []
        for name in names:
            if name in made:
                job, key = made[name]
                _refuse_without_place(job)
                images.append(FutureImage(str(job.plan.outputs[job.plan.main]), name, key, known.get(name)))
                products.append(job.plan.product)
            elif name in ready:
                images.append(FutureImage(local_path(name), name, None, known.get(name)))
                products.append(open_product(local_path(name)))
        if images:
            jobs.append(plan_future_mosaic(_name(group, images), images, request, products, association))
    return jobs


def _name(group, images):
    """What a mosaic is called in messages: not as one of its exposures."""
    return group if is_association(group) else f"mosaic of {Path(images[0].name).name}" if len(images) == 1 else group


def _refuse_without_place(job):
    """Refuse exposures whose product is not an image with a place on the sky."""
    placed = job.plan.product.meta.get("wcs") is not None
    placed = placed or any(step.step.name == "assignwcs" and step.active for step in job.plan.steps)
    ramp = bool(job.plan.steps) and job.plan.steps[-1].step.writes_ramp
    if ramp or not placed:
        raise UsageError(f"{job.name} has no place on the sky at the end of its steps", mend="a mosaic needs assignwcs")
