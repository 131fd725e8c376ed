"""rt-bsub: an exposure without the background that others show."""

import sys
from pathlib import Path

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.declared import tool_of_step
from rtools.commands.kit.entry import entry
from rtools.commands.kit.executors import executor_of
from rtools.commands.kit.exposures import local_and_called
from rtools.commands.kit.inputs import local_path
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.missions import MISSIONS, options_by_mission
from rtools.commands.kit.reports import RunFlags, RunReport
from rtools.commands.kit.step_options import click_option, own_values
from rtools.errors import InputError, UsageError
from rtools.exposure.jwst.steps.bsub import STEP
from rtools.pipeline.job.outputs import refuse_combinations

__all__ = ["command", "main"]

DESCRIPTION = f"""\
{STEP.description}

TARGET is a _rate or _rateints of JWST and gives _bsub or _bsubints, or an image (_cal) of Roman and gives _bsub. BKG
are rates, or images, of the same detector through the same filter; they may be lists (@list)."""


def _run(console, inputs, jobs, **options):
    from rtools.pipeline.job.run import run_jobs
    from rtools.products.opening import mission_of

    target, *backgrounds = expand_inputs(inputs)
    if not backgrounds:
        raise UsageError("no exposure of the background", mend="rt-bsub TARGET BKG…")
    flags = RunFlags.taken_from(options)
    path, called = local_and_called(target, options["output"])
    mission = mission_of(path)
    request = _request(options_by_mission(console, options, {mission}, STEP.name)[mission], backgrounds)
    refuse_combinations(request, as_json=flags.as_json, dry_run=flags.dry_run, terminal=sys.stdout.isatty())
    report = RunReport(console, flags)
    plans = [(target, lambda: [_plan(target, path, request, called, mission)])]
    return run_jobs(plans, executor_of(console, jobs, flags), report, dry_run=flags.dry_run)


def _request(options, backgrounds):
    from rtools.pipeline.exposure.request import ExposureRequest

    settings = own_values(STEP, options)
    rest = {key: value for key, value in options.items() if key not in settings}
    files = tuple(map(local_path, backgrounds))
    return ExposureRequest(tool=STEP.tool, single=STEP.name, settings={STEP.name: settings}, backgrounds=files, **rest)


def _plan(name, path, request, called, mission):
    from rtools.pipeline.exposure.background import plan_background
    from rtools.pipeline.jwst.job import plan_jwst_job
    from rtools.products.opening import open_any

    open_any(path).close()  # what is wrong with the target is told first
    for file in request.backgrounds:
        _refuse_stranger(file, mission)
    return (plan_jwst_job if mission == "jwst" else plan_background)(name, path, request, called)


def _refuse_stranger(path, mission):
    from rtools.products.opening import mission_of

    if not Path(path).exists():
        raise InputError("no such file", path=path)
    if mission_of(path) != mission:
        raise InputError(f"no exposure of {MISSIONS[mission]}, as the target is", path=path)


OPTIONS = (
    click.argument("inputs", nargs=-1, metavar="TARGET BKG…"),
    *map(click_option, STEP.options),
    bundles.outputs("fits", "asdf"),
    bundles.writing,
    click.option("--again", is_flag=True, help="Run although the file's cal_step says COMPLETE."),
    bundles.running,
    bundles.no_checksum,
    bundles.json_output,
)

command = tool_of_step(STEP, _run, OPTIONS, description=DESCRIPTION)

main = entry(command)
