"""rt-multiband: one catalog of mosaics in several filters."""

import sys

import click

from rtools.catalog.steps.multiband import STEP
from rtools.commands.catalog import CATALOGS, form
from rtools.commands.kit import options as bundles
from rtools.commands.kit.declared import tool_of_step
from rtools.commands.kit.entry import entry
from rtools.commands.kit.executors import executor_of
from rtools.commands.kit.inputs import is_association, is_stream, local_path
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.reports import RunFlags, RunReport
from rtools.commands.kit.step_options import click_option
from rtools.commands.kit.tool import typed
from rtools.errors import UsageError
from rtools.pipeline.job.outputs import refuse_combinations, refuse_several
from rtools.pipeline.job.settings import check_option

__all__ = ["command", "main"]


def _run(console, inputs, ref, refdir, builtin, *, jobs, **options):
    from rtools.pipeline.job.request import Request
    from rtools.pipeline.job.run import run_jobs

    flags = RunFlags.taken_from(options)
    settings = {item.key: options.pop(item.key) for item in STEP.options}
    checked = {
        item.key: None if settings[item.key] is None else check_option(STEP, item, settings[item.key])
        for item in STEP.options
    }
    vain = [key for key in ("inject_seed", "save_debug_info") if typed(key) and checked[key] not in (None, False)]
    if vain and not checked["inject_sources"]:
        raise UsageError(f"--{vain[0].replace('_', '-')} is for --inject-sources")
    references = reference_config(ref, refdir, builtin)
    request = Request(
        tool=STEP.tool, single=STEP.name, settings={STEP.name: checked}, references=references, **options
    )  # fmt: skip
    refuse_combinations(request, as_json=flags.as_json, dry_run=flags.dry_run, terminal=sys.stdout.isatty())
    groups = _groups(inputs)
    refuse_several(request, len(groups))
    report = RunReport(console, flags)
    plans = [(name, lambda name=name: [_plan(name, groups[name], request)]) for name in groups]
    with console.gathering(groups):
        executor = executor_of(console, jobs, flags)
        return run_jobs(plans, executor, report, dry_run=flags.dry_run, fail_fast=flags.fail_fast)


def _plan(name, files, request):
    from rtools.pipeline.catalog.job import plan_multiband

    copies = {local_path(file): file for file in files if is_stream(file)}
    return plan_multiband(name, [local_path(file) for file in files], request, copies)


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


OPTIONS = (
    click.argument("inputs", nargs=-1, metavar="COADD…|ASN"),
    *(click_option(item) for item in STEP.options),
    form,
    bundles.outputs(*CATALOGS),
    bundles.writing,
    bundles.references,
    bundles.running,
    bundles.no_checksum,
    bundles.json_output,
    bundles.fail_fast,
)

command = tool_of_step(STEP, _run, OPTIONS)

main = entry(command)
