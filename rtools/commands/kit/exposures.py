"""What `rt-run` and the step tools have in common: inputs to jobs of exposures."""

import sys
from dataclasses import replace
from pathlib import Path

from rtools.commands.kit.associations import members_in
from rtools.commands.kit.executors import executor_of, with_memory
from rtools.commands.kit.inputs import is_association, local_path
from rtools.commands.kit.jwst_associations import exposures_in, plans_of_associated
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.missions import MISSIONS
from rtools.commands.kit.reports import RunReport
from rtools.commands.kit.resuming import resume_of
from rtools.errors import InputError, RtoolsError, UsageError
from rtools.pipeline.job.outputs import refuse_combinations, refuse_several
from rtools.pipeline.job.status import shared_status
from rtools.pipeline.job.steps import missions_of

__all__ = ["local_and_called", "members_of", "plans_of", "run_exposures"]


def run_exposures(console, inputs, requests, jobs, flags, *, catalog=None, associations=()):
    """Plan every input, then carry every plan out; returns the exit status.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages.
    inputs : sequence of str
        As they were typed.
    requests : mapping of str to rtools.pipeline.exposure.request.ExposureRequest
        What is asked of those of each mission.
    jobs : int
        Threads, as ``-j`` says.
    flags : rtools.commands.kit.reports.RunFlags
        How the run goes and what it prints.
    catalog : str, optional
        The catalog of the one image.
    associations : sequence of str
        Those of the inputs that are of JWST, whose exposures have backgrounds.

    Returns
    -------
    int
    """
    from rtools.pipeline.exposure.job import aligned_together
    from rtools.pipeline.job.run import run_jobs

    executor = executor_of(console, jobs, flags)
    requests = {mission: with_memory(one, flags) for mission, one in requests.items()}
    request = next(iter(requests.values()))
    refuse_combinations(request, as_json=flags.as_json, dry_run=flags.dry_run, terminal=sys.stdout.isatty())
    if request.to_stdout and request.save_steps:
        raise UsageError("--save-steps and -o - do not go together", mend="standard output holds one product")
    report = RunReport(console, flags)
    plain = [name for name in expand_inputs(inputs) if name not in associations]
    groups, catalogs, unread = members_of(plain, request, report, console.log, fail_fast=flags.fail_fast)
    exposures, groups, refused = exposures_in(associations, groups, report, fail_fast=flags.fail_fast)
    status = shared_status(unread, refused)
    refuse_several(request, len(groups) + len(exposures))
    _refuse_groups(request, groups, catalog)
    given = dict.fromkeys(groups, catalog) if catalog is not None else {}
    requests = {
        mission: replace(one, catalogs={**one.catalogs, **catalogs, **given}) for mission, one in requests.items()
    }
    if status and flags.fail_fast:
        return status
    plans = plans_of(groups, requests)
    if exposures:
        plans += plans_of_associated(exposures, requests["jwst"])
    with console.gathering([name for name, _plan in plans]):
        done = run_jobs(
            plans,
            executor,
            report,
            arrange=lambda made: aligned_together(made, groups, requests.get("roman", request)),
            dry_run=flags.dry_run,
            fail_fast=flags.fail_fast,
            resume=resume_of(flags, executor, console),
        )
    return shared_status(status, done)


def plans_of(groups, requests):
    """What plans each input: its name, and a function that gives its job."""
    return [(name, lambda name=name: [_plan(name, requests)]) for name in groups]


def _plan(name, requests):
    from rtools.pipeline.exposure.job import plan_exposure
    from rtools.pipeline.mosaic.catalog import plan_catalog, takes
    from rtools.products.opening import mission_of

    first = next(iter(requests.values()))
    path, called = local_and_called(name, first.output)
    request = requests.get(mission_of(path), first)
    _refuse_stranger(path, mission_of(path), request)
    if takes(path, request):
        return plan_catalog(name, path, request, called)
    if mission_of(path) == "jwst":
        from rtools.pipeline.jwst.job import plan_jwst_job

        return plan_jwst_job(name, path, request, called)
    if name in request.catalogs:
        request = replace(request, catalogs={**request.catalogs, called: request.catalogs[name]})
    return plan_exposure(name, path, request, called)


def _refuse_stranger(path, mission, request):
    """A step that the mission of a file does not have."""
    known = missions_of(request.single) if request.single else MISSIONS
    if not Path(path).exists():
        raise InputError("no such file", path=path)
    if mission not in known:
        takes = " and ".join(MISSIONS[one] for one in known)
        raise InputError(f"{request.tool} takes exposures of {takes}, and this is none", path=path)


def _refuse_groups(request, groups, catalog):
    """What is of one image, or of one alignment, while there are several."""
    if catalog is not None and len(groups) > 1:
        raise UsageError("--catalog is of one image", mend="an association names those of several")
    if request.matches and len(set(groups.values())) > 1:
        raise UsageError("--matches is of one alignment", mend="--together aligns all images at once")
    if request.matches and Path(request.matches).exists() and not request.overwrite:
        raise RtoolsError("exists already", mend="--overwrite replaces it", path=request.matches)


def members_of(inputs, request, report, log, *, fail_fast=False):
    """Inputs, each once, with associations replaced by their science members.

    Parameters
    ----------
    inputs : iterable of str
        As they were typed.
    request : rtools.pipeline.exposure.request.ExposureRequest
        Its `together` makes all one group.
    report : rtools.commands.kit.reports.RunReport
        Is told of associations that cannot be read.
    log : callable
        ``log(level, text)``.
    fail_fast : bool
        Stop at the first of these.

    Returns
    -------
    groups : dict of str to str
        Each input, and the group that it is aligned with.
    catalogs : dict of str to str
        Input to the catalog that its association names.
    status : int
        Exit code of what cannot be read.
    """
    from rtools.products.mosaic.association import content_of, tweakreg_catalogs
    from rtools.products.mosaic.jwst_association import is_of_jwst

    groups, catalogs, codes = {}, {}, []
    for name in inputs:
        if not is_association(name):
            groups.setdefault(name, "together" if request.together else name)
            continue
        try:
            path = local_path(name)
            if request.single and is_of_jwst(content_of(path)):
                raise InputError("an association of JWST, which rt-run takes", path=name)
            for member in members_in(name, log):
                groups.setdefault(member, "together" if request.together else name)
            catalogs |= tweakreg_catalogs(path)
        except Exception as error:
            codes.append(report.failed(name, error))
            if fail_fast:
                break
    return groups, catalogs, shared_status(*codes)


def local_and_called(name, output):
    """Path of an input, and the name that outputs are named after: of a stream that which it gives itself.

    Parameters
    ----------
    name : str
        The input, as it was typed.
    output : str or None
        What ``-o`` says.

    Returns
    -------
    (str, str)

    Raises
    ------
    InputError
        A stream does not say what it is called, and nobody else does.
    """
    from rtools.products.opening import open_any

    path = local_path(name)
    if path == name or path.endswith(".json"):
        return path, name
    filename = Path(str(open_any(path).meta.get("filename") or "")).name
    if not filename and output in (None, "-"):
        called = "standard input" if name == "-" else name
        raise InputError(f"{called} has no meta.filename to name the output after", mend="use -o")
    return path, filename or "-"
