"""Options of steps and references as a command line has them, in their own types."""

from rtools.errors import UsageError

__all__ = ["check_option", "find_option", "read_settings", "reference_config"]


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


def check_option(step, option, value):
    """The value of a step's option in its own type, or a UsageError that says what is allowed."""
    where = f"{step.name}.{option.name}"
    if option.kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if str(value).lower() not in words:
            raise UsageError(f"{where}={value}: true or false expected")
        return words[str(value).lower()]
    try:
        value = option.kind(value)
    except (TypeError, ValueError):
        raise UsageError(f"{where}={value}: {option.kind.__name__} expected") from None
    if value != value:
        raise UsageError(f"{where}={value}: a number expected")
    if option.choices and value not in option.choices:
        raise UsageError(f"{where}={value}: one of {', '.join(option.choices)} expected")
    if option.minimum is not None and not value >= option.minimum:
        raise UsageError(f"{where}={value}: at least {option.minimum} expected")
    return value


def find_option(step, word):
    """The option of a step that a word means, by its name here or in romancal; None if there is none."""
    plain = word.replace("_", "-")
    return next((option for option in step.options if plain == option.name or word == option.peer), None)


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
