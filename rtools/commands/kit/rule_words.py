"""Command lines of rules: options as words again, and the tools that make whole products of JWST."""

import os

import click

__all__ = ["command_of_product", "mosaic_of_products", "of_chain", "option_words"]

OF_THE_RUN = ("verbose", "quiet", "debug", "dry_run", "as_json", "fail_fast", "timings", "log_json", "emit", "dask",
              "jobs", "overwrite", "page", "resume", "check_data", "output", "outdir", "max_memory")  # fmt: skip
"""Options that are about the run around the jobs, or that a rule says itself."""

SHARED = ("refdir", "builtin", "compression", "checksum", "profile")
"""Options of rt-run that tools of steps have, too, under these names."""


def option_words(context: click.Context, without=()) -> list[str]:
    """Options of a command line as words again: what was typed, and what the environment said.

    Parameters
    ----------
    context : click.Context
        Of the command.
    without : collection of str
        Names of parameters that are left out, beside those of the run.
    """
    from rtools.commands.kit.config_shown import PATH

    words = ["--config", os.path.abspath(context.meta[PATH])] if context.meta.get(PATH) else []
    for param in context.command.params:
        source = context.get_parameter_source(param.name)
        if not isinstance(param, click.Option) or param.name in (*OF_THE_RUN, *without):
            continue
        if source is None or source.name not in ("COMMANDLINE", "ENVIRONMENT"):
            continue
        words += _words_of(param, context.params[param.name])
    return words


def _words_of(option, value):
    """One option as words."""
    if option.is_flag:
        name = option.opts[0] if value else next(iter(option.secondary_opts), None)
        return [name] if name else []
    name = next((word for word in option.opts if word.startswith("--")), option.opts[0])
    if value is None:
        return []
    return [word for one in (value if option.multiple else [value]) for word in (name, str(one))]


def command_of_product(job, context):
    """The command line that does a step on whole products.

    Parameters
    ----------
    job : rtools.pipeline.stage3.ProductsJob
        Which.
    context : click.Context
        Of the command that was typed: the tool of the step, or rt-run.

    Returns
    -------
    (str, list of str, list of str)
        Name of the tool, its files, and its options.
    """
    step, main = job.step.step, _names_of(job)
    if context.command.name == step.tool:
        return step.tool, list(job.files), [*option_words(context, ("asn_id",)), *main]
    options = [*_of_step(step, job.request.settings), *_shared(step.tool, context)]
    for kind, path in job.request.references.overrides.items():
        options += ["--ref", f"{kind}={path}"]
    return step.tool, list(job.files), [*options, *main]


def _names_of(job):
    """Words that say what products are called: the name of the main one, or what all of one kind have in theirs."""
    from rtools.products.names import split_suffix

    kinds = [split_suffix(path.name)[1] for path in job.writes]
    if len({*kinds}) == len(kinds):
        return ["-o", str(job.writes[-1])]
    own = [] if job.request.asn_id is None else [f"--asn-id={job.request.asn_id}"]
    return [*own, "--outdir", str(job.writes[-1].parent)]


def mosaic_of_products(job):
    """The command line that makes a mosaic of images that are made in the same run, with north up.

    Parameters
    ----------
    job : rtools.pipeline.mosaic.job.FutureMosaicJob
        Which.

    Returns
    -------
    (str, list of str, list of str)
        As `command_of_product`.
    """
    from rtools.pipeline.job.steps import step_of

    request = job.request
    words = [f"--pa={request.wanted.pa}", *_of_step(step_of(request.single, "jwst"), request.settings)]
    return request.tool, [image.path for image in job.images], [*words, "-o", str(request.output)]


def of_chain(context):
    """``--set`` and ``--skip`` of a run of associations, of those steps that exposures have.

    Parameters
    ----------
    context : click.Context
        Of rt-run.
    """
    from rtools.commands.kit.mosaic_requests import StepsOfRun

    steps, words = StepsOfRun("jwst", of_images=False), []
    for option, key in (("--set", "settings"), ("--skip", "skip")):
        for word in context.params[key]:
            name = steps.name(word.partition("=")[0].partition(".")[0])
            words += [option, word] if name in steps.order() else []
    return words


def _of_step(step, settings):
    """Options of a step that were set, as words of its tool."""
    from rtools.pipeline.job.remaking import words_of_option

    known = {option.key: option for option in step.options}
    values = {key: value for key, value in settings.get(step.name, {}).items() if value is not None}
    return [word for key, value in values.items() for word in words_of_option(step.tool, step, known[key], value)]


def _shared(tool, context):
    """Options that were typed for rt-run and that a tool has, too."""
    from rtools.commands.kit.tools import command_of

    known = {param.name for param in command_of(tool.removeprefix("rt-")).params} & {*SHARED}
    return option_words(context, [param.name for param in context.command.params if param.name not in known])
