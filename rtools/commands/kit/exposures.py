"""What `rt-run` and the step tools have in common: inputs to plans to products, and what is printed of it."""

import os
import shutil
import sys
from copy import copy
from pathlib import Path

import click

from rtools.commands.kit.common import Refusal, for_each, print_json, shared_status
from rtools.commands.kit.inputs import is_association, local_path
from rtools.commands.kit.outputs import make_directory
from rtools.errors import InputError, QualityError, RtoolsError, UsageError
from rtools.products.io import temporary

__all__ = ["changed_options", "local_and_called", "reference_config", "refuse_combinations", "run_inputs"]


def reference_config(ref, refdir, builtin):
    """A `rtools.reference.find.Config` from --ref, --refdir and --builtin."""
    from rtools.reference import find

    overrides = {}
    for word in ref:
        kind, separator, path = word.partition("=")
        if not separator or not kind or not path:
            raise UsageError(f"--ref {word}: TYPE=FILE or TYPE=none expected")
        overrides[kind] = path
    return find.Config(overrides=overrides, refdir=refdir, builtin=builtin)


def run_inputs(console, inputs, request, *, catalog=None, dry_run=False, timings=False, as_json=False, fail_fast=False):
    """Plan every input, then run every plan; returns the exit status.

    A plan that cannot be made is reported before any work is done, and its input left out.
    """
    work = console.work(request.threads)
    refuse_combinations(request, as_json=as_json, dry_run=dry_run)
    if request.output == "-" and request.save_steps:
        raise UsageError("--save-steps and -o - do not go together", mend="standard output holds one product")
    plans, taken, reports = {}, {}, []
    how = {"fail_fast": fail_fast, "report": reports.append, "key": "input"}
    groups, status = _members(console, inputs, how, request)
    inputs = list(groups)
    if not inputs and not status:
        raise UsageError("the list names no input file")
    if request.output and len(inputs) > 1:
        raise UsageError("-o names one output", mend="use --outdir for several inputs")
    _refuse_groups(request, groups, catalog)
    stopped = status and fail_fast
    with temporary.directory() as scratch, console.gathering(inputs):

        def plan(name):
            plans[name] = _plan(name, request, taken)

        def carry_out(name):
            _report(_carry_out(name, plans.pop(name), request, scratch, work))

        def _report(report):
            if not as_json:
                _print_result(report, timings)
            reports.append(report)
            if request.strict and report["failure"]:
                raise QualityError(f"not aligned: {report['failure']}", path=report["input"])

        status = shared_status(status, for_each(console, [] if stopped else inputs, plan, **how))
        if dry_run:
            shown = [_describe(name, plans[name]) for name in inputs if name in plans]
            print_json(shown + reports) if as_json else [_print_plan(entry) for entry in shown]
            return status
        for names in _together(plans, groups, request) if not (status and fail_fast) else ():
            if len(names) == 1:
                done = for_each(console, names, carry_out, **how)
            elif request.single:
                act = _after(lambda names=names: _align([plans[name] for name in names], request, work), carry_out)
                done = for_each(console, names, act, **how)
            else:
                done = _run_group(console, {name: plans[name] for name in names}, request, _report, work=work, how=how)
            status = shared_status(status, done)
            if status and fail_fast:
                break
    tell_depth(console, [report["catalog"] for report in reports if report.get("catalog")])
    if as_json:
        print_json(reports)
    return status


def tell_depth(console, catalogs):
    """Say once how deep the catalogs are that were made, and how they go deeper.

    Parameters
    ----------
    console : Console
    catalogs : list of dict
        From `rtools.pipeline.catalog.single.told_of`.
    """
    searched = [one for one in catalogs if one["searched"] != "forced"]
    if not searched:
        return
    many = f"{len(searched)} catalogs" if len(searched) > 1 else "catalog"
    counted = _range([one["sources"] for one in searched], "d")
    words = [f"{many}: {counted} source{'s' * (counted != '1')}"]
    depths = [one["magnitude_snr5"] for one in searched if one["magnitude_snr5"] is not None]
    if depths:
        words.append(f"a point source of S/N 5 has {_range(depths, '.1f')} mag (AB)")
    if not all(one["searched"] == "deep" for one in searched):
        words.append("--deep finds fainter ones")
    console.log("note", "; ".join(words))


def _range(values, form):
    """Least and greatest of some numbers, or the one that they are."""
    low, high = format(min(values), form), format(max(values), form)
    return low if low == high else f"{low} to {high}"


def refuse_combinations(request, *, as_json, dry_run):
    """Refuse options that exclude each other."""
    if request.output == "-" and as_json and not dry_run:
        raise UsageError("--json and -o - both want standard output")
    if request.output == "-" and sys.stdout.isatty() and not dry_run:
        raise UsageError("will not write a product to a terminal", mend="redirect it, or give -o a name")
    if request.output and request.outdir:
        raise UsageError("-o and --outdir do not go together")


def _refuse_groups(request, groups, catalog):
    """What is of one image, or of one alignment, while there are several."""
    if catalog is not None and len(groups) > 1:
        raise UsageError("--catalog is of one image", mend="an association names those of several")
    if catalog is not None:
        request.catalogs |= dict.fromkeys(groups, catalog)
    if request.matches and len(set(groups.values())) > 1:
        raise UsageError("--matches is of one alignment", mend="--together aligns all images at once")
    if request.matches and Path(request.matches).exists() and not request.overwrite:
        raise RtoolsError("exists already", mend="--overwrite replaces it", path=request.matches)


def _together(plans, groups, request):
    """Names of the inputs that are carried out together, in the order of the inputs."""
    from rtools.pipeline.exposure.association import wants_alignment

    found = {}
    for name, plan in plans.items():
        alone = request.single != "tweakreg" and not wants_alignment(plan)
        found.setdefault((name,) if alone else groups[name], []).append(name)
    return list(found.values())


def _align(plans, request, work):
    from rtools.pipeline.astrometry.align import align_group

    align_group(plans, request, work)


def _run_group(console, plans, request, report, *, work, how):
    """Calibrate the exposures of an association, align them together, write them; returns the exit status."""
    from contextlib import ExitStack

    from rtools.pipeline.exposure import association as grouped
    from rtools.pipeline.job.journal import Journal

    rests, journals, seconds, catalogs = {}, {}, {}, {}
    with ExitStack() as stack:

        def calibrate(name):
            journals[name] = Journal(console.log, name)
            folder = stack.enter_context(grouped.workplace(plans[name]))
            rests[name], result = grouped.calibrate(plans[name], request, journals[name], folder, work)
            seconds[name], catalogs[name] = result.seconds, result.catalog

        def finish(name):
            result = grouped.finish(rests[name], plans[name], request, Journal(console.log, name), work)
            entry = _entry(name, result)
            entry["catalog"] = catalogs[name]
            entry["seconds"] = seconds[name] | {"tweakreg": entry["seconds"].get("tweakreg", 0.0)}
            report(entry)

        status = for_each(console, list(plans), calibrate, **how)
        if rests and not (status and how["fail_fast"]):
            act = _after(lambda: grouped.align_plans(list(rests.values()), request, work), finish)
            status = shared_status(status, for_each(console, list(rests), act, **how))
    return status


def _after(align, function):
    """`function` for each image of a group once they are aligned; what goes wrong there goes wrong for each."""
    try:
        align()
    except (RtoolsError, OSError) as error:
        failure = error

        def function(_name):
            raise copy(failure)

    return function


def _members(console, inputs, how, request):
    """Inputs, each once, with associations replaced by their science members, and the group of each; and the status."""
    from rtools.products.mosaic.association import science_members, tweakreg_catalogs

    groups = {}

    def add(name):
        if not is_association(name):
            groups.setdefault(name, "together" if request.together else name)
            return
        path = local_path(name)
        for member in science_members(path, console.log):
            groups.setdefault(member, "together" if request.together else name)
        request.catalogs.update(tweakreg_catalogs(path))

    status = for_each(console, inputs, add, **how)
    return groups, status


def local_and_called(name, output):
    """Path of an input, and the name that outputs are named after: of a stream that which it gives itself."""
    from rtools.products.io import open_product

    path = local_path(name)
    if path == name or path.endswith(".json"):
        return path, name
    filename = Path(str(open_product(path).meta.get("filename") or "")).name
    if not filename and output in (None, "-"):
        called = "standard input" if name == "-" else name
        raise InputError(f"{called} has no meta.filename to name the output after", mend="use -o")
    return path, filename or "-"


def _plan(name, request, taken):
    from rtools.pipeline.exposure.plan import make_plan

    path, called = local_and_called(name, request.output)
    if name in request.catalogs:
        request.catalogs[called] = request.catalogs[name]
    plan = make_plan(path, request, name=called)
    for output in plan.outputs.values():
        first = taken.setdefault(os.path.abspath(output), name)
        if first != name:
            raise Refusal(f"{first} and {name} would both be {output}", mend="give them different directories")
    return plan


def _carry_out(name, plan, request, scratch, work):
    from rtools.pipeline.exposure.run import execute
    from rtools.pipeline.job.journal import Journal

    to_stdout = request.output == "-"
    if to_stdout:
        plan.outputs = {plan.main: Path(scratch) / plan.outputs[plan.main].name}
    for directory in {output.parent for output in plan.outputs.values()}:
        make_directory(directory)
    with plan.product:
        result = execute(plan, request, Journal(work.log, name), work)
    if to_stdout:
        with open(plan.outputs[plan.main], "rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        result.outputs = []
    return _entry(name, result)


def _entry(name, result):
    """What is told of one input that was carried out."""
    return {
        "input": name,
        "outputs": [str(path) for path in result.outputs],
        "cal_step": result.statuses,
        "seconds": result.seconds,
        "peak_memory": result.peak_memory,
        "failure": result.failure,
        "catalog": result.catalog,
    }


def _print_result(report, timings):
    for path in report["outputs"]:
        click.echo(path)
    if timings:
        for step, seconds in report["seconds"].items():
            click.echo(f"{step:16s} {seconds:8.2f} s", err=True)
        click.echo(f"{'peak memory':16s} {report['peak_memory'] / 2**30:8.2f} GiB", err=True)


def _describe(name, plan):
    steps = []
    for task in plan.tasks:
        found = {kind: source.label if source else None for kind, source in task.sources.items()}
        steps.append({"step": task.step.name, "status": task.status, "options": task.options, "references": found})
    outputs = ["-"] if plan.to_stdout else [str(path) for path in plan.outputs.values()]
    return {"input": name, "steps": steps, "outputs": outputs, "warnings": [*plan.cautions, *plan.warnings]}


def changed_options(options, step):
    """What --dry-run prints of a step's options: those that are not as by default, ``threshold=5.0  jobs=2``."""
    defaults = step.defaults()
    changed = {key: value for key, value in options.items() if key in defaults and value != defaults[key]}
    return "  ".join(f"{key.replace('_', '-')}={value}" for key, value in changed.items())


def _print_plan(entry):
    from rtools.pipeline.exposure import chain

    click.echo(entry["input"])
    for step in entry["steps"]:
        found = "  ".join(f"{kind}={label or 'none'}" for kind, label in step["references"].items())
        mark = "" if step["status"] == "COMPLETE" else f" ({step['status']})"
        said = changed_options(step["options"], chain.step_of(step["step"]))
        click.echo("  ".join(filter(None, (f"  {step['step']}{mark}", found, said))))
    for path in entry["outputs"]:
        click.echo(f"  -> {path}")
    for text in entry["warnings"]:
        click.echo(f"  warning: {text}")
