"""rt-run on images: the chain of a mosaic."""

import click

from rtools.commands.chainlike import check_option
from rtools.commands.mosaic_options import GRID_KEYS, wanted_grid
from rtools.commands.mosaiclike import run_groups
from rtools.errors import UsageError

__all__ = ["makes_mosaic", "run_chain"]

KEYS = {"first": "from", "last": "until"}
"""Options of `rt-run` by the names of their parameters, where these differ."""


def makes_mosaic(inputs, options):
    """Whether these inputs and options ask `rt-run` for a mosaic: a grid, --mosaic, --add, or an association of images.

    An association of images that comes with --refcat is one whose images are to be aligned.
    """
    typed = click.get_current_context().get_parameter_source("refcat").name == "COMMANDLINE"
    asked = options["mosaic"] or options["add"]
    if typed and not asked:
        return False  # images that are to be aligned
    if asked or any(options[key] not in (None, ()) for key in GRID_KEYS):
        return True
    files = [name for name in inputs if name.endswith(".json")]
    if not files or len(files) < len(inputs):
        return False
    from rtools.products import reader
    from rtools.products.association import science_members

    members = [member for name in files for member in science_members(name)]
    return all(reader.open_product(member).kind == "l2_image" for member in members)


def run_chain(console, inputs, options, *, references, how):
    """The chain of a mosaic on images or associations; returns the exit status.

    Parameters
    ----------
    console : Console
    inputs : list of str
    options : dict
        Of `rt-run`; those of a calibration are refused.
    references : rtools.reference.find.Config
    how : dict
        dry_run, as_json, fail_fast.
    """
    from rtools.pipeline.mosaic_plan import Request

    for key in ("first", "last", "refcat", "strict", "save_steps"):
        typed = click.get_current_context().get_parameter_source(key).name == "COMMANDLINE"
        if options.pop(key) and typed:
            raise UsageError(f"--{KEYS.get(key, key).replace('_', '-')} is for exposures, and this makes a mosaic")
    options.pop("mosaic")
    wanted, cells = wanted_grid(options)
    request = Request(
        tool="rt-run",
        skip=frozenset(_step_of(word).name for word in options.pop("skip")),
        settings=_settings(options.pop("settings")),
        wanted=wanted,
        skycells=cells,
        references=references,
        threads=options.pop("jobs"),
        **options,
    )
    if "resample" in request.skip:
        raise UsageError("--skip resample: there is no mosaic without it", mend="use rt-skymatch, rt-outlier")
    return run_groups(console, inputs, request, **how)


def _step_of(word):
    """Declaration of a step of the mosaic chain, by tool name, cal_step key or suffix."""
    from rtools.pipeline import chain
    from rtools.pipeline.mosaic_plan import STEPS

    plain = word.lower().removeprefix("rt-")
    for step in (*STEPS.values(), chain.step_of("catalog")):
        if plain in (step.name, step.cal_step, step.suffix):
            return step
    raise UsageError(f"no step of a mosaic is called {word!r}", mend=f"steps: {' '.join(STEPS)} catalog")


def _settings(words):
    """Step to {option key: value} from words like ``outlier.snr=4 3``; romancal's names are taken, too."""
    settings = {}
    for word in words:
        target, separator, value = word.partition("=")
        step_word, dot, option_word = target.partition(".")
        if not separator or not dot:
            raise UsageError(f"--set {word}: STEP.OPTION=VALUE expected")
        step, plain = _step_of(step_word), option_word.replace("_", "-")
        found = [option for option in step.options if plain == option.name or option_word == option.peer]
        if not found:
            known = ", ".join(option.name for option in step.options) or "none"
            raise UsageError(f"--set {word}: {step.tool} has no option {option_word}", mend=f"it has {known}")
        settings.setdefault(step.name, {})[found[0].key] = check_option(step, found[0], value)
    return settings
