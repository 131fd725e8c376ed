"""Associations of JWST in rt-run: background exposures are made rates first, then every product its image."""

import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from rtools.commands.kit.inputs import is_association, is_stream, local_path
from rtools.commands.kit.reports import RunReport
from rtools.errors import RtoolsError, UsageError
from rtools.pipeline.job.outputs import refuse_combinations, refuse_several
from rtools.pipeline.job.status import shared_status

__all__ = ["are_of_mosaics", "associations_of_jwst", "run_associations"]

MOSAICS = ("image3",)
"""Types of associations whose images become one mosaic."""


def associations_of_jwst(inputs):
    """Those of the inputs that are associations of JWST, which come alone.

    Parameters
    ----------
    inputs : sequence of str
        As they were typed.

    Returns
    -------
    list of str
        All inputs, or none of them.

    Raises
    ------
    UsageError
        There are other inputs, too, or an association is a stream.
    """
    from rtools.products.mosaic.association import content_of
    from rtools.products.mosaic.jwst_association import is_of_jwst

    found = []
    for name in filter(is_association, inputs):
        try:
            if is_of_jwst(content_of(local_path(name))):
                found.append(name)
        except RtoolsError:  # told where it is planned
            continue
    if found and len(found) < len(inputs):
        raise UsageError("associations of JWST come alone", mend="run one after the other")
    for name in filter(is_stream, found):
        raise UsageError("members lie beside an association of JWST, and a stream has no place", path=name)
    return found


def are_of_mosaics(inputs):
    """Whether associations of JWST are of mosaics.

    Parameters
    ----------
    inputs : sequence of str
        The associations.

    Returns
    -------
    bool

    Raises
    ------
    UsageError
        Some of them are, others not.
    """
    from rtools.products.mosaic.jwst_association import read_jwst_association

    found = {}
    for name in inputs:
        with suppress(RtoolsError):  # told where it is planned
            found.setdefault(read_jwst_association(local_path(name)).asn_type in MOSAICS, name)
    if len(found) > 1:
        raise UsageError(f"{found[True]} is of a mosaic, {found[False]} is not", mend="run one after the other")
    return True in found


def run_associations(console, inputs, request, jobs, flags):
    """Carry associations of JWST out; returns the exit status.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages.
    inputs : sequence of str
        The associations.
    request : rtools.pipeline.exposure.request.ExposureRequest
        What is asked of their exposures.
    jobs : int
        Threads, as ``-j`` says.
    flags : rtools.commands.kit.reports.RunFlags
        How the run goes and what it prints.

    Returns
    -------
    int
    """
    refuse_combinations(request, as_json=flags.as_json, dry_run=flags.dry_run, terminal=sys.stdout.isatty())
    report = RunReport(console, as_json=flags.as_json, timings=flags.timings)
    exposures, status = _exposures(inputs, report, fail_fast=flags.fail_fast)
    refuse_several(request, len(exposures))
    if status and flags.fail_fast:
        return status
    made, done = {}, 0
    if _reaches_images(request):
        made, done = _make_rates(console, exposures, request, jobs, (report, flags))
    else:
        exposures = [exposure._replace(backgrounds=()) for exposure in exposures]
    if done and flags.fail_fast:
        return shared_status(status, done)
    plans = [
        (str(one.science.there), lambda one=one: [_plan(one, request, made, dry_run=flags.dry_run)])
        for one in exposures
    ]
    return shared_status(status, done, _run(console, plans, jobs, (report, flags)))


def _exposures(inputs, report, *, fail_fast):
    """Exposures of all associations; and the exit code of those that cannot be read."""
    from rtools.pipeline.jwst.association import exposures_of

    found, codes = [], []
    for name in inputs:
        try:
            found += exposures_of(local_path(name))
        except Exception as error:
            codes.append(report.failed(name, error))
            if fail_fast:
                break
    return found, shared_status(*codes)


def _reaches_images(request):
    """Whether exposures go on to where the background is subtracted."""
    from rtools.pipeline.jwst.chain import step_called

    return request.last is None or not (step_called(request.last).reads_ramp or request.last == "gainscale")


def _make_rates(console, exposures, request, jobs, how):
    """Rates of background exposures of which only ramps are there: where each will be; and the exit code."""
    from rtools.pipeline.jwst.job import plan_jwst_job

    first = replace(request, first=None, last="gainscale", save_steps=False, output=None, settings=request.settings)
    made, plans = {}, {}
    for member in (member for exposure in exposures for member in exposure.backgrounds):
        if member.there == member.wanted:
            continue
        folder = Path(request.outdir) if request.outdir else member.there.parent
        made[member.wanted] = folder / member.wanted.name
        if not made[member.wanted].exists() or request.overwrite:
            name = str(member.there)
            plans[name] = lambda name=name: [plan_jwst_job(name, name, first)]
    return made, _run(console, list(plans.items()), jobs, how) if plans else 0


def _run(console, plans, jobs, how):
    from rtools.pipeline.job.run import Local, run_jobs

    report, flags = how
    with console.gathering([name for name, _plan in plans]):
        return run_jobs(plans, Local(console.work(jobs)), report, dry_run=flags.dry_run, fail_fast=flags.fail_fast)


def _plan(exposure, request, made, *, dry_run):
    """The job of an exposure without its background."""
    from rtools.pipeline.jwst.job import plan_jwst_job

    files = [made.get(member.wanted, member.wanted) for member in exposure.backgrounds]
    if dry_run:  # those that the run would make first are not there yet
        files = [file for file in files if file.exists()]
    name = str(exposure.science.there)
    return plan_jwst_job(name, name, replace(request, backgrounds=tuple(map(str, files))), exposure.called)
