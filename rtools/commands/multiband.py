"""rt-multiband: one catalog of mosaics in several filters."""

import shutil
import sys
from pathlib import Path

import click

from rtools.catalog.steps.multiband import STEP
from rtools.commands.catalog import CATALOGS, form
from rtools.commands.kit import options as bundles
from rtools.commands.kit.common import entry, expand_inputs, jobs_count, tool, typed
from rtools.commands.kit.exposures import changed_options, reference_config, refuse_combinations
from rtools.commands.kit.inputs import is_association, is_stream, local_path
from rtools.commands.kit.mosaics import run_plans
from rtools.commands.kit.outputs import make_directory
from rtools.commands.kit.step_options import check_option, click_option
from rtools.errors import UsageError
from rtools.products.io import temporary

__all__ = ["command", "main"]


def _run(console, inputs, ref, refdir, builtin, **options):
    from rtools.pipeline.exposure.plan import ExposureRequest

    settings = {item.key: options.pop(item.key) for item in STEP.options}
    checked = {
        item.key: None if settings[item.key] is None else check_option(STEP, item, settings[item.key])
        for item in STEP.options
    }
    vain = [key for key in ("inject_seed", "save_debug_info") if typed(key) and checked[key] not in (None, False)]
    if vain and not checked["inject_sources"]:
        raise UsageError(f"--{vain[0].replace('_', '-')} is for --inject-sources")
    how = {key: options.pop(key) for key in ("dry_run", "as_json", "fail_fast")}
    request = ExposureRequest(
        tool=STEP.tool,
        single=STEP.name,
        settings={STEP.name: checked},
        references=reference_config(ref, refdir, builtin),
        threads=jobs_count(options.pop("jobs")),
        **options,
    )
    return _run_groups(console, _groups(inputs), request, **how)


def _groups(inputs):
    """Name of each group and its files: every association is one, or all files together."""
    names = list(dict.fromkeys(expand_inputs(inputs)))
    if not names:
        raise UsageError("no input file")
    associations = [name for name in names if is_association(name)]
    if associations and len(associations) < len(names):
        raise UsageError("associations and mosaics do not go together")
    if associations:
        return {name: [name] for name in names}
    return {next((name for name in names if is_stream(name)), names[0]): names}


def _run_groups(console, groups, request, *, dry_run, as_json, fail_fast):
    """Plan every group, then carry out every plan; returns the exit status."""
    from rtools.pipeline.catalog import multiband

    work = console.work(request.threads)
    refuse_combinations(request, as_json=as_json, dry_run=dry_run)
    if request.output and len(groups) > 1:
        raise UsageError("-o names one output", mend="use --outdir for several associations")

    def plan(name):
        copies = {local_path(file): file for file in groups[name] if is_stream(file)}
        made = multiband.make_plan([local_path(file) for file in groups[name]], request, copies=copies)
        return made, made.outputs.values()

    def carry_out(name, made):
        outputs = _written(made, request, work)
        return {"input": name, "outputs": [str(path) for path in outputs]}

    how = {"dry_run": dry_run, "as_json": as_json, "fail_fast": fail_fast}
    return run_plans(console, groups, (plan, carry_out, _described, _print_plan), **how)


def _written(plan, request, work):
    """Carry out a plan; paths of what it wrote, none where standard output has it."""
    from rtools.pipeline.catalog import multiband

    for level, texts in (("caution", plan.cautions), ("warning", plan.warnings)):
        for text in texts:
            work.log(level, text)
    if request.output != "-":
        for path in plan.outputs.values():
            make_directory(path.parent)
        return multiband.carry_out(plan, request, work)
    with temporary.directory() as scratch:
        plan.outputs = {"cat": Path(scratch) / plan.outputs["cat"].name}
        multiband.carry_out(plan, request, work)
        with open(plan.outputs["cat"], "rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return []


def _described(name, plan):
    members = [
        {
            "file": member.name,
            "filter": member.element,
            "sed_weight": member.sed_weight,
            "references": {kind: source.label if source else None for kind, source in member.sources.items()},
        }
        for member in plan.members
    ]
    outputs = [str(path) for path in plan.outputs.values()]
    return {"input": name, "members": members, "options": plan.options, "outputs": outputs,
            "warnings": [*plan.cautions, *plan.warnings]}  # fmt: skip


def _print_plan(shown):
    click.echo("  ".join(filter(None, (shown["input"], changed_options(shown["options"], STEP)))))
    for member in shown["members"]:
        found = "  ".join(f"{kind}={label or 'none'}" for kind, label in member["references"].items())
        click.echo(f"  {member['filter']}  {member['file']}  {found}".rstrip())
    for path in shown["outputs"]:
        click.echo(f"  -> {path}")
    for text in shown["warnings"]:
        click.echo(f"  warning: {text}")


def _decorated():
    run = _run
    decorators = [
        click.argument("inputs", nargs=-1, metavar="COADD…|ASN"),
        *(click_option(item) for item in STEP.options),
        form,
        bundles.outputs(*CATALOGS),
        bundles.writing,
        bundles.references,
        bundles.jobs,
        bundles.no_checksum,
        bundles.json_output,
        bundles.fail_fast,
    ]
    for decorator in reversed(decorators):
        run = decorator(run)
    description = f"{STEP.description}\n\nPeak memory: {STEP.memory}"
    made = tool(STEP.tool, summary=STEP.summary, description=description, examples=STEP.examples, no_args_is_help=True)
    return made(run)


command = _decorated()

main = entry(command)
