"""Which tools there are: their groups, and the command of each.

A tool is a file of `rtools.commands`, called as the tool without ``rt-``, or a step, whose command is made from its
declaration. A step whose tool has options of its own has a file of that name, too.
"""

import re
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path

from rtools.commands.kit.missions import MISSIONS
from rtools.errors import UsageError
from rtools.pipeline.job import steps

__all__ = ["OF_RT", "command_of", "groups", "summary_of", "tool_names"]

GROUPS = {
    "names and looking": (
        "name",
        "ls",
        "dq",
        "sky",
        "stat",
        "diff",
        "info",
        "history",
        "get",
        "set",
        "validate",
        "view",
        "cut",
        "fits",
        "table",
        "phot",
        "psf",
        "match",
        "report",
    ),
    "references": ("refs", "refcat", "skymap"),
    "simulate": ("sim",),
    "exposure": (),
    "pointing": ("point", "aberration", "gw"),
    "mosaic": ("asn",),
    "series, spectra, contrast": (),
    "chains": ("run",),
}
"""Group to its tools without ``rt-``, in the order of ``rt --help``; steps join the group of their kind behind them."""

OF_RT = ("completion", "doctor", "compile")
"""Commands that are typed as ``rt NAME`` alone: they are about the installation, not about data."""

COMMANDS = Path(__file__).parents[1]
"""The directory of `rtools.commands`."""


@cache
def tool_names():
    """Names of all tools without ``rt-``; no step is imported for them.

    Returns
    -------
    frozenset of str
        In no order.
    """
    return frozenset(name for names in GROUPS.values() for name in names) | frozenset(steps.find_modules())


def groups():
    """Every group with its tools, steps in the order of their chain.

    Returns
    -------
    dict of str to tuple of str
        Title of the group to names of tools without ``rt-``.
    """
    found = {group: list(names) for group, names in GROUPS.items()}
    for mission in MISSIONS:
        for step in steps.steps_in_order(mission):
            if not any(step.name in names for names in found.values()):
                found[step.group].append(step.name)
    return {group: tuple(names) for group, names in found.items()}


SUMMARY = re.compile(r'\bsummary="([^"\\]+)"')
"""Where the file of a tool has its sentence."""


def summary_of(name):
    """The sentence about a tool; it is looked up in the tool's file, for to import all tools takes long.

    Parameters
    ----------
    name : str
        The tool without ``rt-``.

    Returns
    -------
    str
        As its command's `short_help`.
    """
    path = _file_of(name)
    found = SUMMARY.search(path.read_text("utf-8")) if path is not None else None
    if found:
        return found[1]
    if steps.has_step(name):
        return steps.step_of(name, steps.missions_of(name)[0]).summary
    return command_of(name).short_help


def _file_of(name):
    """The file of a tool; None where it is a step that has none. set.py would hide a word of Python."""
    return next((path for stem in (name, f"{name}_") if (path := COMMANDS / f"{stem}.py").exists()), None)


def command_of(name):
    """The click command of a tool.

    Parameters
    ----------
    name : str
        The tool without ``rt-``; a step of an exposure also by its cal_step key or suffix; or one of `OF_RT`.

    Returns
    -------
    click.Command
        Made or imported now.

    Raises
    ------
    UsageError
        There is no such tool.
    """
    if name not in tool_names() and name not in OF_RT:
        name = _step_called(name)
    path = _file_of(name)
    module = "step" if path is None else path.stem  # steps without a file share one
    found = import_module(f"rtools.commands.{module}")
    return found.command(name) if module == "step" else found.command


def _step_called(word):
    """The tool name of a step that is called by another of its names."""
    from rtools.pipeline.exposure import chain

    try:
        return chain.resolve(word)
    except UsageError:
        names = [name for group in groups().values() for name in group]
        near = get_close_matches(word, names, n=1)
        mend = f"did you mean rt-{near[0]}?" if near else f"tools: {' '.join(names)}"
        raise UsageError(f"no tool is called rt-{word}", mend=mend) from None
