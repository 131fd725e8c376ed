"""rt-run on associations of JWST's third stage: exposures are calibrated first, then step by step what they ask for."""

import sys
from contextlib import suppress

from rtools.commands.kit.associations import folder_of
from rtools.commands.kit.config import with_tables
from rtools.commands.kit.executors import executor_of, with_memory
from rtools.commands.kit.inputs import local_path
from rtools.commands.kit.jwst_associations import are_of_types
from rtools.commands.kit.mosaic_requests import StepsOfRun
from rtools.commands.kit.reports import RunReport
from rtools.commands.kit.resuming import resume_of
from rtools.commands.kit.tool import typed
from rtools.errors import RtoolsError, UsageError
from rtools.pipeline.job.outputs import refuse_combinations

__all__ = ["are_of_stage3", "run_stage3"]

SHARED = ("outdir", "overwrite")


def are_of_stage3(inputs):
    """Whether all of the inputs are associations for whose type there is a recipe.

    Parameters
    ----------
    inputs : sequence of str
        Associations of JWST.

    Returns
    -------
    bool

    Raises
    ------
    UsageError
        Some of them are, others not.
    """
    from rtools.pipeline.stage3.recipes import RECIPES

    return bool(inputs) and are_of_types(inputs, RECIPES, "the third stage")


def run_stage3(console, inputs, options, flags, *, references, jobs):
    """Carry out associations of the third stage; returns the exit status.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages.
    inputs : sequence of str
        The associations.
    options : dict
        Of `rt-run`, for files of JWST.
    flags : rtools.commands.kit.reports.RunFlags
        How the run goes and what it prints.
    references : rtools.reference.find.Config
        Where reference files are looked for.
    jobs : int
        Threads, as ``-j`` says.

    Returns
    -------
    int
    """
    from rtools.pipeline.job.run import run_jobs

    if options.get("output"):
        raise UsageError("an association of the third stage makes several products, which it names",
                         mend="--outdir says where they go")  # fmt: skip
    executor = executor_of(console, jobs, flags)
    exposures, request = _requests(inputs, options, references, flags)
    refuse_combinations(request, as_json=flags.as_json, dry_run=flags.dry_run, terminal=sys.stdout.isatty())
    report = RunReport(console, flags)
    with console.gathering(inputs):
        plans, wanted = _plans(inputs, exposures, request)
        return run_jobs(plans, executor, report, arrange=wanted, dry_run=flags.dry_run,
                        fail_fast=flags.fail_fast, resume=resume_of(flags, executor, console))  # fmt: skip


def _requests(inputs, options, references, flags):
    """What is asked of exposures that are not calibrated, and what of all that comes behind."""
    from rtools.pipeline.exposure.request import ExposureRequest
    from rtools.pipeline.job.request import Request
    from rtools.pipeline.job.steps import step_names

    steps = StepsOfRun("jwst", of_images=False)
    named, skip = steps.settings(options["settings"]), steps.names(options["skip"])
    order = steps.order()
    _refuse_idle_steps(inputs, order, skip, named)
    shared = {key: options[key] for key in SHARED if key in options} | {"references": references}
    shared["resume"] = flags.resume
    further = [name for name in (*steps.of_mosaic, *step_names("jwst")) if name not in order]
    exposures = ExposureRequest(
        tool="rt-run",
        first=steps.of_exposures(options["first"]),
        last=None,
        skip=skip & {*order},
        also=frozenset(map(steps.of_exposures, options.get("also", ()))),
        settings=with_tables({key: named[key] for key in named if key in order}, order, "jwst"),
        named=named,
        **shared,
    )
    if options["last"]:
        raise UsageError("--until does not go with an association of the third stage", mend="--skip leaves steps out")
    settings = with_tables({key: named[key] for key in named if key in further}, further, "jwst")
    return with_memory(exposures, flags), Request(tool="rt-run", skip=skip, settings=settings, **shared)


def _steps_of(inputs):
    """Types of the associations, and the steps that these have, as keys of a dict in order."""
    from rtools.pipeline.stage3.association import association_of_stage3
    from rtools.pipeline.stage3.recipes import RECIPES

    types: set[str] = set()
    for name in inputs:
        with suppress(RtoolsError):  # told where it is planned
            types.add(association_of_stage3(local_path(name)).asn_type)
    return sorted(types), dict.fromkeys(step for asn_type in sorted(types) for step in RECIPES[asn_type].steps)


def _refuse_idle_steps(inputs, order, skip, named):
    """Refuse names of steps that neither exposures have nor what the associations ask for."""
    types, known = _steps_of(inputs)
    who = f"{' and '.join(types)} {'has' if len(types) == 1 else 'have'}"
    for option, words in (("--skip", skip), ("--set", named)):
        for step in sorted(set(words) - {*known, *order}):
            raise UsageError(f"{option} {step}: {who} no such step", mend=f"steps: {' '.join(known)}")


def _refuse_idle_references(inputs, references):
    """Refuse references of types that no step of the associations reads, where no exposure is calibrated."""
    from rtools.pipeline.stage3.work import has_work, work_of

    _types, known = _steps_of(inputs)
    read = {one.type for step in known if has_work(step) for one in work_of(step).step.references}
    for kind in sorted(references.overrides.keys() - read) if typed("ref") else ():
        raise UsageError(
            f"--ref {kind}: no step of these associations reads it", mend=f"types: {' '.join(sorted(read))}"
        )


def _plans(inputs, exposures, request):
    """What plans exposures that are not calibrated yet, and behind them the associations; and what chooses among jobs:
    exposures are calibrated for associations that are not refused."""
    from rtools.pipeline.jwst.job import plan_jwst_job
    from rtools.pipeline.stage3.association import exposures_to_calibrate, plan_association

    calibrated, planned, plans = {}, {}, []
    needed = {name: [] for name in inputs}

    def calibrate(path):
        calibrated[path] = plan_jwst_job(path, path, exposures)
        return [calibrated[path]]

    for name in inputs:
        with suppress(RtoolsError):  # told where it is planned
            needed[name] = exposures_to_calibrate(local_path(name), folder_of(name))
            for path in needed[name]:
                if path not in (known for known, _plan in plans):
                    plans.append((path, lambda path=path: calibrate(path)))
    if not plans:
        _refuse_idle_references(inputs, request.references)
    if not plans and (exposures.first or exposures.also):
        raise UsageError("--from and --with act on exposures that are calibrated, and here all members are")
    kept = set()

    def plan(name):
        jobs = plan_association(local_path(name), folder_of(name), request, calibrated, planned)
        kept.update(calibrated[path].key for path in needed[name] if path in calibrated)
        return jobs

    def wanted(jobs):
        left = {job.key for job in calibrated.values()} - kept
        return [job for job in jobs if job.key not in left]

    return [*plans, *((name, lambda name=name: plan(name)) for name in inputs)], wanted
