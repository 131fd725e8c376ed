"""The step tools: one command per declared step, made from its declaration."""

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.step_options import click_option
from rtools.commands.kit.tool import tool
from rtools.errors import UsageError
from rtools.pipeline.job.settings import check_option
from rtools.pipeline.job.steps import step_of

__all__ = ["command"]


def command(name, more=(), forms=("asdf",)):
    """The click command of a step.

    Parameters
    ----------
    name : str
        Tool name of the step.
    more : sequence of callable
        Decorators of options that are fields of the request.
    forms : sequence of str
        Forms of its main product.

    Returns
    -------
    click.Command
    """
    step = step_of(name)

    def run(console, **options):
        from rtools.commands.kit.exposures import run_exposures
        from rtools.commands.kit.reports import RunFlags
        from rtools.pipeline.exposure.request import ExposureRequest

        values = {item.key: options.pop(item.key) for item in step.options}
        settings = {item.key: _checked(step, item, values[item.key]) for item in step.options}
        inputs = options.pop("inputs")
        if not inputs:
            raise UsageError("no input file")
        flags, catalog = RunFlags.taken_from(options), options.pop("catalog", None)
        jobs = options.pop("jobs")
        references = reference_config(options.pop("ref"), options.pop("refdir"), options.pop("builtin"))
        request = ExposureRequest(
            tool=step.tool,
            single=name,
            settings={name: settings},
            references=references,
            strict=step.aligns,
            **options,
        )
        return run_exposures(console, expand_inputs(inputs), request, jobs, flags, catalog=catalog)

    decorators = [
        click.argument("inputs", nargs=-1, metavar="FILE…"),
        *(click_option(item) for item in step.options),
        *more,
        bundles.outputs(*forms),
        bundles.writing,
        bundles.references,
        click.option("--again", is_flag=True, help="Run although the file's cal_step says COMPLETE."),
        bundles.jobs,
        bundles.no_checksum,
        bundles.json_output,
        bundles.fail_fast,
    ]
    for decorator in reversed(decorators):
        run = decorator(run)
    description = step.description + (f"\n\nPeak memory: {step.memory}" if step.memory else "")
    examples = step.examples or (f"{step.tool} X.asdf",)
    return tool(step.tool, summary=step.summary, description=description, examples=examples, no_args_is_help=True)(run)


def _checked(step, item, value):
    return None if value is None else check_option(step, item, value)
