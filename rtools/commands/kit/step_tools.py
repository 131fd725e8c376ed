"""The step tools: one command per declared step, made from its declaration."""

import click

from rtools.commands.kit import options as bundles
from rtools.commands.kit.associations import missions_of_inputs
from rtools.commands.kit.declared import described, tool_of_step
from rtools.commands.kit.lists import expand_inputs
from rtools.commands.kit.missions import MISSIONS, options_by_mission
from rtools.commands.kit.reference_options import reference_config
from rtools.commands.kit.step_options import click_options, own_values
from rtools.errors import UsageError
from rtools.pipeline.job.steps import missions_of, step_of

__all__ = ["command"]

REQUEST = ("references", "output", "outdir", "overwrite", "compression", "profile", "again")
"""Options of a step tool that say nothing of the step."""


FORMS = {"roman": "asdf", "jwst": "fits"}
"""Forms of products of each mission."""


def command(name, more=(), forms=()):
    """The click command of a step.

    Parameters
    ----------
    name : str
        Tool name of the step.
    more : sequence of callable
        Decorators of options that are fields of the request.
    forms : sequence of str
        Forms of its main product; by default those of the missions that have the step.

    Returns
    -------
    click.Command
    """
    steps = [step_of(name, mission) for mission in missions_of(name)]
    if not steps[0].in_chain:
        from rtools.commands.kit import products

        return products.command(steps[0])

    def run(console, **options):
        from rtools.commands.kit.exposures import run_exposures
        from rtools.commands.kit.reports import RunFlags

        if not options["inputs"]:
            raise UsageError("no input file")
        inputs = expand_inputs(options.pop("inputs"))
        flags, catalog = RunFlags.taken_from(options), options.pop("catalog", None)
        jobs = options.pop("jobs")
        options["references"] = reference_config(options.pop("ref"), options.pop("refdir"), options.pop("builtin"))
        missions = missions_of_inputs(inputs)
        requests = {
            mission: _request(name, mission, found)
            for mission, found in options_by_mission(console, options, missions, name).items()
        }
        return run_exposures(console, inputs, requests, jobs, flags, catalog=catalog)

    decorators = [
        click.argument("inputs", nargs=-1, metavar="FILE…"),
        *click_options(steps),
        *more,
        bundles.outputs(*(forms or (FORMS[step.mission] for step in steps))),
        bundles.writing,
        bundles.references,
        click.option("--again", is_flag=True, help="Run although the file's cal_step says COMPLETE."),
        bundles.running,
        bundles.no_checksum,
        bundles.json_output,
        bundles.fail_fast,
    ]
    prefixes = [f"{MISSIONS[step.mission]}: " if len(steps) > 1 else "" for step in steps]
    description = "\n\n".join(prefix + described(step) for prefix, step in zip(prefixes, steps, strict=True))
    examples = tuple(example for step in steps for example in step.examples) or (f"{steps[0].tool} X.asdf",)
    return tool_of_step(steps[0], run, decorators, description=description, examples=examples)


def _request(name, mission, options):
    """What is asked of the inputs of a mission."""
    from rtools.pipeline.exposure.request import ExposureRequest

    if mission not in missions_of(name):
        options = {key: value for key, value in options.items() if key in REQUEST}
        return ExposureRequest(tool=f"rt-{name}", single=name, **options)
    step = step_of(name, mission)
    settings = own_values(step, options)
    rest = {key: value for key, value in options.items() if key not in _keys(name)}
    return ExposureRequest(tool=step.tool, single=name, settings={name: settings}, strict=step.aligns, **rest)


def _keys(name):
    """Parameters that are options of the step, for any mission."""
    return {item.key for mission in missions_of(name) for item in step_of(name, mission).options}
