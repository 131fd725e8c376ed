"""What the tools of a mosaic have in common: options of a step, groups of inputs, what is printed."""

import os

import click
from click.core import ParameterSource

from rtools.commands.kit import options as bundles
from rtools.commands.kit.common import (
    Refusal,
    entry,
    expand_inputs,
    for_each,
    print_json,
    shared_status,
    tool,
)
from rtools.commands.kit.exposures import (
    changed_options,
    local_and_called,
    refuse_combinations,
    tell_depth,
)
from rtools.commands.kit.grid_options import wanted_grid
from rtools.commands.kit.inputs import is_association, is_stream
from rtools.commands.kit.step_options import check_option, click_option
from rtools.errors import UsageError

__all__ = ["command_of_step", "entry", "run_groups", "run_plans"]


def command_of_step(step, more=()):
    """The click command of a step of the mosaic; `more` are decorators of further options of the request."""

    def run(console, **options):
        from rtools.pipeline.mosaic.plan import MosaicRequest

        values = {item.key: options.pop(item.key) for item in step.options}
        if options.get("add"):  # what is not asked for is as the mosaic has it
            source = click.get_current_context().get_parameter_source
            values = {key: value for key, value in values.items() if source(key) is not ParameterSource.DEFAULT}
        settings = {item.key: None if values[item.key] is None else check_option(step, item, values[item.key])
                    for item in step.options if item.key in values}  # fmt: skip
        inputs, how = options.pop("inputs"), {key: options.pop(key) for key in ("dry_run", "as_json", "fail_fast")}
        where = {}
        if "skycells" in options:
            where["wanted"], where["skycells"] = wanted_grid(options)
        request = MosaicRequest(
            tool=step.tool,
            single=step.name,
            settings={step.name: settings},
            threads=options.pop("jobs"),
            **where,
            **options,
        )
        return run_groups(console, expand_inputs(inputs), request, alone=step.one_by_one, **how)

    again = click.option("--again", is_flag=True, help="Run although the files' cal_step says COMPLETE.")
    decorators = [
        click.argument("inputs", nargs=-1, metavar="FILE…" if step.one_by_one else "IMAGE…|ASSOCIATION"),
        *(click_option(item) for item in step.options),
        *more,
        bundles.outputs("asdf"),
        bundles.writing,
        *(() if step.repeatable or step.once else (again,)),
        bundles.jobs,
        bundles.no_checksum,
        bundles.json_output,
        bundles.fail_fast,
    ]
    for decorator in reversed(decorators):
        run = decorator(run)
    description = step.description + (f"\n\nPeak memory: {step.memory}" if step.memory else "")
    return tool(step.tool, summary=step.summary, description=description, examples=step.examples, no_args_is_help=True)(
        run
    )


def run_groups(console, inputs, request, *, alone=False, dry_run=False, timings=False, as_json=False,
               fail_fast=False):  # fmt: skip
    """Carry out a request on each association, or on all images as one group; returns the exit status.

    With `alone` every image is a group of its own. Plans are made, and outputs that exist refused, before any work.
    """
    from rtools.pipeline.mosaic.plan import make_plan

    work = console.work(request.threads)
    refuse_combinations(request, as_json=as_json, dry_run=dry_run)
    if not 0 < request.max_memory < float("inf"):
        raise UsageError(f"--max-memory {request.max_memory}: a positive number expected")
    names = {name if is_stream(name) else os.path.abspath(name): name for name in reversed(inputs)}
    groups = _groups(list(reversed(names.values())), alone=alone)
    if request.output and len(groups) > 1:
        raise UsageError("-o names one output", mend="use --outdir for several")
    if request.add and len(groups) > 1:
        raise UsageError("--add: one group of images joins a mosaic", mend="add one association after the other")

    def plan(name):
        made = make_plan([_local(file, request) for file in groups[name]], request)
        return made, _outputs(made)

    def carry_out(name, made):
        with console.gathering([name, *(member.name for member in made.members)]):
            return _carry_out(name, made, request, work, "note" if timings else "info")

    def describe(name, made):
        return _described(name, made, request)

    how = {"dry_run": dry_run, "as_json": as_json, "fail_fast": fail_fast}
    return run_plans(console, groups, (plan, carry_out, describe, _print_plan), **how)


def run_plans(console, groups, parts, *, dry_run, as_json, fail_fast):
    """Plan every group, then carry out every plan; returns the exit status.

    Parameters
    ----------
    console : Console
    groups : iterable of str
        Their names.
    parts : tuple of callable
        ``plan(name)`` gives a plan and the paths of its outputs; ``carry_out(name, plan)`` what is told of it, a dict
        with ``outputs``; ``describe(name, plan)`` what --dry-run tells, which the last prints.
    dry_run, as_json, fail_fast : bool
    """
    make, act, describe, print_plan = parts
    plans, reports, taken = {}, [], {}
    how = {"fail_fast": fail_fast, "report": reports.append, "key": "input"}

    def plan(name):
        plans[name], paths = make(name)
        for path in paths:
            first = taken.setdefault(os.path.abspath(path), name)
            if first != name:
                raise Refusal(f"{first} and {name} would both be {path}", mend="give them different directories")

    def carry_out(name):
        reports.append(act(name, plans.pop(name)))
        if not as_json:
            for path in reports[-1]["outputs"]:
                click.echo(path)

    status = for_each(console, groups, plan, **how)
    if status and fail_fast:
        plans.clear()
    if dry_run:
        shown = [describe(name, made) for name, made in plans.items()]
        print_json(shown + reports) if as_json else [print_plan(entry) for entry in shown]
        return status
    status = shared_status(status, for_each(console, list(plans), carry_out, **how))
    tell_depth(console, [catalog for report in reports for catalog in report.get("catalogs", ())])
    if as_json:
        print_json(reports)
    return status


def _local(file, request):
    """The path of a file, of a stream that of its copy; the request says what that is called."""
    path, name = local_and_called(file, request.output)
    if path != file:
        request.called[path] = name
    return path


def _groups(inputs, *, alone):
    """Name of each group and its files."""
    if not inputs:
        raise UsageError("no input file")
    associations = [name for name in inputs if is_association(name)]
    if associations and len(associations) < len(inputs):
        raise UsageError("associations and images do not go together", mend="name the images, or rt-asn makes one")
    if associations or alone:
        return {name: [name] for name in inputs}
    return {inputs[0] if len(inputs) == 1 else f"{len(inputs)} images": inputs}


def _outputs(plan):
    return [*plan.images, *(path for mosaic in plan.mosaics for path in mosaic.outputs.values())]


def _carry_out(name, plan, request, work, level):
    from rtools.pipeline.mosaic.run import run_mosaic

    result = run_mosaic(plan, request, work)
    for part, seconds in result.seconds.items():
        work.log(level, f"{part}: {seconds:.2f} s")
    work.log(level, f"peak memory: {result.peak_memory / 2**30:.2f} GiB")
    return {
        "input": name,
        "members": [member.name for member in plan.members],
        "outputs": [str(path) for path in result.outputs],
        "cal_step": result.statuses,
        "seconds": result.seconds,
        "peak_memory": result.peak_memory,
        "catalogs": result.catalogs,
    }


def _described(name, plan, request):
    return {
        "input": name,
        "members": [member.name for member in plan.members],
        "add": plan.stack and {"mosaic": plan.stack.name, "members": plan.stack.count},
        "steps": [*plan.steps, *(["catalog"] if plan.catalog else [])],
        "options": {step: request.options(step) for step in plan.steps if step != "catalog"}
        | ({"catalog": plan.catalog.options} if plan.catalog else {}),
        "grids": [mosaic.frame.said() for mosaic in plan.mosaics],
        "outputs": [str(path) for path in _outputs(plan)],
        "warnings": [*plan.cautions, *plan.warnings],
    }


def _print_plan(entry):
    from rtools.pipeline.exposure import chain
    from rtools.pipeline.mosaic.plan import STEPS

    click.echo(f"{entry['input']}: {', '.join(entry['steps'])}")
    for name, options in entry["options"].items():
        said = changed_options(options, STEPS.get(name) or chain.step_of(name))
        if said:
            click.echo(f"  {name}  {said}")
    for line in entry["members"]:
        click.echo(f"  {line}")
    if entry["add"]:
        click.echo("  joining {mosaic}, of {members} images".format(**entry["add"]))
    for line in entry["grids"]:
        click.echo(f"  on {line}")
    for path in entry["outputs"]:
        click.echo(f"  -> {path}")
    for text in entry["warnings"]:
        click.echo(f"  warning: {text}")
