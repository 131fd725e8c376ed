"""Messages as one reads them: what many inputs have in common is said once; options are those of the tool typed."""

import os
import re

import click

__all__ = ["Gathered", "in_words_of", "worded"]

_OPTION = re.compile(r"(?<![\w-])--(no-)?([a-z][a-z-]*[a-z])(?: ([a-z]+))?")


class Gathered:
    """Messages about several inputs, held until all are done.

    Parameters
    ----------
    names : iterable of str
        What messages may call the inputs, ahead of a colon.
    """

    def __init__(self, names):
        self.names = set(map(str, names))
        self._said = {}

    def add(self, level, text):
        """Hold one message, which may begin with the name of its input."""
        name, rest = self._parted(text)
        self._said.setdefault((level, rest), {})[name] = None

    def lines(self):
        """``(level, text)`` of what was held, in the order in which it came first."""
        for (level, text), names in self._said.items():
            named = [name for name in names if name]
            if len(named) > 1:
                yield level, f"{text} ({len(named)} inputs)"
            else:
                yield level, f"{named[0]}: {text}" if named else text

    def _parted(self, text):
        """The innermost name that a message begins with, and what it says of it."""
        name = ""
        while True:
            first, colon, rest = text.partition(": ")
            if not colon or not (first in self.names or os.path.lexists(first)):
                return name, text
            name, text = first, rest


def in_words_of(command, text):
    """A message that names options of a step, as the tool at hand takes them.

    Parameters
    ----------
    command : click.Command
        The tool; ``rt-run`` takes an option of a step that is not its own as ``--set STEP.OPTION``.
    text : str

    Returns
    -------
    str
    """
    if "--" not in text or not any(param.name == "settings" for param in command.params):
        return text
    own = {word for param in command.params if isinstance(param, click.Option) for word in param.opts}

    def put(match):
        no, name, value = match.groups()
        if f"--{name}" in own or f"--{no or ''}{name}" in own:
            return match.group()
        found = [(step, option) for step in _steps() for option in step.options if option.name == name]
        if len(found) != 1:
            return match.group()
        (step, option), after = found[0], f" {value}" if value else ""
        if option.kind is bool:
            return f"--set {step.name}.{name}={'false' if no else 'true'}{after}"
        chosen = value in option.choices
        return f"--set {step.name}.{name}" + (f"={value}" if chosen else after)

    return _OPTION.sub(put, text)


def worded(text):
    """A message in words of the tool at hand."""
    context = click.get_current_context(silent=True)
    return in_words_of(context.command, text) if context else text


def _steps():
    """Declarations of all steps that ``--set`` knows."""
    from rtools.pipeline.job.steps import steps_in_order

    return [step for step in steps_in_order() if step.of_exposure or step.of_mosaic]
