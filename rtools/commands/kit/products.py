"""Tools on whole products of JWST, one for each declared `ProductStep`: options, files, jobs."""

import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.associations import folder_of, refuse_association
from rtools.commands.kit.declared import tool_of_step
from rtools.commands.kit.executors import executor_of
from rtools.commands.kit.exposures import local_and_called
from rtools.commands.kit.idle import refuse_idle
from rtools.commands.kit.inputs import is_association, local_path
from rtools.commands.kit.jwst_associations import are_of_types
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.reports import RunFlags, RunReport
from rtools.commands.kit.resuming import resume_of
from rtools.commands.kit.step_options import click_option, own_values
from rtools.errors import InputError, RtoolsError, UsageError
from rtools.pipeline.job.outputs import refuse_combinations, refuse_several

__all__ = ["command", "plans_of_products", "request_of_products", "run_products", "split_inputs"]


OF_ASSOCIATIONS = ("outlier", "resample")
"""Steps whose tools take associations of the third stage; those of the others are for rt-run."""


def command(step, *, more=(), before=None, forms=("fits", "ecsv"), about=None):
    """The click command of a step on whole products.

    Parameters
    ----------
    step : rtools.declare.ProductStep
        Its declaration.
    more : sequence of callable
        Decorators of further options, which `before` takes away.
    before : callable, optional
        ``before(console, inputs, jobs, options)`` does what is to be done with inputs that are no products of JWST and
        returns the exit status, else None.
    forms : sequence of str
        What ``-o`` may be, as `rtools.commands.kit.written.Written` takes it.
    about : mapping of str to object, optional
        Description and examples, where they are not those of the step.

    Returns
    -------
    click.Command
    """

    def run(console, inputs, jobs, **options):
        from rtools.pipeline.job.request import Request

        if not inputs:
            raise UsageError("no input file")
        inputs = expand_inputs(inputs)
        if before is not None and (status := before(console, inputs, jobs, options)) is not None:
            return status
        flags = RunFlags.taken_from(options)
        places = {}
        if step.references:
            places["references"] = reference_config(options.pop("ref"), options.pop("refdir"), options.pop("builtin"))
        settings = own_values(step, options)
        rest = {key: value for key, value in options.items() if key not in settings}
        request = Request(tool=step.tool, single=step.name, settings={step.name: settings}, **places, **rest)
        return run_products(console, inputs, request, jobs, flags)

    decorators = [
        click.argument("inputs", nargs=-1, metavar=step.files),
        *map(click_option, step.options),
        *more,
        bundles.outputs(*forms),
        *([bundles.references] if step.references else ()),
        bundles.running,
        bundles.json_output,
        bundles.fail_fast,
    ]
    return tool_of_step(step, run, decorators, **(about or {}))


def run_products(console, inputs, request, jobs, flags):
    """Do a step on whole products; returns the exit status.

    Parameters
    ----------
    console : rtools.commands.kit.console.Console
        Takes messages.
    inputs : sequence of str
        As they were typed.
    request : rtools.pipeline.job.request.Request
        Its `single` names the step.
    jobs : int
        Threads, as ``-j`` says.
    flags : rtools.commands.kit.reports.RunFlags
        How the run goes and what it prints.

    Returns
    -------
    int
    """
    from rtools.pipeline.job.run import run_jobs

    executor = executor_of(console, jobs, flags)
    refuse_combinations(request, as_json=flags.as_json, dry_run=flags.dry_run, terminal=sys.stdout.isatty())
    plans = plans_of_products(inputs, request)
    refuse_several(request, len(plans))
    report = RunReport(console, flags)
    with console.gathering(inputs):
        return run_jobs(plans, executor, report, dry_run=flags.dry_run, fail_fast=flags.fail_fast,
                        resume=resume_of(flags, executor, console))  # fmt: skip


def plans_of_products(inputs, request):
    """What plans each job: its name, and a function that gives it.

    Parameters
    ----------
    inputs : sequence of str
        Files, each once.
    request : rtools.pipeline.job.request.Request
        What is asked of them.

    Returns
    -------
    list of (str, callable)
        As `rtools.pipeline.job.run.run_jobs` takes them.
    """
    from rtools.pipeline.stage3.work import without_segment, work_of

    work = work_of(request.single)
    named = list(dict.fromkeys(inputs))
    inputs = [name for name in named if not is_association(name)]
    associated = [(name, lambda name=name: _plan_association(name, request)) for name in named if name not in inputs]
    if not inputs:
        return associated
    groups = [inputs] if work.together or work.beside else [[name] for name in inputs]
    if work.segments:
        exposures = {}
        for name in inputs:
            exposures.setdefault(without_segment(name), []).append(name)
        groups = list(exposures.values())
    if work.compares and (compared := [name for name in inputs if _kind_of(name) in work.compares]):
        groups = [files for files in groups if files[0] not in compared] + [compared]
    return [*associated, *((files[0], lambda files=files: [_plan(files, request)]) for files in groups)]


def _plan_association(name, request):
    """The jobs of a step on the members of an association, which has them made under the names that rt-run gives."""
    from rtools.jwst.suffixes import extension_of
    from rtools.pipeline.stage3.association import files_of_step
    from rtools.pipeline.stage3.work import work_of

    work, folder, jobs = work_of(request.single), folder_of(name), []
    if request.single not in OF_ASSOCIATIONS:
        refuse_association(name)
    wanted = files_of_step(local_path(name), folder, request.single)
    for product in wanted:
        own = replace(request, asn_id=request.asn_id or product.asn_id)
        if work.together and not request.output:
            (suffix,) = work.gives("cal", {})
            file = f"{product.name}_{suffix}.{extension_of(suffix)}"
            own = replace(request, output=str(Path(request.outdir or folder) / file), outdir=None)
        plans = plans_of_products(product.files, own)
        refuse_several(request, len(plans) * len(wanted))
        jobs += [job for _file, plan in plans for job in plan()]
    return jobs


def _kind_of(name):
    """The product that a file is; None where it is told later why it is none."""
    from rtools.products.jwst import open_jwst

    with suppress(RtoolsError):
        return open_jwst(local_path(name)).kind


def split_inputs(inputs, name):
    """Inputs of a tool that a step has on whole products, too: those that are whole products, and the others.

    Parameters
    ----------
    inputs : sequence of str
        As they were typed, lists read.
    name : str
        Tool name of the step, which has a work on whole products.

    Returns
    -------
    (list of str, list of str)
        What the work takes, and associations of the third stage; and the rest, also what cannot be read.
    """
    from rtools.pipeline.stage3.recipes import RECIPES
    from rtools.pipeline.stage3.work import work_of
    from rtools.products.jwst import open_jwst
    from rtools.products.opening import mission_of

    work = work_of(name)

    def is_whole(file):
        if is_association(file):
            return are_of_types([file], RECIPES, "the third stage")
        with suppress(RtoolsError):
            path = local_path(file)
            if mission_of(path) == "jwst":
                product = open_jwst(path)
                return product.kind in work.takes and (work.of is None or work.of(product))
        return False

    whole = [file for file in inputs if is_whole(file)]
    return whole, [file for file in inputs if file not in whole]


def request_of_products(name, options):
    """What is asked of whole products by a tool whose step has other inputs, too.

    Parameters
    ----------
    name : str
        Tool name of the step.
    options : mapping of str to object
        Of the call; those that say nothing of whole products may be among them.

    Returns
    -------
    rtools.pipeline.job.request.Request
    """
    from rtools.pipeline.job.request import Request
    from rtools.pipeline.stage3.work import work_of
    from rtools.products.mosaic.association import is_product_name

    step = work_of(name).step
    places = {}
    if step.references:
        places["references"] = reference_config(options["ref"], options["refdir"], options["builtin"])
    own = {key: options[key] for key in ("output", "outdir", "overwrite", "asn_id") if key in options}
    if (asn_id := own.get("asn_id")) is not None and not is_product_name(asn_id):
        raise UsageError(f"--asn-id {asn_id}: a part of a file name expected")
    return Request(tool=step.tool, single=name, settings={name: own_values(step, options)}, **places, **own)


def _plan(files, request):
    from rtools.pipeline.stage3.job import plan_products
    from rtools.pipeline.stage3.work import work_of
    from rtools.products.jwst import open_jwst
    from rtools.products.opening import mission_of

    local = [local_and_called(name, request.output) for name in files]
    for path, _called in local:
        if not Path(path).exists():
            raise InputError("no such file", path=path)
        if mission_of(path) != "jwst":
            raise InputError(f"{request.tool} takes products of JWST, and this is none", path=path)
    paths = [path for path, _called in local]
    job = plan_products(files[0], paths, request, called=local[0][1])
    if (idle := work_of(request.single).idle) is not None:
        refuse_idle(idle([open_jwst(path) for path in paths], job.step.options))
    return job
