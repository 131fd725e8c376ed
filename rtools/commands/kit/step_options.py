"""Options of steps on command lines, in ``--set``, and in configuration files."""

import click

from rtools.errors import UsageError
from rtools.pipeline.job.settings import check_option, find_option

__all__ = ["click_option", "read_settings"]


def click_option(item):
    """The click option, as a decorator, of an option that a step declares."""
    if item.kind is bool:
        return click.option(
            f"--{item.name}/--no-{item.name}", item.key, default=item.default, show_default=True, help=item.help
        )
    kind = click.Choice(item.choices) if item.choices else item.kind
    return click.option(f"--{item.name}", item.key, default=item.default, type=kind, show_default=True, help=item.help)


def read_settings(words, step_of):
    """Step to {option key: value} from words like ``rampfit.threshold=5``; romancal's names are taken, too.

    Parameters
    ----------
    words : iterable of str
    step_of : callable
        The declaration of the step that a word means.
    """
    settings = {}
    for word in words:
        target, separator, value = word.partition("=")
        step_word, dot, option_word = target.partition(".")
        if not separator or not dot:
            raise UsageError(f"--set {word}: STEP.OPTION=VALUE expected")
        step = step_of(step_word)
        option = find_option(step, option_word)
        if option is None:
            known = ", ".join(option.name for option in step.options) or "none"
            raise UsageError(f"--set {word}: {step.tool} has no option {option_word}", mend=f"it has {known}")
        settings.setdefault(step.name, {})[option.key] = check_option(step, option, value)
    return settings
