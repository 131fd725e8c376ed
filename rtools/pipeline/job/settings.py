"""Options of steps as a user says them, in their own types or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtools.declare import Option, Step
from rtools.errors import UsageError

__all__ = ["check_option", "check_options", "find_option"]


def find_option(step: Step, word: str, mission: str = "") -> Option | None:
    """The option of a step that a word means, by its name here or in romancal; None if there is none.

    Parameters
    ----------
    step : rtools.declare.Step
        The step.
    word : str
        With dashes or underscores.
    mission : str
        Whose files it is for; by default those of the step's own.
    """
    plain = word.replace("_", "-")
    return next((option for option in step.options_for(mission) if plain == option.name or word == option.peer), None)


def check_option(step: Step, option: Option, value: Any) -> Any:
    """The value of a step's option in its own type.

    Parameters
    ----------
    step : rtools.declare.Step
        For messages.
    option : rtools.declare.Option
        The option.
    value : object
        A word, or a value of the option's type.

    Raises
    ------
    UsageError
        It is not a value of this option; the message says what is allowed.
    """
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


def check_options(step: Step, values: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a step by key, each in its own type; None where a value is None.

    Parameters
    ----------
    step : rtools.declare.Step
        The step.
    values : mapping of str to object
        Name of an option, here or in romancal, to its value.

    Raises
    ------
    UsageError
        The step has no such option, or a value is not valid for it.
    """
    checked = {}
    for word, value in values.items():
        option = find_option(step, word)
        if option is None:
            known = ", ".join(option.name for option in step.options_for()) or "none"
            raise UsageError(f"{step.tool} has no option {word}", mend=f"it has {known}")
        checked[option.key] = None if value is None else check_option(step, option, value)
    return checked
