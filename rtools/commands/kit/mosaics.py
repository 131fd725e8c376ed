"""What the tools of a mosaic have in common: options of a step, groups of inputs."""

import os
import sys
from dataclasses import replace

import click
from click.core import ParameterSource

from rtools.commands.kit import options as bundles
from rtools.commands.kit.associations import association_of, missions_of_inputs
from rtools.commands.kit.config_shown import tables_of_steps
from rtools.commands.kit.declared import tool_of_step
from rtools.commands.kit.entry import entry
from rtools.commands.kit.executors import executor_of, with_memory
from rtools.commands.kit.exposures import local_and_called
from rtools.commands.kit.grid_options import GRID_KEYS, wanted_grid
from rtools.commands.kit.idle import refuse_idle
from rtools.commands.kit.inputs import is_association, is_stream, local_path
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.missions import options_by_mission
from rtools.commands.kit.products import (
    plans_of_products,
    request_of_products,
    run_products,
    split_inputs,
)
from rtools.commands.kit.reports import RunFlags, RunReport
from rtools.commands.kit.resuming import resume_of
from rtools.commands.kit.step_options import click_option
from rtools.errors import UsageError
from rtools.pipeline.job.outputs import refuse_combinations, refuse_several
from rtools.pipeline.job.settings import check_option

__all__ = ["command_of_step", "entry", "groups_of", "run_groups"]


def command_of_step(step, more=(), of_whole=()):
    """The click command of a step of the mosaic.

    Parameters
    ----------
    step : rtools.declare.MosaicStep
        Its declaration.
    more : sequence of callable
        Decorators of further options of the request.
    of_whole : sequence of str
        Keys of options that say something of whole products alone, where the step has a work on them.

    Returns
    -------
    click.Command
    """

    def run(console, **options):
        from rtools.pipeline.mosaic.request import MosaicRequest
        from rtools.pipeline.stage3.work import has_work

        inputs, flags = expand_inputs(options.pop("inputs")), RunFlags.taken_from(options)
        further = []
        if has_work(step.name):
            whole, inputs = split_inputs(inputs, step.name)
            _refuse_meaningless(step, of_whole, whole, inputs)
            asked = request_of_products(step.name, options) if whole else None
            if whole and not inputs:
                return run_products(console, whole, asked, options["jobs"], flags)
            further = plans_of_products(whole, asked) if whole else []
        given = {item.key: options.pop(item.key) for item in step.options}
        where = {}
        if "skycells" in options:
            where["wanted"], where["skycells"] = wanted_grid(options)
        jobs = options.pop("jobs")
        options.pop("asn_id", None)  # whole products have it in their names
        by_mission = options_by_mission(console, given, missions_of_inputs(inputs), step.name)
        requests = {
            mission: MosaicRequest(
                tool=step.tool,
                single=step.name,
                settings={step.name: _asked_for(step, mission, found)},
                mission=mission,
                **where,
                **options,
            )
            for mission, found in by_mission.items()
        }
        return run_groups(console, inputs, requests, jobs, flags, alone=step.one_by_one, further=further)

    again = click.option("--again", is_flag=True, help="Run although the files' cal_step says COMPLETE.")
    decorators = [
        click.argument("inputs", nargs=-1, metavar="FILE…" if step.one_by_one else "IMAGE…|ASSOCIATION"),
        *(click_option(item) for item in step.options),
        *more,
        bundles.outputs("asdf", *(() if step.one_by_one else ("fits",))),
        bundles.writing,
        *(() if step.repeatable or step.once else (again,)),
        bundles.running,
        bundles.no_checksum,
        bundles.json_output,
        bundles.fail_fast,
    ]
    return tool_of_step(step, run, decorators)


def _refuse_meaningless(step, of_whole, whole, images):
    """Refuse options that are typed and say nothing of any input."""
    from rtools.pipeline.stage3.work import work_of

    if not images:
        known = {item.key for item in work_of(step.name).step.options}
        about_images = {*(item.key for item in step.options), *GRID_KEYS} - known
        refuse_idle(dict.fromkeys(about_images, "is about images, and no input is one"))
    if not whole:
        kinds = " or ".join(work_of(step.name).takes)
        refuse_idle(dict.fromkeys(of_whole, f"is about {kinds}, and no input is one"))


def _asked_for(step, mission, options):
    """Options that are asked for; the others are as the mission has them, or the mosaic that the images join."""
    context = click.get_current_context()
    said = {key for key in options if context.get_parameter_source(key) is not ParameterSource.DEFAULT}
    said |= tables_of_steps(context, mission).get(step.name, {}).keys()
    return {item.key: None if options[item.key] is None else check_option(step, item, options[item.key])
            for item in step.options if item.key in said}  # fmt: skip


def run_groups(console, inputs, requests, jobs, flags, *, alone=False, further=()):
    """Carry out a request on each association, or on all images as one group; returns the exit status.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages.
    inputs : sequence of str
        Images, or associations.
    requests : mapping of str to rtools.pipeline.mosaic.request.MosaicRequest
        What is asked of each group, by the mission of its images.
    jobs : int
        Threads, as ``-j`` says.
    flags : rtools.commands.kit.reports.RunFlags
        How the run goes and what it prints.
    alone : bool
        Every image is a group of its own.
    further : sequence of (str, callable)
        What plans jobs of the same run on other inputs, as `rtools.pipeline.job.run.run_jobs` takes it.

    Returns
    -------
    int
    """
    from rtools.pipeline.job.run import run_jobs

    executor, request = executor_of(console, jobs, flags), next(iter(requests.values()))
    refuse_combinations(request, as_json=flags.as_json, dry_run=flags.dry_run, terminal=sys.stdout.isatty())
    requests = {mission: with_memory(one, flags) for mission, one in requests.items()}
    groups = groups_of(inputs, alone=alone)
    refuse_several(request, len(groups) + len(further))
    if request.add and len(groups) > 1:
        raise UsageError("--add: one group of images joins a mosaic", mend="add one association after the other")
    report = RunReport(console, flags)
    plans = [(name, lambda name=name: [_plan(name, groups[name], requests)]) for name in groups]
    plans += further
    with console.gathering(
        [*groups, *(name for name, _plan in further), *(file for files in groups.values() for file in files)]
    ):
        return run_jobs(plans, executor, report, dry_run=flags.dry_run, fail_fast=flags.fail_fast,
                        resume=resume_of(flags, executor, console))  # fmt: skip


def _plan(name, files, requests):
    from rtools.pipeline.mosaic.job import plan_mosaic
    from rtools.pipeline.mosaic.missions import mission_of_images

    first = next(iter(requests.values()))
    if is_association(files[0]):
        association = association_of(files[0])
        members = [member.path for member in association.science]
        request = requests.get(mission_of_images(members), first)
        return plan_mosaic(name, [local_path(files[0])], request, association)
    local, called = [], {}
    for file in files:
        path, title = local_and_called(file, first.output)
        local.append(path)
        if path != file:
            called[path] = title
    request = requests.get(mission_of_images(local), first)
    return plan_mosaic(name, local, replace(request, called={**request.called, **called}))


def groups_of(inputs, *, alone=False):
    """Name of each group and its files; every file once.

    Parameters
    ----------
    inputs : sequence of str
        Images, or associations, of which each is a group.
    alone : bool
        Every image is a group of its own; else they are one.

    Returns
    -------
    dict of str to list of str
    """
    once = {name if is_stream(name) else os.path.abspath(name): name for name in reversed(inputs)}
    inputs = list(reversed(once.values()))
    if not inputs:
        raise UsageError("no input file")
    associations = [name for name in inputs if is_association(name)]
    if associations and len(associations) < len(inputs):
        raise UsageError("associations and images do not go together", mend="name the images, or rt-asn makes one")
    if associations or alone:
        return {name: [name] for name in inputs}
    return {inputs[0] if len(inputs) == 1 else f"{len(inputs)} images": inputs}
