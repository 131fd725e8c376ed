"""Options of steps on command lines, in ``--set``, and in configuration files."""

from dataclasses import replace

import click

from rtools.commands.kit.missions import MISSIONS, MissionOption
from rtools.errors import UsageError
from rtools.pipeline.job.settings import check_option, find_option

__all__ = ["click_option", "click_options", "own_values", "read_settings"]


def click_option(item, **settings):
    """The click option, as a decorator, of an option that a step declares.

    One that missions have with several values has no default on the command line: each mission's own counts.

    Parameters
    ----------
    item : rtools.declare.Option
        The declaration.
    **settings
        Further ones of click.option.
    """
    if item.elsewhere:
        told = [f"for {MISSIONS[mission]} {_shown(item, value)}" for mission, value in item.elsewhere]
        text = f"{item.help} Default {', '.join((_shown(item, item.default), *told))}."
        item = replace(item, default=None, type=item.kind, help=text, elsewhere=())
    if item.mission:
        settings = {"cls": MissionOption, "mission": item.mission} | settings
    shown = {"show_default": item.default is not None} | settings
    if item.kind is bool:
        return click.option(f"--{item.name}/--no-{item.name}", item.key, default=item.default, help=item.help, **shown)
    kind = click.Choice(item.choices) if item.choices else item.kind
    return click.option(f"--{item.name}", item.key, default=item.default, type=kind, help=item.help, **shown)


def _shown(item, value):
    """A default as it would be typed."""
    return f"--{'' if value else 'no-'}{item.name}" if item.kind is bool else str(value)


def click_options(steps):
    """The click options, as decorators, of a tool that several missions have.

    An option that one mission has says so. One that all have under one name, with other values, has no default on the
    command line: each mission's own counts.

    Parameters
    ----------
    steps : sequence of rtools.declare.Step
        Declarations of one tool, one for each mission.

    Returns
    -------
    list of callable
    """
    found = {}
    for step in steps:
        for item in step.options:
            found.setdefault(item.name, {})[step.mission] = item
    if len(steps) == 1:
        return [click_option(item) for item in steps[0].options]
    return [_option_of(items) for items in found.values()]


def _option_of(items):
    """One option from its declarations by mission."""
    if len(items) == 1:
        ((mission, item),) = items.items()
        return click_option(item, cls=MissionOption, mission=mission)
    first, *others = items.values()
    if all((other.default, other.choices) == (first.default, first.choices) for other in others):
        return click_option(first)
    choices = tuple(dict.fromkeys(word for item in items.values() for word in item.choices))
    told = ", ".join(f"{item.default} for {MISSIONS[mission]}" for mission, item in items.items())
    merged = replace(first, default=None, type=first.kind, choices=choices, help=f"{first.help} Default {told}.")
    return click_option(merged)


def own_values(step, options):
    """Values of a step's options, its defaults where nothing is said.

    Parameters
    ----------
    step : rtools.declare.Step
        The declaration.
    options : mapping of str to object
        Parameter name to value, None where nothing is said; others may be among them.

    Returns
    -------
    dict of str to object

    Raises
    ------
    UsageError
        A value is not valid for this step.
    """
    values = {}
    for item in step.options:
        value = options.get(item.key)
        value = item.default if value is None else value
        values[item.key] = None if value is None else check_option(step, item, value)
    return values


def read_settings(words, step_of, mission=""):
    """Step to {option key: value} from words like ``rampfit.threshold=5``; romancal's names are taken, too.

    Parameters
    ----------
    words : iterable of str
    step_of : callable
        The declaration of the step that a word means.
    mission : str
        Whose files they are for; by default those of each step's own.
    """
    settings = {}
    for word in words:
        target, separator, value = word.partition("=")
        step_word, dot, option_word = target.partition(".")
        if not separator or not dot:
            raise UsageError(f"--set {word}: STEP.OPTION=VALUE expected")
        step = step_of(step_word)
        option = find_option(step, option_word, mission)
        if option is None:
            known = ", ".join(option.name for option in step.options_for(mission)) or "none"
            raise UsageError(f"--set {word}: {step.tool} has no option {option_word}", mend=f"it has {known}")
        settings.setdefault(step.name, {})[option.key] = check_option(step, option, value)
    return settings
